// Fusing: what becomes one op, that it computes what its parts did, and every reason not to.
#define _DEFAULT_SOURCE
#include "train_help.h"

#include <math.h>

#include "core/philox.h"
#include "graph/graph.h"
#include "op/op.h"

enum { B = 40, I = 300, H = 70, E = 160 };

typedef struct bench {
    pm_device *device;
    pm_store  *store;
    pm_graph  *g;
} bench;

static void add_random(const bench *b, const char *name, int64_t rows, int64_t cols, bool positive)
{
    float *values = pm_new_array(b->store, float, rows * cols);
    pm_rng rng = { .key = 1, .stream = pm_stream_number(name) };
    for (int64_t i = 0; i < rows * cols; i++) values[i] = (float)pm_rng_unit(&rng) - (positive ? 0 : 0.5f);
    assert_int_equal(pm_store_add(b->store, name, PM_F32, rows, cols), PM_OK);
    assert_int_equal(pm_store_write(b->store, name, values), PM_OK);
    pm_free(values);
}

// A batch of E entries, four a row, with distinct ascending columns.
static void add_batch(const bench *b)
{
    uint32_t ptr[B + 1], col[E];
    for (uint32_t i = 0; i <= B; i++) ptr[i] = 4 * i;
    for (uint32_t e = 0; e < E; e++) col[e] = e % 4 * 70 + e / 4 % 7 * 9;
    assert_int_equal(pm_store_add(b->store, "ptr", PM_U32, 1, B + 1), PM_OK);
    assert_int_equal(pm_store_add(b->store, "col", PM_U32, 1, E), PM_OK);
    assert_int_equal(pm_store_write(b->store, "ptr", ptr), PM_OK);
    assert_int_equal(pm_store_write(b->store, "col", col), PM_OK);
    add_random(b, "val", 1, E, false);
    uint32_t others[I + 1] = { 0 };
    for (uint32_t i = 0; i < I; i++) others[i + 1] = others[i] + i % 2;
    assert_int_equal(pm_store_add(b->store, "others", PM_U32, 1, I + 1), PM_OK);
    assert_int_equal(pm_store_write(b->store, "others", others), PM_OK);
    uint32_t id[B * 3], live = B - 5;
    for (uint32_t k = 0; k < B * 3; k++) id[k] = k * 37 % 90;
    assert_int_equal(pm_store_add(b->store, "id", PM_U32, B, 3), PM_OK);
    assert_int_equal(pm_store_add(b->store, "live", PM_U32, 1, 1), PM_OK);
    assert_int_equal(pm_store_write(b->store, "id", id), PM_OK);
    assert_int_equal(pm_store_write(b->store, "live", &live), PM_OK);
}

static bench open_bench(const fixture *f, const char *device)
{
    bench b = { 0 };
    assert_int_equal(pm_device_open(f->ctx, &(pm_device_params){ .name = device }, &b.device), PM_OK);
    assert_int_equal(pm_store_create(b.device, &b.store), PM_OK);
    add_random(&b, "x", B, H, false);
    add_random(&b, "w", H, I, false);
    add_random(&b, "bias", 1, I, false);
    add_random(&b, "embedding", I, H, false);
    add_random(&b, "dy", B, H, false);
    add_random(&b, "rate", 1, 1, true);
    static const char *const moments[] = { "w", "embedding", "bias" };
    for (int i = 0; i < PM_COUNT(moments); i++) {
        char name[32];
        int64_t rows, cols;
        pm_store_find(b.store, moments[i], NULL, &rows, &cols);
        for (int k = 0; k < 2; k++) {
            snprintf(name, sizeof name, "%s.%c", moments[i], "mv"[k]);
            add_random(&b, name, rows, cols, true);
        }
    }
    add_batch(&b);
    assert_int_equal(pm_graph_create(b.store, &b.g), PM_OK);
    return b;
}

static void close_bench(bench *b)
{
    pm_store_destroy(&b->store);
    pm_device_close(&b->device);
}

// The ops of the compiled graph, "matmul add_row tanh", in a text that hangs from the store; runs it once.
static const char *ops_of(bench *b)
{
    pm_program *p;
    if (pm_graph_compile(&b->g, &p) != PM_OK) fail_msg("%s", pm_ctx_message(pm_ctx_of(b->store)));
    assert_int_equal(pm_program_run(p, 1), PM_OK);
    pm_program_op ops[32];
    const int count = pm_program_profile(p, ops, PM_COUNT(ops));
    char *text = pm_strdup(b->store, "");
    for (int i = 0; i < count; i++) text = pm_sprintf(b->store, "%s%s%s", text, i ? " " : "", ops[i].op);
    return text;
}

