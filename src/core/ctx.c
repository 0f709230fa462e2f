// Context, log, and the object tree that hangs from it.
#ifdef __linux__
#define _DEFAULT_SOURCE    // madvise
#include <sys/mman.h>
#endif

#include "core/core.h"
#include "core/parallel.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <omp.h>

// LARGE: from here on memory comes in pages of HUGE where the system has them.
enum { ALIGNMENT = 64, MESSAGE_SIZE = 1024, ZERO_PIECE = 1 << 20, HUGE = 1 << 21, LARGE = 1 << 22 };

typedef struct block {
    struct block *parent, *first, *prev, *next;    // first: the youngest child
    pm_ctx       *ctx;
    void (*destructor)(void *);
    size_t   size;
    uint64_t magic;    // catches a pointer that never came from pm_alloc
} block;
_Static_assert(sizeof(block) % ALIGNMENT == 0, "what follows a block header must stay aligned");

static const uint64_t block_magic = 0x50756d6963652131u;

struct pm_ctx {
    pm_ctx_params params;
    pm_allocator  allocator;
    int           threads;
    atomic_int    cancelled;
    char          message[MESSAGE_SIZE];
};

static void *default_alloc(void *user, size_t size)
{
    (void)user;
    const size_t unit = size < LARGE ? ALIGNMENT : HUGE, whole = (size + unit - 1) / unit * unit;
    void *memory = aligned_alloc(unit, whole);
#ifdef MADV_HUGEPAGE
    if (memory && unit == HUGE) madvise(memory, whole, MADV_HUGEPAGE);    // advice: refused, the pages are small
#endif
    return memory;
}

static void default_release(void *user, void *ptr)
{
    (void)user;
    free(ptr);
}

static block *block_of(const void *ptr)
{
    block *b = (block *)ptr - 1;
    PM_ASSERT(b->magic == block_magic);
    return b;
}

pm_ctx *pm_ctx_of(const void *object)
{
    return block_of(object)->ctx;
}

static void link_block(block *b, block *parent)
{
    b->parent = parent;
    b->prev = NULL;
    b->next = parent ? parent->first : NULL;
    if (b->next) b->next->prev = b;
    if (parent) parent->first = b;
}

static void unlink_block(block *b)
{
    if (b->prev) b->prev->next = b->next;
    else if (b->parent) b->parent->first = b->next;
    if (b->next) b->next->prev = b->prev;
    b->parent = b->prev = b->next = NULL;
}

static void zero_piece(void *arg, int64_t begin, int64_t end)
{
    memset((char *)arg + begin, 0, (size_t)(end - begin));
}

static void *raw_alloc(const pm_allocator *a, size_t size, int threads)
{
    if (size > PTRDIFF_MAX - sizeof(block) - ALIGNMENT) return NULL;
    block *b = a->alloc(a->user, sizeof(block) + size);
    if (!b) return NULL;
    *b = (block){ .size = size, .magic = block_magic };
    pm_parallel_for(threads, (int64_t)size, ZERO_PIECE, zero_piece, b + 1);
    return b + 1;
}

static void *alloc_below(const void *parent, size_t size, int threads)
{
    block *up = block_of(parent);
    void *ptr = raw_alloc(&up->ctx->allocator, size, threads);
    if (!ptr) {
        pm_fail(parent, PM_ERR_NOMEM, "no memory for %zu bytes", size);
        return NULL;
    }
    block_of(ptr)->ctx = up->ctx;
    link_block(block_of(ptr), up);
    return ptr;
}

void *pm_alloc(const void *parent, size_t size)
{
    return alloc_below(parent, size, 1);
}

void *pm_alloc_shared(const void *parent, size_t size)
{
    return alloc_below(parent, size, pm_ctx_of(parent)->threads);
}

void *pm_alloc_array(const void *parent, int64_t count, size_t size)
{
    int64_t total;
    if (count < 0 || !pm_mul_size(count, (int64_t)size, &total)) {
        pm_fail(parent, PM_ERR_NOMEM, "no memory for %" PRId64 " elements of %zu bytes", count, size);
        return NULL;
    }
    return pm_alloc(parent, (size_t)total);
}

