// Neural collaborative filtering (He et al., 2017): a generalised matrix factorisation, a tower over a user's and an item's factors, and both at once,
// trained on single interactions and items drawn against each. All three call their parameters alike, so that neumf can begin from the other two.
#include <stdio.h>

#include "models/pairs.h"

#define TABLES \
    { "factors", PM_HYPER_INTEGER, "8", 1, 1024, NULL, "of the product, and width of the tower's last layer", "NCF, Section 4.1: predictive factors" }, \
    { "init", PM_HYPER_NUMBER, "0.01", 0, 10, NULL, "deviation of the factors at first; layers begin as Glorot has it", "NCF, Section 4.1" }
#define TOWER \
    { "layers", PM_HYPER_INTEGER, "3", 1, 6, NULL, "hidden layers of the tower, each half as wide as the one before; users and items have factors * 2^(layers - 1) " \
      "factors in it", "NCF, Section 4.1" }, \
    { "block", PM_HYPER_INTEGER, "1048576", 1, 25165824, NULL, "scoring: values of a layer worked out at a time; more where that would be over 512 blocks", NULL }
#define TRAINING \
    PM_NEGATIVE_HYPERS("4"), \
    { "redraw", PM_HYPER_FLAG, "on", 0, 1, NULL, "draw anew in each epoch, else always the same items", "NCF, Section 4.1" }, \
    { "l2", PM_HYPER_NUMBER, "0", 0, 1e6, NULL, "penalty l2 * sum(w^2) on weights, not biases (gradient 2 * l2 * w)", NULL }, \
    PM_OPTIMISER_HYPERS("adam", "20", "256", "interactions", "1e-3")

static const pm_hyper gmf_hypers[] = { TABLES, TRAINING, { .name = NULL } };
static const pm_hyper tower_hypers[] = { TABLES, TOWER, TRAINING, { .name = NULL } };
static const pm_hyper neumf_hypers[] = {
    TABLES, TOWER,
    { "alpha", PM_HYPER_NUMBER, "0.5", 0, 1, NULL, "pretrained: gmf's output counts alpha, mlp's 1 - alpha", "NCF, equation 13" },
    TRAINING, { .name = NULL },
};

static const pm_preset presets[] = {
    { "ml-1m-ncf", "factors=64 batch=51", "NCF, Section 4: 256 pairs a step are 51 interactions with 4 negatives each; the widest model of Figure 4" },
    { .name = NULL },
};

#define FACTORS "factors=8,16,32,64"
#define FACTORS_GRID { "factors", FACTORS, "NCF, Figure 4" }
#define LAYERS_GRID { "layers", FACTORS ";layers=1,2,3,4", "NCF, Tables 3 and 4" }
#define NEGATIVES_GRID { "negatives", "negatives=1,2,3,4,5,6,7,8,9,10", "NCF, Figure 7" }

static const pm_model_grid gmf_grids[] = { FACTORS_GRID, NEGATIVES_GRID, { .name = NULL } };
static const pm_model_grid tower_grids[] = { FACTORS_GRID, LAYERS_GRID, NEGATIVES_GRID, { .name = NULL } };

static const char *const gmf_proofs[] = { "redraw=off l2=0.01 init=0.3", NULL };
static const char *const tower_proofs[] = { "layers=1 optimizer=sgd lr=0.1 init=0.3", NULL };

typedef struct parts {
    int64_t factors;
    int     layers;                        // 0: no tower
    pm_var  user, item, out;               // the product; out [1, factors]
    pm_var  tower_user, tower_item, top;   // the tower: [users, width], [items, width]; top [factors, 1]
    pm_var  bias;                          // [1, 1]
} parts;

enum { GMF = 1, MLP = 2 };

