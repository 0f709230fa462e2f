// Gradient rules, one an op, written with ops. Each reads like the formula at the op's line in ops.def.
#include <pumice/activation.h>

#include "graph/graph.h"

#define PM_RULE_own(name) pm_gradient_rule pm_grad_##name;
#define PM_RULE_none(name)
#define PM_OP(name, NAME, klass, sig, cpu, vulkan, grad, bound, growth) PM_RULE_##grad(name)
#include <pumice/ops.def>
#undef PM_OP

// Operands that are data have no gradient; one that asks for it is refused, not given silent zeros.
static void only_data(pm_graph *g, const pm_node *n, int first, int last)
{
    for (int i = first; i <= last; i++)
        if (pm_graph_wants(g, n->in[i]))
            pm_graph_fail(g, PM_ERR_UNSUPPORTED, "%s: operand %s has no gradient; make it a constant (pm_constant)", pm_op_name(n->op),
                          pm_op_table[n->op].sig.operand[i].name);
}

// ---- dense ----

void pm_grad_matmul(pm_graph *g, const pm_node *n)
{
    const pm_var a = n->in[0], b = n->in[1], dy = n->grad[0];
    const bool ta = n->args[0].flag, tb = n->args[1].flag;
    if (pm_graph_wants(g, a)) pm_graph_give(g, a, ta ? pm_matmul(g, b, dy, tb, true) : pm_matmul(g, dy, b, false, !tb));
    if (pm_graph_wants(g, b)) pm_graph_give(g, b, tb ? pm_matmul(g, dy, a, true, ta) : pm_matmul(g, a, dy, !ta, false));
}

// The argument's gradient, given the value y of an activation.
static pm_var through_activation(pm_graph *g, uint32_t act, pm_var y, pm_var dy)
{
    switch (act) {
    case PM_ACT_TANH: return pm_tanh_grad(g, y, dy);
    case PM_ACT_SIGMOID: return pm_sigmoid_grad(g, y, dy);
    case PM_ACT_RELU: return pm_relu_grad(g, y, dy);
    default: return dy;
    }
}

void pm_grad_affine(pm_graph *g, const pm_node *n)
{
    const pm_var dz = through_activation(g, n->args[2].word, n->out[0], n->grad[0]);
    pm_grad_matmul(g, &(pm_node){ n->op, 2, 1, n->in, n->out, &dz, n->args });
    if (pm_graph_wants(g, n->in[2])) pm_graph_give(g, n->in[2], pm_col_sum(g, dz));
}

void pm_grad_add(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], n->grad[0]);
    pm_graph_give(g, n->in[1], n->grad[0]);
}

void pm_grad_sub(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], n->grad[0]);
    if (pm_graph_wants(g, n->in[1])) pm_graph_give(g, n->in[1], pm_scale(g, n->grad[0], -1.0f));
}

void pm_grad_mul(pm_graph *g, const pm_node *n)
{
    if (pm_graph_wants(g, n->in[0])) pm_graph_give(g, n->in[0], pm_mul(g, n->grad[0], n->in[1]));
    if (pm_graph_wants(g, n->in[1])) pm_graph_give(g, n->in[1], pm_mul(g, n->grad[0], n->in[0]));
}

void pm_grad_scale(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], pm_scale(g, n->grad[0], n->args[0].number));
}

void pm_grad_axpy(pm_graph *g, const pm_node *n)
{
    if (pm_graph_wants(g, n->in[0])) pm_graph_give(g, n->in[0], pm_scale(g, n->grad[0], n->args[0].number));
    pm_graph_give(g, n->in[1], n->grad[0]);
}

void pm_grad_add_row(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], n->grad[0]);
    if (pm_graph_wants(g, n->in[1])) pm_graph_give(g, n->in[1], pm_col_sum(g, n->grad[0]));
}

void pm_grad_mul_col(pm_graph *g, const pm_node *n)
{
    const pm_var x = n->in[0], s = n->in[1], dy = n->grad[0];
    if (pm_graph_wants(g, x)) pm_graph_give(g, x, pm_mul_col(g, dy, s));
    if (pm_graph_wants(g, s)) pm_graph_give(g, s, pm_row_sum(g, pm_mul(g, dy, x)));
}

void pm_grad_row_sum(pm_graph *g, const pm_node *n)
{
    int64_t rows, cols;
    pm_shape_of(g, n->in[0], &rows, &cols);
    pm_graph_give(g, n->in[0], pm_graph_is_ones(g, n->grad[0]) ? pm_fill(g, rows, cols, 1.0f) : pm_broadcast_col(g, n->grad[0], cols));
}

