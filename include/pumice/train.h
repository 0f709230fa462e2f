// Training, evaluation, recommendation, run folders.
#ifndef PUMICE_TRAIN_H
#define PUMICE_TRAIN_H

#include <pumice/analysis.h>
#include <pumice/data.h>
#include <pumice/device.h>
#include <pumice/metrics.h>
#include <pumice/model.h>

PM_API_BEGIN

// How ratings are read by models whose scores are ratings (model.h).
typedef struct pm_rating_params {
    bool   has_range;
    double lo, hi;    // the least and the highest rating there may be; else those of the training part are taken for them
    bool   clip;      // predictions outside the range are moved to its ends
} pm_rating_params;

// What leave-one-out ranks the target of a user among. Metrics among sampled candidates mislead: the order of models by them need not be that
// by all items (Krichene and Rendle, "On Sampled Metrics for Item Recommendation", 2020).
typedef enum pm_candidates {
    PM_CANDIDATES_SAMPLED = 1,    // the sampled or given negatives
    PM_CANDIDATES_ALL = 2         // every item that is not known of the user
} pm_candidates;

// Reads "sampled", "all" or "sampled,all" into a sum of them; NULL: both.
// Errors    PM_ERR_ARG
pm_status pm_candidates_parse(const void *object, const char *text, unsigned *out);

// A trained run that another one begins from (pm_model.origins).
typedef struct pm_pretrained {
    const char *name, *run;    // as the model's table has it; a folder
    const char *hash;          // of its chosen parameters, which they must have, as a run's config.json has it; NULL: any
} pm_pretrained;

// Everything needed to repeat a run: what `pumice train` was asked for, and what config.json keeps. Strings are borrowed for the call.
typedef struct pm_spec {
    const char        *model;
    const char        *preset;            // NULL: none
    const char *const *settings;          // "name=value", applied after the preset, in order
    int                setting_count;
    const char        *data;              // NULL: the built-in synthetic data
    pm_read_params     read;              // its path is `data`
    pm_filter_params   filter;
    const char        *update;            // interactions that came after training (pm_update): a file that pm_data_read takes. NULL: none
    pm_synth_params    synth;             // where data is NULL
    pm_split_params    split;             // protocol NULL: "strong", or "rating" for a model whose scores are ratings
    pm_rating_params   rating;
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
    // The epoch is chosen on the test part instead, as much published work does: its figures flatter the model, and every table that they reach
    // says so. Validation is not looked at then; with `refit` it is trained on from the start.
    bool               legacy_test_selection;
    bool               fixed_length;      // nothing is chosen: train on train + validation from the start, for all of its epochs
    pm_ties            ties;
    const char        *candidates;        // leave-one-out: "sampled", "all", or NULL and "sampled,all": both, the epoch chosen among the sampled
    // Above 1: so many trainings, the seeds of model and split one higher each. With split.folds and no split.fold: one for each fold, the seed of the model one
    // higher each. The result is of all of them; see pm_repeat.
    int64_t            repeats;
    int64_t            repeat;            // of one of these: its number from 1 on, which keeps synthetic data the same for all
    // What the model begins from, all that it asks for or none. They must have been trained to their end, on the same data and split.
    const pm_pretrained *pretrained;
    int                  pretrained_count;
} pm_spec;

typedef struct pm_result pm_result;    // of training or evaluation; hangs from the context

enum { PM_MAX_EPOCH_METRICS = 8 };    // the first ones of a set are logged

typedef struct pm_epoch_log {
    int64_t epoch, steps;    // 1-based over the run
    int     phase;
    double  loss[PM_MAX_LOSSES];          // means over the epoch
    double  validation;                   // selection metric; NaN where not validated
    double  metrics[PM_MAX_EPOCH_METRICS];    // of the part that it was chosen on
    double  schedule[PM_MAX_SCHEDULE];    // the model's columns at the epoch's last step
    double  seconds;
} pm_epoch_log;

// One of several trainings of a spec.
typedef struct pm_repeat {
    const char *run;         // its folder, RUN/repeat-1, RUN/repeat-2, …: a run like any other. NULL when nothing was saved
    const char *document;    // pm_result_json of it
    int64_t     epochs, best_epoch;
    int         validation_count, metric_count;
    pm_metric_result *validation, *metrics;
} pm_repeat;

// One way to measure a part. name: what follows the colon in its metrics' names: "" (the only one but for leave-one-out), "all" (ranked among all
// items), "seen" and "all:seen" (over the users whose target was seen in training, where some was not).
enum { PM_MAX_VIEWS = 4 };
typedef struct pm_result_view {
    const char       *name;
    pm_metrics       *users;     // values of each user
    pm_metrics_counts counts;
} pm_result_view;

