// Files that are never half written: a temporary name, a sync, a rename.
#ifndef PM_FILE_H
#define PM_FILE_H

#include <stdio.h>

#include "core/core.h"

// An open replacement for `path`. Nothing is visible under path until pm_file_commit returns PM_OK.
typedef struct pm_file pm_file;
pm_status pm_file_create(const void *parent, const char *path, pm_file **out);
FILE *pm_file_stream(pm_file *file);
pm_status pm_file_write(pm_file *file, const void *data, size_t size);
// Flushes, syncs, renames, syncs the folder; destroys *file either way. A full disk is an error here and path keeps its old content.
pm_status pm_file_commit(pm_file **file);
void pm_file_discard(pm_file **file);

// A file of this text and a line feed at its end.
pm_status pm_file_write_text(const void *object, const char *path, const char *text);

// Writes what `from` holds to `to`, which is never half there.
pm_status pm_file_copy(const void *object, const char *from, const char *to);

// Renames `from` over `to` and syncs the folder.
pm_status pm_file_replace(const void *object, const char *from, const char *to);

// Makes the folder and its parents; an existing folder is fine.
pm_status pm_make_folder(const void *object, const char *path);
bool pm_file_exists(const char *path);
// Reads a whole file of at most `limit` bytes; a zero byte follows the content.
pm_status pm_file_read(const void *parent, const char *path, int64_t limit, char **data, int64_t *size);

#endif
