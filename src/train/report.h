// Inside of a report: what its sections share. A section that has nothing to show writes nothing, not even its heading.
#ifndef PM_REPORT_H
#define PM_REPORT_H

#include <pumice/train.h>

#include "train/page.h"

enum { PM_REPORT_MAX = PM_CHART_MAX_SERIES - 1 };

typedef struct pm_report {
    pm_ctx                 *ctx;
    const pm_report_params *p;
    pm_page                *page;
    const char             *names[PM_REPORT_MAX];    // of the entries
} pm_report;

extern const char pm_report_style[];    // CSS (report_style.c)

// The metrics of an entry on the report's part.
const pm_metrics       *pm_report_users(const pm_report *r, int entry);
const pm_metric_result *pm_report_find(const pm_report *r, int entry, const char *metric);    // NULL: it lacks it
const pm_eval_part     *pm_report_part(const pm_report *r, int entry);
bool pm_report_of_ratings(const pm_report *r);    // whether values are of ratings rather than users
bool pm_report_is_tail(const char *metric);    // a share of a popularity band, which has a figure of its own

const pm_analysis *pm_report_analysis(const pm_report *r, int entry, const char *name);    // NULL: it lacks it

void pm_report_heading(const pm_report *r, const char *title);
// Before each figure of a section, and at its end: heading (NULL: none) and frame, once there is a figure.
// What † behind a name means, where an entry has it.
void pm_report_legacy_note(const pm_report *r);
void pm_report_open(const pm_report *r, bool *open, const char *title);
void pm_report_close(const pm_report *r, bool open);
// The metric that is broken down: the one asked for, else the first that has a value of each user; NULL.
const char *pm_report_main_metric(const pm_report *r);
// "0.3512 ± 0.0081", or without interval, or a dash.
void pm_report_mean(const pm_report *r, const pm_metric_result *m);
void pm_report_swatch(const pm_report *r, int entry);

// Lines, each with an x of its own, in one figure: `look` says all but kind, rows, series, x, y. Where several have the same x they share a row of
// the table. Of points of a line with one x the last stays (report_lines.c).
typedef struct pm_line {
    const double *x, *y;
    int64_t       count;
} pm_line;
pm_status pm_report_lines(const pm_report *r, const pm_chart *look, const pm_line *lines, int count);

// Sections, in their order (report_results.c, report_sweep.c, report_compared.c, report_losses.c, report_training.c, report_figures.c,
// report_analyses.c).
pm_status pm_report_setting(pm_report *r);
pm_status pm_report_sweep(pm_report *r);
pm_status pm_report_results(pm_report *r);
pm_status pm_report_compared(pm_report *r);
pm_status pm_report_tests(pm_report *r);
pm_status pm_report_pairs(pm_report *r);
pm_status pm_report_losses(pm_report *r);
pm_status pm_report_curves(pm_report *r);
pm_status pm_report_activity(pm_report *r);
pm_status pm_report_popularity(pm_report *r);
pm_status pm_report_analyses(pm_report *r);
pm_status pm_report_runs(pm_report *r);

#endif
