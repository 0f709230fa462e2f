// The Missing Information Loss where its power is steepest and flattest, against the formula in long double: at p near 0, 1/2 and 1, with every
// (A, gamma) of the paper; and the losses over target sets for logits of any size.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pumice/model.h>
#include <pumice/state.h>

#include "core/core.h"
#include "graph/graph.h"

enum { N = 4001 };

static const char *device_name;    // of the command line; NULL: ref and cpu

static const struct { float a; uint32_t gamma; } pairs[] = {
    { 5e1f, 2 }, { 1e3f, 4 }, { 2e4f, 6 }, { 5e5f, 10 }, { 1e6f, 10 }, { 5e6f, 10 }, { 5e9f, 15 }, { 1, 1 },
};

// From −1e30 to 1e30: tiny logits, the ones between −100 and 100 closely, huge ones.
static float logit(int i)
{
    const int k = i - N / 2;
    if (k == 0) return 0.0f;
    const float sign = k < 0 ? -1.0f : 1.0f, n = fabsf((float)k);
    return sign * (n < 400 ? powf(10.0f, n / 20.0f - 30.0f) : n < 1900 ? (n - 400.0f) / 15.0f : powf(10.0f, (n - 1900.0f) * 0.3f));
}

typedef struct outcome {
    float loss[N], slope[N];
} outcome;

// Each logit a row of its own: one column, an entry of value x (0: missing).
typedef pm_var make_loss(pm_graph *g, const pm_var *v, pm_var *dz, int which);

static void run(const char *device_of, make_loss *make, int which, float x, outcome *out)
{
    static uint32_t ptr[N + 1], col[N], state[PM_STATE_COUNT];
    static float z[N], val[N], rw[N];
    pm_ctx *ctx;
    pm_device *device;
    pm_store *store;
    pm_graph *g;
    pm_program *program;
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    assert_int_equal(pm_device_open(ctx, &(pm_device_params){ .name = device_of }, &device), PM_OK);
    assert_int_equal(pm_store_create(device, &store), PM_OK);
    for (int i = 0; i < N; i++) ptr[i + 1] = (uint32_t)(i + 1), z[i] = logit(i), val[i] = x, rw[i] = 1;
    static const struct { const char *name; pm_dtype dtype; int64_t rows, cols; const void *data; } inputs[] = {
        { "ptr", PM_U32, 1, N + 1, ptr }, { "col", PM_U32, 1, N, col }, { "val", PM_F32, 1, N, val },
        { "z", PM_F32, N, 1, z }, { "rw", PM_F32, N, 1, rw }, { "state", PM_U32, 1, PM_STATE_COUNT, state },
    };
    assert_int_equal(pm_graph_create(store, &g), PM_OK);
    pm_var v[6], dz;
    for (int i = 0; i < PM_COUNT(inputs); i++) {
        assert_int_equal(pm_store_add(store, inputs[i].name, inputs[i].dtype, inputs[i].rows, inputs[i].cols), PM_OK);
        assert_int_equal(pm_store_write(store, inputs[i].name, inputs[i].data), PM_OK);
        v[i] = pm_constant(g, inputs[i].name);
    }
    const pm_var loss = make(g, v, &dz, which);
    pm_output(g, loss, "loss");
    pm_output(g, dz, "slope");
    assert_int_equal(pm_graph_compile(&g, &program), PM_OK);
    assert_int_equal(pm_program_run(program, 1), PM_OK);
    assert_int_equal(pm_store_read(store, "loss", out->loss), PM_OK);
    assert_int_equal(pm_store_read(store, "slope", out->slope), PM_OK);
    pm_program_destroy(&program);
    pm_store_destroy(&store);
    pm_device_close(&device);
    pm_ctx_destroy(&ctx);
}

static pm_var mil(pm_graph *g, const pm_var *v, pm_var *dz, int which)
{
    return pm_loss_mil(g, v[0], v[1], v[2], v[3], v[4], v[5], 1, 1, pairs[which].a, pairs[which].gamma, UINT32_MAX, "target", dz);
}

// A power of 30 of a number off by 4 units may be off by 120; beneath 2^-100 nothing is asked, since a device may flush what is subnormal on the way.
static void near(const char *what, float z, double got, long double want, int power)
{
    const long double off = fabsl((long double)got - want), bound = (8 + 4 * power) * 0x1p-24L * fabsl(want) + 0x1p-100L;
    if (isfinite(got) && off <= bound) return;
    print_error("%s at z = %.9g is %.9g, should be %.9Lg\n", what, (double)z, got, want);
    fail();
}

