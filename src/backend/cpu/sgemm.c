// Threaded OpenBLAS on a whole product: what the pieces of matmul.c are held against.
#define _POSIX_C_SOURCE 200809L
#include "backend/cpu/cpu.h"

#include <time.h>

#include <cblas.h>

// Threads go on looking for work after they are done, OpenBLAS's for some 20 ms, OpenMP's for some 10, on cores that the others want.
// And threads that slept take longer for their first product.
enum { REST_MILLISECONDS = 40, WAKING = 256 };

struct pm_sgemm {
    pm_product size;
    int        threads;
    float     *a, *b, *y;
};

pm_status pm_cpu_sgemm_create(pm_device *device, const pm_product *size, pm_sgemm **out)
{
    const int64_t rows = size->m, cols = size->n, depth = size->k;
    *out = NULL;
    PM_REQUIRE(device, PM_MIN(rows, PM_MIN(cols, depth)) > 0 && PM_MAX(rows, PM_MAX(cols, depth)) <= INT32_MAX, PM_ERR_SHAPE,
               "sgemm: a product of [%" PRId64 ", %" PRId64 "] and [%" PRId64 ", %" PRId64 "] is not for BLAS", rows, depth, depth, cols);
    pm_sgemm *s = pm_new(device, pm_sgemm);
    PM_CHECK_ALLOC(s);
    s->size = *size;
    s->threads = ((pm_host_device *)device)->threads;
    s->a = pm_new_array(s, float, rows * depth);
    s->b = pm_new_array(s, float, depth * cols);
    s->y = pm_new_array(s, float, rows * cols);
    if (!s->a || !s->b || !s->y) {
        pm_free(s);
        return PM_ERR_NOMEM;
    }
    for (int64_t i = 0; i < rows * depth; i++) s->a[i] = (float)(i % 7) - 3.0f;
    for (int64_t i = 0; i < depth * cols; i++) s->b[i] = (float)(i % 5) - 2.0f;
    *out = s;
    return PM_OK;
}

// The product, or its corner.
static void multiply(pm_sgemm *s, int64_t most)
{
    const pm_product *p = &s->size;
    cblas_sgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans, (int)PM_MIN(p->m, most),
                (int)PM_MIN(p->n, most), (int)PM_MIN(p->k, most), 1.0f, s->a,
                (int)(p->ta ? p->m : p->k), s->b, (int)(p->tb ? p->k : p->n), 0.0f, s->y, (int)p->n);
}

static void rest(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = REST_MILLISECONDS * 1000000L }, NULL);
}

pm_status pm_cpu_sgemm_run(pm_sgemm *s, int64_t runs, double *seconds)
{
    PM_REQUIRE(s, runs > 0, PM_ERR_ARG, "sgemm: %" PRId64 " runs cannot be timed", runs);
    const int threads = openblas_get_num_threads();
    rest();
    openblas_set_num_threads(s->threads);
    multiply(s, WAKING);
    const double before = pm_clock();
    for (int64_t i = 0; i < runs; i++) multiply(s, INT32_MAX);
    *seconds = (pm_clock() - before) / (double)runs;
    openblas_set_num_threads(threads);
    rest();
    return PM_OK;
}
