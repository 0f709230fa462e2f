// Cases worked by hand: the judge of the reference itself, run on every device. Noise is checked against the published vectors of
// Philox4x32-10: with seed, step, row and stream 0, columns 0 … 3 draw 6627e8d5 e169c58d bc57ac4c 9b00dbd8.
#include <math.h>
#include <stdio.h>

#include <pumice/activation.h>
#include <pumice/state.h>

#include "op/suite.h"

typedef struct matrix {
    int64_t         rows, cols;
    const float    *f;
    const uint32_t *u;
} matrix;

typedef struct known {
    pm_op       op;
    const char *what;
    pm_arg      args[PM_MAX_PARAMS];      // streams as numbers
    matrix      in[PM_MAX_OPERANDS];
    matrix      out[PM_MAX_OPERANDS];     // declared outputs, then in-out operands
} known;

#define F(rows, cols, ...) { rows, cols, (const float[]){ __VA_ARGS__ }, NULL }
#define U(rows, cols, ...) { rows, cols, NULL, (const uint32_t[]){ __VA_ARGS__ } }
#define NUMBER(x) { .number = x }
#define WORD(x) { .word = x }
#define FLAG(x) { .flag = x }
#define DIM(x) { .dim = x }
// step, epoch, position, live, total, batch, slot, phase, seed
#define STATE(...) { 1, PM_STATE_COUNT, NULL, (const uint32_t[PM_STATE_COUNT]){ __VA_ARGS__ } }
#define NO_NUMBER ((float)NAN)
#define INFINITE ((float)INFINITY)

// Batch of 3 rows over 4 columns: row 0 has columns 0 and 2, row 1 none, row 2 columns 1, 2, 3; room for 6 entries.
#define PTR U(1, 4, 0, 2, 2, 5)
#define COL U(1, 6, 0, 2, 1, 2, 3, 0)

