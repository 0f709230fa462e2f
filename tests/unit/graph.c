// Graphs: errors in capture, dead code, the memory plan, places used twice, outputs, views, gradients, noise names, a growing arena.
#define _DEFAULT_SOURCE
#include "train_help.h"

#include <math.h>

#include "core/philox.h"
#include "graph/plan.h"
#include "train/session.h"

typedef struct bench {
    pm_device *device;
    pm_store  *store;
    pm_graph  *g;
} bench;

static void begin(bench *b)
{
    assert_int_equal(pm_graph_create(b->store, &b->g), PM_OK);
}

static bench open_bench(const fixture *f)
{
    bench b = { 0 };
    assert_int_equal(pm_device_open(f->ctx, &(pm_device_params){ .name = "ref" }, &b.device), PM_OK);
    assert_int_equal(pm_store_create(b.device, &b.store), PM_OK);
    begin(&b);
    return b;
}

static void close_bench(bench *b)
{
    pm_graph_destroy(&b->g);
    pm_store_destroy(&b->store);
    pm_device_close(&b->device);
}

// A tensor that holds 1, 2, 3, … times `scale`.
static void add_tensor(const bench *b, const char *name, int64_t rows, int64_t cols, float scale)
{
    float values[4096];
    assert_true(rows * cols <= PM_COUNT(values));
    for (int64_t i = 0; i < rows * cols; i++) values[i] = scale * (float)(i + 1);
    assert_int_equal(pm_store_add(b->store, name, PM_F32, rows, cols), PM_OK);
    assert_int_equal(pm_store_write(b->store, name, values), PM_OK);
}

static pm_program *compiled(bench *b)
{
    pm_program *p;
    if (pm_graph_compile(&b->g, &p) != PM_OK) fail_msg("%s", pm_ctx_message(pm_ctx_of(b->store)));
    assert_null(b->g);
    return p;
}

static pm_program *run(bench *b)
{
    pm_program *p = compiled(b);
    assert_int_equal(pm_program_run(p, 1), PM_OK);
    return p;
}

static void expect(const bench *b, const char *name, int count, const float *want)
{
    float got[4096];
    int64_t rows, cols;
    assert_true(pm_store_find(b->store, name, NULL, &rows, &cols));
    assert_int_equal(rows * cols, count);
    assert_int_equal(pm_store_read(b->store, name, got), PM_OK);
    for (int i = 0; i < count; i++)
        if (got[i] != want[i]) fail_msg("%s[%d] is %g, not %g", name, i, (double)got[i], (double)want[i]);
}
#define EXPECT(b, name, ...) expect(b, name, (int)(sizeof((float[]){ __VA_ARGS__ }) / sizeof(float)), (const float[]){ __VA_ARGS__ })

// ---- capture -------------------------------------------------------------------------------------------------------

static void first_error_is_kept(void **state)
{
    fixture *f = *state;
    bench b = open_bench(f);
    add_tensor(&b, "a", 2, 3, 1);
    add_tensor(&b, "b", 5, 4, 1);
    int64_t rows = 7, cols = 7;
    const pm_var bad = pm_matmul(b.g, pm_use(b.g, "a"), pm_use(b.g, "b"), false, false);
    assert_true(bad.id < 0);
    assert_int_equal(pm_graph_status(b.g), PM_ERR_SHAPE);
    pm_shape_of(b.g, bad, &rows, &cols);
    assert_true(rows == 0 && cols == 0);
    // everything after it is a no-op that changes nothing
    assert_true(pm_use(b.g, "no such tensor").id < 0);
    assert_true(pm_add(b.g, bad, bad).id < 0);
    assert_true(pm_slice(b.g, bad, 0, 99, 0, 99).id < 0);
    assert_true(pm_gradient(b.g, bad).id < 0);
    pm_output(b.g, bad, "out");
    pm_backward(b.g, &bad, 1);
    pm_graph_label(b.g, "label");
    pm_graph_fail(b.g, PM_ERR_ARG, "too late");
    assert_false(pm_store_find(b.store, "out", NULL, NULL, NULL));
    pm_program *p = (pm_program *)&b;
    assert_int_equal(pm_graph_compile(&b.g, &p), PM_ERR_SHAPE);
    assert_null(p);
    assert_null(b.g);
    says(f, "matmul");
    says(f, "[5, 4]");
    says(f, "[3, 4]");
    close_bench(&b);
}

