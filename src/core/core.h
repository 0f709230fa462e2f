// What every file of Pumice may use: checks, the object tree, checked sizes, small strings, time.
#ifndef PM_CORE_H
#define PM_CORE_H

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include <pumice/ctx.h>

#if defined(__GNUC__)
#define PM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PM_PRINTF(fmt, args)
#endif

#define PM_COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define PM_MIN(a, b) ((a) < (b) ? (a) : (b))
#define PM_MAX(a, b) ((a) > (b) ? (a) : (b))

// ---- failing -------------------------------------------------------------------------------------------------------

// Keeps the sentence in the context of `object`, logs it, returns `status`. object may be a context or any object.
pm_status pm_fail(const void *object, pm_status status, const char *format, ...) PM_PRINTF(3, 4);
void pm_log(const void *object, pm_log_level level, const char *format, ...) PM_PRINTF(3, 4);
void pm_report_progress(const void *object, const pm_progress *progress);

// The caller is at fault: says so and returns.
#define PM_REQUIRE(object, cond, status, ...)                 \
    do {                                                      \
        if (!(cond)) return pm_fail(object, status, __VA_ARGS__); \
    } while (0)

// Somebody below failed and has said why: passes the code up.
#define PM_TRY(expr)                          \
    do {                                      \
        pm_status try_status_ = (expr);       \
        if (try_status_ != PM_OK) return try_status_; \
    } while (0)

// We are at fault: stops a debug build.
#ifdef NDEBUG
#define PM_ASSERT(cond) ((void)sizeof(cond))
#else
#include <assert.h>
#define PM_ASSERT(cond) assert(cond)
#endif

// ---- the object tree -----------------------------------------------------------------------------------------------
// Memory hangs from a parent and goes with it, children before parents, last born first. All blocks are zeroed and aligned
// to 64 bytes. NULL when memory is out, with the failure already reported: callers return PM_ERR_NOMEM (PM_CHECK_ALLOC).

void *pm_alloc(const void *parent, size_t size);
// For a large block that all threads work on: they zero it, so that on machines with several memories its pages lie in all of them.
void *pm_alloc_shared(const void *parent, size_t size);
void *pm_alloc_array(const void *parent, int64_t count, size_t size);
// Grows or shrinks an array of `parent`; *ptr may be NULL. On failure *ptr is as it was.
pm_status pm_grow_array(const void *parent, void **ptr, int64_t count, size_t size);
char *pm_strdup(const void *parent, const char *text);
char *pm_sprintf(const void *parent, const char *format, ...) PM_PRINTF(2, 3);
void pm_free(void *ptr);    // with everything that hangs from it; accepts NULL
// Called before the children of ptr go.
void pm_set_destructor(void *ptr, void (*destructor)(void *ptr));
// Hangs ptr from another parent of the same context.
void pm_move(void *ptr, const void *new_parent);
pm_ctx *pm_ctx_of(const void *object);

#define pm_new(parent, type) ((type *)pm_alloc(parent, sizeof(type)))
#define pm_new_array(parent, type, count) ((type *)pm_alloc_array(parent, count, sizeof(type)))
#define PM_CHECK_ALLOC(ptr)                 \
    do {                                    \
        if (!(ptr)) return PM_ERR_NOMEM;    \
    } while (0)

// ---- checked sizes: false, and *out untouched, on overflow ---------------------------------------------------------
bool pm_mul_size(int64_t a, int64_t b, int64_t *out);
bool pm_add_size(int64_t a, int64_t b, int64_t *out);

// ---- names ---------------------------------------------------------------------------------------------------------

// The entry of `names` nearest to `name` by edit distance, NULL when none is near: for "did you mean".
const char *pm_nearest_name(const char *name, const char *const *names, int count);
bool pm_name_equal(const char *a, const char *b);
uint64_t pm_hash64(const void *data, size_t size, uint64_t start);    // FNV-1a; start 0 for a fresh hash

double pm_clock(void);    // seconds, monotonic

#endif