struct pm_result {
    const char *model, *device, *backend, *profile, *protocol, *select;
    uint64_t    seed;
    bool        refit;          // the parameters are of a training on train + validation
    bool        legacy_test_selection;    // the epoch was chosen on the test part
    bool        fixed_length;             // no epoch was chosen
    pm_ties     ties;                     // leave-one-out: where tied targets rank
    int64_t     users, items, interactions, train_users;
    const pm_config *config;
    int64_t     epochs, best_epoch, steps;
    double      train_seconds, eval_seconds;
    int         validation_count, metric_count;    // 0 where the part was not evaluated
    pm_metric_result *validation, *metrics;        // of all views, one after the other
    int               validation_view_count, test_view_count;
    pm_result_view    validation_views[PM_MAX_VIEWS], test_views[PM_MAX_VIEWS];
    pm_metrics *validation_users, *test_users;     // the first view's values per user, for tests and breakdowns; NULL for validation when a refit was resumed
    pm_metrics_counts validation_counts, test_counts;
    // Sparse autoencoders, Section 2.3, in squares of the data's units, where test ratings are predicted: the mean square error there, and when the test ratings
    // are what the model is fed. n 0: none; the second is of models that are fed ratings of users or items.
    pm_metric_result prediction_error, reconstruction_error;
    const pm_split *split;
    int           analysis_count;      // 0 where none was asked for
    pm_analysis  *analysis;
    const char   *source, *filters;    // which data, and what was filtered away, in words
    int            pretrained_count;   // the runs it began from, with the hashes of their parameters (pm_spec.pretrained)
    pm_pretrained *pretrained;
    int           epoch_count;         // of an evaluated run: what its folder has of the log, 0 where that is gone
    pm_epoch_log *epoch_log;
    int           loss_count;          // losses of the log, and their names
    const char   *loss_name[PM_MAX_LOSSES];
    int           epoch_metric_count;  // metrics of the log, and their names
    const char   *epoch_metric[PM_MAX_EPOCH_METRICS];
    uint64_t      peak_device_memory;
    const char   *run;    // its folder, NULL when nothing was saved
    // Of several trainings (pm_spec.repeats): the metrics are their means; se is the deviation over them by the root of their number, ci95 goes by Student's
    // t, n counts all; there are no values per user, and what else is said is of the last one.
    int           repeat_count;    // 0: one training
    pm_repeat    *repeats;
    double       *validation_sd, *metrics_sd;    // deviations over them
};

// Trains, chooses the epoch on validation, then reads the test set once. run: the folder to save into, NULL: none. What is kept of a training that has
// ended are its best parameters, without the optimiser's state.
// When the context is cancelled, a checkpoint is saved first and PM_ERR_CANCELLED returned. With spec->repeats or folds the folder has a run folder for each.
pm_status pm_train(pm_ctx *ctx, const pm_spec *spec, const char *run, pm_result **out);

// Goes on where the checkpoint stands, to the same bits as if never stopped; from the start where there is none yet. device: NULL for
// the run's own.
// Errors    PM_ERR_NOT_FOUND when the folder is no run; PM_ERR_FORMAT with the reason for a checkpoint that is damaged or of another model,
//           other data or other settings
pm_status pm_train_resume(pm_ctx *ctx, const char *run, const char *device, pm_result **out);

// Evaluates the chosen parameters of a run on its test part, or on other data by the run's protocol.
typedef struct pm_evaluate_params {
    const char *run, *data, *metrics, *device;    // NULL but run: the run's own
    const char *candidates;                       // as in pm_spec; NULL: the run's own
    const char *ties;                             // as in pm_ties_parse; NULL: the run's own
    bool        validation;                       // the validation part instead of the test part
    // Analyses of the part as well, as in pm_analysis_parse; NULL: none. "all" leaves out what the model has not.
    // PM_ERR_ARG for the preferences of a model whose scores are none
    const char *analysis;
} pm_evaluate_params;
pm_status pm_evaluate(pm_ctx *ctx, const pm_evaluate_params *params, pm_result **out);

