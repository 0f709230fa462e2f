// An HTML page that grows: text that is escaped, tables, figures with their numbers below and as CSV.
#ifndef PM_PAGE_H
#define PM_PAGE_H

#include <stdio.h>

#include "core/core.h"

// After memory ran out every call is a no-op; pm_page_save reports it.
typedef struct pm_page {
    pm_ctx *ctx;
    char   *text;
    int64_t size, capacity;
    bool    failed;
    int     figures;
    char    no_plots[300];    // why figures are left out; "": they are not
} pm_page;

pm_status pm_page_create(pm_ctx *ctx, pm_page **out);    // hangs from ctx
void pm_page_raw(pm_page *page, const char *html);
void pm_page_bytes(pm_page *page, const char *html, int64_t length);
void pm_page_print(pm_page *page, const char *format, ...) PM_PRINTF(2, 3);    // of numbers and what is HTML already
void pm_page_text(pm_page *page, const char *text);                           // escaped, also for attributes
void pm_page_real(pm_page *page, int digits, double value);                   // a dash where it is not finite
// Replaces the file, whole or not at all.
pm_status pm_page_save(pm_page *page, const char *path);

// Text for a number, with a point in every locale; "" where it is not finite. digits < 0: six significant ones.
typedef struct pm_number { char text[40]; } pm_number;
pm_number pm_number_text(int digits, double value);

// ---- figures -------------------------------------------------------------------------------------------------------

typedef enum pm_chart_kind {
    PM_CHART_LINES,     // a line a series over x
    PM_CHART_DOTS,      // dots over x
    PM_CHART_BARS,      // a group of bars a row, from 0
    PM_CHART_POINTS,    // a group of points with intervals a row
    PM_CHART_HEAT       // a cell a row and series, coloured by value
} pm_chart_kind;

enum { PM_CHART_MAX_SERIES = 64 };

// One figure. Its numbers are a table: a row each, with a label or an x, and a column a series.
typedef struct pm_chart {
    pm_chart_kind      kind;
    const char        *name;        // of files and ids: letters, digits, dashes
    const char        *title, *note;    // note: what must be known to read it; NULL
    const char        *row_name, *value_name;    // of the axes; a heat map's columns are called by column_name
    const char        *column_name;
    int64_t            rows;
    int                series;
    const char *const *row_label;   // [rows], or NULL: x
    const double      *x;           // [rows]
    const char *const *series_name; // [series]
    const double      *y;           // [rows, series]; NaN: none
    const double      *error;       // [rows, series] half-widths, or NULL; not drawn of dots
    const char        *error_name;  // "± (95 %)"
    bool               log_x, log_y;    // log_y of a heat map: its colours, of values above 0
    int                digits;      // of the values in the table
    int                best_row, best_series;    // heat: a cell to frame; −1: none
} pm_chart;

// The figure, its legend, its numbers and their CSV.
void pm_page_chart(pm_page *page, const pm_chart *chart);

// ---- gnuplot (plot.c) ----------------------------------------------------------------------------------------------

// Runs gnuplot over a script that writes one SVG to its stdout, and returns the drawing fit to stand in a page: ids that begin with
// `name`, ink in the page's own colours. *svg hangs from ctx.
// Errors    PM_ERR_NOT_FOUND when there is no gnuplot; PM_ERR_IO with what it said
pm_status pm_plot(pm_ctx *ctx, const char *name, const char *script, char **svg);

#endif
