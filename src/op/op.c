// Binding shapes to a signature, and what follows from them.
#include "op/op.h"

#include <stdio.h>

#include "core/philox.h"

const char *pm_op_name(pm_op op)
{
    return (unsigned)op < PM_OP_COUNT ? pm_op_table[op].name : "?";
}

uint32_t pm_stream_number(const char *name)
{
    return pm_stream_of_name(name);
}

int64_t pm_dim_length(const pm_dim *dim, const pm_dims *dims)
{
    if (dim->symbol < 0) return dim->number;
    return (dims->of[dim->symbol] + dim->add + dim->div - 1) / dim->div;
}

pm_params pm_params_pack(pm_op op, const pm_arg *args)
{
    const pm_signature *s = &pm_op_table[op].sig;
    pm_params packed = { { 0 } };
    int n = 0;
    for (int i = 0; i < s->params; i++) {
        switch (s->param[i].kind) {
        case PM_PARAM_FLOAT: memcpy(&packed.word[n++], &args[i].number, 4); break;
        case PM_PARAM_U32: packed.word[n++] = args[i].word; break;
        case PM_PARAM_FLAG: packed.word[n++] = args[i].flag; break;
        case PM_PARAM_STREAM: packed.word[n++] = pm_stream_of_name(args[i].stream); break;
        case PM_PARAM_DIM: break;
        }
    }
    return packed;
}

// The stored shape of an operand as its signature spells it: swapped when its flag is set.
static void stored_dims(const pm_operand_sig *o, const pm_arg *args, pm_dim *rows, pm_dim *cols)
{
    const bool swap = o->transpose >= 0 && args && args[o->transpose].flag;
    *rows = swap ? o->cols : o->rows;
    *cols = swap ? o->rows : o->cols;
}

// Learns a plain symbol from a length; anything else is checked in the second pass.
static void learn(const pm_dim *d, int64_t length, pm_dims *dims)
{
    if (d->symbol >= 0 && d->div == 1 && dims->of[d->symbol] < 0) dims->of[d->symbol] = length - d->add;
}

static pm_status check_operand(const void *object, pm_op op, int i, pm_shape in, const pm_arg *args, const pm_dims *dims)
{
    const pm_op_info *info = &pm_op_table[op];
    pm_dim rows, cols;
    stored_dims(&info->sig.operand[i], args, &rows, &cols);
    const int64_t want_rows = pm_dim_length(&rows, dims), want_cols = pm_dim_length(&cols, dims);
    PM_REQUIRE(object, in.rows == want_rows && in.cols == want_cols, PM_ERR_SHAPE,
               "%s: operand %s is [%" PRId64 ", %" PRId64 "], the others ask for [%" PRId64 ", %" PRId64 "]; signature %s",
               info->name, info->sig.operand[i].name, in.rows, in.cols, want_rows, want_cols, info->text);
    PM_REQUIRE(object, info->sig.operand[i].domain != PM_DEFINITE || info->klass != PM_CLASS_ONE || in.rows <= PM_SPD_MOST, PM_ERR_UNSUPPORTED,
               "%s: operand %s is [%" PRId64 ", %" PRId64 "]; one workgroup factorises at most %d rows", info->name, info->sig.operand[i].name, in.rows,
               in.cols, PM_SPD_MOST);
    return PM_OK;
}

static pm_status check_relation(const void *object, pm_op op, const pm_param_sig *q, const pm_dims *dims)
{
    if (q->kind != PM_PARAM_DIM) return PM_OK;
    const pm_op_info *info = &pm_op_table[op];
    const int64_t value = dims->of[q->symbol];
    PM_REQUIRE(object, value >= 0, PM_ERR_ARG, "%s: %s = %" PRId64 " must not be negative", info->name, q->name, value);
    if (q->relation != '<' && q->relation != '>') return PM_OK;
    const int64_t other = dims->of[q->relation_to[0]];
    PM_REQUIRE(object, q->relation == '<' ? value <= other : value >= other, PM_ERR_SHAPE,
               "%s: %s = %" PRId64 " must be at %s %" PRId64 " (%c)", info->name, q->name, value,
               q->relation == '<' ? "most" : "least", other, info->sig.symbol[q->relation_to[0]]);
    return PM_OK;
}

