// The step state: integers on the device that say where a run stands. Read by C and by GLSL, so only numbers here.
// A tensor [1, PM_STATE_COUNT] u32. Noise is keyed by seed and step; batches are drawn from epoch and position.
#ifndef PUMICE_STATE_H
#define PUMICE_STATE_H

#define PM_STATE_STEP     0     // steps done since the run began
#define PM_STATE_EPOCH    1     // epochs done in this phase
#define PM_STATE_POSITION 2     // rows done in this epoch
#define PM_STATE_LIVE     3     // rows of this step's batch that count
#define PM_STATE_TOTAL    4     // rows in an epoch
#define PM_STATE_BATCH    5     // rows in a full batch
#define PM_STATE_SLOT     6     // steps since the host last filled the schedule and read the logs
#define PM_STATE_PHASE    7     // which phase of the schedule
#define PM_STATE_SEED_LO  8
#define PM_STATE_SEED_HI  9
#define PM_STATE_COUNT    16    // the rest is zero

#define PM_MASKED  (-3.0e38f)      // the score of what must not be ranked
#define PM_ID_NONE 0xFFFFFFFFu     // no such item: the list is shorter
#define PM_ID_NAN  0xFFFFFFFEu     // the row held a value that is not finite

#endif
