// Reference kernels of batch normalisation and of what keeps weights and gradients small.
#include "ref.h"

// ---- squares and norms ----

pm_status pm_ref_col_squares(const pm_call *c)
{
    const pm_view *x = &c->in[0];
    for (int64_t j = 0; j < x->cols; j++) {
        double sum = 0;
        for (int64_t i = 0; i < x->rows; i++) sum += pm_get(x, i, j) * pm_get(x, i, j);
        pm_put(c, 0, &c->out[0], 0, j, sum, sum);
    }
    return PM_OK;
}

pm_status pm_ref_grad_squares(const pm_call *c)
{
    const pm_grad_squares_params *p = c->params;
    const pm_view *w = &c->in[0], *g = &c->in[1];
    for (int64_t i = 0; i < g->rows; i++) {
        double sum = 0, scale = 0;
        for (int64_t j = 0; j < g->cols; j++) {
            const double pull = p->decay * pm_get(w, i, j), all = pm_get(g, i, j) + pull, size = fabs(pm_get(g, i, j)) + fabs(pull);
            sum += all * all;
            scale += size * size;
        }
        pm_put(c, 0, &c->out[0], 0, i, sum, scale);
    }
    return PM_OK;
}

// What shortens a length to the limit; 1 where it is none too long.
static double shorten(double squares, double limit)
{
    return squares > limit * limit ? limit / sqrt(squares) : 1;
}

pm_status pm_ref_clip_factor(const pm_call *c)
{
    const pm_clip_factor_params *p = c->params;
    const double y = shorten(pm_get(&c->in[0], 0, 0), p->limit);
    pm_put(c, 0, &c->out[0], 0, 0, y, y);
    return PM_OK;
}

pm_status pm_ref_max_norm_rows(const pm_call *c)
{
    const pm_max_norm_rows_params *p = c->params;
    const pm_view *w = &c->in[0];
    for (int64_t i = 0; i < w->rows; i++) {
        double squares = 0;
        for (int64_t j = 0; j < w->cols; j++) squares += pm_get(w, i, j) * pm_get(w, i, j);
        for (int64_t j = 0; j < w->cols; j++) {
            const double y = pm_get(w, i, j) * shorten(squares, p->limit);
            pm_put(c, 0, w, i, j, y, fabs(y));
        }
    }
    return PM_OK;
}

pm_status pm_ref_max_norm_cols(const pm_call *c)
{
    const pm_max_norm_cols_params *p = c->params;
    const pm_view *w = &c->in[0];
    for (int64_t i = 0; i < w->rows; i++)
        for (int64_t j = 0; j < w->cols; j++) {
            const double y = pm_get(w, i, j) * shorten(pm_get(&c->in[1], 0, j), p->limit);
            pm_put(c, 0, w, i, j, y, fabs(y));
        }
    return PM_OK;
}

pm_status pm_ref_average(const pm_call *c)
{
    const pm_average_params *p = c->params;
    const pm_view *r = &c->in[0];
    for (int64_t i = 0; i < r->rows; i++)
        for (int64_t j = 0; j < r->cols; j++) {
            const double old = p->keep * pm_get(r, i, j), fresh = (1.0 - p->keep) * pm_get(&c->in[1], i, j);
            pm_put(c, 0, r, i, j, old + fresh, fabs(old) + fabs(fresh));
        }
    return PM_OK;
}

// ---- batch normalisation ----

// A column over the live rows: its statistics, and what rounding may do to 1 / sqrt(var + eps), relative.
typedef struct column {
    int64_t n;
    double  mean, size, var, var_scale, inv, inv_scale;    // size: mean of |x|
} column;

