// Reference kernels of the linear group: Gram matrices, inversion, orthonormal bases, eigenvectors.
#include "ref.h"

static int64_t at(const pm_view *v, int64_t j)
{
    return pm_get_u32(v, 0, j);
}

// x[u, i] of a sparse matrix.
static double element(const pm_view *ptr, const pm_view *col, const pm_view *val, int64_t u, int64_t i)
{
    for (int64_t e = at(ptr, u); e < at(ptr, u + 1); e++)
        if (at(col, e) == i) return pm_get(val, 0, e);
    return 0;
}

pm_status pm_ref_gram(const pm_call *c)
{
    const pm_view *aptr = &c->in[0], *arow = &c->in[1], *aval = &c->in[2], *g = &c->out[0];
    for (int64_t b = 0; b < g->rows; b++)
        for (int64_t i = 0; i < g->cols; i++) {
            pm_ref_sum sum = { 0, 0 };
            for (int64_t f = at(aptr, b); f < at(aptr, b + 1); f++) {
                const double product = pm_get(aval, 0, f) * element(&c->in[3], &c->in[4], &c->in[5], at(arow, f), i);
                sum.value += product;
                sum.scale += fabs(product);
            }
            pm_put(c, 0, g, b, i, sum.value, sum.scale);
        }
    return PM_OK;
}

pm_status pm_ref_similarity(const pm_call *c)
{
    const pm_similarity_params *q = c->params;
    const pm_view *y = &c->out[0], *size = &c->in[2];
    for (int64_t b = 0; b < y->rows; b++)
        for (int64_t i = 0; i < y->cols; i++) {
            const double g = pm_get(&c->in[0], b, i), own = pm_get(size, 0, pm_get_u32(&c->in[1], 0, b)), other = pm_get(size, 0, i);
            const double sum = own + other + fabs(g) + (double)q->shrink, under = (q->joint ? own + other - g : own * other) + (double)q->shrink;
            const double v = i != pm_get_u32(&c->in[1], 0, b) && g > 0 && under > 0 ? g / under : 0;
            pm_put(c, 0, y, b, i, v, v * (q->joint && under > 0 ? PM_MAX(sum / under, 1) : 1));
        }
    return PM_OK;
}

pm_status pm_ref_matmul_add(const pm_call *c)
{
    const pm_matmul_add_params *p = c->params;
    const pm_view *y = &c->in[2];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const double before = pm_get(y, i, j);
            if (p->lower && j > i) {
                pm_put(c, 0, y, i, j, before, 0);
                continue;
            }
            const pm_ref_sum sum = pm_ref_product(&c->in[0], &c->in[1], p->ta, p->tb, i, j);
            pm_put(c, 0, y, i, j, before + (double)p->alpha * sum.value, fabs(before) + fabs((double)p->alpha) * sum.scale);
        }
    return PM_OK;
}

pm_status pm_ref_identity(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) pm_put(c, 0, y, i, j, i == j, 0);
    return PM_OK;
}

pm_status pm_ref_diagonal(const pm_call *c)
{
    const pm_diagonal_params *p = c->params;
    for (int64_t i = 0; i < c->in[0].rows; i++) {
        const double a = pm_get(&c->in[0], i, i), y = !p->inverse ? a : a == 0 ? 0 : 1 / a;
        pm_put(c, 0, &c->out[0], i, 0, y, fabs(y));
    }
    return PM_OK;
}

pm_status pm_ref_root(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const double v = sqrt(pm_max_double(pm_get(&c->in[0], i, j), 0));
            pm_put(c, 0, y, i, j, v, v);
        }
    return PM_OK;
}

pm_status pm_ref_log_count(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++) {
            const uint32_t n = pm_get_u32(&c->in[0], i, j);
            const double v = n > 0 ? log((double)n) : 0;
            pm_put(c, 0, y, i, j, v, v);
        }
    return PM_OK;
}

