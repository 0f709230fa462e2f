// Kernels of the linear group that are neither a product nor a body of every instruction set.
#include <float.h>
#include <math.h>

#include <pumice/state.h>

#include "backend/cpu/cpu.h"

// ---- gram ----

static void gram_rows(const pm_call *c, int64_t unused, int64_t lo, int64_t hi)
{
    (void)unused;
    const uint32_t *aptr = pm_row_u32(&c->in[0], 0), *arow = pm_row_u32(&c->in[1], 0), *ptr = pm_row_u32(&c->in[3], 0), *col = pm_row_u32(&c->in[4], 0);
    const float *aval = pm_row(&c->in[2], 0), *val = pm_row(&c->in[5], 0);
    for (int64_t b = lo; b < hi; b++) {
        float *y = pm_row(&c->out[0], b);
        memset(y, 0, sizeof(float) * (size_t)c->out[0].cols);
        for (uint32_t f = aptr[b]; f < aptr[b + 1]; f++) {
            const float v = aval[f];
            for (uint32_t e = ptr[arow[f]], end = ptr[arow[f] + 1]; e < end; e++) y[col[e]] += v * val[e];
        }
    }
}

pm_status pm_cpu_gram(const pm_call *c)
{
    const int64_t rows = c->out[0].rows, users = c->in[3].cols - 1;
    if (rows == 0) return PM_OK;
    return pm_cpu_rows(c, gram_rows, rows, c->out[0].cols + c->in[1].cols / rows * (1 + c->in[4].cols / PM_MAX(users, 1)));
}

// ---- elements ----

pm_status pm_cpu_identity(const pm_call *c)
{
    for (int64_t i = 0; i < c->out[0].rows; i++) {
        float *y = pm_row(&c->out[0], i);
        memset(y, 0, sizeof(float) * (size_t)c->out[0].cols);
        y[i] = 1.0f;
    }
    return PM_OK;
}

pm_status pm_cpu_diagonal(const pm_call *c)
{
    const pm_diagonal_params *q = c->params;
    for (int64_t i = 0; i < c->in[0].rows; i++) {
        const float a = pm_row(&c->in[0], i)[i];
        *pm_row(&c->out[0], i) = !q->inverse ? a : a == 0 ? 0.0f : 1.0f / a;
    }
    return PM_OK;
}

pm_status pm_cpu_root(const pm_call *c)
{
    for (int64_t i = 0; i < c->out[0].rows; i++)
        for (int64_t j = 0; j < c->out[0].cols; j++) pm_row(&c->out[0], i)[j] = sqrtf(PM_MAX(pm_row(&c->in[0], i)[j], 0.0f));
    return PM_OK;
}

pm_status pm_cpu_log_count(const pm_call *c)
{
    for (int64_t i = 0; i < c->out[0].rows; i++)
        for (int64_t j = 0; j < c->out[0].cols; j++) {
            const uint32_t n = pm_row_u32(&c->in[0], i)[j];
            pm_row(&c->out[0], i)[j] = n > 0 ? (float)log((double)n) : 0.0f;
        }
    return PM_OK;
}

static double squares(const pm_view *x)
{
    double sum = 0;
    for (int64_t i = 0; i < x->rows; i++)
        for (int64_t j = 0; j < x->cols; j++) sum += (double)pm_row(x, i)[j] * pm_row(x, i)[j];
    return sum;
}

pm_status pm_cpu_relative_norm(const pm_call *c)
{
    const double x = squares(&c->in[0]), y = squares(&c->in[1]);
    *pm_row(&c->out[0], 0) = (float)(sqrt(x) / (y > 0 ? sqrt(y) : 1));
    return PM_OK;
}

// ---- panels ----

static int64_t panel_begin(const pm_view *state, int64_t width)
{
    return (int64_t)pm_row_u32(state, 0)[PM_STATE_POSITION] * width;
}

static void take_rows(const pm_call *c, int64_t unused, int64_t lo, int64_t hi)
{
    (void)unused;
    const pm_view *a = &c->in[0];
    const int64_t width = c->out[0].cols, k = panel_begin(&c->in[1], width), n = PM_MAX(PM_MIN(a->rows - k, width), 0);
    for (int64_t i = lo; i < hi; i++) {
        float *y = pm_row(&c->out[0], i);
        const int64_t left = PM_MIN(PM_MAX(i + 1 - k, 0), n);    // of row i, the rest of column i
        if (left > 0) memcpy(y, pm_row(a, i) + k, sizeof(float) * (size_t)left);
        for (int64_t j = left; j < n; j++) y[j] = pm_row(a, k + j)[i];
        memset(y + n, 0, sizeof(float) * (size_t)(width - n));
    }
}