typedef void mistake(bench *b);

static void unknown_tensor(bench *b)
{
    pm_use(b->g, "wieghts");
}

static void slice_beyond(bench *b)
{
    pm_slice(b->g, pm_use(b->g, "a"), 1, 2, 0, 3);
}

static void slice_of_nothing(bench *b)
{
    pm_slice(b->g, pm_use(b->g, "a"), 0, 0, 0, 3);
}

static void slice_far(bench *b)
{
    pm_slice(b->g, pm_use(b->g, "a"), INT64_MAX, 2, 0, 1);
}

static void never_a_value(bench *b)
{
    pm_tanh(b->g, (pm_var){ 1000 });
}

static void poison_at_once(bench *b)
{
    pm_tanh(b->g, (pm_var){ -1 });
}

static void too_large(bench *b)
{
    pm_fill(b->g, INT64_C(1) << 31, 8, 0);
}

static void wrong_output(bench *b)
{
    pm_output(b->g, pm_use(b->g, "a"), "n");
}

static void loss_of_nothing(bench *b)
{
    const pm_var none = { -1 };
    pm_backward(b->g, &none, 1);
}

static void same_noise(bench *b)
{
    const pm_var x = pm_use(b->g, "a"), s = pm_constant(b->g, "state");
    pm_dropout(b->g, pm_dropout(b->g, x, s, 0.5f, "drop"), s, 0.5f, "drop");
}

static void no_gradient(bench *b)
{
    const pm_var y = pm_gather_rows(b->g, pm_use(b->g, "a"), pm_constant(b->g, "n"));
    const pm_var loss = pm_tanh(b->g, y);
    pm_backward(b->g, &loss, 1);
}

static void mistakes_are_named(void **state)
{
    static const struct { mistake *make; pm_status status; const char *part; } mistakes[] = {
        { unknown_tensor, PM_ERR_NOT_FOUND, "wieghts" }, { slice_beyond, PM_ERR_SHAPE, "[2, 3]" }, { slice_of_nothing, PM_ERR_SHAPE, "slice" },
        { slice_far, PM_ERR_SHAPE, "slice" },            { never_a_value, PM_ERR_ARG, "no value" }, { poison_at_once, PM_ERR_ARG, "no value" },
        { too_large, PM_ERR_SHAPE, "fill" },             { wrong_output, PM_ERR_SHAPE, "\"n\"" },   { loss_of_nothing, PM_ERR_ARG, "loss 0" },
        { same_noise, PM_ERR_ARG, "\"drop\"" },          { no_gradient, PM_ERR_UNSUPPORTED, "gather_rows" },
    };
    fixture *f = *state;
    for (int i = 0; i < PM_COUNT(mistakes); i++) {
        bench b = open_bench(f);
        const uint32_t none[2] = { 0, 1 };
        add_tensor(&b, "a", 2, 3, 1);
        assert_int_equal(pm_store_add(b.store, "n", PM_U32, 1, 2), PM_OK);
        assert_int_equal(pm_store_write(b.store, "n", none), PM_OK);
        assert_int_equal(pm_store_add(b.store, "state", PM_U32, 1, 16), PM_OK);
        mistakes[i].make(&b);
        pm_program *p;
        const pm_status st = pm_graph_compile(&b.g, &p);
        if (st != mistakes[i].status) fail_msg("mistake %d: %s: %s", i, pm_status_name(st), pm_ctx_message(f->ctx));
        says(f, mistakes[i].part);
        close_bench(&b);
    }
}

