// Plain, gzip and zstd streams behind one read call.
#define _POSIX_C_SOURCE 200809L
#include "data/source.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include <zlib.h>
#include <zstd.h>

enum { IN_SIZE = 1 << 16 };
typedef enum kind { PLAIN, GZIP, ZSTD } kind;

struct pm_source {
    char         *path;
    FILE         *file;
    kind          kind;
    int64_t       done, total;
    unsigned char in[IN_SIZE];
    size_t        in_begin, in_end;
    bool          file_ended, in_frame;    // in_frame: a compressed frame has begun and not ended
    z_stream      z;
    bool          z_open;
    ZSTD_DStream *zstd;
};

static void close_source(void *ptr)
{
    pm_source *s = ptr;
    if (s->file) fclose(s->file);
    if (s->z_open) inflateEnd(&s->z);
    ZSTD_freeDStream(s->zstd);    // accepts NULL
    s->file = NULL;
    s->zstd = NULL;
    s->z_open = false;
}

static void *zlib_alloc(void *source, unsigned items, unsigned size)
{
    return pm_alloc_array(source, items, size);
}

static void zlib_free(void *source, void *ptr)
{
    (void)source;
    pm_free(ptr);
}

static pm_status refill(pm_source *s)
{
    s->in_begin = 0;
    s->in_end = fread(s->in, 1, IN_SIZE, s->file);
    PM_REQUIRE(s, !ferror(s->file), PM_ERR_IO, "%s: cannot read: %s", s->path, strerror(errno));
    s->file_ended = s->in_end == 0;
    s->done += (int64_t)s->in_end;
    return PM_OK;
}

static pm_status open_decoder(pm_source *s)
{
    const unsigned char *m = s->in;
    const size_t n = s->in_end;
    if (n >= 2 && m[0] == 0x1f && m[1] == 0x8b) {
        s->kind = GZIP;
        s->z.zalloc = zlib_alloc;
        s->z.zfree = zlib_free;
        s->z.opaque = s;
        if (inflateInit2(&s->z, 15 + 16) != Z_OK) return PM_ERR_NOMEM;
        s->z_open = true;
    } else if (n >= 4 && m[0] == 0x28 && m[1] == 0xb5 && m[2] == 0x2f && m[3] == 0xfd) {
        s->kind = ZSTD;
        s->zstd = ZSTD_createDStream();
        PM_REQUIRE(s, s->zstd, PM_ERR_NOMEM, "%s: no memory for the zstd decoder", s->path);
    }
    return PM_OK;
}

static pm_status source_init(pm_source *s, const char *path)
{
    pm_set_destructor(s, close_source);
    s->path = pm_strdup(s, path);
    PM_CHECK_ALLOC(s->path);
    s->file = fopen(path, "rb");
    PM_REQUIRE(s, s->file, PM_ERR_IO, "%s: cannot open: %s", path, strerror(errno));
    struct stat st;
    PM_REQUIRE(s, fstat(fileno(s->file), &st) == 0 && !S_ISDIR(st.st_mode), PM_ERR_IO, "%s: is a folder, not a file", path);
    s->total = st.st_size;
    PM_TRY(refill(s));
    return open_decoder(s);
}

pm_status pm_source_open(const void *parent, const char *path, pm_source **out)
{
    *out = NULL;
    pm_source *s = pm_new(parent, pm_source);
    PM_CHECK_ALLOC(s);
    const pm_status st = source_init(s, path);
    if (st != PM_OK) {
        pm_free(s);
        return st;
    }
    *out = s;
    return PM_OK;
}

void pm_source_position(const pm_source *s, int64_t *done, int64_t *total)
{
    *done = s->done - (int64_t)(s->in_end - s->in_begin);
    *total = s->total;
}

static pm_status truncated(pm_source *s, const char *what)
{
    return pm_fail(s, PM_ERR_DATA,
                   "%s: truncated: the %s stream ends early, after %" PRId64
                   " bytes of the file; fetch or make the file again",
                   s->path, what, s->done);
}

static pm_status damaged(pm_source *s, const char *what, const char *reason)
{
    int64_t at, total;
    pm_source_position(s, &at, &total);
    return pm_fail(s, PM_ERR_DATA, "%s: damaged %s stream near byte %" PRId64 ": %s; fetch or make the file again", s->path,
                   what, at, reason);
}

static pm_status step_gzip(pm_source *s, char *buffer, size_t size, size_t *got)
{
    s->z.next_in = s->in + s->in_begin;
    s->z.avail_in = (unsigned)(s->in_end - s->in_begin);
    s->z.next_out = (unsigned char *)buffer;
    s->z.avail_out = (unsigned)PM_MIN(size, (size_t)1 << 30);
    const unsigned offered = s->z.avail_out;
    const int code = inflate(&s->z, Z_NO_FLUSH);
    s->in_begin = s->in_end - s->z.avail_in;
    *got = offered - s->z.avail_out;
    s->in_frame = code != Z_STREAM_END;
    if (code == Z_STREAM_END) inflateReset(&s->z);    // another member may follow
    if (code == Z_MEM_ERROR) return PM_ERR_NOMEM;
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return damaged(s, "gzip", s->z.msg ? s->z.msg : "not gzip");
    return PM_OK;
}

static pm_status step_zstd(pm_source *s, char *buffer, size_t size, size_t *got)
{
    ZSTD_inBuffer in = { s->in + s->in_begin, s->in_end - s->in_begin, 0 };
    ZSTD_outBuffer out = { buffer, size, 0 };
    const size_t code = ZSTD_decompressStream(s->zstd, &out, &in);
    s->in_begin += in.pos;
    *got = out.pos;
    if (ZSTD_isError(code)) return damaged(s, "zstd", ZSTD_getErrorName(code));
    s->in_frame = code != 0;
    return PM_OK;
}

pm_status pm_source_read(pm_source *s, char *buffer, size_t size, size_t *got)
{
    *got = 0;
    while (*got == 0 && size > 0) {
        if (s->in_begin == s->in_end && !s->file_ended) PM_TRY(refill(s));
        if (s->kind == PLAIN) {
            *got = PM_MIN(size, s->in_end - s->in_begin);
            memcpy(buffer, s->in + s->in_begin, *got);
            s->in_begin += *got;
            return PM_OK;
        }
        const bool starved = s->in_begin == s->in_end;    // the decoder may still hold output
        if (starved && !s->in_frame) return PM_OK;
        PM_TRY(s->kind == GZIP ? step_gzip(s, buffer, size, got) : step_zstd(s, buffer, size, got));
        if (starved && *got == 0 && s->in_frame) return truncated(s, s->kind == GZIP ? "gzip" : "zstd");
    }
    return PM_OK;
}