pm_status pm_cpu_panel_take(const pm_call *c)
{
    return pm_cpu_rows(c, take_rows, c->out[0].rows, 4 * c->out[0].cols);
}

pm_status pm_cpu_panel_pivot(const pm_call *c)
{
    const int64_t width = c->out[0].cols, k = panel_begin(&c->in[1], width);
    for (int64_t i = 0; i < width; i++) {
        float *y = pm_row(&c->out[0], i);
        if (k + i < c->in[0].rows) memcpy(y, pm_row(&c->in[0], k + i), sizeof(float) * (size_t)width);
        else memset(y, 0, sizeof(float) * (size_t)width);
        if (k + i >= c->in[0].rows) y[i] = 1.0f;
    }
    return PM_OK;
}

pm_status pm_cpu_panel_put(const pm_call *c)
{
    const pm_view *a = &c->in[0], *w = &c->in[1], *q = &c->in[2];
    const int64_t width = w->cols, k = panel_begin(&c->in[3], width), n = PM_MAX(PM_MIN(a->rows - k, width), 0);
    for (int64_t j = 0; j < n; j++) {    // row k + j up to the diagonal
        float *row = pm_row(a, k + j);
        for (int64_t i = 0; i < k; i++) row[i] = pm_row(w, i)[j];
        for (int64_t i = 0; i <= j; i++) row[k + i] = -pm_row(q, j)[i];
    }
    for (int64_t i = k + n; i < a->rows && n > 0; i++) memcpy(pm_row(a, i) + k, pm_row(w, i), sizeof(float) * (size_t)n);
    return PM_OK;
}

pm_status pm_cpu_panel_rows(const pm_call *c)
{
    const pm_view *a = &c->in[0], *panel = &c->in[1], *s = &c->in[2];
    const int64_t width = panel->cols, k = panel_begin(&c->in[3], width), n = PM_MAX(PM_MIN(a->rows - k, width), 0);
    for (int64_t j = 0; j < n; j++) {
        float *row = pm_row(a, k + j);
        for (int64_t i = 0; i < a->rows; i++) row[i] = pm_row(s, i)[0] * pm_row(panel, i)[j];
        row[k + j] = 0.0f;
    }
    return PM_OK;
}

// ---- small matrices ----

static void load_lower(const pm_view *a, const pm_view *y, float shift)
{
    for (int64_t i = 0; i < y->rows; i++) {
        for (int64_t j = 0; j < y->rows; j++) pm_row(y, i)[j] = pm_row(a, PM_MAX(i, j))[PM_MIN(i, j)];
        pm_row(y, i)[i] += shift;
    }
}

static bool is_pivot(float d)
{
    return d > 0 && isfinite(d);
}

// Elimination without a choice of pivots, which definite matrices do not need. In order of pivots, whatever the threads.
typedef struct elimination {
    const pm_view *y;
    int64_t        k;
    float          inverse;
    bool           below;    // rows below the pivot alone
} elimination;

static void eliminate_rows(void *arg, int64_t begin, int64_t end)
{
    const elimination *e = arg;
    const int64_t n = e->y->rows, k = e->k;
    const float *pivot = pm_row(e->y, k);
    for (int64_t i = begin; i < end; i++) {
        float *row = pm_row(e->y, i);
        if (i == k || (e->below && i < k)) continue;
        const float f = row[k], g = f * e->inverse;
#pragma omp simd
        for (int64_t j = 0; j < n; j++) row[j] -= g * pivot[j];
        row[k] = e->below ? -g : g;
    }
}

static void eliminate(const pm_call *c, const pm_view *y, int64_t k, float inverse, bool below)
{
    elimination e = { y, k, inverse, below };
    enum { ALONE = 512 };
    pm_parallel_for(y->rows < ALONE ? 1 : c->threads, y->rows, 64, eliminate_rows, &e);
}

pm_status pm_cpu_spd_inverse(const pm_call *c)
{
    const pm_spd_inverse_params *q = c->params;
    const pm_view *y = &c->out[0];
    const int64_t n = y->rows;
    float *least = pm_row(&c->out[1], 0);
    load_lower(&c->in[0], y, q->shift);
    *least = FLT_MAX;
    for (int64_t k = 0; k < n && *least > 0; k++) {
        const float d = pm_row(y, k)[k], inverse = 1.0f / d;
        *least = !is_pivot(d) ? 0.0f : PM_MIN(*least, d);
        if (*least == 0) break;
        eliminate(c, y, k, inverse, false);
        for (int64_t j = 0; j < n; j++) pm_row(y, k)[j] *= inverse;
        pm_row(y, k)[k] = -inverse;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) pm_row(y, i)[j] = *least > 0 ? -pm_row(y, i)[j] : 0.0f;
    return PM_OK;
}

