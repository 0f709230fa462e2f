// Student's distribution, the paired t-test, the breakdown by activity, popularity.
#include "unit/metrics_support.h"

// Two-sided p for whole df by the finite series in cos²θ, θ = atan(t/√df) (Abramowitz and Stegun 26.7.3, 26.7.4).
static double series_p(double t, int df)
{
    const double pi = acos(-1.0), theta = atan(t / sqrt(df)), c2 = cos(theta) * cos(theta);
    if (df == 1) return 1.0 - 2.0 * theta / pi;
    double term = df % 2 ? cos(theta) : 1.0, sum = term;
    for (int k = df % 2 ? 3 : 2; k < df - 1; k += 2) {
        term *= c2 * (k - 1) / k;
        sum += term;
    }
    return 1.0 - (df % 2 ? 2.0 / pi * (theta + sin(theta) * sum) : sin(theta) * sum);
}

static void student_p_matches_the_finite_series(void **state)
{
    (void)state;
    static const int dfs[] = { 1, 2, 3, 4, 5, 9, 10, 29, 100, 599, 6039 };
    static const double ts[] = { 1e-8, 1e-3, 0.1, 0.5, 1, 1.96, 2.5, 4, 7 };
    for (int i = 0; i < PM_COUNT(dfs); i++) {
        for (int j = 0; j < PM_COUNT(ts); j++) {
            const double p = pm_student_p(ts[j], dfs[i]);
            if (fabs(p - series_p(ts[j], dfs[i])) > 1e-11) fail_msg("t %g df %d: p %.15g", ts[j], dfs[i], p);
            assert_true(p == pm_student_p(-ts[j], dfs[i]));
        }
    }
}

static void student_p_keeps_its_digits_when_small(void **state)
{
    (void)state;
    for (double t = 10; t < 1e9; t *= 10) {    // df 2: 1 − t/s = 2 / (s(s + t)) with s = √(2 + t²)
        const double s = sqrt(2 + t * t), p = 2 / (s * (s + t));
        assert_true(fabs(pm_student_p(t, 2) / p - 1) < 1e-12);
    }
    for (double t = 1; t < 8; t += 1) {    // many users: the normal tail and the first term of its expansion in 1/df
        const double df = 140000, phi = exp(-t * t / 2) / sqrt(2 * acos(-1.0));
        const double p = erfc(t / sqrt(2.0)) + phi * (t * t * t + t) / (2 * df);
        const double first = t * t * t * t / (4 * df);    // what is left out is about its square
        assert_true(fabs(pm_student_p(t, df) / p - 1) < 1e-9 + first * first);
    }
    assert_true(pm_student_p(0, 5) == 1.0);
    assert_true(pm_student_p(INFINITY, 5) == 0.0);
    assert_true(pm_student_p(1e200, 5) == 0.0);
    assert_true(isnan(pm_student_p(NAN, 5)) && isnan(pm_student_p(1, 0)));
}

static void quantiles_match_the_tables(void **state)
{
    (void)state;
    const struct {
        double p, df, t;
    } table[] = {
        { 0.05, 1, 12.7062047 }, { 0.05, 5, 2.57058184 },  { 0.05, 10, 2.22813885 }, { 0.05, 30, 2.04227246 },
        { 0.01, 9, 3.24983554 }, { 0.001, 30, 3.6459586 }, { 1.0, 7, 0.0 },
    };
    for (int i = 0; i < PM_COUNT(table); i++) {
        assert_true(fabs(pm_student_quantile(table[i].p, table[i].df) - table[i].t) < 1e-7 * fmax(1, table[i].t));
    }
    assert_true(isnan(pm_student_quantile(0, 5)) && isnan(pm_student_quantile(1.5, 5)) &&
                isnan(pm_student_quantile(NAN, 5)));
}

// Student's own example (1908): hours of sleep gained under two drugs by ten patients. t = −4.0621, df = 9, p = 0.002833,
// 95 % interval −2.4598858 .. −0.7001142.
static const double drug_1[] = { 0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0 };
static const double drug_2[] = { 1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4 };

