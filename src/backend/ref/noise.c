// Reference kernels of the noise group: every bit a function of seed, step, stream, row and column.
#include "ref.h"

pm_status pm_ref_dropout(const pm_call *c)
{
    const pm_dropout_params *p = c->params;
    const pm_view *x = &c->in[0], *state = &c->in[1];
    const uint32_t step = pm_get_u32(state, 0, PM_STATE_STEP);
    for (int64_t i = 0; i < x->rows; i++)
        for (int64_t j = 0; j < x->cols; j++) {
            const uint32_t bits = pm_random_bits(pm_ref_seed(state), p->stream, 0, step, (uint32_t)i, (uint32_t)j);
            const double y = pm_unit_from_bits(bits) < p->keep ? pm_get(x, i, j) / p->keep : 0;
            pm_put(c, 0, &c->out[0], i, j, y, fabs(y));
        }
    return PM_OK;
}

// Scale: the radius, since an error of the angle moves a sine near its zero by that much.
pm_status pm_ref_normal(const pm_call *c)
{
    const pm_normal_params *p = c->params;
    const pm_view *state = &c->in[0], *y = &c->out[0];
    const uint32_t step = pm_get_u32(state, 0, PM_STATE_STEP);
    const double pi = 3.14159265358979323846;
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const uint32_t col = (uint32_t)j & ~1u;
            const double u = pm_open_unit_f32(pm_random_bits(pm_ref_seed(state), p->stream, 0, step, (uint32_t)i, col));
            const double v = pm_open_unit_f32(pm_random_bits(pm_ref_seed(state), p->stream, 0, step, (uint32_t)i, col + 1));
            const double radius = sqrt(-2 * log(u));
            pm_put(c, 0, y, i, j, radius * (j % 2 ? sin(2 * pi * v) : cos(2 * pi * v)), radius);
        }
    return PM_OK;
}
