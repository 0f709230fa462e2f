// The functions of shaders/math.glsl on their own, against double, over dense sweeps of their whole range: a driver's built-ins may
// be far off, ours may not. An error is in units of 2⁻²⁴ of the value.
#include "vulkan_help.h"

#include <math.h>

enum { COUNT = 1 << 16 };

static float sweep[COUNT];

// Both signs and every magnitude from 2⁻³⁰ to `most`, evenly in the exponent and then evenly in value.
static void make_sweep(double least, double most)
{
    const double low = log(ldexp(1, -30)), high = log(fmax(fabs(least), fabs(most)));
    for (int i = 0; i < COUNT; i++) {
        const double t = (double)(i / 2) / (COUNT / 4);
        const double size = t < 1 ? exp(low + (high - low) * t) : exp(high) * (t - 1);
        const double v = i % 2 ? -size : size;
        sweep[i] = (float)fmin(fmax(v, least), most);
    }
}

static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double sigmoid(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

static double log_sigmoid(double x)
{
    return -softplus(-x);
}

static const struct {
    pm_op  op;
    double (*exact)(double);
    double least, most, bound;
} functions[] = {
    { PM_OP_EXP, exp, -87, 88.7, 3 },           { PM_OP_TANH, tanh, -30, 30, 4 },
    { PM_OP_SIGMOID, sigmoid, -86, 1e4, 4 },    { PM_OP_SOFTPLUS, softplus, -86, 1e6, 4 },
    { PM_OP_LOG_SIGMOID, log_sigmoid, -1e6, 86, 4 },
};

static void functions_are_exact_to_a_few_units(void **state)
{
    (void)state;
    pm_ctx *ctx = new_context();
    pm_device *d = open_device(ctx, "PUMICE_VK_LIMITS", NULL);
    static float data[2][2 * COUNT];
    for (int f = 0; f < PM_COUNT(functions); f++) {
        chain c = { 0 };
        const int x = chain_tensor(&c, PM_F32, COUNT / 256, 256), y = chain_tensor(&c, PM_F32, COUNT / 256, 256);
        chain_op(ctx, &c, functions[f].op, (int[]){ x, y }, NULL);
        make_sweep(functions[f].least, functions[f].most);
        memcpy(data[0], sweep, sizeof sweep);
        if (chain_run(&c, d, data[0], 1, data[1]) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
        double worst = 0;
        float where = 0;
        for (int i = 0; i < COUNT; i++) {
            const double want = functions[f].exact(sweep[i]), error = fabs(data[1][COUNT + i] - want) / fabs(want) * 16777216;
            if (!(error <= worst)) worst = error, where = sweep[i];
        }
        print_message("%-12s worst %.2f units at %.9g\n", pm_op_name(functions[f].op), worst, (double)where);
        if (!(worst <= functions[f].bound)) fail_msg("%s(%.9g) is %.2f units off", pm_op_name(functions[f].op), (double)where, worst);
    }
    pm_ctx_destroy(&ctx);
}

// Far out: limits instead of NaN, and a NaN stays one.
static void functions_behave_far_out(void **state)
{
    (void)state;
    static const float inputs[8] = { -INFINITY, -1e30f, -200, 200, 1e30f, INFINITY, 0, NAN };
    static const float wanted[PM_COUNT(functions)][8] = {
        { 0, 0, 0, INFINITY, INFINITY, INFINITY, 1, NAN },
        { -1, -1, -1, 1, 1, 1, 0, NAN },
        { 0, 0, 0, 1, 1, 1, 0.5f, NAN },
        { 0, 0, 0, 200, 1e30f, INFINITY, 0.693147181f, NAN },
        { -INFINITY, -1e30f, -200, 0, 0, 0, -0.693147181f, NAN },
    };
    pm_ctx *ctx = new_context();
    pm_device *d = open_device(ctx, "PUMICE_VK_LIMITS", NULL);
    for (int f = 0; f < PM_COUNT(functions); f++) {
        chain c = { 0 };
        const int x = chain_tensor(&c, PM_F32, 1, 8), y = chain_tensor(&c, PM_F32, 1, 8);
        chain_op(ctx, &c, functions[f].op, (int[]){ x, y }, NULL);
        float data[128] = { 0 }, got[128];
        memcpy(data, inputs, sizeof inputs);
        if (chain_run(&c, d, data, 1, got) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
        for (int i = 0; i < 8; i++) {
            const float y_i = got[64 + i], want = wanted[f][i];
            const bool good = isnan(want) ? isnan(y_i) : isinf(want) ? y_i == want : fabsf(y_i - want) <= 1e-6f * fabsf(want) + 1e-38f;
            if (!good) fail_msg("%s(%g) is %g and should be %g", pm_op_name(functions[f].op), (double)inputs[i], (double)y_i, (double)want);
        }
    }
    pm_ctx_destroy(&ctx);
}

int main(void)
{
    const int absent = without_device();
    if (absent) return absent;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_exact_to_a_few_units),
        cmocka_unit_test(functions_behave_far_out),
    };
    return cmocka_run_group_tests_name("vulkan_math", tests, NULL, NULL);
}
