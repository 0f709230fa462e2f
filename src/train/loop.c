// The one training loop: phases, epochs, chunks of steps, validation, the best epoch, early stopping, saving.
#include <math.h>
#include <stdio.h>

#include <pumice/state.h>

#include "train/trainer.h"

static const double CHUNK_SECONDS = 0.5;    // between two looks at the clock, the progress bar and Ctrl-C

static bool is_better(const pm_trainer *t, double value)
{
    return t->at.best_epoch == 0 || (value - t->at.best) * t->direction > 0;
}

static const pm_phase *phase_of(const pm_trainer *t)
{
    return &t->session->phase[t->at.phase];
}

static const pm_session_pass *pass_of(const pm_trainer *t)
{
    return &t->session->pass[phase_of(t)->first + t->pass];
}

static pm_status read_losses(pm_trainer *t, int64_t n)
{
    pm_session *s = t->session;
    const pm_session_pass *p = pass_of(t);
    for (int l = 0; l < p->loss_count; l++) {
        const int i = p->loss[l];
        char name[64];
        float values[PM_SLOTS];
        snprintf(name, sizeof name, "log.%s", s->loss_name[i]);
        PM_TRY(pm_store_read_rows(s->store, name, 0, n, values));
        for (int64_t k = 0; k < n; k++) {
            if (p->what.solve && s->model->watch) PM_TRY(s->model->watch(t->ctx, s->config, s->loss_name[i], values[k]));
            const char *remedy = s->model->diverged ? s->model->diverged(s->config, s->loss_name[i], (double)values[k]) : NULL;
            PM_REQUIRE(t->ctx, isfinite(values[k]) && !remedy, PM_ERR_NUMERIC, "training diverged: %s%s is %s at step %" PRId64 "%s%s",
                       p->what.solve ? "" : "loss ", s->loss_name[i], isfinite(values[k]) ? "beyond all reason" : "not finite", t->step + k + 1,
                       remedy || !p->what.solve ? "; " : "", remedy ? remedy : p->what.solve ? "" : "try a lower lr");
            t->loss_sum[i] += values[k];
        }
        t->loss_steps[i] += n;
    }
    return PM_OK;
}

static pm_status run_chunk(pm_trainer *t, int64_t n)
{
    pm_session *s = t->session;
    const pm_session_pass *p = pass_of(t);
    PM_TRY(pm_session_write_schedule(s, phase_of(t)->first + t->pass, &t->at, n));
    PM_TRY(pm_session_run(s, phase_of(t)->first + t->pass, &(pm_position){ t->step, t->epoch, t->position, t->at.phase }, n));
    PM_TRY(read_losses(t, n));
    t->step += n;
    t->at.step += n;
    t->position = PM_MIN(t->position + n * p->batch, p->total);
    return PM_OK;
}

static void report(pm_trainer *t, double began)
{
    char note[96] = "";
    const int64_t steps = t->at.steps_per_epoch;
    if (t->at.best_epoch)
        snprintf(note, sizeof note, "%s %.4f, best %.4f", t->result->select, t->at.validation, t->at.best);
    char what[64];
    snprintf(what, sizeof what, "%s epoch %" PRId64 "/%" PRId64, t->refit_epochs ? "refit" : phase_of(t)->name, PM_MIN(t->at.epoch + 1, t->phase_epochs),
             t->phase_epochs);
    pm_report_progress(t->ctx, &(pm_progress){ what, "steps", note, t->at.step, PM_MIN(t->phase_epochs * steps, t->phase_steps), pm_clock() - began });
}

static bool save_is_due(const pm_trainer *t)
{
    return t->run && pm_clock() - t->saved_at >= (t->spec->save_every > 0 ? t->spec->save_every : 60.0);
}

// A solve may fail for good where it stands, and some models may diverge, so the epochs before it are kept as soon as that is cheap beside them.
static bool keeping_is_cheap(const pm_trainer *t)
{
    const pm_phase *phase = phase_of(t);
    bool fragile = t->session->model->diverged != NULL;
    for (int i = 0; i < PM_MAX(phase->count, 1); i++) fragile = fragile || t->session->pass[phase->first + i].what.solve;
    return t->run && fragile && pm_clock() - t->saved_at >= 20 * t->save_seconds;
}

