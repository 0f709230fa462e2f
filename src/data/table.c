// One delimited text file of interactions: MovieLens, u.data, CSV, TSV, RecBole's .inter, NCF's .rating, space-separated.
#include "data/fields.h"
#include "data/internal.h"
#include "data/source.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

enum { USER, ITEM, VALUE, TIME, ROLES, NAME_SIZE = 64 };
static const char *const role_names[2] = { "user", "item" };

// What headers call the columns: lower case, without _ - . and space, and without RecBole's type behind the colon.
static const char *const known_names[ROLES][14] = {
    { "user", "userid", "uid", "u", "reviewerid", "customerid", "memberid", "msno" },
    { "item", "itemid", "iid", "sid", "movie", "movieid", "book", "bookid", "isbn", "asin", "product", "productid",
      "trackid", "songid" },
    { "rating", "value", "score", "stars", "overall", "bookrating", "plays", "playcount", "count", "weight" },
    { "timestamp", "time", "ts", "unixreviewtime", "unixtime" },
};

typedef struct table {
    pm_reader   *reader;
    pm_lines    *lines;
    const char  *columns;
    pm_delimiter delimiter;
    int          column[ROLES];    // −1: none
    int          width;            // fields a line
    pm_list     *list;
    pm_field     fields[PM_FIELD_LIMIT];
} table;

static void normalise(const pm_field *field, char name[NAME_SIZE])
{
    size_t to = 0;
    for (size_t i = 0; i < field->length && field->text[i] != ':' && to + 1 < NAME_SIZE; i++)
        if (!strchr("_-. ", field->text[i])) name[to++] = (char)tolower((unsigned char)field->text[i]);
    name[to] = 0;
}

// Fills `column` from a line of names; true when user and item are among them.
static bool match_header(const table *t, int count, int column[ROLES])
{
    for (int role = 0; role < ROLES; role++) {
        column[role] = -1;
        for (int k = 0; k < PM_COUNT(known_names[role]) && known_names[role][k] && column[role] < 0; k++) {
            for (int c = 0; c < PM_MIN(count, PM_FIELD_LIMIT) && column[role] < 0; c++) {
                char name[NAME_SIZE];
                normalise(&t->fields[c], name);
                if (pm_name_equal(name, known_names[role][k])) column[role] = c;
            }
        }
    }
    return column[USER] >= 0 && column[ITEM] >= 0;
}

static pm_status no_such_column(const table *t, const char *name, int count)
{
    char list[256] = "";
    for (int c = 0; c < PM_MIN(count, PM_FIELD_LIMIT); c++) {
        const size_t used = strlen(list);
        if (used + t->fields[c].length + 3 > sizeof list) break;
        if (c) strcat(list, ", ");
        strcat(list, t->fields[c].text);
    }
    return pm_fail(t->lines, PM_ERR_DATA, "%s:%" PRId64 ": no column '%s' in the header; it has: %s", t->lines->path,
                   t->lines->number, name, list);
}

static int find_column(const table *t, const char *name, int count)
{
    for (int c = 0; c < PM_MIN(count, PM_FIELD_LIMIT); c++)
        if (pm_name_equal(t->fields[c].text, name)) return c;
    return -1;
}