pm_status pm_op_bind(const void *object, pm_op op, const pm_shape *in, const pm_dtype *dtypes, const pm_arg *args, pm_dims *dims)
{
    const pm_op_info *info = &pm_op_table[op];
    const pm_signature *s = &info->sig;
    for (int i = 0; i < PM_MAX_SYMBOLS; i++) dims->of[i] = -1;
    for (int i = 0; i < s->params; i++)
        if (s->param[i].kind == PM_PARAM_DIM) dims->of[s->param[i].symbol] = args[i].dim;
    for (int i = 0; i < s->ins; i++) {
        const pm_operand_sig *o = &s->operand[i];
        PM_REQUIRE(object, o->any32 || dtypes[i] == o->dtype, PM_ERR_DTYPE, "%s: operand %s is %s and must be %s", info->name,
                   o->name, dtypes[i] == PM_F32 ? "f32" : "u32", o->dtype == PM_F32 ? "f32" : "u32");
        pm_dim rows, cols;
        stored_dims(o, args, &rows, &cols);
        learn(&rows, in[i].rows, dims);
        learn(&cols, in[i].cols, dims);
    }
    for (int i = 0; i < s->ins; i++) PM_TRY(check_operand(object, op, i, in[i], args, dims));
    for (int i = 0; i < s->params; i++) PM_TRY(check_relation(object, op, &s->param[i], dims));
    return PM_OK;
}

pm_shape pm_op_out_shape(pm_op op, int index, const pm_dims *dims)
{
    const pm_signature *s = &pm_op_table[op].sig;
    const pm_operand_sig *o = &s->operand[s->ins + index];
    return (pm_shape){ pm_dim_length(&o->rows, dims), pm_dim_length(&o->cols, dims) };
}

pm_dtype pm_op_out_dtype(pm_op op, int index, const pm_dtype *in)
{
    const pm_signature *s = &pm_op_table[op].sig;
    const pm_operand_sig *o = &s->operand[s->ins + index];
    for (int i = 0; o->any32 && i < s->ins; i++)
        if (s->operand[i].any32) return in[i];
    return o->dtype;
}

static int64_t length_of(const pm_signature *s, const pm_dims *dims, char letter)
{
    for (int i = 0; i < s->symbols; i++)
        if (s->symbol[i] == letter) return dims->of[i];
    return -1;
}

bool pm_op_product(pm_op op, const pm_dims *dims, const pm_params *params, pm_product *out)
{
    const pm_signature *s = &pm_op_table[op].sig;
    if (pm_op_table[op].klass != PM_CLASS_MATMUL) return false;
    *out = (pm_product){ .m = length_of(s, dims, 'M'), .n = length_of(s, dims, 'N'), .k = length_of(s, dims, 'K') };
    for (int i = 0, word = 0; i < s->params; i++) {
        const bool set = s->param[i].kind == PM_PARAM_FLAG && params->word[word];
        if (strcmp(s->param[i].name, "ta") == 0) out->ta = set;
        if (strcmp(s->param[i].name, "tb") == 0) out->tb = set;
        word += s->param[i].kind != PM_PARAM_DIM;
    }
    return out->m > 0 && out->n > 0 && out->k > 0;
}

void pm_op_describe(pm_op op, const pm_dims *dims, char *text, size_t size)
{
    const pm_signature *s = &pm_op_table[op].sig;
    size_t at = 0;
    text[0] = 0;
    for (int i = 0; i < s->symbols && at < size; i++)
        if (dims->of[i] >= 0) at += (size_t)snprintf(text + at, size - at, "%s%c=%" PRId64, at ? " " : "", s->symbol[i], dims->of[i]);
}

// A solve: what its documentation gives as cost, with four iterations, and for a column ten sweeps that change a tenth of it.
static bool solve_flops(pm_op op, const pm_dims *dims, double *out)
{
    const pm_signature *s = &pm_op_table[op].sig;
    const double b = (double)length_of(s, dims, 'B'), e = (double)length_of(s, dims, 'E'), k = (double)length_of(s, dims, 'K');
    const double i = (double)length_of(s, dims, 'I');
    *out = op == PM_OP_ALS_CG ? 4 * (4 * e * k + 2 * b * k * k) : op == PM_OP_ALS_CHOLESKY ? e * k * k + b * k * k * k / 3 : 2 * b * i * i;
    return op == PM_OP_ALS_CG || op == PM_OP_ALS_CHOLESKY || op == PM_OP_SLIM_COLUMNS;
}

