// Moving elements about.
#include "backend/cpu/cpu.h"

#include <pumice/state.h>

static size_t bytes(int64_t count)
{
    return sizeof(float) * (size_t)count;
}

static void copy_part(const pm_call *c, int64_t i, int64_t lo, int64_t hi)
{
    memcpy(pm_row(&c->out[0], i) + lo, pm_row(&c->in[0], i) + lo, bytes(hi - lo));
}

pm_status pm_cpu_copy(const pm_call *c)
{
    return pm_cpu_flat(c, copy_part, c->out[0].rows, c->out[0].cols, 1);
}

static void place_rows(const pm_call *c, int64_t unused, int64_t lo, int64_t hi)
{
    (void)unused;
    const pm_place_params *q = c->params;
    const pm_view *x = &c->in[0], *y = &c->out[0];
    for (int64_t i = lo; i < hi; i++) {
        const int64_t from = i - q->r0;
        memset(pm_row(y, i), 0, bytes(y->cols));
        if (from >= 0 && from < x->rows) memcpy(pm_row(y, i) + q->c0, pm_row(x, from), bytes(x->cols));
    }
}

pm_status pm_cpu_place(const pm_call *c)
{
    return pm_cpu_rows(c, place_rows, c->out[0].rows, c->out[0].cols);
}

static void gather_part(const pm_call *c, int64_t i, int64_t lo, int64_t hi)
{
    memcpy(pm_row(&c->out[0], i) + lo, pm_row(&c->in[0], pm_row_u32(&c->in[1], 0)[i]) + lo, bytes(hi - lo));
}

pm_status pm_cpu_gather_rows(const pm_call *c)
{
    return pm_cpu_each(c, gather_part, c->out[0].rows, c->out[0].cols, 1);
}

static void take_part(const pm_call *c, int64_t i, int64_t lo, int64_t hi)
{
    const float *x = pm_row(&c->in[0], i);
    const uint32_t *id = pm_row_u32(&c->in[1], i);
    float *y = pm_row(&c->out[0], i);
    for (int64_t k = lo; k < hi; k++) y[k] = x[id[k]];
}

pm_status pm_cpu_take_cols(const pm_call *c)
{
    enum { SCATTERED = 4 };    // what an element costs, in elements copied
    return pm_cpu_each(c, take_part, c->out[0].rows, c->out[0].cols, SCATTERED);
}

static void mask_part(const pm_call *c, int64_t unused, int64_t lo, int64_t hi)
{
    (void)unused;
    const uint32_t *ptr = pm_row_u32(&c->in[0], 0), *col = pm_row_u32(&c->in[1], 0);
    const pm_view *z = &c->in[2], *y = &c->out[0];
    for (int64_t i = lo; i < hi; i++) {
        if (pm_row(y, i) != pm_row(z, i)) memcpy(pm_row(y, i), pm_row(z, i), bytes(y->cols));    // may run in place
        for (int64_t e = ptr[i]; e < ptr[i + 1]; e++) pm_row(y, i)[col[e]] = PM_MASKED;
    }
}

pm_status pm_cpu_mask_rows(const pm_call *c)
{
    return pm_cpu_rows(c, mask_part, c->out[0].rows, c->out[0].cols);
}

static void put_part(const pm_call *c, int64_t i, int64_t lo, int64_t hi)
{
    const uint32_t position = pm_row_u32(&c->in[1], 0)[PM_STATE_POSITION];
    memcpy(pm_row(&c->in[2], position + i) + lo, pm_row(&c->in[0], i) + lo, bytes(hi - lo));
}

pm_status pm_cpu_put_rows(const pm_call *c)
{
    const uint32_t *state = pm_row_u32(&c->in[1], 0);
    const int64_t room = PM_MAX(0, c->in[2].rows - (int64_t)state[PM_STATE_POSITION]);
    const int64_t live = PM_MIN(PM_MIN(c->in[0].rows, room), (int64_t)state[PM_STATE_LIVE]);
    return pm_cpu_each(c, put_part, live, c->in[0].cols, 1);
}
