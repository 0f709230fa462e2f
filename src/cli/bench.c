// bench ops: each op at the lengths that the models use, one program of one op, timed by the device where it can tell.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend/cases.h"
#include "cli/cli.h"
#include "graph/graph.h"

enum { MOST_REPETITIONS = 15, QUICK = 8 };

static const double default_seconds = 1.0, least_sample = 0.005;

// What a letter of a signature stands for in Mult-VAE on ML-20M: batch 500, 20,108 items, 600 and 200 units, 144 items a user.
// Lines with an op come first and hold for it alone.
typedef struct length_rule {
    const char *op;
    char        symbol;
    int64_t     length;
    bool        fixed;    // also with --quick
} length_rule;

static const length_rule rules[] = {
    { "adam", 'R', 20108, false },      { "adam", 'C', 600, false },         { "add_row", 'C', 600, false },
    { "tanh", 'C', 600, false },        { "tanh_grad", 'C', 600, false },    { "normal", 'C', 200, false },
    { "matmul", 'K', 600, false },      { "top_k", 'K', 100, true },         { "take_cols", 'K', 100, true },
    { "kl_gaussian", 'K', 200, false }, { "rank_target", 'C', 101, true },   { "place", 'C', 200, false },
    { "place", 'Q', 400, false },       { "schedule_row", 'C', 4, true },    { "log_row", 'C', 1, true },
    { "put_rows", 'C', 100, true },     { "gather_rows", 'C', 600, false },  { "csr_col_count", 'C', 20108, false },
    { NULL, 'B', 500, false },          { NULL, 'R', 500, false },           { NULL, 'P', 500, false },
    { NULL, 'M', 500, false },          { NULL, 'I', 20108, false },         { NULL, 'C', 20108, false },
    { NULL, 'N', 20108, false },        { NULL, 'Q', 20108, false },         { NULL, 'H', 600, false },
    { NULL, 'K', 200, false },          { NULL, 'U', 4000, false },          { NULL, 'Z', 576000, false },
    { NULL, 'E', 72000, false },        { NULL, 'T', 256, true },
};

// The products of a dense layer: forward, the gradient of its input, that of its weights.
typedef struct variant {
    const char *op, *label;
    bool        flags[2];
    int64_t     lengths[3];    // of the first symbols; 0: by the rules
} variant;

static const variant variants[] = {
    { "matmul", "matmul", { false, false }, { 500, 600, 20108 } },
    { "matmul", "matmul, b transposed", { false, true }, { 500, 20108, 600 } },
    { "matmul", "matmul, a transposed", { true, false }, { 600, 500, 20108 } },
};

typedef struct bench {
    pm_cli     *cli;
    pm_device  *device;
    cJSON      *rows;    // NULL: a table
    pm_grid    *grid;
    double      seconds;
    bool        quick;
} bench;

typedef struct timing {
    double median, least, most, flops, bytes;
    int    repetitions;
    bool   by_device;
    char   shape[128];
} timing;

// ---- lengths -------------------------------------------------------------------------------------------------------

static int64_t scaled(const bench *b, int64_t length)
{
    return b->quick ? PM_MAX(1, length / QUICK) : length;
}

static int64_t length_of(const bench *b, const char *op, char symbol)
{
    for (int i = 0; i < PM_COUNT(rules); i++)
        if (rules[i].symbol == symbol && (!rules[i].op || pm_name_equal(rules[i].op, op)))
            return rules[i].fixed ? rules[i].length : scaled(b, rules[i].length);
    return scaled(b, 1000);
}

