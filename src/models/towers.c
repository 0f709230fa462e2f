#include "models/towers.h"

#include <pumice/state.h>

pm_pass pm_match_pass(const pm_config *config)
{
    const int64_t interactions = pm_config_integer(config, "batch") / (1 + pm_config_integer(config, "negatives"));
    return (pm_pass){ .name = "train", .axis = PM_AXIS_ENTRIES, .batch = PM_MAX(interactions, 1) };
}

pm_status pm_match_check(const pm_config *config, int64_t items)
{
    (void)items;
    PM_REQUIRE(config, !pm_config_is(config, "loss", "pair") || pm_config_is(config, "zeros", "user"), PM_ERR_ARG,
               "loss = pair compares items of one user; set zeros=user");
    return PM_OK;
}

// The different ones among id [batch, n], at most `among`, and which of them each place holds.
static pm_var different(pm_build *b, pm_var id, int64_t among, pm_var *at, pm_var *count, pm_var *places)
{
    int64_t batch, n;
    pm_shape_of(b->g, id, &batch, &n);
    pm_var list;
    *at = pm_distinct(b->g, id, b->live, among, batch * n, &list, count, places);
    return pm_slice(b->g, list, 0, 1, 0, PM_MIN(batch * n, among));
}

pm_matches pm_draw_matches(pm_build *b)
{
    pm_graph *g = b->g;
    const pm_config *c = b->config;
    pm_matches m = { .negatives = pm_config_integer(c, "negatives"), .global = pm_config_is(c, "zeros", "global") };
    const pm_var ptr = pm_constant(g, "train.ptr"), col = pm_constant(g, "train.col");
    const bool once = !pm_config_flag(c, "redraw");
    int64_t one;
    pm_shape_of(g, b->rows, &one, &m.batch);
    pm_graph_label(g, "pairs");
    pm_var item, id, unused;
    pm_var user = pm_csr_entries(g, ptr, col, pm_constant(g, "train.val"), b->rows, &item, &m.value);
    const pm_var key = pm_reshape(g, b->rows, m.batch, 1);
    if (m.global) user = pm_draw_zeros(g, ptr, col, user, item, key, b->state, b->items, m.negatives, once, "negatives", &id);
    else id = pm_draw_negatives(g, ptr, col, user, item, key, b->state, b->items, m.negatives, false, once, "negatives");
    m.user = different(b, user, b->users, &m.user_at, &m.users, &m.pairs);
    m.item = different(b, id, b->items, &m.item_at, &m.items, &unused);
    pm_graph_label(g, NULL);
    return m;
}

// Cosines of the pairs [batch, 1 + negatives].
static pm_var cosines(pm_build *b, const pm_matches *m, pm_var user_code, pm_var item_code)
{
    pm_graph *g = b->g;
    pm_var unused;
    const int64_t width = 1 + m->negatives, rows = m->global ? m->batch * width : m->batch;
    const pm_var users = pm_unit_rows(g, user_code, &unused), items = pm_unit_rows(g, item_code, &unused);
    const pm_var u = pm_embed(g, users, pm_reshape(g, m->user_at, rows, 1), m->pairs);
    if (!m->global) return pm_pick_scores(g, u, items, m->item_at, b->live, false);
    return pm_reshape(g, pm_pick_scores(g, u, items, pm_reshape(g, m->item_at, rows, 1), m->pairs, false), m->batch, width);
}

// The largest training rating. Targets are shares of it, so none may be negative.
static float largest_rating(pm_build *b)
{
    const pm_csr *train = b->matrix[0];
    float most = 0;
    for (int64_t e = 0; e < train->nnz; e++) {
        most = PM_MAX(most, train->val[e]);
        if (train->val[e] < 0)
            pm_graph_fail(b->g, PM_ERR_DATA, "loss = %s wants ratings from 0 on, and there is one of %g; use --binarize, or loss=ce", pm_config_text(b->config, "loss"),
                          (double)train->val[e]);
    }
    return most > 0 ? most : 1;
}

void pm_match_loss(pm_build *b, const pm_matches *m, pm_var user_code, pm_var item_code)
{
    pm_graph *g = b->g;
    const pm_config *c = b->config;
    const int64_t width = 1 + m->negatives;
    const pm_var z = cosines(b, m, user_code, item_code);
    if (pm_config_is(c, "loss", "pair")) {
        pm_add_loss(b, "loss", pm_loss_bpr(g, pm_scale(g, z, (float)pm_config_number(c, "gap_scale")), b->row_weight, NULL));
        return;
    }
    const pm_var own = pm_config_is(c, "loss", "ce") ? pm_fill(g, m->batch, 1, 1.0f) : pm_scale(g, m->value, 1.0f / largest_rating(b));
    const pm_var target = pm_place(g, own, m->batch, width, 0, 0), weight = pm_scale(g, b->row_weight, 1.0f / (float)width);
    const bool square = pm_config_is(c, "loss", "square");
    pm_add_loss(b, "loss", pm_loss_match(g, z, target, weight, square, square ? (float)pm_config_number(c, "zero_weight") : 1.0f, (float)pm_config_number(c, "mu"), NULL));
}

pm_var pm_match_scores(pm_build *b, pm_var user_code, pm_var unit_items)
{
    pm_var unused;
    return pm_matmul(b->g, pm_unit_rows(b->g, user_code, &unused), unit_items, false, true);
}

pm_var pm_match_scores_at(pm_build *b, pm_var user_code, pm_var unit_items, pm_var id)
{
    pm_var unused;
    const pm_var live = pm_slice(b->g, b->state, 0, 1, PM_STATE_LIVE, 1);
    return pm_pick_scores(b->g, pm_unit_rows(b->g, user_code, &unused), unit_items, id, live, false);
}
