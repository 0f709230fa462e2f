// Inside metrics/: how the table of an analysis is made.
#ifndef PM_ANALYSIS_H
#define PM_ANALYSIS_H

#include <pumice/analysis.h>

#include "core/core.h"

typedef struct pm_table {
    pm_analysis *a;
    const char **label;
    double      *value;
} pm_table;

// a says what the table is; its rows and values are made, hanging from parent.
pm_status pm_table_create(const void *parent, pm_analysis *a, pm_table *t);
pm_status pm_table_label(pm_table *t, int64_t row, char *text);    // PM_ERR_NOMEM where there is no text
void      pm_table_row(pm_table *t, int64_t row, const double *values);    // [columns]

#endif
