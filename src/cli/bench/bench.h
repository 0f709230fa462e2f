// What the three benchmarks share: repeated measurements, this machine's ceilings, rows of a report, the run it is compared with.
#ifndef PM_BENCH_H
#define PM_BENCH_H

#include <pumice/graph.h>

#include "backend/backend.h"
#include "cli/cli.h"
#include "train/json.h"
#include "train/session.h"

// ---- repeated measurements (measure.c) -----------------------------------------------------------------------------

enum { PM_BENCH_SAMPLES = 15 };

typedef struct pm_samples {
    int    count;
    double of[PM_BENCH_SAMPLES];
} pm_samples;

// Noise is the distance between the quartiles, or between least and most of fewer than four.
typedef struct pm_spread {
    double median, least, most, noise;
    int    count;
} pm_spread;

void      pm_samples_add(pm_samples *samples, double value);
pm_spread pm_samples_spread(const pm_samples *samples);

typedef struct pm_bench pm_bench;

// Whether another repetition is wanted after `done`, begun at pm_clock() = began: at least five where they are short, at most
// PM_BENCH_SAMPLES, none when the time is up.
bool pm_bench_again(const pm_bench *b, int done, double began);

// One program, and where there is one somebody else's way to do the same, in turns, so that noise hits both.
typedef struct pm_timing {
    pm_spread time;         // seconds of a run: by the device's clock, on hosts by theirs
    pm_spread rival;        // count 0: none
    double    host;         // seconds a run takes beyond the device's, median; NaN on hosts
    bool      by_device;
} pm_timing;
pm_status pm_bench_time(const pm_bench *b, pm_program *program, pm_sgemm *rival, pm_timing *out);

// Sum of the seconds of all ops in the last run; 0 where the device has no clock.
double pm_program_seconds(const pm_program *program);

// ---- products at somebody else's speed (rivals.c) ------------------------------------------------------------------

// The matrix products of a program, each size once.
typedef struct pm_rivals pm_rivals;
// Hangs from b's device. Without a rival on this device times come from the sgemm ceiling; without that they are NaN.
pm_status pm_rivals_create(const pm_bench *b, const pm_program *program, pm_rivals **out);
// Times each size; *seconds: all products of one run of the program.
pm_status pm_rivals_run(pm_rivals *rivals, double *seconds);
// The last time of a size; NaN when it is none of the program's.
double pm_rivals_seconds(const pm_rivals *rivals, const pm_product *size);

// ---- ceilings (ceilings.c) -----------------------------------------------------------------------------------------

typedef struct pm_ceiling {
    const char *what;      // "copy", "sgemm"
    double      rate;      // bytes or flops a second, by the median; 0: not measured
    pm_spread   time;
    char        how[96];
} pm_ceiling;

typedef struct pm_ceilings {
    pm_ceiling copy, sgemm;
} pm_ceilings;

pm_status pm_ceilings_measure(pm_bench *b);

// ---- the report (report.c) -----------------------------------------------------------------------------------------

typedef struct pm_bench_row {
    const char *name;
    char        shape[128];
    pm_spread   time;
    double      host;           // NaN: not told
    bool        by_device;
    double      flops, bytes;   // of one run
    double      ceiling;        // seconds it would take at its ceiling; NaN: not measured
    const char *against;        // which: "copy"; "OpenBLAS" at its very shape, "sgemm" of a square, "peak" of multiply-adds; "floors" of all its ops
    const char *problem;        // NULL, or why there is nothing else
} pm_bench_row;

void pm_bench_add(pm_bench *b, const pm_bench_row *row);
// A line under the table.
void pm_bench_note(pm_bench *b, const char *format, ...) PM_PRINTF(2, 3);

// Sets a row's ceiling by its bytes and the copy bandwidth.
void pm_bench_against_copy(const pm_bench *b, pm_bench_row *row);
// By its flops and the sgemm ceiling, or by what the rival took at its very shape.
void pm_bench_against_sgemm(const pm_bench *b, pm_bench_row *row, double rival);

// ---- an earlier run (compare.c) ------------------------------------------------------------------------------------

// Reads a document of `bench … --json`.
// Errors    PM_ERR_IO; PM_ERR_FORMAT with what is wrong; PM_ERR_ARG when it is of another benchmark
pm_status pm_bench_read_old(pm_bench *b, const char *path);
// PM_ERR_ARG, saying what differs, when it was measured on another device, profile, number of threads or at other lengths.
pm_status pm_bench_check_old(const pm_bench *b);
// Adds what got slower, faster, is new or gone to the document, or prints it where that is NULL. If anything got slower, the command fails.
pm_status pm_bench_compare(pm_bench *b, cJSON *json);

// ---- traces (trace.c) ----------------------------------------------------------------------------------------------

// A Chrome trace under way; written by pm_trace_finish.
typedef struct pm_trace pm_trace;
pm_status pm_trace_create(const void *parent, const char *path, pm_trace **out);
// A row of its own for what follows.
void      pm_trace_track(pm_trace *trace, const char *name);
// The last run of a program, op by op, after what the track has. trace may be NULL.
pm_status pm_trace_program(pm_trace *trace, const char *name, const pm_program *program);
pm_status pm_trace_finish(pm_trace **trace);

// ---- a benchmark under way (run.c) ---------------------------------------------------------------------------------

struct pm_bench {
    pm_cli     *cli;
    const char *kind;        // "ops", "models", "eval"
    pm_device  *device;
    bool        quick, on_host;
    double      seconds;     // to repeat one thing
    pm_ceilings ceilings;
    cJSON      *rows, *facts;    // arrays of the document; facts may stay empty
    pm_grid    *grid;        // NULL with --json
    char       *notes;       // lines for people
    pm_trace   *trace;       // NULL: none
    pm_json    *old;         // NULL: nothing to compare with
    const char *old_path;
};

// Opens the device, measures its ceilings, runs the body, reports, compares.
pm_status pm_bench_run(pm_cli *cli, const char *kind, pm_status (*body)(pm_bench *b));

extern const pm_option_group pm_group_bench;    // options that all three have

// ---- data and sessions (workload.c) --------------------------------------------------------------------------------

// What models are measured on: the spec that was asked for, and its split, kept from model to model.
typedef struct pm_workload {
    pm_spec         spec;
    pm_split       *split;
    const char     *protocol;    // of the split
    const pm_model *models[64];
    int             count;
} pm_workload;

extern const pm_option_group pm_group_workload;    // --model, --preset, --set, --seed

// Calls body with a session, ready to train, of each model that has a training step, or of the one that --model names.
pm_status pm_workload_each(pm_bench *b, pm_status (*body)(pm_bench *b, const pm_workload *w, pm_session *s));
// "2000 users, 800 items, 60000 interactions": the training part.
void pm_workload_describe(const pm_workload *w, char *text, size_t size);
// Runs n steps as training does: schedule, step state, the steps, the losses. *at is the step to begin with, and moves on.
pm_status pm_workload_train(pm_session *s, int pass, int64_t *at, int64_t n, double *seconds);

#endif
