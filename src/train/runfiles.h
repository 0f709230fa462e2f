// The smaller files of a run folder: items.tsv and users.tsv, metrics.jsonl, config.json.
#ifndef PM_RUNFILES_H
#define PM_RUNFILES_H

#include <pumice/train.h>

#include "core/core.h"

// ---- ids: one a line, in order of their indices; backslash, tab, newline and return written as \\ \t \n \r ---------

// Replaces the file.
// Errors    PM_ERR_ARG for an id that is not UTF-8; PM_ERR_IO; PM_ERR_NOMEM
pm_status pm_run_write_ids(const void *parent, const char *path, const pm_ids *ids);
// Errors    PM_ERR_IO; PM_ERR_FORMAT with file and line for a repeated id, a bad escape, a raw tab, return or zero, text that
//           is not UTF-8, or a last line without its end; PM_ERR_NOMEM
pm_status pm_run_read_ids(const void *parent, const char *path, pm_ids **out);

// ---- metrics.jsonl: grows by lines; the checkpoint keeps its valid length ------------------------------------------

typedef struct pm_run_log pm_run_log;    // destroyed with its parent or by pm_free

// Opens the file for appending, cut to its first `length` bytes; 0 starts it anew. The cut is synced.
// Errors    PM_ERR_IO; PM_ERR_FORMAT when it is shorter than `length` or no line ends there
pm_status pm_run_log_open(const void *parent, const char *path, int64_t length, pm_run_log **out);
// Adds a line; its end is added. After a failure the file has its old length.
// Errors    PM_ERR_ARG for a line with a newline in it; PM_ERR_IO
pm_status pm_run_log_append(pm_run_log *log, const char *line);
// Syncs, after which pm_run_log_length may go into a checkpoint.
pm_status pm_run_log_sync(pm_run_log *log);
int64_t   pm_run_log_length(const pm_run_log *log);

// ---- config.json: a pm_spec, every field -----------------------------------------------------------------------------

// Writes or replaces the file. Integers and doubles are exact; integers above 2⁵³, which JSON readers round, are strings of
// digits.
// Errors    PM_ERR_ARG naming the field for a value JSON cannot hold (not UTF-8, not finite); PM_ERR_IO; PM_ERR_NOMEM
pm_status pm_spec_write(const void *parent, const char *path, const pm_spec *spec);
// The text pm_spec_write writes; hangs from parent. Equal specs, equal text: its hash names the spec.
pm_status pm_spec_text(const void *parent, const pm_spec *spec, char **text);
// Keys left out are zero, but format, model and seed must be there. The result hangs from parent and owns its strings;
// read.path is data.
// Errors    PM_ERR_IO; PM_ERR_FORMAT with file, key and what is allowed for an unknown key, a wrong type or a value out of
//           range
pm_status pm_spec_read(const void *parent, const char *path, pm_spec **out);
// The same from `length` bytes of text; path is for messages.
pm_status pm_spec_parse(const void *parent, const char *path, const char *text, int64_t length, pm_spec **out);

#endif
