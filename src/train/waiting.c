// Rows that wait for a batch to meet them (pm_row_param): what makes up for the steps they have missed, and the end of an epoch, at which all do.
#include "models/waiting.h"

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

pm_status pm_waiting_write(pm_session *s, int pass, int64_t epoch)
{
    const pm_pass *p = &s->pass[pass].what;
    float *powers = s->pass[pass].powers;
    int64_t count = 0, four;
    if (!powers || (s->powers_of == pass + 1 && s->powers_at == epoch)) return PM_OK;    // an epoch has one rate
    pm_store_find(s->store, PM_WAITING_POWER, NULL, &count, &four);
    const float rate = (float)pm_pass_rate(s->config, p, epoch), momentum = (float)pm_pass_setting(s->config, p, "momentum");
    fill_powers((double)rate, (double)momentum, (double)pm_pass_decay(s->config, p), count, powers);
    s->powers_of = pass + 1;
    s->powers_at = epoch;
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

// The parameters whose rows wait in the graph that the network was captured into last.
static pm_status list_waiting(const pm_session *s, bool **out)
{
    const int count = pm_net_param_count(s->net);
    *out = pm_new_array(s, bool, PM_MAX(count, 1));
    PM_CHECK_ALLOC(*out);
    for (int i = 0; i < count; i++) (*out)[i] = pm_net_param_waits(s->net, i);
    return PM_OK;
}

static void capture_catch_up(pm_session *s, pm_graph *g, const pm_waiting *w, const bool *waits)
{
    int64_t rows = 0, one = 0;
    pm_store_find(s->store, w->seen, NULL, &rows, &one);
    const pm_var missed = pm_rows_missed(g, all_rows(s, g, rows), pm_constant(g, w->seen), pm_constant(g, "state.train"), true), power = pm_constant(g, PM_WAITING_POWER);
    for (int i = 0; i < pm_net_param_count(s->net); i++)
        if (waits[i]) pm_sgd_catch_up(s->net, pm_net_param_name(s->net, i), missed, power);
}

pm_status pm_waiting_prepare(pm_session *s, int pass, const pm_waiting *w)
{
    bool *waits;
    pm_graph *g;
    int64_t count = 0, four;
    if (!w->any) return PM_OK;
    pm_store_find(s->store, PM_WAITING_POWER, NULL, &count, &four);
    s->pass[pass].powers = pm_new_array(s, float, 4 * count);
    PM_CHECK_ALLOC(s->pass[pass].powers);
    PM_TRY(list_waiting(s, &waits));
    pm_status st = pm_graph_create(s->store, &g);
    if (st == PM_OK) st = pm_net_capture(s->net, g);
    if (st == PM_OK) {
        capture_catch_up(s, g, w, waits);
        st = pm_graph_compile(&g, &s->pass[pass].catch_up);
    }
    pm_graph_destroy(&g);
    pm_free(waits);
    return st;
}

pm_status pm_session_end_pass(pm_session *s, int pass, int64_t epoch, int64_t row)
{
    const pm_session_pass *p = &s->pass[pass];
    if (!p->catch_up) return PM_OK;
    PM_TRY(pm_waiting_write(s, pass, epoch));
    PM_TRY(pm_session_write_state(s, "state.train", &(pm_state){ .seed = s->seed, .position = row, .total = p->total, .batch = p->batch }));
    return pm_program_run(p->catch_up, 1);
}
