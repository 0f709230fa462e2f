// What dmf and lfm share: batches of interactions with zeros of the training matrix, each user and item of a batch encoded once, losses of cosines.
#ifndef PM_TOWERS_H
#define PM_TOWERS_H

#include "models/models.h"

// Of both models; the trainer reads the last ones by name.
#define PM_MATCH_HYPERS(epochs_value)                                                                                                           \
    { "factors", PM_HYPER_INTEGER, "64", 1, 65536, NULL, "length of what a user and an item become, whose cosine is the score", "DMF, Section 4.4" }, \
    { "loss", PM_HYPER_CHOICE, "nce", 0, 0, "ce|nce|square|pair", "cross-entropy against 1, or against rating / largest rating; squares against that; -log " \
      "sigmoid of the gap between an interaction's cosine and a zero's", "DMF, equations 11, 12, 10; Section 5" },                              \
    { "mu", PM_HYPER_NUMBER, "1e-6", 1e-7, 0.4, NULL, "ce, nce: cosines are clipped to mu ... 1 - mu, without gradient beyond", "DMF, equation 13" }, \
    { "zero_weight", PM_HYPER_NUMBER, "1", 0, 1e6, NULL, "square: weight of a zero, an interaction's being 1", "DMF, equation 10: w" },         \
    { "gap_scale", PM_HYPER_NUMBER, "10", 1e-3, 1e6, NULL, "pair: what the gap is multiplied by", NULL },                                     \
    { "negatives", PM_HYPER_INTEGER, "7", 1, 1024, NULL, "zeros of the training matrix drawn against each interaction", "DMF, Algorithm 1: neg_ratio" }, \
    { "zeros", PM_HYPER_CHOICE, "user", 0, 0, "user|global", "where they are drawn: in the interaction's own row, or in the whole matrix",     \
      "DMF, Algorithm 1: global" },                                                                                                            \
    { "redraw", PM_HYPER_FLAG, "on", 0, 1, NULL, "anew in each epoch; off: the same ones in all", "DMF, Algorithm 1: off" },                  \
    { "deviation", PM_HYPER_NUMBER, "0.01", 1e-6, 10, NULL, "of the normal distribution that parameters start from", "DMF, Section 4.1" },    \
    { "epochs", PM_HYPER_INTEGER, epochs_value, 1, 1e6, NULL, "passes over the training interactions", NULL },                                \
    { "batch", PM_HYPER_INTEGER, "256", 1, 1048576, NULL, "pairs a step: interactions and their zeros", "DMF, Section 4.1" },                 \
    { "lr", PM_HYPER_NUMBER, "1e-4", 0, 10, NULL, "learning rate of Adam", "DMF, Section 4.1" },                                              \
    { "l2", PM_HYPER_NUMBER, "0", 0, 1e6, NULL, "penalty l2 * sum(w^2) on weights, not biases (gradient 2 * l2 * w)", "DMF, equation 9: lambda" }

// A batch: interactions, each followed by its negatives.
typedef struct pm_matches {
    pm_var  user, item;            // u32 [1, n] each: the different users and items, ascending
    pm_var  users, items;          // [1, 1] each: how many there are
    pm_var  user_at, item_at;      // u32 [batch, 1 or 1 + negatives], [batch, 1 + negatives]: which of them each pair is of
    pm_var  pairs;                 // [1, 1]: how many places of user_at count
    pm_var  value;                 // f32 [batch, 1]: the interaction's rating
    int64_t batch, negatives;
    bool    global;                // each pair has a user of its own
} pm_matches;

// How many interactions a step takes, the pair's training pass over them, and what it draws.
pm_pass    pm_match_pass(const pm_config *config);
pm_matches pm_draw_matches(pm_build *b);

// Adds the loss of a batch, given the codes [n, factors] of its users and items.
void pm_match_loss(pm_build *b, const pm_matches *m, pm_var user_code, pm_var item_code);

// Cosines of codes with all items or with chosen ones, given the items' codes at length 1 [items, factors].
pm_var pm_match_scores(pm_build *b, pm_var user_code, pm_var unit_items);
pm_var pm_match_scores_at(pm_build *b, pm_var user_code, pm_var unit_items, pm_var id);

// Refuses what makes no sense together.
pm_status pm_match_check(const pm_config *config, int64_t items);

#endif
