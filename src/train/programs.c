// Captures a model's training step: draw a batch, its losses, their gradient, the optimiser, the log, the next position.
#include <stdio.h>

#include <pumice/state.h>

#include "models/waiting.h"
#include "train/rating.h"

pm_sparse pm_capture_batch(pm_graph *g, const char *name, pm_var rows, pm_var live, int64_t entries)
{
    pm_sparse x = { .entries = entries };
    char *names[3] = { pm_sprintf(g, "%s.ptr", name), pm_sprintf(g, "%s.col", name), pm_sprintf(g, "%s.val", name) };
    if (!names[0] || !names[1] || !names[2]) {
        pm_graph_fail(g, PM_ERR_NOMEM, "no memory for names");
        return x;
    }
    const pm_var indptr = pm_constant(g, names[0]), col = pm_constant(g, names[1]), val = pm_constant(g, names[2]);
    int64_t one;
    pm_shape_of(g, rows, &one, &x.rows);
    x.ptr = pm_csr_rows_ptr(g, indptr, rows, live);
    x.col = pm_csr_rows_take(g, indptr, col, val, rows, x.ptr, entries, &x.val);
    return x;
}

pm_var pm_capture_counts(pm_graph *g, const char *name, pm_var rows, const pm_sparse *x)
{
    char *names[3] = { pm_sprintf(g, "%s.ptr", name), pm_sprintf(g, "%s.col", name), pm_sprintf(g, "%s.count", name) };
    if (!names[0] || !names[1] || !names[2]) return pm_graph_fail(g, PM_ERR_NOMEM, "no memory for names");
    pm_var count;
    pm_csr_rows_take(g, pm_constant(g, names[0]), pm_constant(g, names[1]), pm_constant(g, names[2]), rows, x->ptr, x->entries, &count);
    return count;
}

// The learning rate and the model's columns of this step.
static pm_var capture_schedule(pm_build *b, int columns)
{
    const pm_var now = pm_schedule_row(b->g, pm_constant(b->g, "schedule"), b->state);
    for (int i = 0; i < columns; i++) b->schedule[i] = pm_slice(b->g, now, 0, 1, 1 + i, 1);
    return pm_slice(b->g, now, 0, 1, 0, 1);
}

// The session's number of a loss; −1 where there is no room.
static int loss_index(pm_session *s, const char *name)
{
    for (int i = 0; i < s->loss_count; i++)
        if (pm_name_equal(s->loss_name[i], name)) return i;
    if (s->loss_count == PM_MAX_LOSSES) return -1;
    s->loss_name[s->loss_count] = name;
    return s->loss_count++;
}

static void capture_log(pm_session *s, pm_session_pass *p, pm_build *b, int k)
{
    const int index = loss_index(s, b->loss_name[k]);
    char *name = pm_sprintf(b->g, "log.%s", b->loss_name[k]);
    pm_status st = name ? PM_OK : PM_ERR_NOMEM;
    if (index < 0 || p->loss_count == PM_MAX_LOSSES) st = pm_fail(s, PM_ERR_ARG, "a model has at most %d losses over all passes", PM_MAX_LOSSES);
    if (st == PM_OK && !pm_store_find(s->store, name, NULL, NULL, NULL)) st = pm_store_add(s->store, name, PM_F32, PM_SLOTS, 1);
    if (st != PM_OK) {
        pm_graph_fail(b->g, st, "log of loss %s: %s", b->loss_name[k], pm_ctx_message(pm_ctx_of(s)));
        return;
    }
    int64_t rows, cols;
    pm_shape_of(b->g, b->loss[k], &rows, &cols);
    const pm_var by_row = cols > 1 ? pm_row_sum(b->g, b->loss[k]) : b->loss[k];
    pm_log_row(b->g, rows > 1 ? pm_col_sum(b->g, by_row) : by_row, b->state, pm_constant(b->g, name));
    p->loss[p->loss_count++] = index;
}

static void capture_logs(pm_session *s, pm_session_pass *p, pm_build *b)
{
    for (int k = 0; k < b->loss_count; k++) capture_log(s, p, b, k);
}

bool pm_pass_trains(const pm_pass *pass, int part, const char *param)
{
    const char *words = pass->trains[part];
    for (const char *at = words; at && *at;) {
        const size_t n = strcspn(at, " ");
        if (n && strncmp(param, at, n) == 0) return true;
        at += n + strspn(at + n, " ");
    }
    return words == NULL;
}

static bool is_trained(const pm_build *b, const pm_pass *pass, int param)
{
    return pm_net_param_trained(b->net, param) && pm_pass_trains(pass, b->part, pm_net_param_name(b->net, param));
}

