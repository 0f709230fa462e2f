#include "models/waiting.h"

#include "models/models.h"

void pm_add_loss(pm_build *b, const char *name, pm_var loss)
{
    if (b->loss_count == PM_MAX_LOSSES) {
        pm_graph_fail(b->g, PM_ERR_ARG, "a model has at most %d losses; \"%s\" is one more", PM_MAX_LOSSES, name);
        return;
    }
    b->loss[b->loss_count] = loss;
    b->loss_name[b->loss_count++] = name;
}

pm_sparse pm_whole(pm_build *b, bool transposed)
{
    static const char *const names[2][3] = { { "train.ptr", "train.col", "train.val" }, { "train_t.ptr", "train_t.col", "train_t.val" } };
    pm_sparse x = { .rows = transposed ? b->items : b->users, .items = transposed ? b->users : b->items };
    int64_t one;
    x.ptr = pm_constant(b->g, names[transposed][0]);
    x.col = pm_constant(b->g, names[transposed][1]);
    x.val = pm_constant(b->g, names[transposed][2]);
    pm_shape_of(b->g, x.col, &one, &x.entries);
    return x;
}

pm_sparse pm_chosen_rows(pm_build *b, bool transposed, pm_var rows, pm_var live)
{
    pm_graph *g = b->g;
    const pm_sparse all = pm_whole(b, transposed);
    pm_sparse x = { .items = all.items };
    int64_t one;
    pm_shape_of(g, rows, &one, &x.rows);
    x.entries = pm_csr_longest_rows(b->net, b->matrix[transposed], x.rows);
    if (x.entries < 1) pm_graph_fail(g, PM_ERR_NOMEM, "no memory to measure batches");
    x.ptr = pm_csr_rows_ptr(g, all.ptr, rows, live);
    x.col = pm_csr_rows_take(g, all.ptr, all.col, all.val, rows, x.ptr, x.entries, &x.val);
    return x;
}

pm_var pm_encoding(pm_build *b, const char *name, int64_t rows, int64_t cols)
{
    pm_store *store = pm_graph_store(b->g);
    int64_t have_rows, have_cols;
    if (!pm_store_find(store, name, NULL, &have_rows, &have_cols)) {
        const pm_status st = pm_store_add(store, name, PM_F32, rows, cols);
        if (st != PM_OK) return pm_graph_fail(b->g, st, "encoding %s: %s", name, pm_ctx_message(pm_ctx_of(store)));
    } else if (have_rows != rows || have_cols != cols) {
        return pm_graph_fail(b->g, PM_ERR_SHAPE, "encoding %s is [%" PRId64 ", %" PRId64 "] already and asked for as [%" PRId64 ", %" PRId64 "]", name, have_rows,
                             have_cols, rows, cols);
    }
    return pm_constant(b->g, name);
}

static bool have(pm_build *b, const char *name, pm_dtype dtype, int64_t rows, int64_t cols)
{
    pm_store *store = pm_graph_store(b->g);
    if (pm_graph_status(b->g) != PM_OK) return false;
    const pm_status st = pm_store_find(store, name, NULL, NULL, NULL) ? PM_OK : pm_store_add(store, name, dtype, rows, cols);
    if (st != PM_OK) pm_graph_fail(b->g, st, "%s: %s", name, pm_ctx_message(pm_ctx_of(store)));
    return st == PM_OK;
}

// What leaps need of the store, and whether it is there.
static bool have_powers(pm_build *b)
{
    const pm_waiting *w = b->waiting;
    const bool adam = w->kind == PM_ADAM;
    char *rates = pm_sprintf(b->net, PM_WAITING_RATES, b->pass);
    if (!rates) pm_graph_fail(b->g, PM_ERR_NOMEM, "no memory for a name");
    const bool all = have(b, PM_WAITING_POWER, PM_F32, PM_MIN(w->steps, PM_LEAP_MOST), adam ? 3 : 4) && (!adam || have(b, rates, PM_F32, 1, w->steps));
    pm_free(rates);
    return all;
}

void pm_catch_up(pm_net *net, const char *param, pm_optimiser_kind kind, int pass, pm_var missed, pm_var state)
{
    pm_graph *g = pm_net_graph(net);
    const pm_var power = pm_constant(g, PM_WAITING_POWER);
    if (kind == PM_SGD) {
        pm_sgd_catch_up(net, param, missed, power);
        return;
    }
    char *rates = pm_sprintf(net, PM_WAITING_RATES, pass);
    if (rates) pm_adam_catch_up(net, param, missed, state, pm_constant(g, rates), power);
    else pm_graph_fail(g, PM_ERR_NOMEM, "no memory for a name");
    pm_free(rates);
}

// What was counted for a weight before this one that has the same rows.
static bool counted_before(const pm_net *net, pm_wait *how)
{
    for (int i = 0; i < pm_net_param_count(net); i++) {
        const pm_wait *w = pm_net_param_wait(net, i);
        if (!w || (w->met.id != how->met.id && !pm_name_equal(w->seen, how->seen))) continue;
        *how = *w;
        return true;
    }
    return false;
}

static void count_missed(pm_build *b, int64_t rows, pm_wait *how)
{
    if (!have(b, how->seen, PM_U32, rows, 1)) return;
    pm_graph_label(b->g, "rows");
    how->missed = pm_rows_missed(b->g, how->met, pm_constant(b->g, how->seen), b->state, false);
    pm_graph_label(b->g, NULL);
}

// The rows that are met leap, and from now on the others wait.
static void begin_waiting(pm_build *b, const char *name, const pm_wait *how)
{
    if (!have_powers(b)) return;
    pm_net_wait(b->net, name, how);
    pm_catch_up(b->net, name, b->waiting->kind, b->pass, how->missed, b->state);
}

static bool may_wait(const pm_build *b, const char *name)
{
    return b->waiting && pm_graph_status(b->g) == PM_OK && pm_net_may_wait(b->net, name);
}

pm_var pm_row_param(pm_build *b, const char *name, int64_t rows, int64_t cols, pm_init init)
{
    pm_var trow, tpos;
    const pm_var w = pm_param(b->net, name, rows, cols, init);
    if (!may_wait(b, name) || !b->waiting->seen) return w;
    pm_wait how = { .met = { -1 }, .seen = b->waiting->seen };
    if (!counted_before(b->net, &how)) {
        how.met = pm_csr_transpose(b->g, b->x.ptr, b->x.col, b->x.items, &trow, &tpos);
        count_missed(b, b->x.items, &how);
    }
    begin_waiting(b, name, &how);
    return w;
}

void pm_rows_wait(pm_build *b, const char *name, pm_var id, pm_var live)
{
    enum { FEW = 8 };    // rows for each that a batch reads: with fewer, making up for steps takes as long as taking them
    pm_var trow, tpos;
    int64_t rows, cols, n, s;
    if (!may_wait(b, name) || b->waiting->kind != PM_ADAM) return;
    pm_shape_of(b->g, id, &n, &s);
    pm_shape_of(b->g, pm_use(b->g, name), &rows, &cols);
    if (n * s > rows / FEW) return;
    char *seen = pm_sprintf(b->net, "%s.adam.seen", name);
    if (!seen) {
        pm_graph_fail(b->g, PM_ERR_NOMEM, "no memory for a name");
        return;
    }
    pm_wait how = { .met = pm_places(b->g, id, live, rows, &trow, &tpos), .seen = seen };
    if (!counted_before(b->net, &how)) count_missed(b, rows, &how);
    begin_waiting(b, name, &how);
    pm_free(seen);
}