static void expect_ops(const fixture *f, void (*capture)(bench *b), const char *want)
{
    bench b = open_bench(f, "cpu");
    capture(&b);
    const char *got = ops_of(&b);
    if (strcmp(got, want) != 0) fail_msg("the program is \"%s\", not \"%s\"", got, want);
    close_bench(&b);
}

static pm_var use(bench *b, const char *name)
{
    return pm_use(b->g, name);
}

static pm_var product(bench *b)
{
    return pm_matmul(b->g, use(b, "x"), use(b, "w"), false, false);
}

static void step(bench *b, const char *name, pm_var gradient)
{
    char m[32], v[32];
    snprintf(m, sizeof m, "%s.m", name);
    snprintf(v, sizeof v, "%s.v", name);
    pm_adam(b->g, use(b, name), pm_constant(b->g, m), pm_constant(b->g, v), gradient, pm_constant(b->g, "rate"), 0.9f, 0.999f, 1e-8f, 0.01f);
}

// ---- what is fused ----

static void linear_layer(bench *b)
{
    pm_output(b->g, pm_add_row(b->g, product(b), use(b, "bias")), "y");
}

static void tanh_layer(bench *b)
{
    pm_output(b->g, pm_tanh(b->g, pm_add_row(b->g, product(b), use(b, "bias"))), "y");
}

static void sigmoid_layer(bench *b)
{
    pm_output(b->g, pm_sigmoid(b->g, pm_add_row(b->g, product(b), use(b, "bias"))), "y");
}

static void relu_layer(bench *b)
{
    pm_output(b->g, pm_relu(b->g, pm_add_row(b->g, product(b), use(b, "bias"))), "y");
}

static void dense_step(bench *b)
{
    const pm_var dy = pm_tanh(b->g, product(b));
    step(b, "w", pm_matmul(b->g, use(b, "x"), dy, true, false));
}

// The old weights are read before the gradient is made: the update may take its place.
static void dense_step_moved_up(bench *b)
{
    const pm_var dy = pm_tanh(b->g, product(b)), dx = pm_matmul(b->g, dy, use(b, "w"), false, true);
    const pm_var g = pm_matmul(b->g, use(b, "x"), dy, true, false);
    pm_output(b->g, pm_tanh(b->g, dx), "dx");
    step(b, "w", g);
}

// … and after it: the product waits instead.
static void dense_step_moved_down(bench *b)
{
    const pm_var dy = pm_tanh(b->g, product(b)), g = pm_matmul(b->g, use(b, "x"), dy, true, false);
    pm_output(b->g, pm_tanh(b->g, pm_matmul(b->g, dy, use(b, "w"), false, true)), "dx");
    step(b, "w", g);
}

static void sparse_step(bench *b)
{
    pm_var trow, tpos;
    const pm_var tptr = pm_csr_transpose(b->g, use(b, "ptr"), use(b, "col"), I, &trow, &tpos);
    step(b, "embedding", pm_spmm_t(b->g, tptr, trow, tpos, use(b, "val"), use(b, "dy")));
}

// The gradient of an embedding table that is read at three places a row, and AdaGrad.
static pm_var table_gradient(bench *b, bool distance)
{
    const pm_var y = pm_pick_scores(b->g, use(b, "dy"), use(b, "embedding"), pm_constant(b->g, "id"), pm_constant(b->g, "live"), distance);
    pm_backward(b->g, &y, 1);
    return pm_gradient(b->g, use(b, "embedding"));
}

static void table_step(bench *b, pm_var gradient, float decay)
{
    pm_adagrad(b->g, use(b, "embedding"), pm_constant(b->g, "embedding.v"), gradient, pm_constant(b->g, "rate"), 1e-10f, decay);
}

static void products_step(bench *b)
{
    table_step(b, table_gradient(b, false), 0);
}

static void distances_step(bench *b)
{
    table_step(b, table_gradient(b, true), 0);
}

