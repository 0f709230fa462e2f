// What follows the step state.
#include "backend/cpu/cpu.h"

#include <pumice/state.h>

#include "op/feistel.h"

pm_status pm_cpu_row_weight(const pm_call *c)
{
    const float w = *pm_row(&c->in[0], 0);
    const uint32_t live = *pm_row_u32(&c->in[1], 0);
    for (int64_t b = 0; b < c->out[0].rows; b++) *pm_row(&c->out[0], b) = b < live ? w / (float)live : 0.0f;
    return PM_OK;
}

pm_status pm_cpu_epoch_rows(const pm_call *c)
{
    const pm_epoch_rows_params *q = c->params;
    const uint32_t *s = pm_row_u32(&c->in[0], 0), total = s[PM_STATE_TOTAL];
    const uint64_t seed = (uint64_t)s[PM_STATE_SEED_HI] << 32 | s[PM_STATE_SEED_LO];
    const pm_feistel order = pm_feistel_make(seed, q->stream, s[PM_STATE_PHASE], s[PM_STATE_EPOCH], total);
    uint32_t *rows = pm_row_u32(&c->out[0], 0);
    for (int64_t b = 0; b < c->out[0].cols; b++) {
        const int64_t at = s[PM_STATE_POSITION] + b;
        rows[b] = b < s[PM_STATE_LIVE] && at < total ? pm_feistel_at(&order, (uint32_t)at) : 0;
    }
    return PM_OK;
}

pm_status pm_cpu_next_rows(const pm_call *c)
{
    const uint32_t *state = pm_row_u32(&c->in[0], 0);
    uint32_t *rows = pm_row_u32(&c->out[0], 0);
    for (int64_t b = 0; b < c->out[0].cols; b++) rows[b] = b < state[PM_STATE_LIVE] ? state[PM_STATE_POSITION] + (uint32_t)b : 0;
    return PM_OK;
}

pm_status pm_cpu_schedule_row(const pm_call *c)
{
    const pm_view *table = &c->in[0];
    const uint32_t slot = pm_row_u32(&c->in[1], 0)[PM_STATE_SLOT];
    memcpy(pm_row(&c->out[0], 0), pm_row(table, slot % table->rows), sizeof(float) * (size_t)table->cols);
    return PM_OK;
}

pm_status pm_cpu_log_row(const pm_call *c)
{
    const pm_view *dst = &c->in[2];
    const uint32_t slot = pm_row_u32(&c->in[1], 0)[PM_STATE_SLOT];
    memcpy(pm_row(dst, slot % dst->rows), pm_row(&c->in[0], 0), sizeof(float) * (size_t)dst->cols);
    return PM_OK;
}

pm_status pm_cpu_rows_missed(const pm_call *c)
{
    const pm_rows_missed_params *q = c->params;
    const uint32_t *tptr = pm_row_u32(&c->in[0], 0), *s = pm_row_u32(&c->in[2], 0), batch = PM_MAX(s[PM_STATE_BATCH], 1);
    const uint32_t done = s[PM_STATE_POSITION] / batch + (s[PM_STATE_POSITION] % batch != 0), after = q->over ? 0 : done + 1;
    for (int64_t i = 0; i < c->in[1].rows; i++) {
        uint32_t *seen = pm_row_u32(&c->in[1], i), *gap = pm_row_u32(&c->out[0], i);
        const bool met = tptr[i] < tptr[i + 1];
        *gap = met && *seen < done ? done - *seen : 0;
        if (met) *seen = after;
    }
    return PM_OK;
}
