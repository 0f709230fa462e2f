// Reference kernels of the activations. Outputs may lie where the input lay, so a row is read to its end before it is written.
#include "ref.h"

// y = f(x), nothing cancels.
static pm_status map(const pm_call *c, double (*f)(double))
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const double v = f(pm_get(&c->in[0], i, j));
            pm_put(c, 0, y, i, j, v, fabs(v));
        }
    return PM_OK;
}

pm_status pm_ref_sigmoid(const pm_call *c)
{
    return map(c, pm_ref_sigmoid_of);
}

pm_status pm_ref_tanh(const pm_call *c)
{
    return map(c, tanh);
}

static double relu(double x)
{
    return x > 0 ? x : 0;
}

pm_status pm_ref_relu(const pm_call *c)
{
    return map(c, relu);
}

pm_status pm_ref_exp(const pm_call *c)
{
    return map(c, exp);
}

pm_status pm_ref_softplus(const pm_call *c)
{
    return map(c, pm_ref_softplus_of);
}

static double log_sigmoid(double x)
{
    return -pm_ref_softplus_of(-x);
}

pm_status pm_ref_log_sigmoid(const pm_call *c)
{
    return map(c, log_sigmoid);
}

pm_status pm_ref_tanh_grad(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const double t = pm_get(&c->in[0], i, j), dy = pm_get(&c->in[1], i, j);
            pm_put(c, 0, y, i, j, dy * (1 - t * t), fabs(dy) * (1 + t * t));
        }
    return PM_OK;
}

pm_status pm_ref_sigmoid_grad(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const double s = pm_get(&c->in[0], i, j), dy = pm_get(&c->in[1], i, j);
            pm_put(c, 0, y, i, j, dy * s * (1 - s), fabs(dy * s) * (1 + fabs(s)));
        }
    return PM_OK;
}

pm_status pm_ref_relu_grad(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++)
            pm_put(c, 0, y, i, j, pm_get(&c->in[0], i, j) > 0 ? pm_get(&c->in[1], i, j) : 0, 0);
    return PM_OK;
}

// Scale: rounding x − max moves the exponential by as much as its argument.
pm_status pm_ref_softmax(const pm_call *c)
{
    const pm_view *x = &c->in[0];
    for (int64_t i = 0; i < x->rows && x->cols; i++) {
        const pm_ref_lse l = pm_ref_log_sum_exp(x, i);
        for (int64_t j = 0; j < x->cols; j++) {
            const double d = pm_get(x, i, j) - l.max, v = exp(d - l.log_sum);
            pm_put(c, 0, &c->out[0], i, j, v, v > 0 ? v * (1 + fabs(d) + l.spread) : 0);
        }
    }
    return PM_OK;
}

// Scale: 1 for the sum, whose logarithm has an absolute error.
pm_status pm_ref_log_softmax(const pm_call *c)
{
    const pm_view *x = &c->in[0];
    for (int64_t i = 0; i < x->rows && x->cols; i++) {
        const pm_ref_lse l = pm_ref_log_sum_exp(x, i);
        for (int64_t j = 0; j < x->cols; j++) {
            const double d = pm_get(x, i, j) - l.max;
            pm_put(c, 0, &c->out[0], i, j, d - l.log_sum, fabs(d) + l.log_sum + l.spread + 1);
        }
    }
    return PM_OK;
}
