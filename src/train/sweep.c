// pm_sweep_run: the runs, the winner by validation, and the one reading of the test part for it.
#define _POSIX_C_SOURCE 200809L
#include "train/sweep.h"

#include <math.h>
#include <unistd.h>

// ---- judging -------------------------------------------------------------------------------------------------------

double pm_sweep_share(const pm_sweeper *s, int rung)
{
    double share = 1;
    for (int i = rung; i < s->rung_count - 1; i++) share /= PM_SWEEP_FACTOR;
    return share;
}

static const pm_sweep_run_state *run_of(const pm_sweeper *s, int setting, int seed)
{
    return &s->runs[setting * s->sweep->seed_count + seed];
}

// Whether all seeds of a setting have come to the end of a rung.
static bool is_complete(const pm_sweeper *s, int setting, int rung)
{
    bool complete = true;
    for (int k = 0; k < s->sweep->seed_count; k++) {
        const pm_sweep_run_state *r = run_of(s, setting, k);
        complete = complete && (r->finished || r->rungs > rung);
    }
    return complete;
}

// A run that ended early (by patience) has its last value at every later rung.
static double value_at(const pm_sweep_run_state *r, int rung)
{
    if (*r->failed || r->rungs == 0) return NAN;
    return r->value[PM_MIN(rung, r->rungs - 1)];
}

// The mean over the seeds after a rung; NaN where one failed.
static double mean_at(const pm_sweeper *s, int setting, int rung)
{
    double sum = 0;
    for (int k = 0; k < s->sweep->seed_count; k++) sum += value_at(run_of(s, setting, k), rung);
    return sum / s->sweep->seed_count;
}

// The best of the settings in alive[] that are complete, the first of equals; −1.
static int best_setting(const pm_sweeper *s, int rung, const bool *alive)
{
    int best = -1;
    double value = NAN;
    for (int i = 0; i < s->space->setting_count; i++) {
        if (!alive[i] || !is_complete(s, i, rung)) continue;
        const double mean = mean_at(s, i, rung);
        if (!isfinite(mean) || (best >= 0 && s->sweep->direction * (mean - value) <= 0)) continue;
        best = i;
        value = mean;
    }
    return best;
}

static void strip_setting(const pm_sweeper *s, int setting)
{
    for (int k = 0; k < s->sweep->seed_count && !s->params->keep; k++) pm_sweep_strip_run(s, setting, k);
}

// Of two complete settings the worse can no longer win, so that at most one more than the runs under way keeps its parameters.
void pm_sweep_run_ended(pm_sweeper *s, int setting)
{
    const int last = s->rung_count - 1, old = s->sweep->winner;
    if (setting == old) return;
    for (int k = 0; k < s->sweep->seed_count; k++)
        if (!run_of(s, setting, k)->finished) return;
    const double mean = mean_at(s, setting, last);
    const bool better = isfinite(mean) && (old < 0 || s->sweep->direction * (mean - mean_at(s, old, last)) > 0 ||
                                           (mean == mean_at(s, old, last) && setting < old));
    if (!better) {
        strip_setting(s, setting);
        return;
    }
    if (old >= 0) strip_setting(s, old);
    s->sweep->winner = setting;
}

// ---- the runs ------------------------------------------------------------------------------------------------------

// Leaves the best third of those alive after a rung, by their means; what failed goes first.
static void halve(pm_sweeper *s, int rung, bool *alive)
{
    bool *left = pm_new_array(s->sweep, bool, s->space->setting_count);
    int count = 0;
    if (!left) return;    // nothing is stopped
    for (int i = 0; i < s->space->setting_count; i++) count += alive[i];
    for (int keep = (count + PM_SWEEP_FACTOR - 1) / PM_SWEEP_FACTOR; keep > 0; keep--) {
        const int best = best_setting(s, rung, alive);
        if (best < 0) break;
        left[best] = true;
        alive[best] = false;
    }
    for (int i = 0; i < s->space->setting_count; i++) {
        if (alive[i]) strip_setting(s, i);
        alive[i] = left[i];
    }
    pm_free(left);
}

static pm_status run_all(pm_sweeper *s, bool *alive)
{
    for (int i = 0; i < s->space->setting_count; i++) alive[i] = true;
    for (int rung = 0; rung < s->rung_count; rung++) {
        int count = 0;
        for (int i = 0; i < s->space->setting_count; i++) count += alive[i];
        if (s->rung_count > 1)
            pm_log(s->ctx, PM_LOG_INFO, "%d settings up to %.0f %% of their epochs", count, 100 * pm_sweep_share(s, rung));
        s->sweep->winner = -1;
        for (int i = 0; i < s->space->setting_count; i++)
            if (alive[i]) pm_sweep_run_ended(s, i);    // what was found done
        PM_TRY(pm_sweep_work(s, rung, alive));
        if (rung + 1 < s->rung_count) halve(s, rung, alive);
    }
    return PM_OK;
}