double pm_op_flops(pm_op op, const pm_dims *dims)
{
    const pm_op_info *info = &pm_op_table[op];
    const pm_signature *s = &info->sig;
    double solve;
    const double entries = (double)length_of(s, dims, 'E'), wide = (double)length_of(s, dims, 'Q');
    if (op == PM_OP_GP_FIT || op == PM_OP_GP_GRAD) {    // rows of m entries
        const double m = PM_MIN((double)length_of(s, dims, 'M'), entries);
        return entries * m * (op == PM_OP_GP_FIT ? 2 * m + 4 * wide : 8 * wide);
    }
    if (op == PM_OP_GP_SCORES) return 4 * entries * (double)length_of(s, dims, 'I') * wide;
    if (solve_flops(op, dims, &solve)) return solve;
    if (info->klass == PM_CLASS_MATMUL) return 2.0 * (double)dims->of[0] * (double)dims->of[1] * (double)dims->of[2];    // M, K, N
    const int growth = info->growth;
    double elements = 0;
    for (int i = s->ins; i < s->ins + s->outs; i++)
        elements += (double)pm_dim_length(&s->operand[i].rows, dims) * (double)pm_dim_length(&s->operand[i].cols, dims);
    if (op == PM_OP_PICK_SCORES || op == PM_OP_PICK_SUM) return 2.0 * elements * (double)PM_MAX(dims->of[growth], 1);
    if (op == PM_OP_SPMM || op == PM_OP_SPMM_AFFINE || op == PM_OP_SPMM_T || op == PM_OP_SPMM_T_AWAY || op == PM_OP_SPMM_T_ADAM ||
        op == PM_OP_SPMM_T_ADAGRAD) {
        const pm_operand_sig *y = &s->operand[s->outs ? s->ins : 3];    // as wide as the result
        return 2.0 * (double)PM_MAX(dims->of[growth], 1) * (double)pm_dim_length(&y->cols, dims);
    }
    if (op == PM_OP_SDDMM) return 2.0 * elements * (double)PM_MAX(dims->of[growth], 1);
    if (op == PM_OP_GRAM)    // entries of a, each times a row of x of middling length
        return 2.0 * (double)length_of(s, dims, 'F') * PM_MAX((double)length_of(s, dims, 'E') / (double)PM_MAX(length_of(s, dims, 'U'), 1), 1.0) + elements;
    if (op == PM_OP_SPD_INVERSE || op == PM_OP_CHOLESKY_INVERSE) return elements * 2.0 * (double)PM_MAX(dims->of[0], 1);
    for (int i = 0; i < s->ins; i++)
        if (s->operand[i].inout)
            elements += (double)pm_dim_length(&s->operand[i].rows, dims) * (double)pm_dim_length(&s->operand[i].cols, dims);
    return elements;
}

// The input that holds indices into symbol, NULL when there is none; offsets: the one that holds offsets into it.
static const pm_operand_sig *index_into(const pm_signature *s, int symbol, pm_domain domain)
{
    for (int i = 0; i < s->ins; i++)
        if (s->operand[i].domain == domain && s->operand[i].bound == symbol) return &s->operand[i];
    return NULL;
}

// Whether only operand o of the op has an axis of this symbol.
static bool is_alone(const pm_signature *s, const pm_operand_sig *o, int symbol)
{
    for (int i = 0; i < s->ins + s->outs; i++)
        if (&s->operand[i] != o && (s->operand[i].rows.symbol == symbol || s->operand[i].cols.symbol == symbol)) return false;
    return true;
}

// How much of an axis of an input is read or written: all of it, but of a table that indices point into no more than there are indices,
// and of one that the step state points into as many rows as the other operand has.
static double touched(const pm_signature *s, const pm_operand_sig *o, const pm_dim *axis, const pm_dims *dims)
{
    const double length = (double)pm_dim_length(axis, dims);
    if (axis->symbol < 0) return length;
    const pm_operand_sig *index = index_into(s, axis->symbol, PM_INDEX), *offsets = index_into(s, axis->symbol, PM_OFFSETS);
    if (offsets && s->outs && is_alone(s, offsets, offsets->cols.symbol) && index_into(s, offsets->cols.symbol, PM_INDEX))
        return PM_MIN(length, (double)pm_dim_length(&s->operand[s->ins].cols, dims));    // some rows of a resident matrix
    if (!is_alone(s, o, axis->symbol)) return length;
    if (index) {
        const bool by_row = axis == &o->cols && index->rows.symbol >= 0;
        return PM_MIN(length, (double)pm_dim_length(&index->cols, dims) * (by_row ? 1 : (double)pm_dim_length(&index->rows, dims)));
    }
    bool by_state = false;
    for (int i = 0; i < s->ins; i++) by_state |= s->operand[i].domain == PM_STATE;
    for (int i = 0; by_state && axis == &o->rows && i < s->ins + s->outs; i++)
        if (&s->operand[i] != o && s->operand[i].cols.symbol == o->cols.symbol)
            return PM_MIN(length, (double)pm_dim_length(&s->operand[i].rows, dims));
    return length;
}

double pm_op_bytes(pm_op op, const pm_dims *dims)
{
    const pm_signature *s = &pm_op_table[op].sig;
    double bytes = 0;
    for (int i = 0; i < s->ins + s->outs; i++) {
        const pm_operand_sig *o = &s->operand[i];
        const bool input = i < s->ins;
        const double rows = input ? touched(s, o, &o->rows, dims) : (double)pm_dim_length(&o->rows, dims);
        const double cols = input ? touched(s, o, &o->cols, dims) : (double)pm_dim_length(&o->cols, dims);
        bytes += 4.0 * (1 + o->inout) * rows * cols;
    }
    return bytes;
}
