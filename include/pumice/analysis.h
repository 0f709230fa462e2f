// What a model predicts and whom it shows what: the tables behind the MIL paper's Table 4 and Figures 2, 3 and 4, and the two-headed
// AutoRec paper's Figure 7. On the host.
//
// pm_evaluate makes them of a run (pm_evaluate_params.analysis); the functions below make them of anybody's lists and counts.
// All are tables of one shape, so that who prints, writes or draws one can do so with all.
#ifndef PUMICE_ANALYSIS_H
#define PUMICE_ANALYSIS_H

#include <pumice/metrics.h>

PM_API_BEGIN

typedef struct pm_analysis {
    const char        *name;       // "tails"
    const char        *title;      // one line on what is counted
    const char        *paper;      // "MIL, Figure 3"
    const char        *row;        // what a row is: "tail"
    int                columns;
    const char *const *column;     // [columns]
    int64_t            rows;
    const char *const *label;      // [rows]
    const double      *value;      // [rows, columns]; NaN where there is none
} pm_analysis;

// The value of a row, by its label, and a column; NaN when there is no such row or column.
double pm_analysis_at(const pm_analysis *analysis, const char *label, const char *column);

// Writes the table as CSV, its first line the names: the row's, then the columns'. NaN becomes an empty field.
// Errors    PM_ERR_IO; PM_ERR_NOMEM
pm_status pm_analysis_write_csv(const void *object, const pm_analysis *analysis, const char *path);

// ---- which ---------------------------------------------------------------------------------------------------------

enum {
    PM_ANALYSE_PREFERENCE = 1,    // "preference", "item-preference"
    PM_ANALYSE_TAILS = 2,         // "tails"
    PM_ANALYSE_RANKS = 4,         // "ranks"
    PM_ANALYSE_POPULARITY = 8,    // "popularity", "item-popularity"
    PM_ANALYSE_DENSITY = 16,      // "density"
    PM_ANALYSE_ALL = 31           // also as "all"
};

// Reads "preference,tails,ranks,popularity,density" (any of them) or "all".
// Errors    PM_ERR_ARG with the list and the nearest name
pm_status pm_analysis_parse(const void *object, const char *names, unsigned *out);

// ---- predicted preference ------------------------------------------------------------------------------------------

// How the score of a model becomes a predicted preference p.
typedef enum pm_preference {
    PM_PREFERENCE_NONE,      // it does not: a rank, or one probability spread over all items
    PM_PREFERENCE_SCORE,     // p = score, fitted to 0 and 1 but free to lie outside
    PM_PREFERENCE_SIGMOID    // p = 1 / (1 + exp(−score))
} pm_preference;

enum { PM_PREFERENCE_EDGES = 7 };

// The scores at which p reaches 0, 0.01, 0.25, 0.5, 0.7, 0.9 and passes 1: the edges of Table 4's bands for count_reaching.
void pm_preference_edges(pm_preference preference, float edges[PM_PREFERENCE_EDGES]);

// "preference" (Table 4): the percentage of the catalogue in each half-open band of p, per user, averaged over users. The whole
// catalogue: known items count as well. PM_PREFERENCE_SCORE adds the rows "above 1" and "below 0".
// reaching  [users, PM_PREFERENCE_EDGES] how many items reach each edge
// columns   from, to, percent, se, ci95, users
// Errors    PM_ERR_NUMERIC for a row of scores that were not finite (PM_ID_NAN); PM_ERR_NOMEM
pm_status pm_analyse_preference(const void *parent, pm_preference preference, const uint32_t *reaching, int64_t users, int64_t items,
                                pm_analysis *out);

// "item-preference": how the means over users of the items' p are spread, in twenty bands of equal width; not Table 4.
// mean      [items]
// columns   from, to, items, percent
// Errors    PM_ERR_NUMERIC for a mean that is not finite; PM_ERR_NOMEM
pm_status pm_analyse_item_preference(const void *parent, pm_preference preference, const double *mean, int64_t items, pm_analysis *out);

// ---- what is shown -------------------------------------------------------------------------------------------------

enum { PM_ANALYSIS_TOP = 200 };    // the paper's length of lists

// Lists of recommendations, known items left out, and what the tails are found by (pm_popularity_tails).
typedef struct pm_shown_lists {
    const uint32_t *lists;         // [users, depth] best first; one ends before the first id that is no item
    int64_t         users, depth, items;
    const uint32_t *popularity;    // [items] training interactions
} pm_shown_lists;

// "tails" (Figure 3): the percentage of a user's list among the 200 most popular items, the next 800, the rest; averaged.
// columns   items, percent, se, ci95, users
// Errors    PM_ERR_NOMEM
pm_status pm_analyse_tails(const void *parent, const pm_shown_lists *shown, pm_analysis *out);

// "ranks" (Figure 4): for each rank the number of users whose item there is of the short, medium and long tail.
// columns   short, medium, long
// Errors    PM_ERR_NOMEM
pm_status pm_analyse_ranks(const void *parent, const pm_shown_lists *shown, pm_analysis *out);

enum { PM_DENSITY_TOP = 10, PM_DENSITY_POINTS = 101 };

// "density" (Figure 7 of the two-headed AutoRec paper): how often the items of the users' first ten were rated in training, as a density over
// that number, beside the same of what is to be found. A Gaussian kernel over all recommendations (n of them, the deviation s of their
// counts): bandwidth s · n^(−1/5) (Scott), but half the distance of two points at least; what would lie below 0 is reflected. Rows are
// PM_DENSITY_POINTS counts from 0 to the most popular item's.
// target    [users, items] what is to be found
// columns   interactions, recommended, to_find: densities; recommended_below, to_find_below: the percentage of each with fewer interactions
//           than the row's, which needs no bandwidth. NaN for lists or targets that are all empty
// Errors    PM_ERR_NOMEM
pm_status pm_analyse_density(const void *parent, const pm_shown_lists *shown, const pm_csr *target, pm_analysis *out);

// ---- popularity ----------------------------------------------------------------------------------------------------

// "popularity" (Figure 2): how the interactions of training, validation and test (what is to be found there) are spread over bands
// of items by training popularity: ranks 1-10, 11-20, 21-50, 51-100, 101-200, … A part without interactions has NaN.
// columns   items, train, validation, test: percent of the part's interactions
// Errors    PM_ERR_NOMEM
pm_status pm_analyse_popularity(const void *parent, const pm_split *split, pm_analysis *out);

// "item-popularity": every item, most popular first, ties by lower index.
// columns   rank, train, validation, test: interactions
// Errors    PM_ERR_NOMEM
pm_status pm_analyse_item_popularity(const void *parent, const pm_split *split, pm_analysis *out);

PM_API_END
#endif
