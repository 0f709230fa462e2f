// What the tests of metrics share.
#ifndef PM_TEST_METRICS_SUPPORT_H
#define PM_TEST_METRICS_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <pumice/metrics.h>

#include "core/core.h"

static inline void assert_near(double value, double expected, const char *what, int line)
{
    if (fabs(value - expected) <= 1e-12 * fmax(1.0, fabs(expected))) return;
    fail_msg("line %d: %s is %.17g, expected %.17g", line, what, value, expected);
}
#define NEAR(value, expected) assert_near(value, expected, #value, __LINE__)

static inline pm_ctx *new_ctx(void)
{
    pm_ctx *ctx;
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    return ctx;
}

static inline pm_metrics *new_metrics(pm_ctx *ctx, const char *names, const pm_metrics_params *params)
{
    pm_metric_set *set;
    pm_metrics *m;
    assert_int_equal(pm_metric_set_parse(ctx, names, &set), PM_OK);
    if (pm_metrics_create(ctx, set, params, &m) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
    pm_metric_set_destroy(&set);    // the accumulator has its own
    return m;
}

static inline void add(pm_metrics *m, int64_t user, const uint32_t *items, int64_t length, const uint32_t *targets,
                       int64_t count)
{
    const pm_ranking r = { .user = user, .items = items, .length = length, .targets = targets, .target_count = count };
    assert_int_equal(pm_metrics_add_ranking(m, &r), PM_OK);
}

static inline pm_metric_result result(const pm_metrics *m, const char *name)
{
    pm_metric_result r;
    assert_int_equal(pm_metrics_result(m, pm_metric_set_find(pm_metrics_set(m), name), &r), PM_OK);
    assert_string_equal(r.name, name);
    return r;
}

static inline double mean(const pm_metrics *m, const char *name)
{
    return result(m, name).mean;
}

#endif
