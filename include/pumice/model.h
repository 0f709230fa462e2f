// Models: what a model file declares, the registry, and hyperparameter values.
//
// A model is one table of hyperparameters, a function that captures its training loss, one that captures its scores, and a schedule.
// The command's flags, `pumice models`, checkpoints and every device come from these.
#ifndef PUMICE_MODEL_H
#define PUMICE_MODEL_H

#include <pumice/analysis.h>
#include <pumice/data.h>
#include <pumice/nn.h>

PM_API_BEGIN

// ---- hyperparameters -----------------------------------------------------------------------------------------------

typedef enum pm_hyper_type { PM_HYPER_NUMBER, PM_HYPER_INTEGER, PM_HYPER_FLAG, PM_HYPER_CHOICE, PM_HYPER_SIZES } pm_hyper_type;

typedef struct pm_hyper {
    const char   *name;
    pm_hyper_type type;
    const char   *value;      // the default, as text: "0.5", "1/12", "on", "tanh", "600,200"
    double        lo, hi;     // legal range of numbers, integers and each size
    const char   *choices;    // "a|b|c"
    const char   *help, *paper;    // what it is; where in the paper
} pm_hyper;

typedef struct pm_preset {
    const char *name, *settings, *help;    // settings: "k=v k=v"
} pm_preset;

// What a paper searched, for sweeps.
typedef struct pm_model_grid {
    const char *name, *grid, *paper;    // grid: as pm_sweep_params has it; where in the paper it stands
} pm_model_grid;

// Hyperparameters that the trainer reads by name, where a model's table has them; models/models.h has rows for the first four.
//     epochs, batch   passes over the training rows; rows a step
//     optimizer       "adam", "adagrad" or "sgd"; Adam where a model has none
//     momentum        of sgd
//     lr_decay        the rate of a phase's epoch t = 0, 1, … is lr / (1 + lr_decay · t)
//     lr, l2          learning rate; penalty l2 · Σw² on weights, not biases (gradient 2 · l2 · w)
//     decay           the same penalty by the other convention, ½ · decay · Σw² (gradient decay · w)
//     clip            above 0: gradients are scaled to this length, all parameters together, where they are longer
//     iterations      above 0: steps to train instead of epochs; --epochs overrules it
//     dislike_below   above 0: of what the rating filter drops, ratings below this are entries of x too, with the value -1
//     input           "counts": pm_build has the values of the interactions beside x
//     center          of a model that reads ratings: user, item, both, global or none. Its scores are ratings, then: what it sees of them is scaled to
//                     [-1, 1] by their range and freed of these training means, in x.val and in "train.val" alike, and its scores are taken for
//                     such values, scaled and given the means back before anyone sees them. Without it scores mean what the model likes

typedef struct pm_model pm_model;
typedef struct pm_config pm_config;    // a model's hyperparameters with their values

pm_status pm_config_create(const void *parent, const pm_model *model, pm_config **out);
// Applies a preset by name. Errors name the presets there are.
pm_status pm_config_preset(pm_config *config, const char *name);
// Sets one value. Errors: unknown name (lists them, with the nearest), malformed or out of range (says what is allowed).
pm_status pm_config_set(pm_config *config, const char *name, const char *value);
pm_status pm_config_assign(pm_config *config, const char *assignment);    // "name=value"

const pm_model *pm_config_model(const pm_config *config);
const char     *pm_config_text(const pm_config *config, const char *name);     // as it would be written in a setting
double          pm_config_number(const pm_config *config, const char *name);
int64_t         pm_config_integer(const pm_config *config, const char *name);
bool            pm_config_flag(const pm_config *config, const char *name);
bool            pm_config_is(const pm_config *config, const char *name, const char *choice);
int             pm_config_sizes(const pm_config *config, const char *name, int64_t *sizes, int capacity);    // how many there are

// ---- building ------------------------------------------------------------------------------------------------------

enum { PM_MAX_SCHEDULE = 4, PM_MAX_MEMO = 4, PM_MAX_PHASES = 8, PM_MAX_PASSES = 8, PM_MAX_PARTS = 2, PM_MAX_LOSSES = 8, PM_MAX_ORIGINS = 4 };