static parts declare(pm_build *b, int which)
{
    const float deviation = (float)pm_config_number(b->config, "init");
    const pm_init glorot = { PM_INIT_GLOROT, 0 };
    parts p = { .factors = pm_config_integer(b->config, "factors") };
    if (which & GMF) {
        p.user = pm_user_table(b, "gmf", p.factors, deviation);
        p.item = pm_item_table(b, "gmf", p.factors, deviation);
        p.out = pm_param(b->net, "out.gmf", 1, p.factors, glorot);
    }
    if (which & MLP) {
        p.layers = (int)pm_config_integer(b->config, "layers");
        p.tower_user = pm_user_table(b, "mlp", p.factors << (p.layers - 1), deviation);
        p.tower_item = pm_item_table(b, "mlp", p.factors << (p.layers - 1), deviation);
        p.top = pm_param(b->net, "out.mlp", p.factors, 1, glorot);
    }
    p.bias = pm_param(b->net, "out.b", 1, 1, (pm_init){ PM_INIT_ZERO, 0 });
    return p;
}

// ---- the tower -----------------------------------------------------------------------------------------------------

// The first layer is of a user's factors beside an item's, so it is a sum: what each gives to it, the item with the bias, before they meet.
static void first_layer(pm_build *b, const parts *p, pm_var u, pm_var v, pm_var *of_user, pm_var *of_item)
{
    pm_graph *g = b->g;
    const int64_t width = p->factors << (p->layers - 1);
    pm_graph_label(g, "mlp.1");
    const pm_var w = pm_param(b->net, "mlp.1.w", 2 * width, width, (pm_init){ PM_INIT_GLOROT, 0 });
    const pm_var bias = pm_param(b->net, "mlp.1.b", 1, width, (pm_init){ PM_INIT_ZERO, 0 });
    *of_user = pm_matmul(g, u, pm_slice(g, w, 0, width, 0, width), false, false);
    *of_item = pm_add_row(g, pm_matmul(g, v, pm_slice(g, w, width, width, 0, width), false, false), bias);
    pm_graph_label(g, NULL);
}

// From what the first layer sums up [pairs, width] to the scores [pairs, 1].
static pm_var upper_layers(pm_build *b, const parts *p, pm_var sum)
{
    pm_var x = pm_relu(b->g, sum);
    for (int k = 2; k <= p->layers; k++) {
        char name[16];
        snprintf(name, sizeof name, "mlp.%d", k);
        x = pm_dense(b->net, x, name, p->factors << (p->layers - k), PM_RELU);
    }
    return pm_matmul(b->g, x, p->top, false, false);
}

// Scores of items chosen for each row [rows, picks], of which the tower's factors are `items` [rows · picks, width], row after row.
static pm_var tower_at(pm_build *b, const parts *p, pm_var users, pm_var items, int64_t rows, int64_t picks)
{
    pm_graph *g = b->g;
    pm_var of_user, of_item;
    first_layer(b, p, users, items, &of_user, &of_item);
    const pm_var beside = pm_embed(g, of_user, pm_pair_rows(g, rows, picks), pm_pair_count(g, rows * picks));
    return pm_reshape(g, upper_layers(b, p, pm_add(g, of_item, beside)), rows, picks);
}

// ---- training ------------------------------------------------------------------------------------------------------

// u · diag(out), whose product with an item's factors is the score.
static pm_var weighted(pm_graph *g, const parts *p, pm_var u)
{
    int64_t rows, cols;
    pm_shape_of(g, u, &rows, &cols);
    return pm_mul(g, u, pm_broadcast_row(g, p->out, rows));
}

static pm_var with_bias(pm_graph *g, const parts *p, pm_var z)
{
    int64_t rows, cols;
    pm_shape_of(g, z, &rows, &cols);
    return pm_add_row(g, z, pm_broadcast_col(g, p->bias, cols));
}

static pm_var product_of(pm_build *b, const parts *p, const pm_pairs *pairs)
{
    pm_rows_wait(b, "user.gmf", pairs->user, b->live);
    pm_rows_wait(b, "item.gmf", pairs->id, b->live);
    const pm_var u = pm_embed(b->g, p->user, pairs->user, b->live);
    return pm_pick_scores(b->g, weighted(b->g, p, u), p->item, pairs->id, b->live, false);
}

static pm_var tower_of(pm_build *b, const parts *p, const pm_pairs *pairs)
{
    pm_graph *g = b->g;
    const int64_t picks = pairs->negatives + 1, count = pairs->batch * picks;
    const pm_var id = pm_reshape(g, pairs->id, count, 1), all = pm_pair_count(g, count);
    pm_rows_wait(b, "user.mlp", pairs->user, b->live);
    pm_rows_wait(b, "item.mlp", id, all);
    const pm_var u = pm_embed(g, p->tower_user, pairs->user, b->live), v = pm_embed(g, p->tower_item, id, all);
    return tower_at(b, p, u, v, pairs->batch, picks);
}

