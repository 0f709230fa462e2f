// config.json. One table says how the fields of a pm_spec are called; writing and reading both walk it.
#include "train/runfiles.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "data/fields.h"
#include "train/json.h"

enum { FORMAT_VERSION = 1, SIZE_LIMIT = 16 << 20, MAX_SETTINGS = 100000 };

typedef enum kind { TEXT, FLAG, INTEGER, SHORT_INTEGER, SEED, REAL, TIES, SETTINGS, ORIGINS } kind;

typedef struct field {
    const char *group, *name;    // the object it is in, NULL: the outermost
    kind        kind;
    size_t      offset;
} field;

#define FIELD(name, kind) { NULL, #name, kind, offsetof(pm_spec, name) }
#define INNER(group, name, kind) { #group, #name, kind, offsetof(pm_spec, group) + offsetof(pm_##group##_params, name) }
static const field fields[] = {
    FIELD(model, TEXT),
    FIELD(preset, TEXT),
    FIELD(settings, SETTINGS),
    FIELD(data, TEXT),
    INNER(read, format, TEXT),
    INNER(read, columns, TEXT),
    INNER(read, skip_bad_lines, FLAG),
    INNER(read, max_ids, INTEGER),
    INNER(filter, has_min_rating, FLAG),
    INNER(filter, has_rating_above, FLAG),
    INNER(filter, min_rating, REAL),
    INNER(filter, rating_above, REAL),
    INNER(filter, min_item, INTEGER),
    INNER(filter, min_user, INTEGER),
    INNER(filter, until_stable, FLAG),
    INNER(filter, binarize, FLAG),
    FIELD(update, TEXT),
    INNER(synth, users, INTEGER),
    INNER(synth, items, INTEGER),
    INNER(synth, interactions, INTEGER),
    INNER(synth, clusters, SHORT_INTEGER),
    INNER(synth, seed, SEED),
    INNER(synth, ratings, FLAG),
    INNER(split, protocol, TEXT),
    INNER(split, seed, SEED),
    INNER(split, held_out, INTEGER),
    INNER(split, held_out_share, REAL),
    INNER(split, fold_out, REAL),
    INNER(split, test_share, REAL),
    INNER(split, valid_share, REAL),
    INNER(split, test_days, INTEGER),
    INNER(split, test_from, TEXT),
    INNER(split, negatives, INTEGER),
    INNER(split, validation, TEXT),
    INNER(split, has_relevant, FLAG),
    INNER(split, relevant, REAL),
    INNER(split, folds, INTEGER),
    INNER(split, fold, INTEGER),
    INNER(rating, has_range, FLAG),
    INNER(rating, lo, REAL),
    INNER(rating, hi, REAL),
    INNER(rating, clip, FLAG),
    FIELD(device, TEXT),
    FIELD(seed, SEED),
    FIELD(split_seed_given, FLAG),
    FIELD(epochs, INTEGER),
    FIELD(metrics, TEXT),
    FIELD(select, TEXT),
    FIELD(patience, INTEGER),
    FIELD(validate_every, INTEGER),
    FIELD(save_every, REAL),
    FIELD(refit, FLAG),
    FIELD(legacy_test_selection, FLAG),
    FIELD(fixed_length, FLAG),
    FIELD(ties, TIES),
    FIELD(repeats, INTEGER),
    FIELD(repeat, INTEGER),
    FIELD(candidates, TEXT),
    FIELD(pretrained, ORIGINS),
};

static const int64_t exact_limit = INT64_C(1) << 53;

// "split.seed", for messages.
typedef struct label {
    char text[64];
} label;

static label label_of(const field *f)
{
    label l;
    snprintf(l.text, sizeof l.text, "%s%s%s", f->group ? f->group : "", f->group ? "." : "", f->name);
    return l;
}

// ---- writing -------------------------------------------------------------------------------------------------------

static pm_status no_memory(const void *object)
{
    return pm_fail(object, PM_ERR_NOMEM, "no memory for the configuration");
}

static pm_status check_text(const void *object, const field *f, const char *text)
{
    PM_REQUIRE(object, !text || pm_is_utf8(text, strlen(text)), PM_ERR_ARG,
               "%s: is not UTF-8 and cannot be kept in a run's config.json", label_of(f).text);
    return PM_OK;
}

static pm_status add_settings(const void *object, const field *f, const pm_spec *spec, cJSON *to)
{
    cJSON *array = cJSON_AddArrayToObject(to, f->name);
    if (!array) return no_memory(object);
    for (int i = 0; i < spec->setting_count; i++) {
        PM_TRY(check_text(object, f, spec->settings[i]));
        cJSON *text = cJSON_CreateString(spec->settings[i]);
        if (!text) return no_memory(object);
        cJSON_AddItemToArray(array, text);
    }
    return PM_OK;
}

