// Proving a device: each op against the reference in double, and against itself. Used by the op suites and by `pumice doctor`; it needs
// nothing but the op's line, so a new op is covered without an edit.
#ifndef PM_PROOF_H
#define PM_PROOF_H

#include "backend/cases.h"

typedef enum pm_verdict {
    PM_VERDICT_PASS,
    PM_VERDICT_INHERITED,      // the backend runs the reference's own kernel: nothing was compared with anything
    PM_VERDICT_UNSUPPORTED,    // the backend has no kernel, or no case fitted the device's limits
    PM_VERDICT_FAIL
} pm_verdict;

typedef struct pm_proof {
    pm_op      op;
    pm_verdict verdict;
    int        cases, unsupported, failed;    // run, beyond a limit of the device, wrong
    double     worst;    // largest |y − ref| / (2⁻²⁴ · scale · √growth); to be at most the op's bound. Infinite for a wrong integer, guard
                         // word or NaN
    char       where[640];     // the first failure, else the worst element: output, index, both values, shape, seed
} pm_proof;

typedef struct pm_proof_params {
    uint64_t seed;
    double   limit;    // of a case, see pm_case_params
    int      cases;    // 0: all that cover the op
} pm_proof_params;

// Runs every case of an op as a program of one node and compares outputs with the reference, which computes in double from the same
// f32 inputs. Outputs start as NaN; words around and between rows, and inputs, must come back unchanged.
// A scale below 2⁻¹⁰⁰ counts as that: a device may flush subnormal numbers to zero.
// Errors    what the device reports other than PM_ERR_UNSUPPORTED; a wrong result is a verdict, not an error
pm_status pm_proof_parity(pm_device *device, pm_op op, const pm_proof_params *params, pm_proof *out);

// Runs every case once on each of two devices (of one kind; they may be the same) and compares outputs bit for bit.
pm_status pm_proof_repeat(pm_device *first, pm_device *second, pm_op op, const pm_proof_params *params, pm_proof *out);

typedef struct pm_proof_speed_result {
    double seconds, flops, bytes;    // of one run; bytes that must move at least
    char   shape[256];
} pm_proof_speed_result;

// Times an op on one large plain case, for at least min_seconds.
// limit     flops and elements of the case
// Errors    PM_ERR_UNSUPPORTED where the device has no kernel
pm_status pm_proof_speed(pm_device *device, pm_op op, double limit, double min_seconds, pm_proof_speed_result *out);

// Runs the case on a device: results [c->images] are images of its buffers afterwards, hanging from parent.
pm_status pm_proof_run(const void *parent, pm_device *device, const pm_case *c, uint32_t **results);

#endif