static double squares(const pm_view *x)
{
    double sum = 0;
    for (int64_t i = 0; i < x->rows; i++)
        for (int64_t j = 0; j < x->cols; j++) sum += pm_get(x, i, j) * pm_get(x, i, j);
    return sum;
}

pm_status pm_ref_relative_norm(const pm_call *c)
{
    const double x = squares(&c->in[0]), y = squares(&c->in[1]), r = sqrt(x) / (y > 0 ? sqrt(y) : 1);
    pm_put(c, 0, &c->out[0], 0, 0, r, r);
    return PM_OK;
}

// ---- panels ----

static int64_t panel_begin(const pm_view *state, int64_t width)
{
    return (int64_t)pm_get_u32(state, 0, PM_STATE_POSITION) * width;
}

pm_status pm_ref_panel_take(const pm_call *c)
{
    const pm_view *a = &c->in[0], *y = &c->out[0];
    const int64_t k = panel_begin(&c->in[1], y->cols);
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t j = 0; j < y->cols; j++)
            pm_put(c, 0, y, i, j, k + j < a->rows ? pm_get(a, PM_MAX(i, k + j), PM_MIN(i, k + j)) : 0, 0);
    return PM_OK;
}

pm_status pm_ref_panel_pivot(const pm_call *c)
{
    const pm_view *panel = &c->in[0], *d = &c->out[0];
    const int64_t k = panel_begin(&c->in[1], d->cols);
    for (int64_t i = 0; i < d->rows; i++)
        for (int64_t j = 0; j < d->cols; j++) pm_put(c, 0, d, i, j, k + i < panel->rows ? pm_get(panel, k + i, j) : i == j, 0);
    return PM_OK;
}

// What an op changes in place is judged whole, also where it stays.
static void keep(const pm_call *c, int o, const pm_view *v)
{
    for (int64_t i = 0; i < v->rows; i++)
        for (int64_t j = 0; j < v->cols; j++) pm_put(c, o, v, i, j, pm_get(v, i, j), 0);
}

pm_status pm_ref_panel_put(const pm_call *c)
{
    const pm_view *a = &c->in[0], *w = &c->in[1], *q = &c->in[2];
    const int64_t k = panel_begin(&c->in[3], w->cols);
    keep(c, 0, a);
    for (int64_t i = 0; i < w->rows; i++)
        for (int64_t j = 0; j < w->cols && k + j < a->rows; j++) {
            if (i < k || i >= k + w->cols) pm_put(c, 0, a, PM_MAX(i, k + j), PM_MIN(i, k + j), pm_get(w, i, j), 0);
            else if (i >= k + j) pm_put(c, 0, a, i, k + j, -pm_get(q, i - k, j), 0);
        }
    return PM_OK;
}

pm_status pm_ref_panel_rows(const pm_call *c)
{
    const pm_view *a = &c->in[0], *panel = &c->in[1], *s = &c->in[2];
    const int64_t k = panel_begin(&c->in[3], panel->cols);
    keep(c, 0, a);
    for (int64_t i = 0; i < panel->rows; i++)
        for (int64_t j = 0; j < panel->cols && k + j < a->rows; j++) {
            const double v = i == k + j ? 0 : pm_get(s, i, 0) * pm_get(panel, i, j);
            pm_put(c, 0, a, k + j, i, v, fabs(v));
        }
    return PM_OK;
}

// ---- small matrices ----

static double lower(const pm_view *a, double shift, int64_t i, int64_t j)
{
    return pm_get(a, PM_MAX(i, j), PM_MIN(i, j)) + (i == j ? shift : 0);
}

static bool wants_scale(const pm_call *c)
{
    return c->scale && c->scale[0];
}

// What the rounding of an inverse is measured in: |y| · |a| · |y|.
static void scale_of_inverse(const pm_call *c, double shift)
{
    const pm_view *y = &c->out[0];
    const int64_t n = y->rows;
    for (int64_t i = 0; wants_scale(c) && i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t k = 0; k < n * n; k++)
                sum += fabs(pm_get(y, i, k / n) * lower(&c->in[0], shift, k / n, k % n) * pm_get(y, k % n, j));
            c->scale[0][i * n + j] = sum;
        }
}

