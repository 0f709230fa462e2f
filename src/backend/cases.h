// Valid random calls of any op, drawn from its signature alone: what the op suites, the doctor and the benchmarks run.
//
// Everything follows from (op, index, seed, limit). Over the indices of an op every dimension takes every awkward length, every
// combination of flags occurs, and live counts, empty rows, regimes of values, strided views and aliases are drawn.
#ifndef PM_CASES_H
#define PM_CASES_H

#include "backend/backend.h"

// What f32 operands hold.
typedef enum pm_regime {
    PM_REGIME_NORMAL,    // standard normal
    PM_REGIME_COARSE,    // multiples of a half, so many ties; PM_MASKED among them where the op only moves values (bound 0)
    PM_REGIME_LARGE,     // 5,000 to 20,000 either side of 0: exp of it overflows or vanishes in double and in float alike
    PM_REGIME_TINY       // around 1e-12
} pm_regime;

typedef struct pm_case_params {
    uint64_t seed;
    double   limit;    // flops and elements a case may cost at most; 0: 2e6
    bool     plain;    // dense, nothing in place, normal values, full batches, lengths near 1000: for timing
    const int64_t *lengths;    // [symbols of the op] these lengths, whatever they cost; NULL: drawn
} pm_case_params;

// Unwritten and guard words: as f32 a NaN, as u32 beyond any index.
#define PM_CASE_GUARD 0xFFC0DEADu

// One call with its memory as it stands before the run. Operands in signature order, F32 or U32 alone.
typedef struct pm_case {
    pm_op      op;
    int        index;
    uint64_t   seed;
    pm_regime  regime;
    bool       strided;     // row strides beyond the columns, odd offsets
    bool       in_place;    // outputs marked @x lie over x
    bool       together;    // all operands in one buffer
    bool       poisoned;    // rows of weight 0 hold NaN
    pm_dims    dims;        // as pm_op_bind has them
    pm_dims    lengths;     // of every symbol, also of those that no shape tells
    pm_arg     args[PM_MAX_PARAMS + 1];
    pm_params  params;
    char       stream[32];
    pm_operand operand[PM_MAX_OPERANDS];    // offsets in bytes, into the images
    uint32_t  *image[PM_MAX_OPERANDS];
    int64_t    words[PM_MAX_OPERANDS];
    int        images;
} pm_case;

// How many indices cover an op.
int pm_case_count(pm_op op);

// Draws case `index` (any number from 0 on). It hangs from parent; release with pm_free.
// Errors    PM_ERR_NOMEM; any of pm_op_bind, which would be a fault of the generator
pm_status pm_case_make(const void *parent, pm_op op, int index, const pm_case_params *params, pm_case **out);

// "M=33 K=129 N=1, ta, large, strided; seed 1, case 17".
void pm_case_describe(const pm_case *c, char *text, size_t size);

// Where element (i, j) of operand o lies.
static inline uint32_t *pm_case_at(const pm_case *c, int o, int64_t i, int64_t j)
{
    const pm_operand *p = &c->operand[o];
    return c->image[p->buffer] + p->offset / 4 + i * p->stride + j;
}

#endif
