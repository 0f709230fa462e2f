// What this machine can do at best, measured before anything is held against it: copying memory, and multiplying matrices.
#include <stdio.h>

#include "cli/bench/bench.h"

enum { ROWS = 8192, COLS = 4096, SQUARE = 2048, QUICK = 4 };    // a copy of 128 MiB is what any device can bind, and beyond caches

static pm_status write_numbers(pm_store *store, const char *name, int64_t rows, int64_t cols)
{
    PM_TRY(pm_store_add(store, name, PM_F32, rows, cols));
    float *values = pm_new_array(store, float, rows * cols);
    PM_CHECK_ALLOC(values);
    for (int64_t i = 0; i < rows * cols; i++) values[i] = (float)(uint32_t)(i * 2654435761);
    const pm_status st = pm_store_write(store, name, values);
    pm_free(values);
    return st;
}

static pm_status capture_copy(pm_store *store, int64_t rows, pm_program **out)
{
    pm_graph *g;
    PM_TRY(write_numbers(store, "from", rows, COLS));
    PM_TRY(pm_graph_create(store, &g));
    pm_output(g, pm_copy(g, pm_constant(g, "from")), "to");
    return pm_graph_compile(&g, out);
}

static pm_status measure_copy(pm_bench *b)
{
    const int64_t rows = b->quick ? ROWS / QUICK : ROWS;
    const double size = 4.0 * (double)rows * COLS;
    pm_store *store;
    pm_program *program = NULL;
    pm_timing timing;
    PM_TRY(pm_store_create(b->device, &store));
    pm_status st = capture_copy(store, rows, &program);
    if (st == PM_OK) st = pm_bench_time(b, program, NULL, &timing);
    pm_program_destroy(&program);
    pm_store_destroy(&store);
    PM_TRY(st);
    pm_ceiling *c = &b->ceilings.copy;
    c->time = timing.time;
    c->rate = 2 * size / timing.time.median;
    snprintf(c->how, sizeof c->how, "the op copy, %.0f MiB there and back", size / (1 << 20));
    return PM_OK;
}

// Where nobody else's product is at hand: what the arithmetic alone allows, as the time of a square product.
static pm_status measure_peak(pm_bench *b)
{
    pm_samples samples = { 0 };
    double flops;
    for (const double began = pm_clock(); pm_bench_again(b, samples.count, began);) {
        PM_TRY(b->device->backend->peak_flops(b->device, &flops));
        pm_samples_add(&samples, 2.0 * SQUARE * SQUARE * SQUARE / flops);
    }
    pm_ceiling *c = &b->ceilings.sgemm;
    c->time = pm_samples_spread(&samples);
    c->rate = 2.0 * SQUARE * SQUARE * SQUARE / c->time.median;
    snprintf(c->how, sizeof c->how, "the peak of multiply-adds, without memory");
    return PM_OK;
}

static pm_status measure_sgemm(pm_bench *b)
{
    const pm_backend *backend = b->device->backend;
    const int64_t n = b->quick ? SQUARE / QUICK : SQUARE;
    const pm_product size = { .m = n, .n = n, .k = n };
    pm_sgemm *sgemm;
    pm_samples samples = { 0 };
    double seconds;
    if (!backend->sgemm_create) return backend->peak_flops ? measure_peak(b) : PM_OK;
    PM_TRY(backend->sgemm_create(b->device, &size, &sgemm));
    pm_status st = backend->sgemm_run(sgemm, 1, &seconds);    // warm
    for (const double began = pm_clock(); st == PM_OK && pm_bench_again(b, samples.count, began);) {
        st = backend->sgemm_run(sgemm, 1, &seconds);
        if (st == PM_OK) pm_samples_add(&samples, seconds);
    }
    pm_free(sgemm);
    PM_TRY(st);
    pm_ceiling *c = &b->ceilings.sgemm;
    c->time = pm_samples_spread(&samples);
    c->rate = 2.0 * (double)(n * n * n) / c->time.median;
    snprintf(c->how, sizeof c->how, "OpenBLAS on %d thread%s, a square of %" PRId64, pm_ctx_threads(b->cli->ctx),
             pm_ctx_threads(b->cli->ctx) == 1 ? "" : "s", n);
    return PM_OK;
}

// `ref` is the specification: its own copy is no ceiling of this machine's.
pm_status pm_ceilings_measure(pm_bench *b)
{
    b->ceilings = (pm_ceilings){ .copy = { .what = "copy" }, .sgemm = { .what = "sgemm" } };
    if (pm_name_equal(b->device->info.backend, "ref")) return PM_OK;
    pm_report_progress(b->cli->ctx, &(pm_progress){ .what = "bench ceilings", .unit = "ceilings", .done = 0, .total = 2 });
    PM_TRY(measure_copy(b));
    return measure_sgemm(b);
}