// Likewise of a factor's: |y| · |L| · |y|, no element of row k of L being above the root of a[k,k].
static void scale_of_factor(const pm_call *c, double shift)
{
    const pm_view *y = &c->out[0];
    const int64_t n = y->rows;
    for (int64_t i = 0; wants_scale(c) && i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0, column = 0;
            for (int64_t k = 0; k < n; k++) {
                column += fabs(pm_get(y, k, j));
                sum += fabs(pm_get(y, i, k)) * sqrt(lower(&c->in[0], shift, k, k)) * column;
            }
            c->scale[0][i * n + j] = sum;
        }
}

pm_status pm_ref_spd_inverse(const pm_call *c)
{
    const pm_spd_inverse_params *p = c->params;
    const pm_view *a = &c->in[0], *y = &c->out[0];
    const int64_t n = y->rows;
    double least = INFINITY, most = 0;
    for (int64_t i = 0; i < n; i++) {
        most = pm_max_double(most, fabs(lower(a, p->shift, i, i)));
        for (int64_t j = 0; j < n; j++) pm_set(y, i, j, lower(a, p->shift, i, j));
    }
    for (int64_t k = 0; k < n; k++) {
        const double d = pm_get(y, k, k);
        if (!(d > 0) || !isfinite(d)) {
            for (int64_t i = 0; i < n * n; i++) pm_put(c, 0, y, i / n, i % n, 0, 0);
            pm_put(c, 1, &c->out[1], 0, 0, 0, most);
            return PM_OK;
        }
        least = fmin(least, d);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++)
                if (i != k && j != k) pm_set(y, i, j, pm_get(y, i, j) - pm_get(y, i, k) * pm_get(y, k, j) / d);
        for (int64_t i = 0; i < n; i++) {
            if (i == k) continue;
            pm_set(y, i, k, pm_get(y, i, k) / d);
            pm_set(y, k, i, pm_get(y, k, i) / d);
        }
        pm_set(y, k, k, -1 / d);
    }
    for (int64_t i = 0; i < n * n; i++) pm_set(y, i / n, i % n, -pm_get(y, i / n, i % n));
    scale_of_inverse(c, p->shift);
    pm_put(c, 1, &c->out[1], 0, 0, least, most);
    return PM_OK;
}

// The rows of y hold, left of the diagonal, the inverse so far of the unit lower factor; from it on what is left of a.
pm_status pm_ref_cholesky_inverse(const pm_call *c)
{
    const pm_cholesky_inverse_params *p = c->params;
    const pm_view *a = &c->in[0], *y = &c->out[0];
    const int64_t n = y->rows;
    double trace = 0, most = 0;
    for (int64_t i = 0; i < n; i++) {
        trace += pm_get(a, i, i);
        most = pm_max_double(most, pm_get(a, i, i));
    }
    const double shift = (double)p->shift * trace / (double)n;
    for (int64_t i = 0; i < n * n; i++) pm_set(y, i / n, i % n, lower(a, shift, i / n, i % n));
    for (int64_t k = 0; k < n; k++) {
        const double d = pm_get(y, k, k);
        const bool good = isfinite(d) && d > 0x1p-24 * most;
        for (int64_t i = k + 1; i < n; i++) {
            const double f = good ? pm_get(y, i, k) / d : 0;
            for (int64_t j = 0; j < n; j++)
                if (j != k) pm_set(y, i, j, pm_get(y, i, j) - f * pm_get(y, k, j));
            pm_set(y, i, k, -f);
        }
        for (int64_t j = 0; j < n; j++)
            pm_set(y, k, j, !good || j > k ? 0 : (j < k ? pm_get(y, k, j) : 1) / sqrt(d));
    }
    scale_of_factor(c, shift);
    return PM_OK;
}

