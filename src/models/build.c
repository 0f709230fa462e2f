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

// What the rows of the batch have missed, counted once a step.
static void begin_waiting(pm_build *b)
{
    pm_graph *g = b->g;
    pm_waiting *w = b->waiting;
    pm_var trow, tpos;
    if (w->any || !have(b, w->seen, PM_U32, b->x.items, 1) || !have(b, PM_WAITING_POWER, PM_F32, PM_MIN(w->steps, PM_LEAP_MOST), 4)) return;
    pm_graph_label(g, "rows");
    w->met = pm_csr_transpose(g, b->x.ptr, b->x.col, b->x.items, &trow, &tpos);
    w->missed = pm_rows_missed(g, w->met, pm_constant(g, w->seen), b->state, false);
    w->power = pm_constant(g, PM_WAITING_POWER);
    w->any = true;
}

pm_var pm_row_param(pm_build *b, const char *name, int64_t rows, int64_t cols, pm_init init)
{
    const pm_var w = pm_param(b->net, name, rows, cols, init);
    if (!b->waiting || pm_graph_status(b->g) != PM_OK || !pm_net_wait(b->net, name)) return w;
    begin_waiting(b);
    if (b->waiting->any) pm_sgd_catch_up(b->net, name, b->waiting->missed, b->waiting->power);
    return w;
}
