// Lines of a source, given in place.
#include "data/source.h"

enum { REPORT_EVERY = 4 << 20 };

pm_status pm_lines_open(const void *parent, const char *path, pm_lines **out)
{
    *out = NULL;
    pm_lines *l = pm_new(parent, pm_lines);
    PM_CHECK_ALLOC(l);
    l->capacity = PM_LINE_LIMIT + 1;
    l->started = pm_clock();
    pm_status st = pm_source_open(l, path, &l->source);
    if (st == PM_OK && (!(l->path = pm_strdup(l, path)) || !(l->buffer = pm_alloc(l, l->capacity + 1)))) st = PM_ERR_NOMEM;
    if (st != PM_OK) {
        pm_free(l);
        return st;
    }
    *out = l;
    return PM_OK;
}

static void report(pm_lines *l)
{
    int64_t done, total;
    pm_source_position(l->source, &done, &total);
    if (done - l->reported < REPORT_EVERY && done != total) return;
    l->reported = done;
    pm_report_progress(
        l,
        &(pm_progress){ .what = "read", .unit = "bytes", .done = done, .total = total, .seconds = pm_clock() - l->started });
}

// Moves what is left to the front and reads more behind it.
static pm_status fill(pm_lines *l)
{
    PM_REQUIRE(l, !pm_ctx_cancelled(pm_ctx_of(l)), PM_ERR_CANCELLED, "interrupted while reading %s", l->path);
    memmove(l->buffer, l->buffer + l->begin, l->end - l->begin);
    l->end -= l->begin;
    l->begin = 0;
    size_t got;
    PM_TRY(pm_source_read(l->source, l->buffer + l->end, l->capacity - l->end, &got));
    l->end += got;
    l->at_end = got == 0;
    report(l);
    return PM_OK;
}

// Passes over the rest of a line that does not fit.
static pm_status skip_rest(pm_lines *l)
{
    static const char newline = '\n';
    for (;;) {
        l->begin = l->end;
        PM_TRY(fill(l));
        if (l->at_end) return PM_OK;
        const char *stop = memchr(l->buffer, newline, l->end);
        if (!stop) continue;
        l->begin = (size_t)(stop - l->buffer) + 1;
        return PM_OK;
    }
}

// The beginning of an over-long line, kept apart since the buffer goes on.
static pm_status give_too_long(pm_lines *l)
{
    enum { SHOWN = 64 };
    char *head = pm_alloc(l, SHOWN + 1);
    PM_CHECK_ALLOC(head);
    memcpy(head, l->buffer, SHOWN);
    PM_TRY(skip_rest(l));
    l->number++;
    l->line = head;
    l->length = SHOWN;
    l->too_long = true;
    return PM_OK;
}

static void give(pm_lines *l, size_t length, size_t with_end)
{
    char *line = l->buffer + l->begin;
    l->begin += with_end;
    if (length && line[length - 1] == '\r') length--;
    line[length] = 0;
    if (l->number++ == 0 && length >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) {
        line += 3;
        length -= 3;
    }
    l->line = line;
    l->length = length;
}

pm_status pm_lines_next(pm_lines *l)
{
    if (l->too_long) pm_free(l->line);
    l->too_long = false;
    l->line = NULL;
    l->length = 0;
    size_t searched = 0;
    for (;;) {
        const size_t left = l->end - l->begin;
        const char *stop = memchr(l->buffer + l->begin + searched, '\n', left - searched);
        if (stop) {
            const size_t length = (size_t)(stop - (l->buffer + l->begin));
            give(l, length, length + 1);
            return PM_OK;
        }
        if (l->at_end) {
            if (left) give(l, left, left);
            return PM_OK;
        }
        if (left >= PM_LINE_LIMIT) return give_too_long(l);
        searched = left;
        PM_TRY(fill(l));
    }
}
