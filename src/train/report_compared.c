// Runs beside each other in figures: means by metric and cut-off (two-headed AutoRec, Figures 2 and 3), and user by user (Figure 6).
#include <math.h>
#include <stdlib.h>

#include "train/report.h"

enum { MOST_CUTS = 16, MOST_FAMILIES = 8, MOST_PAIRS = 6, MOST_CELLS = 12 };

// ---- means ---------------------------------------------------------------------------------------------------------

static bool is_drawn(const pm_report *r, const char *name)
{
    const pm_metric_set *set = pm_metrics_set(pm_report_users(r, 0));
    const pm_metric_info *info = pm_metric_set_info(set, pm_metric_set_find(set, name));
    return info && info->kind == PM_METRIC_HITS;
}

// A chart of bars: a row a metric, a bar an entry.
static void bars(const pm_report *r, const char *name, const char *title, const char *row_name, const char *const *metric,
                 const char *const *label, int rows)
{
    double y[MOST_CUTS * PM_REPORT_MAX], error[MOST_CUTS * PM_REPORT_MAX];
    const int count = r->p->count;
    for (int i = 0; i < rows; i++)
        for (int e = 0; e < count; e++) {
            const pm_metric_result *m = pm_report_find(r, e, metric[i]);
            y[i * count + e] = m ? m->mean : NAN;
            error[i * count + e] = m ? m->ci95 : NAN;
        }
    pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_BARS, .name = name, .title = title, .note = pm_report_of_ratings(r) ? "Over ratings, with 95 % intervals." : "Means over users, with 95 % intervals.",
                                        .row_name = row_name, .value_name = "mean", .rows = rows, .series = count, .row_label = label,
                                        .series_name = r->names, .y = y, .error = error, .error_name = "± (95 %)", .digits = 4, .best_row = -1 });
}

typedef struct family {
    const char *metric[MOST_CUTS], *label[MOST_CUTS];
    int         count;
} family;

// The metrics of the set that are the index-th but for the cut-off, where that is the first of them.
static void find_family(const pm_report *r, int index, family *f)
{
    const pm_metric_set *set = pm_metrics_set(pm_report_users(r, 0));
    const char *first = pm_metric_set_name(set, index);
    const size_t base = strcspn(first, "@");
    f->count = 0;
    for (int i = 0; i < pm_metric_set_count(set) && f->count < MOST_CUTS; i++) {
        const char *name = pm_metric_set_name(set, i);
        if (strcspn(name, "@") != base || strncmp(name, first, base) != 0 || !name[base]) continue;
        if (i < index) {
            f->count = 0;
            return;
        }
        f->metric[f->count] = name;
        f->label[f->count++] = name + base + 1;
    }
}

pm_status pm_report_compared(pm_report *r)
{
    const pm_metric_set *set = pm_metrics_set(pm_report_users(r, 0));
    bool open = false, first_drawn = false;
    int drawn = 0;
    if (r->p->count < 2 || r->p->sweep) return PM_OK;
    const char *first = pm_report_main_metric(r);
    for (int i = 0; i < pm_metric_set_count(set) && drawn < MOST_FAMILIES; i++) {
        family f;
        char name[60], title[80];
        if (!is_drawn(r, pm_metric_set_name(set, i))) continue;
        find_family(r, i, &f);
        if (f.count < 2) continue;
        const int base = (int)strcspn(f.metric[0], "@");
        snprintf(name, sizeof name, "bars-%.*s", base, f.metric[0]);
        for (char *c = name; *c; c++)
            if (*c == '_') *c = '-';
        snprintf(title, sizeof title, "%.*s by cut-off", base, f.metric[0]);
        pm_report_open(r, &open, NULL);
        bars(r, name, title, "k", f.metric, f.label, f.count);
        for (int k = 0; k < f.count; k++) first_drawn = first_drawn || (first && pm_name_equal(f.metric[k], first));
        drawn++;
    }
    if (first && !first_drawn) {
        pm_report_open(r, &open, NULL);
        bars(r, "bars", first, "metric", &first, &first, 1);
    }
    pm_report_close(r, open);
    return PM_OK;
}

// ---- user by user --------------------------------------------------------------------------------------------------

static const double *values_of(const pm_report *r, int entry, const char *metric)
{
    const pm_metrics *users = pm_report_users(r, entry);
    return pm_metrics_values(users, pm_metric_set_find(pm_metrics_set(users), metric));
}

// Two entries with values of the same users: of their position in the part, which is the same split.
static bool are_pairs(const pm_report *r, int a, int b, const char *metric)
{
    pm_metrics_counts x, y;
    pm_metrics_get_counts(pm_report_users(r, a), &x);
    pm_metrics_get_counts(pm_report_users(r, b), &y);
    return x.users == y.users && x.users > 1 && values_of(r, a, metric) && values_of(r, b, metric);
}

static int64_t user_count(const pm_report *r)
{
    pm_metrics_counts c;
    pm_metrics_get_counts(pm_report_users(r, 0), &c);
    return c.users;
}

// Width of the cells, of 1, 2 or 5 times a power of ten, so that at most `cells` of them reach the largest value.
static double cell_width(double largest, int cells)
{
    double unit = 1;
    while (unit * cells >= 10 * largest && unit > 1e-12) unit /= 10;
    while (unit * cells < largest) unit *= 10;
    if (unit / 5 * cells >= largest) return unit / 5;
    return unit / 2 * cells >= largest ? unit / 2 : unit;
}