static const char *const origin_keys[] = { "name", "run", "hash" };

// Left out where there are none.
static pm_status add_origins(const void *object, const field *f, const pm_spec *spec, cJSON *to)
{
    cJSON *array = spec->pretrained_count ? cJSON_AddArrayToObject(to, f->name) : NULL;
    for (int i = 0; i < spec->pretrained_count; i++) {
        const pm_pretrained *p = &spec->pretrained[i];
        const char *const texts[] = { p->name, p->run, p->hash };
        cJSON *origin = cJSON_CreateObject();
        if (!origin || !array || !cJSON_AddItemToArray(array, origin)) {
            cJSON_Delete(origin);
            return no_memory(object);
        }
        for (int k = 0; k < PM_COUNT(texts); k++) {
            PM_TRY(check_text(object, f, texts[k]));
            if (!(texts[k] ? cJSON_AddStringToObject(origin, origin_keys[k], texts[k]) : cJSON_AddNullToObject(origin, origin_keys[k]))) return no_memory(object);
        }
    }
    return PM_OK;
}

static bool add_seed(cJSON *to, const char *name, uint64_t seed)
{
    char digits[24];
    if (seed <= (uint64_t)exact_limit) return pm_json_add_integer(to, name, (int64_t)seed);
    snprintf(digits, sizeof digits, "%" PRIu64, seed);
    return cJSON_AddStringToObject(to, name, digits) != NULL;
}

static pm_status add_integer(const void *object, const field *f, int64_t value, cJSON *to)
{
    PM_REQUIRE(object, value >= 0 && value <= exact_limit, PM_ERR_ARG, "%s: %" PRId64 " is not within 0 … 2^53",
               label_of(f).text, value);
    return pm_json_add_integer(to, f->name, value) ? PM_OK : no_memory(object);
}

static pm_status add_field(const void *object, const field *f, const pm_spec *spec, cJSON *to)
{
    const void *at = (const char *)spec + f->offset;
    const char *text = f->kind == TEXT ? *(const char *const *)at : NULL;
    bool added = false;
    switch (f->kind) {
    case TEXT:
        PM_TRY(check_text(object, f, text));
        added = text ? cJSON_AddStringToObject(to, f->name, text) != NULL : cJSON_AddNullToObject(to, f->name) != NULL;
        break;
    case FLAG: added = cJSON_AddBoolToObject(to, f->name, *(const bool *)at) != NULL; break;
    case INTEGER: return add_integer(object, f, *(const int64_t *)at, to);
    case SHORT_INTEGER: return add_integer(object, f, *(const int *)at, to);
    case SEED: added = add_seed(to, f->name, *(const uint64_t *)at); break;
    case REAL:
        PM_REQUIRE(object, isfinite(*(const double *)at), PM_ERR_ARG, "%s: is not a finite number", label_of(f).text);
        added = pm_json_add_real(to, f->name, *(const double *)at);
        break;
    case TIES:
        PM_REQUIRE(object, pm_ties_name(spec->ties), PM_ERR_ARG, "ties: %d is none of the rules", (int)spec->ties);
        added = cJSON_AddStringToObject(to, f->name, pm_ties_name(spec->ties)) != NULL;
        break;
    case SETTINGS: return add_settings(object, f, spec, to);
    case ORIGINS: return add_origins(object, f, spec, to);
    }
    return added ? PM_OK : no_memory(object);
}

static pm_status add_fields(pm_json *json, const pm_spec *spec)
{
    if (!pm_json_add_integer(json->root, "format", FORMAT_VERSION)) return no_memory(json);
    for (int i = 0; i < PM_COUNT(fields); i++) {
        cJSON *to = json->root;
        if (fields[i].group) {
            to = cJSON_GetObjectItemCaseSensitive(json->root, fields[i].group);
            if (!to) to = cJSON_AddObjectToObject(json->root, fields[i].group);
            if (!to) return no_memory(json);
        }
        PM_TRY(add_field(json, &fields[i], spec, to));
    }
    return PM_OK;
}

pm_status pm_spec_text(const void *parent, const pm_spec *spec, char **text)
{
    *text = NULL;
    PM_REQUIRE(parent, spec->model, PM_ERR_ARG, "model: is missing");
    pm_json *json;
    PM_TRY(pm_json_create(parent, &json));
    pm_status st = add_fields(json, spec);
    if (st == PM_OK) st = pm_json_print(parent, json, true, text);
    pm_free(json);
    return st;
}

