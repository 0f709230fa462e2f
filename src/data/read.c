// pm_data_read: finds the file, chooses the reader, drops repeats.
#include "data/internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "data/fields.h"
#include "data/source.h"

static const char *const formats[] = { "auto", "movielens", "csv", "tsv", "ncf", "npz", "lightgcn", "mtx", "jester", "split" };
enum { LOGGED_BAD_LINES = 5 };

const char *pm_shown(char buffer[PM_SHOWN], const char *text, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    enum { KEEP = 40 };
    size_t to = 0, i = 0;
    buffer[to++] = '\'';
    for (; i < length && to < KEEP; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != 0x7f) {
            buffer[to++] = (char)c;
        } else {
            buffer[to++] = '\\', buffer[to++] = 'x', buffer[to++] = hex[c >> 4], buffer[to++] = hex[c & 15];
        }
    }
    // Not in the middle of a UTF-8 sequence, and nothing that is none.
    while (to > 1 && !pm_is_utf8(buffer + 1, to - 1) && i < length && to > KEEP - 4) to--;
    for (size_t k = 1; k < to && !pm_is_utf8(buffer + 1, to - 1); k++)
        if ((unsigned char)buffer[k] >= 0x80) buffer[k] = '?';
    strcpy(buffer + to, i < length ? "…'" : "'");
    return buffer;
}

pm_status pm_bad_line(pm_reader *reader, const char *path, int64_t line, const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    if (!reader->params->skip_bad_lines) return pm_fail(reader->out, PM_ERR_DATA, "%s:%" PRId64 ": %s", path, line, reason);
    if (reader->out->skipped_lines++ < LOGGED_BAD_LINES)
        pm_log(reader->out, PM_LOG_WARN, "%s:%" PRId64 ": skipped: %s", path, line, reason);
    return PM_OK;
}

pm_status pm_reader_find(pm_reader *reader, const pm_ids *ids, const char *path, int64_t line, const char *what,
                         const char *name, size_t length, int64_t *index, bool *ok)
{
    char shown[PM_SHOWN];
    *index = pm_ids_find_n(ids, name, length);
    *ok = *index >= 0;
    if (*ok) return PM_OK;
    if (length == 0) return pm_bad_line(reader, path, line, "the %s is empty: ''; give it an id", what);
    if (!pm_is_utf8(name, length))
        return pm_bad_line(reader, path, line, "the %s is not UTF-8: %s; convert the file, such as with iconv", what,
                           pm_shown(shown, name, length));
    if (reader->fixed_ids)
        return pm_bad_line(reader, path, line, "unknown %s: %s; users.tsv and items.tsv list what there is", what,
                           pm_shown(shown, name, length));
    // Not a matter of one line: skipping would keep an arbitrary part.
    PM_REQUIRE(reader->out, pm_ids_count(ids) < reader->max_ids, PM_ERR_DATA,
               "%s:%" PRId64 ": more than %" PRId64 " distinct %ss, at %s; are the right columns chosen (--columns)?", path,
               line, reader->max_ids, what, pm_shown(shown, name, length));
    *ok = true;
    return PM_OK;
}

pm_status pm_reader_id(pm_reader *reader, pm_ids *ids, const char *path, int64_t line, const char *what, const char *name, size_t length,
                       uint32_t *index, bool *ok)
{
    int64_t known;
    PM_TRY(pm_reader_find(reader, ids, path, line, what, name, length, &known, ok));
    *index = (uint32_t)known;
    return *ok && known < 0 ? pm_ids_add(ids, name, length, index) : PM_OK;
}

pm_status pm_reader_number(pm_reader *reader, pm_ids *ids, const char *path, int64_t line, const char *what, int64_t number, uint32_t *index,
                           bool *ok)
{
    char name[24];
    const int length = snprintf(name, sizeof name, "%" PRId64, number);
    return pm_reader_id(reader, ids, path, line, what, name, (size_t)length, index, ok);
}

pm_status pm_read_with_parts(pm_reader *r, const char *train_path, pm_read_file_fn read, pm_list *train)
{
    static const char *const names[] = { "valid.", "test." };
    char *path[2];
    PM_TRY(read(r, train_path, train));
    for (int p = 0; p < 2; p++) PM_TRY(pm_companion_path(r->out, train_path, "train.", names[p], &path[p]));
    if (!path[1]) return PM_OK;
    pm_companions *c = r->out->companions = pm_new(r->out, pm_companions);
    PM_CHECK_ALLOC(c);
    c->kind = "parts";
    pm_given_part *const part[2] = { &c->valid, &c->test };
    for (int p = 0; p < 2; p++) {
        if (!path[p]) continue;
        PM_TRY(read(r, path[p], &part[p]->target));
        part[p]->present = true;
    }
    return PM_OK;
}

// The format that the first bytes of a file tell, NULL where they tell none. `columns`: named ones are of a table.
static pm_status sniff(const void *parent, const char *path, bool columns, const char **format)
{
    char start[4096];
    size_t got = 0, more = 1;
    pm_source *s;
    *format = NULL;
    PM_TRY(pm_source_open(parent, path, &s));
    pm_status st = PM_OK;
    for (; st == PM_OK && more > 0 && got < sizeof start; got += more) st = pm_source_read(s, start + got, sizeof start - got, &more);
    pm_free(s);
    if (st != PM_OK) return st == PM_ERR_DATA ? PM_OK : st;    // a damaged stream is reported by the reader itself
    if (got >= 4 && start[0] == 'P' && start[1] == 'K' && (start[2] == 3 || start[2] == 5)) *format = "npz";
    else if (pm_is_mtx(start, got)) *format = "mtx";
    else if (!columns && pm_is_jester(start, got)) *format = "jester";
    return PM_OK;
}

