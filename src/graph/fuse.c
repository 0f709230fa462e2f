// Fusing: nodes that follow one another become one op where that saves a pass over memory. Which do depends on the graph alone. What is
// left over is dead code, which the memory plan drops.
//
//     matmul, add_row[, tanh | sigmoid | relu]  ->  affine            nothing else reads what lies between
//     spmm, add_row[, tanh | sigmoid | relu]    ->  spmm_affine       likewise
//     matmul, adam                              ->  matmul_adam       nothing else reads the gradient
//     spmm_t, adam | adam_rows                  ->  take_cols, spmm_t_adam       adam_rows: of the same rows
//     spmm_t | spmm_t_away, adagrad             ->  take_cols, spmm_t_adagrad    without decay: rows that no entry touches stay as they are
//     spmm_t, sgd_rows                          ->  take_cols, spmm_t_sgd        of the same rows
//     spmm_t, sgd                               ->  take_cols, spmm_t_sgd        without momentum and decay: rows that no entry touches stay as they are
//
// A node moves only where nothing between its old place and its new one writes what it reads, or touches what it writes.
#include <pumice/activation.h>

#include "graph/plan.h"

typedef struct fuser {
    pm_graph *g;
    bool     *alive;
    int      *uses;     // of a value and its views, by living nodes
    int      *maker;    // the node whose output a value is; −1
} fuser;

static const pm_signature *signature_of(const pm_graph_node *n)
{
    return &pm_op_table[n->op].sig;
}

static pm_status learn(fuser *f)
{
    pm_graph *g = f->g;
    f->alive = pm_new_array(g, bool, g->node_count);
    f->uses = pm_new_array(g, int, g->value_count);
    f->maker = pm_new_array(g, int, g->value_count);
    if (!f->alive || !f->uses || !f->maker) return PM_ERR_NOMEM;
    PM_TRY(pm_plan_alive(g, g, f->alive));
    for (int i = 0; i < g->value_count; i++) f->maker[i] = -1;
    for (int i = 0; i < g->node_count; i++) {
        if (!f->alive[i]) continue;
        const pm_graph_node *n = &g->nodes[i];
        const pm_signature *s = signature_of(n);
        for (int k = 0; k < s->ins; k++) f->uses[pm_value_root(g, n->operand[k])]++;
        for (int k = s->ins; k < s->ins + s->outs; k++) f->maker[n->operand[k]] = i;
    }
    return PM_OK;
}

static void forget(fuser *f)
{
    pm_free(f->alive);
    pm_free(f->uses);
    pm_free(f->maker);
}

// The living node of that op whose output `id` is, when one operand alone reads it and nobody else may see it; −1.
static int sole_maker(const fuser *f, int32_t id, pm_op op)
{
    const pm_value *v = &f->g->values[id];
    if (v->base >= 0 || v->tensor || f->uses[id] != 1) return -1;
    const int i = f->maker[id];
    return i >= 0 && f->alive[i] && f->g->nodes[i].op == (int)op ? i : -1;
}

// Whether a node strictly between two writes (or, when asked, reads) the value.
static bool touched_between(const fuser *f, int first, int last, int32_t id, bool reads_too)
{
    const int32_t root = pm_value_root(f->g, id);
    for (int i = first + 1; i < last; i++) {
        if (!f->alive[i]) continue;
        const pm_graph_node *n = &f->g->nodes[i];
        const pm_signature *s = signature_of(n);
        for (int k = 0; k < s->ins + s->outs; k++)
            if (pm_value_root(f->g, n->operand[k]) == root && (reads_too || k >= s->ins || s->operand[k].inout)) return true;
    }
    return false;
}

static bool inputs_change(const fuser *f, int node, int until)
{
    const pm_graph_node *n = &f->g->nodes[node];
    for (int k = 0; k < signature_of(n)->ins; k++)
        if (touched_between(f, node, until, n->operand[k], false)) return true;
    return false;
}

// Puts an op at the place of node `at`; its outputs are new values.
static pm_status put(fuser *f, int at, pm_op op, const int32_t *in, const pm_arg *args, const char *label)
{
    pm_graph_node node;
    PM_TRY(pm_graph_make_node(f->g, op, in, args, &node));
    node.label = label;
    f->g->nodes[at] = node;
    return PM_OK;
}

// ---- affine ----

