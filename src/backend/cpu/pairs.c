// Pair batches: interactions, negatives, where an index occurs, rows of a table.
#include "backend/cpu/cpu.h"

#include <pumice/state.h>

#include "op/negatives.h"

enum { SEARCH = 64, DRAW = 64 };    // what an interaction and a negative cost, in elements copied

static void entries_part(const pm_call *c, int64_t unused, int64_t lo, int64_t hi)
{
    (void)unused;
    const uint32_t *indptr = pm_row_u32(&c->in[0], 0), *col = pm_row_u32(&c->in[1], 0), *entry = pm_row_u32(&c->in[3], 0);
    const float *val = pm_row(&c->in[2], 0);
    for (int64_t b = lo; b < hi; b++) {
        int64_t first = 0, past = c->in[0].cols - 1;
        while (past - first > 1) {
            const int64_t middle = first + (past - first) / 2;
            if (indptr[middle] <= entry[b]) first = middle;
            else past = middle;
        }
        *pm_row_u32(&c->out[0], b) = (uint32_t)first;
        *pm_row_u32(&c->out[1], b) = col[entry[b]];
        *pm_row(&c->out[2], b) = val[entry[b]];
    }
}

pm_status pm_cpu_csr_entries(const pm_call *c)
{
    return pm_cpu_rows(c, entries_part, c->in[3].cols, SEARCH);
}

static void draw_part(const pm_call *c, int64_t unused, int64_t lo, int64_t hi)
{
    (void)unused;
    const pm_draw_negatives_params *q = c->params;
    const uint32_t *indptr = pm_row_u32(&c->in[0], 0), *col = pm_row_u32(&c->in[1], 0), *state = pm_row_u32(&c->in[5], 0);
    const pm_negatives draws = { .col = col, .entries = indptr[c->in[0].cols - 1], .items = (uint32_t)c->dims->of[2],    // Z, U, I, B, S
                                 .seed = (uint64_t)state[PM_STATE_SEED_HI] << 32 | state[PM_STATE_SEED_LO],
                                 .step = q->once ? 0 : state[PM_STATE_STEP], .stream = q->stream, .popular = q->popular };
    for (int64_t b = lo; b < hi; b++) {
        const uint32_t row = *pm_row_u32(&c->in[2], b), n = indptr[row + 1] - indptr[row];
        uint32_t *id = pm_row_u32(&c->out[0], b);
        id[0] = *pm_row_u32(&c->in[3], b);
        pm_negatives_of_row(&draws, col + indptr[row], n, *pm_row_u32(&c->in[4], b), (uint32_t)c->out[0].cols - 1, id);
    }
}

pm_status pm_cpu_draw_negatives(const pm_call *c)
{
    return pm_cpu_rows(c, draw_part, c->out[0].rows, DRAW * c->out[0].cols);
}

static void zeros_part(const pm_call *c, int64_t unused, int64_t lo, int64_t hi)
{
    (void)unused;
    const pm_draw_zeros_params *q = c->params;
    const uint32_t *indptr = pm_row_u32(&c->in[0], 0), *state = pm_row_u32(&c->in[5], 0), users = (uint32_t)c->in[0].cols - 1;
    const pm_negatives draws = { .col = pm_row_u32(&c->in[1], 0), .items = (uint32_t)c->dims->of[2],    // Z, U, I, B, S
                                 .seed = (uint64_t)state[PM_STATE_SEED_HI] << 32 | state[PM_STATE_SEED_LO], .step = q->once ? 0 : state[PM_STATE_STEP],
                                 .stream = q->stream };
    for (int64_t b = lo; b < hi; b++) {
        uint32_t *user = pm_row_u32(&c->out[0], b), *id = pm_row_u32(&c->out[1], b);
        user[0] = *pm_row_u32(&c->in[2], b);
        id[0] = *pm_row_u32(&c->in[3], b);
        for (int64_t s = 1; s < c->out[0].cols; s++) id[s] = pm_zero_cell(&draws, indptr, users, *pm_row_u32(&c->in[4], b), (uint32_t)s, &user[s]);
    }
}

pm_status pm_cpu_draw_zeros(const pm_call *c)
{
    return pm_cpu_rows(c, zeros_part, c->out[0].rows, DRAW * c->out[0].cols);
}

