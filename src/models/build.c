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
