// Reference kernels of Gaussian processes. Memory is the kernels' own, as in solve.c.
#include <stdlib.h>

#include "op/feistel.h"
#include "ref.h"

static int64_t at(const pm_view *v, int64_t j)
{
    return pm_get_u32(v, 0, j);
}

static void clear(const pm_view *v)
{
    for (int64_t i = 0; i < v->rows; i++)
        for (int64_t j = 0; j < v->cols; j++) pm_set(v, i, j, 0);
}

pm_status pm_ref_csr_thin(const pm_call *c)
{
    const pm_csr_thin_params *q = c->params;    // m is the entries of the result over its rows
    const pm_view *ptr = &c->in[0], *col = &c->in[1], *val = &c->in[2], *state = &c->in[3];
    int64_t next = 0;
    clear(&c->out[1]);
    clear(&c->out[2]);
    for (int64_t b = 0; b + 1 < ptr->cols; b++) {
        const int64_t from = at(ptr, b), n = at(ptr, b + 1) - from, m = c->out[1].cols / (ptr->cols - 1);
        const pm_feistel f = pm_feistel_make(pm_ref_seed(state), q->stream, (uint32_t)b, pm_get_u32(state, 0, PM_STATE_STEP), (uint32_t)n);
        pm_set(&c->out[0], 0, b, (double)next);
        for (int64_t e = 0; e < n; e++) {
            if (n > m && !(q->even ? (e + 1) * m / n > e * m / n : (int64_t)pm_feistel_at(&f, (uint32_t)e) < m)) continue;
            pm_set(&c->out[1], 0, next, (double)at(col, from + e));
            pm_put(c, 2, &c->out[2], 0, next++, pm_get(val, 0, from + e), 0);
        }
    }
    pm_set(&c->out[0], 0, ptr->cols - 1, (double)next);
    return PM_OK;
}

// ---- the kernel ----------------------------------------------------------------------------------------------------

typedef struct process {
    const pm_view *x;
    double         t[5], jitter;
} process;

static process process_of(const pm_view *x, const pm_view *t, float jitter)
{
    process p = { .x = x, .jitter = jitter };
    for (int k = 0; k < 5; k++) p.t[k] = pm_get(t, 0, k);
    return p;
}

// Two columns: their squared distance, its exponential, their product; of what the sums are made.
typedef struct pair {
    double distance, bell, bell_scale, product, product_scale;
} pair;

static pair pair_of(const process *p, int64_t i, int64_t j)
{
    pair r = { 0, 0, 0, 0, 0 };
    for (int64_t h = 0; h < p->x->cols; h++) {
        const double u = pm_get(p->x, i, h), v = pm_get(p->x, j, h);
        r.distance += (u - v) * (u - v);
        r.product += u * v;
        r.product_scale += fabs(u * v);
    }
    r.product_scale *= 1 + sqrt((double)p->x->cols) / 8;    // a long sum, one term after the other
    const double z = 0.5 * p->t[1] * p->t[1] * r.distance;
    r.bell = exp(-z);
    r.bell_scale = z < 1e4 ? r.bell * (1 + z * (3 + sqrt((double)p->x->cols))) : 0;    // the rounding of z is that of a sum
    return r;
}

static double kernel_of(const process *p, const pair *r, bool scale)
{
    const double *t = p->t;
    return t[0] * t[0] * (scale ? r->bell_scale : r->bell) + t[2] * t[2] * (scale ? r->product_scale : r->product) + t[3] * t[3];
}

// ---- fitting -------------------------------------------------------------------------------------------------------

typedef struct fit {
    int64_t n;
    double *a, *size, *l, *inverse, *w, *alpha, *reach;    // [n, n] five times, [n] twice
} fit;

static bool factor(fit *s)
{
    const int64_t n = s->n;
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = j; i < n; i++) {
            double sum = s->a[i * n + j];
            for (int64_t h = 0; h < j; h++) sum -= s->l[i * n + h] * s->l[j * n + h];
            if (i == j && !(sum > 0)) return false;
            s->l[i * n + j] = i == j ? sqrt(sum) : sum / s->l[j * n + j];
        }
    return true;
}

// The inverse, by the factor's solution of each unit vector.
static void invert(fit *s)
{
    const int64_t n = s->n;
    for (int64_t c = 0; c < n; c++) {
        double *x = s->inverse + c * n;
        for (int64_t i = 0; i < n; i++) {
            x[i] = i == c;
            for (int64_t h = c; h < i; h++) x[i] -= s->l[i * n + h] * x[h];
            x[i] /= s->l[i * n + i];
        }
        for (int64_t i = n - 1; i >= 0; i--) {
            for (int64_t h = i + 1; h < n; h++) x[i] -= s->l[h * n + i] * x[h];
            x[i] /= s->l[i * n + i];
        }
    }
}

