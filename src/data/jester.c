// The Jester matrix: a line a user, first how many jokes the user rated, then a rating of each joke, 99 where there is none. Users are
// called by their line, jokes by their column.
#include "data/fields.h"
#include "data/internal.h"
#include "data/source.h"

static const double missing = 99.0, most = 10.0;

// Ratings of a line that are there, and whether all its fields are numbers.
static bool count_ratings(const pm_field *field, int fields, int64_t *ratings)
{
    double value;
    *ratings = 0;
    for (int i = 1; i < fields; i++) {
        if (!pm_parse_number(field[i].text, field[i].length, &value)) return false;
        *ratings += value != missing;
    }
    return true;
}

bool pm_is_jester(const char *start, size_t length)
{
    enum { FIELDS = 101, LONGEST = 4095 };
    char line[LONGEST + 1];
    pm_field field[PM_FIELD_LIMIT];
    int64_t ratings;
    double said;
    const char *end = memchr(start, '\n', length);
    const size_t n = end ? (size_t)(end - start) : length;
    if (n > LONGEST || memchr(start, 0, n)) return false;
    memcpy(line, start, n);
    line[n] = 0;
    const int fields = pm_split_fields(line, n, pm_delimiter_of(line), field);
    return fields == FIELDS && count_ratings(field, fields, &ratings) && pm_parse_number(field[0].text, field[0].length, &said) &&
           said == (double)ratings;
}

typedef struct jester {
    pm_reader   *r;
    pm_lines    *l;
    pm_list     *list;
    pm_delimiter delimiter;
    int          fields;    // of the first line
    pm_field     field[PM_FIELD_LIMIT];
} jester;

// Says what is wrong with the fields of a line; *good: nothing.
static pm_status check(jester *j, int fields, bool *good)
{
    char shown[PM_SHOWN];
    double value;
    int64_t ratings;
    *good = false;
    if (fields != j->fields)
        return pm_bad_line(j->r, j->l->path, j->l->number, "%d fields, where the first line has %d; each joke needs one, 99 without a rating", fields,
                           j->fields);
    for (int i = 1; i < fields; i++) {
        const bool number = pm_parse_number(j->field[i].text, j->field[i].length, &value);
        if (!number || !((value >= -most && value <= most) || value == missing))
            return pm_bad_line(j->r, j->l->path, j->l->number, "field %d is no rating from -10 to 10, nor 99: %s", i + 1,
                               pm_shown(shown, j->field[i].text, j->field[i].length));
    }
    count_ratings(j->field, fields, &ratings);
    if (!pm_parse_number(j->field[0].text, j->field[0].length, &value) || value != (double)ratings)
        return pm_bad_line(j->r, j->l->path, j->l->number, "the first field is not the number of ratings in the line, %" PRId64 ": %s", ratings,
                           pm_shown(shown, j->field[0].text, j->field[0].length));
    *good = true;
    return PM_OK;
}

static pm_status read_line(jester *j)
{
    char shown[PM_SHOWN];
    uint32_t user, item;
    double value;
    bool good;
    pm_lines *l = j->l;
    if (l->length == 0) return PM_OK;
    if (l->too_long || memchr(l->line, 0, l->length))
        return pm_bad_line(j->r, l->path, l->number, "malformed line: %s", pm_shown(shown, l->line, l->length));
    if (!j->fields) j->delimiter = pm_delimiter_of(l->line);
    const int fields = pm_split_fields(l->line, l->length, j->delimiter, j->field);
    if (!j->fields) {
        PM_REQUIRE(j->r->out, fields > 1 && fields <= PM_FIELD_LIMIT, PM_ERR_DATA,
                   "%s:%" PRId64 ": %d fields are no Jester matrix: how many ratings, then a rating of each of up to %d jokes", l->path, l->number,
                   fields, PM_FIELD_LIMIT - 1);
        j->fields = fields;
    }
    PM_TRY(check(j, fields, &good));
    for (int i = 1; i < fields && good; i++) {
        pm_parse_number(j->field[i].text, j->field[i].length, &value);
        if (value == missing) continue;
        PM_TRY(pm_reader_number(j->r, j->r->out->users, l->path, l->number, "user", l->number, &user, &good));
        if (good) PM_TRY(pm_reader_number(j->r, j->r->out->items, l->path, l->number, "item", i, &item, &good));
        if (good) PM_TRY(pm_list_add(j->r->out, j->list, user, item, (float)value, 0));
    }
    return PM_OK;
}

pm_status pm_read_jester(pm_reader *r, const char *path, pm_list *list)
{
    jester *j = pm_new(r->out, jester);
    PM_CHECK_ALLOC(j);
    j->r = r;
    j->list = list;
    PM_TRY(pm_lines_open(r->out, path, &j->l));
    for (;;) {
        PM_TRY(pm_lines_next(j->l));
        if (!j->l->line) break;
        PM_TRY(read_line(j));
    }
    pm_free(j->l);
    pm_free(j);
    return PM_OK;
}
