// The analyses that runs have (pm_evaluate_params.analysis): predicted preference, and who is shown what at which rank.
#include <math.h>
#include <stdlib.h>

#include "train/report.h"

static const char heading[] = "What is predicted, and who is shown it";

const pm_analysis *pm_report_analysis(const pm_report *r, int entry, const char *name)
{
    const pm_result *x = r->p->entries[entry].result;
    for (int i = 0; i < x->analysis_count; i++)
        if (pm_name_equal(x->analysis[i].name, name)) return &x->analysis[i];
    return NULL;
}

// The analysis with the most rows among the entries, for the labels; NULL where none has it.
static const pm_analysis *longest(const pm_report *r, const char *name)
{
    const pm_analysis *found = NULL;
    for (int e = 0; e < r->p->count; e++) {
        const pm_analysis *a = pm_report_analysis(r, e, name);
        if (a && (!found || a->rows > found->rows)) found = a;
    }
    return found;
}

// One column of an analysis, [rows of `like`, entries]; NaN where an entry lacks it.
static double *column_of(const pm_report *r, const pm_analysis *like, const char *column)
{
    const int count = r->p->count;
    double *y = pm_new_array(r->ctx, double, like->rows * count);
    for (int e = 0; e < count && y; e++) {
        const pm_analysis *a = pm_report_analysis(r, e, like->name);
        for (int64_t i = 0; i < like->rows; i++) y[i * count + e] = a ? pm_analysis_at(a, like->label[i], column) : NAN;
    }
    return y;
}

static pm_status preference(pm_report *r, bool *open)
{
    const pm_analysis *a = longest(r, "preference");
    if (!a) return PM_OK;
    double *y = column_of(r, a, "percent"), *error = column_of(r, a, "ci95");
    if (!y || !error) return PM_ERR_NOMEM;
    pm_report_open(r, open, heading);
    pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_BARS, .name = "preference", .title = "Predicted preference of the catalogue",
                                        .note = "The share of all items in each band of predicted preference, per user, means over users with 95 % "
                                                "intervals (MIL, Table 4). Runs whose scores are no preferences are left out.",
                                        .row_name = "predicted preference", .value_name = "% of the items", .rows = a->rows, .series = r->p->count,
                                        .row_label = a->label, .series_name = r->names, .y = y, .error = error, .error_name = "± (95 %)",
                                        .digits = 2, .best_row = -1 });
    pm_free(y);
    pm_free(error);
    return PM_OK;
}

static pm_status item_preference(pm_report *r, bool *open)
{
    const pm_analysis *a = longest(r, "item-preference");
    if (!a) return PM_OK;
    double *y = column_of(r, a, "percent"), *x = pm_new_array(r->ctx, double, a->rows);
    if (!y || !x) return PM_ERR_NOMEM;
    for (int64_t i = 0; i < a->rows; i++) {
        const double from = pm_analysis_at(a, a->label[i], "from"), to = pm_analysis_at(a, a->label[i], "to");
        x[i] = isfinite(from) && isfinite(to) ? 0.5 * (from + to) : isfinite(from) ? from : to;
    }
    pm_report_open(r, open, heading);
    pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_LINES, .name = "item-preference", .title = "Mean predicted preference of the items",
                                        .note = "How the items' means over users are spread, at the middles of bands of equal width; not Table 4 of the "
                                                "MIL paper.",
                                        .row_name = "mean over users", .value_name = "% of the items", .rows = a->rows, .series = r->p->count, .x = x,
                                        .series_name = r->names, .y = y, .digits = 2, .best_row = -1 });
    pm_free(y);
    pm_free(x);
    return PM_OK;
}

static pm_status ranks(pm_report *r, bool *open)
{
    static const char *const tails[] = { "short", "medium", "long" };
    static const char *const titles[] = { "Users shown one of the first 200 items, by rank", "Users shown one of the next 800 items, by rank",
                                          "Users shown one of the other items, by rank" };
    const pm_analysis *a = longest(r, "ranks");
    if (!a) return PM_OK;
    double *x = pm_new_array(r->ctx, double, a->rows);
    PM_CHECK_ALLOC(x);
    for (int64_t i = 0; i < a->rows; i++) x[i] = (double)(i + 1);
    pm_report_open(r, open, heading);
    for (int t = 0; t < PM_COUNT(tails); t++) {
        char name[40];
        double *y = column_of(r, a, tails[t]), most = 0;
        PM_CHECK_ALLOC(y);
        for (int64_t i = 0; i < a->rows * r->p->count; i++)
            if (isfinite(y[i])) most = fmax(most, y[i]);
        snprintf(name, sizeof name, "ranks-%s", tails[t]);
        if (most > 0)    // a catalogue may be too small to have a long tail
            pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_LINES, .name = name, .title = titles[t],
                                                .note = t ? NULL : "Items by their popularity in training: short, medium and long tail (MIL, Figure 4).",
                                                .row_name = "rank", .value_name = "users", .rows = a->rows, .series = r->p->count, .x = x,
                                                .series_name = r->names, .y = y, .digits = 0, .best_row = -1 });
        pm_free(y);
    }
    pm_free(x);
    return PM_OK;
}

// A column as an array of its own.
static pm_status copy_column(const void *parent, const pm_analysis *a, int column, const double **out)
{
    double *y = pm_new_array(parent, double, a->rows);
    PM_CHECK_ALLOC(y);
    for (int64_t i = 0; i < a->rows; i++) y[i] = a->value[i * a->columns + column];
    *out = y;
    return PM_OK;
}

// Runs that were refit have another popularity, and so another x. What was to be found stands beside them, by the first run's.
static pm_status density(pm_report *r, bool *open)
{
    enum { INTERACTIONS, RECOMMENDED, TO_FIND };
    pm_line lines[PM_CHART_MAX_SERIES] = { 0 };
    const char *names[PM_CHART_MAX_SERIES];
    const pm_analysis *a = longest(r, "density");
    void *scratch = a ? pm_alloc(r->ctx, 1) : NULL;
    const int count = r->p->count;
    if (!a) return PM_OK;
    PM_CHECK_ALLOC(scratch);
    for (int e = 0; e <= count; e++) {
        const pm_analysis *own = e < count ? pm_report_analysis(r, e, "density") : a;
        names[e] = e < count ? r->names[e] : r->p->validation ? "validation interactions" : "test interactions";
        if (!own) continue;
        lines[e].count = own->rows;
        PM_TRY(copy_column(scratch, own, INTERACTIONS, &lines[e].x));
        PM_TRY(copy_column(scratch, own, e < count ? RECOMMENDED : TO_FIND, &lines[e].y));
    }
    pm_report_open(r, open, heading);
    const pm_chart look = { .name = "density", .title = "How popular the first ten recommendations are",
                            .note = "How often an item in somebody's first ten was rated in training, as a density over all recommendations (two-headed AutoRec, "
                                    "Figure 7); beside the runs what was there to be found. Further left is more personal.",
                            .row_name = "training interactions of the item", .value_name = "density", .series_name = names, .digits = 6 };
    const pm_status st = pm_report_lines(r, &look, lines, count + 1);
    pm_free(scratch);
    return st;
}

pm_status pm_report_analyses(pm_report *r)
{
    bool open = false;
    PM_TRY(preference(r, &open));
    PM_TRY(item_preference(r, &open));
    PM_TRY(ranks(r, &open));
    PM_TRY(density(r, &open));
    pm_report_close(r, open);
    return PM_OK;
}
