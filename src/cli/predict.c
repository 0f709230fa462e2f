// predict: the scores of given pairs.
#include "cli/cli.h"
#include "data/text_out.h"

// The nine digits that tell floats apart, not the seventeen of a double.
static void score_text(float score, char text[32])
{
    snprintf(text, 32, "%.9g", score);
}

static pm_status write_file(pm_cli *cli, const char *path, const pm_prediction *list, int64_t count)
{
    const size_t n = strlen(path);
    const bool gzip = n > 3 && strcmp(path + n - 3, ".gz") == 0, tabs = strstr(path, ".tsv") != NULL;
    pm_text *t;
    PM_TRY(pm_text_create(cli->ctx, path, tabs ? '\t' : ',', gzip, &t));
    pm_text_id(t, "user");
    pm_text_id(t, "item");
    pm_text_id(t, "score");
    pm_text_end_line(t);
    for (int64_t i = 0; i < count; i++) {
        pm_text_id(t, list[i].user);
        pm_text_id(t, list[i].item);
        pm_text_value(t, list[i].score);
        pm_text_end_line(t);
    }
    return pm_text_commit(&t);
}

static pm_status show_json(pm_cli *cli, const pm_prediction *list, int64_t count)
{
    cJSON *json = cJSON_CreateObject(), *all = cJSON_AddArrayToObject(json, "predictions");
    for (int64_t i = 0; i < count; i++) {
        char score[32];
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "user", list[i].user);
        cJSON_AddStringToObject(one, "item", list[i].item);
        score_text(list[i].score, score);
        cJSON_AddRawToObject(one, "score", score);
        cJSON_AddItemToArray(all, one);
    }
    return pm_cli_print_json(cli, json);
}

static pm_status show_table(pm_cli *cli, const pm_prediction *list, int64_t count)
{
    pm_grid *grid;
    PM_TRY(pm_grid_create(cli->ctx, "llr", &grid));
    pm_grid_cell(grid, "user");
    pm_grid_cell(grid, "item");
    pm_grid_cell(grid, "score");
    for (int64_t i = 0; i < count; i++) {
        pm_grid_cell(grid, "%s", list[i].user);
        pm_grid_cell(grid, "%s", list[i].item);
        pm_grid_cell(grid, "%.5g", list[i].score);
    }
    return pm_grid_print(&grid, true);
}

static pm_status run_predict(pm_cli *cli)
{
    const char *path = pm_cli_text(cli, "output");
    const pm_predict_params params = {
        .run = cli->operand[0],
        .device = pm_cli_text(cli, "device"),
        .pairs = { .path = pm_cli_text(cli, "pairs"), .format = pm_cli_text(cli, "format"), .columns = pm_cli_text(cli, "columns"),
                   .skip_bad_lines = pm_cli_has(cli, "skip-bad-lines") },
        .ratings = { .path = pm_cli_text(cli, "ratings"), .format = pm_cli_text(cli, "format"), .skip_bad_lines = pm_cli_has(cli, "skip-bad-lines") },
    };
    pm_prediction *list;
    int64_t count;
    PM_REQUIRE(cli->ctx, params.pairs.path, PM_ERR_ARG, "predict wants --pairs: a file of users and items");
    PM_TRY(pm_predict(cli->ctx, &params, &list, &count));
    if (path) PM_TRY(write_file(cli, path, list, count));
    if (pm_cli_has(cli, "json")) return show_json(cli, list, count);
    if (!path) return show_table(cli, list, count);
    printf("%s: %" PRId64 " scores\n", path, count);
    return PM_OK;
}

static const pm_option_group pairs_group = { "Pairs", (const pm_option[]){
    PM_TEXT("pairs", 0, "FILE", "a user and an item a line; ratings and times beside them are not looked at"),
    PM_TEXT("ratings", 0, "FILE", "a user, an item and a rating a line, known beside the run's data: of users, new or not, for a model that is fed what users have "
            "(they are known by these alone); of items, new or not, for one that is fed what items have, such as vencoder"),
    PM_TEXT("format", 0, "NAME", "of these files, as for train"),
    PM_TEXT("columns", 0, "LIST", "names or numbers of user,item in the file of pairs"),
    PM_FLAG("skip-bad-lines", 0, "count and report bad lines instead of failing at the first"),
    PM_TEXT("output", 'o', "FILE", "write them there as text: tabs where the name says .tsv, else commas; gzip where it ends in .gz"),
    { 0 } } };

const pm_cli_command pm_cli_predict = {
    .name = "predict", .operands = "RUN --pairs FILE [OPTION]…",
    .summary = "Prints the scores of pairs of users and items, known ones too, in their order.",
    .text = "A score is the model's own: it ranks the items of one user. Of a model of ratings it is a rating, in the data's units.",
    .examples = "predict run --pairs pairs.csv\npredict run --pairs ratings.dat -o scores.tsv\npredict run --ratings new-user.csv --pairs pairs.csv", .least = 1, .most = 1, .computes = true,
    .run = run_predict,
    .groups = (const pm_option_group *const[]){ &pairs_group, &pm_group_device, &pm_group_common, NULL },
};
