// The accumulator: one user, or a batch of ratings, at a time. Everything is checked before anything is changed.
#include "metrics/metrics.h"

#include <math.h>

static pm_status refuse_metric(const void *object, const pm_metric_entry *e, pm_metric_feed feed)
{
    static const char *const gives[] = {
        "the top lists of users, not predicted ratings",
        "the rank of one target a user, neither lists nor ratings",
        "predicted ratings, no ranking",
    };
    return pm_fail(object, PM_ERR_ARG, "metric '%s' cannot be computed here: this evaluation gives %s", e->name,
                   gives[feed]);
}

static pm_status check_params(const void *object, const pm_metric_set *set, const pm_metrics_params *p)
{
    const bool rating = p->feed == PM_FEED_RATINGS;
    PM_REQUIRE(object, (unsigned)p->feed <= PM_FEED_RATINGS && (unsigned)p->ties <= PM_TIES_ID && p->list_limit >= 0,
               PM_ERR_ARG, "metrics: feed %d, ties %d or list limit %" PRId64 " is out of range", (int)p->feed, (int)p->ties,
               p->list_limit);
    PM_REQUIRE(object, rating || (p->items > 0 && p->items <= UINT32_MAX), PM_ERR_ARG,
               "metrics: items = %" PRId64 " must be from 1 to 2^32 - 1", p->items);
    for (int i = 0; i < set->count; i++) {
        const pm_metric_entry *e = &set->entries[i];
        if (!pm_metric_fits(&e->def->info, p->feed)) return refuse_metric(object, e, p->feed);
        PM_REQUIRE(object, !e->def->popularity || p->popularity, PM_ERR_ARG,
                   "metric '%s' needs the training interactions of each item", e->name);
        PM_REQUIRE(object, p->feed != PM_FEED_LISTS || !p->list_limit || p->list_limit >= PM_MIN(e->k, p->items), PM_ERR_ARG,
                   "metric '%s' needs lists of %" PRId64 " items, they are cut at %" PRId64, e->name, PM_MIN(e->k, p->items),
                   p->list_limit);
    }
    return PM_OK;
}

static pm_status init_popularity(pm_metrics *m, const uint32_t *popularity)
{
    const int64_t items = m->params.items;
    uint32_t *copy = pm_new_array(m, uint32_t, items);
    uint8_t *tail = pm_new_array(m, uint8_t, items);
    if (!copy || !tail) return PM_ERR_NOMEM;
    uint64_t total = 0;
    for (int64_t i = 0; i < items; i++) {
        copy[i] = popularity[i];
        total += popularity[i];
    }
    PM_REQUIRE(m, total > 0, PM_ERR_ARG, "metrics: no item has a training interaction");
    PM_TRY(pm_popularity_tails(m, copy, items, tail));
    m->params.popularity = m->view.popularity = copy;
    m->view.tail = tail;
    m->view.log_total = log((double)total);
    return PM_OK;
}

static pm_status init_ranking(pm_metrics *m, const uint32_t *popularity)
{
    const int64_t items = m->params.items;
    double *ideal = pm_new_array(m, double, items + 1);
    m->mark = pm_new_array(m, uint64_t, items);
    m->at = pm_new_array(m, uint32_t, items);
    m->hit = pm_new_array(m, uint32_t, items);
    if (!ideal || !m->mark || !m->at || !m->hit) return PM_ERR_NOMEM;
    for (int64_t n = 0; n < items; n++) ideal[n + 1] = ideal[n] + 1.0 / log2((double)n + 2.0);
    m->view.ideal = ideal;
    m->view.at = m->at;
    m->view.hit = m->hit;
    for (int i = 0; i < m->set->count; i++) {
        if (m->set->entries[i].def->info.kind != PM_METRIC_CATALOGUE) continue;
        m->shown[i] = pm_new_array(m, uint32_t, items);
        PM_CHECK_ALLOC(m->shown[i]);
    }
    return popularity ? init_popularity(m, popularity) : PM_OK;
}

static pm_status init_metrics(pm_metrics *m, const pm_metric_set *set, const pm_metrics_params *params)
{
    bool popularity = false;
    for (int i = 0; i < set->count; i++) popularity |= set->entries[i].def->popularity;
    m->params = *params;
    m->params.popularity = NULL;
    PM_TRY(pm_metric_set_copy(m, set, &m->set));
    m->values = pm_new_array(m, double *, set->count);
    m->shown = pm_new_array(m, uint32_t *, set->count);
    if (!m->values || !m->shown) return PM_ERR_NOMEM;
    return params->feed == PM_FEED_RATINGS ? PM_OK : init_ranking(m, popularity ? params->popularity : NULL);
}

pm_status pm_metrics_create(const void *parent, const pm_metric_set *set, const pm_metrics_params *params, pm_metrics **out)
{
    *out = NULL;
    PM_TRY(check_params(parent, set, params));
    pm_metrics *m = pm_new(parent, pm_metrics);
    PM_CHECK_ALLOC(m);
    const pm_status st = init_metrics(m, set, params);
    if (st == PM_OK)
        *out = m;
    else
        pm_free(m);
    return st;
}

