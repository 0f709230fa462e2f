// Reference kernels of the solve group. Each row's system is laid out in full; memory for it is the kernel's own, because scratch that
// an op declares is not as precise.
#include <stdlib.h>

#include "ref.h"

// One row of als_cg or als_cholesky.
typedef struct als_row {
    const pm_call *call;
    int64_t        b, k;
    double        *a, *size;       // [k, k] the system, and the sizes of the sums it comes from
    double        *l, *inverse;    // its lower triangular factor; its inverse
    double        *x, *r, *p, *q, *most;
} als_row;

static int64_t at(const pm_view *v, int64_t j)
{
    return pm_get_u32(v, 0, j);
}

static double *als_begin(als_row *s, const pm_call *c)
{
    const int64_t k = c->in[4].rows, square = k * k;
    double *memory = calloc((size_t)(4 * square + 5 * k) + 1, sizeof *memory);
    *s = (als_row){ .call = c, .k = k, .a = memory, .size = memory + square, .l = memory + 2 * square, .inverse = memory + 3 * square };
    s->x = memory + 4 * square;
    s->r = s->x + k;
    s->p = s->r + k;
    s->q = s->p + k;
    s->most = s->q + k;
    return memory;
}

// False when the row has no entries.
static bool als_lay_out(als_row *s, int64_t b, double ridge, bool by_count)
{
    const pm_view *ptr = &s->call->in[0], *col = &s->call->in[1], *c = &s->call->in[2], *y = &s->call->in[3], *gram = &s->call->in[4];
    const int64_t from = at(ptr, b), to = at(ptr, b + 1);
    s->b = b;
    for (int64_t i = 0; i < s->k; i++)
        for (int64_t j = 0; j < s->k; j++) {
            double sum = pm_get(gram, i, j) + (i == j ? ridge * (by_count ? (double)(to - from) : 1) : 0), size = fabs(sum);
            for (int64_t e = from; e < to; e++) {
                const double term = pm_get(c, 0, e) * pm_get(y, at(col, e), i) * pm_get(y, at(col, e), j);
                sum += term;
                size += fabs(term);
            }
            s->a[i * s->k + j] = sum;
            s->size[i * s->k + j] = size;
        }
    return to > from;
}

// False when a pivot is not positive, or as good as 0.
static bool als_factor(als_row *s)
{
    const int64_t k = s->k;
    for (int64_t j = 0; j < k; j++) {
        double pivot = s->a[j * k + j];
        for (int64_t h = 0; h < j; h++) pivot -= s->l[j * k + h] * s->l[j * k + h];
        if (!(pivot > 0x1p-18 * s->a[j * k + j])) return false;
        s->l[j * k + j] = sqrt(pivot);
        for (int64_t i = j + 1; i < k; i++) {
            double sum = s->a[i * k + j];
            for (int64_t h = 0; h < j; h++) sum -= s->l[i * k + h] * s->l[j * k + h];
            s->l[i * k + j] = sum / s->l[j * k + j];
        }
    }
    return true;
}

// x = A⁻¹ · x.
static void als_substitute(const als_row *s, double *x)
{
    const int64_t k = s->k;
    for (int64_t i = 0; i < k; i++) {
        for (int64_t h = 0; h < i; h++) x[i] -= s->l[i * k + h] * x[h];
        x[i] /= s->l[i * k + i];
    }
    for (int64_t i = k - 1; i >= 0; i--) {
        for (int64_t h = i + 1; h < k; h++) x[i] -= s->l[h * k + i] * x[h];
        x[i] /= s->l[i * k + i];
    }
}

static void als_invert(als_row *s)
{
    for (int64_t j = 0; j < s->k; j++) {
        double *column = s->inverse + j * s->k;    // symmetric
        for (int64_t i = 0; i < s->k; i++) column[i] = i == j;
        als_substitute(s, column);
    }
}

// How far roundings of the system, of its factor and of the right side move element j: |A⁻¹| · ((sizes + |L|·|Lᵀ|) · |x| + |b|).
static double als_scale(const als_row *s, const double *x, int64_t j)
{
    const int64_t k = s->k;
    double scale = 0;
    for (int64_t i = 0; i < k; i++) {
        double part = fabs(pm_get(&s->call->in[5], s->b, i));
        for (int64_t h = 0; h < k; h++) part += (s->size[i * k + h] + s->q[i] * s->q[h]) * fabs(x[h]);
        scale += fabs(s->inverse[j * k + i]) * part;
    }
    return scale;
}

// q[i] = length of row i of the factor, so that |L|·|Lᵀ| is at most q·qᵀ.
static void als_lengths(als_row *s)
{
    for (int64_t i = 0; i < s->k; i++) s->q[i] = sqrt(s->a[i * s->k + i]);
}

