// The elementary functions of the cpu backend against libm in double, over a dense sweep of all finite floats.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "backend/cpu/vec_math.h"

// Distance in units in the last place of the right value; below the smallest normal number, of the smallest subnormal.
static double ulps(float got, double want)
{
    if (isnan(want) || fabs(want) > 3.4028235677973366e38) return isnan(want) == isnan(got) && (isnan(want) || isinf(got)) ? 0 : INFINITY;
    int e;
    frexp(want, &e);
    return fabs((double)got - want) / ldexp(1.0, e - 24 < -149 ? -149 : e - 24);
}

typedef struct sweep {
    const char *name;
    float (*got)(float);
    double (*want)(double);
    double bound;
    float  lo, hi;
} sweep;

static float log_sigmoid(float x) { return -vec_softplus(-x); }
static double want_softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }
static double want_log_sigmoid(double x) { return -want_softplus(-x); }
static double want_sigmoid(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }

static void sweep_all(const sweep *s)
{
    double worst = 0;
    float at = 0;
    for (uint64_t u = 0; u < 0x100000000u; u += 997) {    // coprime to 2: every exponent, all low bits
        const float x = vec_float((uint32_t)u);
        if (!isfinite(x) || x < s->lo || x > s->hi) continue;
        const double off = ulps(s->got(x), s->want((double)x));
        if (!(off <= worst)) worst = off, at = x;
    }
    printf("%-12s %.2f ulp at %.9g\n", s->name, worst, (double)at);
    if (!(worst <= s->bound)) fail_msg("%s: %g ulp at %.9g, %g are allowed", s->name, worst, (double)at, s->bound);
}

static void functions_are_accurate(void **state)
{
    (void)state;
    static const sweep sweeps[] = {
        { "exp", vec_exp, exp, 1.5, -INFINITY, INFINITY },
        { "log", vec_log, log, 1.5, 0x1p-126f, INFINITY },
        { "log1p", vec_log1p, log1p, 2, 0, 1 },
        { "softplus", vec_softplus, want_softplus, 2.5, -INFINITY, INFINITY },
        { "log_sigmoid", log_sigmoid, want_log_sigmoid, 2.5, -INFINITY, INFINITY },
        { "sigmoid", vec_sigmoid, want_sigmoid, 2.5, -INFINITY, INFINITY },
        { "tanh", vec_tanh, tanh, 2, -INFINITY, INFINITY },
    };
    for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++) sweep_all(&sweeps[i]);
}

static void nan_stays_nan(void **state)
{
    (void)state;
    const float bad = NAN;
    assert_true(isnan(vec_exp(bad)) && isnan(vec_softplus(bad)) && isnan(vec_sigmoid(bad)) && isnan(vec_tanh(bad)));
    assert_true(vec_exp(-INFINITY) == 0 && isinf(vec_exp(INFINITY)));
    assert_true(vec_sigmoid(-INFINITY) == 0 && vec_sigmoid(INFINITY) == 1 && vec_tanh(-INFINITY) == -1);
}

// The error of a normal variate is measured against its radius; angle and logarithm apart here.
static void box_muller_parts(void **state)
{
    (void)state;
    const double pi = 3.14159265358979323846;
    double worst_log = 0, worst_angle = 0;
    for (int32_t n = 1; n < 0x1000000; n += 2 * 13) {
        const double u = n / 16777216.0;
        float s, c;
        vec_sincos_uniform(n, &s, &c);
        worst_log = fmax(worst_log, ulps(vec_minus_2log_uniform(n), -2 * log(u)));
        worst_angle = fmax(worst_angle, fmax(fabs(s - sin(2 * pi * u)), fabs(c - cos(2 * pi * u))) * 16777216.0);
    }
    printf("minus_2log   %.2f ulp\nsincos       %.2f units of 2^-24\n", worst_log, worst_angle);
    assert_true(worst_log <= 2.5);
    assert_true(worst_angle <= 2);
    assert_true(ulps(vec_minus_2log_uniform(0xFFFFFF), -2 * log(0xFFFFFF / 16777216.0)) <= 2);
}

static void double_log(void **state)
{
    (void)state;
    for (double x = 1e-300; x < 1e300; x *= 1.7) assert_true(fabs(vec_log_double(x) - log(x)) <= 4e-16 * fmax(1e-3, fabs(log(x))));
    for (double x = 0.5; x < 2; x += 1e-4) assert_true(fabs(vec_log_double(x) - log(x)) <= 3e-16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_accurate),
        cmocka_unit_test(nan_stays_nan),
        cmocka_unit_test(box_muller_parts),
        cmocka_unit_test(double_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
