// pm_train and pm_train_resume: data, session, loop, refit, and the one reading of the test set.
#include "train/runfolder.h"

#include <math.h>

#include "core/file.h"

static pm_status parse_metrics(pm_trainer *t)
{
    PM_TRY(pm_metric_set_parse(t->result, t->spec->metrics, &t->metrics));
    t->select = pm_metric_set_find(t->metrics, t->spec->select);
    PM_REQUIRE(t->ctx, t->select >= 0, PM_ERR_ARG, "select = \"%s\" must be one of the metrics: %s", t->spec->select, t->spec->metrics);
    t->direction = pm_metric_set_info(t->metrics, t->select)->direction;
    PM_REQUIRE(t->ctx, t->direction != 0, PM_ERR_ARG, "\"%s\" describes and does not judge; select another metric", t->spec->select);
    return PM_OK;
}

int64_t pm_trainer_phase_epochs(const pm_trainer *t, int phase)
{
    const pm_config *config = t->result->config;
    const int64_t own = t->session->phase[phase].epochs, iterations = pm_config_integer(config, "iterations"), steps = PM_MAX(pm_session_steps(t->session, phase), 1);
    if (own > 0) return own;
    if (iterations > 0) return (iterations + steps - 1) / steps;
    return pm_config_text(config, "epochs") ? pm_config_integer(config, "epochs") : 1;
}

// Where a refit begins: at the last phase that starts anew.
static int refit_phase(const pm_session *s)
{
    int phase = s->phase_count - 1;
    while (phase > 0 && !s->phase[phase].restart) phase--;
    return phase;
}

static void set_stop(pm_trainer *t)
{
    if (!t->extra || !(t->extra->share > 0)) return;
    const int64_t every = PM_MAX(t->spec->validate_every, 1);
    int64_t all = 0;
    for (int i = 0; i < t->session->phase_count; i++) all += pm_trainer_phase_epochs(t, i);
    t->stop_epoch = PM_MAX((int64_t)ceil(t->extra->share * (double)all - 1e-9), every);
    if (t->stop_epoch >= all) t->stop_epoch = 0;
}

static pm_status name_select(pm_trainer *t)
{
    t->result->select = pm_spec_select(t->result, t->spec, t->result->split);
    return t->result->select ? PM_OK : PM_ERR_NOMEM;
}

// What the log has of each validation, by the names of the results.
static pm_status name_epoch_metrics(pm_trainer *t)
{
    pm_result *r = t->result;
    pm_metric_set *named;
    const char *suffix = strchr(r->select, ':');
    PM_TRY(pm_metric_set_named(r, t->metrics, suffix ? suffix + 1 : "", &named));
    r->epoch_metric_count = PM_MIN(pm_metric_set_count(named), PM_MAX_EPOCH_METRICS);
    for (int i = 0; i < r->epoch_metric_count; i++) r->epoch_metric[i] = pm_metric_set_name(named, i);
    return PM_OK;
}

// Opens the session of the trainer's split and, unless refitting, the validation evaluator.
static pm_status open_trainer(pm_trainer *t)
{
    const pm_config *config = t->result->config;
    const pm_session_params params = { .split = t->split, .config = config, .device = t->spec->device, .seed = t->spec->seed,
                                       .rating = t->spec->rating };
    PM_TRY(pm_session_open(t->ctx, &params, &t->session));
    PM_TRY(pm_session_prepare_training(t->session));
    if (t->refit_epochs) t->at.phase = refit_phase(t->session);
    set_stop(t);
    t->at.config = config;
    const bool legacy = t->spec->legacy_test_selection;
    unsigned candidates;
    PM_TRY(pm_candidates_parse(t->ctx, t->spec->candidates, &candidates));
    const pm_eval_part *part = legacy ? &t->split->test : &t->split->valid;
    t->refit_due = t->spec->refit && !legacy && !t->refit_epochs && part->users > 0;
    if (part->users > 0 && !t->refit_epochs && !t->spec->fixed_length) {
        const pm_evaluator_params valid = { .part = part, .name = "valid", .set = t->metrics, .ties = t->spec->ties,
                                            .candidates = candidates & PM_CANDIDATES_SAMPLED ? PM_CANDIDATES_SAMPLED : candidates };
        PM_TRY(pm_evaluator_create(t->session, &valid, &t->validation));
        PM_TRY(name_epoch_metrics(t));
    }
    if (!t->restored) PM_TRY(pm_pretrained_begin(t));
    t->restored = false;
    return pm_snapshot_create(t->result, t->session, &t->best);
}

static void close_trainer_session(pm_trainer *t)
{
    uint64_t now, peak;
    if (!t->session) return;
    pm_device_memory(t->session->device, &now, &peak);
    t->result->peak_device_memory = PM_MAX(t->result->peak_device_memory, peak);
    pm_free(t->best);
    t->best = NULL;
    t->validation = NULL;
    pm_session_close(&t->session);
}