static column column_of(const pm_view *x, int64_t n, int64_t j, double eps)
{
    column k = { .n = n };
    for (int64_t i = 0; i < n; i++) {
        k.mean += pm_get(x, i, j) / (double)n;
        k.size += fabs(pm_get(x, i, j)) / (double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        const double off = pm_get(x, i, j) - k.mean;
        k.var += off * off / (double)n;
        k.var_scale += (off * off + 2 * fabs(off) * (fabs(pm_get(x, i, j)) + k.size)) / (double)n;
    }
    k.inv = 1 / sqrt(k.var + eps);
    k.inv_scale = 1 + k.var_scale * k.inv * k.inv / 2;
    return k;
}

// (x − mean) / sqrt(var + eps), and the scale of its error.
static double normal_of(const column *k, double x, double *scale)
{
    const double h = (x - k->mean) * k->inv;
    *scale = (fabs(x) + k->size) * k->inv + fabs(h) * k->inv_scale;
    return h;
}

pm_status pm_ref_batch_norm(const pm_call *c)
{
    const pm_batch_norm_params *p = c->params;
    const pm_view *x = &c->in[0];
    const int64_t n = pm_get_u32(&c->in[1], 0, 0);
    for (int64_t j = 0; j < x->cols; j++) {
        const column k = column_of(x, n, j, p->eps);
        const double gamma = pm_get(&c->in[2], 0, j), beta = pm_get(&c->in[3], 0, j);
        pm_put(c, 1, &c->out[1], 0, j, k.mean, k.size);
        pm_put(c, 2, &c->out[2], 0, j, k.var, k.var_scale);
        for (int64_t i = 0; i < x->rows; i++) {
            double scale = 0;
            const double h = i < n ? normal_of(&k, pm_get(x, i, j), &scale) : 0;
            pm_put(c, 0, &c->out[0], i, j, i < n ? gamma * h + beta : 0, fabs(gamma) * scale + fabs(beta));
        }
    }
    return PM_OK;
}

static void grad_column(const pm_call *c, const column *k, int64_t j)
{
    const pm_view *x = &c->in[0], *dy = &c->in[3];
    const double gamma = pm_get(&c->in[2], 0, j), n = (double)PM_MAX(k->n, 1);
    double sum = 0, size = 0, dot = 0, dot_scale = 0;
    for (int64_t i = 0; i < k->n; i++) {
        double scale;
        const double d = pm_get(dy, i, j), h = normal_of(k, pm_get(x, i, j), &scale);
        sum += d;
        size += fabs(d);
        dot += d * h;
        dot_scale += fabs(d) * (fabs(h) + scale);
    }
    pm_put(c, 1, &c->out[1], 0, j, dot, dot_scale);
    pm_put(c, 2, &c->out[2], 0, j, sum, size);
    for (int64_t i = 0; i < x->rows; i++) {
        double scale = 0;
        const double d = pm_get(dy, i, j), h = i < k->n ? normal_of(k, pm_get(x, i, j), &scale) : 0, by = gamma * k->inv;
        const double inner = d - sum / n - h * dot / n;
        const double inner_scale = fabs(d) + size / n + fabs(h) * dot_scale / n + scale * fabs(dot) / n;
        pm_put(c, 0, &c->out[0], i, j, i < k->n ? by * inner : 0, fabs(by) * (inner_scale + k->inv_scale * fabs(inner)));
    }
}

pm_status pm_ref_batch_norm_grad(const pm_call *c)
{
    const pm_batch_norm_grad_params *p = c->params;
    for (int64_t j = 0; j < c->in[0].cols; j++) {
        const column k = column_of(&c->in[0], pm_get_u32(&c->in[1], 0, 0), j, p->eps);
        grad_column(c, &k, j);
    }
    return PM_OK;
}

pm_status pm_ref_batch_norm_apply(const pm_call *c)
{
    const pm_batch_norm_apply_params *p = c->params;
    const pm_view *x = &c->in[0];
    for (int64_t i = 0; i < x->rows; i++)
        for (int64_t j = 0; j < x->cols; j++) {
            const double mean = pm_get(&c->in[1], 0, j), gamma = pm_get(&c->in[3], 0, j), beta = pm_get(&c->in[4], 0, j);
            const double by = gamma / sqrt(pm_get(&c->in[2], 0, j) + p->eps), v = pm_get(x, i, j);
            pm_put(c, 0, &c->out[0], i, j, by * (v - mean) + beta, fabs(by) * (fabs(v) + fabs(mean)) + fabs(beta));
        }
    return PM_OK;
}

pm_status pm_ref_unit_rows(const pm_call *c)
{
    const pm_view *x = &c->in[0];
    for (int64_t i = 0; i < x->rows; i++) {
        double squares = 0;
        for (int64_t j = 0; j < x->cols; j++) squares += pm_get(x, i, j) * pm_get(x, i, j);
        const double by = squares > 0 ? 1 / sqrt(squares) : 0;
        for (int64_t j = 0; j < x->cols; j++) pm_put(c, 0, &c->out[0], i, j, pm_get(x, i, j) * by, fabs(pm_get(x, i, j)) * by);
        pm_put(c, 1, &c->out[1], i, 0, by, by);
    }
    return PM_OK;
}