// Streams are 24 bits of a hash: two names of the same number would draw the same noise.
static void noise_names_that_hash_alike(void **state)
{
    enum { NAMES = 20000 };
    fixture *f = *state;
    bench b = open_bench(f);
    uint32_t *seen = calloc(1 << 24, sizeof *seen);
    char one[24] = "", other[24] = "";
    for (uint32_t i = 1; i <= NAMES && !*other; i++) {
        snprintf(other, sizeof other, "noise %u", i);
        const uint32_t n = pm_stream_number(other);
        assert_true(n < 1u << 24);
        if (seen[n]) snprintf(one, sizeof one, "noise %u", seen[n]);
        else *other = 0;
        seen[n] = i;
    }
    free(seen);
    assert_true(*one && *other);
    assert_int_equal(pm_store_add(b.store, "state", PM_U32, 1, 16), PM_OK);
    pm_normal(b.g, pm_constant(b.g, "state"), 2, 2, one);
    assert_int_equal(pm_graph_status(b.g), PM_OK);
    assert_true(pm_normal(b.g, pm_constant(b.g, "state"), 2, 2, other).id < 0);
    says(f, "hash alike");
    says(f, one);
    close_bench(&b);
}

// ---- what runs -----------------------------------------------------------------------------------------------------

static void dead_nodes_go(void **state)
{
    bench b = open_bench(*state);
    add_tensor(&b, "a", 2, 2, 1);
    const pm_var a = pm_use(b.g, "a");
    pm_tanh(b.g, pm_exp(b.g, a));    // nobody wants it
    const pm_var kept = pm_scale(b.g, a, 2);
    pm_add(b.g, kept, a);    // nor this
    pm_output(b.g, pm_add(b.g, kept, kept), "y");
    pm_program *p = run(&b);
    assert_int_equal(pm_program_get_stats(p).nodes, 2);
    EXPECT(&b, "y", 4, 8, 12, 16);
    pm_program_op ops[4];
    assert_int_equal(pm_program_profile(p, ops, 4), 2);
    assert_string_equal(ops[0].op, "scale");
    assert_string_equal(ops[1].op, "add");
    assert_string_equal(ops[1].shape, "R=2 C=2");
    assert_false(ops[1].is_product);
    pm_program_destroy(&p);
    // nothing is wanted at all
    begin(&b);
    pm_tanh(b.g, pm_use(b.g, "a"));
    p = run(&b);
    assert_int_equal(pm_program_get_stats(p).nodes, 0);
    assert_int_equal(pm_program_run(p, 3), PM_OK);
    assert_int_equal(pm_program_run(p, 0), PM_OK);
    assert_int_equal(pm_program_run(p, -1), PM_ERR_ARG);
    pm_program_destroy(&p);
    close_bench(&b);
}

static void a_profile(void **state)
{
    bench b = open_bench(*state);
    pm_program_op ops[2];
    add_tensor(&b, "a", 3, 2, 1);
    add_tensor(&b, "b", 4, 3, 1);
    pm_graph_label(b.g, "layer");
    const pm_var y = pm_matmul(b.g, pm_use(b.g, "a"), pm_use(b.g, "b"), true, true);
    pm_graph_label(b.g, NULL);
    pm_output(b.g, pm_tanh(b.g, y), "y");
    pm_program *p = compiled(&b);
    assert_int_equal(pm_program_profile(p, ops, 2), 2);
    assert_true(ops[0].seconds == 0 && ops[1].seconds == 0);    // not run yet
    assert_int_equal(pm_program_run(p, 5), PM_OK);
    assert_int_equal(pm_program_profile(p, ops, 2), 2);
    assert_string_equal(ops[0].label, "layer");
    assert_string_equal(ops[0].shape, "M=2 K=3 N=4 ta tb");
    assert_true(ops[0].is_product && ops[0].product.ta && ops[0].product.tb);
    assert_true(ops[0].product.m == 2 && ops[0].product.k == 3 && ops[0].product.n == 4);
    assert_true(ops[0].flops == 48 && ops[0].bytes == 4 * (6 + 12 + 8));
    assert_true(ops[0].seconds > 0 && ops[1].seconds > 0);
    assert_true(ops[0].start == 0 && ops[1].start == ops[0].seconds);
    assert_int_equal(pm_program_profile(p, ops, 0), 2);
    pm_program_destroy(&p);
    close_bench(&b);
}