static const char *first_failure(const pm_sweeper *s)
{
    for (int i = 0; i < s->space->setting_count * s->sweep->seed_count; i++)
        if (*s->runs[i].failed) return s->runs[i].failed;
    return "no run came to its end";
}

// ---- the result ----------------------------------------------------------------------------------------------------

static pm_status fill_setting(const pm_sweeper *s, int index)
{
    const int seeds = s->sweep->seed_count;
    pm_sweep_setting *t = &s->sweep->settings[index];
    pm_metric_result summary;
    int rungs = PM_SWEEP_RUNGS;
    t->values = s->space->values + (int64_t)index * s->space->parameter_count;
    t->score = pm_new_array(s->sweep, double, seeds);
    t->best_epoch = pm_new_array(s->sweep, int64_t, seeds);
    t->epochs = pm_new_array(s->sweep, int64_t, seeds);
    if (!t->score || !t->best_epoch || !t->epochs) return PM_ERR_NOMEM;
    bool finished = true;
    for (int k = 0; k < seeds; k++) {
        const pm_sweep_run_state *r = run_of(s, index, k);
        if (*r->failed && !t->failed) t->failed = r->failed;
        finished = finished && r->finished;
        rungs = PM_MIN(rungs, r->rungs);
        t->score[k] = value_at(r, s->rung_count - 1);
        t->best_epoch[k] = r->best_epoch;
        t->epochs[k] = r->epochs;
        s->sweep->found += r->found;
    }
    pm_metric_summary(NULL, t->score, seeds, &summary);
    t->mean = summary.mean;
    t->sd = seeds > 1 ? summary.se * sqrt(seeds) : NAN;
    t->ci95 = seeds == 1 && isfinite(t->mean) && run_of(s, index, 0)->ci95 > 0 ? run_of(s, index, 0)->ci95 : NAN;
    t->share = finished ? 1 : pm_sweep_share(s, rungs - 1);
    return PM_OK;
}

static pm_status fill_settings(const pm_sweeper *s)
{
    pm_sweep *w = s->sweep;
    w->runs = s->space->setting_count * w->seed_count;
    w->settings = pm_new_array(w, pm_sweep_setting, s->space->setting_count);
    PM_CHECK_ALLOC(w->settings);
    w->setting_count = s->space->setting_count;
    w->parameter_count = s->space->parameter_count;
    w->parameters = s->space->parameters;
    for (int i = 0; i < w->setting_count; i++) PM_TRY(fill_setting(s, i));
    return PM_OK;
}

// ---- the test part -------------------------------------------------------------------------------------------------

// Each user's mean over the seeds; the same users, since all runs have one split.
static pm_status average_users(const pm_sweep *w, pm_result *const *results, int metric, pm_sweep_metric *out)
{
    const char *name = results[0]->metrics[metric].name;
    const pm_metrics *of;
    const int64_t n = results[0]->metrics[metric].n;
    double *mean = pm_new_array(w, double, n);
    PM_CHECK_ALLOC(mean);
    for (int k = 0; k < w->seed_count; k++) {
        const double *values = pm_result_values(results[k], false, name, &of);
        PM_REQUIRE(w, values && results[k]->metrics[metric].n == n, PM_ERR_INTERNAL, "the seeds were tested on other users");
        for (int64_t i = 0; i < n; i++) mean[i] += values[i] / w->seed_count;
    }
    pm_metric_summary(name, mean, n, &out->mean);
    pm_metric_of_values(name, &out->mean);
    pm_free(mean);
    return PM_OK;
}

static pm_status combine_metric(const pm_sweep *w, pm_result *const *results, int metric, pm_sweep_metric *out)
{
    pm_metric_result seeds;
    out->seed = pm_new_array(w, double, w->seed_count);
    PM_CHECK_ALLOC(out->seed);
    for (int k = 0; k < w->seed_count; k++) out->seed[k] = results[k]->metrics[metric].mean;
    pm_metric_summary(NULL, out->seed, w->seed_count, &seeds);
    out->sd = w->seed_count > 1 ? seeds.se * sqrt(w->seed_count) : NAN;
    out->mean = results[0]->metrics[metric];
    if (w->seed_count == 1) return PM_OK;
    const pm_metrics *of;
    if (pm_result_values(results[0], false, out->mean.name, &of)) return average_users(w, results, metric, out);
    out->mean.mean = seeds.mean;    // one value a catalogue
    return PM_OK;
}

static bool refits_winner(const pm_sweeper *s)
{
    return s->spec->refit && !pm_spec_joins(s->spec);
}

