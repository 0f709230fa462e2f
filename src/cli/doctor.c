// doctor: whether a device computes what it should.
#include "cli/cli.h"


typedef struct examination {
    pm_cli  *cli;
    cJSON   *rows;    // NULL: a table
    int      passed, failed, inherited;
    double   worst;   // error over bound
    char     worst_what[64];
} examination;

static const char *verdict(const pm_doctor_row *row)
{
    return !row->passed ? "FAILED" : row->inherited ? "inherited" : "passed";
}

// Rows come one by one and may take long, so each is shown as it comes.
static void doctor_row(void *user, const pm_doctor_row *row)
{
    examination *e = user;
    e->failed += !row->passed;
    e->inherited += row->passed && row->inherited;
    e->passed += row->passed && !row->inherited;
    if (row->bound > 0 && !row->inherited && row->error / row->bound > e->worst) {
        e->worst = row->error / row->bound;
        snprintf(e->worst_what, sizeof e->worst_what, "%s", row->what);
    }
    if (e->rows) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "what", row->what);
        cJSON_AddNumberToObject(one, "error", row->error);
        cJSON_AddNumberToObject(one, "bound", row->bound);
        cJSON_AddNumberToObject(one, "seconds", row->seconds);
        cJSON_AddStringToObject(one, "verdict", row->passed ? verdict(row) : "failed");
        if (row->note) cJSON_AddStringToObject(one, "note", row->note);
        cJSON_AddItemToArray(e->rows, one);
        return;
    }
    pm_terminal_clear(&e->cli->terminal);
    printf("%-36s %12.4g %12.4g %10.3f  %s%s%s\n", row->what, row->error, row->bound, 1e3 * row->seconds, verdict(row),
           row->note ? ": " : "", row->note ? row->note : "");
    fflush(stdout);
}

// What a bug report must say: version, device, driver, numerics.
static pm_status introduce(pm_cli *cli, cJSON *json)
{
    pm_device *device;
    PM_TRY(pm_device_open(cli->ctx, &(pm_device_params){ .name = pm_cli_text(cli, "device") }, &device));
    const pm_device_info *info = pm_device_get_info(device);
    if (json) {
        cJSON_AddStringToObject(json, "version", PUMICE_VERSION);
        cJSON_AddStringToObject(json, "device", info->id);
        cJSON_AddStringToObject(json, "name", info->name);
        cJSON_AddStringToObject(json, "driver", info->driver);
        cJSON_AddStringToObject(json, "profile", pm_device_profile(device));
    } else {
        printf("pumice %s on %s: %s\ndriver   %s\nnumerics %s\n\n", PUMICE_VERSION, info->id, info->name, info->driver,
               pm_device_profile(device));
    }
    pm_device_close(&device);
    return PM_OK;
}

static pm_status run_doctor(pm_cli *cli)
{
    cJSON *json = pm_cli_has(cli, "json") ? cJSON_CreateObject() : NULL;
    const bool as_json = json != NULL;
    const pm_status opened = introduce(cli, json);
    if (opened != PM_OK) {
        cJSON_Delete(json);
        return opened;
    }
    examination e = { .cli = cli, .rows = as_json ? cJSON_CreateArray() : NULL };
    if (!as_json) printf("%-36s %12s %12s %10s  %s\n", "what", "worst error", "bound", "ms", "verdict");
    int failures = 0;
    const pm_status st = pm_doctor(cli->ctx, pm_cli_text(cli, "device"), doctor_row, &e, &failures);
    if (st != PM_OK) {
        cJSON_Delete(e.rows);
        cJSON_Delete(json);
        return st;
    }
    cli->failed = failures > 0;
    if (as_json) {
        cJSON_AddItemToObject(json, "checks", e.rows);
        cJSON_AddNumberToObject(json, "passed", e.passed);
        cJSON_AddNumberToObject(json, "failed", e.failed);
        cJSON_AddNumberToObject(json, "inherited", e.inherited);
        return pm_cli_print_json(cli, json);
    }
    printf("\n%d passed, %d failed", e.passed, e.failed);
    if (e.inherited) printf(", %d inherited from ref and so not checked", e.inherited);
    if (e.worst > 0) printf("; nearest to its bound: %s at %.0f %%", e.worst_what, 100 * e.worst);
    printf("\n");
    return PM_OK;
}

const pm_cli_command pm_cli_doctor = {
    .name = "doctor", .operands = "[OPTION]…",
    .summary = "Holds a device against the reference: every op, one training step of every model.",
    .text = "Prints the worst error of each, what is allowed, and the time. What to attach to a bug report. Ends with 1 when anything fails.",
    .examples = "doctor --device vulkan:0\ndoctor --device cpu --json", .computes = true, .run = run_doctor,
    .groups = (const pm_option_group *const[]){ &pm_group_device, &pm_group_common, NULL },
};
