// Captures a model's training step: draw a batch, its losses, their gradient, the optimiser, the log, the next position.
#include <pumice/state.h>

#include "train/session.h"

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

static void capture_logs(pm_session *s, pm_build *b)
{
    for (int i = 0; i < b->loss_count; i++) {
        char *name = pm_sprintf(b->g, "log.%s", b->loss_name[i]);
        pm_status st = name ? PM_OK : PM_ERR_NOMEM;
        if (st == PM_OK && !pm_store_find(s->store, name, NULL, NULL, NULL)) st = pm_store_add(s->store, name, PM_F32, PM_SLOTS, 1);
        if (st != PM_OK) {
            pm_graph_fail(b->g, st, "log of loss %s: no memory", b->loss_name[i]);
            return;
        }
        int64_t rows, cols;
        pm_shape_of(b->g, b->loss[i], &rows, &cols);
        const pm_var by_row = cols > 1 ? pm_row_sum(b->g, b->loss[i]) : b->loss[i];
        pm_log_row(b->g, pm_col_sum(b->g, by_row), b->state, pm_constant(b->g, name));
        s->loss_name[i] = b->loss_name[i];
    }
    s->loss_count = b->loss_count;
}

// Adam over every trained parameter, clipped where the model asks, then what each is held to.
static void capture_optimiser(pm_session *s, pm_build *b, pm_var rate)
{
    const double l2 = pm_config_number(s->config, "l2"), half = pm_config_number(s->config, "decay"), limit = pm_config_number(s->config, "clip");
    const int count = pm_net_param_count(b->net);
    float *decay = pm_new_array(s, float, PM_MAX(count, 1));
    if (!decay) {
        pm_graph_fail(b->g, PM_ERR_NOMEM, "no memory for an optimiser");
        return;
    }
    for (int i = 0; i < count; i++) decay[i] = pm_net_param_decays(b->net, i) ? (float)(2.0 * l2 + half) : 0;
    const pm_var factor = limit > 0 ? pm_clip_gradients(b->net, decay, (float)limit) : (pm_var){ -1 };
    for (int i = 0; i < count; i++) {
        if (!pm_net_param_trained(b->net, i)) continue;
        pm_adam_step(b->net, pm_net_param_name(b->net, i), rate, &(pm_optimiser_adam){ .decay = decay[i], .factor = limit > 0 ? &factor : NULL });
        pm_net_constrain(b->net, i);
    }
    pm_free(decay);
}

static void capture_step(pm_session *s, pm_build *b, int64_t entries)
{
    pm_graph *g = b->g;
    b->state = pm_constant(g, "state.train");
    const pm_var live = pm_slice(g, b->state, 0, 1, PM_STATE_LIVE, 1);
    const pm_var rows = pm_epoch_rows(g, b->state, s->batch, "epoch");
    b->x = pm_capture_batch(g, "train", rows, live, entries);
    b->x.items = b->items;
    if (pm_session_counts(s)) b->counts = pm_capture_counts(g, "train", rows, &b->x);
    b->live = live;
    b->row_weight = pm_row_weight(g, pm_fill(g, 1, 1, 1.0f), live, s->batch);
    const pm_var rate = capture_schedule(b, s->column_count);
    s->model->loss(b);
    pm_backward(g, b->loss, b->loss_count);
    capture_optimiser(s, b, rate);
    capture_logs(s, b);
    pm_tick(g, b->state);
}

static pm_status prepare_step(pm_session *s, pm_build *b)
{
    const pm_csr *train = &s->split->train;
    s->steps_per_epoch = (train->rows + s->batch - 1) / s->batch;
    while (s->model->schedule[s->column_count]) s->column_count++;
    PM_TRY(pm_store_add(s->store, "state.train", PM_U32, 1, PM_STATE_COUNT));
    PM_TRY(pm_store_add(s->store, "schedule", PM_F32, PM_SLOTS, 1 + s->column_count));
    capture_step(s, b, s->entries);
    return pm_graph_compile(&b->g, &s->step);
}

// The training rows as the model knows them, and how much of them a batch can hold.
static pm_status upload_training(pm_session *s, const pm_csr *train)
{
    pm_csr known;
    const int64_t wanted = pm_config_text(s->config, "batch") ? pm_config_integer(s->config, "batch") : 500;
    PM_TRY(pm_session_known(s, s, train, s->split->train_user, &known));
    PM_REQUIRE(s, !(pm_config_number(s->config, "dislike_below") > 0) || known.nnz > train->nnz, PM_ERR_DATA,
               "dislike_below = %s: no training user rated an item below it; raise it, or leave it out", pm_config_text(s->config, "dislike_below"));
    PM_TRY(pm_session_upload(s, "train", &known));
    s->batch = PM_MIN(wanted, train->rows);
    s->entries = pm_worst_batch(s, &known, s->batch);
    if (known.col != train->col) pm_csr_free(&known);
    PM_REQUIRE(s, s->entries > 0, PM_ERR_NOMEM, "no memory to measure batches");
    return PM_OK;
}

pm_status pm_session_prepare_training(pm_session *s)
{
    const pm_csr *train = &s->split->train;
    PM_REQUIRE(s, train->rows > 0 && train->nnz > 0, PM_ERR_DATA, "there are no training interactions");
    PM_TRY(upload_training(s, train));
    pm_build b = { .config = s->config, .items = train->cols, .users = train->rows, .training = true };
    b.mean_length = (double)train->nnz / (double)train->rows;
    PM_TRY(pm_median_length(s, train, &b.median_length));
    PM_TRY(pm_graph_create(s->store, &b.g));
    pm_status st = pm_net_create(b.g, s->seed, &s->net);
    b.net = s->net;
    if (st == PM_OK && s->model->loss) return prepare_step(s, &b);
    if (st == PM_OK) {
        s->model->solve(&b);
        st = pm_graph_compile(&b.g, &s->solve);
    }
    pm_graph_destroy(&b.g);
    return st;
}

pm_status pm_session_write_schedule(pm_session *s, const pm_progress_state *from, int64_t n)
{
    const int width = 1 + s->column_count;
    float table[PM_SLOTS * (1 + PM_MAX_SCHEDULE)];
    pm_progress_state at = *from;
    const double lr = pm_config_number(s->config, "lr");
    for (int64_t i = 0; i < n; i++, at.step++) {
        table[i * width] = (float)pm_adam_rate(lr, 0.9, 0.999, at.step + 1);
        for (int k = 0; k < s->column_count; k++) table[i * width + 1 + k] = (float)s->model->schedule_value(&at, k);
    }
    return pm_store_write_rows(s->store, "schedule", 0, n, table);
}