// A step on the rows that a batch meets, and on those of another batch.
static void rows_step(bench *b, bool others, bool seen)
{
    pm_var trow, tpos;
    const pm_var tptr = pm_csr_transpose(b->g, use(b, "ptr"), use(b, "col"), I, &trow, &tpos);
    const pm_var g = pm_spmm_t(b->g, tptr, trow, tpos, use(b, "val"), use(b, "dy"));
    if (seen) pm_output(b->g, g, "kept.0");
    pm_sgd_rows(b->g, use(b, "embedding"), pm_constant(b->g, "embedding.m"), g, pm_constant(b->g, "rate"), others ? pm_constant(b->g, "others") : tptr, 0.8f, 0.1f);
}

static void met_rows_step(bench *b)
{
    rows_step(b, false, false);
}

static void other_rows_step(bench *b)
{
    rows_step(b, true, false);
}

// The same of Adam.
static void adam_rows_step(bench *b, bool others, bool seen)
{
    pm_var trow, tpos;
    const pm_var tptr = pm_csr_transpose(b->g, use(b, "ptr"), use(b, "col"), I, &trow, &tpos);
    const pm_var g = pm_spmm_t(b->g, tptr, trow, tpos, use(b, "val"), use(b, "dy"));
    if (seen) pm_output(b->g, g, "kept.0");
    pm_adam_rows(b->g, use(b, "embedding"), pm_constant(b->g, "embedding.m"), pm_constant(b->g, "embedding.v"), g, pm_constant(b->g, "rate"),
                 others ? pm_constant(b->g, "others") : tptr, 0.9f, 0.999f, 1e-8f);
}

static void met_adam_step(bench *b)
{
    adam_rows_step(b, false, false);
}

static void other_adam_step(bench *b)
{
    adam_rows_step(b, true, false);
}

// A table read once by what was found where for its rows before: that is not looked for again.
static void places_known(bench *b)
{
    pm_var trow, tpos;
    pm_output(b->g, pm_index_transpose(b->g, pm_constant(b->g, "id"), pm_constant(b->g, "live"), I, 3 * B, &trow, &tpos), "offsets");
    table_step(b, table_gradient(b, false), 0);
}

// Plain gradient descent on an embedding table.
static void plain_step(bench *b, bool seen, float momentum, float decay)
{
    const pm_var g = table_gradient(b, false);
    if (seen) pm_output(b->g, g, "kept.0");
    pm_sgd(b->g, use(b, "embedding"), pm_constant(b->g, "embedding.m"), g, pm_constant(b->g, "rate"), momentum, decay);
}

static void descent_step(bench *b)
{
    plain_step(b, false, 0, 0);
}

static void sparse_layer(bench *b)
{
    const pm_var bias = pm_slice(b->g, use(b, "bias"), 0, 1, 0, H);
    pm_output(b->g, pm_tanh(b->g, pm_add_row(b->g, pm_spmm(b->g, use(b, "ptr"), use(b, "col"), use(b, "val"), use(b, "embedding")), bias)), "y");
}

static void fuses(void **state)
{
    expect_ops(*state, linear_layer, "affine");
    expect_ops(*state, tanh_layer, "affine");
    expect_ops(*state, sigmoid_layer, "affine");
    expect_ops(*state, relu_layer, "affine");
    expect_ops(*state, sparse_layer, "spmm_affine");
    expect_ops(*state, dense_step, "matmul tanh matmul_adam");
    expect_ops(*state, dense_step_moved_up, "matmul tanh matmul matmul_adam tanh");
    expect_ops(*state, dense_step_moved_down, "matmul tanh matmul tanh matmul_adam");
    expect_ops(*state, sparse_step, "csr_transpose take_cols spmm_t_adam");
    expect_ops(*state, products_step, "fill index_transpose reshape take_cols spmm_t_adagrad");
    expect_ops(*state, distances_step, "fill index_transpose reshape take_cols spmm_t_adagrad");
    expect_ops(*state, met_rows_step, "csr_transpose take_cols spmm_t_sgd");
    expect_ops(*state, met_adam_step, "csr_transpose take_cols spmm_t_adam");
    expect_ops(*state, places_known, "index_transpose fill reshape take_cols spmm_t_adagrad");
    expect_ops(*state, descent_step, "fill index_transpose reshape take_cols spmm_t_sgd");
}

// ---- what is not ----

static void product_seen(bench *b)
{
    const pm_var y = product(b);
    pm_output(b->g, pm_add_row(b->g, y, use(b, "bias")), "y");
    pm_output(b->g, pm_tanh(b->g, y), "t");
}

static void product_kept(bench *b)
{
    const pm_var y = product(b);
    pm_output(b->g, y, "product");
    pm_output(b->g, pm_add_row(b->g, y, use(b, "bias")), "y");
}

