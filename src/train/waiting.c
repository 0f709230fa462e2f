// Rows that wait for a batch to meet them (pm_row_param): what makes up for the steps they have missed, and the end of an epoch, at which all do.
#include "models/waiting.h"

#include <math.h>

#include "train/session.h"

// ---- powers --------------------------------------------------------------------------------------------------------

// The map of a row without a gradient, (w, m) -> (w − rate · m', m') with m' = momentum · m + decay · w, and its powers, each rounded once.
static void fill_powers(double rate, double momentum, double decay, int64_t count, float *powers)
{
    double p[4] = { 1, 0, 0, 1 };
    for (int64_t k = 0; k < count; k++) {
        for (int j = 0; j < 2; j++) {
            const double m = momentum * p[2 + j] + decay * p[j];
            p[j] -= rate * m;
            p[2 + j] = m;
        }
        for (int j = 0; j < 4; j++) powers[4 * k + j] = (float)p[j];
    }
}

// What is left of Adam's moments and of the root of the second after k + 1 steps. Of a first moment less than NOTHING is less than its rounding.
static void fill_shrinkage(int64_t count, float *powers)
{
    static const double NOTHING = 1e-9;
    for (int64_t k = 0; k < count; k++) {
        const double first = pow(PM_ADAM_BETA1, (double)(k + 1)), second = pow(PM_ADAM_BETA2, (double)(k + 1));
        const double left[3] = { first < NOTHING ? 0 : first, second, sqrt(second) };
        for (int j = 0; j < 3; j++) powers[3 * k + j] = (float)left[j];
    }
}

// The step of its phase at which a pass begins in an epoch.
static int64_t first_step(const pm_session *s, int pass, const pm_progress_state *at)
{
    int64_t step = at->epoch * at->steps_per_epoch;
    for (int i = s->phase[at->phase].first; i < pass; i++) step += s->pass[i].steps;
    return step;
}

static pm_status write_rates(pm_session *s, int pass, const pm_progress_state *at)
{
    const pm_session_pass *p = &s->pass[pass];
    char *name = pm_sprintf(s, PM_WAITING_RATES, pass);
    PM_CHECK_ALLOC(name);
    const int64_t first = first_step(s, pass, at);
    const double lr = pm_pass_rate(s->config, &p->what, at->epoch);
    for (int64_t k = 0; k < p->steps; k++) p->rates[k] = (float)pm_optimiser_rate(PM_ADAM, lr, first + k + 1);
    const pm_status st = pm_store_write(s->store, name, p->rates);
    pm_free(name);
    return st;
}

pm_status pm_waiting_write(pm_session *s, int pass, const pm_progress_state *at)
{
    const pm_pass *p = &s->pass[pass].what;
    float *powers = s->pass[pass].powers;
    int64_t count = 0, width;
    if (!powers || (s->powers_of == pass + 1 && s->powers_at == at->epoch)) return PM_OK;    // an epoch has one rate, before Adam's bias correction
    pm_store_find(s->store, PM_WAITING_POWER, NULL, &count, &width);
    if (s->pass[pass].rates) {
        fill_shrinkage(count, powers);
        PM_TRY(write_rates(s, pass, at));
    } else {
        const float rate = (float)pm_pass_rate(s->config, p, at->epoch), momentum = (float)pm_pass_setting(s->config, p, "momentum");
        fill_powers((double)rate, (double)momentum, (double)pm_pass_decay(s->config, p), count, powers);
    }
    s->powers_of = pass + 1;
    s->powers_at = at->epoch;
    return pm_store_write(s->store, PM_WAITING_POWER, powers);
}

// ---- the end of a pass ---------------------------------------------------------------------------------------------

