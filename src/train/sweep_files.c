// The folder of a sweep: sweep.json says what it is for, runs/NAME.json is a run's document, runs/NAME its run folder, test.json what
// the test part said of the winner.
#define _DEFAULT_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/file.h"
#include "train/json.h"
#include "train/runfiles.h"
#include "train/runfolder.h"
#include "train/sweep.h"

enum { FORMAT_VERSION = 1, SIZE_LIMIT = 64 << 20, DOCUMENT_LIMIT = 4 << 20 };

static pm_status no_memory(const void *object)
{
    return pm_fail(object, PM_ERR_NOMEM, "no memory for the files of the sweep");
}

static pm_status write_json(const void *object, const char *path, const pm_json *json)
{
    char *text;
    PM_TRY(pm_json_print(object, json, true, &text));
    const pm_status st = pm_file_write_text(object, path, text);
    pm_free(text);
    return st;
}

static pm_status read_json(const void *object, const char *path, int64_t limit, pm_json **out)
{
    char *text;
    int64_t length;
    PM_TRY(pm_file_read(object, path, limit, &text, &length));
    const pm_status st = pm_json_parse(object, path, text, length, out);
    pm_free(text);
    return st;
}

static void hash_text(uint64_t hash, char text[20])
{
    snprintf(text, 20, "%016" PRIx64, hash);
}

// ---- names ---------------------------------------------------------------------------------------------------------

char *pm_sweep_run_folder(const void *object, const pm_sweeper *s, int setting, int seed)
{
    return pm_sprintf(object, "%s/runs/%05d-seed%" PRIu64, s->params->folder, setting + 1, s->sweep->seeds[seed]);
}

char *pm_sweep_final_folder(const void *object, const pm_sweeper *s, int seed)
{
    return pm_sprintf(object, "%s/winner-seed%" PRIu64, s->params->folder, s->sweep->seeds[seed]);
}

static char *run_document(const void *object, const pm_sweeper *s, int setting, int seed)
{
    return pm_sprintf(object, "%s/runs/%05d-seed%" PRIu64 ".json", s->params->folder, setting + 1, s->sweep->seeds[seed]);
}

// ---- the manifest --------------------------------------------------------------------------------------------------

static bool add_texts(cJSON *array, const char *const *texts, int count)
{
    bool good = array != NULL;
    for (int i = 0; i < count && good; i++) {
        cJSON *text = cJSON_CreateString(texts[i]);
        good = text && cJSON_AddItemToArray(array, text);
    }
    return good;
}

static bool add_settings(cJSON *array, const pm_space *space)
{
    bool good = array != NULL;
    for (int i = 0; i < space->setting_count && good; i++) {
        cJSON *values = cJSON_CreateArray();
        good = values && cJSON_AddItemToArray(array, values) &&
               add_texts(values, space->values + (int64_t)i * space->parameter_count, space->parameter_count);
    }
    return good;
}

static bool add_seeds(cJSON *array, const uint64_t *seeds, int count)
{
    bool good = array != NULL;
    for (int i = 0; i < count && good; i++) {
        char digits[24];
        snprintf(digits, sizeof digits, "%" PRIu64, seeds[i]);
        cJSON *seed = cJSON_CreateString(digits);
        good = seed && cJSON_AddItemToArray(array, seed);
    }
    return good;
}

// The spec without what changes no result: where the data lie (their hash stands for them), and how often it is saved.
static pm_status add_spec(const pm_sweeper *s, pm_json *json)
{
    char *text;
    pm_spec spec = *s->spec;
    spec.data = spec.read.path = NULL;
    spec.save_every = 0;
    PM_TRY(pm_spec_text(json, &spec, &text));
    cJSON *parsed = cJSON_Parse(text);
    pm_free(text);
    return parsed && cJSON_AddItemToObject(json->root, "spec", parsed) ? PM_OK : no_memory(json);
}

