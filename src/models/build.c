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