static uint32_t activation_of(int op)
{
    return op == PM_OP_TANH ? PM_ACT_TANH : op == PM_OP_SIGMOID ? PM_ACT_SIGMOID : op == PM_OP_RELU ? PM_ACT_RELU : PM_ACT_LINEAR;
}

// The one living node that reads the value when it is an activation; −1.
static int activation_after(const fuser *f, int from, int32_t id)
{
    if (f->g->values[id].tensor || f->uses[id] != 1) return -1;
    for (int i = from + 1; i < f->g->node_count; i++)
        if (f->alive[i] && activation_of(f->g->nodes[i].op) != PM_ACT_LINEAR && f->g->nodes[i].operand[0] == id) return i;
    return -1;
}

// Replaces product, bias and, when act >= 0, activation by one node at the place of the last.
static pm_status put_affine(fuser *f, int product, int bias, int act)
{
    pm_graph *g = f->g;
    const pm_graph_node m = g->nodes[product], add = g->nodes[bias];
    const bool dense = m.op == PM_OP_MATMUL;
    const int last = act >= 0 ? act : bias, ins = signature_of(&m)->ins;
    const int32_t out = act >= 0 ? g->nodes[act].operand[1] : add.operand[2];
    const pm_arg f_of = { .word = act >= 0 ? activation_of(g->nodes[act].op) : PM_ACT_LINEAR };
    const pm_arg args[] = { dense ? m.args[0] : f_of, m.args[1], f_of };
    int32_t in[PM_MAX_OPERANDS];
    memcpy(in, m.operand, sizeof *in * (size_t)ins);
    in[ins] = add.operand[1];
    PM_TRY(put(f, last, dense ? PM_OP_AFFINE : PM_OP_SPMM_AFFINE, in, args, m.label));
    g->nodes[last].operand[ins + 1] = out;
    f->alive[product] = f->alive[bias] = false;
    f->alive[last] = true;
    return PM_OK;
}

static pm_status fuse_affine(fuser *f, int bias)
{
    const pm_graph_node *add = &f->g->nodes[bias];
    const int dense = sole_maker(f, add->operand[0], PM_OP_MATMUL), sparse = sole_maker(f, add->operand[0], PM_OP_SPMM);
    const int product = PM_MAX(dense, sparse), act = activation_after(f, bias, add->operand[2]);
    const bool stays = product >= 0 && !inputs_change(f, product, bias) && !touched_between(f, product, bias, add->operand[1], false);
    if (!stays) return PM_OK;
    const bool till_act = act >= 0 && !inputs_change(f, product, act) && !touched_between(f, product, act, add->operand[1], false);
    return put_affine(f, product, bias, till_act ? act : -1);
}

// ---- optimisers ----

// Where the optimiser may run instead of at its own place: where its gradient was made; −1 when something in between wants the old weights.
static bool may_move_up(const fuser *f, int to, int from)
{
    const pm_graph_node *n = &f->g->nodes[from];
    for (int k = 0; k < 3; k++)
        if (touched_between(f, to, from, n->operand[k], true)) return false;
    return f->maker[pm_value_root(f->g, n->operand[4])] < to && !touched_between(f, to, from, n->operand[4], false);
}

static pm_status fuse_matmul_adam(fuser *f, int product, int adam)
{
    const pm_graph_node m = f->g->nodes[product], a = f->g->nodes[adam];
    const int at = may_move_up(f, product, adam) ? product : inputs_change(f, product, adam) ? -1 : adam;
    if (at < 0) return PM_OK;
    const int32_t in[] = { m.operand[0], m.operand[1], a.operand[0], a.operand[1], a.operand[2], a.operand[4] };
    const pm_arg args[] = { m.args[0], m.args[1], a.args[0], a.args[1], a.args[2], a.args[3] };
    PM_TRY(put(f, at, PM_OP_MATMUL_ADAM, in, args, a.label));
    const int gone = at == product ? adam : product;
    f->alive[gone] = false;
    f->g->nodes[gone].op = PM_NODE_GONE;
    return PM_OK;
}

