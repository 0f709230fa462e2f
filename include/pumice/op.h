// The ops by id. Ids are never stored: files and caches use names.
#ifndef PUMICE_OP_H
#define PUMICE_OP_H

#include <stdbool.h>
#include <stdint.h>

#include <pumice/status.h>

PM_API_BEGIN

typedef enum pm_op {
#define PM_OP(name, NAME, ...) PM_OP_##NAME,
#include <pumice/ops.def>
#undef PM_OP
    PM_OP_COUNT
} pm_op;

// Element types of tensors. F64 is how `ref` stores f32 when gradients are checked; nobody asks for it.
typedef enum pm_dtype { PM_F32, PM_U32, PM_F64 } pm_dtype;

// The size of a matrix product y[m, n] = a[m, k] · b[k, n]; ta: a is stored [k, m]; tb: b is stored [n, k].
typedef struct pm_product {
    int64_t m, n, k;
    bool    ta, tb;
} pm_product;

// The name of an op, as ops.def has it.
const char *pm_op_name(pm_op op);

PM_API_END
#endif
