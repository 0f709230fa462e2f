// Reference kernels of the optimisers.
#include "ref.h"

// What the optimisers below have in common: where the moments and the weight are, and the settings.
typedef struct adam {
    const pm_call *call;
    const pm_view *w, *m, *v;
    double         rate, beta1, beta2, eps, decay;
} adam;

// One element, given its gradient and the size of that gradient's summands.
// Scale: each moment's summands; the weight's adds what the errors of both moments do to the step.
static void step(const adam *a, int64_t i, int64_t j, double g, double summands)
{
    const double b1 = a->beta1, b2 = a->beta2, weight = pm_get(a->w, i, j), pull = a->decay * weight;
    const double grad = g + pull, size = summands + fabs(pull);
    const double m1 = b1 * pm_get(a->m, i, j) + (1 - b1) * grad, m_scale = b1 * fabs(pm_get(a->m, i, j)) + (1 - b1) * size;
    const double v1 = b2 * pm_get(a->v, i, j) + (1 - b2) * grad * grad, v_scale = b2 * pm_get(a->v, i, j) + (1 - b2) * size * size;
    const double root = sqrt(v1), below = root + a->eps, by = a->rate * m1 / below;
    const double from_v = v1 > 0 ? fabs(by) * v_scale / (2 * root * below) : 0;
    pm_put(a->call, 0, a->w, i, j, weight - by, fabs(weight) + a->rate * m_scale / below + from_v);
    pm_put(a->call, 1, a->m, i, j, m1, m_scale);
    pm_put(a->call, 2, a->v, i, j, v1, v_scale);
}

pm_status pm_ref_adam(const pm_call *c)
{
    const pm_adam_params *p = c->params;
    const adam a = { c, &c->in[0], &c->in[1], &c->in[2], pm_get(&c->in[4], 0, 0), p->beta1, p->beta2, p->eps, p->decay };
    for (int64_t i = 0; i < a.w->rows; i++)
        for (int64_t j = 0; j < a.w->cols; j++) {
            const double g = pm_get(&c->in[3], i, j);
            step(&a, i, j, g, fabs(g));
        }
    return PM_OK;
}

// f · (g + decay · w) is the gradient f · g with a decay of f · decay.
pm_status pm_ref_adam_clipped(const pm_call *c)
{
    const pm_adam_clipped_params *p = c->params;
    const double f = pm_get(&c->in[5], 0, 0);
    const adam a = { c, &c->in[0], &c->in[1], &c->in[2], pm_get(&c->in[4], 0, 0), p->beta1, p->beta2, p->eps, f * p->decay };
    for (int64_t i = 0; i < a.w->rows; i++)
        for (int64_t j = 0; j < a.w->cols; j++) {
            const double g = f * pm_get(&c->in[3], i, j);
            step(&a, i, j, g, fabs(g));
        }
    return PM_OK;
}

pm_status pm_ref_matmul_adam(const pm_call *c)
{
    const pm_matmul_adam_params *p = c->params;
    const adam a = { c, &c->in[2], &c->in[3], &c->in[4], pm_get(&c->in[5], 0, 0), p->beta1, p->beta2, p->eps, p->decay };
    for (int64_t i = 0; i < a.w->rows; i++)
        for (int64_t j = 0; j < a.w->cols; j++) {
            const pm_ref_sum g = pm_ref_product(&c->in[0], &c->in[1], p->ta, p->tb, i, j);
            step(&a, i, j, g.value, g.scale);
        }
    return PM_OK;
}

// An element that stays as it is.
static void rest(const adam *a, int64_t i, int64_t j)
{
    pm_put(a->call, 0, a->w, i, j, pm_get(a->w, i, j), 0);
    pm_put(a->call, 1, a->m, i, j, pm_get(a->m, i, j), 0);
    pm_put(a->call, 2, a->v, i, j, pm_get(a->v, i, j), 0);
}