// Offsets by which each row has an entry.
static pm_var all_rows(pm_session *s, pm_graph *g, int64_t rows)
{
    char *name = pm_sprintf(s, "rows.all.%" PRId64, rows);
    pm_status st = name ? PM_OK : PM_ERR_NOMEM;
    if (st == PM_OK && !pm_store_find(s->store, name, NULL, NULL, NULL)) st = pm_session_upload_numbers(s, name, rows + 1);
    const pm_var v = st == PM_OK ? pm_reshape(g, pm_constant(g, name), 1, rows + 1) : pm_graph_fail(g, st, "the rows that wait: %s", pm_ctx_message(pm_ctx_of(s)));
    pm_free(name);
    return v;
}

// A parameter whose rows wait, and what they are counted by.
typedef struct waiter {
    const char *param;
    char       *seen;
    pm_var      missed;
} waiter;

// Those of the graph that the network was captured into last.
static pm_status list_waiters(const pm_session *s, waiter **out, int *count)
{
    const int params = pm_net_param_count(s->net);
    *out = pm_new_array(s, waiter, PM_MAX(params, 1));
    PM_CHECK_ALLOC(*out);
    for (int i = 0; i < params; i++) {
        const pm_wait *w = pm_net_param_wait(s->net, i);
        if (!w) continue;
        waiter *to = &(*out)[*count];
        *to = (waiter){ pm_net_param_name(s->net, i), pm_strdup(*out, w->seen), { -1 } };
        PM_CHECK_ALLOC(to->seen);
        ++*count;
    }
    return PM_OK;
}

// Weights that have their rows in common are counted by one tensor, once.
static void capture_missed(pm_session *s, pm_graph *g, waiter *w, int i)
{
    int64_t rows = 0, one = 0;
    for (int j = 0; j < i; j++)
        if (pm_name_equal(w[j].seen, w[i].seen)) {
            w[i].missed = w[j].missed;
            return;
        }
    pm_store_find(s->store, w[i].seen, NULL, &rows, &one);
    w[i].missed = pm_rows_missed(g, all_rows(s, g, rows), pm_constant(g, w[i].seen), pm_constant(g, "state.train"), true);
}

static pm_status compile_catch_up(pm_session *s, int pass, const pm_waiting *w, waiter *waiters, int count)
{
    pm_graph *g;
    pm_session_pass *p = &s->pass[pass];
    int64_t powers = 0, width = 0;
    pm_store_find(s->store, PM_WAITING_POWER, NULL, &powers, &width);
    p->powers = pm_new_array(s, float, powers * width);
    PM_CHECK_ALLOC(p->powers);
    if (w->kind == PM_ADAM) {
        p->rates = pm_new_array(s, float, p->steps);
        PM_CHECK_ALLOC(p->rates);
    }
    PM_TRY(pm_graph_create(s->store, &g));
    pm_status st = pm_net_capture(s->net, g);
    for (int i = 0; st == PM_OK && i < count; i++) {
        capture_missed(s, g, waiters, i);
        pm_catch_up(s->net, waiters[i].param, w->kind, pass, waiters[i].missed, pm_constant(g, "state.train"));
    }
    if (st == PM_OK) st = pm_graph_compile(&g, &p->catch_up);
    pm_graph_destroy(&g);
    return st;
}

pm_status pm_waiting_prepare(pm_session *s, int pass, const pm_waiting *w)
{
    waiter *waiters = NULL;
    int count = 0;
    pm_status st = list_waiters(s, &waiters, &count);
    if (st == PM_OK && count) st = compile_catch_up(s, pass, w, waiters, count);
    pm_free(waiters);
    return st;
}

pm_status pm_session_end_pass(pm_session *s, int pass, const pm_progress_state *at, int64_t row)
{
    const pm_session_pass *p = &s->pass[pass];
    if (!p->catch_up) return PM_OK;
    PM_TRY(pm_waiting_write(s, pass, at));
    PM_TRY(pm_session_write_state(s, "state.train", &(pm_state){ .seed = s->seed, .position = row, .total = p->total, .batch = p->batch }));
    return pm_program_run(p->catch_up, 1);
}
