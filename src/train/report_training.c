// Figures of training: the validation metric and the losses by epoch, the metric by seconds, how long it took to converge.
#include <math.h>

#include "train/report.h"

// What is drawn by epoch: a loss or a metric by name, or with neither the metric that chose.
typedef struct quantity {
    const char *loss, *metric;
} quantity;

// One number of an epoch of an entry.
static double epoch_value(const pm_result *x, int epoch, quantity q)
{
    if (!q.loss && !q.metric) return x->epoch_log[epoch].validation;
    for (int i = 0; i < x->epoch_metric_count && q.metric; i++)
        if (pm_name_equal(x->epoch_metric[i], q.metric)) return x->epoch_log[epoch].metrics[i];
    for (int i = 0; i < x->loss_count && q.loss; i++)
        if (pm_name_equal(x->loss_name[i], q.loss)) return x->epoch_log[epoch].loss[i];
    return NAN;
}

// The epochs before a refit, which counts from 1 again.
static int chosen_epochs(const pm_result *x)
{
    int n = 0;
    while (n < x->epoch_count && (n == 0 || x->epoch_log[n].epoch > x->epoch_log[n - 1].epoch)) n++;
    return n;
}

static pm_status curve(pm_report *r, quantity q, const char *name, const char *title, bool *open)
{
    const int count = r->p->count;
    int64_t rows = 0, seen = 0;
    const char *value_name = q.loss ? q.loss : q.metric;
    for (int e = 0; e < count; e++) {
        const pm_result *x = r->p->entries[e].result;
        if (x->epoch_count) rows = PM_MAX(rows, x->epoch_log[chosen_epochs(x) - 1].epoch);
        if (!value_name) value_name = x->select;
    }
    if (rows < 2 || rows > 1000000) return PM_OK;
    double *x = pm_new_array(r->ctx, double, rows), *y = pm_new_array(x, double, rows * count);
    PM_CHECK_ALLOC(x);
    PM_CHECK_ALLOC(y);
    for (int64_t i = 0; i < rows * count; i++) y[i] = NAN;
    for (int64_t i = 0; i < rows; i++) x[i] = (double)(i + 1);
    for (int e = 0; e < count; e++) {
        const pm_result *run = r->p->entries[e].result;
        for (int i = 0; i < chosen_epochs(run); i++) {
            const int64_t at = run->epoch_log[i].epoch - 1;
            if (at < 0 || at >= rows) continue;
            y[at * count + e] = epoch_value(run, i, q);
            seen += isfinite(y[at * count + e]);
        }
    }
    if (seen > 1) {
        pm_report_open(r, open, "Training");
        pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_LINES, .name = name, .title = title, .row_name = "epoch",
                                            .value_name = value_name, .rows = rows, .series = count, .x = x, .series_name = r->names, .y = y, .digits = 4, .best_row = -1 });
    }
    pm_free(x);
    return PM_OK;
}

static bool said_before(const pm_report *r, int entry, int loss)
{
    const char *name = r->p->entries[entry].result->loss_name[loss];
    for (int e = 0; e <= entry; e++)
        for (int i = 0; i < (e == entry ? loss : r->p->entries[e].result->loss_count); i++)
            if (pm_name_equal(r->p->entries[e].result->loss_name[i], name)) return true;
    return false;
}

// ---- by time -------------------------------------------------------------------------------------------------------

// Points of an entry: seconds of training until an epoch that was validated, and what the validation said. Pretraining and the phases
// before the last count as well.
static pm_status timed(const void *parent, const pm_result *run, pm_line *out)
{
    const int epochs = chosen_epochs(run);
    double *x = pm_new_array(parent, double, PM_MAX(epochs, 1)), *y = pm_new_array(parent, double, PM_MAX(epochs, 1)), seconds = 0;
    if (!x || !y) return PM_ERR_NOMEM;
    *out = (pm_line){ x, y, 0 };
    for (int i = 0; i < epochs; i++) {
        seconds += run->epoch_log[i].seconds;
        if (!isfinite(run->epoch_log[i].validation)) continue;
        x[out->count] = seconds;
        y[out->count++] = run->epoch_log[i].validation;
    }
    return PM_OK;
}

