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
