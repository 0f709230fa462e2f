// MatrixMarket coordinate files, a row a user and a column an item; train.mtx with valid.mtx (where there is one) and test.mtx beside it.
#include <strings.h>

#include "data/fields.h"
#include "data/internal.h"
#include "data/source.h"

static const char banner[] = "%%MatrixMarket";

bool pm_is_mtx(const char *start, size_t length)
{
    return length >= sizeof banner - 1 && strncasecmp(start, banner, sizeof banner - 1) == 0;
}

typedef struct header {
    bool    pattern;    // entries have no value
    int64_t rows, cols, entries;
} header;

// Cuts a line at its blanks, which may also be tabs; the number of words, and those beyond `most` are counted alone.
static int words_of(pm_lines *l, pm_field *words, int most)
{
    static const char blanks[] = " \t\r\v\f";
    int n = 0;
    for (char *at = l->line + strspn(l->line, blanks); *at; at += strspn(at, blanks), n++) {
        const size_t length = strcspn(at, blanks);
        if (n < most) words[n] = (pm_field){ at, length };
        at += length;
    }
    return n;
}

static bool is_word(const pm_field *w, const char *text)
{
    return w->length == strlen(text) && strncasecmp(w->text, text, w->length) == 0;
}

static pm_status read_banner(pm_reader *r, pm_lines *l, header *h)
{
    char shown[PM_SHOWN];
    pm_field w[5];
    PM_TRY(pm_lines_next(l));
    PM_REQUIRE(r->out, l->line && !l->too_long && pm_is_mtx(l->line, l->length), PM_ERR_DATA,
               "%s:1: not a MatrixMarket file: it must begin with '%s matrix coordinate real general', or pattern, or integer", l->path, banner);
    pm_shown(shown, l->line, l->length);
    const int n = words_of(l, w, PM_COUNT(w));
    PM_REQUIRE(r->out, n == 5 && is_word(&w[1], "matrix"), PM_ERR_DATA, "%s:1: not the banner of a matrix: %s", l->path, shown);
    PM_REQUIRE(r->out, is_word(&w[2], "coordinate"), PM_ERR_DATA,
               "%s:1: the matrix is not sparse: %s; write it with 'coordinate', zeros left out", l->path, shown);
    h->pattern = is_word(&w[3], "pattern");
    PM_REQUIRE(r->out, h->pattern || is_word(&w[3], "real") || is_word(&w[3], "integer"), PM_ERR_DATA,
               "%s:1: values must be real, integer or pattern: %s", l->path, shown);
    PM_REQUIRE(r->out, is_word(&w[4], "general"), PM_ERR_DATA,
               "%s:1: the matrix is said to be symmetric, which users and items are not: %s; write it as 'general'", l->path, shown);
    return PM_OK;
}

// The next line that is neither a comment nor blank; l->line NULL at the end.
static pm_status next_line(pm_lines *l)
{
    do PM_TRY(pm_lines_next(l));
    while (l->line && (l->line[0] == '%' || l->line[strspn(l->line, " \t\r")] == 0));
    return PM_OK;
}

static bool whole(const pm_field *w, int64_t *out)
{
    double value;
    if (!pm_parse_number(w->text, w->length, &value) || !(value >= 0 && value <= 9007199254740992.0)) return false;
    *out = (int64_t)value;
    return (double)*out == value;
}

static pm_status read_size(pm_reader *r, pm_lines *l, header *h)
{
    char shown[PM_SHOWN] = "''";
    pm_field w[3];
    PM_TRY(next_line(l));
    PM_REQUIRE(r->out, l->line, PM_ERR_DATA, "%s: the file ends before the line of its size: rows, columns, entries", l->path);
    pm_shown(shown, l->line, l->length);
    const bool good = !l->too_long && words_of(l, w, 3) == 3 && whole(&w[0], &h->rows) && whole(&w[1], &h->cols) && whole(&w[2], &h->entries);
    PM_REQUIRE(r->out, good, PM_ERR_DATA, "%s:%" PRId64 ": the size is not rows, columns and entries: %s", l->path, l->number, shown);
    return PM_OK;
}

static pm_status read_entry(pm_reader *r, pm_lines *l, const header *h, pm_list *list)
{
    char shown[PM_SHOWN];
    pm_field w[3];
    int64_t row, col;
    uint32_t user, item;
    double value = 1.0;
    bool ok = !l->too_long && !memchr(l->line, 0, l->length);
    pm_shown(shown, l->line, l->length);
    const int n = ok ? words_of(l, w, 3) : 0;
    if (n != (h->pattern ? 2 : 3))
        return pm_bad_line(r, l->path, l->number, "malformed line: %s; expected a row, a column%s", shown, h->pattern ? "" : " and a value");
    if (!whole(&w[0], &row) || row < 1 || row > h->rows)
        return pm_bad_line(r, l->path, l->number, "the row is not from 1 to %" PRId64 ": %s", h->rows, shown);
    if (!whole(&w[1], &col) || col < 1 || col > h->cols)
        return pm_bad_line(r, l->path, l->number, "the column is not from 1 to %" PRId64 ": %s", h->cols, shown);
    if (!h->pattern && (!pm_parse_number(w[2].text, w[2].length, &value) || !((float)value - (float)value == 0.0f)))
        return pm_bad_line(r, l->path, l->number, "the value is not a finite number: %s", shown);
    PM_TRY(pm_reader_number(r, r->out->users, l->path, l->number, "user", row, &user, &ok));
    if (ok) PM_TRY(pm_reader_number(r, r->out->items, l->path, l->number, "item", col, &item, &ok));
    return ok ? pm_list_add(r->out, list, user, item, (float)value, 0) : PM_OK;
}

static pm_status read_file(pm_reader *r, const char *path, pm_list *list)
{
    pm_lines *l;
    header h = { 0 };
    int64_t seen = 0;
    PM_TRY(pm_lines_open(r->out, path, &l));
    PM_TRY(read_banner(r, l, &h));
    PM_TRY(read_size(r, l, &h));
    for (;; seen++) {
        PM_TRY(next_line(l));
        if (!l->line) break;
        PM_TRY(read_entry(r, l, &h, list));
    }
    PM_REQUIRE(r->out, seen == h.entries, PM_ERR_DATA, "%s: %" PRId64 " entries where its size says %" PRId64 "; the file is cut off or damaged", path,
               seen, h.entries);
    pm_free(l);
    return PM_OK;
}

pm_status pm_read_mtx(pm_reader *r, const char *train_path, pm_list *train)
{
    return pm_read_with_parts(r, train_path, read_file, train);
}
