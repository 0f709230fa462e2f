// The baseline of ratings: their mean, and how far a user and an item lie from it, shrunk towards it where ratings are few.
//     r̂_ui = μ + b_u + b_i,  b_i = Σ_u (r_ui − μ) / (λ_i + n_i),  b_u = Σ_i (r_ui − μ − b_i) / (λ_u + n_u)
// Koren, "Factor in the Neighbors", 2010, Section 2.1. Items are solved for; a user by its row when it is scored, whether training has seen it or not.
#include "models/als.h"

static const pm_hyper hypers[] = {
    { "center", PM_HYPER_CHOICE, "global", 0, 0, "global|user|both|none",
      "means that are taken off ratings first and added to predictions; both: r + mean - user's - item's. Less the item's alone nothing would be left", "Section 2.1: mu" },
    { "shrink_item", PM_HYPER_NUMBER, "25", 1e-6, 1e9, NULL, "so many ratings at the mean are added to those of an item", "Section 2.1: lambda_2" },
    { "shrink_user", PM_HYPER_NUMBER, "10", 1e-6, 1e9, NULL, "so many to those of a user", "Section 2.1: lambda_3" },
    { "batch", PM_HYPER_INTEGER, "4096", 1, 65536, NULL, "items a step", NULL },
    { .name = NULL },
};

static const char *const proofs[] = { "center=both shrink_item=3 shrink_user=0.5", NULL };

static int passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)config, (void)users, (void)items;
    out[0] = (pm_pass){ .name = "items", .axis = PM_AXIS_ITEMS, .in_order = true, .solve = true };
    return 1;
}

static pm_var item_bias(pm_build *b)
{
    return pm_param(b->net, "item.bias", b->items, 1, (pm_init){ PM_INIT_ZERO, 0 });
}

// Σ value / (shrink + number of entries) of each row: least squares against ones. n: columns of the rows.
static pm_var shrunk_mean(pm_build *b, pm_var value, int64_t n, double shrink)
{
    pm_graph *g = b->g;
    int64_t one, entries;
    pm_shape_of(g, value, &one, &entries);
    const pm_als system = { .x = b->x, .confidence = pm_fill(g, one, entries, 1.0f), .target = value, .y = pm_fill(g, n, 1, 1.0f), .gram = pm_fill(g, 1, 1, 0.0f),
                            .ridge = (float)shrink, .exact = true };
    return pm_als_solve(g, &system);
}

static void solve(pm_build *b)
{
    const pm_var all = item_bias(b), now = shrunk_mean(b, b->x.val, b->users, pm_config_number(b->config, "shrink_item"));
    pm_put_rows(b->g, now, b->state, all);
    pm_add_loss(b, "size of biases", pm_mul_col(b->g, pm_mul(b->g, now, now), b->row_weight));
}

static pm_var score(pm_build *b)
{
    pm_graph *g = b->g;
    const pm_var row = pm_reshape(g, item_bias(b), 1, b->items), left = pm_sub(g, b->x.val, pm_take_cols(g, row, b->x.col));
    const pm_var user = shrunk_mean(b, left, b->items, pm_config_number(b->config, "shrink_user"));
    return pm_add_row(g, pm_broadcast_col(g, user, b->items), row);
}

const pm_model pm_model_rating_bias = {
    .name = "rating-bias",
    .title = "Baseline of ratings: the mean, a user's and an item's deviation from it",
    .paper = "Koren, 2010, Factor in the Neighbors: Scalable and Accurate Collaborative Filtering",
    .hypers = hypers,
    .proofs = proofs,
    .ratings = true,
    .passes = passes,
    .solve = solve,
    .score = score,
};