static pm_status make_manifest(pm_sweeper *s, pm_json **out)
{
    char hash[20], *text;
    pm_json *json;
    PM_TRY(pm_json_create(s->sweep, &json));
    hash_text(pm_split_hash(s->split), hash);
    if (!cJSON_AddNumberToObject(json->root, "format", FORMAT_VERSION) || !cJSON_AddStringToObject(json->root, "data", hash) ||
        !add_seeds(cJSON_AddArrayToObject(json->root, "seeds"), s->sweep->seeds, s->sweep->seed_count) ||
        !cJSON_AddBoolToObject(json->root, "halving", s->params->halving) ||
        !add_texts(cJSON_AddArrayToObject(json->root, "parameters"), s->space->parameters, s->space->parameter_count) ||
        !add_settings(cJSON_AddArrayToObject(json->root, "settings"), s->space))
        return no_memory(json);
    PM_TRY(add_spec(s, json));
    PM_TRY(pm_json_print(json, json, false, &text));
    s->hash = pm_hash64(text, strlen(text), 0);
    if (s->spec->data && !cJSON_AddStringToObject(json->root, "source", s->spec->data)) return no_memory(json);
    *out = json;
    return PM_OK;
}

// "spec.epochs", the first place where two manifests differ; "" where they agree.
static void find_difference(const cJSON *a, const cJSON *b, const char *inside, char *where, size_t size)
{
    where[0] = 0;
    for (const cJSON *x = a->child; x && !*where; x = x->next) {
        if (pm_name_equal(x->string, "source")) continue;
        const cJSON *y = cJSON_GetObjectItemCaseSensitive(b, x->string);
        if (y && cJSON_IsObject(x) && cJSON_IsObject(y)) find_difference(x, y, x->string, where, size);
        else if (!y || !cJSON_Compare(x, y, true)) snprintf(where, size, "%s%s%s", inside, *inside ? "." : "", x->string);
    }
}

static pm_status check_manifest(const pm_sweeper *s, const char *path, const pm_json *mine)
{
    pm_json *theirs;
    char where[128];
    PM_TRY(read_json(s->sweep, path, SIZE_LIMIT, &theirs));
    find_difference(mine->root, theirs->root, "", where, sizeof where);
    pm_free(theirs);
    PM_REQUIRE(s->ctx, !*where, PM_ERR_ARG,
               "%s holds a sweep of another setting: it differs in %s (see its sweep.json); repeat its own command to go on with it, or "
               "name another folder", s->params->folder, pm_name_equal(where, "data") ? "the data or their split" : where);
    return PM_OK;
}

// A folder that is there must be empty or a sweep's, if only begun: nothing of anyone else's is to lie between the runs.
static pm_status check_empty(const pm_sweeper *s)
{
    DIR *dir = opendir(s->params->folder);
    bool empty = true;
    if (!dir) return PM_OK;    // not there yet, or no folder: making it will say so
    for (struct dirent *e; (e = readdir(dir));)    // .tmp: killed while it wrote its first file
        empty = empty && (e->d_name[0] == '.' || pm_name_equal(e->d_name, "runs") || pm_name_equal(e->d_name, "sweep.json.tmp"));
    closedir(dir);
    PM_REQUIRE(s->ctx, empty, PM_ERR_ARG, "%s is not empty and holds no sweep; name another folder", s->params->folder);
    return PM_OK;
}

static pm_status take_lock(pm_sweeper *s)
{
    char *path = pm_sprintf(s->sweep, "%s/.lock", s->params->folder);
    PM_CHECK_ALLOC(path);
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    PM_REQUIRE(s->ctx, s->lock >= 0, PM_ERR_IO, "%s: cannot create: %s", path, strerror(errno));
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)    // other failures: a file system without locks
        return pm_fail(s->ctx, PM_ERR_ARG, "%s: another pumice is at work in this folder", s->params->folder);
    pm_free(path);
    return PM_OK;
}

