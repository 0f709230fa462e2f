// Kernels of the linear group that are neither a product nor a body of every instruction set.
#include "backend/cpu/cpu.h"

// ---- gram ----

static void gram_rows(const pm_call *c, int64_t unused, int64_t lo, int64_t hi)
{
    (void)unused;
    const uint32_t *aptr = pm_row_u32(&c->in[0], 0), *arow = pm_row_u32(&c->in[1], 0), *ptr = pm_row_u32(&c->in[3], 0), *col = pm_row_u32(&c->in[4], 0);
    const float *aval = pm_row(&c->in[2], 0), *val = pm_row(&c->in[5], 0);
    for (int64_t b = lo; b < hi; b++) {
        float *y = pm_row(&c->out[0], b);
        memset(y, 0, sizeof(float) * (size_t)c->out[0].cols);
        for (uint32_t f = aptr[b]; f < aptr[b + 1]; f++) {
            const float v = aval[f];
            for (uint32_t e = ptr[arow[f]], end = ptr[arow[f] + 1]; e < end; e++) y[col[e]] += v * val[e];
        }
    }
}

pm_status pm_cpu_gram(const pm_call *c)
{
    const int64_t rows = c->out[0].rows, users = c->in[3].cols - 1;
    if (rows == 0) return PM_OK;
    return pm_cpu_rows(c, gram_rows, rows, c->out[0].cols + c->in[1].cols / rows * (1 + c->in[4].cols / PM_MAX(users, 1)));
}
