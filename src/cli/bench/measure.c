// Repetitions: how many, and what they tell.
#include <math.h>
#include <stdlib.h>

#include "cli/bench/bench.h"

enum { LEAST_REPETITIONS = 5, MOST_RUNS = 10000 };

static const double LEAST_SAMPLE = 0.005;    // seconds: below, a sample is many runs in a row

void pm_samples_add(pm_samples *samples, double value)
{
    if (samples->count < PM_BENCH_SAMPLES) samples->of[samples->count++] = value;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

pm_spread pm_samples_spread(const pm_samples *samples)
{
    pm_samples s = *samples;
    if (!s.count) return (pm_spread){ 0 };
    qsort(s.of, (size_t)s.count, sizeof *s.of, compare_doubles);
    const int n = s.count, quarter = n < 4 ? 0 : n / 4;
    const double median = n % 2 ? s.of[n / 2] : 0.5 * (s.of[n / 2 - 1] + s.of[n / 2]);
    return (pm_spread){ median, s.of[0], s.of[n - 1], s.of[n - 1 - quarter] - s.of[quarter], n };
}

bool pm_bench_again(const pm_bench *b, int done, double began)
{
    const double spent = pm_clock() - began;
    if (done == 0) return true;
    if (done >= PM_BENCH_SAMPLES) return false;
    return spent < b->seconds || (done < LEAST_REPETITIONS && spent < 4 * b->seconds + 1);
}

double pm_program_seconds(const pm_program *program)
{
    const int count = pm_program_profile(program, NULL, 0);
    pm_program_op *ops = pm_new_array(program, pm_program_op, count);
    double sum = 0;
    if (ops) pm_program_profile(program, ops, count);
    for (int i = 0; ops && i < count; i++) sum += ops[i].seconds;
    pm_free(ops);
    return sum;
}

static pm_status run_for(const pm_bench *b, pm_program *program, int64_t runs, double *seconds)
{
    const pm_backend *backend = b->device->backend;
    const double before = pm_clock();
    PM_TRY(pm_program_run(program, runs));
    PM_TRY(backend->wait(b->device));
    *seconds = (pm_clock() - before) / (double)runs;
    return PM_OK;
}

static int64_t runs_in_a_sample(double seconds)
{
    return seconds >= LEAST_SAMPLE ? 1 : (int64_t)PM_MIN(ceil(LEAST_SAMPLE / PM_MAX(seconds, 1e-7)), MOST_RUNS);
}

// The first run prepares the program and meets its memory for the first time; the second tells how long one is.
static pm_status warm_up(const pm_bench *b, pm_program *program, pm_sgemm *rival, int64_t *runs, int64_t *rival_runs)
{
    double seconds;
    PM_TRY(run_for(b, program, 1, &seconds));
    if (seconds < 1) PM_TRY(run_for(b, program, 1, &seconds));
    *runs = runs_in_a_sample(seconds);
    if (!rival) return PM_OK;
    PM_TRY(b->device->backend->sgemm_run(rival, 2, &seconds));
    *rival_runs = runs_in_a_sample(seconds);
    return PM_OK;
}

pm_status pm_bench_time(const pm_bench *b, pm_program *program, pm_sgemm *rival, pm_timing *out)
{
    pm_samples time = { 0 }, host = { 0 }, other = { 0 };
    int64_t runs = 1, rival_runs = 1;
    PM_TRY(warm_up(b, program, rival, &runs, &rival_runs));
    *out = (pm_timing){ .by_device = !b->on_host && pm_program_seconds(program) > 0 };
    const double began = pm_clock();
    while (pm_bench_again(b, time.count, began)) {
        PM_REQUIRE(b->cli->ctx, !pm_ctx_cancelled(b->cli->ctx), PM_ERR_CANCELLED, "interrupted");
        double seconds;
        PM_TRY(run_for(b, program, runs, &seconds));
        const double device = out->by_device ? pm_program_seconds(program) : seconds;
        pm_samples_add(&time, device);
        pm_samples_add(&host, PM_MAX(seconds - device, 0));
        if (!rival) continue;
        PM_TRY(b->device->backend->sgemm_run(rival, rival_runs, &seconds));
        pm_samples_add(&other, seconds);
    }
    out->time = pm_samples_spread(&time);
    out->rival = pm_samples_spread(&other);
    out->host = out->by_device ? pm_samples_spread(&host).median : NAN;
    return PM_OK;
}
