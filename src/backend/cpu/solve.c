// Solves that are worth a library: als_cholesky lays a row's system out with BLAS and factors it in blocks. A row is one thread's, so
// the order of its sums depends on its length and on k alone.
#include "backend/cpu/cpu.h"

#include <math.h>

#include <cblas.h>

enum { BLOCK = 32 };

typedef struct als_work {
    const pm_call *call;
    int64_t        k;
} als_work;

// The factors of entries whose weight has this sign, each times the root of its weight: their Gram matrix is what they add. Up to
// PM_CALL_SCRATCH / k entries at a time.
static void add_entries(const pm_call *c, int64_t from, int64_t to, float sign, int64_t k, float *a, int lda)
{
    const uint32_t *col = pm_row_u32(&c->in[1], 0);
    const float *weight = pm_row(&c->in[2], 0);
    float *rows = c->scratch + (int64_t)pm_thread_index() * PM_CALL_SCRATCH;
    const int64_t most = PM_MAX(PM_CALL_SCRATCH / k, 1);
    for (int64_t e = from; e < to;) {
        int64_t n = 0;
        for (; e < to && n < most; e++) {
            const float w = sign * weight[e], root = sqrtf(PM_MAX(w, 0.0f)), *y = pm_row(&c->in[3], col[e]);
            float *row = rows + n * k;
            if (!(w > 0)) continue;
#pragma omp simd
            for (int64_t h = 0; h < k; h++) row[h] = root * y[h];
            n++;
        }
        if (n > 0) cblas_ssyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)k, (int)n, sign, rows, (int)k, 1.0f, a, lda);
    }
}

// The upper factor of a small block, in place. False when a pivot is not above its floor.
static bool factor_block(float *a, int64_t n, int64_t lda, const float *floor)
{
    for (int64_t j = 0; j < n; j++) {
        float *row = a + j * lda;
        if (!(row[j] > floor[j])) return false;
        row[j] = sqrtf(row[j]);
        const float inverse = 1.0f / row[j];
        for (int64_t i = j + 1; i < n; i++) row[i] *= inverse;
        for (int64_t h = j + 1; h < n; h++) {
            const float f = row[h];
            float *below = a + h * lda;
#pragma omp simd
            for (int64_t i = h; i < n; i++) below[i] -= f * row[i];
        }
    }
    return true;
}

static bool factor(float *a, int64_t n, int lda, float *floor)
{
    for (int64_t j = 0; j < n; j++) floor[j] = 0x1p-18f * a[j * lda + j];
    for (int64_t j = 0; j < n; j += BLOCK) {
        const int64_t size = PM_MIN(BLOCK, n - j), rest = n - j - size;
        float *corner = a + j * lda + j;
        if (!factor_block(corner, size, lda, floor + j)) return false;
        if (rest == 0) break;
        cblas_strsm(CblasRowMajor, CblasLeft, CblasUpper, CblasTrans, CblasNonUnit, (int)size, (int)rest, 1.0f, corner, lda, corner + size, lda);
        cblas_ssyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)rest, (int)size, -1.0f, corner + size, lda, 1.0f, corner + size * (lda + 1), lda);
    }
    return true;
}