static const known cases[] = {
    { PM_OP_MATMUL, "a · b", { FLAG(0), FLAG(0) }, { F(2, 3, 1, 2, 3, 4, 5, 6), F(3, 2, 7, 8, 9, 10, 11, 12) }, { F(2, 2, 58, 64, 139, 154) } },
    { PM_OP_MATMUL, "aᵀ · b", { FLAG(1), FLAG(0) }, { F(3, 2, 1, 4, 2, 5, 3, 6), F(3, 2, 7, 8, 9, 10, 11, 12) }, { F(2, 2, 58, 64, 139, 154) } },
    { PM_OP_MATMUL, "a · bᵀ", { FLAG(0), FLAG(1) }, { F(2, 3, 1, 2, 3, 4, 5, 6), F(2, 3, 7, 9, 11, 8, 10, 12) }, { F(2, 2, 58, 64, 139, 154) } },
    { PM_OP_MATMUL, "aᵀ · bᵀ", { FLAG(1), FLAG(1) }, { F(3, 2, 1, 4, 2, 5, 3, 6), F(2, 3, 7, 9, 11, 8, 10, 12) }, { F(2, 2, 58, 64, 139, 154) } },
    { PM_OP_AFFINE, "linear", { FLAG(0), FLAG(0), WORD(PM_ACT_LINEAR) }, { F(2, 2, 1, 2, 3, 4), F(2, 1, 5, 6), F(1, 1, -17) }, { F(2, 1, 0, 22) } },
    { PM_OP_AFFINE, "tanh, both transposed", { FLAG(1), FLAG(1), WORD(PM_ACT_TANH) }, { F(2, 2, 1, 3, 2, 4), F(1, 2, 5, 6), F(1, 1, -38.5f) },
      { F(2, 1, -1, 0.462117157f) } },
    { PM_OP_AFFINE, "sigmoid", { FLAG(0), FLAG(0), WORD(PM_ACT_SIGMOID) }, { F(1, 1, 2), F(1, 2, 3, -3), F(1, 2, -6, 4) }, { F(1, 2, 0.5f, 0.119202922f) } },
    { PM_OP_AFFINE, "relu", { FLAG(0), FLAG(0), WORD(PM_ACT_RELU) }, { F(1, 1, 2), F(1, 2, 3, -3), F(1, 2, -5, 4) }, { F(1, 2, 1, 0) } },
    { PM_OP_ADD, "", { DIM(0) }, { F(1, 3, 1, 2, 3), F(1, 3, 10, -20, 0.5f) }, { F(1, 3, 11, -18, 3.5f) } },
    { PM_OP_SUB, "", { DIM(0) }, { F(1, 3, 1, 2, 3), F(1, 3, 10, -20, 0.5f) }, { F(1, 3, -9, 22, 2.5f) } },
    { PM_OP_MUL, "", { DIM(0) }, { F(1, 3, 1, 2, 3), F(1, 3, 10, -20, 0.5f) }, { F(1, 3, 10, -40, 1.5f) } },
    { PM_OP_SCALE, "", { NUMBER(-0.5f) }, { F(2, 1, 4, -6) }, { F(2, 1, -2, 3) } },
    { PM_OP_AXPY, "", { NUMBER(2) }, { F(1, 2, 3, 4), F(1, 2, 10, 20) }, { F(1, 2, 16, 28) } },
    { PM_OP_FILL, "", { DIM(2), DIM(2), NUMBER(1.5f) }, { { 0 } }, { F(2, 2, 1.5f, 1.5f, 1.5f, 1.5f) } },
    { PM_OP_ADD_ROW, "", { DIM(0) }, { F(2, 2, 1, 2, 3, 4), F(1, 2, 10, 20) }, { F(2, 2, 11, 22, 13, 24) } },
    { PM_OP_MUL_COL, "", { DIM(0) }, { F(2, 2, 1, 2, 3, 4), F(2, 1, 10, -1) }, { F(2, 2, 10, 20, -3, -4) } },
    { PM_OP_ROW_SUM, "", { DIM(0) }, { F(2, 3, 1, 2, 3, 4, 5, -9) }, { F(2, 1, 6, 0) } },
    { PM_OP_COL_SUM, "", { DIM(0) }, { F(2, 3, 1, 2, 3, 4, 5, -9) }, { F(1, 3, 5, 7, -6) } },
    { PM_OP_BROADCAST_ROW, "", { DIM(2) }, { F(1, 2, 1, 2) }, { F(2, 2, 1, 2, 1, 2) } },
    { PM_OP_BROADCAST_COL, "", { DIM(2) }, { F(2, 1, 1, 2) }, { F(2, 2, 1, 1, 2, 2) } },
    { PM_OP_COPY, "u32", { DIM(0) }, { U(1, 3, 0, 7, 0xFFFFFFFF) }, { U(1, 3, 0, 7, 0xFFFFFFFF) } },
    { PM_OP_COPY, "f32", { DIM(0) }, { F(1, 3, 0, -1.5f, NO_NUMBER) }, { F(1, 3, 0, -1.5f, NO_NUMBER) } },
    { PM_OP_PLACE, "", { DIM(3), DIM(3), WORD(1), WORD(1) }, { F(2, 1, 5, 6) }, { F(3, 3, 0, 0, 0, 0, 5, 0, 0, 6, 0) } },
    { PM_OP_RESHAPE, "by rows; a place too many; too few", { DIM(2), DIM(4) }, { F(3, 2, 1, 2, 3, 4, 5, 6) }, { F(2, 4, 1, 2, 3, 4, 5, 6, 0, 0) } },
    { PM_OP_RESHAPE, "the rest left out", { DIM(1), DIM(3) }, { U(2, 2, 1, 2, 3, 4) }, { U(1, 3, 1, 2, 3) } },
    { PM_OP_TO_F32, "", { DIM(0) }, { U(1, 3, 0, 16777216, 3) }, { F(1, 3, 0, 16777216, 3) } },

    { PM_OP_TO_U32, "", { DIM(0) }, { F(1, 6, 0, 3, 16777216, 2.75f, -4, 1e9f) }, { U(1, 6, 0, 3, 16777216, 2, 0, 16777216) } },
    { PM_OP_SIGMOID, "ln 3 and far out", { DIM(0) }, { F(1, 5, 0, 1.09861229f, -1.09861229f, 1e4f, -1e4f) }, { F(1, 5, 0.5f, 0.75f, 0.25f, 1, 0) } },
    { PM_OP_TANH, "", { DIM(0) }, { F(1, 5, 0, 0.549306144f, 1e-8f, 1e4f, -1e4f) }, { F(1, 5, 0, 0.5f, 1e-8f, 1, -1) } },
    { PM_OP_TANH_GRAD, "", { DIM(0) }, { F(1, 3, 0, 0.5f, -1), F(1, 3, 2, 4, 3) }, { F(1, 3, 2, 3, 0) } },
    { PM_OP_SIGMOID_GRAD, "", { DIM(0) }, { F(1, 3, 0.5f, 0.25f, 1), F(1, 3, 4, 16, 3) }, { F(1, 3, 1, 3, 0) } },
    { PM_OP_RELU, "", { DIM(0) }, { F(1, 3, -1, 0, 2) }, { F(1, 3, 0, 0, 2) } },
    { PM_OP_RELU_GRAD, "", { DIM(0) }, { F(1, 3, 0, 0.5f, 2), F(1, 3, 7, 8, -9) }, { F(1, 3, 0, 8, -9) } },
    { PM_OP_EXP, "", { DIM(0) }, { F(1, 4, 0, 0.693147182f, -200, 1) }, { F(1, 4, 1, 2, 0, 2.71828183f) } },
    { PM_OP_SOFTPLUS, "", { DIM(0) }, { F(1, 4, 0, 1e4f, -1e4f, -20) }, { F(1, 4, 0.693147181f, 1e4f, 0, 2.06115362e-9f) } },
    { PM_OP_LOG_SIGMOID, "", { DIM(0) }, { F(1, 4, 0, 1e4f, -1e4f, 20) }, { F(1, 4, -0.693147181f, 0, -1e4f, -2.06115362e-9f) } },
    { PM_OP_SOFTMAX, "e^0 : e^ln2 : e^ln3, shifted by 1e4", { DIM(0) }, { F(2, 3, 0, 0.693147182f, 1.09861229f, 1e4f, 1e4f, -1e4f) },
      { F(2, 3, 0.166666667f, 0.333333333f, 0.5f, 0.5f, 0.5f, 0) } },
    { PM_OP_LOG_SOFTMAX, "", { DIM(0) }, { F(2, 3, 0, 0.693147182f, 1.09861229f, 1e4f, 1e4f, -1e4f) },
      { F(2, 3, -1.79175947f, -1.09861229f, -0.693147181f, -0.693147181f, -0.693147181f, -20000.6931f) } },

    { PM_OP_CSR_ROWS_PTR, "row 1 twice, the last row dead", { DIM(0) }, { U(1, 4, 0, 2, 3, 6), U(1, 4, 1, 2, 1, 0), U(1, 1, 3) }, { U(1, 5, 0, 1, 4, 5, 5) } },
    { PM_OP_CSR_ROWS_TAKE, "rows 2 and 0", { DIM(6) },
      { U(1, 4, 0, 2, 3, 6), U(1, 6, 0, 2, 1, 0, 1, 2), F(1, 6, 1, 2, 3, 4, 5, 6), U(1, 3, 2, 0, 0), U(1, 4, 0, 3, 5, 5) },
      { U(1, 6, 0, 1, 2, 0, 2, 0), F(1, 6, 4, 5, 6, 1, 2, 0) } },
    { PM_OP_CSR_NORMALIZE, "3-4-5, a row of zeros", { DIM(0) }, { U(1, 4, 0, 2, 2, 3), F(1, 4, 3, 4, 0, 0) }, { F(1, 4, 0.6f, 0.8f, 0, 0) } },
    { PM_OP_CSR_CENTER, "a row of one value, an empty one, 1 2 6", { DIM(0) }, { U(1, 4, 0, 2, 2, 5), F(1, 6, 3.7f, 3.7f, 1, 2, 6, 0) },
      { F(1, 6, 0, 0, -2, -1, 3, 0), F(3, 1, 3.7f, 0, 3) } },
    { PM_OP_CSR_DROPOUT, "row 0: columns 0, 1, 3 draw .399 .881 .606", { NUMBER(0.7f), WORD(0) },
      { U(1, 2, 0, 3), U(1, 4, 0, 1, 3, 0), F(1, 4, 7, 7, 1.4f, 0), STATE(0) }, { F(1, 4, 10, 0, 2, 0) } },
    { PM_OP_CSR_DROPOUT, "row 1: columns 0 … 3 draw .417 .915 .452 .028", { NUMBER(0.5f), WORD(0) },
      { U(1, 3, 0, 0, 4), U(1, 4, 0, 1, 2, 3), F(1, 4, 1, 2, 3, 4), STATE(0) }, { F(1, 4, 2, 0, 6, 8) } },
    { PM_OP_CSR_TRANSPOSE, "", { DIM(4) }, { PTR, COL }, { U(1, 5, 0, 1, 2, 4, 5), U(1, 6, 0, 2, 0, 2, 2, 0), U(1, 6, 0, 2, 1, 3, 4, 0) } },
    { PM_OP_SPMM, "", { DIM(0) }, { PTR, COL, F(1, 6, 1, 2, 3, 4, 5, 0), F(4, 2, 1, 10, 2, 20, 3, 30, 4, 40) }, { F(3, 2, 7, 70, 0, 0, 38, 380) } },
    { PM_OP_SDDMM, "", { DIM(0) }, { PTR, COL, F(3, 2, 1, 2, 9, 9, 3, -1), F(4, 2, 1, 0, 2, 1, 0, 4, 1, 1), F(1, 4, 10, 20, 30, 40) },
      { F(1, 6, 11, 38, 25, 26, 42, 0) } },
    { PM_OP_CSR_SPREAD, "", { DIM(4) }, { PTR, COL, F(1, 6, 1, 2, 3, 4, 5, 0) }, { F(3, 4, 1, 0, 2, 0, 0, 0, 0, 0, 0, 3, 4, 5) } },
    { PM_OP_SPMM_AFFINE, "relu", { WORD(PM_ACT_RELU) }, { PTR, COL, F(1, 6, 1, 2, 3, 4, 5, 0), F(4, 2, 1, 10, 2, 20, 3, 30, 4, 40), F(1, 2, -8, 5) },
      { F(3, 2, 0, 75, 0, 5, 30, 385) } },
    { PM_OP_SPMM_T, "", { DIM(0) }, { U(1, 5, 0, 1, 2, 4, 5), U(1, 6, 0, 2, 0, 2, 2, 0), U(1, 6, 0, 2, 1, 3, 4, 0), F(1, 6, 1, 2, 3, 4, 5, 0), F(3, 1, 1, 100, 10) },
      { F(4, 1, 1, 30, 42, 50) } },
    { PM_OP_GRAM, "items 2 and 0 of a 3 by 4 matrix, rows of its Gram matrix", { DIM(4) },
      { U(1, 3, 0, 2, 3), U(1, 4, 0, 2, 0, 0), F(1, 4, 2, 4, 1, 0), PTR, COL, F(1, 6, 1, 2, 3, 4, 5, 0) }, { F(2, 4, 2, 12, 20, 20, 1, 0, 2, 0) } },
    { PM_OP_SIMILARITY, "items 2 and 0, lengths 2, 5, 4", { NUMBER(2), FLAG(0) }, { F(2, 3, 6, -11, 16, 4, 6, 6), U(1, 2, 2, 0), F(1, 3, 2, 5, 4) },
      { F(2, 3, 0.6f, 0, 0, 0, 0.5f, 0.6f) } },
    { PM_OP_SIMILARITY, "sets of 4, 3 and none", { NUMBER(0), FLAG(1) }, { F(1, 3, 4, 2, 0), U(1, 1, 0), F(1, 3, 4, 3, 0) }, { F(1, 3, 0, 0.4f, 0) } },
    { PM_OP_MATMUL_ADD, "", { FLAG(0), FLAG(1), NUMBER(-2), FLAG(0) }, { F(2, 1, 1, 2), F(2, 1, 3, 4), F(2, 2, 10, 20, 30, 40) }, { F(2, 2, 4, 12, 18, 24) } },
    { PM_OP_MATMUL_ADD, "lower", { FLAG(0), FLAG(1), NUMBER(1), FLAG(1) }, { F(2, 1, 1, 2), F(2, 1, 3, 4), F(2, 2, 10, NO_NUMBER, 30, 40) },
      { F(2, 2, 13, NO_NUMBER, 36, 48) } },
    { PM_OP_IDENTITY, "", { DIM(2) }, { { 0 } }, { F(2, 2, 1, 0, 0, 1) } },
    { PM_OP_DIAGONAL, "", { FLAG(0) }, { F(2, 2, 4, 1, 2, 0) }, { F(2, 1, 4, 0) } },
    { PM_OP_DIAGONAL, "inverse", { FLAG(1) }, { F(2, 2, 4, 1, 2, 0) }, { F(2, 1, 0.25f, 0) } },
    { PM_OP_ROOT, "", { DIM(0) }, { F(1, 4, 0, 2.25f, -1e-6f, 2) }, { F(1, 4, 0, 1.5f, 0, 1.41421356f) } },
    { PM_OP_LOG_COUNT, "", { DIM(0) }, { U(1, 3, 0, 1, 2) }, { F(1, 3, 0, 0, 0.693147181f) } },
    { PM_OP_RELATIVE_NORM, "", { DIM(0) }, { F(2, 1, 3, 4), F(2, 1, 0, 10) }, { F(1, 1, 0.5f) } },
    { PM_OP_RELATIVE_NORM, "against nothing", { DIM(0) }, { F(1, 2, 3, 4), F(1, 2, 0, 0) }, { F(1, 1, 5) } },
    { PM_OP_PANEL_TAKE, "columns 2 and 3 of three, from the lower triangle", { DIM(2) }, { F(3, 3, 1, NO_NUMBER, NO_NUMBER, 2, 3, NO_NUMBER, 4, 5, 6), STATE(0, 0, 1) },
      { F(3, 2, 4, 0, 5, 0, 6, 0) } },
    { PM_OP_PANEL_PIVOT, "the last block, half of it outside", { DIM(0) }, { F(3, 2, 4, 0, 5, 0, 6, 0), STATE(0, 0, 1) }, { F(2, 2, 6, 0, 0, 1) } },
    { PM_OP_PANEL_PUT, "row and column 1 of three", { DIM(0) }, { F(3, 3, 1, 0, 0, 2, 3, 0, 4, 5, 6), F(3, 1, 7, 8, 9), F(1, 1, 10), STATE(0, 0, 1) },
      { F(3, 3, 1, 0, 0, 7, -10, 0, 4, 9, 6) } },
    { PM_OP_PANEL_ROWS, "row 1 of three", { DIM(0) }, { F(3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9), F(3, 1, 10, 20, 30), F(3, 1, 2, 3, 4), STATE(0, 0, 1) },
      { F(3, 3, 1, 2, 3, 20, 0, 120, 7, 8, 9) } },
    { PM_OP_SPD_INVERSE, "[4 2; 2 3] + 1", { NUMBER(1) }, { F(2, 2, 4, 2, 2, 3) }, { F(2, 2, 0.25f, -0.125f, -0.125f, 0.3125f), F(1, 1, 3.2f) } },
    { PM_OP_SPD_INVERSE, "an indefinite matrix", { NUMBER(0) }, { F(2, 2, 1, 2, 2, 1) }, { F(2, 2, 0, 0, 0, 0), F(1, 1, 0) } },
    { PM_OP_CHOLESKY_INVERSE, "[4 2; 2 10]: L = [2 0; 1 3]", { NUMBER(0) }, { F(2, 2, 4, 2, 2, 10) }, { F(2, 2, 0.5f, 0, -0.166666667f, 0.333333333f) } },
    { PM_OP_CHOLESKY_INVERSE, "the second column depends on the first", { NUMBER(0) }, { F(2, 2, 4, 4, 4, 4) }, { F(2, 2, 0.5f, 0, 0, 0) } },
    { PM_OP_JACOBI_ROUND, "[2 1; 1 2]: eigenvalues 1 and 3", { WORD(0), WORD(1) }, { F(2, 2, 2, 1, 1, 2), F(2, 2, 1, 0, 0, 1), STATE(0) },
      { F(2, 2, 1, 0, 0, 3), F(2, 2, 0.707106781f, -0.707106781f, 0.707106781f, 0.707106781f) } },
    { PM_OP_JACOBI_ROUND, "three: round 1 turns 1 with none and 0 with 2", { WORD(1), WORD(1) },
      { F(3, 3, 2, 0, 1, 0, 7, 0, 1, 0, 2), F(3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1), STATE(0) },
      { F(3, 3, 1, 0, 0, 0, 7, 0, 0, 0, 3), F(3, 3, 0.707106781f, 0, -0.707106781f, 0, 1, 0, 0.707106781f, 0, 0.707106781f) } },
    { PM_OP_UNIT_ROWS, "3, 4 and a row of zeros", { DIM(0) }, { F(2, 2, 3, 4, 0, 0) }, { F(2, 2, 0.6f, 0.8f, 0, 0), F(2, 1, 0.2f, 0) } },
    { PM_OP_CSR_COL_COUNT, "", { DIM(4) }, { U(1, 5, 2, 0, 2, 2, 3) }, { U(1, 4, 1, 0, 3, 1) } },
    { PM_OP_GATHER_ROWS, "", { DIM(0) }, { F(3, 2, 1, 2, 3, 4, 5, 6), U(1, 4, 2, 0, 2, 1) }, { F(4, 2, 5, 6, 1, 2, 5, 6, 3, 4) } },

    { PM_OP_CSR_ENTRIES, "an empty row between, one at the end", { DIM(0) },
      { U(1, 5, 0, 2, 2, 3, 3), U(1, 4, 5, 6, 7, 0), F(1, 4, 1, 2, 3, 0), U(1, 4, 2, 0, 1, 2) },
      { U(4, 1, 2, 0, 0, 2), U(4, 1, 7, 5, 6, 7), F(4, 1, 3, 1, 2, 3) } },
    { PM_OP_DRAW_NEGATIVES, "uniform, the row has column 3: draws .881 .075 | .736 | .605 | .972 .911 .729", { DIM(4), DIM(4), FLAG(0), FLAG(0), WORD(0) },
      { U(1, 2, 0, 1), U(1, 1, 3), U(1, 1, 0), U(1, 1, 3), U(1, 1, 0), STATE(0) }, { U(1, 5, 3, 0, 2, 2, 2) } },
    { PM_OP_DRAW_NEGATIVES, "in step 5 .665 | .484", { DIM(4), DIM(2), FLAG(0), FLAG(0), WORD(0) },
      { U(1, 2, 0, 1), U(1, 1, 0), U(1, 1, 0), U(1, 1, 0), U(1, 1, 0), STATE(5) }, { U(1, 3, 0, 2, 1) } },
    { PM_OP_DRAW_NEGATIVES, "once: step 5 draws what step 0 does", { DIM(4), DIM(4), FLAG(0), FLAG(1), WORD(0) },
      { U(1, 2, 0, 1), U(1, 1, 3), U(1, 1, 0), U(1, 1, 3), U(1, 1, 0), STATE(5) }, { U(1, 5, 3, 0, 2, 2, 2) } },
    { PM_OP_DRAW_NEGATIVES, "popular: entries 2 | 0 1 2 | 2, draws .881 .075 .680 .841 .947 .897 .889 .001 …", { DIM(3), DIM(3), FLAG(1), FLAG(0), WORD(0) },
      { U(1, 4, 0, 1, 4, 5), U(1, 5, 2, 0, 1, 2, 2), U(1, 1, 0), U(1, 1, 2), U(1, 1, 0), STATE(0) }, { U(1, 4, 2, 1, 1, 0) } },
    { PM_OP_DRAW_NEGATIVES, "a row with all columns keeps draw 64, .250", { DIM(4), DIM(1), FLAG(0), FLAG(0), WORD(0) },
      { U(1, 2, 0, 4), U(1, 4, 0, 1, 2, 3), U(1, 1, 0), U(1, 1, 2), U(1, 1, 7), STATE(0) }, { U(1, 2, 2, 1) } },
    { PM_OP_DRAW_NEGATIVES, "the one column that nobody has comes by turn, not by popularity", { DIM(4), DIM(2), FLAG(1), FLAG(0), WORD(0) },
      { U(1, 2, 0, 3), U(1, 3, 0, 1, 3), U(1, 1, 0), U(1, 1, 1), U(1, 1, 9), STATE(0) }, { U(1, 3, 1, 2, 2) } },
    { PM_OP_DRAW_NEGATIVES, "popular without entries is uniform", { DIM(4), DIM(3), FLAG(1), FLAG(0), WORD(0) },
      { U(1, 2, 0, 0), U(1, 1, 0), U(1, 1, 0), U(1, 1, 1), U(1, 1, 0), STATE(0) }, { U(1, 4, 1, 3, 2, 2) } },
    { PM_OP_DRAW_ZEROS, "a matrix of one free cell: it is drawn, however seldom, or the next after the last draw", { DIM(2), DIM(2), FLAG(0), WORD(0) },
      { U(1, 2, 0, 1), U(1, 1, 0), U(1, 1, 0), U(1, 1, 0), U(1, 1, 0), STATE(0) }, { U(1, 3, 0, 0, 0), U(1, 3, 0, 1, 1) } },
    { PM_OP_DISTINCT, "3 twice in a row, a dead row", { DIM(5), DIM(6) }, { U(3, 2, 3, 3, 1, 3, 4, 0), U(1, 1, 2) },
      { U(3, 2, 1, 1, 0, 1, 0, 0), U(1, 6, 1, 3, 0, 0, 0, 0), U(1, 1, 2), U(1, 1, 4) } },
    { PM_OP_INDEX_TRANSPOSE, "an index twice in a row, a dead row", { DIM(4), DIM(6) }, { U(3, 2, 2, 2, 0, 2, 3, 3), U(1, 1, 2) },
      { U(1, 5, 0, 1, 1, 4, 4), U(1, 6, 1, 0, 0, 1, 0, 0), U(1, 6, 2, 0, 1, 3, 0, 0) } },
    { PM_OP_EMBED, "the last row dead", { DIM(0) }, { F(3, 2, 1, 2, 3, 4, 5, 6), U(3, 1, 2, 0, 1), U(1, 1, 2) }, { F(3, 2, 5, 6, 1, 2, 0, 0) } },
    { PM_OP_PICK_SCORES, "products", { FLAG(0) }, { F(2, 2, 1, 2, 9, 9), F(3, 2, 1, 1, 3, 4, -5, 0), U(2, 2, 1, 2, 0, 0), U(1, 1, 1) }, { F(2, 2, 11, -5, 0, 0) } },
    { PM_OP_PICK_SCORES, "squared distances", { FLAG(1) }, { F(1, 2, 1, 2), F(3, 2, 1, 1, 3, 4, -5, 0), U(1, 3, 1, 2, 0), U(1, 1, 1) }, { F(1, 3, 8, 40, 1) } },
    { PM_OP_PICK_SUM, "products", { FLAG(0) }, { F(2, 2, 2, -1, 9, 9), F(2, 1, 7, 7), F(2, 1, 10, 3), U(2, 2, 0, 1, 0, 0), U(1, 1, 1) }, { F(2, 1, 17, 0) } },
    { PM_OP_PICK_SUM, "squared distances", { FLAG(1) }, { F(1, 2, 2, -1), F(1, 1, 7), F(2, 1, 10, 3), U(1, 2, 0, 1), U(1, 1, 1) }, { F(1, 1, -20) } },
    { PM_OP_SPMM_T_AWAY, "2 · 3 · (1 − 5) + 2 · (−1) · (1 − 2); an empty row", { DIM(0) },
      { U(1, 3, 0, 2, 2), U(1, 2, 0, 1), U(1, 2, 0, 1), F(1, 2, 3, -1), F(2, 1, 5, 2), F(2, 1, 1, 8) }, { F(2, 1, -22, 0) } },

    { PM_OP_ROW_WEIGHT, "2 of 3 live", { DIM(3) }, { F(1, 1, 3), U(1, 1, 2) }, { F(3, 1, 1.5f, 1.5f, 0) } },
    { PM_OP_ROW_WEIGHT, "none live", { DIM(2) }, { F(1, 1, 3), U(1, 1, 0) }, { F(2, 1, 0, 0) } },
    { PM_OP_LOSS_MULTINOMIAL, "logits ln 1, ln 2, ln 3; a dead row of NaN; an empty row", { DIM(0) },
      { U(1, 4, 0, 2, 3, 3), U(1, 4, 1, 2, 0, 0), F(1, 4, 1, 2, 1, 0), F(3, 3, 0, 0.693147182f, 1.09861229f, NO_NUMBER, INFINITE, 0, 5, 6, 7), F(3, 1, 0.5f, 0, 1) },
      { F(3, 1, 1.24245332f, 0, 0), F(3, 3, 0.25f, 0, -0.25f, 0, 0, 0, 0, 0, 0) } },
    { PM_OP_LOSS_GAUSSIAN, "", { NUMBER(2), NUMBER(0.5f) }, { U(1, 3, 0, 1, 1), U(1, 2, 0, 0), F(1, 2, 3, 0), F(2, 3, 1, -1, 2, NO_NUMBER, 1, 1), F(2, 1, 2, 0) },
      { F(2, 1, 10.5f, 0), F(2, 3, -8, -1, 2, 0, 0, 0) } },
    { PM_OP_LOSS_GAUSSIAN, "an entry of value 0 is no click", { NUMBER(2), NUMBER(0.5f) }, { U(1, 2, 0, 1), U(1, 1, 1), F(1, 1, 0), F(1, 2, 2, 4), F(1, 1, 1) },
      { F(1, 1, 5), F(1, 2, 1, 2) } },
    { PM_OP_LOSS_LOGISTIC, "any value above 0 is a click", { DIM(0) },
      { U(1, 3, 0, 1, 1), U(1, 2, 1, 0), F(1, 2, 5, 0), F(2, 2, 0, 1.09861229f, NO_NUMBER, 0), F(2, 1, 1, 0) },
      { F(2, 1, 0.980829253f, 0), F(2, 2, 0.5f, -0.25f, 0, 0) } },
    { PM_OP_LOSS_SQUARE, "two of three others, drawn .399 (.881) .736 .606; a dead row", { NUMBER(3), WORD(3), WORD(0) },
      { U(1, 3, 0, 1, 1), U(1, 1, 1), F(1, 1, 2), F(2, 4, 0, 0, 0, 0, NO_NUMBER, 1, 1, 1), F(2, 1, 2, 0), STATE(0) },
      { F(2, 1, 1.5f, 0), F(2, 4, 0.25f, -1, 0, 0.25f, 0, 0, 0, 0) } },
    { PM_OP_LOSS_SQUARE, "a row longer than the set: its entries alone", { NUMBER(1), WORD(1), WORD(0) },
      { U(1, 2, 0, 2), U(1, 2, 0, 1), F(1, 2, 1, 1), F(1, 4, 0, 0, 0, 0), F(1, 1, 1), STATE(0) }, { F(1, 1, 0.5f), F(1, 4, -0.25f, -0.25f, 0, 0) } },
    { PM_OP_LOSS_CROSS_ENTROPY, "the same set; a logit beyond the bound", { NUMBER(3), NUMBER(10), WORD(3), WORD(0) },
      { U(1, 2, 0, 1), U(1, 1, 1), F(1, 1, 2), F(1, 4, 0, 0, 0, 20), F(1, 1, 1), STATE(0) }, { F(1, 1, 12.7726341f), F(1, 4, 0.5f, -1.5f, 0, 0) } },
    { PM_OP_LOSS_MIL, "liked, disliked, missing at p = 3/4 and 1/4", { NUMBER(1), NUMBER(2), NUMBER(16), WORD(2), WORD(4), WORD(0) },
      { U(1, 2, 0, 2), U(1, 2, 0, 1), F(1, 2, 1, -1), F(1, 4, 0, 1.09861229f, 1.09861229f, -1.09861229f), F(1, 1, 1), STATE(0) },
      { F(1, 1, 1.1875f), F(1, 4, -0.25f, 0.28125f, 0.1875f, -0.1875f) } },
    { PM_OP_LOSS_MIL, "an entry of value 0 is missing; A = 5e9 and the 30th power at p = 0, 1/2, 1", { NUMBER(1), NUMBER(1), NUMBER(5e9f), WORD(15), WORD(3), WORD(0) },
      { U(1, 2, 0, 1), U(1, 1, 2), F(1, 1, 0), F(1, 3, -1e4f, 0, 1e4f), F(1, 1, 1), STATE(0) }, { F(1, 1, 9.31322575f), F(1, 3, 0, 0, 0) } },
    { PM_OP_LOSS_PAIR, "logistic cross-entropy; an entry of value 0 is not liked", { FLAG(1), FLAG(0), NUMBER(0.1f), WORD(4), WORD(0) },
      { U(1, 2, 0, 2), U(1, 2, 1, 3), F(1, 2, 1, 0), F(1, 4, 0, 1.09861229f, 0, 1.09861229f), F(1, 1, 1), STATE(0) },
      { F(1, 1, 1.26851133f), F(1, 4, 0.25f, -1, 0.25f, 0.5f) } },
    { PM_OP_LOSS_PAIR, "clipped square: one difference of 0", { FLAG(0), FLAG(1), NUMBER(0.1f), WORD(4), WORD(0) },
      { U(1, 2, 0, 1), U(1, 1, 1), F(1, 1, 1), F(1, 4, 0, 1.09861229f, 1.09861229f, -1.09861229f), F(1, 1, 1), STATE(0) },
      { F(1, 1, 1.6225f), F(1, 4, 0.375f, -0.46875f, 0, 0.1875f) } },
    { PM_OP_LOSS_PAIR, "two of three others; a dead row", { FLAG(0), FLAG(0), NUMBER(0.1f), WORD(3), WORD(0) },
      { U(1, 3, 0, 1, 1), U(1, 1, 1), F(1, 1, 2), F(2, 4, 0, 0, 0, 0, NO_NUMBER, 1, 1, 1), F(2, 1, 2, 0), STATE(0) },
      { F(2, 1, 1, 0), F(2, 4, 0.5f, -1, 0, 0.5f, 0, 0, 0, 0) } },
    { PM_OP_LOSS_COUNTS, "linear: 3 entries to 6 draws; a logit beyond the bound; a dead row; a row without entries", { FLAG(0), WORD(6), NUMBER(10) },
      { U(1, 4, 0, 2, 2, 2), U(1, 2, 1, 3), F(1, 2, 2, 1), F(3, 4, 0, 1.09861229f, 0, 20, NO_NUMBER, 1, 1, 1, 1, 2, 3, 4), U(3, 4, 4, 2, 0, 1, 6, 0, 0, 0, 0, 6, 0, 0),
        F(3, 1, 2, 0, 1) },
      { F(3, 1, -12.1972246f, 0, 0), F(3, 4, 4, -2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) } },
    { PM_OP_LOSS_COUNTS, "logistic: the same", { FLAG(1), WORD(6), NUMBER(10) },
      { U(1, 2, 0, 2), U(1, 2, 1, 3), F(1, 2, 2, 1), F(1, 4, 0, 1.09861229f, 0, 20), U(1, 4, 4, 2, 0, 1), F(1, 1, 2) },
      { F(1, 1, 16.6960419f), F(1, 4, 2, 0.5f, 0, 0) } },
    { PM_OP_LOSS_WEIGHTED, "weights 1, 3 and 0; a dead row", { DIM(0) },
      { F(2, 3, 1, -1, 5, 7, 7, 7), F(2, 3, 2, 1, 9, NO_NUMBER, 1, INFINITE), F(2, 3, 1, 3, 0, 1, 1, 1), F(2, 1, 0.5f, 0) },
      { F(2, 3, 0.5f, 6, 0, 0, 0, 0), F(2, 3, 1, 6, 0, 0, 0, 0) } },
    { PM_OP_LOSS_BPR, "ln 3 against 0 and 2 ln 3; a dead row", { DIM(0) },
      { F(2, 3, 1.09861229f, 0, 2.19722458f, NO_NUMBER, 1, 1), F(2, 1, 2, 0) }, { F(2, 1, 1.67397643f, 0), F(2, 3, -1, 0.25f, 0.75f, 0, 0, 0) } },
    { PM_OP_LOSS_HINGE, "margin 1: 0.5, none, 2 over; log(1 + floor(10 · 2/3)) = log 7", { NUMBER(1), WORD(10), FLAG(0) },
      { F(2, 4, 1, 0.5f, -3, 2, NO_NUMBER, 1, 1, 1), F(2, 1, 3, 0) },
      { F(2, 1, 4.86477537f, 0), F(2, 4, -3.8918203f, 1.94591015f, 0, 1.94591015f, 0, 0, 0, 0) } },
    { PM_OP_LOSS_HINGE, "the closest alone, of two equal ones the first", { NUMBER(1), WORD(10), FLAG(1) },
      { F(1, 4, 1, 0.5f, 2, 2), F(1, 1, 1) }, { F(1, 1, 4.79579055f), F(1, 4, -2.39789527f, 0, 2.39789527f, 0) } },
    { PM_OP_LOSS_HINGE, "without rank; exactly at the margin is no violation", { NUMBER(1), WORD(0), FLAG(0) },
      { F(1, 3, 1, 0, 0.5f), F(1, 1, 2) }, { F(1, 1, 0.5f), F(1, 3, -1, 0, 1) } },
    { PM_OP_LOSS_MATCH, "cross-entropy: 1/2 and 1/4 against 1 and 0, above and below the bounds; a dead row", { FLAG(0), NUMBER(2), NUMBER(0.125f) },
      { F(2, 4, 0.5f, 0.25f, 2, -1, NO_NUMBER, 1, 1, 1), F(2, 4, 1, 0, 0.5f, 0, 1, 1, 1, 1), F(2, 1, 2, 0) },
      { F(2, 1, 5.28412116f, 0), F(2, 4, -4, 5.33333333f, 0, 0, 0, 0, 0, 0) } },
    { PM_OP_LOSS_MATCH, "squares", { FLAG(1), NUMBER(0.5f), NUMBER(0.125f) }, { F(1, 2, 0.5f, 3), F(1, 2, 1, 0), F(1, 1, 2) }, { F(1, 1, 9.5f), F(1, 2, -2, 6) } },
    { PM_OP_LOSS_LOG, "a one at ln 3, zeros at 0 and -ln 3: (2 ln 4/3 + ln 2) / 2; a dead row", { DIM(0) },
      { F(2, 3, 1.09861229f, 0, -1.09861229f, NO_NUMBER, 1, 1), F(2, 1, 1.5f, 0) }, { F(2, 1, 0.634255663f, 0), F(2, 3, -0.125f, 0.25f, 0.125f, 0, 0, 0) } },
    { PM_OP_KL_GAUSSIAN, "", { DIM(0) }, { F(2, 2, 1, 2, NO_NUMBER, 0), F(2, 2, 0, 0.693147182f, 0, NO_NUMBER), F(2, 1, 0.5f, 0), F(1, 1, 0.5f) },
      { F(2, 1, 0.663356602f, 0), F(2, 2, 0.25f, 0.5f, 0, 0), F(2, 2, 0, 0.125f, 0, 0) } },

    { PM_OP_DROPOUT, "the published vector", { NUMBER(0.7f), WORD(0) }, { F(1, 4, 7, 7, 7, 1.4f), STATE(0) }, { F(1, 4, 10, 0, 0, 2) } },
    { PM_OP_CORRUPT, "draws .399 .881 .736 .606: added to below .7", { NUMBER(0.1f), NUMBER(0.2f), NUMBER(0.7f), NUMBER(-2), NUMBER(5), WORD(0) },
      { F(1, 4, 1, 2, 3, 4), F(1, 4, 10, 20, 30, 40), STATE(0) }, { F(1, 4, 11, 2, 3, 44), F(1, 4, 1, 0, 0, 1) } },
    { PM_OP_CORRUPT, "the same words: odd gives the most, even the least", { NUMBER(0.5f), NUMBER(1), NUMBER(1), NUMBER(-2), NUMBER(5), WORD(0) },
      { F(1, 4, 1, 2, 3, 4), F(1, 4, 10, 20, 30, 40), STATE(0) }, { F(1, 4, 0, 5, -2, -2), F(1, 4, 1, 1, 1, 1) } },
    { PM_OP_DROPOUT, "keep 1 drops nothing", { NUMBER(1), WORD(0) }, { F(1, 4, 1, 2, 3, 4), STATE(0) }, { F(1, 4, 1, 2, 3, 4) } },
    { PM_OP_NORMAL, "Box-Muller of the published vector, an odd column count", { DIM(1), DIM(3), WORD(0) }, { STATE(0) },
      { F(1, 3, 0.991137475f, -0.924662780f, -0.617609055f) } },
    { PM_OP_NORMAL, "row 1", { DIM(2), DIM(2), WORD(0) }, { STATE(0) }, { F(2, 2, 0.991137475f, -0.924662780f, 1.13636753f, -0.675882765f) } },

    { PM_OP_REPARAMETERIZE, "the same draws", { WORD(0) }, { F(1, 2, 1, 2), F(1, 2, 0, 1.38629436f), STATE(0) },
      { F(1, 2, 1.991137475f, 0.15067444f), F(1, 2, 0.495568738f, -0.92466278f) } },

    { PM_OP_DRAW_COUNTS, "words 6627e8d5 e169c58d bc57ac4c 9b00dbd8 against 40000000 80000000 | the same and c0000000 | none | 9b00dbd8; no single draw",
      { DIM(1), WORD(5), FLAG(1), WORD(0) },
      { U(1, 5, 0, 2, 5, 5, 6), U(1, 6, 0x40000000, 0x80000000, 0x40000000, 0x80000000, 0xC0000000, 0x9B00DBD8), U(1, 4, 0, 0, 0, 0), U(1, 4, 2, 2, 2, 2), STATE(0) },
      { U(1, 4, 1, 3, 0, 1) } },
    { PM_OP_DRAW_COUNTS, "four single draws, all led to item 2", { DIM(1), WORD(9), FLAG(1), WORD(0) },
      { U(1, 5, 0, 2, 5, 5, 6), U(1, 6, 0x40000000, 0x80000000, 0x40000000, 0x80000000, 0xC0000000, 0x9B00DBD8), U(1, 4, 0, 0, 0, 0), U(1, 4, 2, 2, 2, 2), STATE(0) },
      { U(1, 4, 1, 3, 4, 1) } },
    { PM_OP_DRAW_COUNTS, "every attempt sums to 3, one too many", { DIM(1), WORD(2), FLAG(1), WORD(0) },
      { U(1, 3, 0, 1, 3), U(1, 3, 0, 0, 0), U(1, 2, 0, 0), U(1, 2, 1, 1), STATE(0) }, { U(1, 2, 0, 2) } },
    { PM_OP_DRAW_COUNTS, "single draws alone", { DIM(2), WORD(7), FLAG(0), WORD(0) },
      { U(1, 3, 0, 1, 3), U(1, 3, 0, 0, 0), U(1, 2, 0, 0), U(1, 2, 0, 0), STATE(0) }, { U(2, 2, 7, 0, 7, 0) } },

    { PM_OP_ADAM, "", { NUMBER(0.5f), NUMBER(0.75f), NUMBER(0), NUMBER(0) }, { F(1, 1, 1), F(1, 1, 0.5f), F(1, 1, 0.25f), F(1, 1, 2), F(1, 1, 0.1f) },
      { F(1, 1, 0.885292466f), F(1, 1, 1.25f), F(1, 1, 1.1875f) } },
    { PM_OP_ADAM, "decay", { NUMBER(0.5f), NUMBER(0.75f), NUMBER(0.5f), NUMBER(0.5f) }, { F(1, 1, 1), F(1, 1, 0.5f), F(1, 1, 0.25f), F(1, 1, 2), F(1, 1, 0.1f) },
      { F(1, 1, 0.917712436f), F(1, 1, 1.5f), F(1, 1, 1.75f) } },
    { PM_OP_MATMUL_ADAM, "the gradient is 1 · 1 + 1 · 1", { FLAG(0), FLAG(0), NUMBER(0.5f), NUMBER(0.75f), NUMBER(0), NUMBER(0) },
      { F(1, 2, 1, 1), F(2, 1, 1, 1), F(1, 1, 1), F(1, 1, 0.5f), F(1, 1, 0.25f), F(1, 1, 0.1f) },
      { F(1, 1, 0.885292466f), F(1, 1, 1.25f), F(1, 1, 1.1875f) } },
    { PM_OP_SPMM_T_ADAM, "an empty row takes its step too", { NUMBER(0.5f), NUMBER(0.75f), NUMBER(0), NUMBER(0), FLAG(0) },
      { U(1, 3, 0, 2, 2), U(1, 2, 0, 1), F(1, 2, 1, 2), F(2, 1, 1, 0.5f), F(2, 1, 1, 1), F(2, 1, 0.5f, 0.5f), F(2, 1, 0.25f, 1), F(1, 1, 0.1f) },
      { F(2, 1, 0.885292466f, 0.971132487f), F(2, 1, 1.25f, 0.25f), F(2, 1, 1.1875f, 0.75f) } },
    { PM_OP_SPMM_T_ADAM, "an empty row stays", { NUMBER(0.5f), NUMBER(0.75f), NUMBER(0), NUMBER(0), FLAG(1) },
      { U(1, 3, 0, 2, 2), U(1, 2, 0, 1), F(1, 2, 1, 2), F(2, 1, 1, 0.5f), F(2, 1, 1, 1), F(2, 1, 0.5f, 0.5f), F(2, 1, 0.25f, 1), F(1, 1, 0.1f) },
      { F(2, 1, 0.885292466f, 1), F(2, 1, 1.25f, 0.5f), F(2, 1, 1.1875f, 1) } },
    { PM_OP_ADAM_ROWS, "as adam; a row without entries stays", { NUMBER(0.5f), NUMBER(0.75f), NUMBER(0) },
      { F(2, 1, 1, 1), F(2, 1, 0.5f, 0.5f), F(2, 1, 0.25f, 0.25f), F(2, 1, 2, 2), F(1, 1, 0.1f), U(1, 3, 0, 1, 1) },
      { F(2, 1, 0.885292466f, 1), F(2, 1, 1.25f, 0.5f), F(2, 1, 1.1875f, 0.25f) } },
    { PM_OP_ADAM_LEAP, "beta1 1/2, beta2 1/4, three steps done, of which rows missed none, one, two, and three, as two and one", { NUMBER(0) },
      { F(4, 1, 1, 1, 1, 1), F(4, 1, 8, 8, 8, 8), F(4, 1, 4, 4, 4, 4), U(4, 1, 0, 1, 2, 3), STATE(0, 0, 5, 0, 0, 2), F(1, 3, 0.25f, 0.5f, 1),
        F(2, 3, 0.5f, 0.25f, 0.5f, 0.25f, 0.0625f, 0.25f) }, { F(4, 1, 1, -3, -5, -6), F(4, 1, 8, 4, 2, 1), F(4, 1, 4, 1, 0.25f, 0.0625f) } },
    { PM_OP_ADAM_LEAP, "a moment of which nothing is left; rates begin again", { NUMBER(1) },
      { F(1, 1, 1), F(1, 1, 8), F(1, 1, 4), U(1, 1, 2), STATE(0, 0, 2, 0, 0, 1), F(1, 1, 0.5f), F(2, 3, 0.5f, 0.25f, 0.5f, 0, 0.0625f, 0.25f) },
      { F(1, 1, 0), F(1, 1, 0), F(1, 1, 0.25f) } },

    { PM_OP_ADAGRAD, "1 − 0.5 · 3 / (5 + 1); a gradient of 0 stays where a is 0", { NUMBER(1), NUMBER(0) },
      { F(1, 2, 1, 7), F(1, 2, 16, 0), F(1, 2, 3, 0), F(1, 1, 0.5f) }, { F(1, 2, 0.75f, 7), F(1, 2, 25, 0) } },
    { PM_OP_ADAGRAD, "decay: 2 + 0.5 · 2", { NUMBER(1), NUMBER(0.5f) }, { F(1, 1, 2), F(1, 1, 16), F(1, 1, 2), F(1, 1, 0.5f) }, { F(1, 1, 1.75f), F(1, 1, 25) } },
    { PM_OP_SPMM_T_ADAGRAD, "1 · 1 + 2 · 1; a row without entries stays", { NUMBER(1), FLAG(0) },
      { U(1, 3, 0, 2, 2), U(1, 2, 0, 1), F(1, 2, 1, 2), F(2, 1, 1, 1), F(2, 1, 1, 7), F(2, 1, 16, 0), F(1, 1, 0.5f) }, { F(2, 1, 0.75f, 7), F(2, 1, 25, 0) } },
    { PM_OP_SPMM_T_ADAGRAD, "away: 2 · 0.5 · (1 − 4)", { NUMBER(1), FLAG(1) },
      { U(1, 2, 0, 1), U(1, 1, 0), F(1, 1, 0.5f), F(1, 1, 4), F(1, 1, 1), F(1, 1, 16), F(1, 1, 0.5f) }, { F(1, 1, 1.25f), F(1, 1, 25) } },
    { PM_OP_SGD, "m = 0.5 · 4 + (3 + 0.5 · 2)", { NUMBER(0.5f), NUMBER(0.5f) }, { F(1, 1, 2), F(1, 1, 4), F(1, 1, 3), F(1, 1, 0.25f) }, { F(1, 1, 0.5f), F(1, 1, 6) } },

    { PM_OP_ROWS_MISSED, "position 5 of batches of 2: three steps done; row 1 has no entries, row 2 took all, row 3 none", { FLAG(0) },
      { U(1, 5, 0, 1, 1, 2, 4), U(4, 1, 1, 1, 3, 0), STATE(0, 0, 5, 0, 0, 2) }, { U(4, 1, 2, 0, 0, 3), U(4, 1, 4, 1, 4, 4) } },
    { PM_OP_ROWS_MISSED, "the epoch is over", { FLAG(1) }, { U(1, 3, 0, 1, 2), U(2, 1, 1, 3), STATE(0, 0, 6, 0, 0, 2) }, { U(2, 1, 2, 0), U(2, 1, 0, 0) } },
    { PM_OP_SGD_LEAP, "rate, momentum and decay of 1/2: P = [3/4, -1/4; 1/2, 1/2]; none, one, two, and three as two and one", { DIM(0) },
      { F(4, 1, 7, 4, 4, 4), F(4, 1, 9, 8, 8, 8), U(4, 1, 0, 1, 2, 3), F(2, 4, 0.75f, -0.25f, 0.5f, 0.5f, 0.4375f, -0.3125f, 0.625f, 0.125f) },
      { F(4, 1, 7, 1, -0.75f, -1.4375f), F(4, 1, 9, 6, 3.5f, 1.375f) } },
    { PM_OP_SGD_ROWS, "as above; a row without entries stays", { NUMBER(0.5f), NUMBER(0.5f) },
      { F(2, 1, 2, 2), F(2, 1, 4, 4), F(2, 1, 3, 3), F(1, 1, 0.25f), U(1, 3, 0, 1, 1) }, { F(2, 1, 0.5f, 2), F(2, 1, 6, 4) } },
    { PM_OP_SPMM_T_SGD, "1 · 1 + 2 · 1", { NUMBER(0.5f), NUMBER(0.5f) },
      { U(1, 3, 0, 2, 2), U(1, 2, 0, 1), F(1, 2, 1, 2), F(2, 1, 1, 1), F(2, 1, 2, 2), F(2, 1, 4, 4), F(1, 1, 0.25f) }, { F(2, 1, 0.5f, 2), F(2, 1, 6, 4) } },

    { PM_OP_COL_SQUARES, "", { DIM(0) }, { F(2, 2, 1, 2, 3, -4) }, { F(1, 2, 10, 20) } },
    { PM_OP_GRAD_SQUARES, "(1 + 1)² + 2²; a decay that undoes the gradient", { NUMBER(0.5f) }, { F(2, 2, 2, 0, 4, -2), F(2, 2, 1, 2, -2, 1) }, { F(1, 2, 8, 0) } },
    { PM_OP_CLIP_FACTOR, "length 4, limit 2", { NUMBER(2) }, { F(1, 1, 16) }, { F(1, 1, 0.5f) } },
    { PM_OP_CLIP_FACTOR, "at the limit", { NUMBER(2) }, { F(1, 1, 4) }, { F(1, 1, 1) } },
    { PM_OP_CLIP_FACTOR, "no gradient", { NUMBER(2) }, { F(1, 1, 0) }, { F(1, 1, 1) } },
    { PM_OP_ADAM_CLIPPED, "half of 3.5 + 0.5 · 1", { NUMBER(0.5f), NUMBER(0.75f), NUMBER(0), NUMBER(0.5f) },
      { F(1, 1, 1), F(1, 1, 0.5f), F(1, 1, 0.25f), F(1, 1, 3.5f), F(1, 1, 0.1f), F(1, 1, 0.5f) }, { F(1, 1, 0.885292466f), F(1, 1, 1.25f), F(1, 1, 1.1875f) } },
    { PM_OP_MAX_NORM_ROWS, "5 to 2.5; short enough; zeros", { NUMBER(2.5f) }, { F(3, 2, 3, 4, 1, 2, 0, 0) }, { F(3, 2, 1.5f, 2, 1, 2, 0, 0) } },
    { PM_OP_MAX_NORM_COLS, "", { NUMBER(2.5f) }, { F(2, 2, 3, 1, 4, 2), F(1, 2, 25, 5) }, { F(2, 2, 1.5f, 1, 2, 2) } },
    { PM_OP_AVERAGE, "", { NUMBER(0.25f) }, { F(1, 2, 4, 0), F(1, 2, 8, 1) }, { F(1, 2, 7, 0.75f) } },
    { PM_OP_BATCH_NORM, "two live rows, the third not a number", { NUMBER(0) },
      { F(3, 2, 1, 5, 3, -5, NO_NUMBER, NO_NUMBER), U(1, 1, 2), F(1, 2, 2, 1), F(1, 2, 1, 0) }, { F(3, 2, -1, 1, 3, -1, 0, 0), F(1, 2, 2, 0), F(1, 2, 1, 25) } },
    { PM_OP_BATCH_NORM, "no live row", { NUMBER(1) }, { F(1, 1, NO_NUMBER), U(1, 1, 0), F(1, 1, 2), F(1, 1, 1) }, { F(1, 1, 0), F(1, 1, 0), F(1, 1, 0) } },
    { PM_OP_BATCH_NORM_GRAD, "mean 1, var 2, eps 2: h = −1/2, −1/2, 1", { NUMBER(2) },
      { F(4, 1, 0, 0, 3, NO_NUMBER), U(1, 1, 3), F(1, 1, 2), F(4, 1, 1, 0, 0, NO_NUMBER) },
      { F(4, 1, 0.583333333f, -0.416666667f, -0.166666667f, 0), F(1, 1, -0.5f), F(1, 1, 1) } },
    { PM_OP_BATCH_NORM_APPLY, "", { NUMBER(1) }, { F(2, 1, 5, 1), F(1, 1, 1), F(1, 1, 3), F(1, 1, 2), F(1, 1, -1) }, { F(2, 1, 3, -1) } },

    // 2 + 1 + 1² + 3² = 13; 2 + 1 + 2² + 3² + 4² = 32
    { PM_OP_ALS_CHOLESKY, "rank 1", { DIM(1), NUMBER(1), FLAG(0) }, { PTR, COL, F(1, 6, 1, 1, 1, 1, 1, 0), F(4, 1, 1, 2, 3, 4), F(1, 1, 2), F(3, 1, 26, 5, -16) },
      { F(3, 1, 2, 0, -0.5f) } },
    { PM_OP_ALS_CHOLESKY, "rank 1, ridge by count", { DIM(2), NUMBER(1), FLAG(1) },
      { PTR, COL, F(1, 6, 1, 1, 1, 1, 1, 0), F(4, 1, 1, 2, 3, 4), F(1, 1, 2), F(3, 1, 28, 5, 17) }, { F(3, 1, 2, 0, 0.5f) } },
    { PM_OP_ALS_CHOLESKY, "a system that is not positive definite", { DIM(1), NUMBER(1), FLAG(0) },
      { PTR, COL, F(1, 6, 1, 1, 1, 1, 1, 0), F(4, 1, 1, 2, 3, 4), F(1, 1, -30), F(3, 1, 28, 5, 3) }, { F(3, 1, NO_NUMBER, 0, NO_NUMBER) } },
    { PM_OP_ALS_CHOLESKY, "rank 2: [3 1; 1 3] x = [5 7]", { DIM(2), NUMBER(1), FLAG(0) },
      { U(1, 2, 0, 1), U(1, 1, 0), F(1, 1, 1), F(1, 2, 1, 1), F(2, 2, 1, 0, 0, 1), F(1, 2, 5, 7) }, { F(1, 2, 1, 2) } },
    { PM_OP_CSR_THIN, "two of three, evenly", { DIM(2), DIM(6), FLAG(1) }, { U(1, 4, 0, 3, 3, 4), U(1, 4, 0, 1, 3, 2), F(1, 4, 5, 6, 7, 8), STATE(0) },
      { U(1, 4, 0, 2, 2, 3), U(1, 6, 1, 3, 2, 0, 0, 0), F(1, 6, 6, 7, 8, 0, 0, 0) } },
    { PM_OP_GP_FIT, "[2 1; 1 2] a = [3 0]; ½ (aᵀy + ln 3) + ln 2π", { DIM(2), NUMBER(0) },
      { U(1, 3, 0, 2, 2), U(1, 2, 0, 1), F(1, 2, 3, 0), F(2, 1, 7, -8), F(1, 5, 0, 0, 0, 1, 1) },
      { F(2, 1, 5.38718321f, 0), F(1, 2, 2, -1), F(2, 2, -1.66666667f, 0.833333333f, 0.833333333f, -0.166666667f) } },
    { PM_OP_GP_FIT, "one entry of two: 7 a = 7", { DIM(1), NUMBER(1) }, { U(1, 2, 0, 2), U(1, 2, 0, 1), F(1, 2, 7, 9), F(2, 1, 1, 5), F(1, 5, 1, 1, 1, 1, 1) },
      { F(1, 1, 5.39189361f), F(1, 2, 1, 0), F(2, 1, -0.428571429f, 0) } },
    { PM_OP_GP_FIT, "nothing that varies", { DIM(1), NUMBER(0) }, { U(1, 2, 0, 1), U(1, 1, 0), F(1, 1, 7), F(1, 1, 1), F(1, 5, 0, 0, 0, 0, 0) },
      { F(1, 1, NO_NUMBER), F(1, 1, NO_NUMBER), F(1, 1, NO_NUMBER) } },
    { PM_OP_GP_GRAD, "two points at 0 and 1, e^-½ = .60653066", { NUMBER(0) },
      { U(1, 2, 0, 2), U(1, 2, 0, 1), F(2, 1, 0, 1), F(1, 5, 1, 1, 0, 0, 0), F(2, 2, 1, 2, 2, 3), F(1, 1, 1) },
      { F(2, 1, 2.42612264f, -2.42612264f), F(2, 5, 4.42612264f, -1.21306132f, 0, 0, 0, 8.42612264f, -1.21306132f, 0, 0, 0) } },
    { PM_OP_GP_SCORES, "a at 1, seen from 0, 1 and 2", { DIM(0) }, { U(1, 2, 0, 1), U(1, 1, 1), F(1, 1, 2), F(3, 1, 0, 1, 2), F(1, 5, 1, 1, 1, 1, 3) },
      { F(1, 3, 3.21306132f, 6, 7.21306132f) } },
    { PM_OP_ALS_CG, "rank 1: one step is exact", { WORD(1), NUMBER(1), FLAG(0) },
      { PTR, COL, F(1, 6, 1, 1, 1, 1, 1, 0), F(4, 1, 1, 2, 3, 4), F(1, 1, 2), F(3, 1, 26, 5, -16), F(3, 1, 7, 7, 7) }, { F(3, 1, 2, 0, -0.5f) } },
    { PM_OP_ALS_CG, "no step", { WORD(0), NUMBER(1), FLAG(1) },
      { PTR, COL, F(1, 6, 1, 1, 1, 1, 1, 0), F(4, 1, 1, 2, 3, 4), F(1, 1, 2), F(3, 1, 26, 5, -16), F(3, 1, 7, 8, 9) }, { F(3, 1, 7, 0, 9) } },
    { PM_OP_ALS_CG, "rank 2: two steps are exact", { WORD(2), NUMBER(1), FLAG(0) },
      { U(1, 2, 0, 1), U(1, 1, 0), F(1, 1, 1), F(1, 2, 1, 1), F(2, 2, 1, 0, 0, 1), F(1, 2, 5, 7), F(1, 2, 0, 0) }, { F(1, 2, 1, 2) } },
    // 6 / 4, then (6 − 2 · 1.5 − 0.5 · 1.5) / 4
    { PM_OP_EALS_ROWS, "two factors of one entry, an empty row", { NUMBER(1) },
      { U(1, 3, 0, 1, 1), U(1, 2, 1, 0), F(1, 2, 2, 0), F(1, 2, 6, 0), F(2, 2, 8, 8, 1, 1), F(2, 2, 2, 1, 1, 2), F(1, 2, 0.5f, 3), F(2, 2, 0, 0, 9, 9) },
      { F(1, 2, 1.875f, 0), F(2, 2, 1.5f, 0.5625f, 0, 0) } },
    // column 0: (1 − 0.5) / (2 + 0.5); column 1 is not asked for
    { PM_OP_SLIM_COLUMNS, "two items", { NUMBER(0.5f), NUMBER(0.5f), NUMBER(0), WORD(3), FLAG(0) },
      { F(2, 2, 2, 1, 1, 2), U(1, 2, 0, 1), U(1, 1, 1), F(2, 2, 8, 8, 8, 8) }, { F(2, 2, 0, 8, 0.2f, 8) } },
    // item 2 was never rated; −1 shrinks to −0.5
    { PM_OP_SLIM_COLUMNS, "signs", { NUMBER(0.5f), NUMBER(0), NUMBER(0), WORD(3), FLAG(0) },
      { F(3, 3, 2, -1, 0, -1, 2, 0, 0, 0, 0), U(1, 3, 2, 1, 0), U(1, 1, 3), F(3, 3, 8, 8, 8, 8, 8, 8, 8, 8, 8) },
      { F(3, 3, 0, -0.25f, 0, -0.25f, 0, 0, 0, 0, 0) } },
    { PM_OP_SLIM_COLUMNS, "not negative", { NUMBER(0.5f), NUMBER(0), NUMBER(0), WORD(3), FLAG(1) },
      { F(3, 3, 2, -1, 0, -1, 2, 0, 0, 0, 0), U(1, 3, 2, 1, 0), U(1, 1, 3), F(3, 3, 8, 8, 8, 8, 8, 8, 8, 8, 8) },
      { F(3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0) } },

    { PM_OP_MASK_ROWS, "", { DIM(0) }, { PTR, COL, F(3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) },
      { F(3, 4, PM_MASKED, 2, PM_MASKED, 4, 5, 6, 7, 8, 9, PM_MASKED, PM_MASKED, PM_MASKED) } },
    { PM_OP_TOP_K, "ties by lower column", { DIM(3) }, { F(2, 5, 1, 3, 3, 2, 3, 0, 0, 0, 0, 0) }, { U(2, 3, 1, 2, 4, 0, 1, 2), F(2, 3, 3, 3, 3, 0, 0, 0) } },
    { PM_OP_TOP_K, "masked columns are not listed", { DIM(3) }, { F(2, 4, PM_MASKED, 5, PM_MASKED, PM_MASKED, PM_MASKED, PM_MASKED, PM_MASKED, PM_MASKED) },
      { U(2, 3, 1, PM_ID_NONE, PM_ID_NONE, PM_ID_NONE, PM_ID_NONE, PM_ID_NONE), F(2, 3, 5, PM_MASKED, PM_MASKED, PM_MASKED, PM_MASKED, PM_MASKED) } },
    { PM_OP_TOP_K, "NaN and infinities are reported", { DIM(2) }, { F(4, 3, 1, NO_NUMBER, 3, 1, INFINITE, 3, 1, -INFINITE, 3, -3, -1, -2) },
      { U(4, 2, PM_ID_NAN, PM_ID_NAN, PM_ID_NAN, PM_ID_NAN, PM_ID_NAN, PM_ID_NAN, 1, 2), F(4, 2, 0, 0, 0, 0, 0, 0, -1, -2) } },
    { PM_OP_TOP_K, "all columns, signs and zero", { DIM(5) }, { F(1, 5, -1, 2, 0, -3e30f, 3e30f) }, { U(1, 5, 4, 1, 2, 0, 3), F(1, 5, 3e30f, 2, 0, -1, -3e30f) } },
    { PM_OP_TAKE_COLS, "", { DIM(0) }, { F(2, 3, 1, 2, 3, 4, 5, 6), U(2, 2, 2, 0, 1, 1) }, { F(2, 2, 3, 1, 5, 5) } },
    { PM_OP_RANK_TARGET, "count, ties, NaN inside and beyond", { DIM(0) },
      { F(5, 5, 2, 3, 2, 1, 9, 2, 3, 2, 1, 9, 2, NO_NUMBER, 2, 1, 9, 2, 3, NO_NUMBER, 1, 9, 1, 2, 3, 4, 5), U(5, 1, 4, 5, 3, 2, 0) },
      { U(5, 1, 1, 2, PM_ID_NAN, 1, 0), U(5, 1, 1, 1, PM_ID_NAN, 0, 0) } },
    { PM_OP_COUNT_REACHING, "on an edge, below all, above all, NaN", { DIM(0) },
      { F(3, 4, 1, -2, 3, 3, -0.0f, 0, 5, -9, 1, NO_NUMBER, 2, 3), F(1, 4, 3, 0, -100, 9) },
      { U(3, 4, 2, 3, 4, 0, 1, 3, 4, 0, PM_ID_NAN, PM_ID_NAN, PM_ID_NAN, PM_ID_NAN) } },
    { PM_OP_COUNT_REACHING, "more edges than one pass of a shader counts", { DIM(0) }, { F(1, 3, 1, 2, 3), F(1, 10, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4) },
      { U(1, 10, 3, 3, 2, 1, 0, 3, 3, 2, 1, 0) } },

    { PM_OP_TICK, "within an epoch", { DIM(0) }, { STATE(7, 2, 4, 4, 10, 4, 3, 1, 5, 6) }, { STATE(8, 2, 8, 2, 10, 4, 4, 1, 5, 6) } },
    { PM_OP_TICK, "across the end of an epoch", { DIM(0) }, { STATE(8, 2, 8, 2, 10, 4, 4, 1, 5, 6) }, { STATE(9, 3, 0, 4, 10, 4, 5, 1, 5, 6) } },
    { PM_OP_TICK, "a batch as long as the data, and longer", { DIM(0) }, { STATE(0, 0, 0, 3, 3, 8) }, { STATE(1, 1, 0, 3, 3, 8, 1) } },
    { PM_OP_EPOCH_ROWS, "an order computed apart, the last batch", { DIM(4), WORD(0) }, { STATE(0, 0, 8, 2, 10, 4) }, { U(1, 4, 4, 3, 0, 0) } },
    { PM_OP_EPOCH_ROWS, "all of it", { DIM(10), WORD(0) }, { STATE(0, 0, 0, 10, 10, 10) }, { U(1, 10, 5, 8, 0, 1, 6, 2, 7, 9, 4, 3) } },
    { PM_OP_EPOCH_ROWS, "seed, stream, phase and epoch", { DIM(7), WORD(9) }, { STATE(99, 3, 0, 7, 7, 7, 0, 1, 7, 5) }, { U(1, 7, 2, 6, 3, 0, 1, 5, 4) } },
    { PM_OP_EPOCH_ROWS, "a single row", { DIM(2), WORD(0) }, { STATE(0, 5, 0, 1, 1, 2) }, { U(1, 2, 0, 0) } },
    { PM_OP_NEXT_ROWS, "", { DIM(4) }, { STATE(0, 0, 8, 2, 10, 4) }, { U(1, 4, 8, 9, 0, 0) } },
    { PM_OP_SCHEDULE_ROW, "slot 5 of 3 rows", { DIM(0) }, { F(3, 2, 1, 2, 3, 4, 5, 6), STATE(0, 0, 0, 0, 0, 0, 5) }, { F(1, 2, 5, 6) } },
    { PM_OP_LOG_ROW, "slot 4 of 3 rows", { DIM(0) }, { F(1, 2, 8, 9), STATE(0, 0, 0, 0, 0, 0, 4), F(3, 2, 1, 2, 3, 4, 5, 6) }, { F(3, 2, 1, 2, 8, 9, 5, 6) } },
    { PM_OP_PUT_ROWS, "2 live rows at 1", { DIM(0) }, { F(3, 1, 7, 8, 9), STATE(0, 0, 1, 2, 4, 3), F(4, 1, 1, 2, 3, 4) }, { F(4, 1, 1, 7, 8, 4) } },
    { PM_OP_PUT_ROWS, "nothing past the end", { DIM(0) }, { U(3, 1, 7, 8, 9), STATE(0, 0, 3, 3, 6, 3), U(4, 1, 1, 2, 3, 4) }, { U(4, 1, 1, 2, 3, 7) } },
};