// Reads `columns`: names or 1-based numbers. *by_name: at least one is a name, so the first line is a header.
static pm_status choose_columns(table *t, int count, bool *by_name)
{
    const char *rest = t->columns;
    *by_name = false;
    for (int role = 0; role < ROLES; role++) t->column[role] = -1;
    for (int role = 0; rest; role++) {
        PM_REQUIRE(t->lines, role < ROLES, PM_ERR_ARG, "columns '%s': at most four: user,item,rating,time", t->columns);
        char name[NAME_SIZE];
        const size_t length = strcspn(rest, ",");
        PM_REQUIRE(t->lines, length > 0 && length < NAME_SIZE, PM_ERR_ARG,
                   "columns '%s': an empty or over-long name; give user,item[,rating[,time]]", t->columns);
        memcpy(name, rest, length);
        name[length] = 0;
        rest = rest[length] ? rest + length + 1 : NULL;
        if (strspn(name, "0123456789") == length) {
            const long number = strtol(name, NULL, 10);
            PM_REQUIRE(t->lines, number >= 1 && number <= PM_MIN(count, PM_FIELD_LIMIT), PM_ERR_DATA,
                       "%s:%" PRId64 ": no column %s: the line has %d, cut by %s", t->lines->path, t->lines->number, name,
                       count, pm_delimiter_name(t->delimiter));
            t->column[role] = (int)number - 1;
        } else {
            *by_name = true;
            t->column[role] = find_column(t, name, count);
            if (t->column[role] < 0) return no_such_column(t, name, count);
        }
    }
    PM_REQUIRE(t->lines, t->column[ITEM] >= 0, PM_ERR_ARG, "columns '%s': give at least user,item", t->columns);
    return PM_OK;
}

static bool is_number(const pm_field *f)
{
    double d;
    return pm_parse_number(f->text, f->length, &d);
}

// Whether the first line, its columns chosen, is names rather than data: neither user nor rating is a number.
static bool looks_like_names(const table *t)
{
    return t->column[VALUE] >= 0 && !is_number(&t->fields[t->column[VALUE]]) && !is_number(&t->fields[t->column[USER]]);
}

// Understands the first line. *is_data: it is an interaction too.
static pm_status first_line(table *t, int count, bool *is_data)
{
    int column[ROLES];
    bool by_name = false;
    const bool header = match_header(t, count, column);
    t->width = count;
    if (t->columns) {
        PM_TRY(choose_columns(t, count, &by_name));
        *is_data = !by_name && !header && !looks_like_names(t);
        return PM_OK;
    }
    *is_data = !header;
    if (header) {
        memcpy(t->column, column, sizeof column);
        return PM_OK;
    }
    PM_REQUIRE(t->lines, count >= 2 && count <= ROLES, PM_ERR_DATA,
               "%s:%" PRId64 ": wrong column count: %d columns, cut by %s, where user,item[,rating[,time]] were expected; "
               "name them with columns (--columns user,item,rating,time, or their numbers)",
               t->lines->path, t->lines->number, count, pm_delimiter_name(t->delimiter));
    for (int role = 0; role < ROLES; role++) t->column[role] = role < count ? role : -1;
    PM_REQUIRE(t->lines, !looks_like_names(t), PM_ERR_DATA,
               "%s:%" PRId64
               ": a header without a known user and item column ('%s', '%s', …); name the columns with columns (--columns)",
               t->lines->path, t->lines->number, t->fields[0].text, t->fields[1].text);
    return PM_OK;
}

static bool has_junk(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < 0x20 && line[i] != '\t') return true;
    return false;
}

static pm_status bad_value(table *t, const char *reason, const pm_field *f, const char *remedy)
{
    char shown[PM_SHOWN];
    return pm_bad_line(t->reader, t->lines->path, t->lines->number, "%s: %s; %s", reason,
                       pm_shown(shown, f->text, f->length), remedy);
}