pm_status pm_cpu_cholesky_inverse(const pm_call *c)
{
    const pm_cholesky_inverse_params *q = c->params;
    const pm_view *a = &c->in[0], *y = &c->out[0];
    const int64_t n = y->rows;
    float trace = 0, most = 0;
    for (int64_t i = 0; i < n; i++) {
        trace += pm_row(a, i)[i];
        most = PM_MAX(most, pm_row(a, i)[i]);
    }
    load_lower(a, y, q->shift * (trace / (float)n));
    for (int64_t k = 0; k < n; k++) {
        float *row = pm_row(y, k);
        const float d = row[k];
        const bool good = isfinite(d) && d > 0x1p-24f * most;
        eliminate(c, y, k, good ? 1.0f / d : 0.0f, true);
        const float scale = good ? 1.0f / sqrtf(d) : 0.0f;
        for (int64_t j = 0; j < n; j++) row[j] = good && j < k ? row[j] * scale : 0.0f;
        row[k] = scale;
    }
    return PM_OK;
}

// ---- jacobi_round ----

// What index i is turned with in round t; n or more: with none.
static int64_t partner_of(int64_t i, int64_t t, int64_t n)
{
    const int64_t m = (n + 1) / 2 * 2 - 1;
    return i == m ? t : i == t ? m : (2 * t + m - i) % m;
}

typedef struct turning {
    const pm_view *a, *v;
    const float   *cosine, *sine;    // by index: of the second of a pair the sine is negative
    int64_t        t;
} turning;

// row = cosine · row + sine · other, other likewise.
static void turn_rows(const pm_view *x, int64_t p, int64_t q, float cosine, float sine)
{
    float *restrict a = pm_row(x, p), *restrict b = pm_row(x, q);
#pragma omp simd
    for (int64_t j = 0; j < x->cols; j++) {
        const float u = a[j], w = b[j];
        a[j] = cosine * u - sine * w;
        b[j] = sine * u + cosine * w;
    }
}

static void turn_each_row(void *arg, int64_t begin, int64_t end)
{
    const turning *r = arg;
    const int64_t n = r->a->rows;
    for (int64_t p = begin; p < end; p++) {
        const int64_t q = partner_of(p, r->t, n);
        if (q <= p || q >= n) continue;
        turn_rows(r->a, p, q, r->cosine[p], r->sine[p]);
        turn_rows(r->v, p, q, r->cosine[p], r->sine[p]);
    }
}

static void turn_each_column(void *arg, int64_t begin, int64_t end)
{
    const turning *r = arg;
    const int64_t n = r->a->rows, m = (n + 1) / 2 * 2 - 1;
    for (int64_t i = begin; i < end; i++) {
        float *row = pm_row(r->a, i);
        for (int64_t k = 0; k <= m / 2; k++) {
            const int64_t u = k ? (r->t + k) % m : r->t, w = k ? (r->t + m - k) % m : m, p = PM_MIN(u, w), q = PM_MAX(u, w);
            if (q >= n) continue;
            const float x = row[p], y = row[q];
            row[p] = r->cosine[p] * x - r->sine[p] * y;
            row[q] = r->sine[p] * x + r->cosine[p] * y;
        }
    }
}

pm_status pm_cpu_jacobi_round(const pm_call *c)
{
    const pm_jacobi_round_params *q = c->params;
    const pm_view *a = &c->in[0];
    const int64_t n = a->rows, m = (n + 1) / 2 * 2 - 1;
    float *cosine = pm_row(&c->out[0], 0), *sine = pm_row(&c->out[0], 1);
    turning r = { a, &c->in[1], cosine, sine, ((int64_t)pm_row_u32(&c->in[2], 0)[PM_STATE_POSITION] * q->rounds + q->round) % m };
    for (int64_t i = 0; i < n; i++) {
        const int64_t p = partner_of(i, r.t, n);
        cosine[i] = 1;
        sine[i] = 0;
        if (p <= i || p >= n || pm_row(a, i)[p] == 0) continue;
        const float tau = (pm_row(a, p)[p] - pm_row(a, i)[i]) / (2 * pm_row(a, i)[p]), size = fabsf(tau);
        const float tangent = size > 1e15f ? 0.5f / tau : (tau < 0 ? -1.0f : 1.0f) / (size + sqrtf(1 + tau * tau));
        cosine[i] = 1 / sqrtf(1 + tangent * tangent);
        sine[i] = tangent * cosine[i];
    }
    enum { ALONE = 400, GRAIN = 32 };
    const int threads = n < ALONE ? 1 : c->threads;
    pm_parallel_for(threads, n, GRAIN, turn_each_row, &r);
    pm_parallel_for(threads, n, GRAIN, turn_each_column, &r);
    return PM_OK;
}
