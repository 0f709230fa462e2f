// Every metric, one definition each. docs/metrics.md has the same formulas with their sources.
#include "metrics/metrics.h"

#include <math.h>

static int64_t hits_within(const pm_metric_view *v, int64_t k)
{
    int64_t n = 0;
    while (n < v->hits && v->at[n] < k) n++;
    return n;
}

static double recall(const pm_metric_view *v, int64_t k)
{
    return (double)hits_within(v, k) / (double)v->targets;
}

static double recall_capped(const pm_metric_view *v, int64_t k)
{
    return (double)hits_within(v, k) / (double)PM_MIN(k, v->targets);
}

static double precision(const pm_metric_view *v, int64_t k)
{
    return (double)hits_within(v, k) / (double)k;
}

// 2PR / (P + R) with P = h/k and R = h/|T| is 2h / (k + |T|): no division by zero without hits.
static double f1(const pm_metric_view *v, int64_t k)
{
    return 2.0 * (double)hits_within(v, k) / (double)(k + v->targets);
}

static double rprecision(const pm_metric_view *v, int64_t k)
{
    return (double)hits_within(v, k ? PM_MIN(k, v->targets) : v->targets) / (double)v->targets;
}

static double hr(const pm_metric_view *v, int64_t k)
{
    return hits_within(v, k) > 0 ? 1.0 : 0.0;
}

static double mrr(const pm_metric_view *v, int64_t k)
{
    return hits_within(v, k) > 0 ? 1.0 / ((double)v->at[0] + 1.0) : 0.0;
}

static double dcg(const pm_metric_view *v, int64_t k)
{
    const int64_t n = hits_within(v, k);
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += 1.0 / log2((double)v->at[i] + 2.0);
    return sum;
}

static double ndcg(const pm_metric_view *v, int64_t k)
{
    return dcg(v, k) / v->ideal[PM_MIN(k, v->targets)];
}

static double ndcg_full(const pm_metric_view *v, int64_t k)
{
    return dcg(v, k) / v->ideal[v->targets];
}

static double map(const pm_metric_view *v, int64_t k)
{
    const int64_t n = hits_within(v, k);
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += (double)(i + 1) / ((double)v->at[i] + 1.0);
    return sum / (double)PM_MIN(k, v->targets);
}

static double map_precision(const pm_metric_view *v, int64_t k)
{
    double sum = 0.0;
    int64_t n = 0;
    for (int64_t s = v->hits ? v->at[0] : k; s < k; s++) {
        n += n < v->hits && v->at[n] == s;
        sum += (double)n / (double)(s + 1);
    }
    return sum / (double)k;
}

// −ln ν(i). An item without a training interaction counts as if it had one: −ln 0 has no mean.
static double novelty(const pm_metric_view *v, uint32_t item)
{
    return v->log_total - log((double)PM_MAX(v->popularity[item], 1u));
}

static double novelty_map(const pm_metric_view *v, int64_t k)
{
    const int64_t n = hits_within(v, k);
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += (double)(i + 1) / ((double)v->at[i] + 1.0) * novelty(v, v->hit[i]);
    return sum / (double)PM_MIN(k, v->targets);
}

static double tail_share(const pm_metric_view *v, int64_t k, pm_tail tail)
{
    const int64_t n = PM_MIN(k, v->length);
    int64_t in_tail = 0;
    for (int64_t i = 0; i < n; i++) in_tail += v->tail[v->list[i]] == tail;
    return n ? (double)in_tail / (double)n : 0.0;
}

static double tail_short(const pm_metric_view *v, int64_t k)
{
    return tail_share(v, k, PM_TAIL_SHORT);
}

static double tail_medium(const pm_metric_view *v, int64_t k)
{
    return tail_share(v, k, PM_TAIL_MEDIUM);
}

static double tail_long(const pm_metric_view *v, int64_t k)
{
    return tail_share(v, k, PM_TAIL_LONG);
}

static double squared(double error)
{
    return error * error;
}

static double absolute(double error)
{
    return fabs(error);
}

