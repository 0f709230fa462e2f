// Inside of the store: what graphs and programs need of it.
#ifndef PM_STORE_INTERNAL_H
#define PM_STORE_INTERNAL_H

#include <pumice/store.h>

#include "backend/backend.h"

typedef struct pm_tensor {
    char      *name;
    pm_dtype   dtype;
    int64_t    rows, cols;    // stride is cols
    pm_buffer *buffer;
} pm_tensor;

// NULL when there is none.
pm_tensor *pm_store_tensor(const pm_store *store, const char *name);

// Makes the shared scratch arena at least `size` bytes. A growth gives a new buffer and a new generation, and programs prepared
// for the old one prepare again at their next run.
pm_status  pm_store_reserve_arena(pm_store *store, int64_t size);
pm_buffer *pm_store_arena(const pm_store *store, int *generation);

#endif