void pm_grad_col_sum(pm_graph *g, const pm_node *n)
{
    int64_t rows, cols;
    pm_shape_of(g, n->in[0], &rows, &cols);
    pm_graph_give(g, n->in[0], pm_graph_is_ones(g, n->grad[0]) ? pm_fill(g, rows, cols, 1.0f) : pm_broadcast_row(g, n->grad[0], rows));
}

void pm_grad_broadcast_row(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], pm_col_sum(g, n->grad[0]));
}

void pm_grad_broadcast_col(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], pm_row_sum(g, n->grad[0]));
}

void pm_grad_copy(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], n->grad[0]);
}

void pm_grad_place(pm_graph *g, const pm_node *n)
{
    int64_t rows, cols;
    pm_shape_of(g, n->in[0], &rows, &cols);
    pm_graph_give(g, n->in[0], pm_slice(g, n->grad[0], n->args[2].word, rows, n->args[3].word, cols));
}

void pm_grad_reshape(pm_graph *g, const pm_node *n)
{
    int64_t rows, cols;
    pm_shape_of(g, n->in[0], &rows, &cols);
    pm_graph_give(g, n->in[0], pm_reshape(g, n->grad[0], rows, cols));
}

// ---- activations ----

void pm_grad_sigmoid(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], pm_sigmoid_grad(g, n->out[0], n->grad[0]));
}

void pm_grad_tanh(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], pm_tanh_grad(g, n->out[0], n->grad[0]));
}

void pm_grad_relu(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], pm_relu_grad(g, n->out[0], n->grad[0]));
}

void pm_grad_exp(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], pm_mul(g, n->grad[0], n->out[0]));
}

void pm_grad_softplus(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], pm_mul(g, n->grad[0], pm_sigmoid(g, n->in[0])));
}

void pm_grad_log_sigmoid(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], pm_mul(g, n->grad[0], pm_sigmoid(g, pm_scale(g, n->in[0], -1.0f))));
}

void pm_grad_softmax(pm_graph *g, const pm_node *n)    // dx = y · (dy − Σ dy · y)
{
    const pm_var dy_y = pm_mul(g, n->grad[0], n->out[0]);
    pm_graph_give(g, n->in[0], pm_sub(g, dy_y, pm_mul_col(g, n->out[0], pm_row_sum(g, dy_y))));
}

void pm_grad_log_softmax(pm_graph *g, const pm_node *n)    // dx = dy − exp(y) · Σ dy
{
    const pm_var share = pm_mul_col(g, pm_exp(g, n->out[0]), pm_row_sum(g, n->grad[0]));
    pm_graph_give(g, n->in[0], pm_sub(g, n->grad[0], share));
}

// ---- sparse ----

// Of ptr, col, val, w -> y: the gradient of w.
static void through_spmm(pm_graph *g, const pm_node *n, pm_var dy)
{
    const pm_var ptr = n->in[0], col = n->in[1], val = n->in[2], w = n->in[3];
    only_data(g, n, 0, 2);
    if (!pm_graph_wants(g, w)) return;
    int64_t items, cols;
    pm_shape_of(g, w, &items, &cols);
    pm_var trow, tpos;
    const pm_var tptr = pm_graph_transpose(g, ptr, col, items, &trow, &tpos);
    pm_graph_give(g, w, pm_spmm_t(g, tptr, trow, tpos, val, dy));
}

void pm_grad_spmm(pm_graph *g, const pm_node *n)
{
    through_spmm(g, n, n->grad[0]);
}

void pm_grad_spmm_affine(pm_graph *g, const pm_node *n)
{
    const pm_var dz = through_activation(g, n->args[0].word, n->out[0], n->grad[0]);
    through_spmm(g, n, dz);
    if (pm_graph_wants(g, n->in[4])) pm_graph_give(g, n->in[4], pm_col_sum(g, dz));
}

void pm_grad_sddmm(pm_graph *g, const pm_node *n)
{
    const pm_var ptr = n->in[0], col = n->in[1], a = n->in[2], w = n->in[3], c = n->in[4], dy = n->grad[0];
    if (pm_graph_wants(g, a)) pm_graph_give(g, a, pm_spmm(g, ptr, col, dy, w));
    if (!pm_graph_wants(g, w) && !pm_graph_wants(g, c)) return;
    int64_t items, width, rows;
    pm_shape_of(g, w, &items, &width);
    pm_shape_of(g, a, &rows, &width);
    pm_var trow, tpos;
    const pm_var tptr = pm_graph_transpose(g, ptr, col, items, &trow, &tpos);
    if (pm_graph_wants(g, w)) pm_graph_give(g, w, pm_spmm_t(g, tptr, trow, tpos, dy, a));
    if (pm_graph_wants(g, c)) pm_graph_give(g, c, pm_reshape(g, pm_spmm_t(g, tptr, trow, tpos, dy, pm_fill(g, rows, 1, 1.0f)), 1, items));
}