pm_status pm_spec_write(const void *parent, const char *path, const pm_spec *spec)
{
    char *text;
    PM_TRY(pm_spec_text(parent, spec, &text));
    const pm_status st = pm_file_write_text(parent, path, text);
    pm_free(text);
    return st;
}

// ---- reading -------------------------------------------------------------------------------------------------------

static pm_status wrong(const pm_spec *spec, const char *path, const field *f, const char *wanted)
{
    return pm_fail(spec, PM_ERR_FORMAT, "%s: '%s' is not %s", path, label_of(f).text, wanted);
}

static pm_status read_text(const pm_spec *spec, const char *path, const field *f, const cJSON *value, const char **out)
{
    if (cJSON_IsNull(value)) return PM_OK;
    if (!cJSON_IsString(value)) return wrong(spec, path, f, "a string or null");
    *out = pm_strdup(spec, value->valuestring);
    PM_CHECK_ALLOC(*out);
    return PM_OK;
}

static pm_status read_settings(pm_spec *spec, const char *path, const field *f, const cJSON *value)
{
    const int n = cJSON_IsArray(value) ? cJSON_GetArraySize(value) : MAX_SETTINGS + 1;
    if (n > MAX_SETTINGS) return wrong(spec, path, f, "an array of strings");
    const char **settings = pm_new_array(spec, const char *, n);
    PM_CHECK_ALLOC(settings);
    for (const cJSON *s = value->child; s; s = s->next) {
        if (!cJSON_IsString(s)) return wrong(spec, path, f, "an array of strings");
        settings[spec->setting_count] = pm_strdup(spec, s->valuestring);
        PM_CHECK_ALLOC(settings[spec->setting_count]);
        spec->setting_count++;
    }
    spec->settings = settings;
    return PM_OK;
}

static pm_status read_origins(pm_spec *spec, const char *path, const field *f, const cJSON *value)
{
    const int n = cJSON_IsArray(value) ? cJSON_GetArraySize(value) : PM_MAX_ORIGINS + 1;
    if (n > PM_MAX_ORIGINS) return wrong(spec, path, f, "a list of runs");
    pm_pretrained *origins = pm_new_array(spec, pm_pretrained, n);
    PM_CHECK_ALLOC(origins);
    for (const cJSON *o = value->child; o; o = o->next) {
        const char *texts[3] = { NULL };
        for (const cJSON *v = o->child; v; v = v->next) {
            int k = 0;
            while (k < PM_COUNT(origin_keys) && strcmp(v->string ? v->string : "", origin_keys[k]) != 0) k++;
            if (k == PM_COUNT(origin_keys)) return wrong(spec, path, f, "a list of runs, of name, run and hash");
            PM_TRY(read_text(spec, path, f, v, &texts[k]));
        }
        if (!texts[0] || !texts[1]) return wrong(spec, path, f, "a list of runs, each with its name and run");
        origins[spec->pretrained_count++] = (pm_pretrained){ texts[0], texts[1], texts[2] };
    }
    spec->pretrained = origins;
    return PM_OK;
}

// A number up to 2⁵³, or its digits in a string.
static bool read_seed(const cJSON *value, uint64_t *out)
{
    int64_t small;
    if (pm_json_integer(value, 0, exact_limit, &small)) {
        *out = (uint64_t)small;
        return true;
    }
    const char *text = cJSON_GetStringValue(value);
    if (!text || !*text) return false;
    uint64_t seed = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        const unsigned digit = (unsigned)(*text - '0');
        if (seed > (UINT64_MAX - digit) / 10) return false;
        seed = seed * 10 + digit;
    }
    *out = seed;
    return true;
}

static pm_status read_ties(pm_spec *spec, const char *path, const field *f, const cJSON *value)
{
    const char *name = cJSON_GetStringValue(value);
    for (int i = 0; name && pm_ties_name((pm_ties)i); i++) {
        if (strcmp(name, pm_ties_name((pm_ties)i)) != 0) continue;
        spec->ties = (pm_ties)i;
        return PM_OK;
    }
    return wrong(spec, path, f, "one of expected, optimistic, pessimistic, id");
}