// The `top` best items that are not known, for a user of the data or for a list of items.
typedef struct pm_recommend_params {
    const char        *run, *device;
    const char        *user;     // an id, or NULL
    const char *const *items;    // ids; for a model whose scores are ratings each with a rating: "id:4.5"
    int                item_count;
    int64_t            top;
} pm_recommend_params;
typedef struct pm_recommendation {
    const char *item;
    float       score;
} pm_recommendation;
// *list hangs from ctx. Unknown items among `items` are an error naming them.
pm_status pm_recommend(pm_ctx *ctx, const pm_recommend_params *params, pm_recommendation **list, int64_t *count);

// The scores that a run gives to pairs of users and items, in their order, known ones too. What they mean is the model's affair: a logit, a rating, a
// share; they rank the items of one user.
typedef struct pm_predict_params {
    const char    *run, *device;
    pm_read_params pairs;     // a file of user,item, in any format that pm_data_read takes; values and times are not looked at. A pair given twice is
                              // predicted once
    // path NULL: none. Known ratings, user,item,rating, beside those of the run. A model that is fed what users have knows the users of this file, new or not,
    // by them alone. One that is fed what items have (vencoder) adds them to the data: its items may be new ones.
    pm_read_params ratings;
} pm_predict_params;
typedef struct pm_prediction {
    const char *user, *item;
    float       score;
} pm_prediction;
// *list hangs from ctx.
// Scores of a model of ratings are ratings in the data's units, within their range where the run clips; a user or item without training ratings has the
// means alone.
// Errors    PM_ERR_NOT_FOUND naming the first user or item that the run does not know, or of whom it has no history; PM_ERR_ARG for ratings given to a model
//           that knows users and items by id; what pm_data_read fails with
pm_status pm_predict(pm_ctx *ctx, const pm_predict_params *params, pm_prediction **list, int64_t *count);

// The values of each user behind a metric of a part, by its name in the result, and whose they are; NULL where it has none.
const double *pm_result_values(const pm_result *result, bool validation, const char *metric, const pm_metrics **of);

// Takes interactions that came after training into a run, one after the other, each with a step of its model's own on its user and its item, and writes a new
// run: the old one's chosen parameters, with rows for new users and items. The new run's data are the old one's and these (pm_spec.update).
typedef struct pm_update_params {
    const char        *run, *device;
    const char        *out;         // the folder of the new run
    pm_read_params     data;        // the interactions, taken in the file's order; those that the run knows are left out and counted
    const char *const *settings;    // "name=value", of this update alone
    int                setting_count;
    int64_t            rounds;      // how often all of them are gone through; 0: once
} pm_update_params;
typedef struct pm_update_report {
    int64_t interactions, known;     // taken in; left out
    int64_t new_users, new_items;
    double  seconds;                 // of the steps
} pm_update_report;
// Errors    PM_ERR_ARG for a model without such steps (naming those that have them), and where `out` holds a run; PM_ERR_DATA when no interaction is new or
//           the run's own data changed; PM_ERR_NOT_FOUND for a run whose training has not come to its end; PM_ERR_CANCELLED, and nothing was written
pm_status pm_update(pm_ctx *ctx, const pm_update_params *params, pm_update_report *report);

// The result document of DESIGN as JSON text; hangs from parent.
pm_status pm_result_json(const void *parent, const pm_result *result, char **json);
void      pm_result_destroy(pm_result **result);

// Reads the data of a spec, filters and splits: what pm_train does first. For `data split` and tests.
pm_status pm_spec_load(const void *parent, const pm_spec *spec, pm_split **out);

// ---- sweeps --------------------------------------------------------------------------------------------------------
// Many settings of one model, each trained with several seeds on one split. The setting with the best mean over the seeds on
// validation wins; the test part is read once, for that one.

typedef struct pm_sweep_params {
    const pm_spec *spec;    // what all runs share; `select` chooses. Its seed is the first seed and, unless split_seed_given, the split's
    // What is varied: "name=value,value;name=value,value". Values that have commas themselves (layer sizes) stand between bars:
    // "hidden=none|600|600,200". Names tied with slashes go together: "c1/c0=5/1,10/2" are two settings, not four.
    const char *grid;
    const char *grid_name;  // instead of `grid`: one of the model's own
    int64_t     random;     // 0: all combinations; else as many drawn from them, where a value may also be a range: "0.1..0.5", or
                            // "log:1e-4..1e-2" with an even logarithm
    int64_t     seeds;      // 0: 1
    int         jobs;       // runs at a time, which share the threads of the context; 0: 1. The results do not depend on it
    bool        halving;    // after a ninth and a third of the epochs only the best third of the settings goes on
    bool        keep;       // keep the parameters of every run, not only the best setting's
    const char *folder;
} pm_sweep_params;