// A misspelt word would train nothing and say nothing.
static void check_words(const pm_build *b, const pm_pass *pass)
{
    bool any = false;
    for (int i = 0; i < pm_net_param_count(b->net); i++) any = any || is_trained(b, pass, i);
    if (!any) pm_graph_fail(b->g, PM_ERR_ARG, "pass %s trains \"%s\", and no parameter is called so", pass->name, pass->trains[b->part] ? pass->trains[b->part] : "all");
}

double pm_pass_setting(const pm_config *config, const pm_pass *pass, const char *name)
{
    char own[64];
    const int n = pass->settings ? snprintf(own, sizeof own, "%s%s", pass->settings, name) : -1;
    const bool has_own = n > 0 && n < (int)sizeof own && pm_config_text(config, own);
    return pm_config_number(config, has_own ? own : name);
}

double pm_pass_rate(const pm_config *config, const pm_pass *pass, int64_t epoch)
{
    return pm_pass_setting(config, pass, "lr") / (1 + pm_pass_setting(config, pass, "lr_decay") * (double)epoch);
}

float pm_pass_decay(const pm_config *config, const pm_pass *pass)
{
    return (float)(2.0 * pm_pass_setting(config, pass, "l2") + pm_pass_setting(config, pass, "decay"));
}

// The optimiser over the parameters that are trained, clipped where the model asks, then what each is held to.
static void capture_optimiser(pm_session *s, pm_build *b, const pm_pass *pass, pm_var rate)
{
    const double limit = pm_config_number(s->config, "clip");
    const int count = pm_net_param_count(b->net);
    float *decay = pm_new_array(s, float, PM_MAX(count, 1));
    bool *trained = pm_new_array(s, bool, PM_MAX(count, 1));
    if (!decay || !trained) {
        pm_graph_fail(b->g, PM_ERR_NOMEM, "no memory for an optimiser");
        return;
    }
    for (int i = 0; i < count; i++) {
        decay[i] = pm_net_param_decays(b->net, i) ? pm_pass_decay(s->config, pass) : 0;
        trained[i] = is_trained(b, pass, i);
    }
    const pm_var factor = limit > 0 ? pm_clip_gradients(b->net, trained, decay, (float)limit) : (pm_var){ -1 };
    for (int i = 0; i < count; i++) {
        const pm_wait *wait = pm_net_param_wait(b->net, i);
        if (wait && !trained[i]) pm_graph_fail(b->g, PM_ERR_ARG, "pass %s does not train %s, whose rows wait in it", pass->name,
                                                pm_net_param_name(b->net, i));
        if (!trained[i]) continue;
        const pm_optimiser o = { .kind = pm_session_optimiser(s->config), .decay = decay[i], .momentum = (float)pm_pass_setting(s->config, pass, "momentum"),
                                 .factor = limit > 0 ? &factor : NULL, .met = wait ? &wait->met : NULL };
        pm_optimiser_step(b->net, pm_net_param_name(b->net, i), rate, &o);
        pm_net_constrain(b->net, i);
    }
    pm_free(trained);
    pm_free(decay);
}

// Loss, gradient and optimiser, as often as the pass has parts.
static void capture_parts(pm_session *s, pm_session_pass *p, pm_build *b, pm_var rate)
{
    for (b->part = 0; b->part < PM_MAX(p->what.parts, 1); b->part++) {
        b->loss_count = 0;
        if (b->part) pm_forget_gradients(b->g);
        s->model->loss(b);
        check_words(b, &p->what);
        pm_backward(b->g, b->loss, b->loss_count);
        capture_optimiser(s, b, &p->what, rate);
        capture_logs(s, p, b);
    }
}

// The rows of a batch, and what they are of.
static pm_status capture_rows(pm_session *s, const pm_session_pass *p, pm_build *b)
{
    const pm_csr *train = &s->split->train;
    const pm_axis axis = p->what.axis;
    char *order = b->pass ? pm_sprintf(b->g, "epoch.%s", p->what.name) : pm_strdup(b->g, "epoch");
    PM_CHECK_ALLOC(order);
    b->live = pm_slice(b->g, b->state, 0, 1, PM_STATE_LIVE, 1);
    b->rows = p->what.in_order || axis == PM_AXIS_STEPS ? pm_next_rows(b->g, b->state, p->batch) : pm_epoch_rows(b->g, b->state, p->batch, order);
    b->row_weight = pm_row_weight(b->g, pm_fill(b->g, 1, 1, 1.0f), b->live, p->batch);
    b->x = (pm_sparse){ { -1 }, { -1 }, { -1 }, 0, 0, 0 };
    b->user = b->counts = (pm_var){ -1 };
    if (axis != PM_AXIS_USERS && axis != PM_AXIS_ITEMS) return PM_OK;
    const char *name = axis == PM_AXIS_USERS ? "train" : "train_t";
    const int64_t entries = axis == PM_AXIS_USERS ? pm_csr_longest_rows(s, &s->known, p->batch) : pm_csr_longest_rows(s, &s->known_t, p->batch);
    PM_REQUIRE(s, entries > 0, PM_ERR_NOMEM, "no memory to measure batches");
    b->x = pm_capture_batch(b->g, name, b->rows, b->live, entries);
    b->x.items = axis == PM_AXIS_USERS ? train->cols : train->rows;
    if (axis == PM_AXIS_USERS && s->model->by_id) b->user = pm_gather_rows(b->g, pm_constant(b->g, "train.row"), b->rows);
    if (pm_session_counts(s)) b->counts = pm_capture_counts(b->g, name, b->rows, &b->x);
    return PM_OK;
}

