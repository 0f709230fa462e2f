#include "data/text_out.h"

#include <math.h>
#include <stdio.h>

#include <zlib.h>

#include "core/file.h"

enum { BUFFER = 1 << 16 };

struct pm_text {
    pm_file      *file;
    pm_status     status;
    char          delimiter;
    bool          gzip, in_line;
    z_stream      z;
    size_t        used;
    char          buffer[BUFFER];
    unsigned char packed[BUFFER];
};

static void end_stream(void *ptr)
{
    pm_text *t = ptr;
    if (t->gzip) deflateEnd(&t->z);
    t->gzip = false;
}

pm_status pm_text_create(const void *parent, const char *path, char delimiter, bool gzip, pm_text **out)
{
    *out = NULL;
    pm_text *t = pm_new(parent, pm_text);
    PM_CHECK_ALLOC(t);
    t->delimiter = delimiter;
    pm_set_destructor(t, end_stream);
    t->status = pm_file_create(t, path, &t->file);
    if (t->status == PM_OK && gzip) {
        t->gzip = deflateInit2(&t->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
        if (!t->gzip) t->status = pm_fail(parent, PM_ERR_NOMEM, "%s: no memory for gzip", path);
    }
    if (t->status != PM_OK) {
        const pm_status st = t->status;
        pm_free(t);
        return st;
    }
    *out = t;
    return PM_OK;
}

static void flush(pm_text *t, int mode)
{
    if (!t->gzip) {
        if (t->status == PM_OK) t->status = pm_file_write(t->file, t->buffer, t->used);
        t->used = 0;
        return;
    }
    t->z.next_in = (unsigned char *)t->buffer;
    t->z.avail_in = (unsigned)t->used;
    t->used = 0;
    do {
        t->z.next_out = t->packed;
        t->z.avail_out = BUFFER;
        deflate(&t->z, mode);
        if (t->status == PM_OK) t->status = pm_file_write(t->file, t->packed, BUFFER - t->z.avail_out);
    } while (t->z.avail_out == 0);
}

static void put(pm_text *t, const char *bytes, size_t size)
{
    while (size > 0) {
        if (t->used == BUFFER) flush(t, Z_NO_FLUSH);
        const size_t n = PM_MIN(size, BUFFER - t->used);
        memcpy(t->buffer + t->used, bytes, n);
        t->used += n;
        bytes += n;
        size -= n;
    }
}

void pm_text_raw(pm_text *t, const char *raw)
{
    put(t, raw, strlen(raw));
}

static void separate(pm_text *t)
{
    if (t->in_line) put(t, &t->delimiter, 1);
    t->in_line = true;
}

void pm_text_id(pm_text *t, const char *id)
{
    separate(t);
    // Also what could be taken for another delimiter in the first line, and a mark that reading would drop.
    if (*id && !strpbrk(id, "\",;\t\r") && !strstr(id, "::") && strncmp(id, "\xEF\xBB\xBF", 3) != 0) {
        pm_text_raw(t, id);
        return;
    }
    put(t, "\"", 1);
    for (; *id; id++) put(t, *id == '"' ? "\"\"" : id, *id == '"' ? 2 : 1);
    put(t, "\"", 1);
}

void pm_text_integer(pm_text *t, int64_t value)
{
    char digits[24];
    separate(t);
    put(t, digits, (size_t)snprintf(digits, sizeof digits, "%" PRId64, value));
}

void pm_text_value(pm_text *t, float value)
{
    char digits[40];
    if (value == (float)(int)PM_MAX(-1e6f, PM_MIN(1e6f, value)) && !(value == 0.0f && signbit(value))) {
        pm_text_integer(t, (int)value);
        return;
    }
    separate(t);
    int n = 0;
    for (int precision = 6; precision <= 9; precision++) {
        float back;
        n = snprintf(digits, sizeof digits, "%.*g", precision, (double)value);
        if (sscanf(digits, "%f", &back) == 1 && back == value) break;
    }
    for (int k = 0; k < n; k++)
        if (digits[k] == ',') digits[k] = '.';    // a locale's
    put(t, digits, (size_t)n);
}

void pm_text_number(pm_text *t, double value)
{
    char digits[40] = "";
    separate(t);
    if (isfinite(value)) snprintf(digits, sizeof digits, "%.10g", value);
    for (char *at = digits; *at; at++)
        if (*at == ',') *at = '.';    // a locale's
    pm_text_raw(t, digits);
}

void pm_text_end_line(pm_text *t)
{
    put(t, "\n", 1);
    t->in_line = false;
}

pm_status pm_text_commit(pm_text **text)
{
    pm_text *t = *text;
    *text = NULL;
    flush(t, Z_FINISH);
    pm_status st = t->status;
    if (st == PM_OK) st = pm_file_commit(&t->file);
    pm_free(t);    // discards the file where it was not committed
    return st;
}