static void t_test_gives_the_published_values(void **state)
{
    (void)state;
    pm_paired_test t;
    pm_paired_t_test(drug_1, drug_2, 10, &t);
    NEAR(t.mean_a, 0.75);
    NEAR(t.mean_b, 2.33);
    NEAR(t.difference, -1.58);
    assert_true(fabs(t.t + 4.062127683) < 1e-8);
    assert_true(fabs(t.p - 0.00283289) < 1e-8);
    assert_true(fabs(t.difference - t.ci95 + 2.4598858) < 1e-7);
    assert_true(fabs(t.difference + t.ci95 + 0.7001142) < 1e-7);
    assert_int_equal(t.n, 10);
    NEAR(t.df, 9);
    assert_string_equal(pm_stars(t.p), "**");
}

static void t_test_at_its_edges(void **state)
{
    (void)state;
    pm_paired_test t;
    const double a[] = { 1, 2, 3 }, up[] = { 1.5, 2.5, 3.5 };
    pm_paired_t_test(a, a, 3, &t);
    assert_true(t.t == 0 && t.p == 1 && t.se == 0 && t.ci95 == 0 && t.difference == 0);
    pm_paired_t_test(a, up, 3, &t);
    assert_true(t.t == -INFINITY && t.p == 0 && t.difference == -0.5);
    pm_paired_t_test(a, up, 1, &t);
    assert_true(isnan(t.t) && isnan(t.p) && isnan(t.se) && isnan(t.ci95) && t.difference == -0.5 && t.n == 1);
    pm_paired_t_test(NULL, NULL, 0, &t);
    assert_true(isnan(t.difference) && isnan(t.p) && t.n == 0);
    assert_string_equal(pm_stars(0.0009), "***");
    assert_string_equal(pm_stars(0.001), "**");
    assert_string_equal(pm_stars(0.01), "*");
    assert_string_equal(pm_stars(0.05), "");
    assert_string_equal(pm_stars(NAN), "");
}

static void runs_are_compared_on_the_same_users(void **state)
{
    (void)state;
    pm_ctx *ctx = new_ctx();
    const pm_metrics_params params = { .items = 3 };
    pm_metrics *a = new_metrics(ctx, "hr@1,coverage@1", &params), *b = new_metrics(ctx, "coverage@1,hr@1", &params);
    const uint32_t zero[] = { 0 }, one[] = { 1 };
    for (int u = 0; u < 4; u++) {
        add(a, u, zero, 1, zero, 1);
        add(b, u, u == 2 ? zero : one, 1, zero, 1);    // b finds it once
    }
    pm_paired_test t;
    assert_int_equal(pm_metrics_compare(a, b, "hr@1", &t), PM_OK);
    NEAR(t.difference, 0.75);    // differences 1 1 0 1: deviation 1/2, se 1/4
    NEAR(t.t, 3.0);
    assert_int_equal(pm_metrics_compare(a, b, "coverage@1", &t), PM_ERR_ARG);
    assert_int_equal(pm_metrics_compare(a, b, "hr@2", &t), PM_ERR_ARG);
    add(a, 4, zero, 1, zero, 1);
    assert_int_equal(pm_metrics_compare(a, b, "hr@1", &t), PM_ERR_ARG);
    add(b, 5, zero, 1, zero, 1);
    assert_int_equal(pm_metrics_compare(a, b, "hr@1", &t), PM_ERR_ARG);
    assert_non_null(strstr(pm_ctx_message(ctx), "is 4 and 5"));
    pm_ctx_destroy(&ctx);
}

