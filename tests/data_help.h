// What the tests of the data tier share: a temporary folder, files in it, a context that keeps its log.
#ifndef DATA_HELP_H
#define DATA_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "core/core.h"
#include "data/internal.h"

typedef struct fixture {
    char    folder[64];
    pm_ctx *ctx;
    int     warnings;
} fixture;

static inline void count_warnings(void *user, pm_log_level level, const char *line)
{
    (void)line;
    if (level == PM_LOG_WARN) ((fixture *)user)->warnings++;
}

static inline int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    strcpy(f->folder, "/tmp/pumice-data-XXXXXX");
    if (!mkdtemp(f->folder)) return -1;
    *state = f;
    return pm_ctx_create(&(pm_ctx_params){ .log = count_warnings, .log_user = f, .log_level = PM_LOG_WARN }, &f->ctx);
}

static inline void remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char path[1024];
        if (e->d_name[0] == '.' && (!e->d_name[1] || e->d_name[1] == '.')) continue;
        const int length = snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (length < (int)sizeof path && unlink(path) != 0) remove_folder(path);
    }
    if (dir) closedir(dir);
    rmdir(folder);
}

static inline int tear_down(void **state)
{
    fixture *f = *state;
    remove_folder(f->folder);
    pm_ctx_destroy(&f->ctx);
    free(f);
    return 0;
}

// The path of a file of the folder; one of many static buffers.
static inline const char *in_folder(const fixture *f, const char *name)
{
    static char path[64][256];
    static int next;
    next = (next + 1) % 64;
    snprintf(path[next], sizeof path[next], "%s/%s", f->folder, name);
    return path[next];
}

static inline const char *put(const fixture *f, const char *name, const void *data, size_t size)
{
    const char *path = in_folder(f, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
    return path;
}

static inline const char *put_text(const fixture *f, const char *name, const char *text)
{
    return put(f, name, text, strlen(text));
}

static inline size_t gzip_bytes(const void *data, size_t size, unsigned char *out, size_t capacity)
{
    z_stream z = { 0 };
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)data, z.avail_in = (unsigned)size;
    z.next_out = out, z.avail_out = (unsigned)capacity;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    const size_t written = z.total_out;
    deflateEnd(&z);
    return written;
}

static inline size_t zstd_bytes(const void *data, size_t size, unsigned char *out, size_t capacity)
{
    const size_t n = ZSTD_compress(out, capacity, data, size, 3);
    assert_false(ZSTD_isError(n));
    return n;
}

static inline pm_interactions *must_read(fixture *f, pm_read_params params)
{
    pm_interactions *in;
    const pm_status st = pm_data_read(f->ctx, &params, &in);
    if (st != PM_OK) fail_msg("%s: %s", params.path, pm_ctx_message(f->ctx));
    return in;
}

static inline void must_fail(fixture *f, pm_read_params params, pm_status status, const char *part)
{
    pm_interactions *in;
    assert_int_equal(pm_data_read(f->ctx, &params, &in), status);
    assert_null(in);
    if (!strstr(pm_ctx_message(f->ctx), part)) fail_msg("'%s' is not in: %s", part, pm_ctx_message(f->ctx));
}

static inline void must(fixture *f, pm_status status)
{
    if (status != PM_OK) fail_msg("%s: %s", pm_status_name(status), pm_ctx_message(f->ctx));
}

// The path of a real data file under PUMICE_DATA or beside the source tree; NULL, having said so, when it is not there.
static inline const char *real_data(const char *name)
{
    static char path[1024];
    const char *root = getenv("PUMICE_DATA"), *source = getenv("PUMICE_TEST_SOURCE");
    if (root) snprintf(path, sizeof path, "%s/%s", root, name);
    else snprintf(path, sizeof path, "%s/../shared/data/%s", source ? source : ".", name);
    if (access(path, R_OK) == 0) return path;
    print_message("skipped: no %s (set PUMICE_DATA)\n", path);
    return NULL;
}

#define DATA_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
