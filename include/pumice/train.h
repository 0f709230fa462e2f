// Training, evaluation, recommendation, run folders.
#ifndef PUMICE_TRAIN_H
#define PUMICE_TRAIN_H

#include <pumice/data.h>
#include <pumice/device.h>
#include <pumice/metrics.h>
#include <pumice/model.h>

PM_API_BEGIN

// Everything needed to repeat a run: what `pumice train` was asked for, and what config.json keeps. Strings are borrowed for the call.
typedef struct pm_spec {
    const char        *model;
    const char        *preset;            // NULL: none
    const char *const *settings;          // "name=value", applied after the preset, in order
    int                setting_count;
    const char        *data;              // NULL: the built-in synthetic data
    pm_read_params     read;              // its path is `data`
    pm_filter_params   filter;
    pm_synth_params    synth;             // where data is NULL
    pm_split_params    split;             // protocol NULL: "strong"
    const char        *device;            // NULL: auto
    uint64_t           seed;              // of the model, and of the split unless split_seed_given
    bool               split_seed_given;
    int64_t            epochs;            // 0: the model's own
    const char        *metrics;           // NULL: the protocol's usual ones
    const char        *select;            // NULL: the first of them. Chosen on validation
    int64_t            patience;          // 0: no early stopping; else epochs without a better validation value
    int64_t            validate_every;    // epochs; 0: 1
    double             save_every;        // seconds between checkpoints besides those at epoch ends; 0: 60
    bool               refit;             // train once more on train + validation for the chosen length
    pm_ties            ties;
} pm_spec;

typedef struct pm_result pm_result;    // of training or evaluation; hangs from the context

typedef struct pm_epoch_log {
    int64_t epoch, steps;    // 1-based over the run
    int     phase;
    double  loss[PM_MAX_LOSSES];          // means over the epoch
    double  validation;                   // selection metric; NaN where not validated
    double  schedule[PM_MAX_SCHEDULE];    // the model's columns at the epoch's last step
    double  seconds;
} pm_epoch_log;

struct pm_result {
    const char *model, *device, *backend, *profile, *protocol, *select;
    uint64_t    seed;
    bool        refit;          // the parameters are of a training on train + validation
    int64_t     users, items, interactions, train_users;
    const pm_config *config;
    int64_t     epochs, best_epoch, steps;
    double      train_seconds, eval_seconds;
    int         validation_count, metric_count;    // 0 where the part was not evaluated
    pm_metric_result *validation, *metrics;
    pm_metrics *validation_users, *test_users;     // values per user, for tests and breakdowns; NULL for validation when a refit was resumed
    pm_metrics_counts validation_counts, test_counts;
    const pm_split *split;
    int           epoch_count;
    pm_epoch_log *epoch_log;
    uint64_t      peak_device_memory;
    const char   *run;    // its folder, NULL when nothing was saved
};

// Trains, chooses the epoch on validation, then reads the test set once. run: the folder to save into, NULL: none.
// When the context is cancelled, a checkpoint is saved first and PM_ERR_CANCELLED returned.
pm_status pm_train(pm_ctx *ctx, const pm_spec *spec, const char *run, pm_result **out);

// Goes on where the checkpoint stands, to the same bits as if never stopped; from the start where there is none yet. device: NULL for
// the run's own.
// Errors    PM_ERR_NOT_FOUND when the folder is no run; PM_ERR_FORMAT with the reason for a checkpoint that is damaged or of another model,
//           other data or other settings
pm_status pm_train_resume(pm_ctx *ctx, const char *run, const char *device, pm_result **out);

// Evaluates the chosen parameters of a run on its test part, or on other data by the run's protocol.
typedef struct pm_evaluate_params {
    const char *run, *data, *metrics, *device;    // NULL but run: the run's own
    bool        validation;                       // the validation part instead of the test part
} pm_evaluate_params;
pm_status pm_evaluate(pm_ctx *ctx, const pm_evaluate_params *params, pm_result **out);

// The `top` best items that are not known, for a user of the data or for a list of items.
typedef struct pm_recommend_params {
    const char        *run, *device;
    const char        *user;     // an id, or NULL
    const char *const *items;    // ids
    int                item_count;
    int64_t            top;
} pm_recommend_params;
typedef struct pm_recommendation {
    const char *item;
    float       score;
} pm_recommendation;
// *list hangs from ctx. Unknown items among `items` are an error naming them.
pm_status pm_recommend(pm_ctx *ctx, const pm_recommend_params *params, pm_recommendation **list, int64_t *count);

// The result document of DESIGN as JSON text; hangs from parent.
pm_status pm_result_json(const void *parent, const pm_result *result, char **json);
void      pm_result_destroy(pm_result **result);

// Reads the data of a spec, filters and splits: what pm_train does first. For `data split` and tests.
pm_status pm_spec_load(const void *parent, const pm_spec *spec, pm_split **out);

// Holds a device against `ref`: every op, then one training step of every model.
typedef struct pm_doctor_row {
    const char *what;         // "op matmul", "model mult-vae"
    double      error, bound; // worst error and what is allowed, in the op's unit; 0 and 0 for equal integers
    double      seconds;      // of the device's part
    bool        passed, inherited;    // inherited: the device runs ref's own kernel, so this says nothing
    const char *note;         // where it failed; NULL
} pm_doctor_row;
typedef void (*pm_doctor_fn)(void *user, const pm_doctor_row *row);
pm_status pm_doctor(pm_ctx *ctx, const char *device, pm_doctor_fn each, void *user, int *failures);

PM_API_END
#endif