// Whether an optimiser's steps on a row can be put off, and how: where it has no gradient they are known beforehand, and nothing but its own gradient has a
// part in them.
static bool may_wait(const pm_session *s, const pm_session_pass *p, pm_waiting *how)
{
    const bool decays = pm_pass_decay(s->config, &p->what) != 0;
    how->kind = pm_session_optimiser(s->config);
    how->steps = p->steps;
    how->seen = p->what.axis == PM_AXIS_USERS ? how->kind == PM_ADAM ? "train.adam.seen" : "train.sgd.seen"
              : p->what.axis == PM_AXIS_ITEMS ? how->kind == PM_ADAM ? "train_t.adam.seen" : "train_t.sgd.seen" : NULL;
    const bool known = how->kind == PM_SGD || (how->kind == PM_ADAM && !decays && how->steps <= PM_RATES_MOST);
    return known && !s->eager && !p->what.solve && p->what.parts <= 1 && !(pm_config_number(s->config, "clip") > 0);
}

static void capture_pass(pm_session *s, pm_session_pass *p, pm_build *b)
{
    pm_graph *g = b->g;
    b->state = pm_constant(g, "state.train");
    const pm_status st = capture_rows(s, p, b);
    if (st != PM_OK) pm_graph_fail(g, st, "%s", pm_ctx_message(pm_ctx_of(s)));
    const pm_var rate = capture_schedule(b, s->column_count);
    b->loss_count = b->part = 0;
    if (p->what.solve) {
        s->model->solve(b);
        capture_logs(s, p, b);
    } else {
        capture_parts(s, p, b, rate);
    }
    pm_tick(g, b->state);
}

void pm_session_measure_pass(const pm_session *s, pm_session_pass *p)
{
    const pm_csr *train = &s->split->train;
    const int64_t totals[] = { [PM_AXIS_USERS] = train->rows, [PM_AXIS_ITEMS] = train->cols, [PM_AXIS_ENTRIES] = train->nnz, [PM_AXIS_STEPS] = p->what.total };
    const bool steps = p->what.axis == PM_AXIS_STEPS;
    const int64_t usual = pm_config_text(s->config, "batch") ? pm_config_integer(s->config, "batch") : 500;
    p->total = PM_MAX(totals[p->what.axis], 1);
    p->batch = PM_MIN(p->what.batch > 0 ? p->what.batch : steps ? 1 : usual, p->total);
    p->steps = (p->total + p->batch - 1) / p->batch;
}

static void list_passes(pm_session *s)
{
    const pm_csr *train = &s->split->train;
    pm_pass passes[PM_MAX_PASSES] = { s->model->loss ? (pm_pass){ .name = "train" } : (pm_pass){ .name = "solve", .axis = PM_AXIS_STEPS, .solve = true, .total = 1 } };
    if (s->model->passes) s->model->passes(s->config, train->rows, train->cols, passes);
    s->pass_count = s->model->passes ? s->trained_passes : 1;
    for (int i = 0; i < s->pass_count; i++) {
        s->pass[i].what = passes[i];
        pm_session_measure_pass(s, &s->pass[i]);
    }
    if (!s->model->phases) s->phase[0].count = s->pass_count;
}

pm_status pm_session_upload_numbers(pm_session *s, const char *name, int64_t count)
{
    uint32_t *numbers = pm_new_array(s, uint32_t, count);
    PM_CHECK_ALLOC(numbers);
    for (int64_t i = 0; i < count; i++) numbers[i] = (uint32_t)i;
    pm_status st = pm_store_add(s->store, name, PM_U32, count, 1);
    if (st == PM_OK) st = pm_store_write(s->store, name, numbers);
    pm_free(numbers);
    return st;
}

