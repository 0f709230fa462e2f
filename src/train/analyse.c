// The analyses of a run: one program more over the part, which leaves lists, counts and means; the tables are made on the host.
#include <pumice/state.h>

#include "train/session.h"

enum { MOST_TABLES = 7 };

struct pm_analyst {
    pm_session         *s;
    const pm_eval_part *part;
    unsigned            which;
    pm_preference       preference;
    pm_evaluator       *evaluator;    // NULL: nothing need be scored
};

static pm_preference preference_of(const pm_config *config)
{
    const pm_model *model = pm_config_model(config);
    return model->preference ? model->preference(config) : PM_PREFERENCE_NONE;
}

pm_status pm_analyst_choose(const void *object, const pm_config *config, const char *names, unsigned *which)
{
    PM_TRY(pm_analysis_parse(object, names, which));
    if (!(*which & PM_ANALYSE_PREFERENCE) || preference_of(config)) return PM_OK;
    const char *model = pm_config_model(config)->name;
    const char *by = pm_config_text(config, "loss") ? "loss" : "likelihood", *value = pm_config_text(config, by);
    PM_REQUIRE(object, *which == PM_ANALYSE_ALL, PM_ERR_ARG,
               "analysis preference: the scores of %s%s%s%s%s are no preferences between 0 and 1, so there is no distribution of them to show",
               model, value ? " with " : "", value ? by : "", value ? "=" : "", value ? value : "");
    pm_log(object, PM_LOG_INFO, "analysis preference is left out: the scores of %s are no preferences between 0 and 1", model);
    *which &= ~(unsigned)PM_ANALYSE_PREFERENCE;
    return PM_OK;
}

pm_status pm_analyst_create(pm_session *s, const pm_eval_part *part, unsigned which, pm_analyst **out)
{
    *out = NULL;
    pm_analyst *a = pm_new(s, pm_analyst);
    PM_CHECK_ALLOC(a);
    *a = (pm_analyst){ .s = s, .part = part, .which = which };
    if (which & PM_ANALYSE_PREFERENCE) a->preference = preference_of(s->config);
    const pm_evaluator_params params = { .part = part, .name = "analysis", .depth = PM_ANALYSIS_TOP, .preference = a->preference };
    const bool scored = which & (PM_ANALYSE_PREFERENCE | PM_ANALYSE_TAILS | PM_ANALYSE_RANKS | PM_ANALYSE_DENSITY);
    const pm_status st = scored ? pm_evaluator_create(s, &params, &a->evaluator) : PM_OK;
    if (st != PM_OK) {
        pm_free(a);
        return st;
    }
    *out = a;
    return PM_OK;
}

static pm_status make_preferences(pm_analyst *a, pm_result *r)
{
    const uint32_t *reaching;
    const double *means;
    const int64_t items = a->s->split->train.cols;
    pm_evaluator_preferences(a->evaluator, &reaching, &means);
    PM_TRY(pm_analyse_preference(r, a->preference, reaching, a->part->users, items, &r->analysis[r->analysis_count++]));
    return pm_analyse_item_preference(r, a->preference, means, items, &r->analysis[r->analysis_count++]);
}

static pm_status make_scored(pm_analyst *a, pm_result *r)
{
    const float *scores;
    pm_shown_lists shown = { .users = a->part->users, .items = a->s->split->train.cols };
    PM_TRY(pm_evaluator_lists(a->evaluator, &shown.lists, &scores, &shown.depth));
    for (int64_t u = 0; u < shown.users; u++)
        PM_REQUIRE(r, shown.lists[u * shown.depth] != PM_ID_NAN, PM_ERR_NUMERIC,
                   "the scores of user \"%s\" are not finite; the model has diverged: try a lower lr",
                   pm_ids_name(a->s->split->users, a->part->user[u]));
    uint32_t *popularity = pm_new_array(a, uint32_t, shown.items);
    PM_CHECK_ALLOC(popularity);
    pm_popularity(&a->s->split->train, popularity);
    shown.popularity = popularity;
    if (a->which & PM_ANALYSE_PREFERENCE) PM_TRY(make_preferences(a, r));
    if (a->which & PM_ANALYSE_TAILS) PM_TRY(pm_analyse_tails(r, &shown, &r->analysis[r->analysis_count++]));
    if (a->which & PM_ANALYSE_RANKS) PM_TRY(pm_analyse_ranks(r, &shown, &r->analysis[r->analysis_count++]));
    if (a->which & PM_ANALYSE_DENSITY) PM_TRY(pm_analyse_density(r, &shown, &a->part->target, &r->analysis[r->analysis_count++]));
    return PM_OK;
}

pm_status pm_analyst_run(pm_analyst *a, pm_result *r)
{
    r->analysis = pm_new_array(r, pm_analysis, MOST_TABLES);
    PM_CHECK_ALLOC(r->analysis);
    if (a->evaluator) PM_TRY(make_scored(a, r));
    if (!(a->which & PM_ANALYSE_POPULARITY)) return PM_OK;
    PM_TRY(pm_analyse_popularity(r, a->s->split, &r->analysis[r->analysis_count++]));
    return pm_analyse_item_popularity(r, a->s->split, &r->analysis[r->analysis_count++]);
}
