// bench ops: each op at lengths that the models use and at odd ones, one program of one op.
#include <math.h>
#include <stdio.h>

#include "backend/cases.h"
#include "cli/bench/bench.h"
#include "graph/graph.h"

enum { QUICK = 8 };

// What a letter of a signature stands for in Mult-VAE on ML-20M: batch 500, 20,108 items, 600 and 200 units, 144 items a user; and
// an odd length for it. Lines with an op come first and hold for it alone.
typedef struct length_rule {
    const char *op;
    char        symbol;
    int64_t     length, odd;
    bool        fixed;    // also with --quick
} length_rule;

static const length_rule rules[] = {
    { "adam", 'R', 20108, 129, false },    { "adam", 'C', 600, 1009, false },       { "add_row", 'C', 600, 1009, false },
    { "tanh", 'C', 600, 1009, false },     { "tanh_grad", 'C', 600, 1009, false },  { "normal", 'C', 200, 1009, false },
    { "matmul", 'K', 600, 129, false },    { "top_k", 'K', 100, 31, true },         { "take_cols", 'K', 100, 31, true },
    { "kl_gaussian", 'K', 200, 31, false }, { "rank_target", 'C', 101, 31, true },  { "place", 'C', 200, 129, false },
    { "count_reaching", 'K', 7, 7, true },
    { "place", 'Q', 400, 1009, false },    { "schedule_row", 'C', 4, 1, true },     { "log_row", 'C', 1, 3, true },
    { "put_rows", 'C', 100, 31, true },    { "gather_rows", 'C', 600, 129, false }, { "csr_col_count", 'C', 20108, 1009, false },
    { NULL, 'B', 500, 31, false },         { NULL, 'R', 500, 129, false },          { NULL, 'P', 500, 131, false },
    { NULL, 'M', 500, 129, false },        { NULL, 'I', 20108, 1009, false },       { NULL, 'C', 20108, 1009, false },
    { NULL, 'N', 20108, 1009, false },     { NULL, 'Q', 20108, 1009, false },       { NULL, 'H', 600, 129, false },
    { NULL, 'K', 200, 31, false },         { NULL, 'U', 4000, 257, false },         { NULL, 'Z', 576000, 7967, false },
    { NULL, 'E', 72000, 961, false },      { NULL, 'T', 256, 257, true },
};

// The products of a dense layer: forward, the gradient of its input, that of its weights; and three that fit no tile.
typedef struct variant {
    const char *op, *label;
    bool        flags[2];
    int64_t     lengths[3];    // of the first symbols
    bool        odd;
} variant;

static const variant variants[] = {
    { "matmul", "matmul", { false, false }, { 500, 600, 20108 }, false },
    { "matmul", "matmul, b transposed", { false, true }, { 500, 20108, 600 }, false },
    { "matmul", "matmul, a transposed", { true, false }, { 600, 500, 20108 }, false },
    { "affine", "affine", { false, false }, { 500, 600, 20108 }, false },
    { "matmul_adam", "matmul_adam", { true, false }, { 600, 500, 20108 }, false },
    { "matmul", "matmul", { false, false }, { 1, 1009, 1000 }, true },
    { "matmul", "matmul, b transposed", { false, true }, { 129, 1009, 31 }, true },
    { "matmul", "matmul, a transposed", { true, false }, { 1009, 31, 129 }, true },
};

// ---- lengths -------------------------------------------------------------------------------------------------------

static int64_t scaled(const pm_bench *b, int64_t length)
{
    return b->quick ? PM_MAX(1, length / QUICK) : length;
}

static int64_t length_of(const pm_bench *b, const char *op, char symbol, bool odd)
{
    for (int i = 0; i < PM_COUNT(rules); i++)
        if (rules[i].symbol == symbol && (!rules[i].op || pm_name_equal(rules[i].op, op)))
            return odd ? rules[i].odd : rules[i].fixed ? rules[i].length : scaled(b, rules[i].length);
    return odd ? 129 : scaled(b, 1000);
}

static void choose_lengths(const pm_bench *b, pm_op op, const variant *v, bool odd, pm_dims *lengths)
{
    const pm_signature *sig = &pm_op_table[op].sig;
    for (int i = 0; i < sig->symbols; i++) {
        lengths->of[i] = length_of(b, pm_op_table[op].name, sig->symbol[i], odd);
        if (v && i < PM_COUNT(v->lengths)) lengths->of[i] = odd ? v->lengths[i] : scaled(b, v->lengths[i]);
    }
}