typedef struct pm_waiting pm_waiting;

// What a model's functions get: a graph to capture into, and the batch.
typedef struct pm_build {
    pm_graph        *g;
    pm_net          *net;
    const pm_config *config;
    int64_t          items, users;    // catalogue; rows of the training matrix
    int              pass, part;      // which pass of the model's, which part of it. Not in score and score_at
    int              scorer;          // of the phase that is validated; of the last one in all other scoring
    pm_sparse        x;               // the batch: rows of known interactions, as they are; on the items' axis items' rows of users
    pm_var           rows;            // u32 [1, batch]: which rows, entries or steps. Of passes only
    pm_var           user;            // by_id: u32 [rows, 1]: each user's row of the training matrix. Passes over users; scoring, but for held_out
    bool             held_out;        // scoring users that have no row of the training matrix (models with fold_in)
    pm_var           counts;          // input = counts: the values of x's entries in the data
    pm_var           live;            // [1, 1]: how many rows of the batch count. Of passes only
    double           mean_length, median_length;    // items of a training user. Training only
    pm_var           state;           // step state, the key of noise
    pm_var           row_weight;      // [rows, 1]: 1 / live rows, 0 for dead ones. Of passes only
    pm_var           schedule[PM_MAX_SCHEDULE];    // [1, 1] each: the model's own columns. Training only
    const pm_csr    *matrix[2];       // the training matrix on the host, and its transpose where the model or a pass asks for it. Training only
    bool             training;
    pm_waiting      *waiting;         // of passes whose optimiser lets rows wait (pm_row_param); NULL
    // filled by pm_add_loss
    int         loss_count;
    pm_var      loss[PM_MAX_LOSSES];
    const char *loss_name[PM_MAX_LOSSES];
} pm_build;

// Adds a term to what is minimised: a matrix whose elements are summed, each row already weighted. Its sum is logged by name. In a pass that solves
// it is logged and no more: a norm, an objective; what is called "residual" is relative, best 0. Training stops with an error where such a sum is not finite.
void pm_add_loss(pm_build *b, const char *name, pm_var loss);

// The whole training matrix [users, items] as sparse rows, or its transpose (models that say so). Training only.
pm_sparse pm_whole(pm_build *b, bool transposed);

// Chosen rows of the training matrix, or of its transpose (models that say so), as a batch: rows u32 [1, n], of which the first live [1, 1] count; no row
// may occur twice among these. Training only.
pm_sparse pm_chosen_rows(pm_build *b, bool transposed, pm_var rows, pm_var live);

// What a pass that precedes scoring computes for scores: a tensor by that name, zero at first, in no checkpoint and no choice of the best.
pm_var pm_encoding(pm_build *b, const char *name, int64_t rows, int64_t cols);

// pm_param, a weight with a row for each column of the batch x, in a pass that trains it and reads of it only the rows of columns that x has entries in. Where the
// optimiser is gradient descent, or Adam without weight decay, rows that a batch does not meet then cost nothing, and the weight comes to what it would have come
// to but for rounding: a row that waits takes the steps it has missed, with their momentum and decay, before a batch reads it, and all do at the end of the
// pass (ops rows_missed, sgd_leap, adam_leap).
pm_var pm_row_param(pm_build *b, const char *name, int64_t rows, int64_t cols, pm_init init);

// The same of a weight that is declared, a table whose rows the pass reads by ops embed and pick_scores with these operands and not otherwise: those that
// id u32 [n, s] names in its first live [1, 1] rows. To be said before they are read. For Adam without weight decay, and where n · s is an eighth of the rows or
// less; else nothing comes of it. Of plain gradient descent and AdaGrad rows that a batch does not meet stay anyway.
void pm_rows_wait(pm_build *b, const char *name, pm_var id, pm_var live);

