// What models of single interactions share: batches of interactions with negatives, tables of users and items.
#ifndef PM_PAIRS_H
#define PM_PAIRS_H

#include "models/models.h"

// How a model of embedding tables is trained; the trainer reads these by name.
#define PM_OPTIMISER_HYPERS(optimiser, epochs_value, batch_value, rows, lr_value)                                                               \
    { "optimizer", PM_HYPER_CHOICE, optimiser, 0, 0, "adam|adagrad|sgd", "what makes a step of a gradient; with adagrad, and with sgd without " \
      "momentum, only rows of the tables that a batch has met are visited", NULL },                                                            \
    PM_MOMENTUM_HYPER("0", NULL),                                                                                                               \
    { "epochs", PM_HYPER_INTEGER, epochs_value, 1, 1e6, NULL, "passes over the training " rows, NULL },                                         \
    { "batch", PM_HYPER_INTEGER, batch_value, 1, 1048576, NULL, rows " a step", NULL },                                                         \
    { "lr", PM_HYPER_NUMBER, lr_value, 0, 10, NULL, "learning rate", NULL }

// How negatives are drawn.
#define PM_NEGATIVE_HYPERS(negatives_value)                                                                                                     \
    { "negatives", PM_HYPER_INTEGER, negatives_value, 1, 1024, NULL, "items drawn against each interaction, none of them the user's", NULL },   \
    { "sampling", PM_HYPER_CHOICE, "uniform", 0, 0, "uniform|popular", "how: each item alike, or as often as it was chosen", NULL }

// A batch of an entries pass: interactions, and items drawn against each.
typedef struct pm_pairs {
    pm_var  user, item;    // u32 [batch, 1]: row of the training matrix, column
    pm_var  value;         // f32 [batch, 1]: the interaction's, 1 unless the model reads ratings
    pm_var  id;            // u32 [batch, 1 + negatives]: the item, then what was drawn
    int64_t batch, negatives;
} pm_pairs;

// Captures one; `negatives` and `sampling` are the model's hyperparameters. once: the same negatives in every epoch.
pm_pairs pm_draw_pairs(pm_build *b, bool once);

// The passes of a model that goes through interactions alone: one, called "train".
int pm_entries_pass(const pm_config *config, int64_t users, int64_t items, pm_pass *out);

// A table of a row a user ("user.NAME") or an item ("item.NAME"), normal of that deviation at first.
pm_var pm_user_table(pm_build *b, const char *name, int64_t width, float deviation);
pm_var pm_item_table(pm_build *b, const char *name, int64_t width, float deviation);

// The rows of a user table for the users of a batch [rows, width]: in training over users, and in scoring of trained ones.
pm_var pm_user_rows(pm_build *b, pm_var table);

// For matrices of `times` rows for each of `rows` others: u32 [rows · times, 1], 0 … 0, 1 … 1, …, which of those each belongs to; and their number as a
// live count. Constants of the store.
pm_var pm_pair_rows(pm_graph *g, int64_t rows, int64_t times);
pm_var pm_pair_count(pm_graph *g, int64_t count);

// Σ_j x[i,j]² of each row, as a column.
pm_var pm_row_squares(pm_graph *g, pm_var x);

#endif
