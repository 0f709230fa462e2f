// Figures of runs: activity, popularity.
#include <math.h>
#include <stdlib.h>

#include "train/report.h"

enum { GROUPS = 5, MOST_BINS = 48 };

// ---- activity ------------------------------------------------------------------------------------------------------

// Known items of each counted user.
static int64_t *activity_of(const pm_report *r, int entry, int64_t n)
{
    const pm_eval_part *part = pm_report_part(r, entry);
    const int64_t all = pm_ids_count(r->p->entries[entry].result->split->users), *users = pm_metrics_users(pm_report_users(r, entry));
    int64_t *activity = pm_new_array(r->ctx, int64_t, n), *known = pm_new_array(activity, int64_t, all);
    if (!activity || !known) {
        pm_free(activity);
        return NULL;
    }
    for (int64_t i = 0; i < part->users; i++) known[part->user[i]] = part->input.indptr[i + 1] - part->input.indptr[i];
    for (int64_t i = 0; i < n; i++) activity[i] = known[users[i]];
    return activity;
}

static pm_status break_down(const pm_report *r, int entry, const char *metric, pm_activity_group groups[GROUPS], bool *found)
{
    const pm_metrics *users = pm_report_users(r, entry);
    const int i = pm_metric_set_find(pm_metrics_set(users), metric);
    const double *values = i < 0 ? NULL : pm_metrics_values(users, i);
    *found = values != NULL;
    if (!values) return PM_OK;
    const int64_t n = pm_report_find(r, entry, metric)->n;
    int64_t *activity = activity_of(r, entry, n);
    PM_CHECK_ALLOC(activity);
    const pm_status st = pm_activity_breakdown(r->ctx, activity, values, NULL, n, GROUPS, groups);
    for (int g = 0; g < GROUPS && st == PM_OK; g++) pm_metric_of_values(metric, &groups[g].a);
    pm_free(activity);
    return st;
}

pm_status pm_report_activity(pm_report *r)
{
    const int count = r->p->count;
    const char *metric = pm_report_main_metric(r), *labels[GROUPS];
    char text[GROUPS][48], title[120];
    double y[GROUPS * PM_REPORT_MAX], error[GROUPS * PM_REPORT_MAX];
    bool open = false, found = false;
    for (int e = 0; e < count && metric; e++) {
        pm_activity_group groups[GROUPS];
        PM_TRY(break_down(r, e, metric, groups, &found));
        PM_REQUIRE(r->ctx, found, PM_ERR_ARG, "%s has no value of each user for %s, to break down by activity", r->names[e], metric);
        for (int g = 0; g < GROUPS; g++) {
            y[g * count + e] = groups[g].a.mean;
            error[g * count + e] = groups[g].a.ci95;
            if (e == 0) snprintf(text[g], sizeof text[g], "%" PRId64 "–%" PRId64, groups[g].least, groups[g].most);
            labels[g] = text[g];
        }
    }
    if (!found) return PM_OK;
    snprintf(title, sizeof title, "%.60s by quintile of activity", metric);
    pm_report_open(r, &open, "Activity");
    pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_POINTS, .name = "activity", .title = title,
                                        .row_name = "known items of a user", .value_name = metric,
                                        .note = pm_report_of_ratings(r) ? "A fifth of the ratings each, of the least active users first; bars are 95 % intervals."
                                                                        : "A fifth of the users each, least active first; bars are 95 % intervals.", .rows = GROUPS, .series = count,
                                        .row_label = labels, .series_name = r->names, .y = y, .error = error, .error_name = "± (95 %)", .digits = 4,
                                        .best_row = -1 });
    pm_report_close(r, open);
    return PM_OK;
}

// ---- popularity ----------------------------------------------------------------------------------------------------

typedef struct ranked { uint32_t count, item; } ranked;

static int more_popular(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

// Ends of bins of ranks that widen evenly in the logarithm; how many.
static int make_bins(int64_t items, int64_t ends[MOST_BINS])
{
    int n = 0;
    for (int i = 1; i <= MOST_BINS; i++) {
        const int64_t end = llround(pow((double)items, (double)i / MOST_BINS));
        if (end > (n ? ends[n - 1] : 0)) ends[n++] = end;
    }
    return n;
}

static pm_status data_popularity(pm_report *r)
{
    static const char *const parts[] = { "training", "validation", "test" };
    const pm_split *split = r->p->entries[0].result->split;
    const pm_csr *const matrices[] = { &split->train, &split->valid.target, &split->test.target };
    const int64_t items = split->train.cols;
    int64_t ends[MOST_BINS];
    double x[MOST_BINS], y[3 * MOST_BINS];
    ranked *order = pm_new_array(r->ctx, ranked, items);
    uint32_t *counts = pm_new_array(order, uint32_t, items);
    PM_CHECK_ALLOC(order);
    PM_CHECK_ALLOC(counts);
    pm_popularity(&split->train, counts);
    for (int64_t i = 0; i < items; i++) order[i] = (ranked){ counts[i], (uint32_t)i };
    qsort(order, (size_t)items, sizeof *order, more_popular);
    const int bins = make_bins(items, ends);
    for (int p = 0; p < 3; p++) {
        memset(counts, 0, (size_t)items * sizeof *counts);
        if (matrices[p]->nnz) pm_popularity(matrices[p], counts);
        for (int b = 0; b < bins; b++) {
            const int64_t begin = b ? ends[b - 1] : 0;
            double sum = 0;
            for (int64_t i = begin; i < ends[b]; i++) sum += counts[order[i].item];
            x[b] = 0.5 * (double)(begin + 1 + ends[b]);
            y[b * 3 + p] = sum > 0 ? sum / (double)matrices[p]->nnz / (double)(ends[b] - begin) : NAN;
        }
    }
    if (bins > 1)
        pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_LINES, .name = "popularity", .title = "Popularity of items in the data",
                                            .note = "Items by their interactions in training, the most popular first; an item's share of the interactions of "
                                                    "each part, means over ever wider groups of ranks.",
                                            .row_name = "rank in training", .value_name = "share of the part", .rows = bins, .series = 3, .x = x,
                                            .series_name = parts, .y = y, .log_x = true, .log_y = true, .digits = 6, .best_row = -1 });
    pm_free(order);
    return PM_OK;
}