pm_status pm_grow_array(const void *parent, void **ptr, int64_t count, size_t size)
{
    void *grown = pm_alloc_array(parent, count, size);
    PM_CHECK_ALLOC(grown);
    if (*ptr) {
        memcpy(grown, *ptr, PM_MIN(block_of(*ptr)->size, block_of(grown)->size));
        pm_free(*ptr);
    }
    *ptr = grown;
    return PM_OK;
}

char *pm_strdup(const void *parent, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = pm_alloc(parent, size);
    if (copy) memcpy(copy, text, size);
    return copy;
}

char *pm_sprintf(const void *parent, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : pm_alloc(parent, (size_t)length + 1);
    if (text) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void pm_set_destructor(void *ptr, void (*destructor)(void *ptr))
{
    block_of(ptr)->destructor = destructor;
}

void pm_move(void *ptr, const void *new_parent)
{
    block *b = block_of(ptr);
    unlink_block(b);
    link_block(b, block_of(new_parent));
}

void pm_free(void *ptr)
{
    if (!ptr) return;
    block *b = block_of(ptr);
    if (b->destructor) b->destructor(ptr);
    while (b->first) pm_free(b->first + 1);
    unlink_block(b);
    const pm_allocator a = b->ctx->allocator;    // a copy: the context itself may be the block
    b->magic = 0;
    a.release(a.user, b);
}

pm_status pm_ctx_create(const pm_ctx_params *params, pm_ctx **out)
{
    *out = NULL;
    const pm_ctx_params none = { 0 };
    if (!params) params = &none;
    if (params->threads < 0 || params->threads > 1024) return PM_ERR_ARG;
    const pm_allocator heap = { default_alloc, default_release, NULL };
    const pm_allocator allocator = params->allocator ? *params->allocator : heap;
    pm_ctx *ctx = raw_alloc(&allocator, sizeof *ctx, 1);
    if (!ctx) return PM_ERR_NOMEM;
    block_of(ctx)->ctx = ctx;
    ctx->params = *params;
    ctx->params.allocator = NULL;    // borrowed for the call only
    ctx->allocator = allocator;
    ctx->threads = params->threads ? params->threads : omp_get_max_threads();
    atomic_init(&ctx->cancelled, 0);
    *out = ctx;
    return PM_OK;
}

void pm_ctx_destroy(pm_ctx **ctx)
{
    if (!ctx) return;
    pm_free(*ctx);
    *ctx = NULL;
}

const char *pm_ctx_message(const pm_ctx *ctx)
{
    return ctx->message;
}

int pm_ctx_threads(const pm_ctx *ctx)
{
    return ctx->threads;
}

void pm_ctx_cancel(pm_ctx *ctx)
{
    atomic_store(&ctx->cancelled, 1);
}

bool pm_ctx_cancelled(const pm_ctx *ctx)
{
    return atomic_load(&((pm_ctx *)ctx)->cancelled) != 0;
}

void pm_ctx_resume(pm_ctx *ctx)
{
    atomic_store(&ctx->cancelled, 0);
}

pm_status pm_fail(const void *object, pm_status status, const char *format, ...)
{
    pm_ctx *ctx = pm_ctx_of(object);
    char message[MESSAGE_SIZE];    // the arguments may be the last message itself
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    memcpy(ctx->message, message, sizeof message);
    if (ctx->params.log) ctx->params.log(ctx->params.log_user, PM_LOG_ERROR, ctx->message);
    return status;
}

void pm_log(const void *object, pm_log_level level, const char *format, ...)
{
    pm_ctx *ctx = pm_ctx_of(object);
    if (!ctx->params.log || level > ctx->params.log_level) return;
    char line[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    ctx->params.log(ctx->params.log_user, level, line);
}

void pm_report_progress(const void *object, const pm_progress *progress)
{
    const pm_ctx *ctx = pm_ctx_of(object);
    if (ctx->params.progress) ctx->params.progress(ctx->params.progress_user, progress);
}