static void mil_is_the_formula(void **unused)
{
    (void)unused;
    const char *const devices[] = { device_name ? device_name : "ref", device_name ? NULL : "cpu" };
    static outcome out;
    for (int d = 0; d < PM_COUNT(devices) && devices[d]; d++)
        for (int k = 0; k < PM_COUNT(pairs); k++) {
            run(devices[d], mil, k, 0, &out);
            const int gamma = (int)pairs[k].gamma;
            for (int i = 0; i < N; i++) {
                const long double z = logit(i), half = tanhl(z / 2) / 2, p = 1 / (1 + expl(-z)), rest = 1 / (1 + expl(z));
                near("loss", logit(i), out.loss[i], pairs[k].a * powl(half, 2 * gamma), 2 * gamma);
                near("slope", logit(i), out.slope[i], pairs[k].a * 2 * gamma * powl(half, 2 * gamma - 1) * p * rest, 2 * gamma);
            }
        }
}

static void mil_of_entries_is_the_formula(void **unused)
{
    (void)unused;
    static outcome liked, disliked;
    run(device_name ? device_name : "cpu", mil, 6, 1, &liked);
    run(device_name ? device_name : "cpu", mil, 6, -1, &disliked);
    for (int i = 0; i < N; i++) {
        const long double z = logit(i), p = 1 / (1 + expl(-z)), rest = 1 / (1 + expl(z));
        near("liked", logit(i), liked.loss[i], rest, 2 + (int)fminl(fabsl(z), 100));
        near("slope of liked", logit(i), liked.slope[i], -p * rest, 2 + (int)fminl(fabsl(z), 100));
        near("disliked", logit(i), disliked.loss[i], p, 2 + (int)fminl(fabsl(z), 100));
        near("slope of disliked", logit(i), disliked.slope[i], p * rest, 2 + (int)fminl(fabsl(z), 100));
    }
}

// 0: square. 1: cross-entropy without a bound that bites. 2: clipped at eps = 1e-5, as the paper does.
static pm_var point(pm_graph *g, const pm_var *v, pm_var *dz, int which)
{
    if (which == 0) return pm_loss_square(g, v[0], v[1], v[2], v[3], v[4], v[5], 3, UINT32_MAX, "target", dz);
    return pm_loss_cross_entropy(g, v[0], v[1], v[2], v[3], v[4], v[5], 3, which == 1 ? 1e30f : 11.5129155f, UINT32_MAX, "target", dz);
}

static void others_stay_finite(void **unused)
{
    (void)unused;
    static outcome out;
    const float top = -logf(1e-5f);
    for (int which = 0; which < 3; which++)
        for (int x = 0; x < 2; x++) {
            run(device_name ? device_name : "cpu", point, which, (float)x, &out);
            for (int i = 0; i < N; i++) {
                assert_true(isfinite(out.loss[i]) && isfinite(out.slope[i]) && out.loss[i] >= 0);
                assert_true(x ? out.slope[i] <= 0 : out.slope[i] >= 0);
                if (which < 2) continue;
                assert_true(out.loss[i] <= (x ? 3 : 1) * top * 1.0001f);
                if (fabsf(logit(i)) > 11.52f) assert_true(out.slope[i] == 0);
            }
        }
}

// What reports draw is what is minimised.
static void drawn_as_computed(void **unused)
{
    (void)unused;
    static const struct { const char *loss; make_loss *make; int which; } cases[] = {
        { "square", point, 0 }, { "cross-entropy", point, 2 }, { "mil", mil, 4 },
    };
    static outcome out;
    pm_ctx *ctx;
    const pm_model *model;
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    assert_int_equal(pm_model_find(ctx, "dae", &model), PM_OK);
    for (int c = 0; c < PM_COUNT(cases); c++)
        for (int x = c == 2 ? -1 : 0; x <= 1; x++) {
            pm_config *config;
            assert_int_equal(pm_config_create(ctx, model, &config), PM_OK);
            assert_int_equal(pm_config_set(config, "loss", cases[c].loss), PM_OK);
            if (c < 2) assert_int_equal(pm_config_set(config, "confidence", "3"), PM_OK);
            else assert_int_equal(pm_config_set(config, "dislike_below", "2"), PM_OK);
            run("ref", cases[c].make, cases[c].which, (float)x, &out);
            for (int i = 0; i < N; i++) {
                const double drawn = model->item_loss(config, x, 1 / (1 + exp(-(double)logit(i))));
                if (fabs(drawn - out.loss[i]) <= 1e-5 * fabs(drawn) + 1e-9) continue;
                fail_msg("%s of %d at z = %g: %g, not %g", cases[c].loss, x, (double)logit(i), drawn, (double)out.loss[i]);
            }
            assert_true(isnan(model->item_loss(config, -1, 0.5)) == (c < 2));
        }
    pm_ctx_destroy(&ctx);
}

int main(int argc, char **argv)
{
    device_name = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mil_is_the_formula),
        cmocka_unit_test(mil_of_entries_is_the_formula),
        cmocka_unit_test(others_stay_finite),
        cmocka_unit_test(drawn_as_computed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