static void add_loss(pm_build *b, int which)
{
    pm_graph *g = b->g;
    const parts p = declare(b, which);
    const pm_pairs pairs = pm_draw_pairs(b, !pm_config_flag(b->config, "redraw"));
    pm_var z = { -1 };
    if (which & GMF) z = product_of(b, &p, &pairs);
    if (which & MLP) z = which & GMF ? pm_add(g, z, tower_of(b, &p, &pairs)) : tower_of(b, &p, &pairs);
    pm_add_loss(b, "loss", pm_loss_log(g, with_bias(g, &p, z), b->row_weight, NULL));
}

// ---- scores --------------------------------------------------------------------------------------------------------
// Every pair has layers of its own, so that those of many are worked out block by block.

// Who is scored, and what: all items, or for each row those that id names.
typedef struct pairing {
    pm_var        of_user, of_item;    // their parts of the first layer
    const pm_var *id;                  // [rows, picks]; NULL: all items
    int64_t       width, most;         // pairs in a block
} pairing;

typedef struct block {
    int64_t row, rows, item, items;    // item: a column of id where there is one
} block;

enum { MOST_BLOCKS = 512, LARGE = 24 << 20 };    // LARGE: values that any device binds at once

// What the first layer sums up for the pairs of a block.
static pm_var sum_block(pm_graph *g, const pairing *s, const block *k)
{
    const int64_t pairs = k->rows * k->items;
    const pm_var u = pm_slice(g, s->of_user, k->row, k->rows, 0, s->width);
    if (!s->id && k->rows == 1) return pm_add_row(g, pm_slice(g, s->of_item, k->item, k->items, 0, s->width), u);
    const pm_var users = pm_gather_rows(g, u, pm_reshape(g, pm_pair_rows(g, k->rows, k->items), 1, pairs));
    if (s->id) return pm_add(g, users, pm_gather_rows(g, s->of_item, pm_reshape(g, pm_slice(g, *s->id, k->row, k->rows, k->item, k->items), 1, pairs)));
    const pm_var v = pm_reshape(g, pm_slice(g, s->of_item, k->item, k->items, 0, s->width), 1, k->items * s->width);
    return pm_add(g, users, pm_reshape(g, pm_broadcast_row(g, v, k->rows), pairs, s->width));
}

// By halves, so that what has been scored is copied seldom.
static pm_var score_blocks(pm_build *b, const parts *p, const pairing *s, const block *k)
{
    pm_graph *g = b->g;
    if (k->rows * k->items <= s->most || (k->rows == 1 && k->items == 1)) return pm_reshape(g, upper_layers(b, p, sum_block(g, s, k)), k->rows, k->items);
    const bool by_rows = k->rows > 1;
    block first = *k, second = *k;
    if (by_rows) first.rows /= 2, second.row += first.rows, second.rows -= first.rows;
    else first.items /= 2, second.item += first.items, second.items -= first.items;
    const pm_var x = score_blocks(b, p, s, &first), y = score_blocks(b, p, s, &second);
    const pm_var low = pm_place(g, x, k->rows, k->items, 0, 0);
    return pm_add(g, low, pm_place(g, y, k->rows, k->items, (uint32_t)(by_rows ? first.rows : 0), (uint32_t)(by_rows ? 0 : first.items)));
}

static pm_var tower_scores(pm_build *b, const parts *p, const pm_var *id)
{
    pairing s = { .id = id };
    int64_t rows, one, picks = b->items;
    first_layer(b, p, pm_user_rows(b, p->tower_user), p->tower_item, &s.of_user, &s.of_item);
    pm_shape_of(b->g, s.of_user, &rows, &s.width);
    if (id) pm_shape_of(b->g, *id, &one, &picks);
    const int64_t fair = rows * picks * s.width / MOST_BLOCKS, values = PM_MIN(PM_MAX(pm_config_integer(b->config, "block"), fair), LARGE);
    s.most = PM_MAX(values / PM_MAX(s.width, 1), 1);
    return score_blocks(b, p, &s, &(block){ 0, rows, 0, picks });
}