// Interrupted: what was done is saved before leaving.
static pm_status leave(pm_trainer *t)
{
    if (t->run) PM_TRY(pm_checkpoint_save(t));
    return pm_fail(t->ctx, PM_ERR_CANCELLED, t->run ? "interrupted; pumice train --resume %s goes on from here" : "interrupted%s",
                   t->run ? t->run : "; nothing was saved, since no run folder was named");
}

static pm_status run_pass(pm_trainer *t, double began)
{
    const int64_t total = pass_of(t)->total, batch = pass_of(t)->batch;
    int64_t n = 1;
    while (t->position < total && t->at.step < t->phase_steps) {
        const double before = pm_clock();
        n = PM_MIN(PM_MIN(n, PM_SLOTS), PM_MIN((total - t->position + batch - 1) / batch, t->phase_steps - t->at.step));
        PM_TRY(run_chunk(t, n));
        const double now = pm_clock();
        t->train_seconds += now - before;
        report(t, began);
        if (pm_ctx_cancelled(t->ctx)) return leave(t);
        if (save_is_due(t)) PM_TRY(pm_checkpoint_save(t));
        const double step = (now - before) / (double)n;
        n = PM_MAX(1, PM_MIN((int64_t)(CHUNK_SECONDS / (step + 1e-9)), 2 * n));
    }
    return pm_session_end_pass(t->session, phase_of(t)->first + t->pass, &t->at, t->position);
}

static pm_status run_epoch(pm_trainer *t, double began)
{
    for (const int count = PM_MAX(phase_of(t)->count, 1);;) {
        PM_TRY(run_pass(t, began));
        if (t->pass + 1 == count || t->at.step >= t->phase_steps) return PM_OK;
        t->pass++;
        t->position = 0;
    }
}

// What a loss of this phase would be of scores that are all 0; 0 where that is not known.
static double of_nothing(const pm_trainer *t, int loss)
{
    const pm_session *s = t->session;
    const pm_phase *phase = phase_of(t);
    if (!s->model->nothing) return 0;
    for (int i = phase->first; i < phase->first + PM_MAX(phase->count, 1); i++)
        for (int l = 0; l < s->pass[i].loss_count; l++)
            if (s->pass[i].loss[l] == loss) return s->model->nothing(s->config, s->loss_name[loss], s->squares / (double)s->pass[i].total);
    return 0;
}

// The mean of a loss over the third epoch before in this phase; 0 where there is none.
static double loss_before(const pm_trainer *t, int loss)
{
    enum { BACK = 3 };
    const pm_epoch_log *log = t->at.epoch >= BACK && t->result->epoch_count >= BACK ? &t->result->epoch_log[t->result->epoch_count - BACK] : NULL;
    return log && log->phase == t->at.phase ? log->loss[loss] : 0;
}

// Mean losses that stay far above that: each score stands at an end of its range, from where no gradient leads back. First steps that go too far may do as much for
// some epochs, but then it is falling.
static pm_status refuse_saturation(const pm_trainer *t)
{
    static const double BEYOND = 1.5, FALLING = 0.75;
    const pm_session *s = t->session;
    for (int i = 0; i < s->loss_count; i++) {
        const double nothing = t->loss_steps[i] ? of_nothing(t, i) : 0, was = loss_before(t, i);
        if (!(nothing > 0) || !(was > 0)) continue;
        const double mean = t->loss_sum[i] / (double)t->loss_steps[i];
        if (mean <= BEYOND * nothing || mean <= FALLING * was) continue;
        const char *remedy = s->model->diverged ? s->model->diverged(s->config, s->loss_name[i], INFINITY) : NULL;
        return pm_fail(t->ctx, PM_ERR_NUMERIC, "training diverged: loss %s is %.4g in epoch %" PRId64 ", %.4g three epochs before, where scores of 0 throughout would make it %.4g; %s",
                       s->loss_name[i], mean, t->epoch + 1, was, nothing, remedy ? remedy : "try a lower lr");
    }
    return PM_OK;
}

static pm_status keep_best(pm_trainer *t)
{
    t->at.best_epoch = t->at.epoch;
    t->at.best = t->at.validation;
    t->best_epoch = t->epoch;
    t->best_unsaved = true;
    return pm_snapshot_take(t->best, t->session);
}