static pm_status test_run(const pm_sweeper *s, int seed, pm_result **result)
{
    const char *folder = s->sweep->winner_runs[seed];
    if (!refits_winner(s)) {
        const pm_evaluate_params params = { .run = folder };
        return pm_evaluate_split(s->ctx, &params, s->split, result);
    }
    pm_train_extra extra = { .split = s->split };
    PM_TRY(pm_sweep_begin_refit(s, seed));
    return pm_train_resume_with(s->ctx, folder, NULL, &extra, result);
}

static pm_status test_winner(pm_sweeper *s)
{
    pm_sweep *w = s->sweep;
    bool found;
    if (s->split->test.users == 0) return PM_OK;
    PM_TRY(pm_sweep_read_test(s, &found));
    if (found) return PM_OK;
    pm_log(s->ctx, PM_LOG_INFO, "%s", refits_winner(s) ? "training the winner on train + validation, then reading the test part" :
                                                      "reading the test part, for the winner");
    pm_result **results = pm_new_array(w, pm_result *, w->seed_count);
    PM_CHECK_ALLOC(results);
    pm_status st = PM_OK;
    for (int k = 0; k < w->seed_count && st == PM_OK; k++) st = test_run(s, k, &results[k]);
    if (st == PM_OK) {
        w->metric_count = results[0]->metric_count;
        w->metrics = pm_new_array(w, pm_sweep_metric, w->metric_count);
        st = w->metrics ? PM_OK : PM_ERR_NOMEM;
    }
    for (int i = 0; i < w->metric_count && st == PM_OK; i++) st = combine_metric(w, results, i, &w->metrics[i]);
    for (int k = 0; k < w->seed_count; k++) pm_result_destroy(&results[k]);
    return st == PM_OK ? pm_sweep_write_test(s) : st;
}

static pm_status name_winner_runs(const pm_sweeper *s)
{
    const char **names = pm_new_array(s->sweep, const char *, s->sweep->seed_count);
    PM_CHECK_ALLOC(names);
    s->sweep->winner_runs = names;
    for (int k = 0; k < s->sweep->seed_count; k++) {
        names[k] = refits_winner(s) ? pm_sweep_final_folder(names, s, k) : pm_sweep_run_folder(names, s, s->sweep->winner, k);
        PM_CHECK_ALLOC(names[k]);
    }
    return PM_OK;
}

static pm_status choose_and_test(pm_sweeper *s, const bool *alive)
{
    pm_sweep *w = s->sweep;
    w->winner = best_setting(s, s->rung_count - 1, alive);
    PM_REQUIRE(s->ctx, w->winner >= 0, PM_ERR_ARG, "no setting can win; the first reason: %s", first_failure(s));
    for (int i = 0; i < s->space->setting_count; i++)
        if (i != w->winner) strip_setting(s, i);    // a kill may have come between a run's end and this
    PM_TRY(fill_settings(s));
    PM_TRY(name_winner_runs(s));
    return test_winner(s);
}

// ---- setting up ----------------------------------------------------------------------------------------------------

// The metric to choose by joins those that are evaluated.
static pm_status choose_metric(pm_sweeper *s, pm_spec *spec)
{
    pm_metric_set *set;
    PM_TRY(pm_metric_set_parse(s->sweep, spec->metrics, &set));
    if (pm_metric_set_find(set, spec->select) < 0) {
        spec->metrics = pm_sprintf(s->sweep, "%s,%s", spec->metrics, spec->select);
        PM_CHECK_ALLOC(spec->metrics);
        PM_TRY(pm_metric_set_parse(s->sweep, spec->metrics, &set));
    }
    const int i = pm_metric_set_find(set, spec->select);
    PM_REQUIRE(s->ctx, i >= 0, PM_ERR_ARG, "\"%s\" is no single metric to choose by", spec->select);
    s->sweep->direction = pm_metric_set_info(set, i)->direction;
    PM_REQUIRE(s->ctx, s->sweep->direction != 0, PM_ERR_ARG, "\"%s\" describes and does not judge; choose by another metric", spec->select);
    return PM_OK;
}

static pm_status check_params(pm_ctx *ctx, const pm_sweep_params *p)
{
    PM_REQUIRE(ctx, p->folder && *p->folder, PM_ERR_ARG, "a sweep needs a folder to keep its runs in");
    PM_REQUIRE(ctx, p->seeds >= 0 && p->seeds <= PM_SWEEP_MAX_SEEDS, PM_ERR_ARG, "seeds = %" PRId64 " must be from 1 to %d", p->seeds,
               PM_SWEEP_MAX_SEEDS);
    PM_REQUIRE(ctx, p->jobs >= 0 && p->jobs <= PM_SWEEP_MAX_JOBS, PM_ERR_ARG, "jobs = %d must be from 1 to %d", p->jobs, PM_SWEEP_MAX_JOBS);
    PM_REQUIRE(ctx, p->random >= 0 && p->random <= PM_SWEEP_MAX_SETTINGS, PM_ERR_ARG, "random = %" PRId64 " must be from 1 to %d", p->random,
               PM_SWEEP_MAX_SETTINGS);
    return PM_OK;
}