static const char *const tail_names[] = { "tail_short", "tail_medium", "tail_long" };

// The longest lists that all three shares are known for.
static int64_t tail_depth(const pm_report *r)
{
    const pm_metric_set *set = pm_metrics_set(pm_report_users(r, 0));
    int64_t depth = 0;
    for (int i = 0; i < pm_metric_set_count(set); i++)
        if (pm_report_is_tail(pm_metric_set_name(set, i))) depth = PM_MAX(depth, pm_metric_set_k(set, i));
    for (int e = 0; e < r->p->count; e++)
        for (int t = 0; t < 3; t++) {
            char name[PM_METRIC_NAME_SIZE];
            snprintf(name, sizeof name, "%s@%" PRId64, tail_names[t], depth);
            if (!pm_report_find(r, e, name)) return 0;
        }
    return depth;
}

// The bands' shares of what there is to be found, which a list is held against.
static pm_status target_shares(const pm_report *r, double share[3])
{
    const pm_split *split = r->p->entries[0].result->split;
    const pm_csr *target = &pm_report_part(r, 0)->target;
    const int64_t items = split->train.cols;
    uint32_t *counts = pm_new_array(r->ctx, uint32_t, items);
    uint8_t *tail = pm_new_array(counts, uint8_t, items);
    PM_CHECK_ALLOC(counts);
    PM_CHECK_ALLOC(tail);
    pm_popularity(&split->train, counts);
    PM_TRY(pm_popularity_tails(r->ctx, counts, items, tail));
    for (int64_t e = 0; e < target->nnz; e++) share[tail[target->col[e]]] += 1.0 / (double)target->nnz;
    pm_free(counts);
    return PM_OK;
}

static pm_status tails(pm_report *r)
{
    static const char *const labels[] = { "first 200", "next 800", "the rest" };
    const int64_t depth = tail_depth(r);
    const int series = r->p->count + 1;
    double y[3 * PM_CHART_MAX_SERIES], error[3 * PM_CHART_MAX_SERIES], found[3] = { 0 };
    const char *names[PM_CHART_MAX_SERIES];
    char title[100], last[40] = "test interactions";
    if (!depth) return PM_OK;
    PM_TRY(target_shares(r, found));
    if (r->p->validation) snprintf(last, sizeof last, "validation interactions");
    for (int t = 0; t < 3; t++) {
        for (int e = 0; e < r->p->count; e++) {
            char name[PM_METRIC_NAME_SIZE];
            snprintf(name, sizeof name, "%s@%" PRId64, tail_names[t], depth);
            const pm_metric_result *m = pm_report_find(r, e, name);
            y[t * series + e] = m->mean;
            error[t * series + e] = m->ci95;
            names[e] = r->names[e];
        }
        y[t * series + r->p->count] = found[t];
        error[t * series + r->p->count] = NAN;
    }
    names[r->p->count] = last;
    snprintf(title, sizeof title, "What the first %" PRId64 " recommendations are made of", depth);
    pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_BARS, .name = "tails", .title = title, .row_name = "items by popularity in training",
                                        .value_name = "share of the list",
                                        .note = "The short, medium and long tail of the MIL paper. Means over users, with 95 % intervals; beside them what "
                                                "was there to be found.",
                                        .rows = 3, .series = series, .row_label = labels, .series_name = names, .y = y, .error = error,
                                        .error_name = "± (95 %)", .digits = 4, .best_row = -1 });
    return PM_OK;
}

pm_status pm_report_popularity(pm_report *r)
{
    bool open = false;
    if (pm_report_part(r, 0)->sampled && !tail_depth(r)) return PM_OK;
    pm_report_open(r, &open, "Popularity");
    PM_TRY(data_popularity(r));
    PM_TRY(tails(r));
    pm_report_close(r, open);
    return PM_OK;
}
