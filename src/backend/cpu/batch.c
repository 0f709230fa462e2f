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

// Zeros what lies past the last entry: the share that goes with parts [lo, hi) of n.
static void clear_share(const pm_view *out, int64_t end, int64_t lo, int64_t hi, int64_t n)
{
    const int64_t rest = out->cols - end, from = rest * lo / n, to = rest * hi / n;
    memset(pm_row_u32(out, 0) + end + from, 0, sizeof(uint32_t) * (size_t)(to - from));
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
    for (int k = 0; k < 2; k++) clear_share(&c->out[k], ptr[batch], lo, hi, batch);
}

pm_status pm_cpu_csr_rows_take(const pm_call *c)
{
    const int64_t batch = c->in[3].cols;
    return pm_cpu_rows(c, take_rows, batch, 2 * c->out[0].cols / PM_MAX(batch, 1));
}

// The first entry of [begin, end), whose columns ascend, with a column from `least` on.
static uint32_t first_from(const uint32_t *col, uint32_t begin, uint32_t end, int64_t least)
{
    while (begin < end) {
        const uint32_t middle = begin + (end - begin) / 2;
        if (col[middle] < least) begin = middle + 1;
        else end = middle;
    }
    return begin;
}

// A counting sort by column, for columns [lo, hi) alone: the entries of lower ones are counted, not read. While entries are placed, tptr[i + 1] is where
// the next one of column i goes; in the end it is where the next column begins.
static void transpose_cols(const pm_call *c, int64_t unused, int64_t lo, int64_t hi)
{
    (void)unused;
    const uint32_t *ptr = ids(&c->in[0]), *col = ids(&c->in[1]);
    uint32_t *tptr = pm_row_u32(&c->out[0], 0), *trow = pm_row_u32(&c->out[1], 0), *tpos = pm_row_u32(&c->out[2], 0);
    const int64_t batch = c->in[0].cols - 1, items = c->out[0].cols - 1;
    uint32_t before = 0;
    if (lo == 0) tptr[0] = 0;
    memset(tptr + lo + 1, 0, sizeof *tptr * (size_t)(hi - lo));
    for (int64_t b = 0; b < batch; b++) {
        uint32_t e = lo > 0 ? first_from(col, ptr[b], ptr[b + 1], lo) : ptr[b];
        before += e - ptr[b];
        for (; e < ptr[b + 1] && col[e] < hi; e++) tptr[col[e] + 1]++;
    }
    for (int64_t i = lo; i < hi; i++) {
        const uint32_t here = tptr[i + 1];
        tptr[i + 1] = before;
        before += here;
    }
    for (int64_t b = 0; b < batch; b++)
        for (uint32_t e = lo > 0 ? first_from(col, ptr[b], ptr[b + 1], lo) : ptr[b]; e < ptr[b + 1] && col[e] < hi; e++) {
            const uint32_t f = tptr[col[e] + 1]++;
            trow[f] = (uint32_t)b;
            tpos[f] = e;
        }
    for (int k = 1; k < 3; k++) clear_share(&c->out[k], ptr[batch], lo, hi, items);
}

pm_status pm_cpu_csr_transpose(const pm_call *c)
{
    const int64_t items = c->out[0].cols - 1, work = 4 * c->out[1].cols;
    return pm_cpu_ranges(c, transpose_cols, items, work);
}

pm_status pm_cpu_csr_col_count(const pm_call *c)
{
    const uint32_t *col = ids(&c->in[0]);
    uint32_t *count = pm_row_u32(&c->out[0], 0);
    memset(count, 0, sizeof *count * (size_t)c->out[0].cols);
    for (int64_t e = 0; e < c->in[0].cols; e++) count[col[e]]++;
    return PM_OK;
}
