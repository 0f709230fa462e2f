// Sparse linear item-item weights with an elastic net penalty ("SLIM: Sparse Linear Methods for Top-N Recommender Systems", Ning and Karypis, 2011).
//     w_j = argmin ½ |x_j − X·w|² + ½ β·|w|² + l₁·|w|₁,  w_jj = 0, w >= 0;  scores X·W
// From the Gram matrix of the training rows, which is laid out once; then column by column, by coordinate descent.
#include "models/models.h"

static const pm_hyper hypers[] = {
    { "l1", PM_HYPER_NUMBER, "1", 0, 1e12, NULL, "penalty l1 * sum(|w|): the larger, the sparser", "equation 3" },
    { "l2", PM_HYPER_NUMBER, "1", 0, 1e12, NULL, "penalty 1/2 * l2 * sum(w^2)", "equation 3: beta" },
    { "non_negative", PM_HYPER_FLAG, "on", 0, 1, NULL, "weights are not negative", "equation 3" },
    { "sweeps", PM_HYPER_INTEGER, "100", 1, 1e6, NULL, "sweeps over the coordinates of a column, at most", NULL },
    { "tolerance", PM_HYPER_NUMBER, "1e-4", 0, 1, NULL, "a column is done when a sweep moves no weight by more than this share of the largest", NULL },
    { "batch", PM_HYPER_INTEGER, "128", 1, 65536, NULL, "columns a step", NULL },
    { .name = NULL },
};

#define PENALTIES "0.1,0.5,1,5"

static const pm_model_grid grids[] = {
    { "mult-vae", "l1=" PENALTIES ";l2=" PENALTIES, "Mult-VAE, Section 4.4" },
    { .name = NULL },
};

static const char *const proofs[] = { "non_negative=off l1=0.1 sweeps=20", "l1=0 l2=5 sweeps=20", NULL };

enum { GRAM, COLUMNS };

static int passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)config, (void)users, (void)items;
    out[GRAM] = (pm_pass){ .name = "gram", .axis = PM_AXIS_ITEMS, .in_order = true, .solve = true };
    out[COLUMNS] = (pm_pass){ .name = "columns", .axis = PM_AXIS_ITEMS, .in_order = true, .solve = true };
    return 2;
}

static int phases(const pm_config *config, pm_phase *out)
{
    (void)config;
    out[0] = (pm_phase){ .name = "solve", .count = 2, .epochs = 1 };
    return 1;
}

static pm_var weights(pm_build *b)
{
    return pm_param(b->net, "weights", b->items, b->items, (pm_init){ PM_INIT_ZERO, 0 });
}

static pm_var gram(pm_build *b)
{
    return pm_statistic(b->net, "gram", b->items, b->items, (pm_init){ PM_INIT_ZERO, 0 });
}

// The Gram matrix, the weights, and what the columns under work need.
static bool fits(pm_build *b)
{
    const double square = 4.0 * (double)b->items * (double)b->items, need = 2 * square + 12.0 * (double)b->x.rows * (double)b->items;
    const uint64_t have = pm_device_capacity(pm_store_device(pm_graph_store(b->g)));
    if (b->pass == GRAM)
        pm_log(b->net, PM_LOG_INFO, "slim: %" PRId64 " items need %.3g GB of device memory for their Gram matrix and weights", b->items, need / 1e9);
    if (!have || need <= (double)have) return true;
    pm_graph_fail(b->g, PM_ERR_DEVICE_MEMORY, "slim: the Gram matrix and the weights of %" PRId64 " items need %.3g GB, and the device has %.3g GB; raise "
                  "--min-item, or take a model that does not relate all items with all (wrmf, pure-svd)", b->items, need / 1e9, (double)have / 1e9);
    return false;
}

static void solve(pm_build *b)
{
    const pm_config *c = b->config;
    if (!fits(b)) return;
    const pm_var all = gram(b);
    if (b->pass == GRAM) {
        const pm_sparse x = pm_whole(b, false);
        const pm_var rows = pm_gram(b->g, b->x.ptr, b->x.col, b->x.val, x.ptr, x.col, x.val, b->items);
        pm_put_rows(b->g, rows, b->state, all);
        return;
    }
    pm_slim_columns(b->g, all, b->rows, b->live, weights(b), (float)pm_config_number(c, "l1"), (float)pm_config_number(c, "l2"),
                    (float)pm_config_number(c, "tolerance"), (uint32_t)pm_config_integer(c, "sweeps"), pm_config_flag(c, "non_negative"));
}

static pm_var score(pm_build *b)
{
    return pm_spmm(b->g, b->x.ptr, b->x.col, b->x.val, weights(b));
}

const pm_model pm_model_slim = {
    .name = "slim",
    .title = "Sparse linear item-item weights with an elastic net penalty, by coordinate descent",
    .paper = "2011, SLIM: Sparse Linear Methods for Top-N Recommender Systems",
    .hypers = hypers,
    .grids = grids,
    .proofs = proofs,
    .phases = phases,
    .passes = passes,
    .solve = solve,
    .score = score,
};
