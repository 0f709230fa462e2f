// Interactions that come after training: a split with them, for runs that were updated.
#ifndef PM_ARRIVALS_H
#define PM_ARRIVALS_H

#include <pumice/data.h>

#include "core/core.h"

// What of some interactions a split did not know, in their order.
typedef struct pm_arrivals {
    int64_t   count;
    uint32_t *user, *item;    // [count] in the split's numbers, which new ones have too
    float    *value;          // [count]
    int64_t   known;          // of those left out: interactions that the training matrix had
    int64_t   new_users, new_items;
    int64_t   awaited;        // of count: what validation or test have to find
} pm_arrivals;

// Adds them to a split in place: ids of new users and items after the old ones, entries of the training matrix and of what the parts know of their users,
// and rows of the matrix for users who had none, after the old ones, in order of arrival. Times are not kept. All hangs from the split.
// Errors    PM_ERR_NOMEM
pm_status pm_split_extend(pm_split *split, const pm_interactions *in, pm_arrivals *out);

#endif
