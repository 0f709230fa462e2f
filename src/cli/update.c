// update: interactions that came after training.
#include "cli/cli.h"

static pm_status show(pm_cli *cli, const pm_update_report *r, const char *out)
{
    if (pm_cli_has(cli, "json")) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "run", out);
        cJSON_AddNumberToObject(json, "interactions", (double)r->interactions);
        cJSON_AddNumberToObject(json, "known", (double)r->known);
        cJSON_AddNumberToObject(json, "new_users", (double)r->new_users);
        cJSON_AddNumberToObject(json, "new_items", (double)r->new_items);
        cJSON_AddNumberToObject(json, "seconds", r->seconds);
        return pm_cli_print_json(cli, json);
    }
    printf("%s: %" PRId64 " interactions taken in, %" PRId64 " users and %" PRId64 " items of them new", out, r->interactions, r->new_users, r->new_items);
    if (r->known) printf("; %" PRId64 " were known", r->known);
    printf("\n");
    return PM_OK;
}

static pm_status run_update(pm_cli *cli)
{
    pm_spec spec;
    pm_update_report report;
    PM_REQUIRE(cli->ctx, pm_cli_text(cli, "data"), PM_ERR_ARG, "update wants --data: a file of new interactions");
    PM_REQUIRE(cli->ctx, pm_cli_text(cli, "output"), PM_ERR_ARG, "update wants -o: the folder of the new run");
    PM_TRY(pm_cli_spec(cli, &spec));
    const pm_update_params params = {
        .run = cli->operand[0],
        .device = pm_cli_text(cli, "device"),
        .out = pm_cli_text(cli, "output"),
        .data = { .path = pm_cli_text(cli, "data"), .format = pm_cli_text(cli, "format"), .columns = pm_cli_text(cli, "columns"),
                  .skip_bad_lines = pm_cli_has(cli, "skip-bad-lines") },
        .settings = spec.settings,
        .setting_count = spec.setting_count,
        .rounds = pm_cli_integer(cli, "rounds", 0),
    };
    PM_TRY(pm_update(cli->ctx, &params, &report));
    return show(cli, &report, params.out);
}

static const pm_option_group update_group = { "Update", (const pm_option[]){
    PM_TEXT("data", 0, "FILE", "new interactions, taken in one after the other as they stand there; known ones are left out"),
    PM_TEXT("format", 0, "NAME", "of that file, as for train"),
    PM_TEXT("columns", 0, "LIST", "names or numbers of user,item[,rating] in that file"),
    PM_FLAG("skip-bad-lines", 0, "count and report bad lines instead of failing at the first"),
    PM_INTEGER("rounds", 0, "N", 1, 1e6, "go through all of them so often; 1"),
    PM_TEXTS("set", 0, "NAME=VALUE", "a hyperparameter for this update alone, such as w_new"),
    PM_TEXT("output", 'o', "RUN", "the folder of the new run"),
    { 0 } } };

const pm_cli_command pm_cli_update = {
    .name = "update", .operands = "RUN --data FILE -o RUN [OPTION]…",
    .summary = "Takes new interactions into a trained run, one after the other, and writes a new run.",
    .text = "Only the user and the item of an interaction change, by a step of the model's own; new users and items get rows. The old run stays as it is. "
            "Models without such a step refuse.",
    .examples = "update run --data today.csv -o run-today\nupdate run --data today.csv --set w_new=8 --rounds 3 -o run-today", .least = 1, .most = 1, .computes = true,
    .run = run_update,
    .groups = (const pm_option_group *const[]){ &update_group, &pm_group_device, &pm_group_common, NULL },
};
