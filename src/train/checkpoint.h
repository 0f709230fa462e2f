// What the files of checkpoints share (checkpoint.c, checkpoint_meta.c, checkpoint_update.c). What others may call is in trainer.h.
#ifndef PM_CHECKPOINT_H
#define PM_CHECKPOINT_H

#include "train/safetensors.h"
#include "train/trainer.h"

#define PM_CHECKPOINT_FORMAT "pumice checkpoint 2"

struct pm_checkpoint {
    pm_st_file *file;
    char       *run;
    int64_t     refit_epochs;
};

// run/name, hanging from parent; NULL: no memory.
char *pm_checkpoint_path(const void *parent, const char *run, const char *name);

// ---- metadata (checkpoint_meta.c) ----

pm_status pm_meta_integer(pm_st_writer *w, const char *key, int64_t value);
pm_status pm_meta_bits(pm_st_writer *w, const char *key, uint64_t value);

// Errors    PM_ERR_FORMAT naming the file, the key and what is there: missing, no number, below lo or too large
pm_status pm_checkpoint_integer(const pm_checkpoint *c, const char *key, int64_t lo, int64_t *out);
pm_status pm_checkpoint_bits(const pm_checkpoint *c, const char *key, uint64_t *out);

// Where training stands. check: refuses a checkpoint of another model, data or setting, and warns of other numerics.
pm_status pm_checkpoint_write_meta(pm_st_writer *w, const pm_trainer *t);
pm_status pm_checkpoint_check(const pm_checkpoint *c, const pm_trainer *t);
pm_status pm_checkpoint_read_meta(const pm_checkpoint *c, pm_trainer *t);

// ---- tensors (checkpoint.c) ----

// Parameters, optimiser state and the centre of ratings of a session: declared, then with data written.
pm_status pm_checkpoint_write_tensors(pm_st_writer *w, const pm_session *s, bool data);

// best.safetensors as the checkpoint names it, whichever of the two files that is by now; NULL when no best was found yet.
pm_status pm_checkpoint_open_best(const pm_checkpoint *c, pm_st_file **out);

#endif