static void als_row(const als_work *w, int64_t b)
{
    const pm_call *c = w->call;
    const pm_als_cholesky_params *q = c->params;
    const uint32_t *ptr = pm_row_u32(&c->in[0], 0);
    const int64_t k = w->k, from = ptr[b], to = ptr[b + 1], slot = pm_thread_index();
    const pm_view *gram = &c->in[4], *memory = &c->out[1];
    const int lda = (int)PM_MAX(memory->stride, 1);
    float *a = pm_row(memory, slot * k), *x = pm_row(&c->out[0], b);
    memset(x, 0, sizeof(float) * (size_t)k);
    if (from == to) return;
    const float ridge = q->by_count ? q->ridge * (float)(to - from) : q->ridge;
    for (int64_t i = 0; i < k; i++) {
        memcpy(a + i * lda + i, pm_row(gram, i) + i, sizeof(float) * (size_t)(k - i));
        a[i * lda + i] += ridge;
    }
    add_entries(c, from, to, 1.0f, k, a, lda);
    add_entries(c, from, to, -1.0f, k, a, lda);
    if (!factor(a, k, lda, c->scratch + slot * PM_CALL_SCRATCH)) {
        for (int64_t i = 0; i < k; i++) x[i] = NAN;
        return;
    }
    memcpy(x, pm_row(&c->in[5], b), sizeof(float) * (size_t)k);
    cblas_strsv(CblasRowMajor, CblasUpper, CblasTrans, CblasNonUnit, (int)k, a, lda, x, 1);
    cblas_strsv(CblasRowMajor, CblasUpper, CblasNoTrans, CblasNonUnit, (int)k, a, lda, x, 1);
}

static void als_rows(void *arg, int64_t begin, int64_t end)
{
    for (int64_t b = begin; b < end; b++) als_row(arg, b);
}

pm_status pm_cpu_als_cholesky(const pm_call *c)
{
    als_work w = { c, c->out[0].cols };
    if (w.k == 0 || c->out[0].rows == 0) return PM_OK;
    const int64_t slots = c->out[1].rows / w.k;
    pm_parallel_for((int)PM_MIN(c->threads, slots), c->out[0].rows, 1, als_rows, &w);
    return PM_OK;
}

// ---- rows that are a body of their own ----

enum { GP_ROW = 1 << 16 };    // elements copied that a row is taken to cost: its thread's own

pm_status pm_cpu_gp_fit(const pm_call *c) { return pm_cpu_rows(c, pm_isa_of(c)->gp_fit, c->out[0].rows, GP_ROW); }
pm_status pm_cpu_gp_grad(const pm_call *c) { return pm_cpu_rows(c, pm_isa_of(c)->gp_grad, c->in[5].rows, GP_ROW); }
pm_status pm_cpu_gp_scores(const pm_call *c)
{
    return pm_cpu_each(c, pm_isa_of(c)->gp_scores, c->out[0].rows, c->out[0].cols, 4 * c->in[3].cols);
}

pm_status pm_cpu_als_cg(const pm_call *c)
{
    const int64_t rows = c->out[0].rows, k = c->out[0].cols;
    return pm_cpu_rows(c, pm_isa_of(c)->als_cg, rows, 4 * k * (k + 2 * c->in[1].cols / PM_MAX(rows, 1)));
}

pm_status pm_cpu_eals_rows(const pm_call *c)
{
    const int64_t rows = c->in[7].rows, k = c->in[7].cols;
    return pm_cpu_rows(c, pm_isa_of(c)->eals_rows, rows, k * (k + 4 * c->in[1].cols / PM_MAX(rows, 1)));
}

// Rows [begin, end) of w: what columns there were. By rows of w, because a column may have been asked for twice.
static void slim_put(void *arg, int64_t begin, int64_t end)
{
    const pm_call *c = arg;
    const uint32_t *rows = pm_row_u32(&c->in[1], 0), live = *pm_row_u32(&c->in[2], 0);
    for (int64_t k = begin; k < end; k++)
        for (uint32_t b = 0; b < live; b++) pm_row(&c->in[3], k)[rows[b]] = pm_row(&c->out[0], b)[k];
}

pm_status pm_cpu_slim_columns(const pm_call *c)
{
    enum { STRETCH = 64 };
    const int64_t items = c->in[0].cols, live = *pm_row_u32(&c->in[2], 0);
    PM_TRY(pm_cpu_rows(c, pm_isa_of(c)->slim_columns, live, items * items / 8));
    pm_parallel_for(live * items < 65536 ? 1 : c->threads, items, STRETCH, slim_put, (void *)c);
    return PM_OK;
}
