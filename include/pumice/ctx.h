// The context: allocator, log, thread count, last error, cancellation. The root of every object's lifetime: an object
// hangs from its parent (ultimately from a context) and goes with it. A context and its objects belong to one thread at a
// time; pm_ctx_cancel alone may be called from anywhere.
#ifndef PUMICE_CTX_H
#define PUMICE_CTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pumice/status.h>

PM_API_BEGIN

typedef struct pm_ctx pm_ctx;

typedef enum pm_log_level { PM_LOG_ERROR, PM_LOG_WARN, PM_LOG_INFO, PM_LOG_DEBUG } pm_log_level;

// Receives one line of log, without its newline. The library itself never prints.
typedef void (*pm_log_fn)(void *user, pm_log_level level, const char *line);

// Where memory comes from. `alloc` returns memory aligned for any type, or NULL; `release` takes what alloc gave, never NULL.
typedef struct pm_allocator {
    void *(*alloc)(void *user, size_t size);
    void (*release)(void *user, void *ptr);
    void *user;
} pm_allocator;

// What the library tells about work under way: `done` of `total` units ("users", "steps"); total 0 when unknown.
typedef struct pm_progress {
    const char *what;    // "train", "evaluate", "read ratings.dat"
    const char *unit;    // "steps", "users", "bytes"
    const char *note;    // last validation value and the like; may be NULL
    int64_t     done, total;
    double      seconds;    // since the work began
} pm_progress;
typedef void (*pm_progress_fn)(void *user, const pm_progress *progress);

typedef struct pm_ctx_params {
    pm_log_fn           log;            // NULL: log lines are dropped
    void               *log_user;
    pm_log_level        log_level;      // lines above it are not made
    pm_progress_fn      progress;       // NULL: none
    void               *progress_user;
    const pm_allocator *allocator;      // NULL: aligned_alloc and free
    int                 threads;        // 0: one per core, as OpenMP counts them
} pm_ctx_params;

// Creates a context. params may be NULL for all defaults. On failure *out is NULL.
// Errors    PM_ERR_ARG when threads is negative or above 1024; PM_ERR_NOMEM
pm_status pm_ctx_create(const pm_ctx_params *params, pm_ctx **out);

// Destroys the context with everything that hangs from it; accepts a null handle, leaves null.
void pm_ctx_destroy(pm_ctx **ctx);

// The sentence of the last failure, "" when there was none. Valid until the next call that fails.
const char *pm_ctx_message(const pm_ctx *ctx);

// How many threads the CPU backends use.
int pm_ctx_threads(const pm_ctx *ctx);

// Asks work under way to stop at the next safe point with PM_ERR_CANCELLED. Safe in a signal handler.
void pm_ctx_cancel(pm_ctx *ctx);
bool pm_ctx_cancelled(const pm_ctx *ctx);

// Clears a cancellation, so that the context can be used again.
void pm_ctx_resume(pm_ctx *ctx);

PM_API_END
#endif