static void outputs(void **state)
{
    bench b = open_bench(*state);
    add_tensor(&b, "a", 2, 2, 1);
    add_tensor(&b, "kept", 2, 2, 10);
    const pm_var a = pm_use(b.g, "a"), old = pm_use(b.g, "kept");
    const pm_var sum = pm_add(b.g, a, old);    // reads "kept" before it is overwritten
    pm_output(b.g, pm_scale(b.g, a, 3), "kept");
    pm_output(b.g, sum, "sum");
    pm_output(b.g, sum, "sum again");                          // a value in two places
    pm_output(b.g, a, "copy");                                 // a store tensor
    pm_output(b.g, pm_slice(b.g, sum, 1, 1, 0, 2), "row");     // a view
    pm_output(b.g, pm_scale(b.g, pm_use(b.g, "sum"), 2), "twice");    // what was put out is used
    pm_program *p = run(&b);
    EXPECT(&b, "kept", 3, 6, 9, 12);
    EXPECT(&b, "sum", 11, 22, 33, 44);
    EXPECT(&b, "sum again", 11, 22, 33, 44);
    EXPECT(&b, "copy", 1, 2, 3, 4);
    EXPECT(&b, "row", 33, 44);
    EXPECT(&b, "twice", 22, 44, 66, 88);
    assert_int_equal(pm_program_run(p, 2), PM_OK);    // now with "kept" as the first run left it
    EXPECT(&b, "sum", 4, 8, 12, 16);
    pm_program_destroy(&p);
    close_bench(&b);
}

// A loop over the store: x ← x + 1, n times in one call.
static void programs_run_in_order(void **state)
{
    bench b = open_bench(*state);
    add_tensor(&b, "x", 1, 3, 1);
    pm_output(b.g, pm_add(b.g, pm_use(b.g, "x"), pm_fill(b.g, 1, 3, 1)), "x");
    pm_program *p = compiled(&b);
    assert_int_equal(pm_program_run(p, 40), PM_OK);
    EXPECT(&b, "x", 41, 42, 43);
    pm_program_destroy(&p);
    close_bench(&b);
}

static void a_growing_arena(void **state)
{
    bench b = open_bench(*state);
    add_tensor(&b, "a", 2, 2, 1);
    add_tensor(&b, "big", 60, 60, 0.5f);
    pm_output(b.g, pm_add(b.g, pm_scale(b.g, pm_use(b.g, "a"), 2), pm_use(b.g, "a")), "y");
    pm_program *small = run(&b), *large;
    EXPECT(&b, "y", 3, 6, 9, 12);
    int before, after;
    pm_store_arena(b.store, &before);
    begin(&b);
    const pm_var big = pm_use(b.g, "big");
    pm_output(b.g, pm_row_sum(b.g, pm_sub(b.g, pm_scale(b.g, big, 3), pm_scale(b.g, big, 2))), "sums");
    large = compiled(&b);
    pm_store_arena(b.store, &after);
    assert_true(after > before);    // the small program was prepared for an arena that is gone
    assert_true(pm_program_get_stats(large).arena > pm_program_get_stats(small).arena);
    add_tensor(&b, "never mind", 2, 2, 1);
    for (int i = 0; i < 3; i++) {
        const float changed[4] = { (float)i, 1, 2, 3 };
        float sums[60];
        assert_int_equal(pm_store_write(b.store, "a", changed), PM_OK);
        assert_int_equal(pm_program_run(small, 1), PM_OK);
        assert_int_equal(pm_program_run(large, 1), PM_OK);
        EXPECT(&b, "y", 3 * (float)i, 3, 6, 9);
        assert_int_equal(pm_store_read(b.store, "sums", sums), PM_OK);
        assert_true(sums[0] == 0.5f * 60 * 61 / 2);
    }
    pm_program_destroy(&small);
    pm_program_destroy(&large);
    close_bench(&b);
}