static double coverage(const uint32_t *shown, int64_t items)
{
    int64_t first = 0;
    while (first < items && !shown[first]) first++;
    return (double)(items - first) / (double)items;
}

static double gini(const uint32_t *shown, int64_t items)
{
    double sum = 0.0, total = 0.0;
    for (int64_t i = 0; i < items; i++) {
        sum += (double)(2 * (i + 1) - items - 1) * shown[i];
        total += shown[i];
    }
    return sum / ((double)items * total);    // NaN when nothing was shown
}

// clang-format off
#define HITS(metric, cut, text) \
    { .info = { #metric, text, PM_METRIC_HITS, PM_CUTOFF_##cut, 1 }, .user = metric }
#define NOVELTY(metric, text) \
    { .info = { #metric, text, PM_METRIC_HITS, PM_CUTOFF_REQUIRED, 1 }, .popularity = true, .user = metric }
#define TAIL(metric, text) \
    { .info = { #metric, text, PM_METRIC_LIST, PM_CUTOFF_REQUIRED, 0 }, .popularity = true, .user = metric }
#define CATALOGUE(metric, sign, text) \
    { .info = { #metric, text, PM_METRIC_CATALOGUE, PM_CUTOFF_REQUIRED, sign }, .catalogue = metric }
#define RATING(metric, value, text) \
    { .info = { #metric, text, PM_METRIC_RATING, PM_CUTOFF_NONE, -1 }, .rating = value }
// clang-format on

const pm_metric_def pm_metric_defs[] = {
    HITS(recall, REQUIRED, "hits in the first k / |T|"),
    HITS(recall_capped, REQUIRED, "hits in the first k / min(k, |T|)"),
    HITS(precision, REQUIRED, "hits in the first k / k"),
    HITS(f1, REQUIRED, "harmonic mean of precision@k and recall@k, each user's, then averaged"),
    HITS(rprecision, OPTIONAL, "hits in the first |T| / |T|; with @k in the first min(|T|, k) / |T|"),
    HITS(hr, REQUIRED, "1 when the first k hold a hit, else 0"),
    HITS(mrr, REQUIRED, "1 / rank of the first hit within the first k, else 0"),
    HITS(ndcg, REQUIRED, "DCG@k / DCG of min(k, |T|) hits at the top, discount 1 / log2(rank + 1)"),
    HITS(ndcg_full, REQUIRED, "DCG@k / DCG of all |T| hits at the top"),
    HITS(map, REQUIRED, "sum of precision@rank over the hits in the first k / min(k, |T|)"),
    HITS(map_precision, REQUIRED, "mean of precision@1 .. precision@k"),
    NOVELTY(novelty_map, "map@k with each hit weighted by -ln of its item's share of training interactions"),
    RATING(rmse, squared, "root of the mean squared error of the ratings"),
    RATING(mae, absolute, "mean absolute error of the ratings"),
    CATALOGUE(coverage, 1, "share of the catalogue that is in some user's first k"),
    CATALOGUE(gini, -1, "Gini index of how often items are in a user's first k; 0 is all alike"),
    TAIL(tail_short, "share of the first k among the 200 most popular items"),
    TAIL(tail_medium, "share of the first k among the next 800 most popular items"),
    TAIL(tail_long, "share of the first k among the rest of the catalogue"),
};
const int pm_metric_def_count = PM_COUNT(pm_metric_defs);

int pm_metric_count(void)
{
    return pm_metric_def_count;
}

const pm_metric_info *pm_metric_at(int index)
{
    return index >= 0 && index < pm_metric_def_count ? &pm_metric_defs[index].info : NULL;
}

bool pm_metric_fits(const pm_metric_info *info, pm_metric_feed feed)
{
    switch (info->kind) {
    case PM_METRIC_HITS:
        return feed == PM_FEED_LISTS || feed == PM_FEED_RANKS;
    case PM_METRIC_LIST:
    case PM_METRIC_CATALOGUE:
        return feed == PM_FEED_LISTS;
    case PM_METRIC_RATING:
        return feed == PM_FEED_RATINGS;
    }
    return false;
}
