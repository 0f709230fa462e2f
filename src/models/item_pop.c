// Item popularity: every user is recommended what most have chosen. The baseline nobody may lose to.
#include "models/models.h"

static const pm_hyper hypers[] = { { .name = NULL } };

static void count_items(pm_build *b)
{
    const pm_var counts = pm_to_f32(b->g, pm_csr_col_count(b->g, pm_constant(b->g, "train.col"), b->items));
    pm_param(b->net, "popularity", 1, b->items, (pm_init){ PM_INIT_ZERO, 0 });
    pm_output(b->g, counts, "popularity");
}

static pm_var score(pm_build *b)
{
    const pm_var popularity = pm_param(b->net, "popularity", 1, b->items, (pm_init){ PM_INIT_ZERO, 0 });
    return pm_broadcast_row(b->g, popularity, b->x.rows);
}

const pm_model pm_model_item_pop = {
    .name = "item-pop",
    .title = "Item popularity: the number of training interactions of each item",
    .hypers = hypers,
    .score = score,
    .solve = count_items,
};