// ---- running one ---------------------------------------------------------------------------------------------------

static pm_params pack(const known *k)
{
    const pm_signature *s = &pm_op_table[k->op].sig;
    pm_params packed = { { 0 } };
    for (int i = 0, n = 0; i < s->params; i++) {
        if (s->param[i].kind == PM_PARAM_DIM) continue;
        packed.word[n++] = s->param[i].kind == PM_PARAM_FLAG ? k->args[i].flag : k->args[i].word;    // a float's bits are a word's
    }
    return packed;
}

// Every operand in a buffer of its own, dense; outputs start as guard words.
static pm_status lay_out(const known *k, pm_case *c)
{
    const pm_signature *s = &pm_op_table[k->op].sig;
    pm_shape shapes[PM_MAX_OPERANDS] = { { 0, 0 } };
    pm_dtype dtypes[PM_MAX_OPERANDS] = { PM_F32 };
    for (int i = 0; i < s->ins; i++) {
        shapes[i] = (pm_shape){ k->in[i].rows, k->in[i].cols };
        dtypes[i] = k->in[i].u ? PM_U32 : PM_F32;
    }
    c->op = k->op;
    c->params = pack(k);
    PM_TRY(pm_op_bind(c, k->op, shapes, dtypes, k->args, &c->dims));
    c->images = s->ins + s->outs + s->temps;
    for (int i = 0; i < c->images; i++) {
        const pm_shape shape = i < s->ins ? shapes[i] : pm_op_out_shape(k->op, i - s->ins, &c->dims);
        const pm_dtype dtype = i < s->ins ? dtypes[i] : pm_op_out_dtype(k->op, i - s->ins, dtypes);
        c->operand[i] = (pm_operand){ .buffer = i, .rows = shape.rows, .cols = shape.cols, .stride = shape.cols, .dtype = dtype };
        c->words[i] = shape.rows * shape.cols;
        c->image[i] = pm_new_array(c, uint32_t, c->words[i]);
        PM_CHECK_ALLOC(c->image[i]);
        for (int64_t j = 0; j < c->words[i]; j++) c->image[i][j] = PM_CASE_GUARD;
        const void *data = i < s->ins ? (k->in[i].u ? (const void *)k->in[i].u : (const void *)k->in[i].f) : NULL;
        if (!data) continue;
        memcpy(c->image[i], data, (size_t)c->words[i] * 4);
    }
    return PM_OK;
}

