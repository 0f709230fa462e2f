// The op suites share one binary: op_suite --device D --suite parity|repeat|gradient|known [--op NAME] [--limit FLOPS] [--seed N]
#ifndef PM_TEST_SUITE_H
#define PM_TEST_SUITE_H

#include "backend/proof.h"

typedef struct suite {
    pm_ctx         *ctx;
    pm_device      *device, *second;    // second: the same backend with two threads, for repeat on the cpu
    const char     *only;               // run this op alone; NULL: all
    pm_proof_params params;
    int             ops, failed;
} suite;

// Central differences in double against the gradient that the graph appends, for one op.
// error: the largest |a − n| / (1 + |n|) over what was compared, `where` it was; compared: how many partial derivatives.
pm_status suite_gradient(suite *s, pm_op op, int *compared, double *error, char *where, size_t size);

// Cases worked out by hand. ran, failed: how many; prints each failure.
pm_status suite_known(suite *s, int *ran, int *failed);

#endif
