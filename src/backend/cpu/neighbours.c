// Item-item similarities: what of them is no vector loop.
#include "backend/cpu/cpu.h"

// Exact for rows of one value, whatever it is: they differ from their first entry by nothing.
static void center_rows(const pm_call *c, int64_t unused, int64_t lo, int64_t hi)
{
    (void)unused;
    const uint32_t *ptr = pm_row_u32(&c->in[0], 0);
    const float *val = pm_row(&c->in[1], 0);
    float *y = pm_row(&c->out[0], 0);
    for (int64_t b = lo; b < hi; b++) {
        const float first = ptr[b] < ptr[b + 1] ? val[ptr[b]] : 0.0f;
        double sum = 0;
        for (uint32_t e = ptr[b]; e < ptr[b + 1]; e++) sum += (double)(val[e] - first);
        const float mean = ptr[b] < ptr[b + 1] ? (float)((double)first + sum / (double)(ptr[b + 1] - ptr[b])) : 0.0f;
        *pm_row(&c->out[1], b) = mean;
        for (uint32_t e = ptr[b]; e < ptr[b + 1]; e++) y[e] = val[e] - mean;
    }
    if (hi == c->out[1].rows) memset(y + ptr[hi], 0, sizeof(float) * (size_t)(c->out[0].cols - ptr[hi]));
}

pm_status pm_cpu_csr_center(const pm_call *c)
{
    return pm_cpu_rows(c, center_rows, c->out[1].rows, 1 + 2 * c->in[1].cols / PM_MAX(c->out[1].rows, 1));
}

static void similarity_row(const pm_call *c, int64_t b, int64_t lo, int64_t hi)
{
    const pm_similarity_params *q = c->params;
    const float *g = pm_row(&c->in[0], b), *size = pm_row(&c->in[2], 0);
    const int64_t row = pm_row_u32(&c->in[1], 0)[b];
    const float own = size[row];
    float *y = pm_row(&c->out[0], b);
    for (int64_t i = lo; i < hi; i++) {
        const float under = (q->joint ? own + size[i] - g[i] : own * size[i]) + q->shrink;
        y[i] = i != row && g[i] > 0 && under > 0 ? g[i] / under : 0.0f;
    }
}

pm_status pm_cpu_similarity(const pm_call *c)
{
    return pm_cpu_each(c, similarity_row, c->out[0].rows, c->out[0].cols, 4);
}

static void index_row(const pm_call *c, int64_t i, int64_t lo, int64_t hi)
{
    const float *x = pm_row(&c->in[0], i);
    uint32_t *y = pm_row_u32(&c->out[0], i);
    for (int64_t j = lo; j < hi; j++) y[j] = x[j] > 0 ? (uint32_t)PM_MIN(x[j], 16777216.0f) : 0;
}

pm_status pm_cpu_to_u32(const pm_call *c)
{
    return pm_cpu_each(c, index_row, c->out[0].rows, c->out[0].cols, 1);
}
