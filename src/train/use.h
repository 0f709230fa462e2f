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
// A session over o->split, on the run's device where none is named; to be closed.
pm_status pm_use_session(pm_ctx *ctx, pm_opened *o, const char *device);

#endif
