// "SVD" of known ratings by gradient descent, as the rating literature has it ("Matrix Factorization Techniques for Recommender Systems", Koren, Bell and
// Volinsky, 2009); a baseline of the sparse autoencoders.
//     L = ½ Σ_known [ (r_ui − z_ui)² + λ · (|p_u|² + |q_i|² + b_u² + b_i²) ],  z = p_u·q_i + b_u + b_i, the biases where asked for, r centred
// A step adds up the gradients of a batch of ratings, not their mean: with small steps that is one rating after the other, as published settings have it.
#include <math.h>

#include "models/als.h"
#include "models/pairs.h"

static const pm_hyper hypers[] = {
    { "rank", PM_HYPER_INTEGER, "15", 1, 512, NULL, "factors of a user or an item", "sparse autoencoders, Table 2" },
    { "lambda", PM_HYPER_NUMBER, "0.02", 0, 1e6, NULL, "penalty lambda / 2 * (|p|^2 + |q|^2) of each rating's user and item", "sparse autoencoders, Section 2.4 and Table 2" },
    { "biases", PM_HYPER_FLAG, "off", 0, 1, NULL, "a number of each user and each item beside the product of factors", "sparse autoencoders, Section 2.4" },
    PM_CENTER_HYPER("both"),
    { "init", PM_HYPER_NUMBER, "0.1", 1e-9, 10, NULL, "deviation of the first factors", NULL },
    PM_OPTIMISER_HYPERS("sgd", "60", "1024", "ratings, the gradients of which are summed,", "0.02"),
    { .name = NULL },
};

static const pm_preset presets[] = {
    { "ml-1m", "rank=15 lr=0.02 lambda=0.02 center=both", "published settings" },
    { "ml-1m-biases", "rank=15 lr=0.02 lambda=0.03 center=global biases=on", "the mean of all ratings taken off alone, biases learned" },
    { "jester", "rank=15 lr=0.02 lambda=0.02 center=both", "published settings" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "rating", "rank=5,10,15,20;lambda=0.01,0.02,0.03,0.05;center=both,global;biases=off,on", "sparse autoencoders, Table 2: round about its choice" },
    { .name = NULL },
};

static const char *const proofs[] = { "biases=on momentum=0.5", NULL };

typedef struct tables {
    pm_var users, items, user_bias, item_bias;    // biases [rows, 1]
    bool   biased;
} tables;

static tables declare(pm_build *b)
{
    const int64_t k = pm_config_integer(b->config, "rank");
    const float deviation = (float)pm_config_number(b->config, "init");
    tables t = { .biased = pm_config_flag(b->config, "biases") };
    t.items = pm_item_table(b, "factors", k, deviation);
    if (t.biased) t.item_bias = pm_item_table(b, "b", 1, 0);
    if (b->held_out) return t;    // there may be no user with factors at all
    t.users = pm_user_table(b, "factors", k, deviation);
    if (t.biased) t.user_bias = pm_user_table(b, "b", 1, 0);
    return t;
}

// ½ · weight[b] · Σ_j x[b,j]²
static pm_var half_squares(pm_build *b, pm_var x, pm_var weight)
{
    return pm_mul_col(b->g, pm_scale(b->g, pm_row_squares(b->g, x), 0.5f), weight);
}

static void loss(pm_build *b)
{
    pm_graph *g = b->g;
    const tables t = declare(b);
    int64_t one, batch;
    pm_var item, value;
    pm_shape_of(g, b->rows, &one, &batch);
    const pm_var user = pm_csr_entries(g, pm_constant(g, "train.ptr"), pm_constant(g, "train.col"), pm_constant(g, "train.val"), b->rows, &item, &value);
    const pm_var here = pm_embed(g, pm_fill(g, b->users, 1, 1.0f), user, b->live);    // 1 for each rating of the batch, 0 past its end
    const pm_var p = pm_embed(g, t.users, user, b->live), q = pm_embed(g, t.items, item, b->live);
    pm_var z = pm_row_sum(g, pm_mul(g, p, q)), penalty = pm_add(g, half_squares(b, p, here), half_squares(b, q, here));
    if (t.biased) {
        const pm_var bu = pm_embed(g, t.user_bias, user, b->live), bi = pm_embed(g, t.item_bias, item, b->live);
        z = pm_add(g, z, pm_add(g, bu, bi));
        penalty = pm_add(g, penalty, pm_add(g, half_squares(b, bu, here), half_squares(b, bi, here)));
    }
    const float lambda = (float)pm_config_number(b->config, "lambda");
    pm_add_loss(b, "loss", half_squares(b, pm_sub(g, z, value), here));
    if (lambda > 0) pm_add_loss(b, "penalty", pm_scale(g, penalty, lambda));
}

// A last column of ones, for what a bias is the factor of.
static pm_var with_ones(pm_graph *g, pm_var x)
{
    int64_t n, k;
    pm_shape_of(g, x, &n, &k);
    return pm_add(g, pm_place(g, x, n, k + 1, 0, 0), pm_place(g, pm_fill(g, n, 1, 1.0f), n, k + 1, 0, k));
}

// Users without factors: the minimum of the loss of their ratings over p and b_u, the items as they are.
static pm_var fold_in(pm_build *b, const tables *t)
{
    pm_graph *g = b->g;
    const pm_var y = t->biased ? with_ones(g, t->items) : t->items;
    int64_t n, k;
    pm_shape_of(g, y, &n, &k);
    pm_var target = b->x.val;
    if (t->biased) target = pm_sub(g, target, pm_reshape(g, pm_gather_rows(g, t->item_bias, b->x.col), 1, b->x.entries));
    const pm_als system = { .x = b->x, .confidence = pm_fill(g, 1, b->x.entries, 1.0f), .target = target, .y = y, .gram = pm_fill(g, k, k, 0.0f),
                            .ridge = (float)pm_config_number(b->config, "lambda"), .by_count = true, .exact = true };
    return pm_matmul(g, pm_als_solve(g, &system), y, false, true);
}

static pm_var score(pm_build *b)
{
    pm_graph *g = b->g;
    const tables t = declare(b);
    pm_var z;
    if (b->held_out) {
        z = fold_in(b, &t);
    } else {
        z = pm_matmul(g, pm_user_rows(b, t.users), t.items, false, true);
        if (t.biased) z = pm_add(g, z, pm_broadcast_col(g, pm_user_rows(b, t.user_bias), b->items));
    }
    return t.biased ? pm_add_row(g, z, pm_reshape(g, t.item_bias, 1, b->items)) : z;
}

static const char *diverged(const pm_config *config, const char *loss, double value)
{
    (void)config, (void)loss;
    return isfinite(value) ? NULL : "the factors have grown without bound; try a lower lr, a smaller batch (its gradients are summed) or a larger lambda";
}

const pm_model pm_model_svd = {
    .name = "svd",
    .title = "SVD: matrix factorisation of ratings by gradient descent",
    .paper = "Koren et al., 2009, Matrix Factorization Techniques for Recommender Systems",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .by_id = true,
    .fold_in = true,
    .ratings = true,
    .passes = pm_entries_pass,
    .loss = loss,
    .score = score,
    .diverged = diverged,
};
