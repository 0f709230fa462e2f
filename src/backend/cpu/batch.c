// Making a batch from a resident CSR matrix, and its transpose.
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
}

pm_status pm_cpu_csr_rows_take(const pm_call *c)
{
    const int64_t batch = c->in[3].cols, end = ids(&c->in[4])[batch], rest = c->out[0].cols - end;
    memset(pm_row_u32(&c->out[0], 0) + end, 0, sizeof(uint32_t) * (size_t)rest);
    memset(pm_row(&c->out[1], 0) + end, 0, sizeof(float) * (size_t)rest);
    return pm_cpu_rows(c, take_rows, batch, 512);
}

// A counting sort by column. While entries are placed, tptr[i] is where the next one of column i goes.
pm_status pm_cpu_csr_transpose(const pm_call *c)
{
    const uint32_t *ptr = ids(&c->in[0]), *col = ids(&c->in[1]);
    uint32_t *tptr = pm_row_u32(&c->out[0], 0), *trow = pm_row_u32(&c->out[1], 0), *tpos = pm_row_u32(&c->out[2], 0);
    const int64_t batch = c->in[0].cols - 1, items = c->out[0].cols - 1, end = ptr[batch];
    memset(tptr, 0, sizeof *tptr * (size_t)(items + 1));
    for (int64_t e = 0; e < end; e++) tptr[col[e]]++;
    uint32_t before = 0;
    for (int64_t i = 0; i <= items; i++) {
        const uint32_t here = tptr[i];
        tptr[i] = before;
        before += here;
    }
    for (int64_t b = 0; b < batch; b++)
        for (uint32_t e = ptr[b]; e < ptr[b + 1]; e++) {
            const uint32_t f = tptr[col[e]]++;
            trow[f] = (uint32_t)b;
            tpos[f] = e;
        }
    memmove(tptr + 1, tptr, sizeof *tptr * (size_t)items);    // the end of a column is the start of the next
    tptr[0] = 0;
    const size_t rest = (size_t)(c->out[1].cols - end);
    memset(trow + end, 0, sizeof *trow * rest);
    memset(tpos + end, 0, sizeof *tpos * rest);
    return PM_OK;
}

pm_status pm_cpu_csr_col_count(const pm_call *c)
{
    const uint32_t *col = ids(&c->in[0]);
    uint32_t *count = pm_row_u32(&c->out[0], 0);
    memset(count, 0, sizeof *count * (size_t)c->out[0].cols);
    for (int64_t e = 0; e < c->in[0].cols; e++) count[col[e]]++;
    return PM_OK;
}