// The analyses that were asked for beside a training, of the parameters that the store holds.
static pm_status analyse(pm_trainer *t, bool validation)
{
    unsigned which;
    pm_analyst *analyst;
    if (!t->extra || !t->extra->analysis || t->extra->analysis_of_validation != validation) return PM_OK;
    PM_TRY(pm_analyst_choose(t->result, t->result->config, t->extra->analysis, &which));
    PM_TRY(pm_analyst_create(t->session, validation ? &t->split->valid : &t->split->test, which, &analyst));
    return pm_analyst_run(analyst, t->result);
}

static pm_status evaluate_validation(pm_trainer *t)
{
    pm_metrics *m;
    if (!t->validation || t->spec->legacy_test_selection) return PM_OK;
    PM_TRY(pm_snapshot_restore(t->best, t->session));
    PM_TRY(pm_evaluator_run(t->validation, t->result, &m));
    PM_TRY(analyse(t, true));
    return pm_result_add(t->result, m, true);
}

static pm_status evaluate_test(pm_trainer *t)
{
    pm_evaluator *test;
    pm_result_view views[PM_MAX_VIEWS];
    int count;
    unsigned candidates;
    if (t->split->test.users == 0) return PM_OK;
    const double before = pm_clock();
    PM_TRY(pm_candidates_parse(t->ctx, t->spec->candidates, &candidates));
    const pm_evaluator_params params = { .part = &t->split->test, .name = "test", .set = t->metrics, .ties = t->spec->ties, .candidates = candidates };
    PM_TRY(pm_snapshot_restore(t->best, t->session));
    PM_TRY(pm_evaluator_create(t->session, &params, &test));
    PM_TRY(pm_evaluator_run_views(test, t->result, views, &count));
    t->result->eval_seconds += pm_clock() - before;
    PM_TRY(analyse(t, false));
    PM_TRY(pm_result_add_views(t->result, views, count, false));
    return pm_result_add_errors(t->result, t->session, &t->split->test);
}

static pm_status join_validation(pm_trainer *t)
{
    pm_split *joined;
    PM_TRY(pm_split_refit(t->result, t->result->split, &joined));
    t->split = joined;
    return PM_OK;
}

// The chosen length once more, on train + validation, from fresh parameters.
static pm_status begin_refit(pm_trainer *t)
{
    pm_progress_state at = { .phase = refit_phase(t->session) };
    memcpy(at.memo, t->at.memo, sizeof at.memo);
    for (int i = at.phase; i < t->session->phase_count; i++) t->refit_epochs += t->phase_length[i];
    t->chosen_epoch = t->best_epoch;
    close_trainer_session(t);
    PM_TRY(join_validation(t));
    t->at = at;
    t->epoch = t->step = t->position = t->best_epoch = t->pass = 0;
    t->phase_begun = true;    // the store is new, so are the parameters
    t->finished = false;
    return open_trainer(t);
}

static void tell_choice(pm_trainer *t)
{
    pm_train_extra *e = t->extra;
    if (!e) return;
    e->value = t->at.best_epoch ? t->at.best : NAN;
    e->best_epoch = t->best_epoch;
    e->epochs = t->epoch;
}

static pm_status run_to_end(pm_trainer *t)
{
    PM_TRY(pm_trainer_run(t));
    tell_choice(t);
    if (t->extra && t->extra->stopped) return PM_OK;
    if (!t->refit_epochs) PM_TRY(evaluate_validation(t));
    if (t->refit_due) {
        PM_TRY(begin_refit(t));
        PM_TRY(pm_trainer_run(t));
    }
    t->result->refit = t->refit_epochs > 0 || pm_spec_joins(t->spec);
    if (t->refit_epochs > 0) t->result->best_epoch = t->chosen_epoch;
    return t->extra && t->extra->no_test ? PM_OK : evaluate_test(t);
}

static pm_status create_trainer(pm_ctx *ctx, const pm_spec *spec, const char *run, pm_train_extra *extra, pm_result **result,
                                pm_trainer **out)
{
    *out = NULL;
    *result = pm_new(ctx, pm_result);
    PM_CHECK_ALLOC(*result);
    pm_trainer *t = pm_new(*result, pm_trainer);
    pm_spec *complete = pm_new(*result, pm_spec);
    PM_CHECK_ALLOC(t);
    PM_CHECK_ALLOC(complete);
    PM_TRY(pm_spec_complete(*result, spec, complete));
    t->ctx = ctx;
    t->spec = complete;
    t->result = *result;
    t->extra = extra;
    t->run = run ? pm_strdup(*result, run) : NULL;
    (*result)->run = t->run;
    pm_config *config;
    PM_TRY(pm_spec_config(*result, complete, &config));
    (*result)->config = config;
    PM_TRY(pm_spec_check(*result, complete, config));
    PM_TRY(pm_pretrained_resolve(*result, complete, config));
    PM_TRY(parse_metrics(t));    // before the data: a misspelt metric should not cost a minute
    *out = t;
    return PM_OK;
}

