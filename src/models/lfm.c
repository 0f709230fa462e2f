// What DMF's Table 3 holds its input against: users and items as free vectors, drawn at random and trained, one projection each, the same cosine and
// losses (LFM-nce).
#include "models/towers.h"

static const pm_hyper hypers[] = {
    { "latent", PM_HYPER_INTEGER, "64", 1, 1e5, NULL, "length of the free vectors that are projected", "DMF, Section 4.3" },
    PM_MATCH_HYPERS("20"),
    { .name = NULL },
};

static const pm_preset presets[] = {
    { "nce", "factors=64 negatives=7 batch=256 lr=1e-4 loss=nce", "LFM-nce of the paper's Table 3; protocol leave-one-out" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "table-3", "loss=nce", "DMF, Table 3: LFM-nce" },
    { .name = NULL },
};

static const char *const proofs[] = {
    "loss=ce zeros=global",
    NULL,
};

static int passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)users, (void)items;
    out[0] = pm_match_pass(config);
    return 1;
}

typedef struct side {
    pm_var table, projection;
} side;

static side declare(pm_build *b, bool user)
{
    const int64_t width = pm_config_integer(b->config, "latent"), factors = pm_config_integer(b->config, "factors");
    const pm_init normal = { PM_INIT_NORMAL, (float)pm_config_number(b->config, "deviation") };
    return (side){ pm_param(b->net, user ? "user.factors" : "item.factors", user ? b->users : b->items, width, normal),
                   pm_param(b->net, user ? "user.projection" : "item.projection", width, factors, normal) };
}

static pm_var encode(pm_build *b, bool user, pm_var list, pm_var count)
{
    const side s = declare(b, user);
    int64_t one, n;
    pm_shape_of(b->g, list, &one, &n);
    return pm_matmul(b->g, pm_embed(b->g, s.table, pm_reshape(b->g, list, n, 1), count), s.projection, false, false);
}

static void loss(pm_build *b)
{
    const pm_matches m = pm_draw_matches(b);
    const pm_var users = encode(b, true, m.user, m.users), items = encode(b, false, m.item, m.items);
    pm_match_loss(b, &m, users, items);
}

static pm_var scored_users(pm_build *b)
{
    const side s = declare(b, true);
    return pm_matmul(b->g, pm_gather_rows(b->g, s.table, pm_reshape(b->g, b->user, 1, b->x.rows)), s.projection, false, false);
}

static pm_var all_items(pm_build *b)
{
    const side s = declare(b, false);
    pm_var unused;
    return pm_unit_rows(b->g, pm_matmul(b->g, s.table, s.projection, false, false), &unused);
}

static pm_var score(pm_build *b)
{
    return pm_match_scores(b, scored_users(b), all_items(b));
}

static pm_var score_at(pm_build *b, pm_var id)
{
    return pm_match_scores_at(b, scored_users(b), all_items(b), id);
}

const pm_model pm_model_lfm = {
    .name = "lfm",
    .title = "LFM: the cosine of free vectors of a user and an item, each projected once",
    .paper = "Xue et al., 2017, Deep Matrix Factorization Models for Recommender Systems: LFM-nce",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .by_id = true,
    .ratings = true,
    .passes = passes,
    .check = pm_match_check,
    .loss = loss,
    .score = score,
    .score_at = score_at,
};
