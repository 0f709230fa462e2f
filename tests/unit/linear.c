// The compositions of pumice/linear.h on matrices of several blocks: an inverse, an orthonormal basis, eigenvectors, each checked by what it
// has to fulfil, in double. `linear DEVICE` for another device than cpu.
#define _DEFAULT_SOURCE
#include "data_help.h"

#include <math.h>

#include <pumice/linear.h>
#include <pumice/state.h>

#include "core/philox.h"

static const char *device_name = "cpu";

typedef struct bench {
    pm_device *device;
    pm_store  *store;
    pm_graph  *g;
} bench;

static bench open_bench(const fixture *f)
{
    bench b = { 0 };
    if (pm_device_open(f->ctx, &(pm_device_params){ .name = device_name }, &b.device) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_int_equal(pm_store_create(b.device, &b.store), PM_OK);
    assert_int_equal(pm_store_add(b.store, "state", PM_U32, 1, PM_STATE_COUNT), PM_OK);
    assert_int_equal(pm_graph_create(b.store, &b.g), PM_OK);
    return b;
}

static void close_bench(bench *b)
{
    pm_store_destroy(&b->store);
    pm_device_close(&b->device);
}

static float *tensor(const bench *b, const char *name, int64_t rows, int64_t cols)
{
    assert_int_equal(pm_store_add(b->store, name, PM_F32, rows, cols), PM_OK);
    return pm_new_array(b->store, float, rows * cols);
}

static void fill(const bench *b, const char *name, float *values)
{
    assert_int_equal(pm_store_write(b->store, name, values), PM_OK);
}

// The program so far at position 0, 1, … of so many steps.
static void run_steps(bench *b, int64_t steps)
{
    pm_program *program;
    const pm_var state = pm_constant(b->g, "state");
    uint32_t words[PM_STATE_COUNT] = { [PM_STATE_TOTAL] = (uint32_t)steps, [PM_STATE_BATCH] = 1, [PM_STATE_LIVE] = 1 };
    pm_tick(b->g, state);
    if (pm_graph_compile(&b->g, &program) != PM_OK) fail_msg("%s", pm_ctx_message(pm_ctx_of(b->store)));
    assert_int_equal(pm_store_write(b->store, "state", words), PM_OK);
    assert_int_equal(pm_program_run(program, steps), PM_OK);
    pm_program_destroy(&program);
    assert_int_equal(pm_graph_create(b->store, &b->g), PM_OK);
}

// Diagonally heavy, not diagonally dominant: pivots really change.
static void fill_definite(float *a, int64_t n, float diagonal)
{
    pm_rng rng = { .key = 5 };
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = (float)pm_rng_unit(&rng) + (i == j ? diagonal : 0);
}

static void test_inverse(void **state)
{
    enum { MOST = 300 };
    static const int64_t sizes[] = { 1, 50, 128, 129, MOST };
    for (int s = 0; s < PM_COUNT(sizes); s++) {
        const int64_t n = sizes[s];
        bench b = open_bench(*state);
        float *a = tensor(&b, "a", n, n), *p = pm_new_array(b.store, float, n * n);
        fill_definite(a, n, 20);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) p[i * n + j] = j > i ? NAN : a[i * n + j];
        fill(&b, "a", p);
        const pm_var least = pm_sweep_panel(b.g, pm_use(b.g, "a"), pm_constant(b.g, "state"), 2);
        pm_output(b.g, least, "least");
        run_steps(&b, PM_PANELS(n));
        assert_int_equal(pm_store_read(b.store, "a", p), PM_OK);
        double worst = 0;
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                double sum = -2 * (double)p[PM_MAX(i, j) * n + PM_MIN(i, j)];
                for (int64_t k = 0; k < n; k++) sum -= (double)a[i * n + k] * (double)p[PM_MAX(k, j) * n + PM_MIN(k, j)];
                worst = fmax(worst, fabs(sum - (i == j)));
                if (j > i && !isnan(p[i * n + j])) fail_msg("n = %d: what lies above the diagonal was written", (int)n);
            }
        if (!(worst < 2e-5)) fail_msg("n = %d: the inverse is off by %g", (int)n, worst);
        float smallest;
        assert_int_equal(pm_store_read(b.store, "least", &smallest), PM_OK);
        assert_true(smallest > 0);
        close_bench(&b);
    }
}

