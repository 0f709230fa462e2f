// A session: a device, a store with the data resident, and the programs of one model over them.
#ifndef PM_SESSION_H
#define PM_SESSION_H

#include <pumice/train.h>

#include "core/core.h"

enum { PM_SLOTS = 256 };    // steps between two uploads of the schedule

// A pass of the model as it is run.
typedef struct pm_session_pass {
    pm_pass     what;
    pm_program *program;
    pm_program *catch_up;             // where rows of parameters wait in it: what all of them have missed. NULL
    float      *powers, *rates;       // what they leap by, on its way to the device, as a step allocates nothing; rates: of Adam
    int64_t     batch, total, steps;    // rows of a batch; rows, and batches, of an epoch
    int         loss_count, loss[PM_MAX_LOSSES];    // what it logs, as indices into the session's losses
} pm_session_pass;

typedef struct pm_center pm_center;    // rating.h

typedef struct pm_session {
    const pm_split  *split;
    const pm_config *config;
    const pm_model  *model;
    uint64_t         seed;
    bool             eager;
    pm_device       *device;
    pm_store        *store;
    pm_net          *net;               // the parameters, as the training (or scoring) graph declared them
    pm_phase         phase[PM_MAX_PHASES];
    pm_session_pass  pass[PM_MAX_PASSES];
    int              phase_count, pass_count;     // passes: once training is prepared, those that train
    int              trained_passes;              // how many of the model's passes come before those that precede scoring
    pm_csr           known, known_t;              // while that is done: the training matrix as the model knows it, and its transpose
    int              loss_count, column_count;    // losses of all passes; columns: the model's own
    const char      *loss_name[PM_MAX_LOSSES];
    pm_rating_params rating;
    pm_center       *center;            // of a model whose scores are ratings; NULL
    double           squares;           // of the values of all training interactions, once training is prepared
    int              powers_of;         // which pass, counted from 1, and its epoch what waiting rows leap by is of; 0: none is there yet
    int64_t          powers_at;
} pm_session;

typedef struct pm_session_params {
    const pm_split  *split;
    const pm_config *config;
    const char      *device;
    uint64_t         seed;
    bool             double_precision;
    bool             eager;               // no row of a weight waits for a batch to meet it (waiting.c): what tests compare those that do with
    pm_rating_params rating;
} pm_session_params;

// Opens the device and the store. The session hangs from ctx; split and config are borrowed.
pm_status pm_session_open(pm_ctx *ctx, const pm_session_params *params, pm_session **out);
void      pm_session_close(pm_session **session);

// Uploads the training matrix and captures the model's passes (programs.c).
pm_status pm_session_prepare_training(pm_session *s);

// How many rows a pass has and how many at a time; of one that precedes scoring too.
void pm_session_measure_pass(const pm_session *s, pm_session_pass *p);

// The parameters that a graph of scores declares: the session's own where nothing is trained, else a list for this graph alone. And when it is captured.
pm_status pm_session_scoring_net(pm_session *s, pm_graph *g, pm_net **out);
void      pm_session_scoring_net_done(const pm_session *s, pm_net **net);

// Whether a part of a pass trains a parameter of that name.
bool pm_pass_trains(const pm_pass *pass, int part, const char *param);

// Batches in an epoch of a phase.
int64_t pm_session_steps(const pm_session *s, int phase);

// A batch of a pass, from which step of the run on, in which phase and epoch, and at which row: its state, then n times its program. What it logs is in
// the slots 0 to n - 1 of "log.NAME" then.
typedef struct pm_position {
    int64_t step, epoch, row;
    int     phase;
} pm_position;
pm_status pm_session_run(pm_session *s, int pass, const pm_position *from, int64_t n);

// After the last batch of a pass in an epoch of its phase, rows that are done: what its steps have put off (waiting.c).
pm_status pm_session_end_pass(pm_session *s, int pass, const pm_progress_state *at, int64_t row);

// The optimiser that the hyperparameter optimizer names; Adam where there is none.
pm_optimiser_kind pm_session_optimiser(const pm_config *config);