static pm_status by_seconds(pm_report *r, const void *scratch, bool *open)
{
    pm_line lines[PM_REPORT_MAX];
    const char *select = NULL;
    int64_t most = 0;
    for (int e = 0; e < r->p->count; e++) {
        PM_TRY(timed(scratch, r->p->entries[e].result, &lines[e]));
        most = PM_MAX(most, lines[e].count);
        if (!select) select = r->p->entries[e].result->select;
    }
    if (most < 2) return PM_OK;
    pm_report_open(r, open, "Training");
    const pm_chart look = { .name = "curve-seconds", .title = "Validation by seconds of training",
                            .note = "Seconds of the epochs themselves, without validation and saving; on the device that each run was trained on.",
                            .row_name = "seconds", .value_name = select, .series_name = r->names, .digits = 4 };
    return pm_report_lines(r, &look, lines, r->p->count);
}

// Two-headed AutoRec, Figure 4. Converged: at the chosen epoch, after which validation was no better.
static pm_status convergence(pm_report *r, const void *scratch, bool *open)
{
    static const char *const series[] = { "until the chosen epoch", "all epochs" };
    const int count = r->p->count;
    double *y = pm_new_array(scratch, double, 2 * count);
    bool any = false;
    PM_CHECK_ALLOC(y);
    for (int e = 0; e < count; e++) {
        const pm_result *run = r->p->entries[e].result;
        for (int i = 0; i < chosen_epochs(run); i++) {
            y[2 * e + 1] += run->epoch_log[i].seconds;
            if (run->epoch_log[i].epoch <= run->best_epoch) y[2 * e] += run->epoch_log[i].seconds;
        }
        any = any || y[2 * e + 1] > 0;
        if (!(y[2 * e + 1] > 0)) y[2 * e] = y[2 * e + 1] = NAN;
    }
    if (!any || count < 2) return PM_OK;
    pm_report_open(r, open, "Training");
    pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_BARS, .name = "convergence", .title = "Seconds of training until convergence",
                                        .note = "Until the epoch that validation chose, none after it having been better, and of all epochs that were trained "
                                                "(two-headed AutoRec, Figure 4). A refit is not counted.",
                                        .row_name = "run", .value_name = "seconds", .rows = count, .series = 2, .row_label = r->names,
                                        .series_name = series, .y = y, .digits = 2, .best_row = -1 });
    return PM_OK;
}

// Leave-one-out has few metrics, and papers show them all by epoch (DMF, Figure 2).
static pm_status other_metrics(pm_report *r, bool *open)
{
    const pm_result *first = r->p->entries[0].result;
    for (int i = 0; i < first->epoch_metric_count && pm_report_part(r, 0)->sampled; i++) {
        char name[40], title[100];
        if (pm_name_equal(first->epoch_metric[i], first->select)) continue;
        snprintf(name, sizeof name, "curve-metric-%d", i + 1);
        snprintf(title, sizeof title, "%.60s by epoch", first->epoch_metric[i]);
        PM_TRY(curve(r, (quantity){ .metric = first->epoch_metric[i] }, name, title, open));
    }
    return PM_OK;
}

pm_status pm_report_curves(pm_report *r)
{
    bool open = false;
    int losses = 0;
    char *scratch = pm_new(r->ctx, char);
    PM_CHECK_ALLOC(scratch);
    PM_TRY(curve(r, (quantity){ 0 }, "curve-validation", "Validation by epoch", &open));
    PM_TRY(other_metrics(r, &open));
    PM_TRY(by_seconds(r, scratch, &open));
    PM_TRY(convergence(r, scratch, &open));
    for (int e = 0; e < r->p->count; e++)
        for (int i = 0; i < r->p->entries[e].result->loss_count; i++) {
            if (said_before(r, e, i)) continue;
            char name[40], title[100];
            const char *loss = r->p->entries[e].result->loss_name[i];
            snprintf(name, sizeof name, "curve-loss-%d", ++losses);
            snprintf(title, sizeof title, "Training loss by epoch: %.60s", loss);
            PM_TRY(curve(r, (quantity){ .loss = loss }, name, title, &open));
        }
    pm_free(scratch);
    pm_report_close(r, open);
    if (open) pm_report_legacy_note(r);
    return PM_OK;
}
