// The cpu backend: OpenBLAS for matrix products, or our own kernel where there is AVX-512, everything else in bodies that are compiled
// once an instruction set.
// A body computes a part of an op that no other part writes to, so how parts are spread over threads cannot be seen in the result.
#ifndef PM_CPU_H
#define PM_CPU_H

#include "backend/host.h"
#include "core/parallel.h"

// A part of a call. EACH: columns [lo, hi) of row i. ROWS: rows [lo, hi), i unused. COLS: columns [lo, hi), i unused.
typedef void pm_cpu_body(const pm_call *c, int64_t i, int64_t lo, int64_t hi);

// Rows of a part of the body product_rows.
enum { PM_PRODUCT_ROWS = 252 };

// Rows of a call of the body spmm_tile at most, and columns of its panels.
enum { PM_TILE_ROWS = 256, PM_TILE_COLS = 64 };

// The bodies of an instruction set: a body_NAME of the files vec_*.inc is the field NAME (cmake/PumiceCpu.cmake lists them). product…: columns of a product;
// NULL where OpenBLAS is to do it.
typedef struct pm_cpu_isa {
    const char *name;    // "baseline", "avx2", "avx512"
#define PM_CPU_BODY(name) pm_cpu_body *name;
#include "cpu_bodies.def"
#undef PM_CPU_BODY
} pm_cpu_isa;

extern const pm_cpu_isa pm_cpu_isa_baseline, pm_cpu_isa_avx2, pm_cpu_isa_avx512;

// The sets this processor can run, narrowest first; returns how many. list has room for 3.
int pm_cpu_isa_list(const pm_cpu_isa **list);

// The widest set, or the one that PUMICE_CPU_ISA names.
// Errors    PM_ERR_ARG when it names none that the processor has
pm_status pm_cpu_isa_choose(const void *object, const pm_cpu_isa **out);

// The body of an activation that an op applies to its result, in place; NULL for none.
pm_cpu_body *pm_cpu_activation(const pm_cpu_isa *isa, uint32_t act);

static inline const pm_cpu_isa *pm_isa_of(const pm_call *c)
{
    return c->isa;
}

// Spreads a body over the threads. rows and cols say how much there is; cost and work count in elements copied.
pm_status pm_cpu_each(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t cols, int64_t cost);
// The same for an op on equal places of matrices [rows, cols], which is one long row where none has gaps between its rows.
pm_status pm_cpu_flat(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t cols, int64_t cost);
pm_status pm_cpu_rows(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t work_per_row);
// For a body that adds or multiplies a row of `cols` elements for each entry of a batch or transpose, whose begins are ptr.
pm_status pm_cpu_sums(const pm_call *c, pm_cpu_body *body, const pm_view *ptr, int64_t cols);
pm_status pm_cpu_cols(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t cols);
// The same with parts of at least so many rows, where there are rows enough: for bodies that a stream from memory bounds.
pm_status pm_cpu_streams(const pm_call *c, pm_cpu_body *body, int64_t rows, int64_t work_per_row, int64_t least);
// As few parts as keep the threads busy, for a body each part of which costs something of its own; work: of all.
pm_status pm_cpu_ranges(const pm_call *c, pm_cpu_body *body, int64_t n, int64_t work);
// Columns [lo, hi) of all rows, PM_TILE_COLS or a multiple of them at a time.
pm_status pm_cpu_stripes(const pm_call *c, pm_cpu_body *body, int64_t cols);

// A batch, and its entries column after column: of column i those from tptr[i] to tptr[i + 1].
typedef struct pm_cpu_columns {
    int64_t         batch, room;
    const uint32_t *ptr, *col;
    const float    *val;
    uint32_t       *tptr, *trow, *tpos;
    float          *tval;
} pm_cpu_columns;

// Those of the batch of spmm, in the call's scratch; room: how many entries that has space for.
pm_cpu_columns pm_cpu_tile_columns(const pm_call *c);

// Zeros what lies past entry `end`: the share that goes with parts [lo, hi) of n.
void pm_cpu_clear_share(const pm_view *out, int64_t end, int64_t lo, int64_t hi, int64_t n);

// Threaded OpenBLAS, for benchmarks (sgemm.c).
pm_status pm_cpu_sgemm_create(pm_device *device, const pm_product *size, pm_sgemm **out);
pm_status pm_cpu_sgemm_run(pm_sgemm *sgemm, int64_t runs, double *seconds);

// The kernels: one an op whose cpu column says own.
#define PM_OP(name, ...) pm_kernel pm_cpu_##name;
#include <pumice/ops.def>
#undef PM_OP

#endif
