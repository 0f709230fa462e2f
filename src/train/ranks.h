// Inside of evaluation by rank: where the one target of each user stands among all items that are not known of the user.
#ifndef PM_RANKS_H
#define PM_RANKS_H

#include "train/session.h"

typedef struct pm_ranks pm_ranks;

// Uploads the targets of a sampled part. name: prefix of the tensors. Hangs from parent.
pm_status pm_ranks_create(const void *parent, pm_session *s, const pm_eval_part *part, const char *name, pm_ties ties, pm_ranks **out);

// Captures the ranking of a batch. z: the scores of all items; what b->x knows is masked here.
void pm_ranks_capture(const pm_ranks *r, pm_build *b, pm_var z, pm_var rows);

// Reads what the program left, when all users are done.
pm_status pm_ranks_read(pm_ranks *r);

// Where the target of a row of the part stands. False: a score was not finite.
bool pm_ranks_get(const pm_ranks *r, int64_t row, pm_rank *out);

#endif