// w = |A⁻¹| · (sizes of A and of its factors' product) · |A⁻¹|: how far roundings move the inverse. size takes the latter in.
static void reach_of_inverse(fit *s)
{
    const int64_t n = s->n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) s->size[i * n + j] += sqrt(s->a[i * n + i] * s->a[j * n + j]);
    for (int64_t i = 0; i < n; i++)    // l is no longer needed
        for (int64_t j = 0; j < n; j++) {
            s->l[i * n + j] = 0;
            for (int64_t h = 0; h < n; h++) s->l[i * n + j] += fabs(s->inverse[i * n + h]) * s->size[h * n + j];
        }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            s->w[i * n + j] = 0;
            for (int64_t h = 0; h < n; h++) s->w[i * n + j] += s->l[i * n + h] * fabs(s->inverse[h * n + j]);
        }
}

static void lay_out(const process *p, const pm_view *col, int64_t from, fit *s)
{
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t j = 0; j < s->n; j++) {
            const pair r = pair_of(p, at(col, from + i), at(col, from + j));
            const double more = i == j ? p->t[4] * p->t[4] : 0, by = i == j ? 1 + p->jitter : 1;
            s->a[i * s->n + j] = by * kernel_of(p, &r, false) + more;
            s->size[i * s->n + j] = by * kernel_of(p, &r, true) + more;
        }
}

static void spoil(const pm_call *c, int64_t b, int64_t from, int64_t n)
{
    pm_put(c, 0, &c->out[0], b, 0, (double)NAN, 0);
    for (int64_t i = 0; i < n; i++) {
        pm_put(c, 1, &c->out[1], 0, from + i, (double)NAN, 0);
        for (int64_t j = 0; j < n; j++) pm_put(c, 2, &c->out[2], from + i, j, (double)NAN, 0);
    }
}

static void fit_row(const pm_call *c, const process *p, int64_t b, int64_t from, fit *s)
{
    const pm_view *val = &c->in[2];
    const int64_t n = s->n;
    double loss = 0.5 * (double)n * log(6.283185307179586), scale = loss;
    lay_out(p, &c->in[1], from, s);
    if (!factor(s)) {
        spoil(c, b, from, n);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        loss += log(s->l[i * n + i]);
        scale += fabs(log(s->l[i * n + i]));
    }
    invert(s);
    reach_of_inverse(s);
    for (int64_t i = 0; i < n; i++) {
        s->alpha[i] = s->reach[i] = 0;
        for (int64_t j = 0; j < n; j++) s->alpha[i] += s->inverse[i * n + j] * pm_get(val, 0, from + j);
        for (int64_t j = 0; j < n; j++) s->reach[i] += (s->w[i * n + j] + fabs(s->inverse[i * n + j])) * fabs(pm_get(val, 0, from + j));
        loss += 0.5 * s->alpha[i] * pm_get(val, 0, from + i);
    }
    for (int64_t i = 0; i < n; i++) {
        scale += s->reach[i] * fabs(pm_get(val, 0, from + i));
        pm_put(c, 1, &c->out[1], 0, from + i, s->alpha[i], s->reach[i]);
        for (int64_t j = 0; j < n; j++) {
            scale += 0.5 * fabs(s->inverse[i * n + j]) * s->size[i * n + j];
            pm_put(c, 2, &c->out[2], from + i, j, 0.5 * (s->inverse[i * n + j] - s->alpha[i] * s->alpha[j]),
                   s->w[i * n + j] + s->reach[i] * fabs(s->alpha[j]) + fabs(s->alpha[i]) * s->reach[j]);
        }
    }
    pm_put(c, 0, &c->out[0], b, 0, loss, scale);
}

pm_status pm_ref_gp_fit(const pm_call *c)
{
    const pm_gp_fit_params *q = c->params;
    const process p = process_of(&c->in[3], &c->in[4], q->jitter);
    const pm_view *ptr = &c->in[0];
    int64_t most = 0;
    for (int64_t b = 0; b + 1 < ptr->cols; b++) most = PM_MAX(most, PM_MIN(at(ptr, b + 1) - at(ptr, b), c->out[2].cols));
    double *memory = malloc(sizeof *memory * (size_t)(5 * most * most + 2 * most + 1));
    if (!memory) return PM_ERR_NOMEM;
    for (int o = 0; o < 3; o++) clear(&c->out[o]);
    for (int64_t b = 0; b + 1 < ptr->cols; b++) {
        const int64_t n = PM_MIN(at(ptr, b + 1) - at(ptr, b), c->out[2].cols), square = n * n;
        fit s = { n, memory, memory + square, memory + 2 * square, memory + 3 * square, memory + 4 * square, memory + 5 * square, memory + 5 * square + n };
        if (n > 0) fit_row(c, &p, b, at(ptr, b), &s);
    }
    free(memory);
    return PM_OK;
}

