// The workers of a sweep: threads, each with a context of its own for every run. They share the split, which nobody changes.
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "train/sweep.h"

enum { MESSAGE = 400, MAX_WARNINGS = 64 };

typedef struct pool pool;

typedef struct worker {
    pool     *pool;
    pthread_t thread;
    pm_ctx   *ctx;           // of the run under way; NULL between runs
    char      what[160];     // how far it is
} worker;

struct pool {
    pm_sweeper *s;
    int         rung, threads;
    int        *queue, count, next;      // runs to do
    int        *ended, ended_count;      // done, in the order they ended
    int         active, worker_count;
    worker     *workers;
    bool        stop;
    pm_status   status;                  // of the run that made all stop
    char        message[MESSAGE];
    char        warning[MAX_WARNINGS][MESSAGE];
    int         warning_count;
    pthread_mutex_t lock;                // of everything above that changes
    pthread_cond_t  news;
};

// ---- in a worker ---------------------------------------------------------------------------------------------------

static void hear(void *user, pm_log_level level, const char *line)
{
    pool *p = ((worker *)user)->pool;
    if (level != PM_LOG_WARN) return;
    pthread_mutex_lock(&p->lock);
    if (p->warning_count < MAX_WARNINGS) snprintf(p->warning[p->warning_count++], MESSAGE, "%s", line);
    pthread_mutex_unlock(&p->lock);
}

static void watch(void *user, const pm_progress *progress)
{
    worker *w = user;
    pthread_mutex_lock(&w->pool->lock);
    snprintf(w->what, sizeof w->what, "%s", progress->what ? progress->what : "");
    pthread_mutex_unlock(&w->pool->lock);
}

pm_status pm_sweep_run_spec(const void *parent, const pm_sweeper *s, int setting, int seed, pm_spec *out)
{
    const int common = s->spec->setting_count, own = s->space->parameter_count;
    const char **settings = pm_new_array(parent, const char *, common + own);
    PM_CHECK_ALLOC(settings);
    *out = *s->spec;
    for (int i = 0; i < common; i++) settings[i] = s->spec->settings[i];
    for (int i = 0; i < own; i++) {
        const char *name = s->space->parameters[i];
        settings[common + i] = pm_sprintf(parent, "%s=%s", name, s->space->values[(int64_t)setting * own + i]);
        PM_CHECK_ALLOC(settings[common + i]);
        if (pm_name_equal(name, "epochs")) out->epochs = 0;    // the grid's word counts
    }
    out->settings = settings;
    out->setting_count = common + own;
    out->seed = s->sweep->seeds[seed];
    out->refit = pm_spec_joins(s->spec);    // else the winner's alone
    return PM_OK;
}

static pm_status train_run(pm_ctx *ctx, const pool *p, pm_sweep_run_state *run)
{
    const pm_sweeper *s = p->s;
    pm_spec spec;
    pm_result *result;
    char *json;
    const double share = pm_sweep_share(s, p->rung);
    pm_train_extra extra = { .split = s->split, .no_test = true, .share = share < 1 ? share : 0 };
    char *folder = pm_sweep_run_folder(ctx, s, run->setting, run->seed);
    PM_CHECK_ALLOC(folder);
    PM_TRY(pm_sweep_run_spec(ctx, s, run->setting, run->seed, &spec));
    const double before = pm_clock();
    PM_TRY(pm_train_or_resume(ctx, &spec, folder, &extra, &result));
    PM_REQUIRE(ctx, isfinite(extra.value), PM_ERR_NUMERIC, "it was never validated, so there is nothing to judge it by");
    while (run->rungs <= p->rung) run->value[run->rungs++] = extra.value;
    run->finished = !extra.stopped;
    run->best_epoch = extra.best_epoch;
    run->epochs = extra.epochs;
    run->seconds += pm_clock() - before;
    run->ci95 = 0;
    for (int i = 0; i < result->validation_count; i++)
        if (pm_name_equal(result->validation[i].name, s->sweep->select) && isfinite(result->validation[i].ci95)) run->ci95 = result->validation[i].ci95;
    PM_TRY(pm_result_json(ctx, result, &json));
    return pm_sweep_write_run(ctx, s, run, json);
}

