#include "data/fields.h"

#include <math.h>

pm_delimiter pm_delimiter_of(const char *line)
{
    if (strstr(line, "::")) return PM_DELIM_COLONS;
    if (strchr(line, '\t')) return PM_DELIM_TAB;
    if (strchr(line, ',')) return PM_DELIM_COMMA;
    if (strchr(line, ';')) return PM_DELIM_SEMICOLON;
    return strchr(line, ' ') ? PM_DELIM_SPACE : PM_DELIM_NONE;
}

const char *pm_delimiter_name(pm_delimiter delimiter)
{
    static const char *const names[] = { "nothing", "'::'", "tabs", "commas", "semicolons", "spaces" };
    return names[delimiter];
}

static void keep_field(pm_field *fields, int index, char *text, size_t length)
{
    if (index >= PM_FIELD_LIMIT) return;
    text[length] = 0;
    fields[index] = (pm_field){ text, length };
}

static int split_spaces(char *line, size_t length, pm_field *fields)
{
    int count = 0;
    for (size_t i = 0; i < length;) {
        while (i < length && line[i] == ' ') i++;
        const size_t begin = i;
        while (i < length && line[i] != ' ') i++;
        if (i > begin) keep_field(fields, count++, line + begin, i - begin);
        i++;    // what ended the field has become its zero
    }
    return count;
}

static int split_colons(char *line, size_t length, pm_field *fields)
{
    int count = 0;
    char *begin = line, *const end = line + length;
    for (;;) {
        char *stop = begin;
        while (stop + 1 < end && !(stop[0] == ':' && stop[1] == ':')) stop++;
        const bool last = stop + 1 >= end;
        if (last) stop = end;
        keep_field(fields, count++, begin, (size_t)(stop - begin));
        if (last) return count;
        begin = stop + 2;
    }
}

// Unquotes from *at (behind the opening quote) in place; *at moves behind the closing one. −1: not closed.
static int64_t unquote(char *line, size_t length, size_t *at)
{
    const size_t begin = *at;
    size_t to = begin;
    for (size_t i = begin; i < length; i++) {
        if (line[i] != '"') {
            line[to++] = line[i];
        } else if (i + 1 < length && line[i + 1] == '"') {
            line[to++] = line[i++];
        } else {
            *at = i + 1;
            return (int64_t)(to - begin);
        }
    }
    return -1;
}

static int split_quoted(char *line, size_t length, char delimiter, pm_field *fields)
{
    int count = 0;
    for (size_t i = 0;;) {
        size_t begin = i;
        int64_t n;
        if (i < length && line[i] == '"') {
            begin = ++i;
            n = unquote(line, length, &i);
            if (n < 0 || (i < length && line[i] != delimiter)) return -1;
        } else {
            while (i < length && line[i] != delimiter) i++;
            n = (int64_t)(i - begin);
        }
        const bool last = i >= length;
        keep_field(fields, count++, line + begin, (size_t)n);
        if (last) return count;
        i++;
    }
}

int pm_split_fields(char *line, size_t length, pm_delimiter delimiter, pm_field *fields)
{
    switch (delimiter) {
    case PM_DELIM_COLONS: return split_colons(line, length, fields);
    case PM_DELIM_SPACE: return split_spaces(line, length, fields);
    case PM_DELIM_COMMA: return split_quoted(line, length, ',', fields);
    case PM_DELIM_SEMICOLON: return split_quoted(line, length, ';', fields);
    case PM_DELIM_TAB: return split_quoted(line, length, '\t', fields);
    case PM_DELIM_NONE: break;
    }
    keep_field(fields, 0, line, length);
    return 1;
}

static bool word_is(const char *text, size_t length, const char *word)
{
    if (strlen(word) != length) return false;
    for (size_t i = 0; i < length; i++)
        if ((text[i] | 0x20) != word[i]) return false;
    return true;
}

static void trim(const char **text, size_t *length)
{
    while (*length && **text == ' ') (*text)++, (*length)--;
    while (*length && (*text)[*length - 1] == ' ') (*length)--;
}

// mantissa · 10^exponent; powers up to 10²² are exact, so that usual ratings are rounded once.
static double scale_ten(uint64_t mantissa, int exponent)
{
    static const double exact[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    double d = (double)mantissa;
    if (mantissa == 0) return 0.0;
    for (; exponent > 22 && isfinite(d); exponent -= 22) d *= 1e22;
    for (; exponent < -22 && d != 0.0; exponent += 22) d /= 1e22;
    if (!isfinite(d) || d == 0.0) return d;
    return exponent < 0 ? d / exact[-exponent] : d * exact[exponent];
}

static bool parse_exponent(const char *s, size_t n, int *exponent)
{
    size_t i = 0;
    const bool negative = n && s[0] == '-';
    if (n && (s[0] == '-' || s[0] == '+')) i++;
    if (i == n) return false;
    int e = 0;
    for (; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') return false;
        if (e < 100000) e = e * 10 + (s[i] - '0');
    }
    *exponent += negative ? -e : e;
    return true;
}

bool pm_parse_number(const char *s, size_t n, double *out)
{
    trim(&s, &n);
    double sign = 1.0;
    if (n && (*s == '-' || *s == '+')) {
        sign = *s == '-' ? -1.0 : 1.0;
        s++, n--;
    }
    if (word_is(s, n, "nan")) return *out = NAN, true;
    if (word_is(s, n, "inf") || word_is(s, n, "infinity")) return *out = sign * INFINITY, true;
    uint64_t mantissa = 0;
    int exponent = 0, digits = 0;
    bool point = false;
    size_t i = 0;
    for (; i < n; i++) {
        if (s[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (s[i] < '0' || s[i] > '9') break;
        digits++;
        if (mantissa < UINT64_MAX / 10 - 1) {
            mantissa = mantissa * 10 + (uint64_t)(s[i] - '0');
            exponent -= point;
        } else {
            exponent += !point;    // further digits lie below what a double keeps
        }
    }
    if (digits == 0) return false;
    if (i < n && (s[i] == 'e' || s[i] == 'E')) {
        if (!parse_exponent(s + i + 1, n - i - 1, &exponent)) return false;
        i = n;
    }
    if (i != n) return false;
    *out = sign * scale_ten(mantissa, exponent);
    return true;
}

bool pm_parse_time(const char *s, size_t n, int64_t *out)
{
    trim(&s, &n);
    const bool negative = n && *s == '-';
    size_t i = negative ? 1 : 0;
    int64_t t = 0;
    for (; i < n && i < 18 && s[i] >= '0' && s[i] <= '9'; i++) t = t * 10 + (s[i] - '0');
    if (i == n && i > (negative ? 1u : 0u)) {
        *out = negative ? -t : t;
        return true;
    }
    double d;
    if (!pm_parse_number(s, n, &d) || !(d > -9.2e18 && d < 9.2e18)) return false;
    *out = (int64_t)d;
    return true;
}

static size_t utf8_sequence(const unsigned char *s, size_t n)
{
    if (s[0] < 0x80) return 1;
    const size_t length = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || n < length) return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if (s[0] == 0xE0 && s[1] < 0xA0) return 0;    // overlong
    if (s[0] == 0xED && s[1] > 0x9F) return 0;    // surrogates
    if (s[0] == 0xF0 && s[1] < 0x90) return 0;
    if (s[0] == 0xF4 && s[1] > 0x8F) return 0;
    return length;
}

bool pm_is_utf8(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;
    for (size_t i = 0; i < length;) {
        const size_t n = utf8_sequence(s + i, length - i);
        if (n == 0) return false;
        i += n;
    }
    return true;
}