// Two equal rows and columns, in the second block.
static void test_singular(void **state)
{
    enum { N = 200 };
    bench b = open_bench(*state);
    float *a = tensor(&b, "a", N, N), smallest;
    fill_definite(a, N, 20);
    for (int64_t i = 0; i < N; i++) a[190 * N + i] = a[i * N + 190] = i == 190 ? a[180 * N + 180] : a[180 * N + i];
    a[190 * N + 180] = a[180 * N + 190] = a[180 * N + 180];
    fill(&b, "a", a);
    pm_output(b.g, pm_sweep_panel(b.g, pm_use(b.g, "a"), pm_constant(b.g, "state"), -0.001f), "least");
    run_steps(&b, PM_PANELS(N));
    assert_int_equal(pm_store_read(b.store, "least", &smallest), PM_OK);
    assert_true(smallest == 0);
    close_bench(&b);
}

// Columns that are all but one: their lengths differ by 100 and they share a direction.
static void test_basis(void **state)
{
    enum { ROWS = 400, COLS = 40 };
    bench b = open_bench(*state);
    float *x = tensor(&b, "x", ROWS, COLS), *q = pm_new_array(b.store, float, ROWS * COLS);
    pm_rng rng = { .key = 7 };
    for (int64_t i = 0; i < ROWS; i++) {
        const double common = pm_rng_unit(&rng) - 0.5;
        for (int64_t j = 0; j < COLS; j++) x[i * COLS + j] = j == 3 ? 0 : (float)((common + 1e-3 * pm_rng_unit(&rng)) * pow(10, -2.0 * (double)j / COLS));
    }
    fill(&b, "x", x);
    pm_output(b.g, pm_orthonormalize(b.g, pm_constant(b.g, "x")), "q");
    run_steps(&b, 1);
    assert_int_equal(pm_store_read(b.store, "q", q), PM_OK);
    for (int64_t i = 0; i < COLS; i++)
        for (int64_t j = 0; j < COLS; j++) {
            double sum = 0;
            for (int64_t k = 0; k < ROWS; k++) sum += (double)q[k * COLS + i] * q[k * COLS + j];
            const double want = i == j && i != 3;
            if (!(fabs(sum - want) < 2e-6)) fail_msg("columns %d and %d: %g", (int)i, (int)j, sum);
        }
    close_bench(&b);
}

static void test_eigenvectors(void **state)
{
    static const int64_t sizes[] = { 1, 2, 7, 64 };
    for (int s = 0; s < PM_COUNT(sizes); s++) {
        const int64_t n = sizes[s];
        bench b = open_bench(*state);
        float *a = tensor(&b, "a", n, n), *v = tensor(&b, "v", n, n), *d = pm_new_array(b.store, float, n * n);
        fill_definite(a, n, 1);
        for (int64_t i = 0; i < n; i++) v[i * n + i] = 1;
        fill(&b, "a", a);
        fill(&b, "v", v);
        pm_jacobi(b.g, pm_use(b.g, "a"), pm_use(b.g, "v"), pm_constant(b.g, "state"));
        run_steps(&b, PM_JACOBI_STEPS(n));
        assert_int_equal(pm_store_read(b.store, "a", d), PM_OK);
        assert_int_equal(pm_store_read(b.store, "v", v), PM_OK);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {    // A vᵢ = dᵢ vᵢ
                double sum = 0;
                for (int64_t k = 0; k < n; k++) sum += (double)a[j * n + k] * v[i * n + k];
                const double error = fabs(sum - (double)d[i * n + i] * v[i * n + j]);
                if (!(error < 1e-5 * (double)n)) fail_msg("n = %d: eigenvector %d is off by %g at %d", (int)n, (int)i, error, (int)j);
            }
        close_bench(&b);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_inverse, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_singular, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_basis, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_eigenvectors, set_up, tear_down),
    };
    if (argc > 1) device_name = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
