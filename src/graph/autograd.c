// Reverse-mode differentiation: walks the nodes backwards and lets each op's rule append ops.
#include "graph/internal.h"

#define PM_RULE_own(name) void pm_grad_##name(pm_graph *g, const pm_node *n);
#define PM_RULE_none(name)
#define PM_OP(name, NAME, klass, sig, cpu, vulkan, grad, bound, growth) PM_RULE_##grad(name)
#include <pumice/ops.def>
#undef PM_OP
#undef PM_RULE_own
#undef PM_RULE_none

#define PM_RULE_own(name) pm_grad_##name
#define PM_RULE_none(name) NULL
#define PM_OP(name, NAME, klass, sig, cpu, vulkan, grad, bound, growth) [PM_OP_##NAME] = PM_RULE_##grad(name),
static pm_gradient_rule *const rules[PM_OP_COUNT] = {
#include <pumice/ops.def>
};
#undef PM_OP

bool pm_graph_wants(const pm_graph *g, pm_var v)
{
    return v.id >= 0 && g->values[v.id].wanted;
}

bool pm_graph_is_ones(const pm_graph *g, pm_var v)
{
    return v.id >= 0 && g->values[v.id].ones;
}

void pm_graph_give(pm_graph *g, pm_var v, pm_var grad)
{
    if (g->status != PM_OK || !pm_graph_wants(g, v)) return;
    const int32_t before = g->values[v.id].grad;
    const pm_var sum = before < 0 ? grad : pm_add(g, (pm_var){ before }, grad);
    g->values[v.id].grad = sum.id;
}

static void backward_view(pm_graph *g, const pm_graph_node *node)
{
    const pm_value view = g->values[node->operand[1]], base = g->values[node->operand[0]];
    if (view.grad < 0) return;
    pm_graph_give(g, (pm_var){ node->operand[0] },
                  pm_place(g, (pm_var){ view.grad }, base.rows, base.cols, (uint32_t)view.r0, (uint32_t)view.c0));
}

static void backward_node(pm_graph *g, int index)
{
    const pm_graph_node node = g->nodes[index];    // a copy: the array grows under the rule
    if (node.op == PM_NODE_VIEW) {
        backward_view(g, &node);
        return;
    }
    const pm_signature *s = &pm_op_table[node.op].sig;
    pm_var in[PM_MAX_OPERANDS], out[PM_MAX_OPERANDS], grad[PM_MAX_OPERANDS];
    bool reached = false, wanted = false;
    for (int i = 0; i < s->ins; i++) {
        in[i].id = node.operand[i];
        wanted |= g->values[in[i].id].wanted;
    }
    for (int i = 0; i < s->outs; i++) {
        out[i].id = node.operand[s->ins + i];
        grad[i].id = g->values[out[i].id].grad;
        reached |= grad[i].id >= 0;
    }
    if (!reached || !wanted) return;
    if (!rules[node.op]) {
        pm_graph_fail(g, PM_ERR_UNSUPPORTED, "%s has no gradient, and a loss depends on what goes through it", pm_op_name(node.op));
        return;
    }
    const char *label = g->label;
    g->label = node.label;    // what a layer's gradient takes is the layer's
    rules[node.op](g, &(pm_node){ node.op, s->ins, s->outs, in, out, grad, node.args });
    g->label = label;
}

void pm_backward(pm_graph *g, const pm_var *losses, int count)
{
    if (g->status != PM_OK) return;
    const int nodes = g->node_count, values = g->value_count;
    for (int i = 0; i < values; i++) g->values[i].grad = -1;
    g->differentiating = true;
    for (int i = 0; i < count; i++) {
        int64_t rows, cols;
        pm_shape_of(g, losses[i], &rows, &cols);
        if (rows == 0) {
            pm_graph_fail(g, PM_ERR_ARG, "backward: loss %d is no value of this graph", i);
            break;
        }
        pm_graph_give(g, losses[i], pm_fill(g, rows, cols, 1.0f));
    }
    for (int i = nodes - 1; i >= 0 && g->status == PM_OK; i--) backward_node(g, i);
    for (int i = 0; i < values && g->status == PM_OK; i++) {
        if (g->values[i].grad < 0) continue;
        const pm_var now = { g->values[i].grad }, before = { g->values[i].total };
        const int32_t sum = before.id < 0 ? now.id : pm_add(g, before, now).id;
        g->values[i].total = sum;
    }
    g->differentiating = false;
}

// What an op of inputs x and y that is a transpose gave where it was captured before: nothing writes either in place. Poison where it was not.
static pm_var transposed_before(const pm_graph *g, pm_op op, pm_var x, pm_var y, int64_t rows, pm_var *trow, pm_var *tpos)
{
    for (int i = g->node_count - 1; i >= 0; i--) {
        const pm_graph_node *n = &g->nodes[i];
        if (n->op != (int)op || n->operand[0] != x.id || n->operand[1] != y.id || n->args[0].dim != rows) continue;
        *trow = (pm_var){ n->operand[3] };
        *tpos = (pm_var){ n->operand[4] };
        return (pm_var){ n->operand[2] };
    }
    return (pm_var){ -1 };
}

pm_var pm_graph_transpose(pm_graph *g, pm_var ptr, pm_var col, int64_t items, pm_var *trow, pm_var *tpos)
{
    const pm_var before = transposed_before(g, PM_OP_CSR_TRANSPOSE, ptr, col, items, trow, tpos);
    return pm_is_some(before) ? before : pm_csr_transpose(g, ptr, col, items, trow, tpos);
}

pm_var pm_places(pm_graph *g, pm_var id, pm_var live, int64_t rows, pm_var *trow, pm_var *tpos)
{
    int64_t b, s;
    pm_shape_of(g, id, &b, &s);
    const pm_var before = transposed_before(g, PM_OP_INDEX_TRANSPOSE, id, live, rows, trow, tpos);
    return pm_is_some(before) ? before : pm_index_transpose(g, id, live, rows, b * s, trow, tpos);
}

pm_var pm_gradient(pm_graph *g, pm_var x)
{
    int64_t rows, cols;
    pm_shape_of(g, x, &rows, &cols);
    if (g->status != PM_OK) return (pm_var){ -1 };
    if (rows == 0) return pm_graph_fail(g, PM_ERR_ARG, "gradient: the operand is no value of this graph");
    const int32_t total = g->values[x.id].total;
    return total >= 0 ? (pm_var){ total } : pm_fill(g, rows, cols, 0.0f);
}

void pm_forget_gradients(pm_graph *g)
{
    for (int i = 0; i < g->value_count; i++) g->values[i].total = -1;
}