// ---- eigenvectors ----

typedef struct rotation {
    int64_t p, q;    // q: n where p has no partner
    double  c, s;
} rotation;

static rotation rotation_of(const pm_view *a, int64_t t, int64_t pair)
{
    const int64_t n = a->rows, m = (n + 1) / 2 * 2 - 1, u = pair ? (t + pair) % m : t, v = pair ? (t + m - pair) % m : m;
    rotation r = { PM_MIN(u, v), PM_MIN(PM_MAX(u, v), n), 1, 0 };
    if (r.q == n || pm_get(a, r.p, r.q) == 0) return r;
    const double tau = (pm_get(a, r.q, r.q) - pm_get(a, r.p, r.p)) / (2 * pm_get(a, r.p, r.q));
    const double tangent = (tau < 0 ? -1 : 1) / (fabs(tau) + sqrt(1 + tau * tau));
    r.c = 1 / sqrt(1 + tangent * tangent);
    r.s = tangent * r.c;
    return r;
}

static int64_t round_of(const pm_view *state, uint32_t round, uint32_t rounds, int64_t n)
{
    return ((int64_t)pm_get_u32(state, 0, PM_STATE_POSITION) * rounds + round) % ((n + 1) / 2 * 2 - 1);
}

static void rotate(double *x, double *y, double c, double s)
{
    const double p = *x;
    *x = c * p - s * *y;
    *y = s * p + c * *y;
}

// The elements of a in the rows of one pair and the columns of another, or of v in the rows of one and a column.
static void rotate_block(const pm_call *c, const rotation *r, const rotation *k)
{
    const pm_view *a = &c->in[0];
    const int64_t row[2] = { r->p, r->q }, col[2] = { k->p, k->q };
    double x[2][2] = { { 0, 0 }, { 0, 0 } }, sum = 0;
    for (int i = 0; i < 4; i++) {
        if (row[i / 2] < a->rows && col[i % 2] < a->rows) x[i / 2][i % 2] = pm_get(a, row[i / 2], col[i % 2]);
        sum += fabs(x[i / 2][i % 2]);
    }
    for (int j = 0; j < 2; j++) rotate(&x[0][j], &x[1][j], r->c, r->s);
    for (int i = 0; i < 2; i++) rotate(&x[i][0], &x[i][1], k->c, k->s);
    for (int i = 0; i < 4; i++)
        if (row[i / 2] < a->rows && col[i % 2] < a->rows) pm_put(c, 0, a, row[i / 2], col[i % 2], x[i / 2][i % 2], sum);
}

static void rotate_vectors(const pm_call *c, const rotation *r)
{
    const pm_view *v = &c->in[1];
    for (int64_t j = 0; j < v->cols; j++) {
        double x = pm_get(v, r->p, j), y = r->q < v->rows ? pm_get(v, r->q, j) : 0;
        const double sum = fabs(x) + fabs(y);
        rotate(&x, &y, r->c, r->s);
        pm_put(c, 1, v, r->p, j, x, sum);
        if (r->q < v->rows) pm_put(c, 1, v, r->q, j, y, sum);
    }
}

pm_status pm_ref_jacobi_round(const pm_call *c)
{
    const pm_jacobi_round_params *q = c->params;
    const pm_view *a = &c->in[0];
    const int64_t t = round_of(&c->in[2], q->round, q->rounds, a->rows), pairs = (a->rows + 1) / 2;
    for (int64_t i = 0; i < pairs; i++) {
        const rotation r = rotation_of(a, t, i);
        rotate_vectors(c, &r);
        for (int64_t j = 0; j < pairs; j++) {
            const rotation k = rotation_of(a, t, j);
            if (i != j) rotate_block(c, &r, &k);
        }
    }
    for (int64_t i = 0; i < pairs; i++) {    // what the angles come from, last
        const rotation r = rotation_of(a, t, i);
        rotate_block(c, &r, &r);
    }
    return PM_OK;
}
