// Reference kernels of the losses. Each row is read to its end before its gradient is written, which may lie over the logits.
// A row of weight 0 is written as zeros without a look at its logits: they may be anything.
#include "ref.h"

// A batch of sparse rows, read beside dense rows: columns ascend, so one cursor a row is enough.
typedef struct cursor {
    const pm_view *col, *val;
    int64_t        at, end;
} cursor;

static cursor row_of(const pm_call *c, int64_t b)
{
    return (cursor){ &c->in[1], &c->in[2], pm_get_u32(&c->in[0], 0, b), pm_get_u32(&c->in[0], 0, b + 1) };
}

// The value at column i; to be asked for ascending i.
static double value_at(cursor *k, int64_t i)
{
    return k->at < k->end && pm_get_u32(k->col, 0, k->at) == i ? pm_get(k->val, 0, k->at++) : 0;
}

static void zero_row(const pm_call *c, int out, int64_t b)
{
    for (int64_t j = 0; j < c->out[out].cols; j++) pm_put(c, out, &c->out[out], b, j, 0, 0);
}

pm_status pm_ref_row_weight(const pm_call *c)
{
    const uint32_t live = pm_get_u32(&c->in[1], 0, 0);
    for (int64_t b = 0; b < c->out[0].rows; b++) {
        const double y = b < live ? pm_get(&c->in[0], 0, 0) / live : 0;
        pm_put(c, 0, &c->out[0], b, 0, y, fabs(y));
    }
    return PM_OK;
}

pm_status pm_ref_loss_multinomial(const pm_call *c)
{
    const pm_view *z = &c->in[3], *rw = &c->in[4];
    for (int64_t b = 0; b < z->rows; b++) {
        const double weight = pm_get(rw, b, 0);
        zero_row(c, 0, b);
        if (weight == 0) zero_row(c, 1, b);
        if (weight == 0 || z->cols == 0) continue;
        const pm_ref_lse l = pm_ref_log_sum_exp(z, b);
        double loss = 0, scale = 0, total = 0;
        cursor k = row_of(c, b);
        for (int64_t i = 0; i < z->cols; i++) {
            const double x = value_at(&k, i), d = pm_get(z, b, i) - l.max;
            if (x == 0) continue;
            loss -= x * (d - l.log_sum);
            scale += x * (fabs(d) + l.log_sum + l.spread + 1);
            total += x;
        }
        pm_put(c, 0, &c->out[0], b, 0, weight * loss, weight * scale);
        k = row_of(c, b);
        for (int64_t i = 0; i < z->cols; i++) {
            const double x = value_at(&k, i), d = pm_get(z, b, i) - l.max, p = exp(d - l.log_sum);
            const double spread = p > 0 ? p * (1 + fabs(d) + l.spread) : 0;
            pm_put(c, 1, &c->out[1], b, i, weight * (p * total - x), weight * (spread * total + x));
        }
    }
    return PM_OK;
}

pm_status pm_ref_loss_gaussian(const pm_call *c)
{
    const pm_loss_gaussian_params *p = c->params;
    const pm_view *z = &c->in[3], *rw = &c->in[4];
    for (int64_t b = 0; b < z->rows; b++) {
        const double weight = pm_get(rw, b, 0);
        zero_row(c, 0, b);
        if (weight == 0) {
            zero_row(c, 1, b);
            continue;
        }
        double loss = 0, scale = 0;
        cursor k = row_of(c, b);
        for (int64_t i = 0; i < z->cols; i++) {
            const double x = value_at(&k, i), v = pm_get(z, b, i), conf = x != 0 ? p->c1 : p->c0;
            loss += conf / 2 * (x - v) * (x - v);
            scale += conf / 2 * (fabs(x) + fabs(v)) * (fabs(x) + fabs(v));
            pm_put(c, 1, &c->out[1], b, i, weight * conf * (v - x), weight * conf * (fabs(v) + fabs(x)));
        }
        pm_put(c, 0, &c->out[0], b, 0, weight * loss, weight * scale);
    }
    return PM_OK;
}

pm_status pm_ref_loss_logistic(const pm_call *c)
{
    const pm_view *z = &c->in[3], *rw = &c->in[4];
    for (int64_t b = 0; b < z->rows; b++) {
        const double weight = pm_get(rw, b, 0);
        zero_row(c, 0, b);
        if (weight == 0) {
            zero_row(c, 1, b);
            continue;
        }
        double loss = 0, scale = 0;
        cursor k = row_of(c, b);
        for (int64_t i = 0; i < z->cols; i++) {
            const double x = value_at(&k, i) > 0, v = pm_get(z, b, i), s = pm_ref_sigmoid_of(v);
            loss += pm_ref_softplus_of(v) - x * v;
            scale += pm_ref_softplus_of(v) + x * fabs(v);
            pm_put(c, 1, &c->out[1], b, i, weight * (s - x), weight * (s + x));
        }
        pm_put(c, 0, &c->out[0], b, 0, weight * loss, weight * scale);
    }
    return PM_OK;
}

pm_status pm_ref_kl_gaussian(const pm_call *c)
{
    const pm_view *mu = &c->in[0], *logvar = &c->in[1], *rw = &c->in[2];
    const double beta = pm_get(&c->in[3], 0, 0);
    for (int64_t b = 0; b < mu->rows; b++) {
        const double weight = beta * pm_get(rw, b, 0);
        double loss = 0, scale = 0;
        zero_row(c, 0, b);
        if (pm_get(rw, b, 0) == 0) {
            zero_row(c, 1, b);
            zero_row(c, 2, b);
            continue;
        }
        for (int64_t k = 0; k < mu->cols; k++) {
            const double m = pm_get(mu, b, k), v = pm_get(logvar, b, k), e = exp(v);
            loss += (e + m * m - 1 - v) / 2;
            scale += (e + m * m + 1 + fabs(v)) / 2;
            pm_put(c, 1, &c->out[1], b, k, weight * m, fabs(weight * m));
            pm_put(c, 2, &c->out[2], b, k, weight * (e - 1) / 2, weight * (e + 1) / 2);
        }
        pm_put(c, 0, &c->out[0], b, 0, weight * loss, weight * scale);
    }
    return PM_OK;
}

pm_status pm_ref_loss_weighted(const pm_call *c)
{
    const pm_view *x = &c->in[0], *z = &c->in[1];
    for (int64_t i = 0; i < x->rows; i++) {
        const double weight = pm_get(&c->in[3], i, 0);
        for (int64_t j = 0; j < x->cols; j++) {
            const double a = weight != 0 ? pm_get(z, i, j) : 0, b = weight != 0 ? pm_get(x, i, j) : 0;
            const double by = weight * pm_get(&c->in[2], i, j), size = fabs(a) + fabs(b);
            pm_put(c, 0, &c->out[0], i, j, by * (a - b) * (a - b), by * size * size);
            pm_put(c, 1, &c->out[1], i, j, 2 * by * (a - b), 2 * by * size);
        }
    }
    return PM_OK;
}
