// JSON text that may be hostile: what cJSON lets pass or cannot bound is refused before it parses.
#ifndef PM_JSON_H
#define PM_JSON_H

#include <cJSON.h>

#include "core/core.h"

// A parsed document; hangs from its parent, and root goes with it.
typedef struct pm_json {
    cJSON *root;    // an object
} pm_json;

// Parses `length` bytes that must hold one JSON object and nothing but white space after it. Refused, with path and place:
// nesting deeper than 16, more than a million values, text that is not UTF-8, control characters, \u0000, keys given twice.
// Errors    PM_ERR_FORMAT, PM_ERR_NOMEM
pm_status pm_json_parse(const void *parent, const char *path, const char *text, int64_t length, pm_json **out);

// An empty object.
pm_status pm_json_create(const void *parent, pm_json **out);
// Its text, hanging from parent; indented for people where asked for.
pm_status pm_json_print(const void *parent, const pm_json *json, bool indented, char **text);

// Adding to an object; false when memory is out. Integers are exact (cJSON's own numbers are doubles).
bool pm_json_add_integer(cJSON *object, const char *key, int64_t value);
// The shortest decimal that reads back as the same double (cJSON's is off by a bit at times); null where it is not finite.
bool pm_json_add_real(cJSON *object, const char *key, double value);

// Whether the value is a whole number in [lo, hi], both within ±2⁵³.
bool pm_json_integer(const cJSON *value, int64_t lo, int64_t hi, int64_t *out);

#endif