// A run that diverged, or that the model refuses, says something about its setting. Other failures say something about the machine.
static pm_status judge(pm_ctx *ctx, const pool *p, pm_sweep_run_state *run, pm_status st)
{
    if (st != PM_ERR_ARG && st != PM_ERR_NUMERIC) return st;
    snprintf(run->failed, sizeof run->failed, "%s", pm_ctx_message(ctx));
    run->finished = true;
    run->rungs = 0;
    return pm_sweep_write_run(ctx, p->s, run, NULL);
}

static pm_status do_run(worker *w, int index)
{
    pool *p = w->pool;
    pm_ctx *ctx;
    const pm_ctx_params params = { .log = hear, .log_user = w, .log_level = PM_LOG_WARN, .progress = watch, .progress_user = w,
                                   .threads = p->threads };
    pm_status st = pm_ctx_create(&params, &ctx);
    if (st != PM_OK) return st;
    pthread_mutex_lock(&p->lock);
    w->ctx = ctx;
    if (p->stop) pm_ctx_cancel(ctx);
    pthread_mutex_unlock(&p->lock);
    pm_sweep_run_state run = p->s->runs[index];    // a copy: the others look at it meanwhile
    st = judge(ctx, p, &run, train_run(ctx, p, &run));
    pthread_mutex_lock(&p->lock);
    w->ctx = NULL;
    if (st == PM_OK) p->s->runs[index] = run;
    if (st != PM_OK && p->status == PM_OK) snprintf(p->message, sizeof p->message, "%s", pm_ctx_message(ctx));
    pthread_mutex_unlock(&p->lock);
    pm_ctx_destroy(&ctx);
    return st;
}

static void cancel_all(pool *p)
{
    p->stop = true;
    for (int i = 0; i < p->worker_count; i++)
        if (p->workers[i].ctx) pm_ctx_cancel(p->workers[i].ctx);
}

static void *work(void *user)
{
    worker *w = user;
    pool *p = w->pool;
    pthread_mutex_lock(&p->lock);
    while (!p->stop && p->next < p->count) {
        const int index = p->queue[p->next++];
        pthread_mutex_unlock(&p->lock);
        const pm_status st = do_run(w, index);
        pthread_mutex_lock(&p->lock);
        w->what[0] = 0;
        if (st == PM_OK) p->ended[p->ended_count++] = index;
        if (st != PM_OK && p->status == PM_OK) p->status = st;
        if (st != PM_OK) cancel_all(p);
        pthread_cond_signal(&p->news);
    }
    p->active--;
    pthread_cond_signal(&p->news);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

// ---- in the thread of the sweep ------------------------------------------------------------------------------------

static void tell_run(const pm_sweeper *s, const pm_sweep_run_state *run, int number, int total)
{
    char setting[300] = "";
    size_t used = 0;
    const char *const *values = s->space->values + (int64_t)run->setting * s->space->parameter_count;
    for (int i = 0; i < s->space->parameter_count && used < sizeof setting; i++)
        used += (size_t)snprintf(setting + used, sizeof setting - used, "  %s=%s", s->space->parameters[i], values[i]);
    const uint64_t seed = s->sweep->seeds[run->seed];
    if (*run->failed)
        pm_log(s->ctx, PM_LOG_WARN, "run %d/%d%s  seed %" PRIu64 " cannot win: %s", number, total, setting, seed, run->failed);
    else
        pm_log(s->ctx, PM_LOG_INFO, "run %d/%d%s  seed %" PRIu64 "  %s %.4f at epoch %" PRId64 " of %" PRId64 "  %.1f s", number, total, setting,
               seed, s->sweep->select, run->value[run->rungs - 1], run->best_epoch, run->epochs, run->seconds);
}

static double best_so_far(const pm_sweeper *s, int rung)
{
    double best = NAN;
    for (int i = 0; i < s->space->setting_count * s->sweep->seed_count; i++) {
        const pm_sweep_run_state *r = &s->runs[i];
        if (*r->failed || r->rungs <= rung) continue;
        if (!(s->sweep->direction * (best - r->value[rung]) >= 0)) best = r->value[rung];
    }
    return best;
}

static void report(const pool *p, int done, int total, double began)
{
    char note[200] = "";
    size_t used = 0;
    const double best = best_so_far(p->s, p->rung);
    if (isfinite(best)) used += (size_t)snprintf(note, sizeof note, "best %s %.4f", p->s->sweep->select, best);
    for (int i = 0; i < p->worker_count && used < sizeof note; i++)
        if (p->workers[i].what[0]) used += (size_t)snprintf(note + used, sizeof note - used, "%s%s", used ? "; " : "", p->workers[i].what);
    pm_report_progress(p->s->ctx, &(pm_progress){ "sweep", "runs", note, done, total, pm_clock() - began });
}

static void wait_a_little(pool *p)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 100000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&p->news, &p->lock, &until);
}