// For each user of a part its row of the training matrix; PM_ID_NONE where it has none. *held_out: whether all lack one.
// Errors    PM_ERR_DATA naming a user, when some have a row and it has not
pm_status pm_session_rows(const pm_session *s, const pm_eval_part *part, uint32_t *rows, bool *held_out);

// How a pass is trained: the hyperparameter `name`, or the pass's own of that kind (pm_pass.settings).
double pm_pass_setting(const pm_config *config, const pm_pass *pass, const char *name);

// Its learning rate in an epoch of its phase, and what weight decay adds of a weight to its gradient.
double pm_pass_rate(const pm_config *config, const pm_pass *pass, int64_t epoch);
float  pm_pass_decay(const pm_config *config, const pm_pass *pass);

// Rows that wait (waiting.c): once a pass is captured, the program of its end; and what rows that have missed steps leap by in the epoch that training is in.
pm_status pm_waiting_prepare(pm_session *s, int pass, const pm_waiting *w);
pm_status pm_waiting_write(pm_session *s, int pass, const pm_progress_state *at);

// 0, 1, 2, … as a column.
pm_status pm_session_upload_numbers(pm_session *s, const char *name, int64_t count);

// Uploads the schedule of the next n <= PM_SLOTS steps of a pass: learning rate (with Adam's bias correction), then the model's columns.
pm_status pm_session_write_schedule(pm_session *s, int pass, const pm_progress_state *from, int64_t n);

// What the model is told of the users of a matrix: its rows, with centred values where its scores are ratings, and, where the model wants what was disliked,
// that too. `user`: of each row, an index into the split's users. *out borrows the arrays of m, or its own hang from parent; forget frees those.
pm_status pm_session_known(const pm_session *s, const void *parent, const pm_csr *m, const uint32_t *user, pm_csr *out);
void      pm_session_forget(const pm_csr *m, pm_csr *out);

// A CSR as three tensors NAME.ptr, NAME.col, NAME.val, its values as the model reads them: ratings, or 1 for what is liked and -1 for what is
// disliked; an empty one keeps one zero entry, so that it has a size. m comes from pm_session_known.
pm_status pm_session_upload(pm_session *s, const char *name, const pm_csr *m);

// The median length of the rows.
pm_status pm_median_length(const void *object, const pm_csr *m, double *median);

// Whether the model reads how often or how much a user had an item (hyperparameter input = counts); pm_session_upload then adds NAME.count. And the counts
// of the entries of a captured batch.
bool   pm_session_counts(const pm_session *s);
pm_var pm_capture_counts(pm_graph *g, const char *name, pm_var rows, const pm_sparse *x);

// Captures the head of a program over rows of NAME: the batch as sparse rows, given which rows and the live count.
pm_sparse pm_capture_batch(pm_graph *g, const char *name, pm_var rows, pm_var live, int64_t entries);

// The state tensor NAME written from the host: where a program's rows stand.
typedef struct pm_state {
    uint64_t seed;
    int64_t  step, epoch, position, total, batch;
    int      phase;
} pm_state;
pm_status pm_session_write_state(pm_session *s, const char *name, const pm_state *state);

// The values of all parameters on the host.
typedef struct pm_snapshot {
    int     count;
    float **values;
} pm_snapshot;
pm_status pm_snapshot_create(const void *parent, const pm_session *s, pm_snapshot **out);
pm_status pm_snapshot_take(pm_snapshot *snapshot, const pm_session *s);
pm_status pm_snapshot_restore(const pm_snapshot *snapshot, pm_session *s);

// ---- what scoring needs of the whole data (encode.c) ----

typedef struct pm_encoder pm_encoder;

// Whether a model has passes that precede scoring, so that scoring needs the data it was trained on.
bool pm_encodes(const pm_config *config);

// Uploads what is known when a part is scored, for the model's passes that precede scoring: the training matrix, with what the part knows of its users
// in place of their rows. name: of the part. Hangs from the session. *out NULL: the model has no such pass.
// Errors    PM_ERR_ARG where no data are at hand
pm_status pm_encoder_create(pm_session *s, const pm_eval_part *part, const char *name, pm_encoder **out);