static pm_status load_data(pm_trainer *t)
{
    pm_split *split = NULL;
    if (!t->extra || !t->extra->split) PM_TRY(pm_spec_load(t->result, t->spec, &split));
    t->result->split = t->split = split ? split : t->extra->split;
    if (t->spec->legacy_test_selection && !(t->extra && t->extra->no_test))
        pm_log(t->ctx, PM_LOG_WARN, "legacy test selection: the epoch is chosen on the test part, which flatters the model; its figures are marked so");
    return pm_spec_joins(t->spec) ? join_validation(t) : PM_OK;
}

static pm_status finish(pm_trainer *t, pm_status st, pm_result **result)
{
    if (st == PM_OK) st = pm_result_describe(t->result, t->session, t->spec, t->result->split);
    if (t) close_trainer_session(t);
    if (st != PM_OK) pm_result_destroy(result);
    return st;
}

pm_status pm_train_with(pm_ctx *ctx, const pm_spec *spec, const char *run, pm_train_extra *extra, pm_result **out)
{
    pm_trainer *t = NULL;
    *out = NULL;
    pm_status st = create_trainer(ctx, spec, run, extra, out, &t);
    if (st == PM_OK && run) {
        pm_spec kept = *spec;
        kept.pretrained = t->spec->pretrained;    // with their hashes
        st = pm_run_begin(ctx, run, &kept);
    }
    if (st == PM_OK) st = load_data(t);
    if (st == PM_OK && run) st = pm_run_save_maps(ctx, run, t->result->split);
    if (st == PM_OK) {
        st = name_select(t);
        if (st == PM_OK) st = open_trainer(t);
    }
    if (st == PM_OK) st = run_to_end(t);
    if (!t) {
        pm_result_destroy(out);
        return st;
    }
    return finish(t, st, out);
}

pm_status pm_train_resume_with(pm_ctx *ctx, const char *run, const char *device, pm_train_extra *extra, pm_result **out)
{
    pm_trainer *t = NULL;
    pm_checkpoint *c = NULL;
    pm_spec *spec = NULL;
    *out = NULL;
    void *scratch = pm_alloc(ctx, 1);    // what is read before there is a result
    PM_CHECK_ALLOC(scratch);
    pm_status st = pm_run_read_spec(scratch, run, &spec);
    bool found = false;
    if (st == PM_OK && device) spec->device = device;
    if (st == PM_OK) st = pm_checkpoint_find(scratch, run, &found);
    if (st == PM_OK && found) st = pm_checkpoint_open(scratch, run, &c);
    if (st == PM_OK && !found) pm_log(ctx, PM_LOG_INFO, "%s: it was stopped before its first checkpoint; training from the start", run);
    if (st == PM_OK) st = create_trainer(ctx, spec, run, extra, out, &t);
    if (st == PM_OK) st = load_data(t);
    if (st == PM_OK) {
        st = name_select(t);
        t->restored = c != NULL;
        if (c) t->refit_epochs = pm_checkpoint_refit_epochs(c);
        else if (st == PM_OK) st = pm_run_save_maps(ctx, run, t->result->split);
        if (st == PM_OK && t->refit_epochs) st = join_validation(t);
    }
    if (st == PM_OK) st = open_trainer(t);
    if (st == PM_OK && c) st = pm_checkpoint_load(c, t);
    if (st == PM_OK) st = run_to_end(t);
    if (t) st = finish(t, st, out);
    else pm_result_destroy(out);
    pm_free(scratch);    // last: the trainer's spec borrows its strings from here
    return st;
}

pm_status pm_train(pm_ctx *ctx, const pm_spec *spec, const char *run, pm_result **out)
{
    int64_t count;
    if (pm_spec_repeats(spec, &count)) return pm_train_repeats(ctx, spec, run, false, out);
    return pm_train_with(ctx, spec, run, NULL, out);
}

// The spec of a folder that holds several trainings; NULL where it holds one. Hangs from parent.
static pm_status read_repeated(const void *parent, const char *run, pm_spec **out)
{
    int64_t count;
    PM_TRY(pm_run_read_spec(parent, run, out));
    if (!pm_spec_repeats(*out, &count)) *out = NULL;
    return PM_OK;
}

pm_status pm_train_resume(pm_ctx *ctx, const char *run, const char *device, pm_result **out)
{
    pm_spec *repeated = NULL;
    *out = NULL;
    void *scratch = pm_alloc(ctx, 1);
    PM_CHECK_ALLOC(scratch);
    pm_status st = read_repeated(scratch, run, &repeated);
    const bool several = st == PM_OK && repeated;
    if (several && device) repeated->device = device;
    if (several) st = pm_train_repeats(ctx, repeated, run, true, out);
    pm_free(scratch);
    if (st != PM_OK || several) return st;
    return pm_train_resume_with(ctx, run, device, NULL, out);
}

pm_status pm_train_or_resume(pm_ctx *ctx, const pm_spec *spec, const char *run, pm_train_extra *extra, pm_result **out)
{
    *out = NULL;
    char *config = pm_sprintf(ctx, "%s/config.json", run);
    PM_CHECK_ALLOC(config);
    const bool found = pm_file_exists(config);
    pm_free(config);
    extra->stopped = false;
    return found ? pm_train_resume_with(ctx, run, NULL, extra, out) : pm_train_with(ctx, spec, run, extra, out);
}