void pm_metrics_destroy(pm_metrics **metrics)
{
    if (!metrics) return;
    pm_free(*metrics);
    *metrics = NULL;
}

static pm_status grow_values(pm_metrics *m, double **values, int64_t capacity)
{
    void *grown = *values;
    PM_TRY(pm_grow_array(m, &grown, capacity, sizeof **values));
    *values = grown;
    return PM_OK;
}

pm_status pm_metrics_reserve(pm_metrics *m, int64_t more)
{
    int64_t need;
    PM_REQUIRE(m, pm_add_size(m->count, more, &need), PM_ERR_NOMEM, "no memory for %" PRId64 " more values of metrics",
               more);
    if (need <= m->capacity) return PM_OK;
    const int64_t capacity = PM_MAX(need, PM_MAX(m->capacity + m->capacity / 2, (int64_t)1024));
    for (int i = 0; i < m->set->count; i++) {
        if (m->set->entries[i].def->info.kind != PM_METRIC_CATALOGUE) PM_TRY(grow_values(m, &m->values[i], capacity));
    }
    void *users = m->users;
    PM_TRY(pm_grow_array(m, &users, capacity, sizeof *m->users));
    m->users = users;
    m->capacity = capacity;
    return PM_OK;
}

// ---- lists ---------------------------------------------------------------------------------------------------------

enum { MARK_TARGET = 1, MARK_LISTED = 2 };    // what an item is for the user at hand, in the low bits of its mark

static pm_status mark_targets(pm_metrics *m, const pm_ranking *r)
{
    m->serial++;    // forgets every mark of the user before
    for (int64_t i = 0; i < r->target_count; i++) {
        const uint32_t item = r->targets[i];
        PM_REQUIRE(m, item < m->params.items, PM_ERR_ARG,
                   "user %" PRId64 ": target item %u is outside the catalogue of %" PRId64, r->user, item, m->params.items);
        PM_REQUIRE(m, m->mark[item] / 4 != m->serial, PM_ERR_ARG, "user %" PRId64 ": target item %u is given twice", r->user,
                   item);
        m->mark[item] = 4 * m->serial + MARK_TARGET;
    }
    return PM_OK;
}

// Fills hits, their positions and the length of the view.
static pm_status find_hits(pm_metrics *m, const pm_ranking *r, int64_t depth)
{
    pm_metric_view *v = &m->view;
    v->hits = 0;
    for (v->length = 0; v->length < depth; v->length++) {
        const uint32_t item = r->items[v->length];
        if (r->scores) {
            const float score = r->scores[v->length];
            PM_REQUIRE(m, !isnan(score) && score != INFINITY, PM_ERR_NUMERIC, "user %" PRId64 ": item %u has the score %g",
                       r->user, item, (double)score);
            if (score == -INFINITY) break;
        }
        PM_REQUIRE(m, item < m->params.items, PM_ERR_ARG,
                   "user %" PRId64 ": listed item %u is outside the catalogue of %" PRId64, r->user, item, m->params.items);
        const uint64_t was = m->mark[item] / 4 == m->serial ? m->mark[item] % 4 : 0;
        PM_REQUIRE(m, !(was & MARK_LISTED), PM_ERR_ARG, "user %" PRId64 ": item %u is listed twice", r->user, item);
        m->mark[item] = 4 * m->serial + (was | MARK_LISTED);
        if (!(was & MARK_TARGET)) continue;
        m->at[v->hits] = (uint32_t)v->length;
        m->hit[v->hits++] = item;
    }
    return PM_OK;
}

static void count_shown(pm_metrics *m, int index)
{
    const int64_t n = PM_MIN(m->set->entries[index].k, m->view.length);
    for (int64_t i = 0; i < n; i++) m->shown[index][m->view.list[i]]++;
}

pm_status pm_metrics_add_ranking(pm_metrics *m, const pm_ranking *r)
{
    PM_REQUIRE(m, m->params.feed == PM_FEED_LISTS, PM_ERR_ARG, "metrics: a list was fed to an accumulator of another kind");
    PM_REQUIRE(m, r->length >= 0 && r->target_count >= 0, PM_ERR_ARG,
               "user %" PRId64 ": length %" PRId64 " and target count %" PRId64 " must not be negative", r->user, r->length,
               r->target_count);
    const int64_t depth = PM_MIN(pm_metric_set_depth(m->set, r->target_count), m->params.items);
    PM_REQUIRE(m, !m->params.list_limit || depth <= m->params.list_limit, PM_ERR_ARG,
               "user %" PRId64 ": rprecision needs a list of %" PRId64 " items, lists are cut at %" PRId64
               "; use rprecision@k or longer lists",
               r->user, depth, m->params.list_limit);
    PM_TRY(pm_metrics_reserve(m, 1));
    PM_TRY(mark_targets(m, r));
    PM_TRY(find_hits(m, r, PM_MIN(depth, r->length)));
    if (!r->target_count) {
        m->excluded_no_target++;
        return PM_OK;
    }
    m->view.list = r->items;
    m->view.targets = r->target_count;
    for (int i = 0; i < m->set->count; i++) {
        const pm_metric_entry *e = &m->set->entries[i];
        if (e->def->user)
            m->values[i][m->count] = e->def->user(&m->view, e->k);
        else
            count_shown(m, i);
    }
    m->view.list = NULL;    // borrowed for the call only
    m->empty_lists += !m->view.length;
    m->users[m->count++] = r->user;
    return PM_OK;
}

