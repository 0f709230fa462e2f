// One training under way: a session, where it stands, what it has found. The loop advances it, checkpoints keep and restore it.
#ifndef PM_TRAINER_H
#define PM_TRAINER_H

#include "train/safetensors.h"
#include "train/session.h"

// What a sweep asks of a training beyond its spec, and what it hears of one that need not have come to its end.
typedef struct pm_train_extra {
    const pm_split *split;       // the spec's data, read already; it outlives the training. NULL: read them
    bool            no_test;     // the test part is left unread
    const char     *analysis;    // as in pm_evaluate_params, of the chosen parameters; NULL: none
    bool            analysis_of_validation;    // rather than of test
    double          share;       // above 0: stops, with a checkpoint, when this share of all epochs is done
    // filled
    bool            stopped;     // by `share`, with epochs left
    double          value;       // the selection metric at the chosen epoch so far; NaN where there was no validation
    int64_t         best_epoch, epochs;
} pm_train_extra;

typedef struct pm_trainer {
    pm_ctx           *ctx;
    const pm_spec    *spec;
    pm_result        *result;
    pm_session       *session;
    const pm_split   *split;           // what is trained on: the spec's, or its train + validation when refitting
    pm_evaluator     *validation;      // of the part that the epoch is chosen on; NULL: nothing to choose by
    pm_metric_set    *metrics;
    int               select;          // index into metrics
    int               direction;       // +1: higher is better
    int64_t           phase_epochs;    // epochs this phase lasts at most
    int64_t           phase_steps;     // and steps
    // where it stands
    pm_progress_state at;
    int64_t           step, position, epoch;    // over the run: steps, rows of this pass, epochs
    int               pass;                     // of this epoch's, from 0
    bool              phase_begun;
    int64_t           phase_length[PM_MAX_PHASES];    // epochs of each phase that went into the choice: what a refit repeats
    int64_t           refit_epochs;             // above 0: training once more, that long over all, on train + validation
    int64_t           chosen_epoch;             // then: the epoch that was chosen, over the run
    bool              restored;                 // a checkpoint follows: what the model begins from is not asked for
    bool              refit_due;                // such a training follows this one
    double            loss_sum[PM_MAX_LOSSES];  // of this epoch's steps so far
    int64_t           loss_steps[PM_MAX_LOSSES];
    double            values[PM_MAX_EPOCH_METRICS];    // of the last validation
    // what it has found
    int64_t      best_epoch;       // over the run; 0: none
    pm_snapshot *best;
    bool         best_unsaved;     // the files do not have it yet
    bool         best_pending;     // best.next has it, and the checkpoint names that file
    uint64_t     best_hash;        // of the file that has it
    double       train_seconds;
    int          log_capacity, logged;    // epoch_log: entries, and those that metrics.jsonl has
    pm_train_extra *extra;         // NULL: none
    int64_t         stop_epoch;    // over the run; 0: none
    // saving
    const char *run;        // NULL: nothing is saved
    int64_t     log_size;   // valid bytes of metrics.jsonl
    double      saved_at, save_seconds;    // when, and how long it took
    bool        finished;
} pm_trainer;

// pm_train with `extra`, or pm_train_resume where the run folder has a run already. A run that stopped goes on by calling this again,
// to the same bits as one that never did.
pm_status pm_train_or_resume(pm_ctx *ctx, const pm_spec *spec, const char *run, pm_train_extra *extra, pm_result **out);

// Whether a spec asks for more than one training, and for how many. run of pm_train_repeats: NULL, or a folder with a spec, new or to go on with (resume).
bool      pm_spec_repeats(const pm_spec *spec, int64_t *count);
pm_status pm_train_repeats(pm_ctx *ctx, const pm_spec *spec, const char *run, bool resume, pm_result **out);

// pm_train_resume of one training, with `extra`. device: NULL, the run's own.
pm_status pm_train_resume_with(pm_ctx *ctx, const char *run, const char *device, pm_train_extra *extra, pm_result **out);

// pm_train with `extra`.
pm_status pm_train_with(pm_ctx *ctx, const pm_spec *spec, const char *run, pm_train_extra *extra, pm_result **out);

// pm_evaluate with the run's own data read already.
pm_status pm_evaluate_split(pm_ctx *ctx, const pm_evaluate_params *params, pm_split *split, pm_result **out);

// How many epochs a phase may take; where iterations are asked for, as many as they reach into.
int64_t pm_trainer_phase_epochs(const pm_trainer *t, int phase);

// The loop (loop.c): trains from where the trainer stands to the end of its last phase, and fills result.
pm_status pm_trainer_run(pm_trainer *t);

