// A kernel call on the host: what `ref` and `cpu` kernels get. Shapes and dtypes are checked before; kernels rely on them and
// allocate nothing.
#ifndef PM_CALL_H
#define PM_CALL_H

#include <op_params.h>

#include "op/op.h"

enum { PM_CALL_SCRATCH = 512 * 512 };

typedef struct pm_view {
    void    *data;
    pm_dtype dtype;
    int64_t  rows, cols, stride;
} pm_view;

typedef struct pm_call {
    pm_op          op;
    const pm_view *in, *out;      // in signature order; scratch follows the outputs
    const pm_dims *dims;          // by signature symbol, order of first appearance
    const void    *params;        // pm_NAME_params
    int            threads;
    const void    *isa;           // cpu: the kernels of the instruction set in use
    float         *scratch;       // cpu: PM_CALL_SCRATCH floats a thread
    // ref, when the caller wants error scales: per output NULL or [rows · cols] doubles, dense
    double *const *scale;
} pm_call;

typedef pm_status pm_kernel(const pm_call *call);

static inline float *pm_row(const pm_view *v, int64_t i)
{
    return (float *)v->data + i * v->stride;
}

static inline uint32_t *pm_row_u32(const pm_view *v, int64_t i)
{
    return (uint32_t *)v->data + i * v->stride;
}

// ---- ref only: any dtype, in double ----

static inline double pm_get(const pm_view *v, int64_t i, int64_t j)
{
    const int64_t at = i * v->stride + j;
    return v->dtype == PM_F64   ? ((const double *)v->data)[at]
           : v->dtype == PM_F32 ? (double)((const float *)v->data)[at]
                                : (double)((const uint32_t *)v->data)[at];
}

static inline uint32_t pm_get_u32(const pm_view *v, int64_t i, int64_t j)
{
    return ((const uint32_t *)v->data)[i * v->stride + j];
}

static inline void pm_set(const pm_view *v, int64_t i, int64_t j, double value)
{
    const int64_t at = i * v->stride + j;
    if (v->dtype == PM_F64) ((double *)v->data)[at] = value;
    else if (v->dtype == PM_F32) ((float *)v->data)[at] = (float)value;
    else ((uint32_t *)v->data)[at] = (uint32_t)value;
}

// Writes output `o` with the scale its rounding error is measured in: Σ|aᵢbᵢ| for a sum, |y| where nothing cancels. In-out operands
// count as outputs after the declared ones (adam: w is 0, m 1, v 2).
static inline void pm_put(const pm_call *c, int o, const pm_view *v, int64_t i, int64_t j, double value, double scale)
{
    pm_set(v, i, j, value);
    if (c->scale && c->scale[o]) c->scale[o][i * v->cols + j] = scale;
}

#endif
