// Inside metrics/: the table of definitions, the view of one user that a definition reads, the accumulator.
#ifndef PM_METRICS_H
#define PM_METRICS_H

#include <pumice/metrics.h>

#include "core/core.h"

// One user as the definitions see him. Positions are counted from 0 and ascend.
typedef struct pm_metric_view {
    const uint32_t *at;              // [hits] position of each hit in the list
    const uint32_t *hit;             // [hits] its item
    int64_t         hits, targets;   // targets = |T| ≥ 1
    const uint32_t *list;            // [length]; NULL where only a rank is known
    int64_t         length;
    const double   *ideal;           // [items + 1] DCG of a list whose first n are hits
    const uint8_t  *tail;            // [items] a pm_tail each, or NULL
    const uint32_t *popularity;      // [items] or NULL
    double          log_total;       // ln of all training interactions
} pm_metric_view;

typedef struct pm_metric_def {
    pm_metric_info info;
    bool           popularity;                                    // needs popularity counts
    double (*user)(const pm_metric_view *view, int64_t k);        // HITS, LIST; k = 0 without a cut-off
    double (*rating)(double error);                               // RATING: the value of one rating
    double (*catalogue)(const uint32_t *shown, int64_t items);    // CATALOGUE: shown ascends
} pm_metric_def;

extern const pm_metric_def pm_metric_defs[];
extern const int           pm_metric_def_count;

typedef struct pm_metric_entry {
    const pm_metric_def *def;
    int64_t              k;
    char                 name[PM_METRIC_NAME_SIZE];
} pm_metric_entry;

struct pm_metric_set {
    int              count;
    pm_metric_entry *entries;
};
pm_status pm_metric_set_copy(const void *parent, const pm_metric_set *set, pm_metric_set **out);

struct pm_metrics {
    pm_metric_set    *set;
    pm_metrics_params params;          // popularity points to our copy
    pm_metric_view    view;            // tables filled once, the rest for each user
    uint64_t         *mark;            // [items] 4 · serial + what this item was for the user of that serial
    uint64_t          serial;
    uint32_t         *at, *hit;        // [items] scratch of the view
    uint32_t        **shown;           // [set->count] for catalogue metrics [items] how often a list had the item; else NULL
    double          **values;          // [set->count] each [capacity], NULL for catalogue metrics
    int64_t          *users;           // [capacity]
    int64_t           count, capacity;
    int64_t           excluded_no_target, empty_lists, tied;
};

// Makes room for `more` further values.
pm_status pm_metrics_reserve(pm_metrics *m, int64_t more);

// Regularised incomplete beta function I_x(a, b), with y = 1 − x given apart so that neither loses digits.
double pm_incomplete_beta(double a, double b, double x, double y);

#endif