static pm_status describe(pm_sweeper *s, const pm_model *model)
{
    pm_sweep *w = s->sweep;
    w->model = model->name;
    w->protocol = pm_strdup(w, s->split->protocol);
    w->select = pm_spec_select(w, s->spec, s->split);
    w->folder = pm_strdup(w, s->params->folder);
    w->refit = s->spec->refit;
    w->halving = s->params->halving;
    w->legacy_test_selection = s->spec->legacy_test_selection;
    w->users = pm_ids_count(s->split->users);
    w->items = s->split->train.cols;
    w->interactions = s->split->interactions;
    return w->protocol && w->select && w->folder ? PM_OK : PM_ERR_NOMEM;
}

static pm_status prepare(pm_sweeper *s)
{
    pm_sweep *w = s->sweep;
    const pm_model *model;
    pm_space *space;
    pm_spec *spec = pm_new(w, pm_spec);
    PM_CHECK_ALLOC(spec);
    PM_TRY(check_params(s->ctx, s->params));
    PM_TRY(pm_spec_complete(w, s->params->spec, spec));
    PM_TRY(pm_model_find(s->ctx, spec->model, &model));
    PM_TRY(choose_metric(s, spec));
    spec->split_seed_given = true;    // the seeds are the models'; the split is one
    s->spec = spec;
    PM_TRY(pm_space_create(w, s->params, model, &space));
    s->space = space;
    for (; s->params->halving && s->rung_count < PM_SWEEP_RUNGS; s->rung_count++) {
        int least = 1;
        for (int i = 0; i < s->rung_count; i++) least *= PM_SWEEP_FACTOR;
        if (space->setting_count < least) break;
    }
    s->rung_count = PM_MAX(s->rung_count, 1);
    w->seed_count = (int)PM_MAX(s->params->seeds, 1);
    w->seeds = pm_new_array(w, uint64_t, w->seed_count);
    PM_CHECK_ALLOC(w->seeds);
    for (int k = 0; k < w->seed_count; k++) w->seeds[k] = spec->seed + (uint64_t)k;
    s->runs = pm_new_array(w, pm_sweep_run_state, (int64_t)space->setting_count * w->seed_count);
    PM_CHECK_ALLOC(s->runs);
    for (int i = 0; i < space->setting_count * w->seed_count; i++) {
        s->runs[i].setting = i / w->seed_count;
        s->runs[i].seed = i % w->seed_count;
    }
    PM_REQUIRE(s->ctx, !spec->fixed_length, PM_ERR_ARG, "a sweep chooses on validation, which --fixed-length trains on; leave it out");
    PM_TRY(pm_spec_load(w, spec, &s->split));
    PM_REQUIRE(s->ctx, s->split->valid.users > 0 || spec->legacy_test_selection, PM_ERR_ARG,
               "a sweep chooses on validation, and the split has no validation part");
    if (spec->legacy_test_selection)
        pm_log(s->ctx, PM_LOG_WARN, "legacy test selection: epochs and setting are chosen on the test part, which flatters them; the figures are marked so");
    return describe(s, model);
}

static pm_status run_sweep(pm_sweeper *s)
{
    PM_TRY(prepare(s));
    bool *alive = pm_new_array(s->sweep, bool, s->space->setting_count);
    PM_CHECK_ALLOC(alive);
    PM_TRY(pm_sweep_open_folder(s));
    PM_TRY(pm_sweep_read_runs(s));
    PM_TRY(run_all(s, alive));
    return choose_and_test(s, alive);
}

pm_status pm_sweep_run(pm_ctx *ctx, const pm_sweep_params *params, pm_sweep **out)
{
    *out = NULL;
    pm_sweep *sweep = pm_new(ctx, pm_sweep);
    PM_CHECK_ALLOC(sweep);
    pm_sweeper *s = pm_new(sweep, pm_sweeper);
    PM_CHECK_ALLOC(s);
    s->ctx = ctx;
    s->params = params;
    s->sweep = sweep;
    s->lock = -1;
    sweep->winner = -1;
    const pm_status st = run_sweep(s);
    if (s->lock >= 0) close(s->lock);
    if (s->split) pm_free(s->split);
    if (st != PM_OK) pm_sweep_destroy(&sweep);
    *out = sweep;
    return st;
}

void pm_sweep_destroy(pm_sweep **sweep)
{
    if (!sweep) return;
    pm_free(*sweep);
    *sweep = NULL;
}