// ---- its gradient --------------------------------------------------------------------------------------------------

// What entry e of a row of n from `from` on gives to dt.
static void grad_t(const pm_call *c, const process *p, int64_t from, int64_t n, int64_t e, double weight)
{
    const double *t = p->t;
    double sum[5] = { 0 }, scale[5] = { 0 };
    for (int64_t f = from; f < from + n; f++) {
        const pair r = pair_of(p, at(&c->in[1], e), at(&c->in[1], f));
        const double g = weight * pm_get(&c->in[4], e, f - from), by = e == f ? 1 + p->jitter : 1;
        const double term[5] = { 2 * t[0] * r.bell * by, -t[0] * t[0] * r.bell * r.distance * t[1], 2 * t[2] * r.product * by, 2 * t[3] * by, e == f ? 2 * t[4] : 0 };
        const double size[5] = { 2 * t[0] * r.bell_scale * by, 2 * t[0] * t[0] * r.bell_scale * r.distance * t[1], 2 * t[2] * r.product_scale * by, term[3], term[4] };
        for (int k = 0; k < 5; k++) {
            sum[k] += g * term[k];
            scale[k] += fabs(g * size[k]);
        }
    }
    for (int k = 0; k < 5; k++) pm_put(c, 1, &c->out[1], e, k, sum[k], scale[k]);
}

static void grad_x(const pm_call *c, const process *p, int64_t from, int64_t n, int64_t e, double weight)
{
    const double near = p->t[0] * p->t[0] * p->t[1] * p->t[1], linear = p->t[2] * p->t[2];
    const int64_t i = at(&c->in[1], e);
    for (int64_t h = 0; h < p->x->cols; h++) {
        double sum = 0, scale = 0;
        for (int64_t f = from; f < from + n; f++) {
            const int64_t j = at(&c->in[1], f);
            const pair r = pair_of(p, i, j);
            const double g = 2 * weight * pm_get(&c->in[4], e, f - from), away = pm_get(p->x, i, h) - pm_get(p->x, j, h);
            const double along = linear * pm_get(p->x, j, h) * (e == f ? 1 + p->jitter : 1);
            sum += g * (along - near * r.bell * away);
            scale += fabs(g) * (fabs(along) + near * r.bell_scale * fabs(away));
        }
        pm_put(c, 0, &c->out[0], e, h, sum, scale);
    }
}

pm_status pm_ref_gp_grad(const pm_call *c)
{
    const pm_gp_grad_params *q = c->params;
    const process p = process_of(&c->in[2], &c->in[3], q->jitter);
    const pm_view *ptr = &c->in[0];
    for (int o = 0; o < 2; o++) clear(&c->out[o]);
    for (int64_t b = 0; b + 1 < ptr->cols; b++) {
        const int64_t from = at(ptr, b), n = PM_MIN(at(ptr, b + 1) - from, c->in[4].cols);
        for (int64_t e = from; e < from + n; e++) {
            grad_x(c, &p, from, n, e, pm_get(&c->in[5], b, 0));
            grad_t(c, &p, from, n, e, pm_get(&c->in[5], b, 0));
        }
    }
    return PM_OK;
}

pm_status pm_ref_gp_scores(const pm_call *c)
{
    const process p = process_of(&c->in[3], &c->in[4], 0);
    const pm_view *ptr = &c->in[0];
    for (int64_t b = 0; b + 1 < ptr->cols; b++)
        for (int64_t i = 0; i < p.x->rows; i++) {
            pm_ref_sum sum = { 0, 0 };
            for (int64_t e = at(ptr, b); e < at(ptr, b + 1); e++) {
                const pair r = pair_of(&p, i, at(&c->in[1], e));
                sum.value += pm_get(&c->in[2], 0, e) * kernel_of(&p, &r, false);
                sum.scale += fabs(pm_get(&c->in[2], 0, e)) * kernel_of(&p, &r, true);
            }
            pm_put(c, 0, &c->out[0], b, i, sum.value, sum.scale);
        }
    return PM_OK;
}