// ---- pairs ----

// Of a table [rows, …] read at id: where each of its rows was read.
typedef struct places {
    pm_var  tptr, trow, tpos;
    int64_t count;
} places;

static places places_of(pm_graph *g, pm_var table, pm_var id, pm_var live)
{
    int64_t rows, cols, b, s;
    places p;
    pm_shape_of(g, table, &rows, &cols);
    pm_shape_of(g, id, &b, &s);
    p.count = b * s;
    p.tptr = pm_places(g, id, live, rows, &p.trow, &p.tpos);
    return p;
}

void pm_grad_embed(pm_graph *g, const pm_node *n)
{
    if (!pm_graph_wants(g, n->in[0])) return;
    const places p = places_of(g, n->in[0], n->in[1], n->in[2]);
    pm_graph_give(g, n->in[0], pm_spmm_t(g, p.tptr, p.trow, p.tpos, pm_fill(g, 1, p.count, 1.0f), n->grad[0]));
}

void pm_grad_pick_scores(pm_graph *g, const pm_node *n)
{
    const pm_var u = n->in[0], v = n->in[1], id = n->in[2], live = n->in[3], dy = n->grad[0];
    const bool distance = n->args[0].flag;
    if (pm_graph_wants(g, u)) pm_graph_give(g, u, pm_pick_sum(g, dy, u, v, id, live, distance));
    if (!pm_graph_wants(g, v)) return;
    const places p = places_of(g, v, id, live);
    const pm_var val = pm_reshape(g, dy, 1, p.count);
    pm_graph_give(g, v, distance ? pm_spmm_t_away(g, p.tptr, p.trow, p.tpos, val, u, v) : pm_spmm_t(g, p.tptr, p.trow, p.tpos, val, u));
}

// ---- losses: the gradient came with the value ----

// The fused gradient `out` for input `in`: as it is for a loss of unit gradient, its rows scaled otherwise.
static void give_fused(pm_graph *g, const pm_node *n, int in, int out)
{
    if (pm_is_some(n->grad[out]))
        pm_graph_fail(g, PM_ERR_UNSUPPORTED, "%s: its second output is a gradient and has none of its own", pm_op_name(n->op));
    if (!pm_is_some(n->grad[0])) return;
    const pm_var d = n->out[out];
    pm_graph_give(g, n->in[in], pm_graph_is_ones(g, n->grad[0]) ? d : pm_mul_col(g, d, n->grad[0]));
}

// Losses over a batch: ptr, col, val, z, rw[, state] -> loss, dz.
static void batch_loss(pm_graph *g, const pm_node *n)
{
    only_data(g, n, 0, 2);
    only_data(g, n, 4, n->ins - 1);
    give_fused(g, n, 3, 1);
}

void pm_grad_loss_multinomial(pm_graph *g, const pm_node *n)
{
    batch_loss(g, n);
}

void pm_grad_loss_gaussian(pm_graph *g, const pm_node *n)
{
    batch_loss(g, n);
}

void pm_grad_loss_logistic(pm_graph *g, const pm_node *n)
{
    batch_loss(g, n);
}

void pm_grad_loss_square(pm_graph *g, const pm_node *n)
{
    batch_loss(g, n);
}

void pm_grad_loss_cross_entropy(pm_graph *g, const pm_node *n)
{
    batch_loss(g, n);
}

void pm_grad_loss_mil(pm_graph *g, const pm_node *n)
{
    batch_loss(g, n);
}

void pm_grad_loss_pair(pm_graph *g, const pm_node *n)
{
    batch_loss(g, n);
}

void pm_grad_loss_counts(pm_graph *g, const pm_node *n)
{
    batch_loss(g, n);
}

void pm_grad_loss_bpr(pm_graph *g, const pm_node *n)
{
    only_data(g, n, 1, 1);
    give_fused(g, n, 0, 1);
}

void pm_grad_loss_hinge(pm_graph *g, const pm_node *n)
{
    only_data(g, n, 1, 1);
    give_fused(g, n, 0, 1);
}