static void product_viewed(bench *b)
{
    pm_output(b->g, pm_add_row(b->g, pm_slice(b->g, product(b), 0, 2, 0, I), use(b, "bias")), "y");
}

static void sum_seen(bench *b)
{
    const pm_var z = pm_add_row(b->g, product(b), use(b, "bias"));
    pm_output(b->g, pm_add(b->g, pm_tanh(b->g, z), z), "y");
}

static void bias_changes(bench *b)
{
    const pm_var y = pm_add_row(b->g, product(b), use(b, "bias"));
    step(b, "bias", use(b, "bias"));
    pm_output(b->g, pm_tanh(b->g, y), "y");
}

static void input_changes(bench *b)
{
    const pm_var y = product(b);
    step(b, "w", use(b, "w"));
    pm_output(b->g, pm_add_row(b->g, y, use(b, "bias")), "y");
}

static void gradient_clipped(bench *b)
{
    step(b, "w", pm_scale(b->g, pm_matmul(b->g, use(b, "x"), product(b), true, false), 0.5f));
}

static void gradient_seen(bench *b)
{
    const pm_var g = pm_matmul(b->g, use(b, "x"), product(b), true, false);
    pm_output(b->g, pm_row_sum(b->g, g), "norms");
    step(b, "w", g);
}

// Two uses of a parameter: their gradients are added.
static void parameter_shared(bench *b)
{
    const pm_var g = pm_add(b->g, pm_matmul(b->g, use(b, "x"), product(b), true, false), pm_matmul(b->g, use(b, "dy"), product(b), true, false));
    step(b, "w", g);
}

// The weights are wanted old after the gradient is made, and what it is made of changes.
static void nowhere_to_go(bench *b)
{
    const pm_var g = pm_matmul(b->g, use(b, "embedding"), pm_tanh(b->g, pm_matmul(b->g, use(b, "embedding"), use(b, "w"), false, false)), true, false);
    pm_output(b->g, pm_tanh(b->g, use(b, "w")), "old");
    step(b, "embedding", use(b, "embedding"));
    step(b, "w", g);
}

// Every row decays, also those that no entry touches.
static void table_decays(bench *b)
{
    table_step(b, table_gradient(b, false), 0.1f);
}

// Distances from one table, a step of another.
static void another_table(bench *b)
{
    pm_adagrad(b->g, use(b, "embedding.m"), pm_constant(b->g, "embedding.v"), table_gradient(b, true), pm_constant(b->g, "rate"), 1e-10f, 0);
}

// Rows that no entry touches move on, or decay.
static void descent_goes_on(bench *b)
{
    plain_step(b, false, 0.5f, 0);
}

static void descent_decays(bench *b)
{
    plain_step(b, false, 0, 0.1f);
}

static void leaves_alone(void **state)
{
    expect_ops(*state, product_seen, "matmul add_row tanh");
    expect_ops(*state, product_kept, "matmul add_row");
    expect_ops(*state, product_viewed, "matmul add_row");
    expect_ops(*state, sum_seen, "affine tanh add");
    expect_ops(*state, bias_changes, "affine adam tanh");
    expect_ops(*state, input_changes, "matmul adam add_row");
    expect_ops(*state, gradient_clipped, "matmul matmul scale adam");
    expect_ops(*state, gradient_seen, "matmul matmul row_sum adam");
    expect_ops(*state, parameter_shared, "matmul matmul matmul matmul add adam");
    expect_ops(*state, nowhere_to_go, "matmul tanh matmul tanh adam adam");
    expect_ops(*state, table_decays, "fill index_transpose reshape spmm_t adagrad");
    expect_ops(*state, another_table, "fill index_transpose reshape spmm_t_away adagrad");
    expect_ops(*state, other_rows_step, "csr_transpose spmm_t sgd_rows");
    expect_ops(*state, other_adam_step, "csr_transpose spmm_t adam_rows");
    expect_ops(*state, descent_goes_on, "fill index_transpose reshape spmm_t sgd");
    expect_ops(*state, descent_decays, "fill index_transpose reshape spmm_t sgd");
}

// ---- the same result ----

// The parts of a fused op, with what lies between them kept in the store, where fusing would lose it.
static void tanh_layer_in_parts(bench *b)
{
    const pm_var y = product(b), z = pm_add_row(b->g, y, use(b, "bias"));
    pm_output(b->g, y, "kept.0");
    pm_output(b->g, z, "kept.1");
    pm_output(b->g, pm_tanh(b->g, z), "y");
}