// The training rows as the model knows them, and where a pass goes over items or the model asks, the transpose.
static pm_status upload_training(pm_session *s)
{
    const pm_csr *train = &s->split->train;
    bool transposed = s->model->transposed;
    for (int i = 0; i < s->pass_count; i++) transposed = transposed || s->pass[i].what.axis == PM_AXIS_ITEMS;
    PM_TRY(pm_center_measure(s, &s->rating));
    PM_TRY(pm_session_known(s, s, train, s->split->train_user, &s->known));
    PM_REQUIRE(s, !(pm_config_number(s->config, "dislike_below") > 0) || s->known.nnz > train->nnz, PM_ERR_DATA,
               "dislike_below = %s: no training user rated an item below it; raise it, or leave it out", pm_config_text(s->config, "dislike_below"));
    PM_TRY(pm_session_upload(s, "train", &s->known));
    s->squares = 0;
    for (int64_t e = 0; e < s->known.nnz; e++) s->squares += (double)s->known.val[e] * (double)s->known.val[e];
    if (s->model->by_id) PM_TRY(pm_session_upload_numbers(s, "train.row", train->rows));
    if (!transposed) return PM_OK;
    PM_TRY(pm_csr_transposed(s, &s->known, &s->known_t));
    return pm_session_upload(s, "train_t", &s->known_t);
}

static void forget_training(pm_session *s)
{
    pm_session_forget(&s->split->train, &s->known);
    pm_csr_free(&s->known_t);
    s->known_t = (pm_csr){ .rows = 0 };
}

static pm_status prepare_pass(pm_session *s, int pass, pm_build *b)
{
    PM_TRY(pm_graph_create(s->store, &b->g));
    const pm_status st = s->net ? pm_net_capture(s->net, b->g) : pm_net_create(b->g, s->seed, &s->net);
    if (st != PM_OK) {
        pm_graph_destroy(&b->g);
        return st;
    }
    pm_session_pass *p = &s->pass[pass];
    pm_waiting waiting;
    b->net = s->net;
    b->pass = pass;
    b->waiting = may_wait(s, p, &waiting) ? &waiting : NULL;
    capture_pass(s, p, b);
    b->waiting = NULL;
    PM_TRY(pm_graph_compile(&b->g, &p->program));
    return pm_waiting_prepare(s, pass, &waiting);
}

pm_status pm_session_prepare_training(pm_session *s)
{
    const pm_csr *train = &s->split->train;
    PM_REQUIRE(s, train->rows > 0 && train->nnz > 0, PM_ERR_DATA, "there are no training interactions");
    pm_build b = { .config = s->config, .items = train->cols, .users = train->rows, .training = true };
    b.mean_length = (double)train->nnz / (double)train->rows;
    list_passes(s);
    PM_TRY(pm_median_length(s, train, &b.median_length));
    while (s->model->schedule[s->column_count]) s->column_count++;
    PM_TRY(pm_store_add(s->store, "state.train", PM_U32, 1, PM_STATE_COUNT));
    PM_TRY(pm_store_add(s->store, "schedule", PM_F32, PM_SLOTS, 1 + s->column_count));
    pm_status st = upload_training(s);
    b.matrix[0] = &s->known;
    b.matrix[1] = &s->known_t;
    for (int i = 0; st == PM_OK && i < s->pass_count; i++) st = prepare_pass(s, i, &b);
    forget_training(s);
    return st;
}

int64_t pm_session_steps(const pm_session *s, int phase)
{
    const pm_phase *p = &s->phase[phase];
    int64_t steps = 0;
    for (int i = p->first; i < p->first + PM_MAX(p->count, 1); i++) steps += s->pass[i].steps;
    return steps;
}

pm_status pm_session_run(pm_session *s, int pass, const pm_position *from, int64_t n)
{
    const pm_session_pass *p = &s->pass[pass];
    const pm_state state = { s->seed, from->step, from->epoch, from->row, p->total, p->batch, from->phase };
    PM_TRY(pm_session_write_state(s, "state.train", &state));
    return pm_program_run(p->program, n);
}

pm_status pm_session_write_schedule(pm_session *s, int pass, const pm_progress_state *from, int64_t n)
{
    const int width = 1 + s->column_count;
    float table[PM_SLOTS * (1 + PM_MAX_SCHEDULE)];
    pm_progress_state at = *from;
    const pm_pass *p = &s->pass[pass].what;
    const double lr = pm_pass_rate(s->config, p, from->epoch);
    PM_TRY(pm_waiting_write(s, pass, from));
    for (int64_t i = 0; i < n; i++, at.step++) {
        table[i * width] = (float)pm_optimiser_rate(pm_session_optimiser(s->config), lr, at.step + 1);
        for (int k = 0; k < s->column_count; k++) table[i * width + 1 + k] = (float)s->model->schedule_value(&at, k);
    }
    return pm_store_write_rows(s->store, "schedule", 0, n, table);
}
