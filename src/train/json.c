#include "train/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/fields.h"

enum { DEPTH_LIMIT = 16, VALUE_LIMIT = 1000000 };

static void delete_root(void *ptr)
{
    cJSON_Delete(((pm_json *)ptr)->root);
}

static pm_status refuse(const void *object, const char *path, int64_t at, const char *reason)
{
    return pm_fail(object, PM_ERR_FORMAT, "%s: %s, at byte %" PRId64 " of its JSON", path, reason, at);
}

// Bounds the depth and number of values: a value takes cJSON 64 bytes and a level of nesting a stack frame.
static pm_status check_text(const void *object, const char *path, const char *text, int64_t length)
{
    int depth = 0, values = 0;
    bool quoted = false;
    for (int64_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < 0x20 && (quoted || !(c == '\n' || c == '\r' || c == '\t')))
            return refuse(object, path, i, "a control character");
        if (quoted) {
            if (c == '\\' && i + 5 < length && memcmp(text + i + 1, "u0000", 5) == 0)
                return refuse(object, path, i, "a zero character");
            if (c == '\\') i++;
            else if (c == '"') quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH_LIMIT) return refuse(object, path, i, "nested too deeply");
            values++;
        } else if (c == '}' || c == ']') {
            depth--;
        } else if (c == ',' && ++values > VALUE_LIMIT) {
            return refuse(object, path, i, "more than a million values");
        }
    }
    PM_REQUIRE(object, pm_is_utf8(text, (size_t)length), PM_ERR_FORMAT, "%s: its JSON is not UTF-8", path);
    return PM_OK;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Keys of every object; depth is bounded by check_text.
static pm_status check_keys(const void *parent, const char *path, const cJSON *value)
{
    const int64_t count = cJSON_GetArraySize(value);
    const char **keys = cJSON_IsObject(value) ? pm_new_array(parent, const char *, count) : NULL;
    if (cJSON_IsObject(value) && !keys) return PM_ERR_NOMEM;
    int64_t n = 0;
    pm_status st = PM_OK;
    for (const cJSON *child = value->child; child && st == PM_OK; child = child->next) {
        if (keys) keys[n++] = child->string;
        if (child->child) st = check_keys(parent, path, child);
    }
    if (keys && st == PM_OK) qsort(keys, (size_t)n, sizeof *keys, compare_keys);
    for (int64_t i = 1; keys && i < n && st == PM_OK; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            st = pm_fail(parent, PM_ERR_FORMAT, "%s: the key '%.100s' is given twice in its JSON", path, keys[i]);
    pm_free(keys);
    return st;
}

static pm_status parse(pm_json *json, const char *path, const char *text, int64_t length)
{
    PM_TRY(check_text(json, path, text, length));
    const char *end = text;
    errno = 0;    // cJSON does not tell running out of memory from bad text; malloc does
    json->root = cJSON_ParseWithLengthOpts(text, (size_t)length, &end, 0);
    if (!json->root && errno == ENOMEM) return pm_fail(json, PM_ERR_NOMEM, "%s: no memory for its JSON", path);
    if (!json->root) return refuse(json, path, end - text, "not valid JSON");
    while (end < text + length && strchr(" \t\r\n", *end)) end++;
    if (end != text + length) return refuse(json, path, end - text, "something after the end");
    PM_REQUIRE(json, cJSON_IsObject(json->root), PM_ERR_FORMAT, "%s: its JSON is not an object", path);
    return check_keys(json, path, json->root);
}

pm_status pm_json_parse(const void *parent, const char *path, const char *text, int64_t length, pm_json **out)
{
    *out = NULL;
    pm_json *json = pm_new(parent, pm_json);
    PM_CHECK_ALLOC(json);
    pm_set_destructor(json, delete_root);
    const pm_status st = parse(json, path, text, length);
    if (st == PM_OK) *out = json;
    else pm_free(json);
    return st;
}

pm_status pm_json_create(const void *parent, pm_json **out)
{
    *out = NULL;
    pm_json *json = pm_new(parent, pm_json);
    PM_CHECK_ALLOC(json);
    pm_set_destructor(json, delete_root);
    json->root = cJSON_CreateObject();
    if (!json->root) {
        pm_free(json);
        return pm_fail(parent, PM_ERR_NOMEM, "no memory for JSON");
    }
    *out = json;
    return PM_OK;
}

pm_status pm_json_print(const void *parent, const pm_json *json, bool indented, char **text)
{
    char *printed = cJSON_PrintBuffered(json->root, 4096, indented);
    *text = printed ? pm_strdup(parent, printed) : NULL;
    if (!printed) pm_fail(parent, PM_ERR_NOMEM, "no memory for JSON");
    cJSON_free(printed);
    return *text ? PM_OK : PM_ERR_NOMEM;
}

bool pm_json_add_integer(cJSON *object, const char *key, int64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, value);
    return cJSON_AddRawToObject(object, key, digits) != NULL;
}

bool pm_json_add_real(cJSON *object, const char *key, double value)
{
    char text[40];
    if (!isfinite(value)) return cJSON_AddNullToObject(object, key) != NULL;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    for (char *c = text; *c; c++)
        if (!strchr("0123456789+-e", *c)) *c = '.';    // the locale may have another point
    return cJSON_AddRawToObject(object, key, text) != NULL;
}

bool pm_json_integer(const cJSON *value, int64_t lo, int64_t hi, int64_t *out)
{
    if (!cJSON_IsNumber(value)) return false;
    const double v = value->valuedouble;
    if (!(fabs(v) <= 9007199254740992.0) || v != floor(v) || v < (double)lo || v > (double)hi) return false;
    *out = (int64_t)v;
    return true;
}