// The case whose flags are those wanted: flags are the digits of the index beyond those that choose lengths.
static int index_of_flags(pm_op op, const variant *v)
{
    const pm_signature *sig = &pm_op_table[op].sig;
    int flags = 0, index = 0;
    for (int i = 0; i < sig->params; i++)
        if (sig->param[i].kind == PM_PARAM_FLAG) {
            index |= v && flags < PM_COUNT(v->flags) && v->flags[flags] ? 1 << flags : 0;
            flags++;
        }
    return index * (pm_case_count(op) >> flags);
}

// ---- one op as a program -------------------------------------------------------------------------------------------

static pm_status upload_inputs(pm_store *store, const pm_case *c)
{
    const pm_signature *sig = &pm_op_table[c->op].sig;
    for (int i = 0; i < sig->ins; i++) {
        const pm_operand *o = &c->operand[i];
        PM_TRY(pm_store_add(store, sig->operand[i].name, o->dtype, o->rows, o->cols));
        PM_TRY(pm_store_write(store, sig->operand[i].name, pm_case_at(c, i, 0, 0)));    // a plain case is dense
    }
    return PM_OK;
}

static pm_status capture(pm_store *store, const pm_case *c, pm_program **out)
{
    const pm_signature *sig = &pm_op_table[c->op].sig;
    pm_graph *g;
    pm_var in[PM_MAX_OPERANDS], result[PM_MAX_OPERANDS];
    PM_TRY(pm_graph_create(store, &g));
    for (int i = 0; i < sig->ins; i++) in[i] = pm_constant(g, sig->operand[i].name);
    for (int i = 0; i < sig->ins; i++)
        if (sig->operand[i].inout) in[i] = pm_use(g, sig->operand[i].name);
    pm_graph_op(g, c->op, in, c->args, result);
    for (int i = 0; i < sig->outs; i++) {
        char name[32];
        snprintf(name, sizeof name, "out.%d", i);
        pm_output(g, result[i], name);
    }
    return pm_graph_compile(&g, out);
}

// ---- rows ----------------------------------------------------------------------------------------------------------

// A product is held against somebody else's at the very same size where there is one.
static pm_status rival_of(const pm_bench *b, const pm_program_op *op, pm_sgemm **out)
{
    const pm_backend *backend = b->device->backend;
    *out = NULL;
    return op->is_product && backend->sgemm_create ? backend->sgemm_create(b->device, &op->product, out) : PM_OK;
}

static pm_status measure(const pm_bench *b, pm_program *program, pm_bench_row *row)
{
    pm_program_op op;
    pm_sgemm *rival;
    pm_timing t;
    if (pm_program_profile(program, &op, 1) != 1) return pm_fail(b->cli->ctx, PM_ERR_ARG, "%s is not a program of one op", row->name);
    PM_TRY(rival_of(b, &op, &rival));
    const pm_status st = pm_bench_time(b, program, rival, &t);
    pm_free(rival);
    PM_TRY(st);
    row->time = t.time;
    row->host = t.host;
    row->by_device = t.by_device;
    row->flops = op.flops;
    row->bytes = op.bytes;
    if (op.is_product) pm_bench_against_sgemm(b, row, t.rival.count ? t.rival.median : 0);
    else pm_bench_against_copy(b, row);
    return pm_trace_program(b->trace, row->name, program);
}

static pm_status bench_case(const pm_bench *b, pm_op op, const variant *v, const pm_dims *lengths, pm_bench_row *row)
{
    pm_store *store;
    pm_case *c = NULL;
    pm_program *program = NULL;
    PM_TRY(pm_store_create(b->device, &store));
    pm_status st = pm_case_make(b->cli->ctx, op, index_of_flags(op, v), &(pm_case_params){ .plain = true, .lengths = lengths->of }, &c);
    if (st == PM_OK) st = upload_inputs(store, c);
    if (st == PM_OK) st = capture(store, c, &program);
    if (st == PM_OK) st = measure(b, program, row);
    pm_program_destroy(&program);
    pm_free(c);
    pm_store_destroy(&store);
    return st;
}

