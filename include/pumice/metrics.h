// Metrics: parsing their names, accumulating them over users, significance, breakdown by activity. On the host, in double.
//
// The way of a metric: pm_metric_set_parse reads "ndcg@100,recall_capped@20"; pm_metrics_create makes an accumulator for one
// kind of feed; pm_metrics_add_* takes one user (or a batch of ratings) at a time; pm_metrics_result reads mean, standard
// error and interval; pm_metrics_compare tests two runs on the same users. docs/metrics.md has every formula.
//
// Everything is a function of what was fed and of its order: sums run over users in the order of the calls.
#ifndef PUMICE_METRICS_H
#define PUMICE_METRICS_H

#include <pumice/data.h>

PM_API_BEGIN

// ---- the table of metrics ------------------------------------------------------------------------------------------

// What a metric is computed from, and what it is a mean over.
typedef enum pm_metric_kind {
    PM_METRIC_HITS,         // a user's hits and their positions: one value a user
    PM_METRIC_LIST,         // a user's list, hit or not: one value a user
    PM_METRIC_CATALOGUE,    // all lists together: one value in all, without standard error
    PM_METRIC_RATING        // predicted and true ratings: one value a rating
} pm_metric_kind;

typedef enum pm_cutoff { PM_CUTOFF_NONE, PM_CUTOFF_OPTIONAL, PM_CUTOFF_REQUIRED } pm_cutoff;

typedef struct pm_metric_info {
    const char    *name;         // without @k
    const char    *help;         // one line, the formula included
    pm_metric_kind kind;
    pm_cutoff      cutoff;       // whether the name takes @k
    int            direction;    // +1: higher is better; −1: lower is better; 0: describes, does not judge
} pm_metric_info;

enum { PM_METRIC_MAX_K = 1000000, PM_METRIC_NAME_SIZE = 40 };

// How many metrics there are, and the index-th of them; NULL when out of range.
int                   pm_metric_count(void);
const pm_metric_info *pm_metric_at(int index);

// ---- a parsed list of metrics --------------------------------------------------------------------------------------

typedef struct pm_metric_set pm_metric_set;

// Parses names separated by commas, spaces around them allowed: "ndcg@100, recall_capped@20,rprecision". A metric named
// twice is kept once, where it stood first.
// Errors    PM_ERR_ARG for an unknown name (with the list of all and the nearest), a missing, needless or malformed @k, k
//           outside 1 .. PM_METRIC_MAX_K, an empty list; PM_ERR_NOMEM. On failure *out is NULL.
pm_status pm_metric_set_parse(const void *parent, const char *text, pm_metric_set **out);
void      pm_metric_set_destroy(pm_metric_set **set);

// The same metrics by other names, for what is measured otherwise: "hr@10" becomes "hr@10:suffix". An empty suffix changes none.
pm_status pm_metric_set_named(const void *parent, const pm_metric_set *set, const char *suffix, pm_metric_set **out);

int                   pm_metric_set_count(const pm_metric_set *set);
const char           *pm_metric_set_name(const pm_metric_set *set, int index);    // "ndcg@100"; NULL when out of range
const pm_metric_info *pm_metric_set_info(const pm_metric_set *set, int index);    // NULL when out of range
int64_t               pm_metric_set_k(const pm_metric_set *set, int index);       // 0: no cut-off, or out of range
int                   pm_metric_set_find(const pm_metric_set *set, const char *name);    // −1 when the set lacks it

// How long the lists of the users must be for every metric of the set: the largest k, and where `rprecision` stands without
// a cut-off at least largest_target, the longest target of any user. 0 when nothing needs lists. An evaluation program has
// k = min(depth, items).
int64_t pm_metric_set_depth(const pm_metric_set *set, int64_t largest_target);

// ---- accumulating --------------------------------------------------------------------------------------------------

// What a protocol feeds. A set may hold only metrics that its feed can give:
typedef enum pm_metric_feed {
    PM_FEED_LISTS,     // a top list and a target set a user: kinds HITS, LIST, CATALOGUE
    PM_FEED_RANKS,     // the rank of one target among candidates (leave-one-out): kind HITS
    PM_FEED_RATINGS    // predicted and true ratings: kind RATING
} pm_metric_feed;

// Whether a feed can give a metric; for leaving out of a default list what a protocol cannot give.
bool pm_metric_fits(const pm_metric_info *info, pm_metric_feed feed);

// Where a tied target stands (leave-one-out).
typedef enum pm_ties {
    PM_TIES_EXPECTED,       // the expected value of the metric over all orders of the tied
    PM_TIES_OPTIMISTIC,     // before all others
    PM_TIES_PESSIMISTIC,    // behind all others
    PM_TIES_ID              // by lower item id, as top lists do; for comparison only
} pm_ties;