void pm_grad_loss_weighted(pm_graph *g, const pm_node *n)
{
    only_data(g, n, 2, 3);
    if (pm_is_some(n->grad[1]))
        pm_graph_fail(g, PM_ERR_UNSUPPORTED, "%s: its second output is a gradient and has none of its own", pm_op_name(n->op));
    if (!pm_is_some(n->grad[0])) return;
    const pm_var d = pm_graph_is_ones(g, n->grad[0]) ? n->out[1] : pm_mul(g, n->out[1], n->grad[0]);
    if (pm_graph_wants(g, n->in[1])) pm_graph_give(g, n->in[1], d);
    if (pm_graph_wants(g, n->in[0])) pm_graph_give(g, n->in[0], pm_scale(g, d, -1.0f));
}

void pm_grad_loss_match(pm_graph *g, const pm_node *n)
{
    only_data(g, n, 1, 2);
    give_fused(g, n, 0, 1);
}

void pm_grad_loss_log(pm_graph *g, const pm_node *n)
{
    only_data(g, n, 1, 1);
    give_fused(g, n, 0, 1);
}

// gp_grad goes entry by entry; an item's are gathered through the transpose of the batch, whose places are rows of dx.
void pm_grad_gp_fit(pm_graph *g, const pm_node *n)
{
    only_data(g, n, 2, 2);
    if (pm_is_some(n->grad[1]) || pm_is_some(n->grad[2]))
        pm_graph_fail(g, PM_ERR_UNSUPPORTED, "%s: its loss alone has a gradient", pm_op_name(n->op));
    if (!pm_is_some(n->grad[0])) return;
    const pm_var ptr = n->in[0], col = n->in[1], x = n->in[3], t = n->in[4];
    int64_t items, entries, one, width;
    pm_var dt, trow, tpos;
    const pm_var dx = pm_gp_grad(g, ptr, col, x, t, n->out[2], n->grad[0], n->args[1].number, &dt);
    if (pm_graph_wants(g, t)) pm_graph_give(g, t, pm_col_sum(g, dt));
    if (!pm_graph_wants(g, x)) return;
    pm_shape_of(g, x, &items, &width);
    pm_shape_of(g, col, &one, &entries);
    const pm_var tptr = pm_graph_transpose(g, ptr, col, items, &trow, &tpos);
    pm_graph_give(g, x, pm_spmm_t(g, tptr, tpos, tpos, pm_fill(g, 1, entries, 1.0f), dx));
}

void pm_grad_kl_gaussian(pm_graph *g, const pm_node *n)
{
    only_data(g, n, 2, 3);
    give_fused(g, n, 0, 1);
    give_fused(g, n, 1, 2);
}

// ---- normalise ----

void pm_grad_batch_norm(pm_graph *g, const pm_node *n)
{
    if (pm_is_some(n->grad[1]) || pm_is_some(n->grad[2]))
        pm_graph_fail(g, PM_ERR_UNSUPPORTED, "batch_norm: its mean and variance have no gradient");
    if (!pm_is_some(n->grad[0])) return;
    pm_var dgamma, dbeta;
    const pm_var dx = pm_batch_norm_grad(g, n->in[0], n->in[1], n->in[2], n->grad[0], n->args[0].number, &dgamma, &dbeta);
    pm_graph_give(g, n->in[0], dx);
    pm_graph_give(g, n->in[2], dgamma);
    pm_graph_give(g, n->in[3], dbeta);
}

void pm_grad_unit_rows(pm_graph *g, const pm_node *n)    // dx = inv · (dy − y · Σ dy · y)
{
    if (pm_is_some(n->grad[1])) pm_graph_fail(g, PM_ERR_UNSUPPORTED, "unit_rows: its second output has no gradient");
    if (!pm_is_some(n->grad[0])) return;
    const pm_var y = n->out[0], dy = n->grad[0], along = pm_mul_col(g, y, pm_row_sum(g, pm_mul(g, dy, y)));
    pm_graph_give(g, n->in[0], pm_mul_col(g, pm_sub(g, dy, along), n->out[1]));
}

// ---- noise ----

void pm_grad_reparameterize(pm_graph *g, const pm_node *n)
{
    if (pm_is_some(n->grad[1]))
        pm_graph_fail(g, PM_ERR_UNSUPPORTED, "%s: its second output is a gradient and has none of its own", pm_op_name(n->op));
    if (!pm_is_some(n->grad[0])) return;
    pm_graph_give(g, n->in[0], n->grad[0]);
    if (pm_graph_wants(g, n->in[1])) pm_graph_give(g, n->in[1], pm_mul(g, n->grad[0], n->out[1]));
}

void pm_grad_dropout(pm_graph *g, const pm_node *n)
{
    pm_graph_give(g, n->in[0], pm_dropout(g, n->grad[0], n->in[1], n->args[0].number, n->args[1].stream));
}
