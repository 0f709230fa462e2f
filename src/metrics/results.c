// Results: means with their uncertainty, counts, popularity and breakdowns.
#include "metrics/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void pm_metric_summary(const char *name, const double *values, int64_t n, pm_metric_result *out)
{
    double mean = 0.0, squares = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double delta = values[i] - mean;
        mean += delta / (double)(i + 1);
        squares += delta * (values[i] - mean);
    }
    *out = (pm_metric_result){ .mean = n > 0 ? mean : NAN, .se = NAN, .n = n };
    if (n > 1) out->se = sqrt(squares / (double)(n - 1)) / sqrt((double)n);
    out->ci95 = 1.96 * out->se;
    snprintf(out->name, sizeof out->name, "%s", name ? name : "");
}

void pm_metric_of_values(const char *name, pm_metric_result *mean)
{
    if (!pm_name_equal(name, "rmse")) return;
    mean->mean = sqrt(mean->mean);
    if (mean->se > 0.0) mean->se /= 2.0 * mean->mean;
    mean->ci95 = 1.96 * mean->se;
}

static int by_count(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static pm_status catalogue_result(const pm_metrics *m, int index, pm_metric_result *out)
{
    const pm_metric_entry *e = &m->set->entries[index];
    const int64_t items = m->params.items;
    uint32_t *shown = pm_new_array(m, uint32_t, items);
    PM_CHECK_ALLOC(shown);
    memcpy(shown, m->shown[index], sizeof *shown * (size_t)items);
    qsort(shown, (size_t)items, sizeof *shown, by_count);
    *out = (pm_metric_result){
        .mean = m->count ? e->def->catalogue(shown, items) : NAN, .se = NAN, .ci95 = NAN, .n = m->count
    };
    snprintf(out->name, sizeof out->name, "%s", e->name);
    pm_free(shown);
    return PM_OK;
}

pm_status pm_metrics_result(const pm_metrics *m, int index, pm_metric_result *out)
{
    PM_REQUIRE(m, index >= 0 && index < m->set->count, PM_ERR_ARG, "metrics: index %d is outside 0 .. %d", index,
               m->set->count - 1);
    const pm_metric_entry *e = &m->set->entries[index];
    if (e->def->info.kind == PM_METRIC_CATALOGUE) return catalogue_result(m, index, out);
    pm_metric_summary(e->name, m->values[index], m->count, out);
    pm_metric_of_values(e->def->info.name, out);
    return PM_OK;
}

void pm_metrics_get_counts(const pm_metrics *m, pm_metrics_counts *out)
{
    *out = (pm_metrics_counts){
        .users = m->count,
        .excluded_no_target = m->excluded_no_target,
        .empty_lists = m->empty_lists,
        .tied = m->tied,
        .tied_share = m->count ? (double)m->tied / (double)m->count : 0.0,
    };
}

const pm_metric_set *pm_metrics_set(const pm_metrics *m)
{
    return m->set;
}

const double *pm_metrics_values(const pm_metrics *m, int index)
{
    return index >= 0 && index < m->set->count ? m->values[index] : NULL;
}

const int64_t *pm_metrics_users(const pm_metrics *m)
{
    return m->users;
}

// ---- popularity ----------------------------------------------------------------------------------------------------

void pm_popularity(const pm_csr *train, uint32_t *counts)
{
    memset(counts, 0, sizeof *counts * (size_t)train->cols);
    for (int64_t i = 0; i < train->nnz; i++) counts[train->col[i]]++;
}

typedef struct keyed {
    int64_t key, index;
} keyed;

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

pm_status pm_popularity_tails(const void *object, const uint32_t *popularity, int64_t items, uint8_t *tail)
{
    enum { SHORT_END = 200, MEDIUM_END = 1000 };
    keyed *order = pm_new_array(object, keyed, items);
    PM_CHECK_ALLOC(order);
    for (int64_t i = 0; i < items; i++) order[i] = (keyed){ -(int64_t)popularity[i], i };
    qsort(order, (size_t)items, sizeof *order, by_key);
    for (int64_t i = 0; i < items; i++) {
        tail[order[i].index] = i < SHORT_END ? PM_TAIL_SHORT : i < MEDIUM_END ? PM_TAIL_MEDIUM : PM_TAIL_LONG;
    }
    pm_free(order);
    return PM_OK;
}

// ---- activity ------------------------------------------------------------------------------------------------------

// values ordered as `order` says, into scratch.
static void gather(const double *values, const keyed *order, int64_t n, double *scratch)
{
    for (int64_t i = 0; i < n; i++) scratch[i] = values[order[i].index];
}

pm_status pm_activity_breakdown(const void *object, const int64_t *activity, const double *a, const double *b, int64_t n,
                                int groups, pm_activity_group *out)
{
    PM_REQUIRE(object, groups >= 1 && n >= 0, PM_ERR_ARG, "breakdown by activity: %d groups of %" PRId64 " users", groups,
               n);
    keyed *order = pm_new_array(object, keyed, n);
    PM_CHECK_ALLOC(order);
    double *sorted_a = pm_new_array(order, double, n), *sorted_b = pm_new_array(order, double, n);
    if (!sorted_a || !sorted_b) {
        pm_free(order);
        return PM_ERR_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) order[i] = (keyed){ activity[i], i };
    qsort(order, (size_t)n, sizeof *order, by_key);
    gather(a, order, n, sorted_a);
    if (b) gather(b, order, n, sorted_b);
    for (int g = 0; g < groups; g++) {
        const int64_t begin = n / groups * g + n % groups * g / groups;    // g·n / groups without overflow
        const int64_t end = n / groups * (g + 1) + n % groups * (g + 1) / groups;
        const int64_t in_b = b ? end - begin : 0;
        out[g] = (pm_activity_group){ 0 };
        if (end > begin) {
            out[g].least = order[begin].key;
            out[g].most = order[end - 1].key;
        }
        pm_metric_summary(NULL, sorted_a + begin, end - begin, &out[g].a);
        pm_metric_summary(NULL, sorted_b + begin, in_b, &out[g].b);
        pm_paired_t_test(sorted_a + begin, sorted_b + begin, in_b, &out[g].test);
    }
    pm_free(order);
    return PM_OK;
}