// A new interaction, for models that take it in at once.
typedef struct pm_arrival {
    pm_var    user, item;                // u32 [1, 1] each: rows of the training matrix and of its transpose
    pm_sparse of_user, of_item;          // those rows, the interaction among their entries. Values: 1 for interactions of this update, 0 for what was known
    pm_var    user_state, item_state;    // step states whose position is that row: for pm_put_rows
} pm_arrival;

// ---- schedules -----------------------------------------------------------------------------------------------------

// Where training stands, for schedules. The memo is the model's own: kept in checkpoints, zero at the start.
typedef struct pm_progress_state {
    const pm_config *config;
    int              phase;
    int64_t          step;              // steps done in this phase
    int64_t          steps_per_epoch;
    int64_t          epoch;             // epochs done in this phase
    int64_t          best_epoch;        // of this phase, 0: none yet
    double           validation, best;  // last and best value of the selection metric in this phase
    double           memo[PM_MAX_MEMO];
} pm_progress_state;

// What batches are taken of.
typedef enum pm_axis {
    PM_AXIS_USERS,      // rows of the training matrix
    PM_AXIS_ITEMS,      // rows of its transpose
    PM_AXIS_ENTRIES,    // its interactions
    PM_AXIS_STEPS       // the numbers from 0 on, as many as the pass says: slices of something long
} pm_axis;

// A way through the data: one program, run over the batches of an axis.
typedef struct pm_pass {
    const char *name;
    pm_axis     axis;
    bool        in_order;              // as they lie, else in an order of its own each epoch; steps are always in order
    bool        solve;                 // the model's solve updates parameters itself; else its loss, the gradient, the optimiser
    bool        scoring;               // of no phase: run before each scoring, over what is known then, the training matrix with what the evaluated
                                       // part knows of its users in place of their rows. It solves, over users, items or steps, in order, writes
                                       // what pm_encoding names, and may not ask for pm_whole. Such passes come last
    int         parts;                 // so often loss, gradient and optimiser on the same batch, one after the other; 0: once
    const char *trains[PM_MAX_PARTS];  // parameters that a part trains, all whose names begin with one of these words: "encoder. head."; NULL: all
    const char *settings;              // lr, lr_decay, momentum, l2 and decay are the hyperparameters called so behind this word ("outer_"), where the
                                       // model has them. NULL: those without a word before
    int64_t     batch;                 // 0: the hyperparameter batch (steps: 1)
    int64_t     total;                 // of steps
} pm_pass;

typedef struct pm_phase {
    const char *name;
    bool        restart;         // parameters and optimiser start anew
    bool        fresh;           // optimisers start anew, parameters stay
    bool        from_best;       // begins with the best parameters of the phase before, not with its last
    int         first, count;    // its passes, one after the other in each epoch; count 0: one
    int64_t     epochs;          // at most; 0: the hyperparameter epochs
    int         scorer;          // pm_build.scorer in its validation
} pm_phase;

// A trained run of another model that a model can begin from: --pretrained-NAME RUN.
typedef struct pm_origin {
    const char *name;     // "gmf"
    const char *model;    // whose runs
    const char *same;     // hyperparameters in which the two agree: "factors layers"
} pm_origin;

struct pm_model {
    const char *name, *title, *paper;
    const pm_hyper  *hypers;     // ends with a NULL name. What the trainer reads by name: see above
    const pm_preset *presets;    // ends with a NULL name; or NULL
    const pm_model_grid *grids;  // ends with a NULL name; or NULL
    const char *const *proofs;   // ends with NULL; or NULL: settings "k=v k=v" that tests go through besides each choice and flag alone
    bool by_id;                  // knows users by id: pm_build.user; cannot score held-out ones, unless
    bool fold_in;                // it can fit what it lacks of them from their rows: pm_build.held_out
    bool transposed;             // pm_whole(b, true) is asked for
    bool ratings;                // reads the values of interactions; else each counts as 1, whatever its rating

