// The transpose of a batch, and products that go through it.
#include "backend/cpu/cpu.h"

static uint32_t *ids(const pm_view *v)
{
    return pm_row_u32(v, 0);
}

void pm_cpu_clear_share(const pm_view *out, int64_t end, int64_t lo, int64_t hi, int64_t n)
{
    const int64_t rest = out->cols - end, from = rest * lo / n, to = rest * hi / n;
    memset(ids(out) + end + from, 0, sizeof(uint32_t) * (size_t)(to - from));
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

// A counting sort by column, for columns [lo, hi) alone: the entries of lower ones are counted, not read. Of an entry go along its row and its place or,
// where val is set, its value. While entries are placed, tptr[i + 1] is where the next one of column i goes; in the end it is where the next column begins.
static void sort_columns(const pm_cpu_columns *s, int64_t lo, int64_t hi)
{
    const uint32_t *ptr = s->ptr, *col = s->col;
    uint32_t *tptr = s->tptr, before = 0;
    if (lo == 0) tptr[0] = 0;
    memset(tptr + lo + 1, 0, sizeof *tptr * (size_t)(hi - lo));
    for (int64_t b = 0; b < s->batch; b++) {
        uint32_t e = lo > 0 ? first_from(col, ptr[b], ptr[b + 1], lo) : ptr[b];
        before += e - ptr[b];
        for (; e < ptr[b + 1] && col[e] < hi; e++) tptr[col[e] + 1]++;
    }
    for (int64_t i = lo; i < hi; i++) {
        const uint32_t here = tptr[i + 1];
        tptr[i + 1] = before;
        before += here;
    }
    for (int64_t b = 0; b < s->batch; b++)
        for (uint32_t e = lo > 0 ? first_from(col, ptr[b], ptr[b + 1], lo) : ptr[b]; e < ptr[b + 1] && col[e] < hi; e++) {
            const uint32_t f = tptr[col[e] + 1]++;
            s->trow[f] = (uint32_t)b;
            if (s->val) s->tval[f] = s->val[e];
            else s->tpos[f] = e;
        }
}

static void transpose_columns(const pm_call *c, int64_t unused, int64_t lo, int64_t hi)
{
    (void)unused;
    const int64_t batch = c->in[0].cols - 1, items = c->out[0].cols - 1;
    const pm_cpu_columns s = { .batch = batch, .ptr = ids(&c->in[0]), .col = ids(&c->in[1]), .tptr = ids(&c->out[0]), .trow = ids(&c->out[1]),
                               .tpos = ids(&c->out[2]) };
    sort_columns(&s, lo, hi);
    for (int k = 1; k < 3; k++) pm_cpu_clear_share(&c->out[k], s.ptr[batch], lo, hi, items);
}

pm_status pm_cpu_csr_transpose(const pm_call *c)
{
    enum { SORTED = 4 };    // what an entry costs, in elements copied
    return pm_cpu_ranges(c, transpose_columns, c->out[0].cols - 1, SORTED * c->out[1].cols);
}

// ---- spmm ----

// A tile's entries by column, in what the panels leave of the scratch.
pm_cpu_columns pm_cpu_tile_columns(const pm_call *c)
{
    float *rest = c->scratch + (int64_t)c->threads * PM_TILE_ROWS * PM_TILE_COLS;
    const int64_t items = c->in[3].rows, room = (c->scratch + (int64_t)c->threads * PM_CALL_SCRATCH - rest - items - 1) / 2;
    return (pm_cpu_columns){ .batch = c->in[0].cols - 1, .room = room, .ptr = ids(&c->in[0]), .col = ids(&c->in[1]), .val = pm_row(&c->in[2], 0),
                             .tptr = (uint32_t *)rest, .trow = (uint32_t *)rest + items + 1, .tval = rest + items + 1 + room };
}

static void sort_tile(const pm_call *c, int64_t unused, int64_t lo, int64_t hi)
{
    (void)unused;
    const pm_cpu_columns s = pm_cpu_tile_columns(c);
    sort_columns(&s, lo, hi);
}

// Rows [first, end) as a call of their own.
static pm_status tile(const pm_call *c, int64_t first, int64_t end)
{
    enum { SORTED = 4 };
    pm_view in[4] = { c->in[0], c->in[1], c->in[2], c->in[3] }, out = c->out[0];
    in[0].data = ids(&in[0]) + first;
    in[0].cols = end - first + 1;
    out.data = pm_row(&out, first);
    out.rows = end - first;
    pm_call part = *c;
    part.in = in;
    part.out = &out;
    PM_TRY(pm_cpu_ranges(&part, sort_tile, in[3].rows, SORTED * (ids(&in[0])[end - first] - ids(&in[0])[0])));
    return pm_cpu_stripes(&part, pm_isa_of(c)->spmm_tile, out.cols);
}

// Where the batch names the rows of a wide w more than once, w comes row by row, is read from memory once, and each row goes to all sums that want it:
// those of a few columns at a time, which stay in the cache. Taken row of the batch by row, w's rows would be waited for (three quarters of the time
// for DMF's item columns).
pm_status pm_cpu_spmm(const pm_call *c)
{
    enum { OFTEN = 2, FEW = 8, WIDE = 256 };
    const uint32_t *ptr = ids(&c->in[0]);
    const int64_t batch = c->in[0].cols - 1, items = c->in[3].rows, cols = c->out[0].cols;
    const int64_t room = c->scratch ? pm_cpu_tile_columns(c).room : 0;
    if (batch < FEW || cols < WIDE || ptr[batch] < OFTEN * items || room < items) return pm_cpu_sums(c, pm_isa_of(c)->spmm, &c->in[0], cols);
    for (int64_t first = 0, end; first < batch; first = end) {
        for (end = first + 1; end < batch && end - first < PM_TILE_ROWS && ptr[end + 1] - ptr[first] <= room;) end++;
        PM_TRY(tile(c, first, end));
    }
    return PM_OK;
}
