// Spreading a body over the threads.
#include "backend/cpu/cpu.h"

enum { PART = 16384, BLOCK = 4096, TILE = 256 };    // elements of a part, columns of a block of a wide row, of a column tile

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

pm_status pm_cpu_each(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t cols)
{
    spread s = { c, body, rows, cols, (cols + BLOCK - 1) / BLOCK };
    if (rows > 0 && cols > 0)
        pm_parallel_for(c->threads, rows * s.blocks, PM_MAX(1, PART / PM_MIN(cols, BLOCK)), run_blocks, &s);
    return PM_OK;
}

pm_status pm_cpu_flat(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t cols)
{
    const pm_signature *sig = &pm_op_table[c->op].sig;
    pm_view views[PM_MAX_OPERANDS];
    const int count = sig->ins + sig->outs;
    for (int i = 0; i < count; i++) {
        views[i] = c->in[i];    // outputs follow the inputs
        if (views[i].rows != rows || views[i].cols != cols) continue;    // an operand of one element, such as a rate
        if (views[i].stride != cols && rows > 1) return pm_cpu_each(c, body, rows, cols);
        views[i].rows = 1;
        views[i].cols = views[i].stride = rows * cols;
    }
    pm_call flat = *c;
    flat.in = views;
    flat.out = views + sig->ins;
    return pm_cpu_each(&flat, body, 1, rows * cols);
}

pm_status pm_cpu_rows(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t work_per_row)
{
    spread s = { .call = c, .body = body };
    if (rows > 0) pm_parallel_for(c->threads, rows, PM_MAX(1, PART / PM_MAX(1, work_per_row)), run_range, &s);
    return PM_OK;
}

pm_status pm_cpu_cols(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t cols)
{
    spread s = { .call = c, .body = body };
    const int64_t tiles = PM_MAX(1, PART / PM_MAX(1, rows) / TILE);
    if (cols > 0) pm_parallel_for(c->threads, cols, tiles * TILE, run_range, &s);
    return PM_OK;
}