// ---- ranks ---------------------------------------------------------------------------------------------------------

// The mean of the metric over the positions first .. last. Beyond the cut-off every metric of one target is 0.
static double mean_over_positions(pm_metrics *m, const pm_metric_entry *e, int64_t first, int64_t last)
{
    const int64_t end = PM_MIN(last, (e->k ? e->k : 1) - 1);
    double sum = 0.0;
    for (int64_t at = first; at <= end; at++) {
        m->at[0] = (uint32_t)at;
        sum += e->def->user(&m->view, e->k);
    }
    return sum / (double)(last - first + 1);
}

pm_status pm_metrics_add_rank(pm_metrics *m, const pm_rank *r)
{
    PM_REQUIRE(m, m->params.feed == PM_FEED_RANKS, PM_ERR_ARG, "metrics: a rank was fed to an accumulator of another kind");
    PM_REQUIRE(m, r->target < m->params.items, PM_ERR_ARG,
               "user %" PRId64 ": target item %u is outside the catalogue of %" PRId64, r->user, r->target, m->params.items);
    PM_REQUIRE(m,
               r->above >= 0 && r->tied >= 0 && r->tied_lower >= 0 && r->tied_lower <= r->tied &&
                   r->candidates <= m->params.items && r->above < r->candidates && r->tied < r->candidates - r->above,
               PM_ERR_ARG,
               "user %" PRId64 ": %" PRId64 " above, %" PRId64 " tied (%" PRId64 " with a lower id) do not fit %" PRId64
               " candidates of %" PRId64 " items",
               r->user, r->above, r->tied, r->tied_lower, r->candidates, m->params.items);
    PM_TRY(pm_metrics_reserve(m, 1));
    int64_t first = r->above, last = r->above + r->tied;
    if (m->params.ties == PM_TIES_OPTIMISTIC) last = first;
    if (m->params.ties == PM_TIES_PESSIMISTIC) first = last;
    if (m->params.ties == PM_TIES_ID) first = last = r->above + r->tied_lower;
    m->view.hits = m->view.targets = 1;
    m->hit[0] = r->target;
    for (int i = 0; i < m->set->count; i++) {
        m->values[i][m->count] = mean_over_positions(m, &m->set->entries[i], first, last);
    }
    m->tied += r->tied > 0;
    m->users[m->count++] = r->user;
    return PM_OK;
}

pm_status pm_rank_of_target(const void *object, int64_t user, const float *scores, const uint32_t *items, int64_t count,
                            pm_rank *out)
{
    PM_REQUIRE(object, count >= 1, PM_ERR_ARG, "user %" PRId64 " has no candidates", user);
    pm_rank rank = { .user = user, .target = items[0], .candidates = count };
    for (int64_t i = 0; i < count; i++) {
        PM_REQUIRE(object, !isnan(scores[i]) && scores[i] != INFINITY, PM_ERR_NUMERIC,
                   "user %" PRId64 ": item %u has the score %g", user, items[i], (double)scores[i]);
        rank.above += scores[i] > scores[0];
        if (i == 0 || scores[i] != scores[0]) continue;
        rank.tied++;
        rank.tied_lower += items[i] < items[0];
    }
    *out = rank;
    return PM_OK;
}

// ---- ratings -------------------------------------------------------------------------------------------------------

pm_status pm_metrics_add_ratings(pm_metrics *m, const uint32_t *users, const float *prediction, const float *truth,
                                 int64_t count)
{
    PM_REQUIRE(m, m->params.feed == PM_FEED_RATINGS, PM_ERR_ARG,
               "metrics: ratings were fed to an accumulator of another kind");
    PM_REQUIRE(m, count >= 0, PM_ERR_ARG, "metrics: %" PRId64 " ratings", count);
    for (int64_t i = 0; i < count; i++) {
        PM_REQUIRE(m, isfinite(prediction[i]) && isfinite(truth[i]), PM_ERR_NUMERIC,
                   "%s %" PRId64 ": a prediction of %g for the rating %g", users ? "user" : "rating",
                   users ? (int64_t)users[i] : m->count + i, (double)prediction[i], (double)truth[i]);
    }
    PM_TRY(pm_metrics_reserve(m, count));
    for (int64_t i = 0; i < count; i++) {
        const double error = (double)prediction[i] - (double)truth[i];
        for (int j = 0; j < m->set->count; j++) m->values[j][m->count + i] = m->set->entries[j].def->rating(error);
        m->users[m->count + i] = users ? (int64_t)users[i] : m->count + i;
    }
    m->count += count;
    return PM_OK;
}