    // The phases, in order; at most PM_MAX_PHASES. NULL: one, called "train", of all passes.
    int (*phases)(const pm_config *config, pm_phase *out);
    // What they go through, and what precedes scoring; at most PM_MAX_PASSES. NULL: one over users that minimises loss, or where there is none one step of solve.
    int (*passes)(const pm_config *config, int64_t users, int64_t items, pm_pass *out);
    // Refuses combinations of hyperparameters that make no sense. NULL: all do.
    pm_status (*check)(const pm_config *config, int64_t items);
    // What it can begin from, all of them or none; ends with a NULL name, at most PM_MAX_ORIGINS; or NULL. inherit then fills a parameter's first values
    // from what the runs have by its name: theirs[k] of the k-th, [count] each, NULL where it has none. false: it begins as without them.
    const pm_origin *origins;
    bool (*inherit)(const pm_config *config, const char *param, int64_t count, const float *const *theirs, float *values);
    // Captures the losses of a batch.
    void (*loss)(pm_build *b);
    // Captures the scores of a batch [rows, items].
    pm_var (*score)(pm_build *b);
    // Captures the scores of chosen items alone, id: u32 [rows, n], items of each row's user, 0 in places that do not count -> [rows, n]. NULL: they are
    // taken from all scores. For models whose scores cost much: candidates of leave-one-out, known ratings, pairs.
    pm_var (*score_at)(pm_build *b, pm_var id);
    // How its scores become predicted preferences, for analyses. NULL: not at all.
    pm_preference (*preference)(const pm_config *config);
    // What the loss is for one item, by its predicted preference p in (0, 1), where feedback is 1 (liked), 0 (missing) or -1 (disliked): for a
    // report's figure. NaN where the loss is not a sum over items, or has no such term. NULL: it never is.
    double (*item_loss)(const pm_config *config, int feedback, double p);
    // Captures a step of a pass that solves: what it updates are parameters or statistics, by pm_output to their names or by ops that write in place.
    void (*solve)(pm_build *b);
    // Captures what one new interaction changes (pm_update), in parameters by ops that write in place; with NULL, what is to be made from the parameters before
    // the first and after the last of them. Tables of users begin with "user", a row each; what they have more than in training has its initial values.
    // NULL: the model must be trained anew.
    void (*update)(pm_build *b, const pm_arrival *arrival);
    // Looks at each value that a pass that solves logs by pm_add_loss: may warn, or refuse to go on with a sentence. NULL: what is finite will do.
    pm_status (*watch)(const void *object, const pm_config *config, const char *loss, double value);

    // Schedule columns beyond the learning rate.
    const char *schedule[PM_MAX_SCHEDULE + 1];    // names, NULL at the end
    double (*schedule_value)(const pm_progress_state *at, int column);
    // Called after each validation; may write the memo. Returns a sentence for the log, or NULL.
    const char *(*after_validation)(pm_progress_state *at);
    // Called at the end of a phase; may write the memo or refuse to go on.
    pm_status (*phase_end)(const void *object, pm_progress_state *at, bool last_phase);
    // Asked of each step's value of a loss: NULL where it is sound, else what to do about it, and training stops. Values that are not finite stop it in
    // any case. NULL: only those do.
    const char *(*diverged)(const pm_config *config, const char *loss, double value);
    // What a loss would be, in the mean over steps, of a model whose scores are all 0; squares: the mean over rows of the pass of the sum of squares of their values
    // (the centred ratings). Bounded scores saturate where others overflow, so a loss has diverged too whose mean over an epoch is more than half as much again, and not
    // on its way down: more than three quarters of what it was three epochs before in this phase. Training stops as above. 0: not known. NULL: none is.
    double (*nothing)(const pm_config *config, const char *loss, double squares);
};

// ---- registry ------------------------------------------------------------------------------------------------------

int             pm_model_count(void);
const pm_model *pm_model_at(int index);
// Errors    PM_ERR_NOT_FOUND listing the models, with the nearest name
pm_status pm_model_find(const void *object, const char *name, const pm_model **out);
// Adds a model of your own; the struct is borrowed for good. Before any other thread uses the library.
// Errors    PM_ERR_ARG when the name is taken, when its table is malformed, or at 64 models of your own
pm_status pm_model_register(pm_ctx *ctx, const pm_model *model);

PM_API_END
#endif