// ---- gradients -----------------------------------------------------------------------------------------------------

static void views_and_their_gradients(void **state)
{
    bench b = open_bench(*state);
    add_tensor(&b, "a", 3, 4, 1);
    const pm_var a = pm_use(b.g, "a");
    const pm_var inner = pm_slice(b.g, pm_slice(b.g, a, 1, 2, 0, 4), 0, 2, 1, 2);    // a view of a view: rows 1, 2, columns 1, 2
    const pm_var loss = pm_mul(b.g, inner, inner);
    const pm_var other = pm_scale(b.g, pm_slice(b.g, a, 0, 2, 1, 1), 100);    // overlaps it in one element
    const pm_var losses[2] = { loss, other };
    pm_backward(b.g, losses, 2);
    pm_output(b.g, inner, "inner");
    pm_output(b.g, pm_gradient(b.g, a), "da");
    pm_program *p = run(&b);
    EXPECT(&b, "inner", 6, 7, 10, 11);
    EXPECT(&b, "da", 0, 100, 0, 0, 0, 112, 14, 0, 0, 20, 22, 0);
    pm_program_destroy(&p);
    close_bench(&b);
}

static void backward_twice_adds(void **state)
{
    bench b = open_bench(*state);
    add_tensor(&b, "a", 1, 3, 1);
    add_tensor(&b, "c", 1, 3, 1);
    add_tensor(&b, "lone", 1, 3, 1);
    const pm_var a = pm_use(b.g, "a"), c = pm_constant(b.g, "c"), lone = pm_use(b.g, "lone");
    const pm_var square = pm_mul(b.g, a, a), cube = pm_mul(b.g, square, c);
    pm_backward(b.g, &square, 1);
    pm_output(b.g, pm_gradient(b.g, a), "once");
    pm_backward(b.g, &cube, 1);
    pm_backward(b.g, &square, 1);
    pm_output(b.g, pm_gradient(b.g, a), "sum");
    pm_output(b.g, pm_gradient(b.g, c), "dc");          // data: no gradient flows
    pm_output(b.g, pm_gradient(b.g, lone), "dlone");    // no loss depends on it
    pm_program *p = run(&b);
    EXPECT(&b, "once", 2, 4, 6);
    EXPECT(&b, "sum", 2 + 2 + 2, 4 + 4 * 2 + 4, 6 + 6 * 3 + 6);
    EXPECT(&b, "dc", 0, 0, 0);
    EXPECT(&b, "dlone", 0, 0, 0);
    pm_program_destroy(&p);
    close_bench(&b);
}

// ---- the memory plan -----------------------------------------------------------------------------------------------

enum { SIDE = 6, DEPTH = 40 };

