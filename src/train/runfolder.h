// A run folder as training and evaluation use it.
#ifndef PM_RUNFOLDER_H
#define PM_RUNFOLDER_H

#include "train/trainer.h"

// Makes the folder and writes config.json. A folder that holds a checkpoint is refused: nothing may be lost.
pm_status pm_run_begin(const void *object, const char *run, const pm_spec *spec);
// RUN/repeat-N, hanging from parent; NULL without memory.
char     *pm_run_repeat(const void *parent, const char *run, int64_t number);
pm_status pm_run_read_spec(const void *parent, const char *run, pm_spec **out);

// items.tsv and users.tsv.
pm_status pm_run_save_maps(const void *object, const char *run, const pm_split *split);
pm_status pm_run_load_items(const void *parent, const char *run, pm_ids **out);

// Appends the epochs from `from` on to metrics.jsonl, whose first *size bytes are valid; syncs; *size grows.
pm_status pm_run_save_epochs(const pm_trainer *t, int from, int64_t *size);
// Reads the first `size` bytes of metrics.jsonl back and cuts off what follows.
pm_status pm_run_load_epochs(pm_trainer *t, const char *run, int64_t size);

// What metrics.jsonl has of the log of a run, for showing it: up to the first line that is none. A missing file is an empty log.
pm_status pm_run_peek_epochs(pm_result *r, const char *run);

#endif