static pm_status validate(pm_trainer *t)
{
    pm_metrics *m;
    pm_metric_result r;
    const double before = pm_clock();
    PM_TRY(pm_evaluator_use(t->validation, phase_of(t)->scorer));
    PM_TRY(pm_evaluator_run(t->validation, t->ctx, &m));
    pm_status st = pm_metrics_result(m, t->select, &r);
    for (int i = 0; i < t->result->epoch_metric_count && st == PM_OK; i++) {
        pm_metric_result each;
        st = pm_metrics_result(m, i, &each);
        t->values[i] = each.mean;
    }
    t->result->eval_seconds += pm_clock() - before;
    if (st == PM_OK && !(r.n > 0)) st = pm_fail(t->ctx, PM_ERR_DATA, "validation: no user has an item to be found");
    if (st != PM_OK) {
        pm_metrics_destroy(&m);
        return st;
    }
    t->at.validation = r.mean;
    pm_metrics_destroy(&m);
    return is_better(t, r.mean) ? keep_best(t) : PM_OK;
}

static pm_status log_epoch(pm_trainer *t, bool validated, double seconds)
{
    pm_result *r = t->result;
    if (r->epoch_count == t->log_capacity) {
        const int capacity = t->log_capacity ? 2 * t->log_capacity : 64;
        PM_TRY(pm_grow_array(r, (void **)&r->epoch_log, capacity, sizeof *r->epoch_log));
        t->log_capacity = capacity;
    }
    pm_epoch_log *e = &r->epoch_log[r->epoch_count++];
    *e = (pm_epoch_log){ .epoch = t->epoch, .steps = t->step, .phase = t->at.phase, .validation = validated ? t->at.validation : NAN, .seconds = seconds };
    for (int i = 0; i < r->epoch_metric_count; i++) e->metrics[i] = validated ? t->values[i] : NAN;
    for (int i = 0; i < t->session->loss_count; i++) e->loss[i] = t->loss_steps[i] ? t->loss_sum[i] / (double)t->loss_steps[i] : NAN;
    for (int k = 0; k < t->session->column_count; k++) e->schedule[k] = t->session->model->schedule_value(&t->at, k);
    char text[256];
    int used = snprintf(text, sizeof text, "epoch %" PRId64, t->epoch);
    for (int i = 0; i < t->session->loss_count && used < (int)sizeof text; i++)
        if (t->loss_steps[i])    // a residual is told by its power of ten
            used += snprintf(text + used, sizeof text - (size_t)used, fabs(e->loss[i]) < 1e-3 ? "  %s %.1e" : "  %s %.4f", t->session->loss_name[i], e->loss[i]);
    if (validated && used < (int)sizeof text)
        used += snprintf(text + used, sizeof text - (size_t)used, "  %s %s %.4f%s", t->spec->legacy_test_selection ? "test" : "validation", r->select, t->at.validation,
                         t->best_epoch == t->epoch ? " (best)" : "");
    if (used < (int)sizeof text) snprintf(text + used, sizeof text - (size_t)used, "  %.2f s", seconds);
    pm_log(t->ctx, PM_LOG_INFO, "%s", text);
    return PM_OK;
}

// Closes an epoch whose steps are done: validates where it is time, logs, saves.
static pm_status end_epoch(pm_trainer *t, double seconds)
{
    const int64_t every = t->spec->validate_every > 0 ? t->spec->validate_every : 1;
    t->epoch++;
    t->at.epoch++;
    t->position = t->pass = 0;
    const bool validated = t->validation && !t->refit_epochs && (t->at.epoch % every == 0 || t->at.epoch == t->phase_epochs);
    if (validated) {
        PM_TRY(validate(t));
        const char *said = t->session->model->after_validation ? t->session->model->after_validation(&t->at) : NULL;
        if (said) pm_log(t->ctx, PM_LOG_INFO, "epoch %" PRId64 ": %s", t->epoch, said);
    }
    PM_TRY(log_epoch(t, validated, seconds));
    memset(t->loss_sum, 0, sizeof t->loss_sum);
    memset(t->loss_steps, 0, sizeof t->loss_steps);
    if (pm_ctx_cancelled(t->ctx)) return leave(t);
    return save_is_due(t) || keeping_is_cheap(t) ? pm_checkpoint_save(t) : PM_OK;
}

// Optimiser state to zero.
static pm_status forget_gradients(pm_trainer *t)
{
    pm_store *store = t->session->store;
    for (int i = 0; i < pm_store_count(store); i++) {
        const char *name = pm_store_name(store, i);
        if (!pm_is_optimiser_state(name)) continue;
        int64_t rows, cols;
        pm_store_find(store, name, NULL, &rows, &cols);
        float *zeros = pm_new_array(t->ctx, float, rows * cols);
        PM_CHECK_ALLOC(zeros);
        const pm_status st = pm_store_write(store, name, zeros);
        pm_free(zeros);
        PM_TRY(st);
    }
    return PM_OK;
}

