// Inside of using a run: what evaluation, recommendation and prediction open.
#ifndef PM_USE_H
#define PM_USE_H

#include "train/trainer.h"

typedef struct pm_opened {
    pm_spec       *spec;
    pm_config     *config;
    pm_checkpoint *checkpoint;
    pm_split      *split;      // the caller's to find
    pm_split      *trained;    // what was trained on, where that is not its training part; NULL
    pm_session    *session;
} pm_opened;

// The run's spec and checkpoint, hanging from parent.
pm_status pm_use_open(const void *parent, const char *run, pm_opened *o);
// Whether the parameters are of train + validation.
bool pm_use_joined(const pm_opened *o);
// The run's own data into o->split, and where it has train + validation what that was trained on into o->trained.
// Errors    PM_ERR_DATA when they are not those it was trained on
pm_status pm_use_data(const void *parent, const char *run, pm_opened *o);
// A split of no data over a catalogue: enough to score users by what they have.
pm_status pm_use_nothing(const void *parent, pm_ids *items, pm_split **out);
// A session over o->split, on the run's device where none is named; to be closed.
pm_status pm_use_session(pm_ctx *ctx, pm_opened *o, const char *device);

#endif