static void sparse_layer_in_parts(bench *b)
{
    const pm_var bias = pm_slice(b->g, use(b, "bias"), 0, 1, 0, H);
    const pm_var y = pm_spmm(b->g, use(b, "ptr"), use(b, "col"), use(b, "val"), use(b, "embedding")), z = pm_add_row(b->g, y, bias);
    pm_output(b->g, y, "kept.0");
    pm_output(b->g, z, "kept.1");
    pm_output(b->g, pm_tanh(b->g, z), "y");
}

static void dense_step_in_parts(bench *b)
{
    const pm_var g = pm_matmul(b->g, use(b, "x"), pm_tanh(b->g, product(b)), true, false);
    pm_output(b->g, g, "kept.0");
    step(b, "w", g);
}

static void sparse_step_in_parts(bench *b)
{
    pm_var trow, tpos;
    const pm_var tptr = pm_csr_transpose(b->g, use(b, "ptr"), use(b, "col"), I, &trow, &tpos);
    const pm_var g = pm_spmm_t(b->g, tptr, trow, tpos, use(b, "val"), use(b, "dy"));
    pm_output(b->g, g, "kept.0");
    step(b, "embedding", g);
}

static void met_rows_step_in_parts(bench *b)
{
    rows_step(b, false, true);
}

static void met_adam_step_in_parts(bench *b)
{
    adam_rows_step(b, false, true);
}

static void descent_step_in_parts(bench *b)
{
    plain_step(b, true, 0, 0);
}

static void products_step_in_parts(bench *b)
{
    const pm_var g = table_gradient(b, false);
    pm_output(b->g, g, "kept.0");
    table_step(b, g, 0);
}

static void distances_step_in_parts(bench *b)
{
    const pm_var g = table_gradient(b, true);
    pm_output(b->g, g, "kept.0");
    table_step(b, g, 0);
}

static float *result_of(const fixture *f, const char *device, void (*capture)(bench *b), const char *name, int64_t *count)
{
    bench b = open_bench(f, device);
    capture(&b);
    ops_of(&b);
    int64_t rows, cols;
    assert_true(pm_store_find(b.store, name, NULL, &rows, &cols));
    *count = rows * cols;
    float *values = pm_new_array(f->ctx, float, *count);
    assert_int_equal(pm_store_read(b.store, name, values), PM_OK);
    close_bench(&b);
    return values;
}

static void same(const fixture *f, const char *device, void (*whole)(bench *b), void (*parts)(bench *b), const char *name)
{
    int64_t n, m;
    float *a = result_of(f, device, whole, name, &n), *b = result_of(f, device, parts, name, &m);
    assert_int_equal(n, m);
    for (int64_t i = 0; i < n; i++)
        if (!(fabsf(a[i] - b[i]) <= 2e-5f * fmaxf(fabsf(b[i]), 0.05f)))
            fail_msg("%s: %s[%" PRId64 "] is %g fused and %g in parts", device, name, i, (double)a[i], (double)b[i]);
    pm_free(a);
    pm_free(b);
}

static void equals_its_parts(void **state)
{
    static const char *const devices[] = { "ref", "cpu" };
    static const char *const moments[] = { "w", "w.m", "w.v" }, *const sparse[] = { "embedding", "embedding.m", "embedding.v" };
    for (int d = 0; d < PM_COUNT(devices); d++) {
        same(*state, devices[d], tanh_layer, tanh_layer_in_parts, "y");
        same(*state, devices[d], sparse_layer, sparse_layer_in_parts, "y");
        for (int i = 0; i < PM_COUNT(sparse); i += 2) {
            same(*state, devices[d], products_step, products_step_in_parts, sparse[i]);
            same(*state, devices[d], distances_step, distances_step_in_parts, sparse[i]);
        }
        for (int i = 0; i < 2; i++) same(*state, devices[d], met_rows_step, met_rows_step_in_parts, sparse[i]);
        same(*state, devices[d], descent_step, descent_step_in_parts, "embedding");
        for (int i = 0; i < PM_COUNT(moments); i++) {
            same(*state, devices[d], dense_step, dense_step_in_parts, moments[i]);
            same(*state, devices[d], sparse_step, sparse_step_in_parts, sparse[i]);
            same(*state, devices[d], met_adam_step, met_adam_step_in_parts, sparse[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equals_its_parts, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("unit.fuse", tests, NULL, NULL);
}