pm_status pm_sweep_open_folder(pm_sweeper *s)
{
    pm_json *mine = NULL;
    char *path = pm_sprintf(s->sweep, "%s/sweep.json", s->params->folder), *runs = pm_sprintf(s->sweep, "%s/runs", s->params->folder);
    if (!path || !runs) return PM_ERR_NOMEM;
    PM_TRY(make_manifest(s, &mine));
    const bool found = pm_file_exists(path);
    if (!found) PM_TRY(check_empty(s));
    PM_TRY(pm_make_folder(s->ctx, runs));
    PM_TRY(take_lock(s));
    PM_TRY(found ? check_manifest(s, path, mine) : write_json(s->sweep, path, mine));
    pm_free(mine);
    pm_free(path);
    pm_free(runs);
    return PM_OK;
}

// ---- documents of runs ---------------------------------------------------------------------------------------------

static bool fill_document(cJSON *d, const pm_sweeper *s, const pm_sweep_run_state *run, const char *result)
{
    char hash[20];
    hash_text(s->hash, hash);
    const char *const *values = s->space->values + (int64_t)run->setting * s->space->parameter_count;
    cJSON *setting, *scores;
    bool good = cJSON_AddStringToObject(d, "sweep", hash) && (setting = cJSON_AddObjectToObject(d, "setting"));
    for (int i = 0; i < s->space->parameter_count && good; i++)
        good = cJSON_AddStringToObject(setting, s->space->parameters[i], values[i]) != NULL;
    if (!good || !pm_json_add_integer(d, "rungs", run->rungs) || !cJSON_AddBoolToObject(d, "finished", run->finished) ||
        !(scores = cJSON_AddArrayToObject(d, "values")))
        return false;
    for (int i = 0; i < run->rungs && good; i++) {
        cJSON *value = isfinite(run->value[i]) ? cJSON_CreateNumber(run->value[i]) : cJSON_CreateNull();
        good = value && cJSON_AddItemToArray(scores, value);
    }
    return good && pm_json_add_integer(d, "best_epoch", run->best_epoch) && pm_json_add_integer(d, "epochs", run->epochs) &&
           pm_json_add_real(d, "seconds", run->seconds) && (!(run->ci95 > 0) || pm_json_add_real(d, "ci95", run->ci95)) && (!*run->failed || cJSON_AddStringToObject(d, "failed", run->failed)) &&
           (!result || cJSON_AddRawToObject(d, "result", result));
}

pm_status pm_sweep_write_run(const void *object, const pm_sweeper *s, const pm_sweep_run_state *run, const char *result)
{
    pm_json *json = NULL;
    char *path = run_document(object, s, run->setting, run->seed);
    PM_CHECK_ALLOC(path);
    pm_status st = pm_json_create(object, &json);
    if (st == PM_OK && !fill_document(json->root, s, run, result)) st = no_memory(object);
    if (st == PM_OK) st = write_json(object, path, json);
    pm_free(json);
    pm_free(path);
    return st;
}

static bool read_integer(const cJSON *object, const char *key, int64_t hi, int64_t *out)
{
    return pm_json_integer(cJSON_GetObjectItemCaseSensitive(object, key), 0, hi, out);
}

static bool is_ours(const pm_sweeper *s, const cJSON *d)
{
    char hash[20];
    hash_text(s->hash, hash);
    const char *theirs = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(d, "sweep"));
    return theirs && pm_name_equal(theirs, hash);
}

static bool parse_document(const cJSON *d, pm_sweep_run_state *run)
{
    int64_t rungs;
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(d, "values"), *seconds = cJSON_GetObjectItemCaseSensitive(d, "seconds"),
                *finished = cJSON_GetObjectItemCaseSensitive(d, "finished");
    const char *failed = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(d, "failed"));
    if (!read_integer(d, "rungs", PM_SWEEP_RUNGS, &rungs) || !read_integer(d, "best_epoch", INT64_C(1) << 53, &run->best_epoch) ||
        !read_integer(d, "epochs", INT64_C(1) << 53, &run->epochs) || !cJSON_IsArray(values) || cJSON_GetArraySize(values) != rungs ||
        !cJSON_IsNumber(seconds) || !cJSON_IsBool(finished))
        return false;
    run->rungs = (int)rungs;
    run->finished = cJSON_IsTrue(finished);
    run->seconds = seconds->valuedouble;
    const cJSON *ci95 = cJSON_GetObjectItemCaseSensitive(d, "ci95");
    run->ci95 = cJSON_IsNumber(ci95) && ci95->valuedouble > 0 ? ci95->valuedouble : 0;
    for (int i = 0; i < run->rungs; i++) {
        const cJSON *value = cJSON_GetArrayItem(values, i);
        run->value[i] = cJSON_IsNumber(value) ? value->valuedouble : NAN;
    }
    if (failed) snprintf(run->failed, sizeof run->failed, "%s", *failed ? failed : "no reason is given");
    return true;
}

