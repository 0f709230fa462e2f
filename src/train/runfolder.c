#define _XOPEN_SOURCE 700    // realpath
#include "train/runfolder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "core/file.h"
#include "train/json.h"
#include "train/runfiles.h"

enum { LINE_SIZE = 2048 };
static const int64_t LOG_LIMIT = INT64_C(1) << 30;

// config.json names the data, and what the run begins from, by their full paths, so that the run can be used from any folder.
static pm_status write_spec(const void *object, const char *path, const pm_spec *spec)
{
    pm_spec kept = *spec;
    pm_pretrained origins[PM_MAX_ORIGINS];
    char *full = spec->data ? realpath(spec->data, NULL) : NULL, *folder[PM_MAX_ORIGINS] = { NULL };
    if (full) kept.data = full;
    for (int i = 0; i < spec->pretrained_count; i++) {
        origins[i] = spec->pretrained[i];
        folder[i] = realpath(origins[i].run, NULL);
        if (folder[i]) origins[i].run = folder[i];
    }
    kept.pretrained = origins;
    const pm_status st = pm_spec_write(object, path, &kept);
    for (int i = 0; i < PM_MAX_ORIGINS; i++) free(folder[i]);
    free(full);
    return st;
}

char *pm_run_repeat(const void *parent, const char *run, int64_t number)
{
    return pm_sprintf(parent, "%s/repeat-%" PRId64, run, number);
}

pm_status pm_run_begin(const void *object, const char *run, const pm_spec *spec)
{
    char *checkpoint = pm_sprintf(object, "%s/checkpoint.safetensors", run), *config = pm_sprintf(object, "%s/config.json", run);
    char *first = pm_run_repeat(object, run, 1), *repeat = first ? pm_sprintf(object, "%s/config.json", first) : NULL;
    pm_status st = checkpoint && config && repeat ? pm_make_folder(object, run) : PM_ERR_NOMEM;
    if (st == PM_OK && (pm_file_exists(checkpoint) || pm_file_exists(repeat)))
        st = pm_fail(object, PM_ERR_ARG, "%s holds a run already; go on with it by --resume %s, or name another folder", run, run);
    if (st == PM_OK) st = write_spec(object, config, spec);
    pm_free(checkpoint);
    pm_free(config);
    pm_free(first);
    pm_free(repeat);
    return st;
}

pm_status pm_run_read_spec(const void *parent, const char *run, pm_spec **out)
{
    *out = NULL;
    char *path = pm_sprintf(parent, "%s/config.json", run);
    PM_CHECK_ALLOC(path);
    pm_status st = pm_file_exists(path) ? pm_spec_read(parent, path, out)
                                        : pm_fail(parent, PM_ERR_NOT_FOUND, "%s: there is no config.json in it; is it the folder of a run?", run);
    if (st == PM_OK && (*out)->update) {    // it lies in the folder, wherever that is now
        (*out)->update = pm_sprintf(*out, "%s/%s", run, (*out)->update);
        if (!(*out)->update) st = PM_ERR_NOMEM;
    }
    pm_free(path);
    return st;
}

static pm_status save_map(const void *object, const char *run, const char *name, const pm_ids *ids)
{
    char *path = pm_sprintf(object, "%s/%s", run, name);
    PM_CHECK_ALLOC(path);
    const pm_status st = pm_run_write_ids(object, path, ids);
    pm_free(path);
    return st;
}

pm_status pm_run_save_maps(const void *object, const char *run, const pm_split *split)
{
    PM_TRY(save_map(object, run, "items.tsv", split->items));
    return save_map(object, run, "users.tsv", split->users);
}

pm_status pm_run_load_items(const void *parent, const char *run, pm_ids **out)
{
    *out = NULL;
    char *path = pm_sprintf(parent, "%s/items.tsv", run);
    PM_CHECK_ALLOC(path);
    const pm_status st = pm_run_read_ids(parent, path, out);
    pm_free(path);
    return st;
}

// ---- metrics.jsonl ----

