// Inside of evaluation: evaluate.c captures and runs what scores a part, feed.c makes metrics of what comes back.
#ifndef PM_EVALUATOR_H
#define PM_EVALUATOR_H

#include "train/ranks.h"

struct pm_evaluator {
    pm_session          *s;
    const pm_eval_part  *part;
    const char          *name;
    const pm_metric_set *set;
    pm_metric_feed       feed;
    pm_ties              ties;
    pm_program          *program;    // goes with the store, as its tensors do
    pm_encoder          *encoder;    // what comes before scoring; NULL: nothing
    int                  scorer;     // it scores so
    bool                 by_row, held_out;    // what the model is told of who the users are
    int64_t              batch, depth, widest, entries;    // widest: candidates of a user at most; entries: known items of a batch at most
    unsigned             candidates; // of PM_CANDIDATES_…
    pm_ranks            *ranks;      // among all items; NULL: not asked for
    uint32_t            *ids, *above, *tied, *popularity;
    float               *scores;
    pm_preference        preference;
    uint32_t            *reaching;    // [users, PM_PREFERENCE_EDGES]
    float               *batch_means;    // [MEAN_SLOTS, items]
    double              *means;          // [items] over users
    bool                 unseen_users, unseen_items;    // a rating model: predicted by means alone
};

// Scores all users of the part with the parameters the store holds now, and reads what came of it.
pm_status pm_evaluator_score(pm_evaluator *e);

#endif
