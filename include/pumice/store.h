// The store: named persistent tensors on a device: parameters, optimiser state, resident data, step state. Programs borrow them by
// name and never own them.
#ifndef PUMICE_STORE_H
#define PUMICE_STORE_H

#include <pumice/device.h>
#include <pumice/op.h>

PM_API_BEGIN

typedef struct pm_store pm_store;

pm_status pm_store_create(pm_device *device, pm_store **out);
void      pm_store_destroy(pm_store **store);    // its programs must be gone
pm_device *pm_store_device(const pm_store *store);

// Adds a tensor [rows, cols] of zeros. dtype PM_F32 or PM_U32.
// Errors    PM_ERR_ARG when the name is taken or empty, or a size is not positive; PM_ERR_SHAPE at 2³² elements or more; PM_ERR_DEVICE_MEMORY
pm_status pm_store_add(pm_store *store, const char *name, pm_dtype dtype, int64_t rows, int64_t cols);

// Drops a tensor. No program that uses it may run afterwards.
pm_status pm_store_remove(pm_store *store, const char *name);

// Whether there is a tensor of that name; its shape and dtype through the pointers, which may be NULL.
bool pm_store_find(const pm_store *store, const char *name, pm_dtype *dtype, int64_t *rows, int64_t *cols);

// All tensors in the order they were added.
int         pm_store_count(const pm_store *store);
const char *pm_store_name(const pm_store *store, int index);

// Copies a whole tensor from or to the host, rows · cols floats or u32, dense. Both wait for work under way.
// Errors    PM_ERR_NOT_FOUND, PM_ERR_DEVICE_LOST
pm_status pm_store_write(pm_store *store, const char *name, const void *data);
pm_status pm_store_read(pm_store *store, const char *name, void *data);

// The same for rows first … first + count − 1.
pm_status pm_store_write_rows(pm_store *store, const char *name, int64_t first, int64_t count, const void *data);
pm_status pm_store_read_rows(pm_store *store, const char *name, int64_t first, int64_t count, void *data);

PM_API_END
#endif