static void als_put(als_row *s, const double *x, const double *most, bool good)
{
    const bool scaled = good && s->call->scale && s->call->scale[0];
    if (scaled) als_invert(s);
    if (scaled) als_lengths(s);
    for (int64_t j = 0; j < s->k; j++)
        pm_put(s->call, 0, &s->call->out[0], s->b, j, good ? x[j] : (double)NAN, scaled ? als_scale(s, most, j) : 0);
}

static void als_empty(const als_row *s)
{
    for (int64_t j = 0; j < s->k; j++) pm_put(s->call, 0, &s->call->out[0], s->b, j, 0, 0);
}

pm_status pm_ref_als_cholesky(const pm_call *c)
{
    const pm_als_cholesky_params *q = c->params;
    als_row s;
    double *memory = als_begin(&s, c);
    if (!memory) return PM_ERR_NOMEM;
    for (int64_t b = 0; b < c->out[0].rows; b++) {
        if (!als_lay_out(&s, b, q->ridge, q->by_count)) {
            als_empty(&s);
            continue;
        }
        const bool good = als_factor(&s);
        for (int64_t j = 0; j < s.k; j++) s.x[j] = pm_get(&c->in[5], b, j);
        if (good) als_substitute(&s, s.x);
        als_put(&s, s.x, s.x, good);
    }
    free(memory);
    return PM_OK;
}

static double dot(const double *u, const double *v, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += u[i] * v[i];
    return sum;
}

static void als_apply(const als_row *s, const double *v, double *y)
{
    for (int64_t i = 0; i < s->k; i++) y[i] = dot(s->a + i * s->k, v, s->k);
}

static void conjugate_gradients(als_row *s, uint32_t iterations)
{
    const int64_t k = s->k;
    als_apply(s, s->x, s->q);
    for (int64_t i = 0; i < k; i++) {
        s->p[i] = s->r[i] = pm_get(&s->call->in[5], s->b, i) - s->q[i];
        s->most[i] = fabs(s->x[i]);
    }
    double rr = dot(s->r, s->r, k);
    for (uint32_t n = 0; n < iterations && rr > 0; n++) {
        als_apply(s, s->p, s->q);
        const double curvature = dot(s->p, s->q, k), alpha = rr / curvature, before = rr;
        if (!(curvature > 0)) break;
        for (int64_t i = 0; i < k; i++) {
            s->x[i] += alpha * s->p[i];
            s->r[i] -= alpha * s->q[i];
            s->most[i] += fabs(alpha * s->p[i]);
        }
        rr = dot(s->r, s->r, k);
        for (int64_t i = 0; i < k; i++) s->p[i] = s->r[i] + rr / before * s->p[i];
    }
}

pm_status pm_ref_als_cg(const pm_call *c)
{
    const pm_als_cg_params *q = c->params;
    als_row s;
    double *memory = als_begin(&s, c);
    if (!memory) return PM_ERR_NOMEM;
    for (int64_t b = 0; b < c->out[0].rows; b++) {
        if (!als_lay_out(&s, b, q->ridge, q->by_count)) {
            als_empty(&s);
            continue;
        }
        for (int64_t j = 0; j < s.k; j++) s.x[j] = pm_get(&c->in[6], b, j);
        conjugate_gradients(&s, q->iterations);
        if (c->scale && c->scale[0]) als_factor(&s);
        als_put(&s, s.x, s.most, true);
    }
    free(memory);
    return PM_OK;
}

// ---- element-wise ALS ----

typedef struct eals {
    const pm_call *call;
    double        *x;           // [k] the factors
    double        *t, *size;    // [entries] what is left of the targets; how large the sums behind it are
    int64_t        k;
    double         missing, ridge;
} eals;

// What factor f becomes; *scale: the sizes of what it was computed from.
static double eals_best(const eals *s, int64_t f, int64_t from, int64_t to, double *scale)
{
    const pm_view *col = &s->call->in[1], *c = &s->call->in[2], *y = &s->call->in[4], *gram = &s->call->in[5];
    double over = 0, under = s->missing * pm_get(gram, f, f) + s->ridge, size = 0;
    for (int64_t e = from; e < to; e++) {
        const double v = pm_get(y, at(col, e), f), own = pm_get(c, 0, e) * v;
        over += (s->t[e] + own * s->x[f]) * v;
        under += own * v;
        size += (s->size[e] + fabs(own * s->x[f])) * fabs(v);
    }
    for (int64_t k = 0; k < s->k; k++) {
        const double term = k == f ? 0 : s->missing * pm_get(gram, f, k) * s->x[k];
        over -= term;
        size += fabs(term);
    }
    const bool sound = under > 0 && under >= 0.5 * s->ridge;
    *scale = sound ? size / under : 0;
    return sound ? over / under : 0;
}

