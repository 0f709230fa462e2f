// How popular the recommended items are, as a density: Figure 7 of the two-headed AutoRec paper.
#include <math.h>

#include "metrics/analysis.h"

// Items with how often each counts.
typedef struct weighted {
    const uint32_t *popularity;    // [items] training interactions
    uint32_t       *weight;        // [items]
    int64_t         items;
    double          total, mean, bandwidth;
} weighted;

static void measure(weighted *w, double least_bandwidth)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < w->items; i++) {
        w->total += w->weight[i];
        sum += (double)w->weight[i] * w->popularity[i];
    }
    w->mean = w->total > 0 ? sum / w->total : NAN;
    for (int64_t i = 0; i < w->items; i++) squares += w->weight[i] * (w->popularity[i] - w->mean) * (w->popularity[i] - w->mean);
    const double deviation = w->total > 1 ? sqrt(squares / (w->total - 1)) : 0;
    w->bandwidth = fmax(deviation * pow(w->total, -0.2), least_bandwidth);
}

static double kernel(double u)
{
    return u < -8 || u > 8 ? 0 : 0.3989422804014327 * exp(-0.5 * u * u);
}

static double density_at(const weighted *w, double x)
{
    double sum = 0;
    for (int64_t i = 0; i < w->items; i++) {
        if (!w->weight[i]) continue;
        const double p = w->popularity[i];
        sum += w->weight[i] * (kernel((x - p) / w->bandwidth) + kernel((x + p) / w->bandwidth));
    }
    return w->total > 0 ? sum / (w->total * w->bandwidth) : NAN;
}

static double percent_below(const weighted *w, double x)
{
    double sum = 0;
    for (int64_t i = 0; i < w->items; i++)
        if (w->popularity[i] < x) sum += w->weight[i];
    return w->total > 0 ? 100 * sum / w->total : NAN;
}

static void count_shown(const pm_shown_lists *s, uint32_t *weight)
{
    for (int64_t u = 0; u < s->users; u++)
        for (int64_t r = 0; r < PM_MIN(s->depth, PM_DENSITY_TOP) && s->lists[u * s->depth + r] < s->items; r++)
            weight[s->lists[u * s->depth + r]]++;
}

pm_status pm_analyse_density(const void *parent, const pm_shown_lists *s, const pm_csr *target, pm_analysis *out)
{
    static const char *const columns[] = { "interactions", "recommended", "to_find", "recommended_below", "to_find_below" };
    pm_table t;
    *out = (pm_analysis){ "density", NULL, "Two-headed AutoRec, Figure 7", "point", PM_COUNT(columns), columns, PM_DENSITY_POINTS, NULL, NULL };
    PM_TRY(pm_table_create(parent, out, &t));
    uint32_t *weight = pm_new_array(t.label, uint32_t, PM_MAX(2 * s->items, 1)), most = 1;
    PM_CHECK_ALLOC(weight);
    for (int64_t i = 0; i < s->items; i++) most = PM_MAX(most, s->popularity[i]);
    const double step = (double)most / (PM_DENSITY_POINTS - 1);
    weighted shown = { .popularity = s->popularity, .weight = weight, .items = s->items },
             found = { .popularity = s->popularity, .weight = weight + s->items, .items = s->items };
    count_shown(s, shown.weight);
    for (int64_t e = 0; e < target->nnz; e++) found.weight[target->col[e]]++;
    measure(&shown, 0.5 * step);
    measure(&found, 0.5 * step);
    out->title = pm_sprintf(t.label, "density of the training interactions of the items in the top %d: %.1f on average, of what is to be found %.1f",
                            PM_DENSITY_TOP, shown.mean, found.mean);
    PM_CHECK_ALLOC(out->title);
    for (int64_t r = 0; r < out->rows; r++) {
        const double x = step * (double)r;
        PM_TRY(pm_table_label(&t, r, pm_sprintf(t.label, "%" PRId64, r)));
        pm_table_row(&t, r, (const double[]){ x, density_at(&shown, x), density_at(&found, x), percent_below(&shown, x), percent_below(&found, x) });
    }
    return PM_OK;
}