pm_status pm_ref_spmm_t_adam(const pm_call *c)
{
    const pm_spmm_t_adam_params *p = c->params;
    const pm_view *tptr = &c->in[0], *trow = &c->in[1], *tval = &c->in[2], *dy = &c->in[3];
    const adam a = { c, &c->in[4], &c->in[5], &c->in[6], pm_get(&c->in[7], 0, 0), p->beta1, p->beta2, p->eps, p->decay };
    for (int64_t i = 0; i < a.w->rows; i++) {
        const int64_t from = pm_get_u32(tptr, 0, i), to = pm_get_u32(tptr, 0, i + 1);
        for (int64_t h = 0; h < a.w->cols; h++) {
            pm_ref_sum g = { 0, 0 };
            for (int64_t f = from; f < to; f++) {
                const double product = pm_get(tval, 0, f) * pm_get(dy, pm_get_u32(trow, 0, f), h);
                g.value += product;
                g.scale += fabs(product);
            }
            if (p->met && from == to) rest(&a, i, h);
            else step(&a, i, h, g.value, g.scale);
        }
    }
    return PM_OK;
}

pm_status pm_ref_adam_rows(const pm_call *c)
{
    const pm_adam_rows_params *p = c->params;
    const adam a = { c, &c->in[0], &c->in[1], &c->in[2], pm_get(&c->in[4], 0, 0), p->beta1, p->beta2, p->eps, 0 };
    for (int64_t i = 0; i < a.w->rows; i++)
        for (int64_t j = 0; j < a.w->cols; j++) {
            const double g = pm_get(&c->in[3], i, j);
            if (pm_get_u32(&c->in[5], 0, i) == pm_get_u32(&c->in[5], 0, i + 1)) rest(&a, i, j);
            else step(&a, i, j, g, fabs(g));
        }
    return PM_OK;
}

// What a leap of `by` steps, the first of them step `from` of the epoch, takes from a weight for each unit of its first moment.
static double leap_sum(const pm_view *rate, const pm_view *power, double root, double eps, int64_t from, int64_t by)
{
    double sum = 0;
    for (int64_t k = 0; k < by; k++)
        sum += pm_get(rate, 0, (from + k) % rate->cols) * pm_get(power, k, 0) / (root * pm_get(power, k, 2) + eps);
    return sum;
}

pm_status pm_ref_adam_leap(const pm_call *c)
{
    const pm_adam_leap_params *p = c->params;
    const pm_view *w = &c->in[0], *m = &c->in[1], *v = &c->in[2], *gap = &c->in[3], *state = &c->in[4], *rate = &c->in[5], *power = &c->in[6];
    const int64_t batch = PM_MAX(pm_get_u32(state, 0, PM_STATE_BATCH), 1), done = ((int64_t)pm_get_u32(state, 0, PM_STATE_POSITION) + batch - 1) / batch;
    for (int64_t i = 0; i < w->rows; i++)
        for (int64_t j = 0; j < w->cols; j++) {
            double x = pm_get(w, i, j), y = pm_get(m, i, j), z = pm_get(v, i, j), moved = 0;
            for (int64_t left = pm_get_u32(gap, i, 0), by; left > 0; left -= by) {
                by = PM_MIN(left, power->rows);
                const double step = y * leap_sum(rate, power, sqrt(z), p->eps, done % rate->cols + rate->cols - left % rate->cols, by);
                x -= step;
                moved += fabs(step);
                y *= pm_get(power, by - 1, 0);
                z *= pm_get(power, by - 1, 1);
            }
            pm_put(c, 0, w, i, j, x, fabs(pm_get(w, i, j)) + moved);
            pm_put(c, 1, m, i, j, y, fabs(y));
            pm_put(c, 2, v, i, j, z, z);
        }
    return PM_OK;
}

// ---- AdaGrad and gradient descent ----

typedef struct adagrad {
    const pm_call *call;
    const pm_view *w, *a;
    double         rate, eps;
} adagrad;

