// Making a batch from a resident CSR matrix.
#include "backend/cpu/cpu.h"

static const uint32_t *ids(const pm_view *v)
{
    return pm_row_u32(v, 0);
}

pm_status pm_cpu_csr_rows_ptr(const pm_call *c)
{
    const uint32_t *indptr = ids(&c->in[0]), *rows = ids(&c->in[1]), live = *ids(&c->in[2]);
    uint32_t *ptr = pm_row_u32(&c->out[0], 0);
    ptr[0] = 0;
    for (int64_t b = 0; b < c->in[1].cols; b++) ptr[b + 1] = ptr[b] + (b < live ? indptr[rows[b] + 1] - indptr[rows[b]] : 0);
    return PM_OK;
}

static void take_rows(const pm_call *c, int64_t unused, int64_t lo, int64_t hi)
{
    (void)unused;
    const uint32_t *indptr = ids(&c->in[0]), *col = ids(&c->in[1]), *rows = ids(&c->in[3]), *ptr = ids(&c->in[4]);
    const int64_t batch = c->in[3].cols;
    const float *val = pm_row(&c->in[2], 0);
    uint32_t *out_col = pm_row_u32(&c->out[0], 0);
    float *out_val = pm_row(&c->out[1], 0);
    for (int64_t b = lo; b < hi; b++) {
        const uint32_t room = ptr[b + 1] - ptr[b], from = indptr[rows[b]];
        const uint32_t n = PM_MIN(indptr[rows[b] + 1] - from, room);
        memcpy(out_col + ptr[b], col + from, sizeof *col * n);
        memcpy(out_val + ptr[b], val + from, sizeof *val * n);
        memset(out_col + ptr[b] + n, 0, sizeof *col * (room - n));
        memset(out_val + ptr[b] + n, 0, sizeof *val * (room - n));
    }
    for (int k = 0; k < 2; k++) pm_cpu_clear_share(&c->out[k], ptr[batch], lo, hi, batch);
}

pm_status pm_cpu_csr_rows_take(const pm_call *c)
{
    const int64_t batch = c->in[3].cols;
    return pm_cpu_rows(c, take_rows, batch, 2 * c->out[0].cols / PM_MAX(batch, 1));
}

pm_status pm_cpu_csr_col_count(const pm_call *c)
{
    const uint32_t *col = ids(&c->in[0]);
    uint32_t *count = pm_row_u32(&c->out[0], 0);
    memset(count, 0, sizeof *count * (size_t)c->out[0].cols);
    for (int64_t e = 0; e < c->in[0].cols; e++) count[col[e]]++;
    return PM_OK;
}
