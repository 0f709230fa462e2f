// The paired t-test, and Student's distribution through the regularised incomplete beta function.
#include "metrics/metrics.h"

#include <math.h>

// The continued fraction of the incomplete beta function (DLMF 8.17.22), evaluated by Lentz's method as modified by Thompson
// and Barnett. It converges fast for x < (a + 1) / (a + b + 2), within some √max(a, b) terms.
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (fabs(d) < tiny ? tiny : d);
    double f = d;
    for (int i = 1; i < 100000; i++) {
        const double m = i;
        const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 + even * d;
        c = 1.0 + even / c;
        d = 1.0 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        f *= d * c;
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 + odd * d;
        c = 1.0 + odd / c;
        d = 1.0 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        f *= d * c;
        if (fabs(d * c - 1.0) < 1e-16) break;
    }
    return f;
}

double pm_incomplete_beta(double a, double b, double x, double y)
{
    if (x <= 0.0) return 0.0;
    if (y <= 0.0) return 1.0;
    const double log_x = x < 0.5 ? log(x) : log1p(-y), log_y = y < 0.5 ? log(y) : log1p(-x);
    const double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log_x + b * log_y);
    if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(a, b, x) / a;
    return 1.0 - front * beta_fraction(b, a, y) / b;
}

double pm_student_p(double t, double df)
{
    if (isnan(t) || !(df > 0.0)) return NAN;
    const double r = t * t / df;
    if (isinf(r)) return 0.0;
    return pm_incomplete_beta(0.5 * df, 0.5, 1.0 / (1.0 + r), r / (1.0 + r));
}

double pm_student_quantile(double p, double df)
{
    if (!(p > 0.0 && p <= 1.0) || !(df > 0.0)) return NAN;
    double low = 0.0, high = 1.0;
    while (pm_student_p(high, df) > p && high < 1e150) high *= 2.0;
    for (;;) {    // bisection until low and high are neighbours
        const double mid = 0.5 * (low + high);
        if (mid <= low || mid >= high) return high;
        if (pm_student_p(mid, df) > p)
            low = mid;
        else
            high = mid;
    }
}

const char *pm_stars(double p)
{
    return p < 0.001 ? "***" : p < 0.01 ? "**" : p < 0.05 ? "*" : "";
}

void pm_paired_t_test(const double *a, const double *b, int64_t n, pm_paired_test *out)
{
    double mean_a = 0.0, mean_b = 0.0, mean = 0.0, squares = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double d = a[i] - b[i], delta = d - mean;
        mean_a += (a[i] - mean_a) / (double)(i + 1);
        mean_b += (b[i] - mean_b) / (double)(i + 1);
        mean += delta / (double)(i + 1);
        squares += delta * (d - mean);
    }
    const double se = n > 1 ? sqrt(squares / (double)(n - 1)) / sqrt((double)n) : NAN;
    *out = (pm_paired_test){ .mean_a = mean_a, .mean_b = mean_b, .difference = mean, .se = se, .n = n };
    if (n < 1) out->mean_a = out->mean_b = out->difference = NAN;
    out->df = n > 0 ? (double)(n - 1) : 0.0;
    out->t = n < 2 ? NAN : se > 0.0 ? mean / se : mean == 0.0 ? 0.0 : copysign(INFINITY, mean);
    out->p = n < 2 ? NAN : pm_student_p(out->t, out->df);
    out->ci95 = n < 2 ? NAN : pm_student_quantile(0.05, out->df) * se;
}

pm_status pm_metrics_compare(const pm_metrics *a, const pm_metrics *b, const char *name, pm_paired_test *out)
{
    const int in_a = pm_metric_set_find(a->set, name), in_b = pm_metric_set_find(b->set, name);
    PM_REQUIRE(a, in_a >= 0 && in_b >= 0, PM_ERR_ARG, "the %s run has no metric '%.60s'", in_a < 0 ? "first" : "second",
               name);
    PM_REQUIRE(a, a->set->entries[in_a].def->info.kind != PM_METRIC_CATALOGUE, PM_ERR_ARG,
               "metric '%s' is one value for all users: there are no pairs to test", name);
    PM_REQUIRE(a, a->count == b->count, PM_ERR_ARG,
               "the runs have %" PRId64 " and %" PRId64 " users: a paired test needs the same ones", a->count, b->count);
    for (int64_t i = 0; i < a->count; i++) {
        PM_REQUIRE(a, a->users[i] == b->users[i], PM_ERR_ARG,
                   "user %" PRId64 " of the runs is %" PRId64 " and %" PRId64
                   ": a paired test needs the same ones in the same order",
                   i, a->users[i], b->users[i]);
    }
    pm_paired_t_test(a->values[in_a], b->values[in_b], a->count, out);
    return PM_OK;
}
