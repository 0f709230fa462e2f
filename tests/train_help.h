// What the tests of files of the train tier share, beside data_help.h: memory that runs out, a disk that is full.
#ifndef TRAIN_HELP_H
#define TRAIN_HELP_H

#include "data_help.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include <cJSON.h>

// Allocation number `at` fails, and with `for_good` all after it; at < 0: none. cJSON draws from the same count.
typedef struct failing {
    int64_t at, count, live;
    bool    for_good;
} failing;
static failing memory;

static void *failing_alloc(void *user, size_t size)
{
    (void)user;
    const int64_t n = memory.count++;
    if (memory.at >= 0 && (memory.for_good ? n >= memory.at : n == memory.at)) {
        errno = ENOMEM;
        return NULL;
    }
    memory.live++;
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void failing_release(void *user, void *ptr)
{
    (void)user;
    memory.live -= ptr != NULL;
    free(ptr);
}

static void *failing_malloc(size_t size)
{
    return failing_alloc(NULL, size);
}

static void failing_free(void *ptr)
{
    failing_release(NULL, ptr);
}

// Calls body with the first, second, … allocation failing, once and for good, until it no longer fails. Each failure must be
// PM_ERR_NOMEM and nothing may leak.
static inline void fail_every_allocation(pm_status (*body)(pm_ctx *ctx, fixture *f), fixture *f)
{
    const pm_allocator allocator = { failing_alloc, failing_release, NULL };
    cJSON_InitHooks(&(cJSON_Hooks){ failing_malloc, failing_free });
    for (int for_good = 0; for_good < 2; for_good++) {
        pm_status st = PM_ERR_NOMEM;
        int64_t n = 0;
        for (; st != PM_OK; n++) {
            pm_ctx *ctx;
            memory = (failing){ .at = -1, .for_good = for_good };
            assert_int_equal(pm_ctx_create(&(pm_ctx_params){ .allocator = &allocator }, &ctx), PM_OK);
            memory.at = n + memory.count;
            st = body(ctx, f);
            if (st != PM_OK && st != PM_ERR_NOMEM)
                fail_msg("allocation %d: %s: %s", (int)n, pm_status_name(st), pm_ctx_message(ctx));
            pm_ctx_destroy(&ctx);
            assert_int_equal(memory.live, 0);
        }
        assert_true(n > 3);    // it did allocate
    }
    cJSON_InitHooks(NULL);
}

// No file may grow beyond `bytes`; RLIM_INFINITY lifts it.
static inline void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = PM_MIN(bytes, limit.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static inline char *slurp(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *data = calloc(1, *size + 1);
    assert_int_equal(fread(data, 1, *size, file), *size);
    fclose(file);
    return data;
}

static inline void says(const fixture *f, const char *part)
{
    if (!strstr(pm_ctx_message(f->ctx), part)) fail_msg("'%s' is not in: %s", part, pm_ctx_message(f->ctx));
}

#endif