// Which cell a value is in: 0 for 0, cell k for those above (k − 1) · width up to k · width.
static int cell_of(double value, double width, int cells)
{
    const int k = value > 0 ? (int)ceil(value / width - 1e-9) : 0;
    return PM_MIN(PM_MAX(k, value > 0), cells - 1);
}

// Users by the values of two runs: of the second upwards, of the first to the right.
static pm_status plane(const pm_report *r, int a, int b, int number, const char *metric)
{
    const double *x = values_of(r, a, metric), *y = values_of(r, b, metric);
    const int64_t n = user_count(r);
    double largest = 0, count[MOST_CELLS * MOST_CELLS];
    char name[40], title[200], text[MOST_CELLS][40];
    const char *right[MOST_CELLS], *up[MOST_CELLS];
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, fmax(x[i], y[i]));
    if (!(largest > 0)) return PM_OK;
    const double width = cell_width(largest, MOST_CELLS - 1);
    const int cells = 1 + (int)ceil(largest / width - 1e-9);
    for (int i = 0; i < cells * cells; i++) count[i] = NAN;
    for (int64_t i = 0; i < n; i++) {
        double *cell = &count[(cells - 1 - cell_of(y[i], width, cells)) * cells + cell_of(x[i], width, cells)];
        *cell = isfinite(*cell) ? *cell + 1 : 1;
    }
    for (int k = 0; k < cells; k++) {
        snprintf(text[k], sizeof text[k], k ? "– %.6g" : "0", k * width);
        right[k] = up[cells - 1 - k] = text[k];
    }
    snprintf(name, sizeof name, "plane-%d", number);
    snprintf(title, sizeof title, "Users by %.40s: %.60s up, %.60s to the right", metric, r->names[b], r->names[a]);
    pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_HEAT, .name = name, .title = title,
                                        .note = number > 1 ? NULL : "How many users have which pair of values, 0 apart from the rest (two-headed AutoRec, Figure 6, in "
                                                                    "cells; colours by the logarithm). Users below the diagonal are better served by the run to the right.",
                                        .row_name = r->names[b], .column_name = r->names[a], .value_name = "users", .rows = cells, .series = cells,
                                        .row_label = up, .series_name = right, .y = count, .log_y = true, .digits = 0, .best_row = -1 });
    return PM_OK;
}

typedef struct pair {
    int a, b;
} pair;

// The first ones in order: (0, 1), (0, 2), (1, 2), …
static int find_pairs(const pm_report *r, const char *metric, pair *out)
{
    int n = 0;
    for (int b = 1; b < r->p->count; b++)
        for (int a = 0; a < b && n < MOST_PAIRS; a++)
            if (are_pairs(r, a, b, metric)) out[n++] = (pair){ a, b };
    return n;
}

static void shares(const pm_report *r, const pair *pairs, int count, const char *metric)
{
    static const char *const series[] = { "the first is better", "the second is better", "equal" };    // of two runs each in its own colour
    double y[3 * MOST_PAIRS] = { 0 }, error[3 * MOST_PAIRS];
    char text[MOST_PAIRS][30], title[100], note[1200];
    const char *labels[MOST_PAIRS];
    size_t used;
    const int64_t n = user_count(r);
    for (int p = 0; p < count; p++) {
        const double *a = values_of(r, pairs[p].a, metric), *b = values_of(r, pairs[p].b, metric);
        for (int64_t i = 0; i < n; i++) y[3 * p + (a[i] > b[i] ? 0 : a[i] < b[i] ? 1 : 2)] += 100.0 / (double)n;
        for (int k = 0; k < 3; k++) error[3 * p + k] = 1.96 * sqrt(y[3 * p + k] * fmax(100 - y[3 * p + k], 0) / (double)n);
        snprintf(text[p], sizeof text[p], "%d, %d", pairs[p].a + 1, pairs[p].b + 1);
        labels[p] = text[p];
    }
    snprintf(title, sizeof title, "Who is served better, by %.60s", metric);
    used = (size_t)snprintf(note, sizeof note, "The share of users for whom one run of a pair is better than the other; intervals of 95 %%. The means of the differences "
                                               "are above, among the tests. Runs by number:");
    for (int e = 0; e <= pairs[count - 1].b && used < sizeof note; e++)
        used += (size_t)snprintf(note + used, sizeof note - used, "%s %d %.80s", e ? "," : "", e + 1, r->names[e]);
    pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_BARS, .name = "shares", .title = title,
                                        .note = note,
                                        .row_name = "pair", .value_name = "% of the users", .rows = count, .series = 3, .row_label = labels,
                                        .series_name = series, .y = y, .error = error, .error_name = "± (95 %)", .digits = 1, .best_row = -1 });
}

pm_status pm_report_pairs(pm_report *r)
{
    pair pairs[MOST_PAIRS];
    const char *metric = r->p->sweep || pm_report_of_ratings(r) ? NULL : pm_report_main_metric(r);
    const int count = metric ? find_pairs(r, metric, pairs) : 0;
    bool open = false;
    if (!count) return PM_OK;
    pm_report_open(r, &open, "User by user");
    shares(r, pairs, count, metric);
    for (int p = 0; p < count; p++) PM_TRY(plane(r, pairs[p].a, pairs[p].b, p + 1, metric));
    pm_report_close(r, open);
    return PM_OK;
}