// A random graph of SIDE × SIDE values and their row sums; deterministic in the seed. everything: each value is put out too, so that
// none lies in the arena and no place is used twice.
static void random_graph(bench *b, uint64_t seed, bool everything)
{
    pm_rng r = { .key = seed };
    pm_var v[DEPTH + 2] = { pm_use(b->g, "a"), pm_use(b->g, "b") };
    int n = 2;
    while (n < DEPTH) {
        const int recent = (int)(pm_rng_unit(&r) * PM_MIN(n, 6)), any = (int)(pm_rng_unit(&r) * n);
        const pm_var x = v[n - 1 - recent], y = v[any];
        switch ((int)(pm_rng_unit(&r) * 12)) {
        case 0: v[n] = pm_add(b->g, x, y); break;
        case 1: v[n] = pm_sub(b->g, x, y); break;
        case 2: v[n] = pm_mul(b->g, pm_tanh(b->g, x), y); break;
        case 3: v[n] = pm_scale(b->g, x, 0.5f); break;
        case 4: v[n] = pm_tanh(b->g, x); break;
        case 5: v[n] = pm_sigmoid(b->g, x); break;
        case 6: v[n] = pm_softmax(b->g, x); break;
        case 7: v[n] = pm_tanh(b->g, pm_matmul(b->g, x, y, false, true)); break;
        case 8: v[n] = pm_broadcast_col(b->g, pm_scale(b->g, pm_row_sum(b->g, x), 0.1f), SIDE); break;
        case 9: v[n] = pm_place(b->g, pm_slice(b->g, x, 1, 3, 2, 4), SIDE, SIDE, 2, 0); break;
        case 10: v[n] = pm_add(b->g, x, x); break;
        default: v[n] = pm_log_softmax(b->g, pm_slice(b->g, x, 0, SIDE, 0, SIDE)); break;
        }
        n++;
    }
    pm_var loss = pm_mul(b->g, v[n - 1], v[n / 2]);
    pm_backward(b->g, &loss, 1);
    const pm_var outs[3] = { pm_gradient(b->g, v[0]), pm_gradient(b->g, v[1]), loss };
    for (int i = 0; everything && i < n; i++) {
        char name[24];
        snprintf(name, sizeof name, "value %d", i);
        pm_output(b->g, v[i], name);
    }
    for (int i = 0; everything && i < b->g->value_count; i++) {    // gradients and what lies between: all of them
        char name[24];
        snprintf(name, sizeof name, "inner %d", i);
        if (b->g->values[i].base < 0 && !b->g->values[i].tensor) pm_output(b->g, (pm_var){ i }, name);
    }
    pm_output(b->g, outs[0], "da");
    pm_output(b->g, outs[1], "db");
    pm_output(b->g, outs[2], "loss");
    assert_int_equal(pm_graph_status(b->g), PM_OK);
}

static bool in_arena(const pm_graph *g, int32_t id)
{
    return g->values[id].base < 0 && !g->values[id].tensor;
}

// Whether `to` may lie on `from`: the signature says so, and `from` is read by that operand alone.
static bool may_replace(const pm_graph_node *n, int32_t from, int32_t to)
{
    const pm_signature *s = &pm_op_table[n->op].sig;
    for (int k = s->ins; k < s->ins + s->outs; k++) {
        const int alias = s->operand[k].alias;
        if (n->operand[k] != to || alias < 0 || n->operand[alias] != from) continue;
        bool alone = true;
        for (int i = 0; i < s->ins; i++) alone &= i == alias || n->operand[i] != from;
        return alone;
    }
    return false;
}