static pm_status read_run(const pm_sweeper *s, pm_sweep_run_state *run)
{
    pm_json *json = NULL;
    char *path = run_document(s->sweep, s, run->setting, run->seed);
    PM_CHECK_ALLOC(path);
    if (!pm_file_exists(path)) {
        pm_free(path);
        return PM_OK;
    }
    PM_TRY(read_json(s->sweep, path, DOCUMENT_LIMIT, &json));
    PM_REQUIRE(s->ctx, is_ours(s, json->root), PM_ERR_FORMAT, "%s: is the document of another sweep; remove it, or name another folder", path);
    PM_REQUIRE(s->ctx, parse_document(json->root, run), PM_ERR_FORMAT, "%s: is damaged; remove it, and the run is done again", path);
    run->found = run->finished;
    pm_free(json);
    pm_free(path);
    return PM_OK;
}

pm_status pm_sweep_read_runs(pm_sweeper *s)
{
    for (int i = 0; i < s->space->setting_count * s->sweep->seed_count; i++) PM_TRY(read_run(s, &s->runs[i]));
    return PM_OK;
}

void pm_sweep_strip_run(const pm_sweeper *s, int setting, int seed)
{
    static const char *const names[] = { "checkpoint.safetensors", "best.safetensors", "items.tsv", "users.tsv" };
    char *folder = pm_sweep_run_folder(s->sweep, s, setting, seed);
    for (int i = 0; folder && i < PM_COUNT(names); i++) {
        char *path = pm_sprintf(folder, "%s/%s", folder, names[i]);
        if (path) unlink(path);
    }
    pm_free(folder);
}

// The checkpoint comes last: without it the run would be trained from the start, to the same bits.
pm_status pm_sweep_begin_refit(const pm_sweeper *s, int seed)
{
    static const char *const names[] = { "metrics.jsonl", "best.safetensors", "checkpoint.safetensors" };
    const char *folder = s->sweep->winner_runs[seed];
    pm_spec *spec;
    char *trained = pm_sweep_run_folder(s->sweep, s, s->sweep->winner, seed), *config = trained ? pm_sprintf(trained, "%s/config.json", folder) : NULL;
    pm_status st = config ? PM_OK : PM_ERR_NOMEM;
    if (st == PM_OK && !pm_file_exists(config)) {
        st = pm_run_read_spec(trained, trained, &spec);
        if (st == PM_OK) {
            spec->refit = true;
            st = pm_run_begin(s->sweep, folder, spec);
        }
        if (st == PM_OK) st = pm_run_save_maps(s->sweep, folder, s->split);
        for (int i = 0; i < PM_COUNT(names) && st == PM_OK; i++) {
            char *from = pm_sprintf(trained, "%s/%s", trained, names[i]), *to = pm_sprintf(trained, "%s/%s", folder, names[i]);
            st = from && to ? pm_file_copy(s->sweep, from, to) : PM_ERR_NOMEM;
        }
    }
    pm_free(trained);
    return st;
}

// ---- the test part -------------------------------------------------------------------------------------------------

static bool add_metric(cJSON *to, const pm_sweep_metric *m, int seeds)
{
    cJSON *one = cJSON_AddObjectToObject(to, m->mean.name), *each;
    bool good = one && pm_json_add_real(one, "mean", m->mean.mean) && pm_json_add_real(one, "se", m->mean.se) &&
                pm_json_add_real(one, "ci95", m->mean.ci95) && pm_json_add_integer(one, "n", m->mean.n) && pm_json_add_real(one, "sd", m->sd) &&
                (each = cJSON_AddArrayToObject(one, "seeds"));
    for (int i = 0; i < seeds && good; i++) {
        cJSON *value = isfinite(m->seed[i]) ? cJSON_CreateNumber(m->seed[i]) : cJSON_CreateNull();
        good = value && cJSON_AddItemToArray(each, value);
    }
    return good;
}

