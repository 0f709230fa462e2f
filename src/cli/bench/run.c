// A benchmark from its options to its report.
#include <stdio.h>

#include "backend/blas.h"
#include "cli/bench/bench.h"

enum { FORMAT = 1 };

static const double OPS_SECONDS = 0.3, MODEL_SECONDS = 1;

static pm_status open_grid(pm_bench *b)
{
    static const char *const heads[] = { "what", "shape", "median ms", "least … most", "GFLOP/s", "GB/s", "share", "of", "host ms", "times, clock" };
    PM_TRY(pm_grid_create(b->cli->ctx, b->on_host ? "llrrrrrll" : "llrrrrrlrl", &b->grid));
    for (int i = 0; i < PM_COUNT(heads); i++)
        if (!b->on_host || i != 8) pm_grid_cell(b->grid, "%s", heads[i]);
    return PM_OK;
}

// What can go wrong without measuring goes wrong first.
static pm_status open_bench(pm_bench *b)
{
    pm_cli *cli = b->cli;
    const char *trace = pm_cli_text(cli, "trace"), *old = pm_cli_text(cli, "compare");
    if (old) PM_TRY(pm_bench_read_old(b, old));
    PM_TRY(pm_device_open(cli->ctx, &(pm_device_params){ .name = pm_cli_text(cli, "device") }, &b->device));
    b->on_host = b->device->info.type == PM_DEVICE_CPU;
    if (old) PM_TRY(pm_bench_check_old(b));
    if (trace) PM_TRY(pm_trace_create(cli->ctx, trace, &b->trace));
    b->rows = cJSON_CreateArray();
    b->facts = cJSON_CreateArray();
    PM_REQUIRE(cli->ctx, b->rows && b->facts, PM_ERR_NOMEM, "no memory for the report");
    if (!pm_cli_has(cli, "json")) PM_TRY(open_grid(b));
    return pm_ceilings_measure(b);
}

static void print_ceiling(const pm_ceiling *c, const char *unit)
{
    if (c->rate <= 0) printf("%-7s not measured on this device\n", c->what);
    else printf("%-7s %.4g %s (%.4g … %.4g in %d): %s\n", c->what, c->rate / 1e9, unit, c->rate / 1e9 * c->time.median / c->time.most,
                c->rate / 1e9 * c->time.median / c->time.least, c->time.count, c->how);
}

static pm_status print_report(pm_bench *b)
{
    const pm_device_info *info = pm_device_get_info(b->device);
    printf("%s: %s, %d thread%s\n%s\n", info->id, info->name, pm_ctx_threads(b->cli->ctx), pm_ctx_threads(b->cli->ctx) == 1 ? "" : "s",
           pm_device_profile(b->device));
    print_ceiling(&b->ceilings.copy, "GB/s");
    print_ceiling(&b->ceilings.sgemm, "GFLOP/s");
    printf("\n");
    PM_TRY(pm_grid_print(&b->grid, true));
    if (b->notes) printf("\n%s", b->notes);
    return PM_OK;
}

static void add_ceiling(cJSON *ceilings, const pm_ceiling *c, const char *unit)
{
    if (c->rate <= 0) {
        cJSON_AddNullToObject(ceilings, c->what);
        return;
    }
    cJSON *one = cJSON_AddObjectToObject(ceilings, c->what);
    pm_json_add_real(one, unit, c->rate / 1e9);
    pm_json_add_real(one, "seconds", c->time.median);
    pm_json_add_real(one, "least", c->time.least);
    pm_json_add_real(one, "most", c->time.most);
    pm_json_add_integer(one, "repetitions", c->time.count);
    cJSON_AddStringToObject(one, "how", c->how);
}

static cJSON *document(pm_bench *b)
{
    const pm_device_info *info = pm_device_get_info(b->device);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "pumice_bench", FORMAT);
    cJSON_AddStringToObject(json, "bench", b->kind);
    cJSON_AddBoolToObject(json, "quick", b->quick);
    cJSON *machine = cJSON_AddObjectToObject(json, "machine");
    cJSON_AddStringToObject(machine, "device", info->id);
    cJSON_AddStringToObject(machine, "backend", info->backend);
    cJSON_AddStringToObject(machine, "name", info->name);
    cJSON_AddStringToObject(machine, "driver", info->driver);
    cJSON_AddStringToObject(machine, "profile", pm_device_profile(b->device));
    cJSON_AddNumberToObject(machine, "threads", pm_ctx_threads(b->cli->ctx));
    cJSON_AddStringToObject(machine, "blas_core", pm_blas_core());
    cJSON *ceilings = cJSON_AddObjectToObject(json, "ceilings");
    add_ceiling(ceilings, &b->ceilings.copy, "gbs");
    add_ceiling(ceilings, &b->ceilings.sgemm, "gflops");
    cJSON_AddItemReferenceToObject(json, "rows", b->rows);
    if (cJSON_GetArraySize(b->facts)) cJSON_AddItemReferenceToObject(json, "models", b->facts);
    return json;
}

static pm_status report(pm_bench *b)
{
    if (b->trace) PM_TRY(pm_trace_finish(&b->trace));
    if (b->grid) {
        PM_TRY(print_report(b));
        return b->old ? pm_bench_compare(b, NULL) : PM_OK;
    }
    cJSON *json = document(b);
    const pm_status st = b->old ? pm_bench_compare(b, json) : PM_OK;
    if (st == PM_OK) return pm_cli_print_json(b->cli, json);
    cJSON_Delete(json);
    return st;
}

pm_status pm_bench_run(pm_cli *cli, const char *kind, pm_status (*body)(pm_bench *b))
{
    pm_bench b = { .cli = cli, .kind = kind, .quick = pm_cli_has(cli, "quick") };
    b.seconds = pm_cli_number(cli, "seconds", pm_name_equal(kind, "ops") ? OPS_SECONDS : MODEL_SECONDS);
    pm_status st = open_bench(&b);
    if (st == PM_OK) st = body(&b);
    if (st == PM_OK) st = report(&b);
    cJSON_Delete(b.rows);
    cJSON_Delete(b.facts);
    pm_free(b.trace);
    pm_free(b.old);
    pm_device_close(&b.device);
    return st;
}

const pm_option_group pm_group_bench = { "Measuring", (const pm_option[]){
    PM_FLAG("quick", 0, "less of everything, for slow devices and tests"),
    PM_NUMBER("seconds", 0, "X", 0, 3600, "how long to repeat one thing, 5 to 15 times. Default: 0.3, of models 1"),
    PM_TEXT("trace", 0, "FILE", "also write a Chrome trace of each program, op by op, for chrome://tracing or Perfetto"),
    PM_TEXT("compare", 0, "OLD.json", "a document of --json on this device: list what got slower since, beyond the noise of both; exit 1 if anything did"),
    PM_NUMBER("tolerance", 0, "X", 0, 100, "with --compare: the share by which a time must differ at least. Default: 0.1"),
    { 0 } } };
