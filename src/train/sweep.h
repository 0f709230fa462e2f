// Inside of a sweep: its grid, its files, its workers.
#ifndef PM_SWEEP_H
#define PM_SWEEP_H

#include <cjson/cJSON.h>

#include "train/trainer.h"

enum { PM_SWEEP_MAX_SETTINGS = 100000, PM_SWEEP_MAX_SEEDS = 1000, PM_SWEEP_MAX_JOBS = 256, PM_SWEEP_RUNGS = 3, PM_SWEEP_FACTOR = 3 };

// ---- the grid (sweep_grid.c) ---------------------------------------------------------------------------------------

typedef struct pm_space {
    int                parameter_count, setting_count;
    const char       **parameters;    // [parameter_count]
    const char *const *values;        // [setting_count, parameter_count]
} pm_space;

// The settings that a grid, or a random search in it, stands for, each checked against the model. config: what is common.
pm_status pm_space_create(const void *parent, const pm_sweep_params *params, const pm_model *model, pm_space **out);

// ---- one run -------------------------------------------------------------------------------------------------------

// A setting with a seed, as far as it has come: what its document says.
typedef struct pm_sweep_run_state {
    int     setting, seed;      // indices
    int     rungs;              // done; 0: none
    bool    finished;           // nothing is left to train, or it failed
    double  value[PM_SWEEP_RUNGS];    // the selection metric after each rung
    int64_t best_epoch, epochs;
    double  seconds;
    double  ci95;               // of the last value, over users; 0: not known
    char    failed[400];        // "": it did not
    bool    found;              // an earlier call finished it
} pm_sweep_run_state;

// A sweep under way.
typedef struct pm_sweeper {
    pm_ctx              *ctx;
    const pm_sweep_params *params;
    const pm_spec       *spec;       // complete; of the first seed
    pm_sweep            *sweep;      // what is being made
    const pm_space      *space;
    pm_split            *split;
    pm_sweep_run_state  *runs;       // [setting_count, seed_count]
    int                  rung_count;
    uint64_t             hash;       // of the manifest
    int                  lock;       // file descriptor
} pm_sweeper;

// The share of the epochs that a rung ends at; 1 for the last.
double pm_sweep_share(const pm_sweeper *s, int rung);

// ---- files (sweep_files.c) -----------------------------------------------------------------------------------------

// Makes the folder, or checks that it holds this very sweep; takes its lock.
pm_status pm_sweep_open_folder(pm_sweeper *s);
// The folder of a run, hanging from object.
char *pm_sweep_run_folder(const void *object, const pm_sweeper *s, int setting, int seed);
char *pm_sweep_final_folder(const void *object, const pm_sweeper *s, int seed);    // where a refit of the winner goes
// Writes the document of a run; object may belong to another context than the sweep's. result: pm_result_json's, or NULL.
pm_status pm_sweep_write_run(const void *object, const pm_sweeper *s, const pm_sweep_run_state *run, const char *result);
// Reads the documents that there are.
pm_status pm_sweep_read_runs(pm_sweeper *s);
// Removes the parameters of a run, which no one will ask for; its settings and log stay.
void pm_sweep_strip_run(const pm_sweeper *s, int setting, int seed);
// Makes the folder of the winner's refit a run that has been trained and is to be refitted, unless it holds a run already.
pm_status pm_sweep_begin_refit(const pm_sweeper *s, int seed);
// What the test part said of the winner.
pm_status pm_sweep_write_test(const pm_sweeper *s);
pm_status pm_sweep_read_test(pm_sweeper *s, bool *found);
// "metrics": what the test part said, added to an object; false when memory is out.
bool pm_sweep_add_metrics(cJSON *to, const pm_sweep *sweep);

// ---- workers (sweep_work.c) ----------------------------------------------------------------------------------------

// The spec of a run; strings hang from parent.
pm_status pm_sweep_run_spec(const void *parent, const pm_sweeper *s, int setting, int seed, pm_spec *out);
// Trains the runs of the settings in alive[] to the end of a rung, as many at a time as was asked for.
pm_status pm_sweep_work(pm_sweeper *s, int rung, const bool *alive);
// Calls after each run, in the thread of the sweep: a setting may be complete now.
void pm_sweep_run_ended(pm_sweeper *s, int setting);

#endif