static void choose_lengths(const bench *b, pm_op op, const variant *v, int64_t *lengths)
{
    const pm_signature *sig = &pm_op_table[op].sig;
    for (int i = 0; i < sig->symbols; i++) {
        lengths[i] = length_of(b, pm_op_table[op].name, sig->symbol[i]);
        if (v && i < PM_COUNT(v->lengths) && v->lengths[i]) lengths[i] = scaled(b, v->lengths[i]);
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

static void describe_shape(pm_op op, const int64_t *lengths, char *text, size_t size)
{
    const pm_signature *sig = &pm_op_table[op].sig;
    size_t at = 0;
    text[0] = 0;
    for (int i = 0; i < sig->symbols && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%c=%" PRId64, i ? " " : "", sig->symbol[i], lengths[i]);
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

// Waits for all work: reading is what waits.
static pm_status settle(pm_store *store)
{
    if (!pm_store_count(store)) return PM_OK;
    const char *name = pm_store_name(store, pm_store_count(store) - 1);
    int64_t cols;
    pm_store_find(store, name, NULL, NULL, &cols);
    void *row = pm_new_array(store, float, cols);
    PM_CHECK_ALLOC(row);
    const pm_status st = pm_store_read_rows(store, name, 0, 1, row);
    pm_free(row);
    return st;
}

static pm_status time_once(pm_store *store, pm_program *program, int64_t runs, double *seconds)
{
    const double start = pm_clock();
    PM_TRY(pm_program_run(program, runs));
    PM_TRY(settle(store));
    *seconds = (pm_clock() - start) / (double)runs;
    return PM_OK;
}

static double device_seconds(const pm_program *program)
{
    pm_program_op ops[8];
    const int count = PM_MIN(pm_program_profile(program, ops, PM_COUNT(ops)), PM_COUNT(ops));
    double sum = 0;
    for (int i = 0; i < count; i++) sum += ops[i].seconds;
    return sum;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static pm_status measure(const bench *b, pm_store *store, pm_program *program, timing *t)
{
    double samples[MOST_REPETITIONS], first, total = 0;
    PM_TRY(time_once(store, program, 1, &first));    // warms caches and pipelines
    PM_TRY(time_once(store, program, 1, &first));
    const int64_t runs = first >= least_sample ? 1 : (int64_t)PM_MIN(ceil(least_sample / PM_MAX(first, 1e-7)), 10000.0);
    t->by_device = device_seconds(program) > 0;
    for (t->repetitions = 0; t->repetitions < MOST_REPETITIONS && (total < b->seconds || !t->repetitions); t->repetitions++) {
        PM_REQUIRE(b->cli->ctx, !pm_ctx_cancelled(b->cli->ctx), PM_ERR_CANCELLED, "interrupted");
        double seconds;
        PM_TRY(time_once(store, program, t->by_device ? 1 : runs, &seconds));
        total += seconds * (double)(t->by_device ? 1 : runs);
        samples[t->repetitions] = t->by_device ? device_seconds(program) : seconds;
    }
    qsort(samples, (size_t)t->repetitions, sizeof *samples, compare_doubles);
    t->median = samples[t->repetitions / 2];
    t->least = samples[0];
    t->most = samples[t->repetitions - 1];
    const pm_program_stats stats = pm_program_get_stats(program);
    t->flops = stats.flops;
    t->bytes = stats.bytes;
    return PM_OK;
}

static pm_status bench_op(const bench *b, pm_op op, const variant *v, timing *t)
{
    int64_t lengths[PM_MAX_SYMBOLS];
    choose_lengths(b, op, v, lengths);
    *t = (timing){ 0 };
    describe_shape(op, lengths, t->shape, sizeof t->shape);
    pm_store *store;
    pm_case *c = NULL;
    pm_program *program = NULL;
    PM_TRY(pm_store_create(b->device, &store));
    pm_status st = pm_case_make(b->cli->ctx, op, index_of_flags(op, v), &(pm_case_params){ .plain = true, .lengths = lengths }, &c);
    if (st == PM_OK) st = upload_inputs(store, c);
    if (st == PM_OK) st = capture(store, c, &program);
    if (st == PM_OK) st = measure(b, store, program, t);
    pm_program_destroy(&program);
    pm_free(c);
    pm_store_destroy(&store);
    return st;
}

// ---- the command ---------------------------------------------------------------------------------------------------

static void show_row(const bench *b, const char *name, const timing *t, const char *problem)
{
    if (b->rows) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddItemToArray(b->rows, row);
        cJSON_AddStringToObject(row, "op", name);
        cJSON_AddStringToObject(row, "shape", t->shape);
        if (problem) {
            cJSON_AddStringToObject(row, "problem", problem);
            return;
        }
        cJSON_AddNumberToObject(row, "seconds", t->median);
        cJSON_AddNumberToObject(row, "least", t->least);
        cJSON_AddNumberToObject(row, "most", t->most);
        cJSON_AddNumberToObject(row, "repetitions", t->repetitions);
        cJSON_AddStringToObject(row, "clock", t->by_device ? "device" : "host");
        cJSON_AddNumberToObject(row, "flops", t->flops);
        cJSON_AddNumberToObject(row, "bytes", t->bytes);
        return;
    }
    pm_grid_cell(b->grid, "%s", name);
    pm_grid_cell(b->grid, "%s", t->shape);
    if (problem) {
        for (int i = 0; i < 4; i++) pm_grid_cell(b->grid, "-");
        pm_grid_cell(b->grid, "%s", problem);
        return;
    }
    pm_grid_cell(b->grid, "%.4g", 1e3 * t->median);
    pm_grid_cell(b->grid, "%.4g … %.4g", 1e3 * t->least, 1e3 * t->most);
    pm_grid_cell(b->grid, "%.3g", t->flops / t->median / 1e9);
    pm_grid_cell(b->grid, "%.3g", t->bytes / t->median / 1e9);
    pm_grid_cell(b->grid, "%d, %s", t->repetitions, t->by_device ? "device" : "host");
}

// What a device cannot do is a row; what else goes wrong ends the command.
static pm_status bench_row(const bench *b, pm_op op, const variant *v)
{
    timing t;
    const char *name = v ? v->label : pm_op_table[op].name;
    const pm_status st = bench_op(b, op, v, &t);
    if (st != PM_OK && st != PM_ERR_UNSUPPORTED && st != PM_ERR_DEVICE_MEMORY) return st;
    show_row(b, name, &t, st == PM_OK ? NULL : pm_ctx_message(b->cli->ctx));
    return PM_OK;
}

static pm_status bench_all(const bench *b, const char *only)
{
    const double start = pm_clock();
    for (int op = 0; op < PM_OP_COUNT; op++) {
        const char *name = pm_op_table[op].name;
        if (only && !pm_name_equal(only, name)) continue;
        pm_report_progress(b->cli->ctx, &(pm_progress){ "bench", "ops", name, op, PM_OP_COUNT, pm_clock() - start });
        bool varied = false;
        for (int i = 0; i < PM_COUNT(variants); i++)
            if (pm_name_equal(variants[i].op, name)) {
                varied = true;
                PM_TRY(bench_row(b, (pm_op)op, &variants[i]));
            }
        if (!varied) PM_TRY(bench_row(b, (pm_op)op, NULL));
    }
    return PM_OK;
}

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

static pm_status open_output(bench *b, bool as_json)
{
    if (as_json) {
        b->rows = cJSON_CreateArray();
        return PM_OK;
    }
    PM_TRY(pm_grid_create(b->cli->ctx, "llrrrrl", &b->grid));
    static const char *const heads[] = { "op", "shape", "median ms", "least … most", "GFLOP/s", "GB/s", "times, clock" };
    for (int i = 0; i < PM_COUNT(heads); i++) pm_grid_cell(b->grid, "%s", heads[i]);
    return PM_OK;
}

static pm_status close_output(bench *b)
{
    const pm_device_info *info = pm_device_get_info(b->device);
    if (b->grid) {
        printf("%s: %s (%s)\n\n", info->id, info->name, pm_device_profile(b->device));
        return pm_grid_print(&b->grid, true);
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "device", info->id);
    cJSON_AddStringToObject(json, "name", info->name);
    cJSON_AddStringToObject(json, "profile", pm_device_profile(b->device));
    cJSON_AddBoolToObject(json, "quick", b->quick);
    cJSON_AddItemToObject(json, "ops", b->rows);
    b->rows = NULL;
    return pm_cli_print_json(b->cli, json);
}

static pm_status run_bench(pm_cli *cli)
{
    const char *only = pm_cli_text(cli, "op");
    bench b = { .cli = cli, .quick = pm_cli_has(cli, "quick"), .seconds = pm_cli_number(cli, "seconds", default_seconds) };
    if (only) PM_TRY(check_op_name(cli, only));
    PM_TRY(pm_device_open(cli->ctx, &(pm_device_params){ .name = pm_cli_text(cli, "device") }, &b.device));
    pm_status st = open_output(&b, pm_cli_has(cli, "json"));
    if (st == PM_OK) st = bench_all(&b, only);
    if (st == PM_OK) st = close_output(&b);
    cJSON_Delete(b.rows);
    pm_device_close(&b.device);
    return st;
}

static const pm_option_group bench_group = { "Measuring", (const pm_option[]){
    PM_TEXT("op", 0, "NAME", "this op alone"),
    PM_FLAG("quick", 0, "lengths an eighth as long, for slow devices"),
    PM_NUMBER("seconds", 0, "X", 0, 3600, "how long to repeat each op, at most 15 times. Default: 1"),
    { 0 } } };

const pm_cli_command pm_cli_bench_ops = {
    .name = "bench ops", .operands = "[OPTION]…",
    .summary = "Times each op at the lengths of Mult-VAE on ML-20M: batch 500, 20108 items, 600 units.",
    .text = "Prints the median with the least and the most of the repetitions, and the rates that follow from the operations counted and the "
            "bytes that must move at least. Clock \"device\" is the device's own; \"host\" includes starting and waiting.",
    .examples = "bench ops --device vulkan\nbench ops --op matmul --quick --json", .computes = true, .run = run_bench,
    .groups = (const pm_option_group *const[]){ &bench_group, &pm_group_device, &pm_group_common, NULL },
};
