// This run beside an earlier one of the same machine: what got slower by more than either run's noise explains.
#include <math.h>
#include <stdio.h>

#include "cli/bench/bench.h"
#include "core/file.h"

enum { FORMAT = 1, SIZE_LIMIT = 64 << 20 };

// ---- reading -------------------------------------------------------------------------------------------------------

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text ? text : "";
}

// A number that is there and finite; else NaN.
static double number_of(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(value) && isfinite(value->valuedouble) ? value->valuedouble : NAN;
}

static bool is_problem(const cJSON *row)
{
    return cJSON_GetObjectItemCaseSensitive(row, "problem") != NULL;
}

static pm_status check_row(const pm_bench *b, const cJSON *row, int index)
{
    PM_REQUIRE(b->cli->ctx, *text_of(row, "name") && cJSON_GetObjectItemCaseSensitive(row, "shape"), PM_ERR_FORMAT,
               "%s: row %d has no name or no shape", b->old_path, index);
    if (is_problem(row)) return PM_OK;
    static const char *const keys[] = { "seconds", "least", "most", "noise" };
    for (int i = 0; i < PM_COUNT(keys); i++)
        PM_REQUIRE(b->cli->ctx, number_of(row, keys[i]) >= 0, PM_ERR_FORMAT, "%s: row %d (%s) has no \"%s\", or it is no time", b->old_path, index,
                   text_of(row, "name"), keys[i]);
    return PM_OK;
}

pm_status pm_bench_read_old(pm_bench *b, const char *path)
{
    pm_ctx *ctx = b->cli->ctx;
    char *text;
    int64_t size;
    b->old_path = path;
    PM_TRY(pm_file_read(ctx, path, SIZE_LIMIT, &text, &size));
    pm_status st = pm_json_parse(ctx, path, text, size, &b->old);
    pm_free(text);
    PM_TRY(st);
    const cJSON *root = b->old->root, *rows = cJSON_GetObjectItemCaseSensitive(root, "rows"), *row;
    PM_REQUIRE(ctx, number_of(root, "pumice_bench") == FORMAT && cJSON_IsArray(rows), PM_ERR_FORMAT,
               "%s is no document of pumice bench --json in format %d", path, FORMAT);
    PM_REQUIRE(ctx, pm_name_equal(text_of(root, "bench"), b->kind), PM_ERR_ARG, "%s is of bench %s, this is bench %s", path,
               text_of(root, "bench"), b->kind);
    int index = 0;
    cJSON_ArrayForEach(row, rows) if (st == PM_OK) st = check_row(b, row, index++);
    return st;
}

static pm_status check_same(const pm_bench *b, const char *what, const char *was, const char *is)
{
    PM_REQUIRE(b->cli->ctx, pm_name_equal(was, is), PM_ERR_ARG, "%s was measured on another machine: its %s is \"%s\", here it is \"%s\"; "
               "times can be compared on one machine alone", b->old_path, what, was, is);
    return PM_OK;
}

pm_status pm_bench_check_old(const pm_bench *b)
{
    const pm_device_info *info = pm_device_get_info(b->device);
    const cJSON *machine = cJSON_GetObjectItemCaseSensitive(b->old->root, "machine");
    char was[32], is[32];
    snprintf(was, sizeof was, "%.0f", number_of(machine, "threads"));
    snprintf(is, sizeof is, "%d", pm_ctx_threads(b->cli->ctx));
    PM_TRY(check_same(b, "backend", text_of(machine, "backend"), info->backend));
    PM_TRY(check_same(b, "device", text_of(machine, "name"), info->name));
    PM_TRY(check_same(b, "profile", text_of(machine, "profile"), pm_device_profile(b->device)));
    PM_TRY(check_same(b, "number of threads", was, is));
    const bool quick = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(b->old->root, "quick"));
    PM_REQUIRE(b->cli->ctx, quick == b->quick, PM_ERR_ARG, "%s was measured with%s --quick, this is with%s", b->old_path, quick ? "" : "out",
               b->quick ? "" : "out");
    return PM_OK;
}

// ---- judging -------------------------------------------------------------------------------------------------------

static const cJSON *find_row(const cJSON *rows, const cJSON *like)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
        if (pm_name_equal(text_of(row, "name"), text_of(like, "name")) && pm_name_equal(text_of(row, "shape"), text_of(like, "shape"))) return row;
    return NULL;
}

// How much slower the machine itself was in the new run at what holds the row up: its ceiling then over its ceiling now.
static double drift(const cJSON *old, const cJSON *now)
{
    const double was = number_of(old, "ceiling_seconds"), is = number_of(now, "ceiling_seconds");
    const bool same_work = number_of(old, "flops") == number_of(now, "flops") && number_of(old, "bytes") == number_of(now, "bytes");
    return same_work && was > 0 && is > 0 && pm_name_equal(text_of(old, "against"), text_of(now, "against")) ? is / was : 1;
}

// +1 slower, −1 faster, 0 neither. Medians and best times both differ by more than the tolerance and than the machine itself drifted:
// other work on the machine moves the one and hardly the other. And the medians differ by more than the noise of both runs together, or no
// repetition of the one is within those of the other.
static int judge(const pm_bench *b, const cJSON *old, const cJSON *now)
{
    const double was = number_of(old, "seconds"), is = number_of(now, "seconds"), noise = number_of(old, "noise") + number_of(now, "noise");
    const double drifted = drift(old, now), tolerance = pm_cli_number(b->cli, "tolerance", 0.1);
    const double up = PM_MAX(drifted, 1), down = PM_MIN(drifted, 1), best_was = number_of(old, "least"), best_is = number_of(now, "least");
    const bool above = best_is > number_of(old, "most"), below = number_of(now, "most") < best_was;
    if (is > was * up * (1 + tolerance) && best_is > best_was * up * (1 + tolerance)) return is > was * up + noise || above;
    const bool faster = is < was * down * (1 - tolerance) && best_is < best_was * down * (1 - tolerance);
    return faster && (is < was * down - noise || below) ? -1 : 0;
}

