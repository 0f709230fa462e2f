// The op table: everything about an op but its kernels, generated from ops.def.
#ifndef PM_OP_H
#define PM_OP_H

#include <pumice/op.h>

#include "core/core.h"
#include "op/signature.h"

typedef enum pm_op_class { PM_CLASS_EACH, PM_CLASS_ROWS, PM_CLASS_COLS, PM_CLASS_ONE, PM_CLASS_MATMUL } pm_op_class;

typedef struct pm_op_info {
    const char  *name, *text, *doc;    // doc: the comment above the line
    pm_op_class  klass;
    pm_signature sig;
    bool         cpu_own, vulkan, grad;
    float        bound;     // units of 2⁻²⁴ · scale
    int          growth;    // symbol whose length the bound grows with (square root); −1
} pm_op_info;

extern const pm_op_info pm_op_table[PM_OP_COUNT];

// The dimensions of a call: the length of each symbol of the signature.
typedef struct pm_dims {
    int64_t of[PM_MAX_SYMBOLS];
} pm_dims;

int64_t pm_dim_length(const pm_dim *dim, const pm_dims *dims);

// A shape as it is stored, [rows, cols].
typedef struct pm_shape {
    int64_t rows, cols;
} pm_shape;

// The value of one parameter of a call, as the generated calls hand it over.
typedef union pm_arg {
    float       number;
    uint32_t    word;
    bool        flag;
    int64_t     dim;
    const char *stream;
} pm_arg;

// Parameters as kernels and shaders get them: 32 bits each, in signature order, dimensions left out. The generated
// op_params.h names them.
typedef struct pm_params {
    uint32_t word[PM_MAX_PARAMS];
} pm_params;

// The 24-bit stream that a noise node's name stands for.
uint32_t pm_stream_number(const char *name);

pm_params pm_params_pack(pm_op op, const pm_arg *args);

// Binds the symbols of `op` from input shapes and arguments, and checks every operand and relation.
// object: for the error. in[i] is the stored shape of input i; dtypes[i] PM_F32 or PM_U32.
// Errors    PM_ERR_SHAPE, PM_ERR_DTYPE, PM_ERR_ARG, naming op, operand and shapes
pm_status pm_op_bind(const void *object, pm_op op, const pm_shape *in, const pm_dtype *dtypes, const pm_arg *args, pm_dims *dims);

// The stored shape and dtype of output or scratch `index` (0 … outs + temps − 1), once bound. any32 outputs take the dtype of the
// first any32 input.
pm_shape pm_op_out_shape(pm_op op, int index, const pm_dims *dims);
pm_dtype pm_op_out_dtype(pm_op op, int index, const pm_dtype *in);

// Work of a call, for budgets and benchmarks: floating-point operations (2·M·N·K for matmul, 2·E·H for the sparse products,
// else one an output element), and bytes that must move at least: each operand once, in-out ones
// twice, of tables that indices or the step state point into what is pointed at.
double pm_op_flops(pm_op op, const pm_dims *dims);
double pm_op_bytes(pm_op op, const pm_dims *dims);

// The matrix product inside an op of class MATMUL, whatever it does besides; false for others. Its letters are M, N, K, its flags
// ta and tb.
bool pm_op_product(pm_op op, const pm_dims *dims, const pm_params *params, pm_product *out);

// "M=500 K=600 N=20108": the letters of the signature whose lengths are known, as far as there is room.
void pm_op_describe(pm_op op, const pm_dims *dims, char *text, size_t size);

#endif