static bool patience_is_over(const pm_trainer *t)
{
    return t->spec->patience > 0 && t->at.best_epoch > 0 && t->at.epoch - t->at.best_epoch >= t->spec->patience;
}

static bool stop_is_due(pm_trainer *t)
{
    const bool due = t->stop_epoch > 0 && t->epoch >= t->stop_epoch && t->position == 0 && t->pass == 0 && !t->refit_epochs;
    if (due) t->extra->stopped = true;
    return due;
}

static pm_status run_batches(pm_trainer *t)
{
    const double began = pm_clock();
    while (t->at.epoch < t->phase_epochs && !patience_is_over(t)) {
        if (stop_is_due(t)) return PM_OK;
        const double before = pm_clock();
        PM_TRY(run_epoch(t, began));
        PM_TRY(refuse_saturation(t));
        PM_TRY(end_epoch(t, pm_clock() - before));
        if (stop_is_due(t)) return PM_OK;    // before the phase ends, whose best value is asked for
    }
    return PM_OK;
}

static void enter_phase(pm_trainer *t)
{
    const pm_config *config = t->at.config;
    t->at.steps_per_epoch = pm_session_steps(t->session, t->at.phase);
    t->phase_epochs = pm_trainer_phase_epochs(t, t->at.phase);
    const int64_t iterations = phase_of(t)->epochs > 0 ? 0 : pm_config_integer(config, "iterations");
    t->phase_steps = iterations > 0 ? iterations : INT64_MAX;
    if (t->refit_epochs) t->phase_epochs = t->phase_length[t->at.phase];
}

// How many epochs of this phase went into what follows it: a phase that begins with the best, or the model that was chosen.
static int64_t chosen_length(const pm_trainer *t)
{
    const bool last = t->at.phase == t->session->phase_count - 1, best = last || t->session->phase[t->at.phase + 1].from_best;
    return best && t->at.best_epoch ? t->at.best_epoch : t->at.epoch;
}

static pm_status run_phase(pm_trainer *t)
{
    const pm_phase *phase = phase_of(t);
    enter_phase(t);
    if (!t->phase_begun) {
        if (phase->restart) PM_TRY(pm_net_reset(t->session->net));
        if (phase->restart || phase->fresh) PM_TRY(forget_gradients(t));
        if (phase->from_best && t->best_epoch) PM_TRY(pm_snapshot_restore(t->best, t->session));
        t->best_epoch = 0;
        t->phase_begun = true;
    }
    PM_TRY(run_batches(t));
    if (t->extra && t->extra->stopped) return PM_OK;
    if (!t->refit_epochs) t->phase_length[t->at.phase] = chosen_length(t);
    if (t->session->model->phase_end && !t->refit_epochs)
        PM_TRY(t->session->model->phase_end(t->ctx, &t->at, t->at.phase == t->session->phase_count - 1));
    return PM_OK;
}

// The next phase begins where the last one stands, but counts and chooses for itself.
static void next_phase(pm_trainer *t)
{
    pm_progress_state at = { .config = t->at.config, .phase = t->at.phase + 1 };
    memcpy(at.memo, t->at.memo, sizeof at.memo);
    t->at = at;
    t->phase_begun = false;
}

pm_status pm_trainer_run(pm_trainer *t)
{
    const bool restored = t->finished;    // it had come to its end: the checkpoint has all that there is to say
    t->saved_at = pm_clock();
    while (!t->finished) {
        PM_TRY(run_phase(t));
        if (t->extra && t->extra->stopped) return t->run ? pm_checkpoint_save(t) : PM_OK;
        if (t->at.phase == t->session->phase_count - 1) break;
        next_phase(t);
    }
    if (!t->best_epoch) {    // nothing to choose by: the last epoch
        t->best_epoch = t->epoch;
        t->best_unsaved = true;
        PM_TRY(pm_snapshot_take(t->best, t->session));
    }
    t->result->epochs = t->epoch;
    t->result->best_epoch = t->best_epoch;
    t->result->steps = t->step;
    t->result->train_seconds = t->train_seconds;
    t->finished = !t->refit_due;
    return t->run && !restored ? pm_checkpoint_save(t) : PM_OK;
}