// Checkpoints (checkpoint.c and its like). save: everything needed to go on, to the same bits.
pm_status pm_checkpoint_save(pm_trainer *t);

// An opened checkpoint: what must be known before a session can be built, and the rest.
typedef struct pm_checkpoint pm_checkpoint;
pm_status pm_checkpoint_find(const void *object, const char *run, bool *found);
pm_status pm_checkpoint_open(const void *parent, const char *run, pm_checkpoint **out);
int64_t   pm_checkpoint_refit_epochs(const pm_checkpoint *c);
// Whether the parameters are of a refit that has come to its end.
bool      pm_checkpoint_finished(const pm_checkpoint *c);    // training has come to its end
bool      pm_checkpoint_refitted(const pm_checkpoint *c);
// Puts a fresh trainer where the checkpoint stands; refuses one of another model, data or setting, with the reason.
pm_status pm_checkpoint_load(pm_checkpoint *c, pm_trainer *t);
// The chosen parameters of a run into a session whose graphs have declared them; which epoch they are of, and the data's hash.
pm_status pm_checkpoint_load_best(const pm_checkpoint *c, pm_session *s);
// The centre of ratings (rating.h) into a session that has none yet: before anything is uploaded.
pm_status pm_checkpoint_load_center(const pm_checkpoint *c, pm_session *s);
uint64_t  pm_checkpoint_data_hash(const pm_checkpoint *c);
// The file of the chosen parameters, to be closed. PM_ERR_NOT_FOUND where training has not come to its end.
pm_status pm_checkpoint_open_chosen(const pm_checkpoint *c, pm_st_file **out);
// The result's totals (epochs, steps, times, chosen epoch) as the checkpoint has them.
void      pm_checkpoint_describe(const pm_checkpoint *c, pm_result *result);

// For updates: the chosen parameters into a session with more users and items; row r of the tables of users, of which there were `users`, comes to row_of[r]. Then
// the parameters of that session as a run that is trained to its end as the old one is, and the log of epochs that goes with it; the checkpoint comes last.
pm_status pm_checkpoint_load_grown(const pm_checkpoint *c, pm_session *s, const uint32_t *row_of, int64_t users);
pm_status pm_checkpoint_copy_log(const pm_checkpoint *c, const char *run);
pm_status pm_checkpoint_save_updated(const pm_checkpoint *c, const pm_session *s, uint64_t data, const char *run);

// ---- specs and splits (spec.c, refit.c) ----

// What a spec leaves open, filled in: protocol, metrics, selection. The result borrows its strings from `parent`.
pm_status pm_spec_complete(const void *parent, const pm_spec *in, pm_spec *out);

// The config of a spec: the model's defaults, the preset, the settings, --epochs.
pm_status pm_spec_config(const void *parent, const pm_spec *spec, pm_config **out);

// Whether what is trained on has the validation part from the start: nothing is chosen on it.
static inline bool pm_spec_joins(const pm_spec *spec)
{
    return (spec->legacy_test_selection && spec->refit) || spec->fixed_length;
}

// The name that the metric which the epoch is chosen by has in results, hanging from parent: "hr@10:all" where the target is ranked among all items alone.
char *pm_spec_select(const void *parent, const pm_spec *spec, const pm_split *split);

// What a run begins from (pretrain.c). resolve: refuses what does not fit, and adds to each its hash where it has none. begin: their parameters, by the
// model's rule, into the trainer's session.
pm_status pm_pretrained_resolve(const void *parent, pm_spec *spec, const pm_config *config);
pm_status pm_pretrained_begin(pm_trainer *t);

// Refuses hyperparameters that do not go with the filters and the protocol.
pm_status pm_spec_check(const void *parent, const pm_spec *spec, const pm_config *config);

// Refuses ratings outside the declared range, and Jester's 99, before anything is computed with them.
pm_status pm_spec_check_ratings(const void *parent, const pm_spec *spec, const char *source, const pm_interactions *in);

// The split for refit: validation's targets join the training matrix, test stays.
pm_status pm_split_refit(const void *parent, const pm_split *split, pm_split **out);

// A matrix with its columns renumbered by another id map; entries the map lacks are dropped and added to *dropped.
pm_status pm_matrix_remap(const void *parent, const pm_csr *in, const pm_ids *from, const pm_ids *to, pm_csr *out, int64_t *dropped);

// The part of a split with its items renumbered by another map; items the map lacks are dropped and counted.
pm_status pm_part_remap(const void *parent, const pm_split *split, const pm_eval_part *part, const pm_ids *items, pm_eval_part *out,
                        int64_t *dropped);

#endif