typedef struct pm_sweep_setting {
    const char *const *values;        // [parameter_count], as text
    double            *score;         // [seed_count] the selection metric on validation; NaN where there is none
    int64_t           *best_epoch, *epochs;    // [seed_count]
    double             mean, sd;      // over the seeds; sd NaN for one
    double             ci95;          // of one seed alone: half-width of the 95 % interval over users; NaN where it is not known
    double             share;         // of its epochs that was trained: 1, or less where halving stopped it
    const char        *failed;        // why it cannot win: it diverged, or the model refuses it; NULL
} pm_sweep_setting;

typedef struct pm_sweep_metric {
    pm_metric_result mean;      // over users, of each user's mean over the seeds; no se for a catalogue metric
    double           sd;        // of the seeds' means; NaN for one seed
    double          *seed;      // [seed_count] means
} pm_sweep_metric;

// Hangs from the context.
typedef struct pm_sweep {
    const char        *model, *protocol, *select, *folder;
    int                direction;         // of `select`: +1, higher is better
    bool               refit, halving, legacy_test_selection;
    int64_t            users, items, interactions;
    int                parameter_count, setting_count, seed_count;
    const char *const *parameters;        // [parameter_count] names
    pm_sweep_setting  *settings;          // [setting_count] in the order of the grid
    uint64_t          *seeds;             // [seed_count]
    int                winner;            // index of a setting
    const char *const *winner_runs;       // [seed_count] run folders, with parameters
    int                metric_count;      // 0 where the split has no test part
    pm_sweep_metric   *metrics;           // of the winner, on test
    int                runs, found;       // runs in all; those that an earlier call had finished
} pm_sweep;

// Runs what the folder does not have yet. Every run writes its document as it ends, and its checkpoints as it goes, so that a sweep
// that was killed goes on where it stood when called again with the same parameters. Runs are in folder/runs, each usable as any
// other run; folder/sweep.json says what the folder is for.
// Errors    PM_ERR_ARG for a grid that is malformed or names an unknown parameter or value (with the nearest name), when the folder
//           holds a sweep of other settings or data (saying which), when another process is at work in it, when there is no
//           validation part, when every setting failed; PM_ERR_CANCELLED after saving; what pm_train fails with
pm_status pm_sweep_run(pm_ctx *ctx, const pm_sweep_params *params, pm_sweep **out);

// All of it as JSON text; hangs from parent.
pm_status pm_sweep_json(const void *parent, const pm_sweep *sweep, char **json);
void      pm_sweep_destroy(pm_sweep **sweep);

// ---- reports -------------------------------------------------------------------------------------------------------
// One self-contained HTML file: setting and data, results with intervals and paired tests, training curves, activity, popularity, sweep.
// It makes no request, runs no script, follows light and dark, and fits a phone. Figures are drawn by gnuplot; where that is
// missing the page says so and keeps their numbers, which stand below every figure and as CSV.

typedef struct pm_report_entry {
    const char      *name;
    const pm_result *result;
} pm_report_entry;

typedef struct pm_report_params {
    const char            *path;       // of the file; replaced as a whole
    const char            *title;      // NULL: made from the models and the data
    const char            *command;    // how to make it again; NULL: not said
    const pm_report_entry *entries;    // evaluated on the same users
    int                    count;
    bool                   validation; // which part they were evaluated on
    const char            *quintiles;  // the metric to break down by activity; NULL: the first that has values of each user
    const pm_sweep        *sweep;      // NULL: a comparison. Else entries are the winner's runs, one a seed
} pm_report_params;

// Errors    PM_ERR_ARG for entries without values of the part; PM_ERR_IO; PM_ERR_NOMEM
pm_status pm_report_write(pm_ctx *ctx, const pm_report_params *params);

// The metrics to evaluate a run with for a report of it: `metrics`, or where NULL the run's own (a spec's, when run is NULL), and where
// the protocol ranks all items also the shares of the popularity bands. *out hangs from parent.
pm_status pm_report_metrics(const void *parent, const char *run, const pm_spec *spec, const char *metrics, const char **out);

// pm_evaluate with those metrics, and where the protocol ranks all items also with every analysis that the model has.
pm_status pm_report_evaluate(pm_ctx *ctx, const pm_evaluate_params *params, pm_result **out);

// pm_train with the same metrics and analyses, these of the test part or of validation. The epoch is chosen as pm_train chooses it.
pm_status pm_report_train(pm_ctx *ctx, const pm_spec *spec, const char *run, bool validation, pm_result **out);

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