static int put(char *line, int used, const char *format, double value)
{
    if (used >= LINE_SIZE) return used;
    char *at = line + used;
    if (!isfinite(value)) return used + snprintf(at, (size_t)(LINE_SIZE - used), "null");
    const int n = snprintf(at, (size_t)(LINE_SIZE - used), format, value);
    for (; *at; at++)
        if (*at == ',') *at = '.';    // some locales write it so; JSON does not
    return used + n;
}

static int put_values(char *line, int used, const char *key, const char *const *names, const double *values, int count)
{
    used += snprintf(line + used, (size_t)(LINE_SIZE - used), ", \"%s\": {", key);
    for (int i = 0; i < count; i++) {
        if (used < LINE_SIZE) used += snprintf(line + used, (size_t)(LINE_SIZE - used), "%s\"%s\": ", i ? ", " : "", names[i]);
        used = put(line, used, "%.17g", values[i]);
    }
    return used + snprintf(line + used, (size_t)(LINE_SIZE - used), "}");
}

// The time has a fixed width, so that equal runs have logs of equal length and checkpoints of equal bytes.
static void format_epoch(const pm_epoch_log *e, const pm_session *s, const pm_result *r, char line[LINE_SIZE])
{
    int used = snprintf(line, LINE_SIZE, "{\"epoch\": %" PRId64 ", \"steps\": %" PRId64 ", \"phase\": %d", e->epoch, e->steps, e->phase);
    used = put_values(line, used, "loss", s->loss_name, e->loss, s->loss_count);
    used = put_values(line, used, "schedule", s->model->schedule, e->schedule, s->column_count);
    used += snprintf(line + used, (size_t)(LINE_SIZE - used), ", \"validation\": ");
    used = put(line, used, "%.17g", e->validation);
    used = put_values(line, used, "metrics", r->epoch_metric, e->metrics, r->epoch_metric_count);
    used += snprintf(line + used, (size_t)(LINE_SIZE - used), ", \"seconds\": ");
    used = put(line, used, "%-12.3f", e->seconds);
    snprintf(line + used, (size_t)(LINE_SIZE - used), "}");
}

static char *log_path(const void *parent, const char *run)
{
    return pm_sprintf(parent, "%s/metrics.jsonl", run);
}

pm_status pm_run_save_epochs(const pm_trainer *t, int from, int64_t *size)
{
    pm_run_log *log = NULL;
    char *path = log_path(t->result, t->run);
    PM_CHECK_ALLOC(path);
    pm_status st = pm_run_log_open(t->result, path, *size, &log);
    for (int i = from; st == PM_OK && i < t->result->epoch_count; i++) {
        char line[LINE_SIZE];
        format_epoch(&t->result->epoch_log[i], t->session, t->result, line);
        st = pm_run_log_append(log, line);
    }
    if (st == PM_OK) st = pm_run_log_sync(log);
    if (st == PM_OK) *size = pm_run_log_length(log);
    pm_free(log);
    pm_free(path);
    return st;
}