static void eals_row(eals *s, int64_t b)
{
    const pm_call *call = s->call;
    const pm_view *col = &call->in[1], *c = &call->in[2], *y = &call->in[4], *x = &call->in[7];
    const int64_t from = at(&call->in[0], b), to = at(&call->in[0], b + 1);
    for (int64_t f = 0; f < s->k; f++) s->x[f] = from < to ? pm_get(x, b, f) : 0;
    for (int64_t e = from; e < to; e++) {
        s->t[e] = pm_get(&call->in[3], 0, e);
        s->size[e] = fabs(s->t[e]);
        for (int64_t f = 0; f < s->k; f++) s->t[e] -= pm_get(c, 0, e) * pm_get(y, at(col, e), f) * s->x[f];
        for (int64_t f = 0; f < s->k; f++) s->size[e] += fabs(pm_get(c, 0, e) * pm_get(y, at(col, e), f) * s->x[f]);
    }
    for (int64_t f = 0; f < s->k; f++) {
        double scale = 0;
        const double best = from < to ? eals_best(s, f, from, to, &scale) : 0, step = best - s->x[f];
        for (int64_t e = from; e < to; e++) {
            const double part = pm_get(c, 0, e) * pm_get(y, at(col, e), f);
            s->t[e] -= part * step;
            s->size[e] += fabs(part) * (fabs(step) + scale / (double)s->k);
        }
        s->x[f] = best;
        pm_put(call, 1, x, b, f, best, fabs(best) + scale);
    }
    for (int64_t e = from; e < to; e++) pm_put(call, 0, &call->in[3], 0, e, s->t[e], s->size[e]);
}

pm_status pm_ref_eals_rows(const pm_call *c)
{
    const pm_eals_rows_params *q = c->params;
    const int64_t entries = c->in[3].cols, k = c->in[7].cols;
    double *memory = calloc((size_t)(2 * entries + k) + 1, sizeof *memory);
    if (!memory) return PM_ERR_NOMEM;
    eals s = { .call = c, .t = memory, .size = memory + entries, .x = memory + 2 * entries, .k = k, .ridge = (double)q->ridge };
    for (int64_t b = 0; b < c->in[7].rows; b++) {
        s.missing = pm_get(&c->in[6], 0, b);
        eals_row(&s, b);
    }
    free(memory);
    return PM_OK;
}

// ---- SLIM ----

typedef struct slim {
    const pm_view            *gram;
    const pm_slim_columns_params *q;
    int64_t                   j, items;
    double                   *v, *r;
} slim;

// What coordinate k becomes when the others stay.
static double slim_best(const slim *s, int64_t k)
{
    const double diagonal = pm_get(s->gram, k, k), rho = s->r[k] + diagonal * s->v[k], curvature = diagonal + s->q->l2;
    const double size = (s->q->positive ? rho : fabs(rho)) - s->q->l1;
    if (k == s->j || !(curvature > 0) || !(size > 0)) return 0;
    return (rho < 0 ? -size : size) / curvature;
}

static void slim_solve(slim *s)
{
    for (int64_t k = 0; k < s->items; k++) {
        s->v[k] = 0;
        s->r[k] = pm_get(s->gram, s->j, k);
    }
    for (uint32_t sweep = 0; sweep < s->q->sweeps; sweep++) {
        double moved = 0, most = 0;
        for (int64_t k = 0; k < s->items; k++) {
            const double best = slim_best(s, k), step = best - s->v[k];
            s->v[k] = best;
            moved = pm_max_double(moved, fabs(step));
            most = pm_max_double(most, fabs(best));
            for (int64_t m = 0; m < s->items && step != 0; m++) s->r[m] -= step * pm_get(s->gram, k, m);
        }
        if (moved <= s->q->tolerance * most) break;
    }
}

// The sizes of what a coordinate was computed from.
static double slim_scale(const slim *s, int64_t k)
{
    double size = fabs(pm_get(s->gram, s->j, k)) + (double)s->q->l1;
    for (int64_t m = 0; m < s->items; m++) size += fabs(pm_get(s->gram, k, m) * s->v[m]);
    const double curvature = pm_get(s->gram, k, k) + (double)s->q->l2;
    return fabs(s->v[k]) + (curvature > 0 ? size / curvature : 0);
}

pm_status pm_ref_slim_columns(const pm_call *c)
{
    const pm_view *rows = &c->in[1], *w = &c->in[3];
    slim s = { .gram = &c->in[0], .q = c->params, .items = w->rows };
    double *memory = calloc((size_t)(2 * s.items) + 1, sizeof *memory);
    if (!memory) return PM_ERR_NOMEM;
    s.v = memory;
    s.r = memory + s.items;
    for (int64_t b = 0; b < at(&c->in[2], 0); b++) {
        s.j = at(rows, b);
        slim_solve(&s);
        for (int64_t k = 0; k < s.items; k++) pm_put(c, 0, w, k, s.j, s.v[k], c->scale ? slim_scale(&s, k) : 0);
    }
    free(memory);
    return PM_OK;
}