// Lifetimes by a way of its own: for each node, who is defined at or before it and still wanted at or after it.
static void check_plan(const pm_graph *g, const pm_memory_plan *p)
{
    int *first = calloc((size_t)g->value_count, sizeof *first), *last = calloc((size_t)g->value_count, sizeof *last);
    for (int i = 0; i < g->value_count; i++) first[i] = last[i] = -1;
    for (int n = 0; n < g->node_count; n++) {
        const pm_graph_node *node = &g->nodes[n];
        if (node->op == PM_NODE_VIEW || !p->alive[n]) continue;
        const pm_signature *s = &pm_op_table[node->op].sig;
        for (int k = 0; k < s->ins + s->outs + s->temps; k++) {
            const int32_t root = pm_value_root(g, node->operand[k]);
            if (!in_arena(g, root)) continue;
            if (k < s->ins) assert_true(first[root] >= 0);    // whoever reads a value is preceded by a living node that made it
            if (first[root] < 0) first[root] = n;
            last[root] = n;
        }
    }
    int64_t peak = 0;
    for (int n = 0; n < g->node_count; n++) {
        int64_t sum = 0;
        for (int i = 0; i < g->value_count; i++) {
            if (first[i] < 0 || n < first[i] || n > last[i]) continue;
            const int32_t slot = p->life[i].slot;
            bool counted = false;    // where a value takes another's place, both are alive at that node, in one place
            for (int j = 0; j < i; j++) counted |= first[j] >= 0 && n >= first[j] && n <= last[j] && p->life[j].slot == slot;
            if (!counted) sum += p->life[i].size;
        }
        peak = PM_MAX(peak, sum);
    }
    assert_int_equal(peak, p->live_peak);
    assert_true(p->arena >= p->live_peak);
    for (int i = 0; i < g->value_count; i++) {
        if (first[i] < 0) continue;
        const pm_lifetime *mine = &p->life[p->life[i].slot];
        const int64_t bytes = g->values[i].rows * g->values[i].cols * 4;
        assert_true(mine->offset >= 0 && mine->offset % 256 == 0 && mine->offset + bytes <= p->arena);
        for (int j = 0; j < i; j++) {
            if (first[j] < 0 || first[i] > last[j] || first[j] > last[i]) continue;
            const pm_lifetime *other = &p->life[p->life[j].slot];
            const int64_t their_bytes = g->values[j].rows * g->values[j].cols * 4;
            if (mine->offset + bytes <= other->offset || other->offset + their_bytes <= mine->offset) continue;
            const bool handed_on = last[j] == first[i] && may_replace(&g->nodes[first[i]], j, i);
            const bool handed_back = last[i] == first[j] && may_replace(&g->nodes[first[j]], i, j);
            if (!handed_on && !handed_back) fail_msg("values %d and %d are alive together and overlap", i, j);
        }
    }
    free(first);
    free(last);
}

static void add_inputs(const bench *b)
{
    add_tensor(b, "a", SIDE, SIDE, 0.01f);
    add_tensor(b, "b", SIDE, SIDE, -0.02f);
}

static void plans_of_random_graphs(void **state)
{
    int shared = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        bench b = open_bench(*state);
        pm_memory_plan *p;
        add_inputs(&b);
        random_graph(&b, seed, false);
        assert_int_equal(pm_plan_memory(b.g, b.g, &p), PM_OK);
        check_plan(b.g, p);
        for (int i = 0; i < b.g->value_count; i++) shared += p->life[i].first >= 0 && p->life[i].slot != i;
        close_bench(&b);
    }
    assert_true(shared > 100);    // places are taken over, or the test says nothing about it
}

// The same bits whether values share places or each has its own.
static void sharing_places_changes_nothing(void **state)
{
    static const char *const names[] = { "da", "db", "loss" };
    for (uint64_t seed = 1; seed <= 40; seed++) {
        float result[2][3][SIDE * SIDE];
        for (int everything = 0; everything < 2; everything++) {
            bench b = open_bench(*state);
            add_inputs(&b);
            random_graph(&b, seed, everything);
            pm_program *p = run(&b);
            assert_true((pm_program_get_stats(p).arena == 0) == everything);
            assert_int_equal(pm_program_run(p, 1), PM_OK);    // what the first run left in the arena must not matter
            for (int i = 0; i < 3; i++) assert_int_equal(pm_store_read(b.store, names[i], result[everything][i]), PM_OK);
            pm_program_destroy(&p);
            close_bench(&b);
        }
        if (memcmp(result[0], result[1], sizeof result[0]) != 0) fail_msg("seed %d", (int)seed);
    }
}