static double number_of(const cJSON *value)
{
    return cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

// By their order. What is lacking stays 0, as in a log that was never written.
static void read_values(const cJSON *object, double *values, int count)
{
    for (int i = 0; i < PM_MIN(cJSON_GetArraySize(object), count); i++) values[i] = number_of(cJSON_GetArrayItem(object, i));
}

static pm_status read_names(pm_result *r, const cJSON *object, const cJSON *metrics)
{
    for (r->epoch_metric_count = 0; r->epoch_metric_count < PM_MIN(cJSON_GetArraySize(metrics), PM_MAX_EPOCH_METRICS); r->epoch_metric_count++) {
        const char *name = cJSON_GetArrayItem(metrics, r->epoch_metric_count)->string;
        r->epoch_metric[r->epoch_metric_count] = pm_strdup(r, name ? name : "");
        PM_CHECK_ALLOC(r->epoch_metric[r->epoch_metric_count]);
    }
    for (r->loss_count = 0; r->loss_count < PM_MIN(cJSON_GetArraySize(object), PM_MAX_LOSSES); r->loss_count++) {
        const char *name = cJSON_GetArrayItem(object, r->loss_count)->string;
        r->loss_name[r->loss_count] = name ? pm_strdup(r, name) : pm_sprintf(r, "loss %d", r->loss_count + 1);
        PM_CHECK_ALLOC(r->loss_name[r->loss_count]);
    }
    return PM_OK;
}

// *good: whether it is the line of an epoch.
static pm_status parse_epoch(pm_result *r, const char *path, const char *line, size_t length, pm_epoch_log *e, bool *good)
{
    pm_json *json;
    *good = false;
    pm_status st = pm_json_parse(r, path, line, (int64_t)length, &json);
    if (st != PM_OK) return st == PM_ERR_FORMAT ? PM_OK : st;
    const cJSON *o = json->root;
    const double epoch = number_of(cJSON_GetObjectItemCaseSensitive(o, "epoch")), steps = number_of(cJSON_GetObjectItemCaseSensitive(o, "steps")),
                 phase = number_of(cJSON_GetObjectItemCaseSensitive(o, "phase"));
    *good = epoch >= 0 && epoch < 1e15 && steps >= 0 && steps < 1e15 && phase >= 0 && phase < PM_MAX_PHASES;
    if (*good) {
        *e = (pm_epoch_log){ .epoch = (int64_t)epoch, .steps = (int64_t)steps, .phase = (int)phase,
                             .validation = number_of(cJSON_GetObjectItemCaseSensitive(o, "validation")),
                             .seconds = number_of(cJSON_GetObjectItemCaseSensitive(o, "seconds")) };
        read_values(cJSON_GetObjectItemCaseSensitive(o, "loss"), e->loss, PM_MAX_LOSSES);
        read_values(cJSON_GetObjectItemCaseSensitive(o, "schedule"), e->schedule, PM_MAX_SCHEDULE);
        read_values(cJSON_GetObjectItemCaseSensitive(o, "metrics"), e->metrics, PM_MAX_EPOCH_METRICS);
        if (r->epoch_count == 0) st = read_names(r, cJSON_GetObjectItemCaseSensitive(o, "loss"), cJSON_GetObjectItemCaseSensitive(o, "metrics"));
    }
    pm_free(json);
    return st;
}

// The epochs of the whole lines of text, up to the first that is none: *bad is its number, 0 where there is none such.
static pm_status parse_lines(pm_result *r, const char *path, char *text, int *capacity, int *bad)
{
    int lines = 0;
    for (const char *at = text; *at; at++) lines += *at == '\n';
    *bad = r->epoch_count = 0;
    *capacity = PM_MAX(lines, 1);
    r->epoch_log = pm_new_array(r, pm_epoch_log, *capacity);
    PM_CHECK_ALLOC(r->epoch_log);
    for (char *at = text; r->epoch_count < lines;) {
        char *end = strchr(at, '\n');
        bool good;
        PM_TRY(parse_epoch(r, path, at, (size_t)(end - at), &r->epoch_log[r->epoch_count], &good));
        if (!good) {
            *bad = r->epoch_count + 1;
            return PM_OK;
        }
        r->epoch_count++;
        at = end + 1;
    }
    return PM_OK;
}

pm_status pm_run_peek_epochs(pm_result *r, const char *run)
{
    char *text = NULL, *path = log_path(r, run);
    int64_t length;
    int capacity, bad;
    PM_CHECK_ALLOC(path);
    pm_status st = pm_file_exists(path) ? pm_file_read(r, path, LOG_LIMIT, &text, &length) : PM_OK;
    if (st == PM_OK && text) st = parse_lines(r, path, text, &capacity, &bad);
    pm_free(text);
    pm_free(path);
    return st;
}

pm_status pm_run_load_epochs(pm_trainer *t, const char *run, int64_t size)
{
    pm_run_log *log = NULL;
    char *text = NULL;
    int64_t length;
    int bad = 0;
    char *path = log_path(t->result, run);
    PM_CHECK_ALLOC(path);
    pm_status st = pm_run_log_open(t->result, path, size, &log);
    pm_free(log);
    if (st == PM_OK) st = pm_file_read(t->result, path, LOG_LIMIT, &text, &length);
    if (st == PM_OK) st = parse_lines(t->result, path, text, &t->log_capacity, &bad);
    if (st == PM_OK && bad) st = pm_fail(t->result, PM_ERR_FORMAT, "%s:%d: no line of a training log", path, bad);
    pm_free(text);
    pm_free(path);
    return st;
}
