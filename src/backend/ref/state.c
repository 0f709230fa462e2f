// Reference kernels of the step state.
#include "ref.h"

#include "op/feistel.h"

pm_status pm_ref_tick(const pm_call *c)
{
    const pm_view *v = &c->in[0];
    uint32_t *s = pm_row_u32(v, 0);
    s[PM_STATE_STEP]++;
    s[PM_STATE_SLOT]++;
    s[PM_STATE_POSITION] += s[PM_STATE_LIVE];
    if (s[PM_STATE_POSITION] >= s[PM_STATE_TOTAL]) {
        s[PM_STATE_POSITION] = 0;
        s[PM_STATE_EPOCH]++;
    }
    s[PM_STATE_LIVE] = PM_MIN(s[PM_STATE_BATCH], s[PM_STATE_TOTAL] - s[PM_STATE_POSITION]);
    return PM_OK;
}

pm_status pm_ref_epoch_rows(const pm_call *c)
{
    const pm_epoch_rows_params *p = c->params;
    const pm_view *state = &c->in[0];
    const uint32_t position = pm_get_u32(state, 0, PM_STATE_POSITION), total = pm_get_u32(state, 0, PM_STATE_TOTAL);
    const pm_feistel f = pm_feistel_make(pm_ref_seed(state), p->stream, pm_get_u32(state, 0, PM_STATE_PHASE),
                                         pm_get_u32(state, 0, PM_STATE_EPOCH), total);
    for (int64_t b = 0; b < c->out[0].cols; b++) {
        const bool live = b < pm_get_u32(state, 0, PM_STATE_LIVE) && position + b < total;
        pm_set(&c->out[0], 0, b, live ? pm_feistel_at(&f, position + (uint32_t)b) : 0);
    }
    return PM_OK;
}

pm_status pm_ref_next_rows(const pm_call *c)
{
    const pm_view *state = &c->in[0];
    for (int64_t b = 0; b < c->out[0].cols; b++) {
        const bool live = b < pm_get_u32(state, 0, PM_STATE_LIVE);
        pm_set(&c->out[0], 0, b, live ? pm_get_u32(state, 0, PM_STATE_POSITION) + (double)b : 0);
    }
    return PM_OK;
}

pm_status pm_ref_schedule_row(const pm_call *c)
{
    const pm_view *table = &c->in[0], *y = &c->out[0];
    const int64_t t = pm_get_u32(&c->in[1], 0, PM_STATE_SLOT) % table->rows;
    for (int64_t j = 0; j < y->cols; j++) pm_put(c, 0, y, 0, j, pm_get(table, t, j), 0);
    return PM_OK;
}

pm_status pm_ref_log_row(const pm_call *c)
{
    const pm_view *x = &c->in[0], *dst = &c->in[2];
    const int64_t t = pm_get_u32(&c->in[1], 0, PM_STATE_SLOT) % dst->rows;
    for (int64_t j = 0; j < x->cols; j++) pm_put(c, 0, dst, t, j, pm_get(x, 0, j), 0);
    return PM_OK;
}

pm_status pm_ref_put_rows(const pm_call *c)
{
    const pm_view *x = &c->in[0], *state = &c->in[1], *dst = &c->in[2];
    const int64_t position = pm_get_u32(state, 0, PM_STATE_POSITION), live = pm_get_u32(state, 0, PM_STATE_LIVE);
    for (int64_t b = 0; b < x->rows && b < live && position + b < dst->rows; b++)
        for (int64_t j = 0; j < x->cols; j++) pm_put(c, 0, dst, position + b, j, pm_get(x, b, j), 0);
    return PM_OK;
}