// One element, given its gradient and the size of that gradient's summands.
static void adagrad_step(const adagrad *o, int64_t i, int64_t j, double grad, double size)
{
    const double weight = pm_get(o->w, i, j), a1 = pm_get(o->a, i, j) + grad * grad, a_scale = pm_get(o->a, i, j) + size * size;
    const double root = sqrt(a1), below = root + o->eps, by = o->rate * grad / below;
    const double from_a = a1 > 0 ? fabs(by) * a_scale / (2 * root * below) : 0;
    pm_put(o->call, 0, o->w, i, j, weight - by, fabs(weight) + o->rate * size / below + from_a);
    pm_put(o->call, 1, o->a, i, j, a1, a_scale);
}

pm_status pm_ref_adagrad(const pm_call *c)
{
    const pm_adagrad_params *p = c->params;
    const adagrad o = { c, &c->in[0], &c->in[1], pm_get(&c->in[3], 0, 0), p->eps };
    for (int64_t i = 0; i < o.w->rows; i++)
        for (int64_t j = 0; j < o.w->cols; j++) {
            const double g = pm_get(&c->in[2], i, j), pull = p->decay * pm_get(o.w, i, j);
            adagrad_step(&o, i, j, g + pull, fabs(g) + fabs(pull));
        }
    return PM_OK;
}

pm_status pm_ref_spmm_t_adagrad(const pm_call *c)
{
    const pm_spmm_t_adagrad_params *p = c->params;
    const pm_view *tptr = &c->in[0], *trow = &c->in[1], *tval = &c->in[2], *u = &c->in[3];
    const adagrad o = { c, &c->in[4], &c->in[5], pm_get(&c->in[6], 0, 0), p->eps };
    for (int64_t i = 0; i < o.w->rows; i++)
        for (int64_t h = 0; h < o.w->cols; h++) {
            const double own = pm_get(o.w, i, h);
            pm_ref_sum g = { 0, 0 };
            for (int64_t f = pm_get_u32(tptr, 0, i); f < pm_get_u32(tptr, 0, i + 1); f++) {
                const double by = pm_get(tval, 0, f), y = pm_get(u, pm_get_u32(trow, 0, f), h);
                g.value += p->away ? 2 * by * (own - y) : by * y;
                g.scale += p->away ? 2 * fabs(by) * (fabs(own) + fabs(y)) : fabs(by * y);
            }
            adagrad_step(&o, i, h, g.value, g.scale);
        }
    return PM_OK;
}

typedef struct sgd {
    const pm_call *call;
    const pm_view *w, *m;
    double         rate, momentum, decay;
} sgd;

// One element, given its gradient and the size of that gradient's summands.
static void sgd_step(const sgd *o, int64_t i, int64_t j, double g, double size)
{
    const double weight = pm_get(o->w, i, j), before = o->momentum * pm_get(o->m, i, j), pull = o->decay * weight;
    const double m1 = before + g + pull, scale = fabs(before) + size + fabs(pull);
    pm_put(o->call, 0, o->w, i, j, weight - o->rate * m1, fabs(weight) + o->rate * scale);
    pm_put(o->call, 1, o->m, i, j, m1, scale);
}

// An element that stays as it is.
static void sgd_rest(const sgd *o, int64_t i, int64_t j)
{
    pm_put(o->call, 0, o->w, i, j, pm_get(o->w, i, j), 0);
    pm_put(o->call, 1, o->m, i, j, pm_get(o->m, i, j), 0);
}

pm_status pm_ref_sgd(const pm_call *c)
{
    const pm_sgd_params *p = c->params;
    const sgd o = { c, &c->in[0], &c->in[1], pm_get(&c->in[3], 0, 0), p->momentum, p->decay };
    for (int64_t i = 0; i < o.w->rows; i++)
        for (int64_t j = 0; j < o.w->cols; j++) {
            const double g = pm_get(&c->in[2], i, j);
            sgd_step(&o, i, j, g, fabs(g));
        }
    return PM_OK;
}