// Reads "expected", "optimistic", "pessimistic" or "id".
// Errors    PM_ERR_ARG with the list and the nearest name
pm_status pm_ties_parse(const void *object, const char *name, pm_ties *out);
const char *pm_ties_name(pm_ties ties);    // NULL for none of them

typedef struct pm_metrics_params {
    pm_metric_feed  feed;
    int64_t         items;         // catalogue size; not needed for ratings
    const uint32_t *popularity;    // [items] training interactions of each item (pm_popularity); copied. May be NULL where
                                   // the set has neither novelty_map nor tails
    int64_t         list_limit;    // lists: the length at which their maker cuts them, so that one too short for a metric
                                   // is refused and not taken for a user with few items. 0: never cut
    pm_ties         ties;          // ranks: the rule for a tied target
} pm_metrics_params;

typedef struct pm_metrics pm_metrics;

// Creates an accumulator; the set is copied. Memory: a few words an item, one double a user and metric.
// Errors    PM_ERR_ARG when the feed cannot give a metric of the set, items is missing, popularity is missing or all zero
//           where needed, or list_limit is below a metric's k; PM_ERR_NOMEM. On failure *out is NULL.
pm_status pm_metrics_create(const void *parent, const pm_metric_set *set, const pm_metrics_params *params, pm_metrics **out);
void      pm_metrics_destroy(pm_metrics **metrics);

// One user's list and target.
typedef struct pm_ranking {
    int64_t         user;            // the caller's number of the user; kept beside the values and named in errors
    const uint32_t *items;           // [length] best first, ties by lower id, no repeats, known items masked
    const float    *scores;          // [length] or NULL. A score of −inf marks a masked item: the list ends before it
    int64_t         length;          // may be below k where few items are unmasked; may be above, the rest is not looked at
    const uint32_t *targets;         // [target_count] T, in any order, no repeats
    int64_t         target_count;    // may be above k. 0: the user is excluded, and counted
} pm_ranking;

// Adds one user. A user with a target and an empty list counts as 0.
// Errors    PM_ERR_NUMERIC for a score that is NaN or +inf, naming the user; PM_ERR_ARG for a feed other than lists, an id
//           outside the catalogue, a repeated id, a list_limit below |T| where `rprecision` stands without a cut-off;
//           PM_ERR_NOMEM. After an error the accumulator is as it was.
pm_status pm_metrics_add_ranking(pm_metrics *metrics, const pm_ranking *ranking);

// Where one target stands among its candidates.
typedef struct pm_rank {
    int64_t  user;
    uint32_t target;        // item id
    int64_t  above;         // candidates scored above the target
    int64_t  tied;          // other candidates with the target's score
    int64_t  tied_lower;    // those of them with a lower item id: for PM_TIES_ID alone
    int64_t  candidates;    // all, the target included
} pm_rank;

// Counts where the target stands. Candidate 0 is the target, as in pm_eval_part. −0 and +0 tie.
// scores    [count]
// items     [count] item ids
// Errors    PM_ERR_NUMERIC for a score that is NaN or +inf, naming user and item; PM_ERR_ARG when count is below 1
pm_status pm_rank_of_target(const void *object, int64_t user, const float *scores, const uint32_t *items, int64_t count,
                            pm_rank *out);

// Adds one user of a leave-one-out protocol: T is the target alone. With PM_TIES_EXPECTED each metric is its mean over the
// positions above .. above + tied, so a constant scorer on 100 candidates gets HR@10 = 0.10 exactly.
// Errors    PM_ERR_ARG for a feed other than ranks or counts that contradict each other; PM_ERR_NOMEM. After an error the
//           accumulator is as it was.
pm_status pm_metrics_add_rank(pm_metrics *metrics, const pm_rank *rank);

// Adds ratings: their order and units are the caller's (the original scale, by custom).
// users     [count] or NULL (then the ratings are numbered): kept beside the values and named in errors
// Errors    PM_ERR_NUMERIC for a prediction or truth that is not finite, naming the user; PM_ERR_ARG for a feed other than
//           ratings; PM_ERR_NOMEM. After an error the accumulator is as it was.
pm_status pm_metrics_add_ratings(pm_metrics *metrics, const uint32_t *users, const float *prediction, const float *truth,
                                 int64_t count);

// ---- results -------------------------------------------------------------------------------------------------------

typedef struct pm_metric_result {
    char    name[PM_METRIC_NAME_SIZE];    // "ndcg@100"
    double  mean;
    double  se;      // sample standard deviation / √n. NaN where there is none: n < 2, catalogue metrics
    double  ci95;    // half-width of the 95 % interval, 1.96 · se; NaN with se
    int64_t n;       // users, or ratings
} pm_metric_result;