// train.EXT with valid.EXT (or validation.EXT) and test.EXT beside it.
static pm_status read_parts(pm_reader *r, const char *path, const char *format)
{
    static const char *const names[2][2] = { { "valid.", "validation." }, { "test.", NULL } };
    if (!r->out->companions) return PM_OK;
    pm_given_part *const parts[2] = { &r->out->companions->valid, &r->out->companions->test };
    for (int p = 0; p < 2; p++) {
        char *file = NULL;
        for (int k = 0; k < 2 && !file && names[p][k]; k++)
            PM_TRY(pm_companion_path(r->out, path, "train.", names[p][k], &file));
        if (!file) continue;
        PM_TRY(pm_read_table(r, file, format, r->params->columns, &parts[p]->target));
        parts[p]->present = true;
    }
    return PM_OK;
}

static pm_status read_text(pm_reader *r, const char *path, const char *format, pm_list *list)
{
    PM_TRY(pm_read_table(r, path, format, r->params->columns, list));
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    char *test = NULL;
    if (strncmp(base, "train.", 6) == 0) PM_TRY(pm_companion_path(r->out, path, "train.", "test.", &test));
    if (!test) return PM_OK;
    r->out->companions = pm_new(r->out, pm_companions);
    PM_CHECK_ALLOC(r->out->companions);
    r->out->companions->kind = "parts";
    return read_parts(r, path, format);
}

static pm_status read_format(pm_reader *r, const char *path, const char *format, pm_list *list)
{
    if (pm_name_equal(format, "split")) return pm_read_split_folder(r, path, list);
    if (pm_name_equal(format, "ncf")) return pm_read_ncf(r, path, list);
    if (pm_name_equal(format, "npz")) return pm_read_npz(r, path, list);
    if (pm_name_equal(format, "lightgcn")) return pm_read_lightgcn(r, path, list);
    if (pm_name_equal(format, "mtx")) return pm_read_mtx(r, path, list);
    if (pm_name_equal(format, "jester")) return pm_read_jester(r, path, list);
    return read_text(r, path, format, list);
}

static pm_status finish(pm_reader *r, const char *path, pm_list *list)
{
    pm_interactions *out = r->out;
    PM_REQUIRE(out, list->count > 0, PM_ERR_DATA,
               "%s: no usable interactions (%" PRId64 " bad lines skipped); see the log for the first of them", path,
               out->skipped_lines);
    PM_TRY(pm_list_dedupe(out, list, pm_ids_count(out->users), pm_ids_count(out->items), &out->duplicates));
    out->count = list->count;
    out->user = list->user;
    out->item = list->item;
    out->value = list->value;
    out->time = list->time;
    if (!list->has_time) {
        pm_free(out->time);
        out->time = NULL;
    }
    if (out->skipped_lines) pm_log(out, PM_LOG_WARN, "%s: %" PRId64 " bad lines skipped", path, out->skipped_lines);
    return PM_OK;
}

static pm_status read_into(pm_interactions *out, const pm_read_params *params)
{
    pm_reader r = { .params = params, .out = out, .max_ids = params->max_ids ? params->max_ids : INT32_MAX };
    pm_list list = { 0 };
    const char *path, *named, *told;
    PM_TRY(pm_ids_create(out, &out->users));
    PM_TRY(pm_ids_create(out, &out->items));
    PM_TRY(pm_locate(out, params->path, &path, &named));
    PM_TRY(sniff(out, path, params->columns != NULL, &told));
    const char *format = params->format && !pm_name_equal(params->format, "auto") ? params->format
                         : told                                                   ? told
                         : named                                                  ? named
                                                                                  : "auto";
    PM_TRY(read_format(&r, path, format, &list));
    return finish(&r, path, &list);
}

static pm_status check_format(const void *parent, const char *format)
{
    if (!format) return PM_OK;
    for (int f = 0; f < PM_COUNT(formats); f++)
        if (pm_name_equal(format, formats[f])) return PM_OK;
    const char *near = pm_nearest_name(format, formats, PM_COUNT(formats));
    return pm_fail(parent, PM_ERR_ARG, "unknown format '%s'; there are auto, movielens, csv, tsv, ncf, npz, lightgcn, mtx, jester, split%s%s%s",
                   format, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

pm_status pm_data_read(const void *parent, const pm_read_params *params, pm_interactions **out)
{
    *out = NULL;
    PM_REQUIRE(parent, params && params->path && *params->path, PM_ERR_ARG, "data: no path given");
    PM_REQUIRE(parent, params->max_ids >= 0 && params->max_ids <= INT32_MAX, PM_ERR_ARG,
               "data: max_ids = %" PRId64 " must be 0 to %d", params->max_ids, INT32_MAX);
    PM_TRY(check_format(parent, params->format));
    pm_interactions *made = pm_new(parent, pm_interactions);
    PM_CHECK_ALLOC(made);
    const pm_status st = read_into(made, params);
    if (st != PM_OK) {
        pm_free(made);
        return st;
    }
    *out = made;
    return PM_OK;
}