// Floats agree to a few units in the last place, and exactly where the op's bound is 0.
static bool agree(pm_op op, const matrix *want, int64_t at, uint32_t word)
{
    if (want->u) return want->u[at] == word;
    float y;
    memcpy(&y, &word, 4);
    const float x = want->f[at];
    if (isnan(x)) return isnan(y);
    if (pm_op_table[op].bound == 0) return x == y;
    return fabs((double)y - x) <= 1e-6 * fabs((double)x) + (x == 0 ? 1e-7 : 0);
}

static bool check(const known *k, const pm_case *c, uint32_t *const *results)
{
    const pm_signature *s = &pm_op_table[k->op].sig;
    int slot = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int o = pass ? 0 : s->ins; o < (pass ? s->ins : s->ins + s->outs); o++) {
            if (pass && !s->operand[o].inout) continue;
            const matrix *want = &k->out[slot++];
            if (want->rows != c->operand[o].rows || want->cols != c->operand[o].cols) {
                printf("%s (%s): %s is [%d, %d], the known answer [%d, %d]\n", pm_op_name(k->op), k->what, s->operand[o].name,
                       (int)c->operand[o].rows, (int)c->operand[o].cols, (int)want->rows, (int)want->cols);
                return false;
            }
            for (int64_t i = 0; i < want->rows * want->cols; i++) {
                if (agree(k->op, want, i, results[o][i])) continue;
                float y;
                memcpy(&y, &results[o][i], 4);
                printf("%s (%s): %s[%d] is %.9g (%08" PRIx32 ")", pm_op_name(k->op), k->what, s->operand[o].name, (int)i, (double)y, results[o][i]);
                if (want->u) printf(" and should be %" PRIu32 "\n", want->u[i]);
                else printf(" and should be %.9g\n", (double)want->f[i]);
                return false;
            }
        }
    return true;
}

pm_status suite_known(suite *s, int *ran, int *failed)
{
    const bool vulkan = pm_name_equal(pm_device_get_info(s->device)->backend, "vulkan");
    for (int i = 0; i < PM_COUNT(cases); i++) {
        const known *k = &cases[i];
        if ((s->only && !pm_name_equal(s->only, pm_op_name(k->op))) || (vulkan && !pm_op_table[k->op].vulkan)) continue;
        uint32_t *results[PM_MAX_OPERANDS] = { 0 };
        pm_case *c = pm_new(s->device, pm_case);
        PM_CHECK_ALLOC(c);
        pm_status st = lay_out(k, c);
        if (st == PM_OK) st = pm_proof_run(c, s->device, c, results);
        if (st == PM_OK) {
            ++*ran;
            *failed += !check(k, c, results);
        } else if (st != PM_ERR_UNSUPPORTED) {
            pm_free(c);
            return st;
        }
        pm_free(c);
    }
    return PM_OK;
}
