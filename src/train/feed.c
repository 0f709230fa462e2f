// What an evaluation read back from the device, given to the metrics: lists, ranks among candidates, or ratings.
#include <math.h>

#include <pumice/state.h>

#include "train/evaluator.h"
#include "train/rating.h"

static pm_status not_finite(const pm_evaluator *e, int64_t u)
{
    const char *name = pm_ids_name(e->s->split->users, e->part->user[u]);
    return pm_fail(e, PM_ERR_NUMERIC, "the scores of user \"%s\" are not finite; the model has diverged: try a lower lr", name ? name : "(new)");
}

static pm_status feed_lists(pm_evaluator *e, pm_metrics *m)
{
    const pm_csr *target = &e->part->target;
    for (int64_t u = 0; u < e->part->users; u++) {
        const uint32_t *ids = e->ids + u * e->depth;
        if (ids[0] == PM_ID_NAN) return not_finite(e, u);
        int64_t length = 0;
        while (length < e->depth && ids[length] != PM_ID_NONE) length++;
        const pm_ranking r = { .user = e->part->user[u], .items = ids, .length = length, .targets = target->col + target->indptr[u],
                               .target_count = (int64_t)target->indptr[u + 1] - target->indptr[u] };
        PM_TRY(pm_metrics_add_ranking(m, &r));
    }
    return PM_OK;
}

// Whether anybody in training has the item that a user is to be recommended.
static bool is_seen(const pm_evaluator *e, int64_t row)
{
    return e->popularity[e->part->target.col[e->part->target.indptr[row]]] > 0;
}

static pm_status rank_among_sampled(const pm_evaluator *e, int64_t u, pm_rank *out)
{
    const pm_eval_part *p = e->part;
    const uint32_t *candidates = p->candidate + p->candidate_ptr[u];
    const int64_t count = (int64_t)p->candidate_ptr[u + 1] - p->candidate_ptr[u];
    if (e->ties == PM_TIES_ID) return pm_rank_of_target(e, p->user[u], e->scores + u * e->widest, candidates, count, out);
    if (e->above[u] == PM_ID_NAN) return not_finite(e, u);
    *out = (pm_rank){ .user = p->user[u], .target = candidates[0], .above = e->above[u], .tied = e->tied[u], .candidates = count };
    return PM_OK;
}

static pm_status feed_ranks(const pm_evaluator *e, pm_candidates among, bool seen, pm_metrics *m)
{
    for (int64_t u = 0; u < e->part->users; u++) {
        pm_rank rank;
        if (seen && !is_seen(e, u)) continue;
        if (among == PM_CANDIDATES_SAMPLED) PM_TRY(rank_among_sampled(e, u, &rank));
        else if (!pm_ranks_get(e->ranks, u, &rank)) return not_finite(e, u);
        PM_TRY(pm_metrics_add_rank(m, &rank));
    }
    return PM_OK;
}

static pm_status feed_ratings(pm_evaluator *e, pm_metrics *m)
{
    const pm_csr *target = &e->part->target;
    for (int64_t u = 0; u < e->part->users; u++) {
        float *scores = e->scores + u * e->widest;
        const int64_t count = (int64_t)target->indptr[u + 1] - target->indptr[u];
        const uint32_t user = e->part->user[u];
        for (int64_t k = 0; k < count; k++) {
            if (!isfinite(scores[k])) return not_finite(e, u);
            if (e->s->rating.clip) scores[k] = pm_center_clip(e->s, scores[k]);
            PM_TRY(pm_metrics_add_ratings(m, &user, scores + k, target->val + target->indptr[u] + k, 1));
        }
    }
    return PM_OK;
}

// The metrics of one kind of candidates and users; their names say which, unless they are the usual ones.
static pm_status fill_view(pm_evaluator *e, const void *parent, pm_candidates among, bool seen, pm_result_view *view)
{
    static const char *const names[2][2] = { { "", "seen" }, { "all", "all:seen" } };
    const int64_t items = e->s->split->train.cols;
    const pm_metrics_params params = { .feed = e->feed, .items = items, .popularity = e->popularity,
                                       .list_limit = e->depth < items ? e->depth : 0, .ties = e->ties };
    pm_metric_set *named;
    *view = (pm_result_view){ .name = names[among == PM_CANDIDATES_ALL][seen] };
    PM_TRY(pm_metric_set_named(e, e->set, view->name, &named));
    pm_status st = pm_metrics_create(parent, named, &params, &view->users);
    pm_metric_set_destroy(&named);
    if (st != PM_OK) return st;
    switch (e->feed) {
    case PM_FEED_LISTS: st = feed_lists(e, view->users); break;
    case PM_FEED_RANKS: st = feed_ranks(e, among, seen, view->users); break;
    case PM_FEED_RATINGS: st = feed_ratings(e, view->users); break;
    }
    if (st != PM_OK) pm_metrics_destroy(&view->users);
    return st;
}

pm_status pm_evaluator_run(pm_evaluator *e, const void *parent, pm_metrics **metrics)
{
    pm_result_view view;
    *metrics = NULL;
    PM_TRY(pm_evaluator_score(e));
    PM_TRY(fill_view(e, parent, e->candidates & PM_CANDIDATES_SAMPLED ? PM_CANDIDATES_SAMPLED : PM_CANDIDATES_ALL, false, &view));
    *metrics = view.users;
    return PM_OK;
}

pm_status pm_evaluator_run_views(pm_evaluator *e, const void *parent, pm_result_view views[PM_MAX_VIEWS], int *count)
{
    static const pm_candidates kinds[] = { PM_CANDIDATES_SAMPLED, PM_CANDIDATES_ALL };
    int64_t unseen = 0;
    *count = 0;
    PM_TRY(pm_evaluator_score(e));
    for (int64_t u = 0; u < e->part->users && e->feed == PM_FEED_RANKS; u++) unseen += !is_seen(e, u);
    for (int k = 0; k < PM_COUNT(kinds); k++) {
        if (!(e->candidates & kinds[k])) continue;
        PM_TRY(fill_view(e, parent, kinds[k], false, &views[(*count)++]));
        if (unseen && unseen < e->part->users) PM_TRY(fill_view(e, parent, kinds[k], true, &views[(*count)++]));
    }
    return PM_OK;
}
