// Collaborative metric learning (Hsieh et al., 2017): users and items as points of the unit ball, a user near to what the user chose, farther by a margin
// from the rest. What is drawn against an interaction tells its rank, which weighs the loss (WARP).
#include <math.h>

#include "models/pairs.h"

static const pm_hyper hypers[] = {
    { "latent", PM_HYPER_INTEGER, "100", 1, 1e5, NULL, "dimensions of the ball", "two-headed AutoRec, Section 4.2.2: r" },
    { "margin", PM_HYPER_NUMBER, "1", 1e-6, 100, NULL, "how much farther, in squared distance", "CML, equation 1" },
    { "rank_weight", PM_HYPER_FLAG, "on", 0, 1, NULL, "weigh by log(1 + floor(items * violations / negatives))", "CML, equation 2 and Section 3.3" },
    { "hinge", PM_HYPER_CHOICE, "closest", 0, 0, "closest|all", "of what was drawn, the closest item alone, or the mean over all; the paper's sum is all, its "
      "published code the closest", "CML, equation 1" },
    { "covariance", PM_HYPER_NUMBER, "1", 0, 1e6, NULL, "penalty covariance * (|C|^2 - |diag C|^2), C the covariance of the users and items of a batch",
      "CML, Section 3.5; two-headed AutoRec, Section 4.2.2: lambda" },
    { "radius", PM_HYPER_NUMBER, "1", 1e-3, 1e3, NULL, "of the ball; a point outside is put on its surface after each step", "CML, Section 3.5" },
    PM_NEGATIVE_HYPERS("20"),
    PM_OPTIMISER_HYPERS("adagrad", "50", "4096", "interactions", "0.1"),
    { .name = NULL },
};

static const pm_preset presets[] = {
    { "two-headed-ml-1m", "latent=200 covariance=0.1", "rank and lambda of the published table of the authors' own split of ML-1M" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "two-headed", "latent=50,100,200,500;covariance=" PM_TWO_HEADED_LAMBDAS, "two-headed AutoRec, Section 4.2.2: r and lambda" },
    { .name = NULL },
};

static const char *const proofs[] = {
    "hinge=all rank_weight=off covariance=0 negatives=3",
    "covariance=0 sampling=popular optimizer=adam lr=0.01",
    "hinge=all optimizer=sgd momentum=0.5 lr=0.05 negatives=5",
    "radius=0.7 covariance=10",
    NULL,
};

typedef struct tables {
    pm_var users, items;
} tables;

static tables declare(pm_build *b)
{
    const int64_t k = pm_config_integer(b->config, "latent");
    const float deviation = (float)(1 / sqrt((double)k));
    return (tables){ pm_user_table(b, "factors", k, deviation), pm_item_table(b, "factors", k, deviation) };
}

static pm_var weighted_mean(pm_build *b, pm_var x)
{
    return pm_col_sum(b->g, pm_mul_col(b->g, x, b->row_weight));
}

// Σ_b weight[b] · (x[b] − mean)(x[b] − mean)ᵀ; minus: −mean.
static pm_var scatter(pm_build *b, pm_var x, pm_var minus)
{
    const pm_var centred = pm_add_row(b->g, x, minus);
    return pm_matmul(b->g, centred, pm_mul_col(b->g, centred, b->row_weight), true, false);
}

// The squares off the diagonal of the covariance of the batch's users and items, half the weight to each. C is symmetric: a column's squares are a row's.
static pm_var covariance(pm_build *b, pm_var u, pm_var v, float by)
{
    pm_graph *g = b->g;
    const pm_var minus = pm_scale(g, pm_add(g, weighted_mean(b, u), weighted_mean(b, v)), -0.5f);
    const pm_var c = pm_scale(g, pm_add(g, scatter(b, u, minus), scatter(b, v, minus)), 0.5f);
    const pm_var cu = pm_add_row(g, u, minus), cv = pm_add_row(g, v, minus);
    const pm_var diagonal = pm_scale(g, pm_add(g, weighted_mean(b, pm_mul(g, cu, cu)), weighted_mean(b, pm_mul(g, cv, cv))), 0.5f);
    return pm_scale(g, pm_sub(g, pm_col_sum(g, pm_mul(g, c, c)), pm_mul(g, diagonal, diagonal)), by);
}

static void loss(pm_build *b)
{
    pm_graph *g = b->g;
    const pm_config *c = b->config;
    const tables t = declare(b);
    const pm_pairs p = pm_draw_pairs(b, false);
    const pm_var u = pm_embed(g, t.users, p.user, b->live);
    const pm_var z = pm_scale(g, pm_pick_scores(g, u, t.items, p.id, b->live, true), -1.0f);
    pm_add_loss(b, "loss", pm_loss_hinge(g, z, b->row_weight, (float)pm_config_number(c, "margin"), pm_config_flag(c, "rank_weight") ? (uint32_t)b->items : 0,
                                         pm_config_is(c, "hinge", "closest"), NULL));
    const float by = (float)pm_config_number(c, "covariance"), radius = (float)pm_config_number(c, "radius");
    if (by > 0) pm_add_loss(b, "covariance", covariance(b, u, pm_embed(g, t.items, p.item, b->live), by));
    pm_net_max_norm(b->net, "user.factors", radius, false);
    pm_net_max_norm(b->net, "item.factors", radius, false);
}

// −|u − v|² = 2 u·v − |v|² − |u|²
static pm_var score(pm_build *b)
{
    pm_graph *g = b->g;
    const tables t = declare(b);
    const pm_var u = pm_user_rows(b, t.users);
    const pm_var minus = pm_scale(g, pm_reshape(g, pm_row_squares(g, t.items), 1, b->items), -1.0f);
    const pm_var z = pm_add_row(g, pm_matmul(g, pm_scale(g, u, 2.0f), t.items, false, true), minus);
    return pm_sub(g, z, pm_broadcast_col(g, pm_row_squares(g, u), b->items));
}

const pm_model pm_model_cml = {
    .name = "cml",
    .title = "CML: users and items as points of a ball, near where a user chose an item",
    .paper = "Hsieh et al., 2017, Collaborative Metric Learning",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .by_id = true,
    .passes = pm_entries_pass,
    .loss = loss,
    .score = score,
};
