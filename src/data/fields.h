// Fields of a line and the numbers in them; independent of the locale.
#ifndef PM_DATA_FIELDS_H
#define PM_DATA_FIELDS_H

#include "core/core.h"

typedef enum pm_delimiter {
    PM_DELIM_NONE,
    PM_DELIM_COLONS,
    PM_DELIM_TAB,
    PM_DELIM_COMMA,
    PM_DELIM_SEMICOLON,
    PM_DELIM_SPACE
} pm_delimiter;

enum { PM_FIELD_LIMIT = 1024 };    // fields beyond it are counted, not kept

typedef struct pm_field {
    char  *text;    // zero-terminated, unquoted
    size_t length;
} pm_field;

// The delimiter a line seems to use: the first of :: tab , ; space that is in it.
pm_delimiter pm_delimiter_of(const char *line);
const char *pm_delimiter_name(pm_delimiter delimiter);
// Cuts a line in place. Fields in double quotes may hold the delimiter and doubled quotes (not with :: or space). Runs of
// spaces count as one. Returns the number of fields, −1 for a quote that is not closed or goes on after its end.
int pm_split_fields(char *line, size_t length, pm_delimiter delimiter, pm_field *fields);

// A decimal number with optional sign, fraction, exponent and spaces round it; nan and inf are numbers here. false: not a
// number.
bool pm_parse_number(const char *text, size_t length, double *out);
// A whole number, or a decimal one truncated towards zero; false when it is neither or does not fit.
bool pm_parse_time(const char *text, size_t length, int64_t *out);
bool pm_is_utf8(const char *text, size_t length);

#endif