static pm_status read_field(pm_spec *spec, const char *path, const field *f, const cJSON *value)
{
    void *at = (char *)spec + f->offset;
    int64_t integer = 0;
    switch (f->kind) {
    case TEXT: return read_text(spec, path, f, value, at);
    case FLAG:
        if (!cJSON_IsBool(value)) return wrong(spec, path, f, "true or false");
        *(bool *)at = cJSON_IsTrue(value);
        return PM_OK;
    case INTEGER:
        return pm_json_integer(value, 0, exact_limit, at) ? PM_OK : wrong(spec, path, f, "a whole number from 0 to 2^53");
    case SHORT_INTEGER:
        if (!pm_json_integer(value, 0, INT32_MAX, &integer))
            return wrong(spec, path, f, "a whole number from 0 to 2147483647");
        *(int *)at = (int)integer;
        return PM_OK;
    case SEED:
        return read_seed(value, at) ? PM_OK
                                    : wrong(spec, path, f, "a whole number from 0 to 2^64 - 1, as a string above 2^53");
    case REAL:
        if (!cJSON_IsNumber(value) || !isfinite(value->valuedouble)) return wrong(spec, path, f, "a finite number");
        *(double *)at = value->valuedouble;
        return PM_OK;
    case TIES: return read_ties(spec, path, f, value);
    case SETTINGS: return read_settings(spec, path, f, value);
    case ORIGINS: return read_origins(spec, path, f, value);
    }
    return PM_OK;
}

static const field *find_field(const char *group, const char *name)
{
    for (int i = 0; i < PM_COUNT(fields); i++)
        if (strcmp(fields[i].group ? fields[i].group : "", group) == 0 && strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static bool is_group(const char *name)
{
    for (int i = 0; i < PM_COUNT(fields); i++)
        if (fields[i].group && strcmp(fields[i].group, name) == 0) return true;
    return false;
}

static pm_status unknown_key(const pm_spec *spec, const char *path, const char *group, const char *name)
{
    const char *names[2 * PM_COUNT(fields)];
    int n = 0;
    for (int i = 0; i < PM_COUNT(fields); i++) {
        const char *in = fields[i].group ? fields[i].group : "";
        if (strcmp(in, group) == 0) names[n++] = fields[i].name;
        else if (!*group) names[n++] = in;
    }
    const char *nearest = pm_nearest_name(name, names, n);
    return pm_fail(spec, PM_ERR_FORMAT, "%s: unknown key '%s%s%.100s'%s%s%s", path, group, *group ? "." : "", name,
                   nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static pm_status read_object(pm_spec *spec, const char *path, const char *group, const cJSON *object)
{
    for (const cJSON *value = object->child; value; value = value->next) {
        const field *f = find_field(group, value->string);
        if (f) {
            PM_TRY(read_field(spec, path, f, value));
        } else if (!*group && is_group(value->string)) {
            PM_REQUIRE(spec, cJSON_IsObject(value), PM_ERR_FORMAT, "%s: '%s' is not an object", path, value->string);
            PM_TRY(read_object(spec, path, value->string, value));
        } else if (*group || strcmp(value->string, "format") != 0) {
            return unknown_key(spec, path, group, value->string);
        }
    }
    return PM_OK;
}

static pm_status read_spec(pm_spec *spec, const char *path, const char *text, int64_t length)
{
    pm_json *json;
    int64_t version;
    PM_TRY(pm_json_parse(spec, path, text, length, &json));
    PM_REQUIRE(spec, pm_json_integer(cJSON_GetObjectItemCaseSensitive(json->root, "format"), 0, exact_limit, &version),
               PM_ERR_FORMAT, "%s: has no whole number 'format'; is it the config.json of a run?", path);
    PM_REQUIRE(spec, version == FORMAT_VERSION, PM_ERR_FORMAT, "%s: has format %" PRId64 ", this version of pumice reads %d",
               path, version, FORMAT_VERSION);
    PM_TRY(read_object(spec, path, "", json->root));
    PM_REQUIRE(spec, spec->model, PM_ERR_FORMAT, "%s: 'model' is missing", path);
    PM_REQUIRE(spec, cJSON_GetObjectItemCaseSensitive(json->root, "seed"), PM_ERR_FORMAT, "%s: 'seed' is missing", path);
    spec->read.path = spec->data;
    pm_free(json);
    return PM_OK;
}

pm_status pm_spec_parse(const void *parent, const char *path, const char *text, int64_t length, pm_spec **out)
{
    *out = NULL;
    pm_spec *spec = pm_new(parent, pm_spec);
    PM_CHECK_ALLOC(spec);
    const pm_status st = read_spec(spec, path, text, length);
    if (st == PM_OK) *out = spec;
    else pm_free(spec);
    return st;
}

pm_status pm_spec_read(const void *parent, const char *path, pm_spec **out)
{
    char *text;
    int64_t length;
    *out = NULL;
    PM_TRY(pm_file_read(parent, path, SIZE_LIMIT, &text, &length));
    const pm_status st = pm_spec_parse(parent, path, text, length, out);
    pm_free(text);
    return st;
}
