// Lines that do not share their x: one figure over all x that any of them has.
#include <math.h>
#include <stdlib.h>

#include "train/report.h"

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int64_t row_of(const double *x, int64_t rows, double value)
{
    int64_t lo = 0, hi = rows - 1;
    while (lo < hi) {
        const int64_t mid = (lo + hi) / 2;
        if (x[mid] < value) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

pm_status pm_report_lines(const pm_report *r, const pm_chart *look, const pm_line *lines, int count)
{
    int64_t all = 0, rows = 0;
    for (int k = 0; k < count; k++) all += lines[k].count;
    double *x = pm_new_array(r->ctx, double, PM_MAX(all, 1));
    PM_CHECK_ALLOC(x);
    for (int k = 0, n = 0; k < count; k++)
        for (int64_t i = 0; i < lines[k].count; i++) x[n++] = lines[k].x[i];
    qsort(x, (size_t)all, sizeof *x, ascending);
    for (int64_t i = 0; i < all; i++)
        if (i == 0 || x[i] != x[rows - 1]) x[rows++] = x[i];
    double *y = pm_new_array(x, double, PM_MAX(rows * count, 1));
    PM_CHECK_ALLOC(y);
    for (int64_t i = 0; i < rows * count; i++) y[i] = NAN;
    for (int k = 0; k < count; k++)
        for (int64_t i = 0; i < lines[k].count; i++) y[row_of(x, rows, lines[k].x[i]) * count + k] = lines[k].y[i];
    pm_chart chart = *look;
    chart.kind = PM_CHART_LINES;
    chart.rows = rows;
    chart.series = count;
    chart.x = x;
    chart.y = y;
    chart.best_row = -1;
    pm_page_chart(r->page, &chart);
    pm_free(x);
    return PM_OK;
}
