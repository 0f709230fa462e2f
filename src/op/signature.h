// The parsed form of an op's signature (ops.def). Describes ops, computes nothing.
#ifndef PM_SIGNATURE_H
#define PM_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

#include <pumice/op.h>

enum {
    PM_MAX_OPERANDS = 10,    // inputs, outputs and scratch together
    PM_MAX_PARAMS = 6,
    PM_MAX_SYMBOLS = 8,
    PM_NAME_SIZE = 16,
    PM_SPD_MOST = 1024        // rows of an spd operand of an op of class ONE: what one workgroup factorises
};

// What values an operand may hold.
typedef enum pm_domain {
    PM_ANY,         // f32, u32, b32
    PM_NONNEGATIVE, // f32+
    PM_DEFINITE,    // spd
    PM_INDEX,       // idx<S>
    PM_OFFSETS,     // ptr<S>
    PM_LIVE,        // live<S>
    PM_STATE,       // state
    PM_COUNTED      // count
} pm_domain;

// A dimension: a number (symbol < 0), or symbol + add, or symbol / div rounded up.
typedef struct pm_dim {
    int8_t  symbol;
    int32_t number, add, div;
} pm_dim;

typedef struct pm_operand_sig {
    char      name[PM_NAME_SIZE];
    pm_dtype  dtype;
    pm_domain domain;
    bool      any32;        // b32: f32 or u32, copied
    bool      inout, windowed;
    int8_t    bound;        // symbol of idx<S>, ptr<S>, live<S>; −1
    int8_t    transpose;    // parameter whose being set means stored transposed; −1
    int8_t    alias;        // outputs: the input whose place it may take; −1
    pm_dim    rows, cols;
} pm_operand_sig;

typedef enum pm_param_kind { PM_PARAM_FLOAT, PM_PARAM_U32, PM_PARAM_FLAG, PM_PARAM_STREAM, PM_PARAM_DIM } pm_param_kind;

typedef struct pm_param_sig {
    char          name[PM_NAME_SIZE];
    pm_param_kind kind;
    float         lo, hi;            // test range of floats and numbers
    int8_t        hi_minus[2];       // u32(0,P-R): symbols P and R; −1
    int8_t        symbol;            // dim: what it binds; −1
    char          relation;          // dim: '<' (<= S), '>' (>= S), '=' (tests take S·T), 0 free
    int8_t        relation_to[2];
} pm_param_sig;

typedef struct pm_signature {
    int            ins, outs, temps, params, symbols;
    char           symbol[PM_MAX_SYMBOLS];
    pm_operand_sig operand[PM_MAX_OPERANDS];    // inputs, then outputs, then scratch
    pm_param_sig   param[PM_MAX_PARAMS];
    int            window;                      // the symbol that windows run over; −1
} pm_signature;

// Whether an operand is one row by its signature: such operands have no stride in a shader's push block.
static inline bool pm_single_row(const pm_operand_sig *o)
{
    return o->rows.symbol < 0 && o->rows.number == 1 && o->transpose < 0;
}

// Parses a signature. On failure *error is a sentence and the result false.
bool pm_signature_parse(const char *text, pm_signature *out, const char **error);

#endif