static pm_status add_interaction(table *t)
{
    double value = 1.0;
    int64_t time = 0;
    if (t->column[VALUE] >= 0) {
        const pm_field *f = &t->fields[t->column[VALUE]];
        if (!pm_parse_number(f->text, f->length, &value))
            return bad_value(t, "the rating is not a number", f, "correct or remove the line");
        if (!isfinite((float)value)) return bad_value(t, "the rating is not finite", f, "correct or remove the line");
    }
    if (t->column[TIME] >= 0) {
        const pm_field *f = &t->fields[t->column[TIME]];
        if (!pm_parse_time(f->text, f->length, &time))
            return bad_value(t, "the time is not a number of seconds", f,
                             "give Unix seconds, or leave the column out with columns (--columns)");
    }
    pm_ids *const ids[2] = { t->reader->out->users, t->reader->out->items };
    int64_t found[2];
    uint32_t index[2];
    for (int role = USER; role <= ITEM; role++) {    // both are checked before either is added
        const pm_field *f = &t->fields[t->column[role]];
        bool ok;
        PM_TRY(pm_reader_find(t->reader, ids[role], t->lines->path, t->lines->number, role_names[role], f->text, f->length,
                              &found[role], &ok));
        if (!ok) return PM_OK;
    }
    for (int role = USER; role <= ITEM; role++) {
        const pm_field *f = &t->fields[t->column[role]];
        index[role] = (uint32_t)found[role];
        if (found[role] < 0) PM_TRY(pm_ids_add(ids[role], f->text, f->length, &index[role]));
    }
    return pm_list_add(t->reader->out, t->list, index[USER], index[ITEM], (float)value, time);
}

static pm_status read_line(table *t, bool first)
{
    pm_lines *l = t->lines;
    char shown[PM_SHOWN];
    if (l->too_long)
        return pm_bad_line(t->reader, l->path, l->number,
                           "the line is longer than %d bytes: %s; is this a text file of interactions?", PM_LINE_LIMIT,
                           pm_shown(shown, l->line, l->length));
    if (has_junk(l->line, l->length))
        return pm_bad_line(t->reader, l->path, l->number, "not text: %s; is this a text file of interactions?",
                           pm_shown(shown, l->line, l->length));
    char head[PM_SHOWN];    // of the line, which is cut in place
    const size_t kept = PM_MIN(l->length, sizeof head);
    memcpy(head, l->line, kept);
    const int count = pm_split_fields(l->line, l->length, t->delimiter, t->fields);
    if (count < 0)
        return pm_bad_line(t->reader, l->path, l->number, "malformed line: a quote is not closed: %s; close it or double it",
                           pm_shown(shown, head, kept));
    bool is_data = true;
    if (first) PM_TRY(first_line(t, count, &is_data));
    if (!is_data) return PM_OK;
    if (count != t->width)
        return pm_bad_line(t->reader, l->path, l->number,
                           "wrong column count: %d where the first line has %d, cut by %s: %s; correct or remove the line",
                           count, t->width, pm_delimiter_name(t->delimiter), pm_shown(shown, head, kept));
    return add_interaction(t);
}

static pm_status choose_delimiter(table *t, const char *format)
{
    t->delimiter = pm_delimiter_of(t->lines->line);
    if (pm_name_equal(format, "tsv")) t->delimiter = PM_DELIM_TAB;
    if (pm_name_equal(format, "csv"))
        t->delimiter = strchr(t->lines->line, ',') || !strchr(t->lines->line, ';') ? PM_DELIM_COMMA : PM_DELIM_SEMICOLON;
    return PM_OK;
}

static pm_status read_all(table *t, const char *format)
{
    bool first = true;
    for (;;) {
        PM_TRY(pm_lines_next(t->lines));
        if (!t->lines->line) break;
        if (t->lines->length == 0) continue;
        if (first) PM_TRY(choose_delimiter(t, format));
        PM_TRY(read_line(t, first));
        first = first && t->width == 0;    // a bad first line that is skipped does not settle the columns
    }
    PM_REQUIRE(t->lines, !first, PM_ERR_DATA, "%s:1: the file is empty: it has no line of interactions; check the path",
               t->lines->path);
    if (t->column[TIME] >= 0) t->list->has_time = true;
    return PM_OK;
}

pm_status pm_read_table(pm_reader *reader, const char *path, const char *format, const char *columns, pm_list *list)
{
    table *t = pm_new(reader->out, table);
    PM_CHECK_ALLOC(t);
    *t = (table){ .reader = reader, .columns = columns, .list = list, .column = { -1, -1, -1, -1 } };
    pm_status st = pm_lines_open(t, path, &t->lines);
    if (st == PM_OK) st = read_all(t, format ? format : "auto");
    pm_free(t);
    return st;
}