static pm_var product_scores(pm_build *b, const parts *p, const pm_var *id)
{
    const pm_var u = weighted(b->g, p, pm_user_rows(b, p->user));
    return id ? pm_pick_scores(b->g, u, p->item, *id, pm_pair_count(b->g, b->x.rows), false) : pm_matmul(b->g, u, p->item, false, true);
}

static pm_var scores(pm_build *b, int which, const pm_var *id)
{
    const parts p = declare(b, which);
    pm_var z = { -1 };
    if (which & GMF) z = product_scores(b, &p, id);
    if (which & MLP) z = which & GMF ? pm_add(b->g, z, tower_scores(b, &p, id)) : tower_scores(b, &p, id);
    return with_bias(b->g, &p, z);
}

static pm_preference preference(const pm_config *config)
{
    (void)config;
    return PM_PREFERENCE_SIGMOID;
}

// ---- beginning from the other two ----------------------------------------------------------------------------------

static const pm_origin origins[] = { { "gmf", "gmf", "factors" }, { "mlp", "mlp", "factors layers" }, { .name = NULL } };

// Their parameters as they are, but for the output's, which are weighted (equation 13); its bias, which both have, is the sum of both.
static bool inherit(const pm_config *config, const char *param, int64_t count, const float *const *theirs, float *values)
{
    const float alpha = (float)pm_config_number(config, "alpha");
    const bool out = strncmp(param, "out.", 4) == 0;
    const float by[] = { out ? alpha : 1, out ? 1 - alpha : 1 };
    for (int64_t i = 0; i < count; i++) {
        values[i] = 0;
        for (int k = 0; k < 2; k++)
            if (theirs[k]) values[i] += by[k] * theirs[k][i];
    }
    return theirs[0] || theirs[1];
}

// ---- the models ----------------------------------------------------------------------------------------------------

static void gmf_loss(pm_build *b) { add_loss(b, GMF); }
static void mlp_loss(pm_build *b) { add_loss(b, MLP); }
static void neumf_loss(pm_build *b) { add_loss(b, GMF | MLP); }
static pm_var gmf_score(pm_build *b) { return scores(b, GMF, NULL); }
static pm_var gmf_score_at(pm_build *b, pm_var id) { return scores(b, GMF, &id); }
static pm_var mlp_score(pm_build *b) { return scores(b, MLP, NULL); }
static pm_var mlp_score_at(pm_build *b, pm_var id) { return scores(b, MLP, &id); }
static pm_var neumf_score(pm_build *b) { return scores(b, GMF | MLP, NULL); }
static pm_var neumf_score_at(pm_build *b, pm_var id) { return scores(b, GMF | MLP, &id); }

#define NCF .paper = "He et al., 2017, Neural Collaborative Filtering", .presets = presets, .by_id = true, .passes = pm_entries_pass, .preference = preference

const pm_model pm_model_gmf = {
    .name = "gmf",
    .title = "GMF: the product of a user's and an item's factors under a logistic output, whose weights are learned",
    .hypers = gmf_hypers,
    .grids = gmf_grids,
    .proofs = gmf_proofs,
    .loss = gmf_loss,
    .score = gmf_score,
    .score_at = gmf_score_at,
    NCF,
};

const pm_model pm_model_mlp = {
    .name = "mlp",
    .title = "MLP: a tower of layers over a user's factors beside an item's",
    .hypers = tower_hypers,
    .grids = tower_grids,
    .proofs = tower_proofs,
    .loss = mlp_loss,
    .score = mlp_score,
    .score_at = mlp_score_at,
    NCF,
};

const pm_model pm_model_neumf = {
    .name = "neumf",
    .title = "NeuMF: GMF and MLP, each with factors of its own, under one output",
    .hypers = neumf_hypers,
    .grids = tower_grids,
    .proofs = tower_proofs,
    .origins = origins,
    .inherit = inherit,
    .loss = neumf_loss,
    .score = neumf_score,
    .score_at = neumf_score_at,
    NCF,
};
