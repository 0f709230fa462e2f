// Files of named tensors in the safetensors format: 8 bytes of header length, a JSON header, data. Python's safetensors opens
// them.
//
// Same tensors and metadata, same bytes: no time, path or host goes in. The first metadata entry, "hash", is the pm_hash of
// the whole file with its own 16 digits taken as zeros; pm_st_verify checks it, and another file can name this one by it.
// Tensors are f32 or u32, always [rows, cols], dense, at least one element. Names and metadata are UTF-8.
#ifndef PM_SAFETENSORS_H
#define PM_SAFETENSORS_H

#include <pumice/op.h>

#include "core/core.h"

// ---- writing -------------------------------------------------------------------------------------------------------
// First all metadata and declarations, then the data of each tensor in order of declaration, then finish. The file appears,
// whole, at finish; until then path keeps its old content.

typedef struct pm_st_writer pm_st_writer;

// Errors    PM_ERR_IO, PM_ERR_NOMEM
pm_status pm_st_writer_create(const void *parent, const char *path, pm_st_writer **out);
// Errors    PM_ERR_ARG for a key given twice or called "hash", for text that is not UTF-8, and once data has been written
pm_status pm_st_writer_meta(pm_st_writer *writer, const char *key, const char *value);
// dtype PM_F32 or PM_U32. Errors as above, and PM_ERR_SHAPE for a size that is not positive or too large.
pm_status pm_st_writer_declare(pm_st_writer *writer, const char *name, pm_dtype dtype, int64_t rows, int64_t cols);
// The next `count` rows of the tensor whose turn it is; the name is a check.
// Errors    PM_ERR_ARG out of order or beyond the tensor; PM_ERR_IO when the disk is full
pm_status pm_st_writer_rows(pm_st_writer *writer, const char *name, int64_t count, const void *data);
// Writes what is pending, syncs, renames; destroys *writer either way. hash may be NULL.
// Errors    PM_ERR_ARG when rows are missing; PM_ERR_IO
pm_status pm_st_writer_finish(pm_st_writer **writer, uint64_t *hash);
// Gives up: path keeps its old content. Accepts a null handle.
void pm_st_writer_discard(pm_st_writer **writer);

// ---- reading -------------------------------------------------------------------------------------------------------

typedef struct pm_st_file pm_st_file;

typedef struct pm_st_tensor {
    const char *name;
    pm_dtype    dtype;
    int64_t     rows, cols;
    int64_t     begin, end;    // bytes, from the start of the data
} pm_st_tensor;

// Opens a file and checks its header entirely: after PM_OK every tensor lies within the file, none overlaps another, nothing is
// left over.
// Errors    PM_ERR_IO when it cannot be read; PM_ERR_FORMAT with path and reason when it is damaged or of another kind;
//           PM_ERR_NOMEM
pm_status pm_st_open(const void *parent, const char *path, pm_st_file **out);
void      pm_st_close(pm_st_file **file);

// Reads the whole file and holds it against its hash, which finds any damage the header's checks cannot see.
// Errors    PM_ERR_FORMAT when it differs or the file has none; PM_ERR_IO
pm_status pm_st_verify(pm_st_file *file);
// The hash the file claims, as pm_st_writer_finish gave it; 0 when it has none.
uint64_t pm_st_hash(const pm_st_file *file);

int                 pm_st_count(const pm_st_file *file);
const pm_st_tensor *pm_st_at(const pm_st_file *file, int index);             // in order of the data
const pm_st_tensor *pm_st_find(const pm_st_file *file, const char *name);    // NULL: none
const char         *pm_st_meta(const pm_st_file *file, const char *key);     // NULL: none
const char         *pm_st_meta_at(const pm_st_file *file, int index, const char **value);    // a key, in the file's order; NULL: no more

// Rows first … first + count − 1 into data, dense.
// Errors    PM_ERR_NOT_FOUND when there is no such tensor; PM_ERR_ARG beyond its rows; PM_ERR_IO
pm_status pm_st_read_rows(pm_st_file *file, const char *name, int64_t first, int64_t count, void *data);

#endif