// One bit an index: where it stands in the list is the number of bits below its own.
pm_status pm_cpu_distinct(const pm_call *c)
{
    const pm_view *id = &c->in[0];
    const int64_t n = *pm_row_u32(&c->in[1], 0), words = c->out[4].cols;
    uint32_t *list = pm_row_u32(&c->out[1], 0), *bits = pm_row_u32(&c->out[4], 0), *before = pm_row_u32(&c->out[5], 0), count = 0;
    memset(bits, 0, sizeof *bits * (size_t)words);
    for (int64_t b = 0; b < n; b++)
        for (int64_t s = 0; s < id->cols; s++) bits[pm_row_u32(id, b)[s] / 32] |= 1u << pm_row_u32(id, b)[s] % 32;
    for (int64_t w = 0; w < words; w++) {
        before[w] = count;
        for (uint32_t rest = bits[w]; rest; rest &= rest - 1) list[count++] = (uint32_t)w * 32 + (uint32_t)__builtin_ctz(rest);
    }
    for (int64_t b = 0; b < id->rows; b++) {
        uint32_t *at = pm_row_u32(&c->out[0], b);
        for (int64_t s = 0; s < id->cols; s++) {
            const uint32_t i = pm_row_u32(id, b)[s];
            at[s] = b < n ? before[i / 32] + (uint32_t)__builtin_popcount(bits[i / 32] & ((1u << i % 32) - 1)) : 0;
        }
    }
    memset(list + count, 0, sizeof *list * (size_t)(c->out[1].cols - count));
    *pm_row_u32(&c->out[2], 0) = count;
    *pm_row_u32(&c->out[3], 0) = (uint32_t)(n * id->cols);
    return PM_OK;
}

// A counting sort by index. While places are put down, tptr[i] is where the next one of index i goes.
pm_status pm_cpu_index_transpose(const pm_call *c)
{
    const pm_view *id = &c->in[0];
    uint32_t *tptr = pm_row_u32(&c->out[0], 0), *trow = pm_row_u32(&c->out[1], 0), *tpos = pm_row_u32(&c->out[2], 0);
    const int64_t items = c->out[0].cols - 1, room = c->out[1].cols, live = *pm_row_u32(&c->in[1], 0);
    int64_t end = 0;
    memset(tptr, 0, sizeof *tptr * (size_t)(items + 1));
    for (int64_t b = 0; b < live; b++)
        for (int64_t s = 0; s < id->cols && end < room; s++, end++) tptr[pm_row_u32(id, b)[s]]++;
    uint32_t before = 0;
    for (int64_t i = 0; i <= items; i++) {
        const uint32_t here = tptr[i];
        tptr[i] = before;
        before += here;
    }
    for (int64_t b = 0, e = 0; b < live; b++)
        for (int64_t s = 0; s < id->cols && e < end; s++, e++) {
            const uint32_t f = tptr[pm_row_u32(id, b)[s]]++;
            trow[f] = (uint32_t)b;
            tpos[f] = (uint32_t)e;
        }
    memmove(tptr + 1, tptr, sizeof *tptr * (size_t)items);    // the end of an index is the start of the next
    tptr[0] = 0;
    memset(trow + end, 0, sizeof *trow * (size_t)(room - end));
    memset(tpos + end, 0, sizeof *tpos * (size_t)(room - end));
    return PM_OK;
}

static void embed_part(const pm_call *c, int64_t i, int64_t lo, int64_t hi)
{
    const bool live = i < *pm_row_u32(&c->in[2], 0);
    float *y = pm_row(&c->out[0], i) + lo;
    const size_t size = sizeof *y * (size_t)(hi - lo);
    if (live) memcpy(y, pm_row(&c->in[0], *pm_row_u32(&c->in[1], i)) + lo, size);
    else memset(y, 0, size);
}

pm_status pm_cpu_embed(const pm_call *c)
{
    return pm_cpu_each(c, embed_part, c->out[0].rows, c->out[0].cols, 1);
}

// Runs as long as a row of both.
static void reshape_part(const pm_call *c, int64_t i, int64_t lo, int64_t hi)
{
    const pm_view *x = &c->in[0], *y = &c->out[0];
    const int64_t count = x->rows * x->cols;
    for (int64_t j = lo; j < hi;) {
        const int64_t k = i * y->cols + j, col = k % x->cols, n = PM_MIN(x->cols - col, hi - j);
        if (k >= count) {
            memset(pm_row(y, i) + j, 0, sizeof(float) * (size_t)(hi - j));
            return;
        }
        memcpy(pm_row(y, i) + j, pm_row(x, k / x->cols) + col, sizeof(float) * (size_t)n);
        j += n;
    }
}

pm_status pm_cpu_reshape(const pm_call *c)
{
    return pm_cpu_each(c, reshape_part, c->out[0].rows, c->out[0].cols, 2);
}