// The index-th metric of the set over everything added so far. With n = 0 the mean is NaN. For rmse, mean is the root of the
// mean squared error and se = se(MSE) / (2 · rmse), the delta method (0 when all errors are 0).
// Errors    PM_ERR_ARG when index is out of range; PM_ERR_NOMEM (gini sorts a copy)
pm_status pm_metrics_result(const pm_metrics *metrics, int index, pm_metric_result *out);

typedef struct pm_metrics_counts {
    int64_t users;                 // counted in the metrics (ratings: how many ratings)
    int64_t excluded_no_target;    // users with an empty target
    int64_t empty_lists;           // users counted as 0 because nothing was left to recommend
    int64_t tied;                  // users whose target tied with another candidate
    double  tied_share;            // tied / users, 0 without users. Above 0.01 a caller warns
} pm_metrics_counts;
void pm_metrics_get_counts(const pm_metrics *metrics, pm_metrics_counts *out);

// The set of the accumulator, its own copy.
const pm_metric_set *pm_metrics_set(const pm_metrics *metrics);

// The values behind a mean, [users] in the order of the calls (rmse: squared errors); NULL for a catalogue metric, an
// index out of range, or before the first value. Valid until the next add.
const double *pm_metrics_values(const pm_metrics *metrics, int index);

// The caller's user numbers, [users] in the same order; excluded users are not among them. Valid until the next add.
const int64_t *pm_metrics_users(const pm_metrics *metrics);

// Mean, se, ci95 and n of any values, in order (Welford). name may be NULL.
void pm_metric_summary(const char *name, const double *values, int64_t n, pm_metric_result *out);

// What a mean of a metric's values stands for: with rmse, whose values are squared errors, the root, and the error of that by the delta method. Nothing
// changes for others. name: with or without @k.
void pm_metric_of_values(const char *name, pm_metric_result *mean);

// ---- significance --------------------------------------------------------------------------------------------------

typedef struct pm_paired_test {
    double  mean_a, mean_b;
    double  difference;    // mean of a − b
    double  se;            // of the difference
    double  ci95;          // half-width: t(0.975, df) · se, so it excludes 0 just when p < 0.05
    double  t, df, p;      // Student's t, n − 1, two-sided p
    int64_t n;
} pm_paired_test;

// Paired t-test of two vectors of values on the same users. n < 2: se, ci95, t and p are NaN. All differences equal: t = 0
// and p = 1 when they are 0, else t = ±inf and p = 0.
void pm_paired_t_test(const double *a, const double *b, int64_t n, pm_paired_test *out);

// The paired test of one metric between two accumulators.
// Errors    PM_ERR_ARG when one of them lacks the metric, it is a catalogue metric, or they were fed other users or another
//           order
pm_status pm_metrics_compare(const pm_metrics *a, const pm_metrics *b, const char *name, pm_paired_test *out);

// Two-sided p of Student's t with df > 0 degrees of freedom: I_x(df/2, 1/2) at x = df / (df + t²). NaN for NaN or df ≤ 0.
double pm_student_p(double t, double df);

// The t ≥ 0 with pm_student_p(t, df) = p, for 0 < p ≤ 1; NaN outside.
double pm_student_quantile(double p, double df);

// "***" for p < .001, "**" for p < .01, "*" for p < .05, "" otherwise and for NaN.
const char *pm_stars(double p);

// ---- breakdowns ----------------------------------------------------------------------------------------------------

typedef struct pm_activity_group {
    int64_t          least, most;    // activity of the group's users; 0 when it is empty
    pm_metric_result a, b;           // b: n = 0 without a second run
    pm_paired_test   test;           // a against b; n = 0 without a second run
} pm_activity_group;

// Breakdown by activity (Mult-VAE, Figure 3: quintiles of the number of fold-in items). Users ordered by activity, ties in
// user order, are cut into equal groups: group g has positions ⌊g·n/groups⌋ .. ⌊(g+1)·n/groups⌋ − 1, least active first.
// activity  [n] fold-in interactions of the users, in the order of the values
// a, b      [n] values of a metric (pm_metrics_values); b may be NULL
// out       [groups]
// Errors    PM_ERR_ARG when groups is below 1; PM_ERR_NOMEM
pm_status pm_activity_breakdown(const void *object, const int64_t *activity, const double *a, const double *b, int64_t n,
                                int groups, pm_activity_group *out);

// Training interactions of each item. counts [train->cols].
void pm_popularity(const pm_csr *train, uint32_t *counts);

// The popularity bands of the MIL paper (Figure 3): the 200 most popular items, the next 800, the rest; ties by lower id.
typedef enum pm_tail { PM_TAIL_SHORT, PM_TAIL_MEDIUM, PM_TAIL_LONG } pm_tail;

// The band of each item.
// popularity [items] training interactions
// tail       [items] a pm_tail each
// Errors     PM_ERR_NOMEM
pm_status pm_popularity_tails(const void *object, const uint32_t *popularity, int64_t items, uint8_t *tail);

PM_API_END
#endif