bool pm_sweep_add_metrics(cJSON *to, const pm_sweep *sweep)
{
    cJSON *metrics = cJSON_AddObjectToObject(to, "metrics");
    bool good = metrics != NULL;
    for (int i = 0; i < sweep->metric_count && good; i++) good = add_metric(metrics, &sweep->metrics[i], sweep->seed_count);
    return good;
}

pm_status pm_sweep_write_test(const pm_sweeper *s)
{
    char hash[20];
    pm_json *json = NULL;
    char *path = pm_sprintf(s->sweep, "%s/test.json", s->params->folder);
    PM_CHECK_ALLOC(path);
    hash_text(s->hash, hash);
    pm_status st = pm_json_create(s->sweep, &json);
    if (st == PM_OK && (!cJSON_AddStringToObject(json->root, "sweep", hash) || !pm_json_add_integer(json->root, "winner", s->sweep->winner) ||
                        !pm_sweep_add_metrics(json->root, s->sweep)))
        st = no_memory(s->sweep);
    if (st == PM_OK) st = write_json(s->sweep, path, json);
    pm_free(json);
    pm_free(path);
    return st;
}

static double real_of(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

static pm_status parse_test(pm_sweep *sweep, const cJSON *metrics, bool *good)
{
    sweep->metric_count = 0;
    sweep->metrics = pm_new_array(sweep, pm_sweep_metric, PM_MAX(cJSON_GetArraySize(metrics), 1));
    PM_CHECK_ALLOC(sweep->metrics);
    for (const cJSON *one = metrics->child; one; one = one->next) {
        const cJSON *seeds = cJSON_GetObjectItemCaseSensitive(one, "seeds");
        pm_sweep_metric *m = &sweep->metrics[sweep->metric_count++];
        *good = *good && cJSON_GetArraySize(seeds) == sweep->seed_count && strlen(one->string) < sizeof m->mean.name;
        if (!*good) return PM_OK;
        m->seed = pm_new_array(sweep, double, sweep->seed_count);
        PM_CHECK_ALLOC(m->seed);
        snprintf(m->mean.name, sizeof m->mean.name, "%s", one->string);
        m->mean.mean = real_of(one, "mean");
        m->mean.se = real_of(one, "se");
        m->mean.ci95 = real_of(one, "ci95");
        m->sd = real_of(one, "sd");
        *good = read_integer(one, "n", INT64_C(1) << 53, &m->mean.n);
        for (int i = 0; i < sweep->seed_count; i++) {
            const cJSON *value = cJSON_GetArrayItem(seeds, i);
            m->seed[i] = cJSON_IsNumber(value) ? value->valuedouble : NAN;
        }
    }
    return PM_OK;
}

pm_status pm_sweep_read_test(pm_sweeper *s, bool *found)
{
    pm_json *json = NULL;
    int64_t winner;
    *found = false;
    char *path = pm_sprintf(s->sweep, "%s/test.json", s->params->folder);
    PM_CHECK_ALLOC(path);
    if (!pm_file_exists(path)) return PM_OK;
    PM_TRY(read_json(s->sweep, path, DOCUMENT_LIMIT, &json));
    const cJSON *metrics = cJSON_GetObjectItemCaseSensitive(json->root, "metrics");
    bool good = is_ours(s, json->root) && read_integer(json->root, "winner", s->space->setting_count - 1, &winner) &&
                winner == s->sweep->winner && cJSON_IsObject(metrics);
    pm_status st = good ? parse_test(s->sweep, metrics, &good) : PM_OK;
    if (st == PM_OK && !good)
        st = pm_fail(s->ctx, PM_ERR_FORMAT, "%s: is damaged, or of another sweep; remove it, and the test is done again", path);
    *found = st == PM_OK;
    pm_free(json);
    pm_free(path);
    return st;
}