static pm_status fuse_spmm_t_adam(fuser *f, int product, int adam)
{
    const pm_graph_node m = f->g->nodes[product], a = f->g->nodes[adam];
    // m: tptr, trow, tpos, val, dy; a: w, m, v, g, rate, of adam_rows tptr; beta1, beta2, eps, of adam decay
    const bool met = a.op == PM_OP_ADAM_ROWS;
    if (inputs_change(f, product, adam) || (met && m.operand[0] != a.operand[5])) return PM_OK;
    PM_TRY(put(f, product, PM_OP_TAKE_COLS, (int32_t[]){ m.operand[3], m.operand[2] }, NULL, m.label));
    const int32_t in[] = { m.operand[0], m.operand[1], f->g->nodes[product].operand[2], m.operand[4], a.operand[0], a.operand[1],
                           a.operand[2], a.operand[4] };
    const pm_arg args[] = { a.args[0], a.args[1], a.args[2], met ? (pm_arg){ .number = 0 } : a.args[3], { .flag = met } };
    return put(f, adam, PM_OP_SPMM_T_ADAM, in, args, a.label);
}

static pm_status fuse_adam(fuser *f, int adam)
{
    const int32_t gradient = f->g->nodes[adam].operand[3];
    const bool all = f->g->nodes[adam].op == PM_OP_ADAM;
    const int dense = all ? sole_maker(f, gradient, PM_OP_MATMUL) : -1, sparse = sole_maker(f, gradient, PM_OP_SPMM_T);
    return dense >= 0 ? fuse_matmul_adam(f, dense, adam) : sparse >= 0 ? fuse_spmm_t_adam(f, sparse, adam) : PM_OK;
}

static pm_status fuse_adagrad(fuser *f, int adagrad)
{
    const pm_graph_node a = f->g->nodes[adagrad];    // w, a, g, rate; eps, decay
    const int plain = sole_maker(f, a.operand[2], PM_OP_SPMM_T), away = sole_maker(f, a.operand[2], PM_OP_SPMM_T_AWAY), product = PM_MAX(plain, away);
    if (product < 0 || a.args[1].number != 0 || inputs_change(f, product, adagrad)) return PM_OK;
    const pm_graph_node m = f->g->nodes[product];    // tptr, trow, tpos, val, dy, and where it is away, w
    if (away >= 0 && m.operand[5] != a.operand[0]) return PM_OK;
    PM_TRY(put(f, product, PM_OP_TAKE_COLS, (int32_t[]){ m.operand[3], m.operand[2] }, NULL, m.label));
    const int32_t in[] = { m.operand[0], m.operand[1], f->g->nodes[product].operand[2], m.operand[4], a.operand[0], a.operand[1], a.operand[3] };
    return put(f, adagrad, PM_OP_SPMM_T_ADAGRAD, in, (pm_arg[]){ a.args[0], { .flag = away >= 0 } }, a.label);
}

static pm_status fuse_sgd(fuser *f, int sgd)
{
    const pm_graph_node a = f->g->nodes[sgd];    // w, m, g, rate, of sgd_rows tptr; momentum, decay
    const int product = sole_maker(f, a.operand[2], PM_OP_SPMM_T);
    if (product < 0 || inputs_change(f, product, sgd)) return PM_OK;
    const pm_graph_node m = f->g->nodes[product];    // tptr, trow, tpos, val, dy
    const bool rests = a.op == PM_OP_SGD_ROWS ? m.operand[0] == a.operand[4] : a.args[0].number == 0 && a.args[1].number == 0;
    if (!rests) return PM_OK;
    PM_TRY(put(f, product, PM_OP_TAKE_COLS, (int32_t[]){ m.operand[3], m.operand[2] }, NULL, m.label));
    const int32_t in[] = { m.operand[0], m.operand[1], f->g->nodes[product].operand[2], m.operand[4], a.operand[0], a.operand[1], a.operand[3] };
    return put(f, sgd, PM_OP_SPMM_T_SGD, in, a.args, a.label);
}

pm_status pm_graph_fuse(pm_graph *g)
{
    fuser f = { .g = g };
    pm_status st = learn(&f);
    const int count = g->node_count;
    for (int i = 0; st == PM_OK && i < count; i++) {
        if (!f.alive[i]) continue;
        if (g->nodes[i].op == PM_OP_ADD_ROW) st = fuse_affine(&f, i);
        else if (g->nodes[i].op == PM_OP_ADAM || g->nodes[i].op == PM_OP_ADAM_ROWS) st = fuse_adam(&f, i);
        else if (g->nodes[i].op == PM_OP_ADAGRAD) st = fuse_adagrad(&f, i);
        else if (g->nodes[i].op == PM_OP_SGD_ROWS || g->nodes[i].op == PM_OP_SGD) st = fuse_sgd(&f, i);
    }
    forget(&f);
    return st;
}