// What a device cannot do is a row; what else goes wrong ends the command.
static pm_status bench_row(pm_bench *b, pm_op op, const variant *v, bool odd)
{
    pm_dims lengths;
    pm_bench_row row = { .name = v ? v->label : pm_op_table[op].name };
    choose_lengths(b, op, v, odd, &lengths);
    pm_op_describe(op, &lengths, row.shape, sizeof row.shape);
    const pm_status st = bench_case(b, op, v, &lengths, &row);
    if (st == PM_ERR_UNSUPPORTED || st == PM_ERR_DEVICE_MEMORY) row.problem = pm_ctx_message(b->cli->ctx);
    else PM_TRY(st);
    pm_bench_add(b, &row);
    return PM_OK;
}

static pm_status bench_lengths(pm_bench *b, pm_op op, bool odd)
{
    bool varied = false;
    for (int i = 0; i < PM_COUNT(variants); i++) {
        if (variants[i].odd != odd || !pm_name_equal(variants[i].op, pm_op_table[op].name)) continue;
        varied = true;
        PM_TRY(bench_row(b, op, &variants[i], odd));
    }
    return varied ? PM_OK : bench_row(b, op, NULL, odd);
}

// ---- the command ---------------------------------------------------------------------------------------------------

static pm_status check_op_name(pm_cli *cli, const char *name)
{
    const char *names[PM_OP_COUNT];
    for (int i = 0; i < PM_OP_COUNT; i++) {
        names[i] = pm_op_table[i].name;
        if (pm_name_equal(names[i], name)) return PM_OK;
    }
    const char *near = pm_nearest_name(name, names, PM_OP_COUNT), *list = pm_cli_join(cli->ctx, names, PM_OP_COUNT);
    PM_CHECK_ALLOC(list);
    return pm_fail(cli->ctx, PM_ERR_ARG, "no op \"%s\"%s%s%s; there are: %s", name, near ? "; did you mean \"" : "", near ? near : "",
                   near ? "\"" : "", list);
}

static pm_status bench_ops(pm_bench *b)
{
    const char *only = pm_cli_text(b->cli, "op"), *lengths = pm_cli_text(b->cli, "lengths");
    const bool models = !lengths || !pm_name_equal(lengths, "odd"), odd = !lengths || !pm_name_equal(lengths, "models");
    const double start = pm_clock();
    pm_trace_track(b->trace, "bench ops");
    for (int op = 0; op < PM_OP_COUNT; op++) {
        const char *name = pm_op_table[op].name;
        if (only && !pm_name_equal(only, name)) continue;
        pm_report_progress(b->cli->ctx, &(pm_progress){ "bench", "ops", name, op, PM_OP_COUNT, pm_clock() - start });
        if (models) PM_TRY(bench_lengths(b, (pm_op)op, false));
        if (odd && pm_op_table[op].sig.symbols) PM_TRY(bench_lengths(b, (pm_op)op, true));
    }
    return PM_OK;
}

static pm_status run_ops(pm_cli *cli)
{
    const char *only = pm_cli_text(cli, "op");
    if (only) PM_TRY(check_op_name(cli, only));
    return pm_bench_run(cli, "ops", bench_ops);
}

static const pm_option_group ops_group = { "Which", (const pm_option[]){
    PM_TEXT("op", 0, "NAME", "this op alone"),
    PM_CHOICE("lengths", 0, "WHICH", "models|odd", "only those of Mult-VAE on ML-20M (with --quick an eighth of them), or only odd ones. Default: both"),
    { 0 } } };

const pm_cli_command pm_cli_bench_ops = {
    .name = "bench ops", .operands = "[OPTION]…",
    .summary = "Times each op at the lengths of Mult-VAE on ML-20M (batch 500, 20108 items, 600 units) and at odd ones.",
    .text = "Prints the median with the least and the most of the repetitions, the rates that follow from the operations counted and the "
            "bytes that must move at least, and the share of what this machine can do at best, measured first: products against the best "
            "matrix product known here, all else against copying memory. Clock \"device\" is the device's own; \"host ms\" is what a run "
            "takes beyond it.",
    .examples = "bench ops --device vulkan\nbench ops --op matmul --quick --json >old.json\nbench ops --op matmul --quick --compare old.json",
    .computes = true, .run = run_ops,
    .groups = (const pm_option_group *const[]){ &ops_group, &pm_group_bench, &pm_group_device, &pm_group_common, NULL },
};
