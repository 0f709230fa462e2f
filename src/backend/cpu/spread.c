// Spreading a body over the threads.
#include "backend/cpu/cpu.h"

// Work is counted in copied elements. A part holds about PART of them; below ALONE (about 0.1 ms) one thread does it all: a
// second one that is not running at that moment would be waited for much longer.
// BLOCK: columns of a wide row; LINE and WIDEST: columns of a part of a column sum, from a cache line to a page.
enum { PART = 16384, ALONE = 1 << 19, BLOCK = 4096, LINE = 16, WIDEST = 1024 };

typedef struct spread {
    const pm_call *call;
    pm_cpu_body   *body;
    int64_t        rows, cols, blocks;
} spread;

static void run_blocks(void *arg, int64_t begin, int64_t end)
{
    const spread *s = arg;
    for (int64_t u = begin; u < end; u++) {
        const int64_t lo = u % s->blocks * BLOCK;
        s->body(s->call, u / s->blocks, lo, PM_MIN(lo + BLOCK, s->cols));
    }
}

static void run_range(void *arg, int64_t begin, int64_t end)
{
    const spread *s = arg;
    s->body(s->call, 0, begin, end);
}

static int threads_for(const pm_call *c, int64_t units, int64_t work_per_unit)
{
    return units * work_per_unit < ALONE ? 1 : c->threads;
}

pm_status pm_cpu_each(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t cols, int64_t cost)
{
    spread s = { c, body, rows, cols, (cols + BLOCK - 1) / BLOCK };
    if (rows > 0 && cols > 0)
        pm_parallel_for(threads_for(c, rows * cols, cost), rows * s.blocks, PM_MAX(1, PART / (cost * PM_MIN(cols, BLOCK))), run_blocks, &s);
    return PM_OK;
}

pm_status pm_cpu_flat(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t cols, int64_t cost)
{
    const pm_signature *sig = &pm_op_table[c->op].sig;
    pm_view views[PM_MAX_OPERANDS];
    const int count = sig->ins + sig->outs;
    for (int i = 0; i < count; i++) {
        views[i] = c->in[i];    // outputs follow the inputs
        if (views[i].rows != rows || views[i].cols != cols) continue;    // an operand of one element, such as a rate
        if (views[i].stride != cols && rows > 1) return pm_cpu_each(c, body, rows, cols, cost);
        views[i].rows = 1;
        views[i].cols = views[i].stride = rows * cols;
    }
    pm_call flat = *c;
    flat.in = views;
    flat.out = views + sig->ins;
    return pm_cpu_each(&flat, body, 1, rows * cols, cost);
}

pm_status pm_cpu_rows(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t work_per_row)
{
    return pm_cpu_streams(c, body, rows, work_per_row, 1);
}

pm_status pm_cpu_sums(const pm_call *c, pm_cpu_body *body, const pm_view *ptr, int64_t cols)
{
    enum { ADDED = 2 };    // about so many elements, in the cache, in the time that one is copied
    const int64_t rows = ptr->cols - 1, entries = pm_row_u32(ptr, 0)[rows];
    return pm_cpu_rows(c, body, rows, cols + cols * entries / (ADDED * PM_MAX(rows, 1)));
}

pm_status pm_cpu_streams(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t work_per_row, int64_t least)
{
    spread s = { .call = c, .body = body };
    const int64_t work = PM_MAX(1, work_per_row), even = rows / (8 * c->threads);    // parts enough for all threads to end together
    if (rows > 0) pm_parallel_for(threads_for(c, rows, work), rows, PM_MAX(PM_MAX(1, PART / work), PM_MIN(least, even)), run_range, &s);
    return PM_OK;
}

pm_status pm_cpu_cols(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t cols)
{
    spread s = { .call = c, .body = body };
    const int threads = threads_for(c, rows, cols);
    const int64_t part = (cols / (4 * threads) + LINE - 1) / LINE * LINE;    // a column is summed alike in any part
    if (cols > 0) pm_parallel_for(threads, cols, PM_MIN(PM_MAX(part, LINE), WIDEST), run_range, &s);
    return PM_OK;
}

pm_status pm_cpu_ranges(const pm_call *c, pm_cpu_body *body, int64_t n, int64_t work)
{
    spread s = { .call = c, .body = body };
    const int threads = threads_for(c, 1, work);
    const int64_t parts = threads > 1 ? 2 * threads : 1;
    if (n > 0) pm_parallel_for(threads, n, (n + parts - 1) / parts, run_range, &s);
    return PM_OK;
}

pm_status pm_cpu_stripes(const pm_call *c, pm_cpu_body *body, int64_t cols)
{
    spread s = { .call = c, .body = body };
    if (cols > 0) pm_parallel_for(c->threads, cols, PM_TILE_COLS, run_range, &s);
    return PM_OK;
}