// The arena of a whole training step lies within a tenth of what is alive at once.
static void the_plan_of_a_training_step(void **state)
{
    fixture *f = *state;
    static const char *const settings[][3] = { { "hidden=64", "latent=16", "batch=50" }, { "hidden=none", "latent=20", "batch=100" },
                                               { "hidden=60,30", "latent=10", "batch=33" } };
    for (int i = 0; i < PM_COUNT(settings); i++) {
        void *scratch = pm_alloc(f->ctx, 1);
        const pm_model *model;
        pm_interactions *data;
        pm_split *split;
        pm_config *config;
        pm_session *s;
        assert_int_equal(pm_model_find(f->ctx, "mult-vae", &model), PM_OK);
        assert_int_equal(pm_data_synth(scratch, &(pm_synth_params){ .users = 400, .items = 300, .interactions = 6000, .seed = 1 }, &data), PM_OK);
        assert_int_equal(pm_data_split(scratch, data, &(pm_split_params){ .protocol = "strong", .held_out = 40 }, &split), PM_OK);
        assert_int_equal(pm_config_create(scratch, model, &config), PM_OK);
        for (int k = 0; k < 3; k++) assert_int_equal(pm_config_assign(config, settings[i][k]), PM_OK);
        const pm_session_params params = { .split = split, .config = config, .device = "ref" };
        assert_int_equal(pm_session_open(f->ctx, &params, &s), PM_OK);
        assert_int_equal(pm_session_prepare_training(s), PM_OK);
        const pm_program_stats stats = pm_program_get_stats(s->pass[0].program);
        if (!(stats.arena >= stats.live_peak && (double)stats.arena <= 1.1 * (double)stats.live_peak))
            fail_msg("%s: the arena is %d bytes, the bound %d", settings[i][0], (int)stats.arena, (int)stats.live_peak);
        pm_session_close(&s);
        pm_free(scratch);
    }
}

// ---- memory --------------------------------------------------------------------------------------------------------

static pm_status capture_and_run(pm_ctx *ctx, fixture *f)
{
    (void)f;
    pm_device *device;
    pm_store *store;
    pm_graph *g = NULL;
    pm_program *p = NULL;
    float values[4] = { 1, 2, 3, 4 };
    PM_TRY(pm_device_open(ctx, &(pm_device_params){ .name = "ref" }, &device));
    PM_TRY(pm_store_create(device, &store));
    pm_status st = pm_store_add(store, "a", PM_F32, 2, 2);
    if (st == PM_OK) st = pm_store_add(store, "state", PM_U32, 1, 16);
    if (st == PM_OK) st = pm_graph_create(store, &g);
    if (st == PM_OK) {
        pm_graph_label(g, "layer");
        const pm_var a = pm_use(g, "a");
        const pm_var y = pm_dropout(g, pm_matmul(g, a, pm_tanh(g, pm_slice(g, a, 0, 2, 0, 2)), false, true), pm_constant(g, "state"), 0.5f, "drop");
        pm_backward(g, &y, 1);
        pm_output(g, pm_gradient(g, a), "da");
        st = pm_graph_compile(&g, &p);
        assert_true((p != NULL) == (st == PM_OK));
        assert_null(g);
    }
    if (st == PM_OK) st = pm_program_run(p, 2);
    if (st == PM_OK) st = pm_store_read(store, "da", values);
    pm_program_destroy(&p);
    pm_store_destroy(&store);
    pm_device_close(&device);
    return st;
}

static void memory_runs_out(void **state)
{
    fail_every_allocation(capture_and_run, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_error_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(noise_names_that_hash_alike, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dead_nodes_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_profile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(outputs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(programs_run_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_growing_arena, set_up, tear_down),
        cmocka_unit_test_setup_teardown(views_and_their_gradients, set_up, tear_down),
        cmocka_unit_test_setup_teardown(backward_twice_adds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(plans_of_random_graphs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sharing_places_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_plan_of_a_training_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_runs_out, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("unit.graph", tests, NULL, NULL);
}