static void quintiles_by_hand(void **state)
{
    (void)state;
    pm_ctx *ctx = new_ctx();
    // 11 users: groups of 2, 2, 2, 2, 3. By activity, ties in user order: 3 | 9 || 0 | 4 || 6 | 1 || 10 | 2 || 5 | 7 | 8
    const int64_t activity[] = { 5, 7, 9, 1, 5, 20, 6, 30, 40, 2, 8 };
    const double a[] = { .30, .60, .80, .10, .40, .90, .50, 1.0, 1.1, .20, .70 };
    double b[11];
    for (int i = 0; i < 11; i++) b[i] = a[i] - (i == 3 ? 0.1 : 0.2);
    pm_activity_group g[5];
    assert_int_equal(pm_activity_breakdown(ctx, activity, a, b, 11, 5, g), PM_OK);
    const int64_t least[] = { 1, 5, 6, 8, 20 }, most[] = { 2, 5, 7, 9, 40 }, n[] = { 2, 2, 2, 2, 3 };
    const double means[] = { .15, .35, .55, .75, 1.0 };
    for (int i = 0; i < 5; i++) {
        assert_int_equal(g[i].least, least[i]);
        assert_int_equal(g[i].most, most[i]);
        assert_int_equal(g[i].a.n, n[i]);
        NEAR(g[i].a.mean, means[i]);
        assert_int_equal(g[i].test.n, n[i]);
    }
    NEAR(g[0].a.se, 0.05);               // .10, .20: deviation .1/√2, over √2
    NEAR(g[4].a.se, 0.1 / sqrt(3.0));    // .9, 1, 1.1
    NEAR(g[0].b.mean, 0.0);              // 0, 0
    NEAR(g[0].test.difference, 0.15);    // .1, .2: t = .15 / .05 on one degree of freedom
    assert_true(fabs(g[0].test.t - 3.0) < 1e-9);
    assert_int_equal(pm_activity_breakdown(ctx, activity, a, NULL, 3, 5, g), PM_OK);    // fewer users than groups
    assert_int_equal(g[0].a.n + g[1].a.n + g[2].a.n + g[3].a.n + g[4].a.n, 3);
    assert_int_equal(g[0].a.n, 0);
    assert_true(isnan(g[0].a.mean) && g[4].b.n == 0 && g[4].test.n == 0);
    assert_int_equal(pm_activity_breakdown(ctx, activity, a, NULL, 3, 0, g), PM_ERR_ARG);
    pm_ctx_destroy(&ctx);
}

static void equal_activity_keeps_user_order(void **state)
{
    (void)state;
    enum { N = 1000 };
    pm_ctx *ctx = new_ctx();
    static int64_t activity[N];
    static double values[N];
    for (int i = 0; i < N; i++) activity[i] = 3, values[i] = i;
    pm_activity_group g[5];
    assert_int_equal(pm_activity_breakdown(ctx, activity, values, NULL, N, 5, g), PM_OK);
    for (int i = 0; i < 5; i++) NEAR(g[i].a.mean, 200 * i + 99.5);
    pm_ctx_destroy(&ctx);
}

static void popularity_counts_columns(void **state)
{
    (void)state;
    uint32_t indptr[] = { 0, 2, 2, 4 }, col[] = { 1, 3, 0, 3 }, counts[4];
    pm_popularity(&(pm_csr){ .rows = 3, .cols = 4, .nnz = 4, .indptr = indptr, .col = col }, counts);
    const uint32_t expected[] = { 1, 1, 0, 2 };
    assert_memory_equal(counts, expected, sizeof expected);
}

static void summary_survives_a_large_offset(void **state)
{
    (void)state;
    const double values[] = { 1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16 };    // variance 30, which a sum of squares loses
    pm_metric_result r;
    pm_metric_summary("x", values, 4, &r);
    NEAR(r.mean, 1e9 + 10);
    NEAR(r.se, sqrt(30.0 / 4));
    assert_string_equal(r.name, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(student_p_matches_the_finite_series),
        cmocka_unit_test(student_p_keeps_its_digits_when_small),
        cmocka_unit_test(quantiles_match_the_tables),
        cmocka_unit_test(t_test_gives_the_published_values),
        cmocka_unit_test(t_test_at_its_edges),
        cmocka_unit_test(runs_are_compared_on_the_same_users),
        cmocka_unit_test(quintiles_by_hand),
        cmocka_unit_test(equal_activity_keeps_user_order),
        cmocka_unit_test(popularity_counts_columns),
        cmocka_unit_test(summary_survives_a_large_offset),
    };
    return cmocka_run_group_tests_name("significance", tests, NULL, NULL);
}