// Until the last worker has gone. What happens here happens in the context's own thread, so logging and progress are as anywhere.
static void attend(pool *p, int before, int total)
{
    const double began = pm_clock();
    int told = 0, warned = 0;
    pthread_mutex_lock(&p->lock);
    while (p->active > 0 || told < p->ended_count || warned < p->warning_count) {
        if (p->active > 0 && told == p->ended_count) wait_a_little(p);
        if (pm_ctx_cancelled(p->s->ctx) && !p->stop) cancel_all(p);
        for (; warned < p->warning_count; warned++) pm_log(p->s->ctx, PM_LOG_WARN, "%s", p->warning[warned]);
        if (p->active > 0) p->warning_count = warned = 0;
        for (; told < p->ended_count; told++) {
            const pm_sweep_run_state *run = &p->s->runs[p->ended[told]];
            tell_run(p->s, run, before + told + 1, total);
            pm_sweep_run_ended(p->s, run->setting);
        }
        report(p, before + told, total, began);
    }
    pthread_mutex_unlock(&p->lock);
}

static pm_status start(pool *p)
{
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < p->worker_count; i++) {
        p->workers[i].pool = p;
        if (pthread_create(&p->workers[i].thread, NULL, work, &p->workers[i]) != 0) {
            p->worker_count = i;
            break;
        }
        p->active++;
    }
    const int started = p->active;
    pthread_mutex_unlock(&p->lock);
    PM_REQUIRE(p->s->ctx, started > 0, PM_ERR_NOMEM, "no thread could be started");
    return PM_OK;
}

static pm_status run_pool(pool *p, int before, int total)
{
    pm_status st = start(p);
    if (st != PM_OK) return st;
    attend(p, before, total);
    for (int i = 0; i < p->worker_count; i++) pthread_join(p->workers[i].thread, NULL);
    if (pm_ctx_cancelled(p->s->ctx))
        return pm_fail(p->s->ctx, PM_ERR_CANCELLED, "interrupted; the same command goes on from here (%s)", p->s->params->folder);
    return p->status == PM_OK ? PM_OK : pm_fail(p->s->ctx, p->status, "%s", p->message);
}

pm_status pm_sweep_work(pm_sweeper *s, int rung, const bool *alive)
{
    const int seeds = s->sweep->seed_count, runs = s->space->setting_count * seeds;
    int total = 0;
    pool *p = pm_new(s->sweep, pool);
    PM_CHECK_ALLOC(p);
    p->s = s;
    p->rung = rung;
    p->queue = pm_new_array(p, int, runs);
    p->ended = pm_new_array(p, int, runs);
    if (!p->queue || !p->ended) return PM_ERR_NOMEM;
    for (int i = 0; i < runs; i++) {
        if (!alive[i / seeds]) continue;
        total++;
        if (!s->runs[i].finished && s->runs[i].rungs <= rung) p->queue[p->count++] = i;
    }
    p->worker_count = PM_MIN(PM_MAX(s->params->jobs, 1), p->count);
    p->threads = PM_MAX(pm_ctx_threads(s->ctx) / PM_MAX(p->worker_count, 1), 1);
    p->workers = pm_new_array(p, worker, p->worker_count);
    PM_CHECK_ALLOC(p->workers);
    if (total > p->count) pm_log(s->ctx, PM_LOG_INFO, "%d of %d runs were done already", total - p->count, total);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->news, NULL);
    const pm_status st = p->count ? run_pool(p, total - p->count, total) : PM_OK;
    pthread_cond_destroy(&p->news);
    pthread_mutex_destroy(&p->lock);
    pm_free(p);
    return st;
}
