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

pm_status pm_ref_corrupt(const pm_call *c)
{
    const pm_corrupt_params *p = c->params;
    const pm_view *x = &c->in[0], *state = &c->in[2];
    const uint32_t step = pm_get_u32(state, 0, PM_STATE_STEP);
    for (int64_t i = 0; i < x->rows; i++)
        for (int64_t j = 0; j < x->cols; j++) {
            const uint32_t bits = pm_random_bits(pm_ref_seed(state), p->stream, 0, step, (uint32_t)i, (uint32_t)j);
            const double u = pm_unit_from_bits(bits), v = pm_get(x, i, j), n = pm_get(&c->in[1], i, j), extreme = bits & 1 ? p->most : p->least;
            const double y = u < p->masked ? 0 : u < p->salted ? extreme : u < p->noised ? v + n : v;
            pm_put(c, 0, &c->out[0], i, j, y, u >= p->salted && u < p->noised ? fabs(v) + fabs(n) : 0);
            pm_put(c, 1, &c->out[1], i, j, u < p->noised, 0);
        }
    return PM_OK;
}

// A standard normal of a cell, and the radius it was drawn with: its scale, since an error of the angle moves a sine near its zero by that much.
static double normal_of(const pm_view *state, uint32_t stream, int64_t i, int64_t j, double *radius)
{
    const double pi = 3.14159265358979323846;
    const uint32_t step = pm_get_u32(state, 0, PM_STATE_STEP), col = (uint32_t)j & ~1u;
    const double u = pm_open_unit_f32(pm_random_bits(pm_ref_seed(state), stream, 0, step, (uint32_t)i, col));
    const double v = pm_open_unit_f32(pm_random_bits(pm_ref_seed(state), stream, 0, step, (uint32_t)i, col + 1));
    *radius = sqrt(-2 * log(u));
    return *radius * (j % 2 ? sin(2 * pi * v) : cos(2 * pi * v));
}

pm_status pm_ref_normal(const pm_call *c)
{
    const pm_normal_params *p = c->params;
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            double radius;
            const double n = normal_of(&c->in[0], p->stream, i, j, &radius);
            pm_put(c, 0, y, i, j, n, radius);
        }
    return PM_OK;
}

pm_status pm_ref_reparameterize(const pm_call *c)
{
    const pm_reparameterize_params *p = c->params;
    const pm_view *mu = &c->in[0], *logvar = &c->in[1];
    for (int64_t i = 0; i < mu->rows; i++)
        for (int64_t j = 0; j < mu->cols; j++) {
            double radius;
            const double n = normal_of(&c->in[2], p->stream, i, j, &radius), m = pm_get(mu, i, j), s = exp(pm_get(logvar, i, j) / 2);
            pm_put(c, 0, &c->out[0], i, j, m + s * n, fabs(m) + s * radius);
            pm_put(c, 1, &c->out[1], i, j, s * n / 2, s * radius / 2);
        }
    return PM_OK;
}
