// Rows of a report: for people, and as JSON.
#include <math.h>
#include <stdio.h>

#include "cli/bench/bench.h"

void pm_bench_against_copy(const pm_bench *b, pm_bench_row *row)
{
    row->ceiling = b->ceilings.copy.rate > 0 && row->bytes > 0 ? row->bytes / b->ceilings.copy.rate : NAN;
    row->against = "copy";
}

void pm_bench_against_sgemm(const pm_bench *b, pm_bench_row *row, double rival)
{
    row->against = rival > 0 ? "OpenBLAS" : b->device->backend->sgemm_create ? "sgemm" : "peak";
    row->ceiling = rival > 0 ? rival : b->ceilings.sgemm.rate > 0 ? row->flops / b->ceilings.sgemm.rate : NAN;
}

static void add_json(pm_bench *b, const pm_bench_row *r)
{
    cJSON *row = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(b->rows, row)) cJSON_Delete(row);
    cJSON_AddStringToObject(row, "name", r->name);
    cJSON_AddStringToObject(row, "shape", r->shape);
    if (r->problem) {
        cJSON_AddStringToObject(row, "problem", r->problem);
        return;
    }
    pm_json_add_real(row, "seconds", r->time.median);
    pm_json_add_real(row, "least", r->time.least);
    pm_json_add_real(row, "most", r->time.most);
    pm_json_add_real(row, "noise", r->time.noise);
    pm_json_add_integer(row, "repetitions", r->time.count);
    cJSON_AddStringToObject(row, "clock", r->by_device ? "device" : "host");
    pm_json_add_real(row, "host_seconds", r->host);
    pm_json_add_real(row, "flops", r->flops);
    pm_json_add_real(row, "bytes", r->bytes);
    pm_json_add_real(row, "gflops", r->flops / r->time.median / 1e9);
    pm_json_add_real(row, "gbs", r->bytes / r->time.median / 1e9);
    cJSON_AddStringToObject(row, "against", r->against ? r->against : "");
    pm_json_add_real(row, "ceiling_seconds", r->ceiling);
    pm_json_add_real(row, "share", r->ceiling / r->time.median);
}

static void rate_cell(pm_grid *grid, double amount, double seconds)
{
    if (amount > 0 && seconds > 0) pm_grid_cell(grid, "%.3g", amount / seconds / 1e9);
    else pm_grid_cell(grid, "-");
}

static void add_cells(pm_bench *b, const pm_bench_row *r)
{
    pm_grid *g = b->grid;
    pm_grid_cell(g, "%s", r->name);
    pm_grid_cell(g, "%s", r->shape);
    if (r->problem) {
        for (int i = 0; i < (b->on_host ? 6 : 7); i++) pm_grid_cell(g, "-");
        pm_grid_cell(g, "%s", r->problem);
        return;
    }
    pm_grid_cell(g, "%.4g", 1e3 * r->time.median);
    pm_grid_cell(g, "%.4g … %.4g", 1e3 * r->time.least, 1e3 * r->time.most);
    rate_cell(g, r->flops, r->time.median);
    rate_cell(g, r->bytes, r->time.median);
    if (r->ceiling > 0) pm_grid_cell(g, "%.2f", r->ceiling / r->time.median);
    else pm_grid_cell(g, "-");
    pm_grid_cell(g, "%s", r->ceiling > 0 && r->against ? r->against : "");
    if (!b->on_host && r->host >= 0) pm_grid_cell(g, "%.3g", 1e3 * r->host);
    else if (!b->on_host) pm_grid_cell(g, "-");
    pm_grid_cell(g, "%d, %s", r->time.count, r->by_device ? "device" : "host");
}

void pm_bench_add(pm_bench *b, const pm_bench_row *row)
{
    add_json(b, row);
    if (b->grid) add_cells(b, row);
}

void pm_bench_note(pm_bench *b, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    char *all = pm_sprintf(b->cli->ctx, "%s%s\n", b->notes ? b->notes : "", line);
    if (!all) return;
    pm_free(b->notes);
    b->notes = all;
}
