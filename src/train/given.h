// What is known of users beside a run: histories of strangers, and new items.
#ifndef PM_GIVEN_H
#define PM_GIVEN_H

#include "train/use.h"

// Ratings from a file, as a run reads them.
typedef struct pm_given_ratings {
    const char      *path;
    pm_interactions *in;
    bool             adds;    // the model is fed what items have: they are added to the data of the run. Else each user is known by these alone
    pm_csr           rows;    // [users of the data, or of the file where it does not add; items of the split]
} pm_given_ratings;

// Reads them and checks that the model can take them: one that is fed what its users have, or that encodes its items anew.
// Errors    PM_ERR_ARG for one that knows users and items by id
pm_status pm_given_read(const void *parent, const pm_opened *o, const pm_read_params *params, pm_given_ratings *out);

// For a model that is fed what users have: rows over the items of o->split, one a user of the file.
// Errors    PM_ERR_NOT_FOUND for an item the run does not know
pm_status pm_given_rows(const void *parent, const pm_opened *o, pm_given_ratings *g);

// For a model that encodes items: o->split and o->trained become copies with the file's new items behind those of the run, and with its ratings.
// Errors    PM_ERR_NOT_FOUND for a user the run does not know
pm_status pm_given_join(const void *parent, pm_opened *o, pm_given_ratings *g);

#endif
