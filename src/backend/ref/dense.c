// Reference kernels of the dense group.
#include "ref.h"

pm_status pm_ref_matmul(const pm_call *c)
{
    const pm_matmul_params *p = c->params;
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const pm_ref_sum sum = pm_ref_product(&c->in[0], &c->in[1], p->ta, p->tb, i, j);
            pm_put(c, 0, y, i, j, sum.value, sum.scale);
        }
    return PM_OK;
}

pm_status pm_ref_affine(const pm_call *c)
{
    const pm_affine_params *p = c->params;
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const pm_ref_sum sum = pm_ref_product(&c->in[0], &c->in[1], p->ta, p->tb, i, j);
            const double bias = pm_get(&c->in[2], 0, j), z = sum.value + bias;
            pm_put(c, 0, y, i, j, pm_ref_activation(p->act, z), pm_ref_activation_scale(p->act, z, sum.scale + fabs(bias)));
        }
    return PM_OK;
}

// y = alpha · a + beta · b.
static pm_status weighted_sum(const pm_call *c, double alpha, double beta)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const double a = alpha * pm_get(&c->in[0], i, j), b = beta * pm_get(&c->in[1], i, j);
            pm_put(c, 0, y, i, j, a + b, fabs(a) + fabs(b));
        }
    return PM_OK;
}

pm_status pm_ref_add(const pm_call *c)
{
    return weighted_sum(c, 1, 1);
}

pm_status pm_ref_sub(const pm_call *c)
{
    return weighted_sum(c, 1, -1);
}

pm_status pm_ref_axpy(const pm_call *c)
{
    const pm_axpy_params *p = c->params;
    return weighted_sum(c, p->alpha, 1);
}

pm_status pm_ref_mul(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const double v = pm_get(&c->in[0], i, j) * pm_get(&c->in[1], i, j);
            pm_put(c, 0, y, i, j, v, fabs(v));
        }
    return PM_OK;
}

pm_status pm_ref_scale(const pm_call *c)
{
    const pm_scale_params *p = c->params;
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const double v = (double)p->alpha * pm_get(&c->in[0], i, j);
            pm_put(c, 0, y, i, j, v, fabs(v));
        }
    return PM_OK;
}

pm_status pm_ref_fill(const pm_call *c)
{
    const pm_fill_params *p = c->params;
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) pm_put(c, 0, y, i, j, p->value, fabs(p->value));
    return PM_OK;
}

pm_status pm_ref_add_row(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const double x = pm_get(&c->in[0], i, j), b = pm_get(&c->in[1], 0, j);
            pm_put(c, 0, y, i, j, x + b, fabs(x) + fabs(b));
        }
    return PM_OK;
}

pm_status pm_ref_mul_col(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const double v = pm_get(&c->in[0], i, j) * pm_get(&c->in[1], i, 0);
            pm_put(c, 0, y, i, j, v, fabs(v));
        }
    return PM_OK;
}

pm_status pm_ref_row_sum(const pm_call *c)
{
    const pm_view *x = &c->in[0];
    for (int64_t i = 0; i < x->rows; i++) {
        double sum = 0, scale = 0;
        for (int64_t j = 0; j < x->cols; j++) {
            sum += pm_get(x, i, j);
            scale += fabs(pm_get(x, i, j));
        }
        pm_put(c, 0, &c->out[0], i, 0, sum, scale);
    }
    return PM_OK;
}

pm_status pm_ref_col_sum(const pm_call *c)
{
    const pm_view *x = &c->in[0];
    for (int64_t j = 0; j < x->cols; j++) {
        double sum = 0, scale = 0;
        for (int64_t i = 0; i < x->rows; i++) {
            sum += pm_get(x, i, j);
            scale += fabs(pm_get(x, i, j));
        }
        pm_put(c, 0, &c->out[0], 0, j, sum, scale);
    }
    return PM_OK;
}

pm_status pm_ref_broadcast_row(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) pm_put(c, 0, y, i, j, pm_get(&c->in[0], 0, j), 0);
    return PM_OK;
}

pm_status pm_ref_broadcast_col(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) pm_put(c, 0, y, i, j, pm_get(&c->in[0], i, 0), 0);
    return PM_OK;
}

pm_status pm_ref_copy(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) pm_put(c, 0, y, i, j, pm_get(&c->in[0], i, j), 0);
    return PM_OK;
}

pm_status pm_ref_reshape(const pm_call *c)
{
    const pm_view *x = &c->in[0], *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const int64_t k = i * y->cols + j;
            pm_put(c, 0, y, i, j, k < x->rows * x->cols ? pm_get(x, k / x->cols, k % x->cols) : 0, 0);
        }
    return PM_OK;
}

pm_status pm_ref_place(const pm_call *c)
{
    const pm_place_params *p = c->params;
    const pm_view *x = &c->in[0], *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const int64_t k = i - p->r0, l = j - p->c0;
            const bool inside = k >= 0 && k < x->rows && l >= 0 && l < x->cols;
            pm_put(c, 0, y, i, j, inside ? pm_get(x, k, l) : 0, 0);
        }
    return PM_OK;
}

pm_status pm_ref_to_f32(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const double v = pm_get(&c->in[0], i, j);
            pm_put(c, 0, y, i, j, v, v);
        }
    return PM_OK;
}

pm_status pm_ref_to_u32(const pm_call *c)
{
    for (int64_t i = 0; i < c->out[0].rows; i++)
        for (int64_t j = 0; j < c->out[0].cols; j++) {
            const double x = pm_get(&c->in[0], i, j);
            pm_row_u32(&c->out[0], i)[j] = x > 0 ? (uint32_t)fmin(x, 16777216.0) : 0;
        }
    return PM_OK;
}
