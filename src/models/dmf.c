// Deep Matrix Factorization (Xue et al., 2017): a tower of layers turns a user's row of the training matrix into a code, another an item's column, and
// the score is the cosine of the two. docs/dmf.md says how what the paper leaves open was settled.
#include "models/towers.h"

enum { DEEPEST = 3 };

static const pm_hyper hypers[] = {
    { "depth", PM_HYPER_INTEGER, "2", 1, DEEPEST, NULL, "layers of a tower: the first linear and without bias, each further one with bias and ReLU",
      "DMF, equation 5; Section 4.4: DMF-1, -2, -3" },
    { "user_hidden", PM_HYPER_SIZES, "512,128", 1, 65536, NULL, "units of the users' layers before the last, of which the first depth - 1 count", NULL },
    { "item_hidden", PM_HYPER_SIZES, "1024,128", 1, 65536, NULL, "the same of the items' layers", NULL },
    { "input", PM_HYPER_CHOICE, "ratings", 0, 0, "ratings|binary", "what towers read: the ratings, or that there are some", "DMF, equations 2 and 1" },
    PM_MATCH_HYPERS("20"),
    { .name = NULL },
};

#define TABLE_2 "depth=2 factors=64 negatives=7 batch=256 lr=1e-4 "

static const pm_preset presets[] = {
    { "nce", TABLE_2 "loss=nce", "DMF-2-nce of the paper's Table 2; protocol leave-one-out" },
    { "ce", TABLE_2 "loss=ce", "DMF-2-ce of it" },
    { "ml-100k", TABLE_2 "loss=nce", "DMF-2-nce, the better of the paper's Table 2 there; protocol leave-one-out" },
    { "ml-1m", "depth=2 user_hidden=128,128 item_hidden=128,128 factors=64 negatives=7 batch=256 lr=1e-3 loss=nce",
      "DMF-2-nce with narrower first layers and a larger rate, which on ML-100k do as well, in a fifth of the time" },
    { "amazon-music", "depth=2 factors=128 negatives=7 batch=256 lr=1e-4 loss=ce", "DMF-2-ce, the better one there, with the factors that Table 5 finds best" },
    { "algorithm-1", TABLE_2 "loss=nce zeros=global redraw=off", "DMF-2-nce with negatives as Algorithm 1 draws them: once, over the whole matrix" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "table-2", "loss=ce,nce", "DMF, Table 2" },
    { "table-3", "depth=1;input=ratings,binary", "DMF, Table 3: DMF-1-nce; binary beside it. LFM-nce is the model lfm" },
    { "table-4", "factors=128;negatives=1,2,5,9,10", "DMF, Table 4, which appears to have 128 factors" },
    { "table-5", "negatives=1;factors=8,16,32,64,128", "DMF, Table 5, which appears to have one negative" },
    { "figure-2", "depth=1,2,3", "DMF, Figure 2" },
    { .name = NULL },
};

static const char *const proofs[] = {
    "depth=3 loss=ce zeros=global redraw=off",
    "depth=1 loss=square zero_weight=0.5 input=binary",
    NULL,
};

static pm_status check(const pm_config *c, int64_t items)
{
    int64_t sizes[DEEPEST];
    const int64_t hidden = pm_config_integer(c, "depth") - 1;
    const char *const names[] = { "user_hidden", "item_hidden" };
    for (int k = 0; k < 2; k++)
        PM_REQUIRE(c, pm_config_sizes(c, names[k], sizes, 0) >= hidden, PM_ERR_ARG, "depth = %s takes %" PRId64 " of %s = %s; add a size", pm_config_text(c, "depth"),
                   hidden, names[k], pm_config_text(c, names[k]));
    return pm_match_check(c, items);
}

enum { TRAIN, ENCODE };

static int passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)users, (void)items;
    out[TRAIN] = pm_match_pass(config);
    out[ENCODE] = (pm_pass){ .name = "items", .axis = PM_AXIS_ITEMS, .in_order = true, .solve = true, .scoring = true, .batch = 256 };
    return 2;
}

static pm_var layer_param(pm_build *b, const char *tower, int layer, const char *what, int64_t rows, int64_t cols)
{
    char *name = pm_sprintf(b->net, "%s.%d.%s", tower, layer + 1, what);
    if (!name) return pm_graph_fail(b->g, PM_ERR_NOMEM, "no memory for a name");
    const pm_var p = pm_param(b->net, name, rows, cols, (pm_init){ PM_INIT_NORMAL, (float)pm_config_number(b->config, "deviation") });
    pm_free(name);
    return p;
}

// Codes of sparse rows (equation 7).
static pm_var encode(pm_build *b, bool user, pm_sparse x)
{
    pm_graph *g = b->g;
    const pm_config *c = b->config;
    const char *tower = user ? "user" : "item";
    const int depth = (int)pm_config_integer(c, "depth");
    int64_t sizes[DEEPEST];
    pm_config_sizes(c, user ? "user_hidden" : "item_hidden", sizes, depth - 1);
    sizes[depth - 1] = pm_config_integer(c, "factors");
    pm_graph_label(g, tower);
    const pm_var val = pm_config_is(c, "input", "binary") ? pm_fill(g, 1, x.entries, 1.0f) : x.val;
    pm_var h = pm_spmm(g, x.ptr, x.col, val, layer_param(b, tower, 0, "w", x.items, sizes[0]));
    for (int i = 1; i < depth; i++) {
        const pm_var w = layer_param(b, tower, i, "w", sizes[i - 1], sizes[i]), bias = layer_param(b, tower, i, "b", 1, sizes[i]);
        h = pm_relu(g, pm_add_row(g, pm_matmul(g, h, w, false, false), bias));
    }
    pm_graph_label(g, NULL);
    return h;
}

static void loss(pm_build *b)
{
    const pm_matches m = pm_draw_matches(b);
    const pm_var users = encode(b, true, pm_chosen_rows(b, false, m.user, m.users)), items = encode(b, false, pm_chosen_rows(b, true, m.item, m.items));
    pm_match_loss(b, &m, users, items);
}

static pm_var item_codes(pm_build *b)
{
    return pm_encoding(b, "item.code", b->items, pm_config_integer(b->config, "factors"));
}

// Before scoring: all items.
static void solve(pm_build *b)
{
    pm_var unused;
    pm_put_rows(b->g, pm_unit_rows(b->g, encode(b, false, b->x), &unused), b->state, item_codes(b));
}

static pm_var score(pm_build *b)
{
    return pm_match_scores(b, encode(b, true, b->x), item_codes(b));
}

static pm_var score_at(pm_build *b, pm_var id)
{
    return pm_match_scores_at(b, encode(b, true, b->x), item_codes(b), id);
}

const pm_model pm_model_dmf = {
    .name = "dmf",
    .title = "DMF: the cosine of a user's row and an item's column, each through layers of its own",
    .paper = "Xue et al., 2017, Deep Matrix Factorization Models for Recommender Systems",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .transposed = true,
    .ratings = true,
    .passes = passes,
    .check = check,
    .loss = loss,
    .solve = solve,
    .score = score,
    .score_at = score_at,
};