pm_status pm_ref_sgd_rows(const pm_call *c)
{
    const pm_sgd_rows_params *p = c->params;
    const sgd o = { c, &c->in[0], &c->in[1], pm_get(&c->in[3], 0, 0), p->momentum, p->decay };
    for (int64_t i = 0; i < o.w->rows; i++)
        for (int64_t j = 0; j < o.w->cols; j++) {
            const double g = pm_get(&c->in[2], i, j);
            if (pm_get_u32(&c->in[4], 0, i) == pm_get_u32(&c->in[4], 0, i + 1)) sgd_rest(&o, i, j);
            else sgd_step(&o, i, j, g, fabs(g));
        }
    return PM_OK;
}

pm_status pm_ref_spmm_t_sgd(const pm_call *c)
{
    const pm_spmm_t_sgd_params *p = c->params;
    const pm_view *tptr = &c->in[0], *trow = &c->in[1], *tval = &c->in[2], *dy = &c->in[3];
    const sgd o = { c, &c->in[4], &c->in[5], pm_get(&c->in[6], 0, 0), p->momentum, p->decay };
    for (int64_t i = 0; i < o.w->rows; i++) {
        const int64_t from = pm_get_u32(tptr, 0, i), to = pm_get_u32(tptr, 0, i + 1);
        for (int64_t h = 0; h < o.w->cols; h++) {
            pm_ref_sum g = { 0, 0 };
            for (int64_t f = from; f < to; f++) {
                const double product = pm_get(tval, 0, f) * pm_get(dy, pm_get_u32(trow, 0, f), h);
                g.value += product;
                g.scale += fabs(product);
            }
            if (from == to) sgd_rest(&o, i, h);
            else sgd_step(&o, i, h, g.value, g.scale);
        }
    }
    return PM_OK;
}

pm_status pm_ref_rows_missed(const pm_call *c)
{
    const pm_rows_missed_params *p = c->params;
    const pm_view *tptr = &c->in[0], *seen = &c->in[1], *state = &c->in[2];
    const int64_t batch = PM_MAX(pm_get_u32(state, 0, PM_STATE_BATCH), 1), done = ((int64_t)pm_get_u32(state, 0, PM_STATE_POSITION) + batch - 1) / batch;
    for (int64_t i = 0; i < seen->rows; i++) {
        const int64_t before = pm_get_u32(seen, i, 0);
        const bool met = pm_get_u32(tptr, 0, i) < pm_get_u32(tptr, 0, i + 1);
        pm_set(&c->out[0], i, 0, met && before < done ? (double)(done - before) : 0);
        if (met) pm_set(seen, i, 0, p->over ? 0 : (double)(done + 1));
    }
    return PM_OK;
}

// As many leaps as the powers take, the longest first.
pm_status pm_ref_sgd_leap(const pm_call *c)
{
    const pm_view *w = &c->in[0], *m = &c->in[1], *gap = &c->in[2], *power = &c->in[3];
    for (int64_t i = 0; i < w->rows; i++)
        for (int64_t j = 0; j < w->cols; j++) {
            double x = pm_get(w, i, j), y = pm_get(m, i, j), x_scale = 0, y_scale = 0;
            for (int64_t left = pm_get_u32(gap, i, 0), by; left > 0; left -= by) {
                by = PM_MIN(left, power->rows);
                const double a = pm_get(power, by - 1, 0), b = pm_get(power, by - 1, 1), d = pm_get(power, by - 1, 2), e = pm_get(power, by - 1, 3), x0 = x;
                x_scale = fabs(a * x0) + fabs(b * y);
                y_scale = fabs(d * x0) + fabs(e * y);
                x = a * x0 + b * y;
                y = d * x0 + e * y;
            }
            pm_put(c, 0, w, i, j, x, x_scale);
            pm_put(c, 1, m, i, j, y, y_scale);
        }
    return PM_OK;
}