// ---- telling -------------------------------------------------------------------------------------------------------

typedef struct verdict {
    cJSON *json, *slower, *faster, *fresh, *gone;
    int    common;
} verdict;

static void add_change(cJSON *list, const cJSON *old, const cJSON *now)
{
    cJSON *one = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(list, one)) cJSON_Delete(one);
    cJSON_AddStringToObject(one, "name", text_of(now, "name"));
    cJSON_AddStringToObject(one, "shape", text_of(now, "shape"));
    cJSON_AddNumberToObject(one, "was", number_of(old, "seconds"));    // finite, and read again when they are printed
    cJSON_AddNumberToObject(one, "is", number_of(now, "seconds"));
    cJSON_AddNumberToObject(one, "ratio", number_of(now, "seconds") / number_of(old, "seconds"));
    cJSON_AddNumberToObject(one, "noise", number_of(old, "noise") + number_of(now, "noise"));
}

static void add_name(cJSON *list, const cJSON *row)
{
    cJSON *name = cJSON_CreateString(text_of(row, "name"));
    if (!cJSON_AddItemToArray(list, name)) cJSON_Delete(name);
}

// This run's rows as a reader of the document would get them: numbers are written as text of their own.
static cJSON *read_back(const cJSON *rows)
{
    char *text = cJSON_PrintUnformatted(rows);
    cJSON *read = text ? cJSON_Parse(text) : NULL;
    cJSON_free(text);
    return read;
}

static void judge_rows(const pm_bench *b, const cJSON *mine, verdict *v)
{
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(b->old->root, "rows"), *row;
    cJSON_ArrayForEach(row, mine)
    {
        const cJSON *old = find_row(rows, row);
        if (!old || is_problem(old) || is_problem(row)) {
            if (!old || (is_problem(old) && !is_problem(row))) add_name(v->fresh, row);
            else if (!is_problem(old)) add_name(v->gone, row);
            continue;
        }
        const int said = judge(b, old, row);
        v->common++;
        if (said) add_change(said > 0 ? v->slower : v->faster, old, row);
    }
    cJSON_ArrayForEach(row, rows) if (!find_row(mine, row)) add_name(v->gone, row);
}

static pm_status print_changes(const pm_bench *b, const char *title, const cJSON *list)
{
    const cJSON *one;
    pm_grid *grid;
    if (!cJSON_GetArraySize(list)) return PM_OK;
    printf("%s\n", title);
    PM_TRY(pm_grid_create(b->cli->ctx, "llrrrr", &grid));
    static const char *const heads[] = { "what", "shape", "was ms", "is ms", "ratio", "noise ms" };
    for (int i = 0; i < PM_COUNT(heads); i++) pm_grid_cell(grid, "%s", heads[i]);
    cJSON_ArrayForEach(one, list)
    {
        pm_grid_cell(grid, "%s", text_of(one, "name"));
        pm_grid_cell(grid, "%s", text_of(one, "shape"));
        pm_grid_cell(grid, "%.4g", 1e3 * number_of(one, "was"));
        pm_grid_cell(grid, "%.4g", 1e3 * number_of(one, "is"));
        pm_grid_cell(grid, "%.2f", number_of(one, "ratio"));
        pm_grid_cell(grid, "%.3g", 1e3 * number_of(one, "noise"));
    }
    return pm_grid_print(&grid, true);
}

static pm_status print_verdict(const pm_bench *b, const verdict *v)
{
    printf("\nBeside %s: of %d rows in both, %d slower, %d faster; %d new, %d gone\n", b->old_path, v->common, cJSON_GetArraySize(v->slower),
           cJSON_GetArraySize(v->faster), cJSON_GetArraySize(v->fresh), cJSON_GetArraySize(v->gone));
    PM_TRY(print_changes(b, "\nslower", v->slower));
    return print_changes(b, "\nfaster", v->faster);
}

pm_status pm_bench_compare(pm_bench *b, cJSON *json)
{
    verdict v = { .json = cJSON_CreateObject() };
    cJSON *mine = read_back(b->rows);
    cJSON_AddStringToObject(v.json, "with", b->old_path);
    v.slower = cJSON_AddArrayToObject(v.json, "slower");
    v.faster = cJSON_AddArrayToObject(v.json, "faster");
    v.fresh = cJSON_AddArrayToObject(v.json, "new");
    v.gone = cJSON_AddArrayToObject(v.json, "gone");
    pm_status st = v.gone && mine ? PM_OK : pm_fail(b->cli->ctx, PM_ERR_NOMEM, "no memory for the comparison");
    if (st == PM_OK) judge_rows(b, mine, &v);
    cJSON_Delete(mine);
    if (st == PM_OK && !v.common) st = pm_fail(b->cli->ctx, PM_ERR_ARG, "%s has no row in common with this run", b->old_path);
    if (st == PM_OK) b->cli->failed = b->cli->failed || cJSON_GetArraySize(v.slower) > 0;
    if (st == PM_OK && !json) st = print_verdict(b, &v);
    if (st == PM_OK && json && cJSON_AddItemToObject(json, "comparison", v.json)) return PM_OK;
    cJSON_Delete(v.json);
    return st;
}
