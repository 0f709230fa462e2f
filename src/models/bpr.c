// Bayesian personalised ranking of a matrix factorisation (Rendle et al., 2009): of each interaction and an item that the user has not, the
// first is to score higher. Two-headed AutoRec's baseline, also with the hinge of its equation (2).
#include "models/pairs.h"

static const pm_hyper hypers[] = {
    { "latent", PM_HYPER_INTEGER, "50", 1, 1e5, NULL, "factors of a user and an item", "two-headed AutoRec, Section 4.2.2: r" },
    { "loss", PM_HYPER_CHOICE, "logistic", 0, 0, "logistic|hinge", "of the gap between two scores: -log sigmoid(gap), or max(0, margin - gap)",
      "BPR, Section 4; two-headed AutoRec, equation 2 with its sign put right" },
    { "margin", PM_HYPER_NUMBER, "1", 1e-6, 1e6, NULL, "hinge: the gap that is wide enough", "two-headed AutoRec, equation 2" },
    { "item_bias", PM_HYPER_FLAG, "on", 0, 1, NULL, "a score of each item beside the product of factors", "BPR, Section 4.3.1" },
    { "reg", PM_HYPER_NUMBER, "0.01", 0, 1e6, NULL, "penalty reg * (|u|^2 + |v|^2 + mean |v'|^2) of the factors of each interaction and what is drawn against it",
      "BPR, Section 4.3.1; two-headed AutoRec, Section 4.2.2: lambda" },
    { "init", PM_HYPER_NUMBER, "0.01", 0, 10, NULL, "deviation of the factors at first", NULL },
    PM_NEGATIVE_HYPERS("1"),
    PM_OPTIMISER_HYPERS("adam", "50", "4096", "interactions", "5e-3"),
    { .name = NULL },
};

static const pm_preset presets[] = {
    { "two-headed-ml-1m", "latent=200 reg=1e-5", "rank and lambda of the published table of the authors' own split of ML-1M" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "two-headed", "latent=50,100,200,500;reg=" PM_TWO_HEADED_LAMBDAS, "two-headed AutoRec, Section 4.2.2: r and lambda" },
    { .name = NULL },
};

static const char *const proofs[] = {
    "loss=hinge negatives=5 reg=0 sampling=popular",
    "loss=hinge negatives=3 optimizer=adagrad lr=0.05 item_bias=off init=0.3",
    "negatives=4 reg=0 optimizer=adagrad item_bias=off",
    "optimizer=sgd momentum=0.9 lr=0.1 init=0.3",
    NULL,
};

typedef struct tables {
    pm_var users, items, bias;    // bias [items, 1]
    bool   biased;
} tables;

static tables declare(pm_build *b)
{
    const int64_t k = pm_config_integer(b->config, "latent");
    const float deviation = (float)pm_config_number(b->config, "init");
    tables t = { .biased = pm_config_flag(b->config, "item_bias") };
    t.users = pm_user_table(b, "factors", k, deviation);
    t.items = pm_item_table(b, "factors", k, deviation);
    if (t.biased) t.bias = pm_item_table(b, "b", 1, 0);
    return t;
}

// The squares of the factors that a row of the batch has, each drawn one for its share.
static pm_var penalty(pm_build *b, const pm_pairs *p, pm_var u, pm_var items, float reg)
{
    pm_graph *g = b->g;
    int64_t rows, width;
    pm_shape_of(g, u, &rows, &width);
    const pm_var squares = pm_pick_scores(g, pm_fill(g, rows, width, 0.0f), items, p->id, b->live, true);
    const pm_var own = pm_slice(g, squares, 0, rows, 0, 1), drawn = pm_row_sum(g, pm_slice(g, squares, 0, rows, 1, p->negatives));
    const pm_var all = pm_add(g, pm_row_squares(g, u), pm_axpy(g, drawn, own, 1.0f / (float)p->negatives));
    return pm_mul(g, all, pm_scale(g, b->row_weight, reg));
}

static void loss(pm_build *b)
{
    pm_graph *g = b->g;
    const pm_config *c = b->config;
    const tables t = declare(b);
    const pm_pairs p = pm_draw_pairs(b, false);
    pm_rows_wait(b, "user.factors", p.user, b->live);
    pm_rows_wait(b, "item.factors", p.id, b->live);
    const pm_var u = pm_embed(g, t.users, p.user, b->live);
    pm_var z = pm_pick_scores(g, u, t.items, p.id, b->live, false);
    if (t.biased) z = pm_add(g, z, pm_pick_scores(g, pm_fill(g, p.batch, 1, 1.0f), t.bias, p.id, b->live, false));
    if (pm_config_is(c, "loss", "hinge")) pm_add_loss(b, "loss", pm_loss_hinge(g, z, b->row_weight, (float)pm_config_number(c, "margin"), 0, false, NULL));
    else pm_add_loss(b, "loss", pm_loss_bpr(g, z, b->row_weight, NULL));
    const float reg = (float)pm_config_number(c, "reg");
    if (reg > 0) pm_add_loss(b, "penalty", penalty(b, &p, u, t.items, reg));
}

static pm_var score(pm_build *b)
{
    const tables t = declare(b);
    const pm_var z = pm_matmul(b->g, pm_user_rows(b, t.users), t.items, false, true);
    return t.biased ? pm_add_row(b->g, z, pm_reshape(b->g, t.bias, 1, b->items)) : z;
}

const pm_model pm_model_bpr = {
    .name = "bpr",
    .title = "BPR: matrix factorisation trained on pairs, an item of the user's above one that is not",
    .paper = "Rendle et al., 2009, BPR: Bayesian Personalized Ranking from Implicit Feedback",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .by_id = true,
    .passes = pm_entries_pass,
    .loss = loss,
    .score = score,
};