// Captures those passes for a phase's scores, where they are not yet.
pm_status pm_encoder_use(pm_encoder *e, int scorer);

// Runs them with the parameters the store holds now.
pm_status pm_encoder_run(pm_encoder *e);

// ---- evaluation (evaluate.c) ----

typedef struct pm_evaluator pm_evaluator;

typedef struct pm_evaluator_params {
    const pm_eval_part  *part;
    const char          *name;    // "valid", "test", "recommend": the prefix of its tensors
    const pm_metric_set *set;     // NULL: lists only, of length `depth`
    int64_t              depth;
    pm_ties              ties;
    pm_preference        preference;    // also counts predicted preferences, where it is not NONE
    unsigned             candidates;    // of PM_CANDIDATES_…: what the target of a sampled part is ranked among; 0: the sampled
} pm_evaluator_params;

// Uploads a part and captures its scoring program. Hangs from the session.
pm_status pm_evaluator_create(pm_session *s, const pm_evaluator_params *params, pm_evaluator **out);

// Captures its scores as that phase's validation has them (pm_phase.scorer), where it has not yet; at first they are the last phase's.
pm_status pm_evaluator_use(pm_evaluator *e, int scorer);

// Scores all users of the part with the parameters the store holds now. *metrics hangs from parent.
// Of both kinds of candidates: among the sampled.
pm_status pm_evaluator_run(pm_evaluator *e, const void *parent, pm_metrics **metrics);

// The same with every view: both kinds of candidates, where there are, and the users whose target was seen in training, where some was not.
pm_status pm_evaluator_run_views(pm_evaluator *e, const void *parent, pm_result_view views[PM_MAX_VIEWS], int *count);

// Of its scoring program.
pm_program_stats pm_evaluator_stats(const pm_evaluator *e);

// The lists of the last run: ids and scores, [users, depth].
pm_status pm_evaluator_lists(pm_evaluator *e, const uint32_t **ids, const float **scores, int64_t *depth);

// Scores the candidates of a part, [users, widest] in their order, known items too; NaN where scores are not finite. Of evaluators with a set, PM_TIES_ID and
// a sampled part.
pm_status pm_evaluator_scores(pm_evaluator *e, const float **scores, int64_t *widest);

// What is evaluated, how deep its lists are, and the program that scores a batch, in how many batches.
const pm_eval_part *pm_evaluator_part(const pm_evaluator *e);
int64_t             pm_evaluator_depth(const pm_evaluator *e);
pm_program         *pm_evaluator_program(const pm_evaluator *e);
int64_t             pm_evaluator_batches(const pm_evaluator *e);

// What the last run counted of predicted preferences: how many items reach each edge [users, PM_PREFERENCE_EDGES], and the items'
// means over the users [items].
void pm_evaluator_preferences(const pm_evaluator *e, const uint32_t **reaching, const double **means);

// ---- analyses (analyse.c) ----

typedef struct pm_analyst pm_analyst;

// What pm_evaluate_params.analysis asks of a model and its config.
// Errors    PM_ERR_ARG for an unknown name, and for preferences of a model that predicts none
pm_status pm_analyst_choose(const void *object, const pm_config *config, const char *names, unsigned *which);

// Captures what the chosen analyses of a part need. Hangs from the session.
pm_status pm_analyst_create(pm_session *s, const pm_eval_part *part, unsigned which, pm_analyst **out);

// Makes the tables with the parameters the store holds now; they hang from the result.
pm_status pm_analyst_run(pm_analyst *a, pm_result *r);

// ---- results (result.c) ----

// Who computed what: model, device, data. Strings are copied.
pm_status pm_result_describe(pm_result *r, const pm_session *s, const pm_spec *spec, const pm_split *split);

// The errors of prediction and reconstruction of a test part whose metrics it has (errors.c), with the parameters the store holds now.
pm_status pm_result_add_errors(pm_result *r, pm_session *s, const pm_eval_part *part);

// Takes over the metrics of a part, which hang from the result, and warns of ties.
pm_status pm_result_add(pm_result *r, pm_metrics *m, bool validation);
pm_status pm_result_add_views(pm_result *r, const pm_result_view *views, int count, bool validation);

#endif
