// Capturing a graph: values, op calls, views, outputs.
#include "graph/internal.h"

#include <stdio.h>

static const pm_var poison = { -1 };

pm_status pm_graph_create(pm_store *store, pm_graph **out)
{
    *out = pm_new(store, pm_graph);
    PM_CHECK_ALLOC(*out);
    (*out)->store = store;
    return PM_OK;
}

void pm_graph_destroy(pm_graph **g)
{
    if (!g) return;
    pm_free(*g);
    *g = NULL;
}

pm_store *pm_graph_store(const pm_graph *g)
{
    return g->store;
}

pm_status pm_graph_status(const pm_graph *g)
{
    return g->status;
}

void pm_graph_label(pm_graph *g, const char *label)
{
    if (g->status != PM_OK) return;
    g->label = label ? pm_strdup(g, label) : NULL;
    if (label && !g->label) g->status = PM_ERR_NOMEM;
}

pm_var pm_graph_fail(pm_graph *g, pm_status status, const char *format, ...)
{
    if (g->status != PM_OK) return poison;
    char sentence[512];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    g->status = pm_fail(g, status, "%s", sentence);
    return poison;
}

static bool valid(pm_graph *g, pm_var v)
{
    if (g->status != PM_OK) return false;
    if (v.id >= 0 && v.id < g->value_count) return true;
    pm_graph_fail(g, PM_ERR_ARG, "an operand is no value of this graph");
    return false;
}

static int32_t add_value(pm_graph *g, pm_value v)
{
    if (g->value_count == g->value_capacity) {
        const int capacity = g->value_capacity ? 2 * g->value_capacity : 64;
        g->status = pm_grow_array(g, (void **)&g->values, capacity, sizeof *g->values);
        if (g->status != PM_OK) return -1;
        g->value_capacity = capacity;
    }
    v.grad = v.total = -1;
    g->values[g->value_count] = v;
    return g->value_count++;
}

static pm_graph_node *add_node(pm_graph *g, int op)
{
    if (g->node_count == g->node_capacity) {
        const int capacity = g->node_capacity ? 2 * g->node_capacity : 64;
        g->status = pm_grow_array(g, (void **)&g->nodes, capacity, sizeof *g->nodes);
        if (g->status != PM_OK) return NULL;
        g->node_capacity = capacity;
    }
    pm_graph_node *n = &g->nodes[g->node_count++];
    *n = (pm_graph_node){ .op = op, .label = g->label };
    return n;
}

static pm_var use_tensor(pm_graph *g, const char *name, bool wanted)
{
    if (g->status != PM_OK) return poison;
    pm_tensor *t = pm_store_tensor(g->store, name);
    if (!t) return pm_graph_fail(g, PM_ERR_NOT_FOUND, "the store has no tensor \"%s\"", name);
    for (int i = 0; i < g->value_count; i++) {
        if (g->values[i].tensor != t || g->values[i].base >= 0) continue;
        g->values[i].wanted |= wanted && t->dtype == PM_F32;
        return (pm_var){ i };
    }
    return (pm_var){ add_value(g, (pm_value){ .dtype = t->dtype, .rows = t->rows, .cols = t->cols, .base = -1, .tensor = t,
                                              .wanted = wanted && t->dtype == PM_F32 }) };
}

pm_var pm_use(pm_graph *g, const char *name)
{
    return use_tensor(g, name, true);
}

pm_var pm_constant(pm_graph *g, const char *name)
{
    return use_tensor(g, name, false);
}

void pm_shape_of(const pm_graph *g, pm_var x, int64_t *rows, int64_t *cols)
{
    const bool known = x.id >= 0 && x.id < g->value_count;
    *rows = known ? g->values[x.id].rows : 0;
    *cols = known ? g->values[x.id].cols : 0;
}

pm_var pm_slice(pm_graph *g, pm_var x, int64_t r0, int64_t rows, int64_t c0, int64_t cols)
{
    if (!valid(g, x)) return poison;
    const pm_value v = g->values[x.id];
    if (r0 < 0 || c0 < 0 || rows <= 0 || cols <= 0 || rows > v.rows - r0 || cols > v.cols - c0)
        return pm_graph_fail(g, PM_ERR_SHAPE, "slice: rows %" PRId64 " + %" PRId64 ", columns %" PRId64 " + %" PRId64
                             " do not lie in [%" PRId64 ", %" PRId64 "]", r0, rows, c0, cols, v.rows, v.cols);
    pm_graph_node *n = add_node(g, PM_NODE_VIEW);
    if (!n) return poison;
    const int32_t root = pm_value_root(g, x.id);
    const int32_t id = add_value(g, (pm_value){ .dtype = v.dtype, .rows = rows, .cols = cols, .base = root,
                                                .r0 = (int32_t)(r0 + (v.base >= 0 ? v.r0 : 0)),
                                                .c0 = (int32_t)(c0 + (v.base >= 0 ? v.c0 : 0)), .wanted = v.wanted });
    n->operand[0] = root;
    n->operand[1] = id;
    return (pm_var){ id };
}

// Two noise nodes of one name or one hash would draw the same numbers.
static bool stream_is_new(pm_graph *g, const char *stream)
{
    for (int i = 0; i < g->node_count; i++) {
        if (g->nodes[i].op < 0) continue;
        const pm_signature *s = &pm_op_table[g->nodes[i].op].sig;
        for (int k = 0; k < s->params; k++) {
            if (s->param[k].kind != PM_PARAM_STREAM) continue;
            const char *other = g->nodes[i].args[k].stream;
            if (pm_stream_number(other) != pm_stream_number(stream)) continue;
            pm_graph_fail(g, PM_ERR_ARG, pm_name_equal(other, stream) ? "two noise nodes are called \"%s\"; give each its own name"
                                                                      : "the noise names \"%s\" and \"%s\" hash alike; rename one",
                          stream, other);
            return false;
        }
    }
    return true;
}

static bool keep_args(pm_graph *g, const pm_signature *s, const pm_arg *args, pm_arg *kept)
{
    for (int k = 0; k < s->params; k++) {
        kept[k] = args[k];
        if (s->param[k].kind != PM_PARAM_STREAM) continue;
        if (!args[k].stream) {
            pm_graph_fail(g, PM_ERR_ARG, "a noise node needs a name");
            return false;
        }
        if (!g->differentiating && !stream_is_new(g, args[k].stream)) return false;
        kept[k].stream = pm_strdup(g, args[k].stream);
        if (!kept[k].stream) g->status = PM_ERR_NOMEM;
    }
    return g->status == PM_OK;
}

static void add_outputs(pm_graph *g, pm_graph_node *node, const pm_dtype *dtypes, bool wanted)
{
    const pm_signature *s = &pm_op_table[node->op].sig;
    for (int i = 0; i < s->outs + s->temps; i++) {
        const pm_shape shape = pm_op_out_shape(node->op, i, &node->dims);
        int64_t count;
        if (!pm_mul_size(shape.rows, shape.cols, &count) || count >= INT64_C(1) << 32 || count <= 0) {
            pm_graph_fail(g, PM_ERR_SHAPE, "%s: its result would be [%" PRId64 ", %" PRId64 "]; sizes are 1 to 2^32 - 1 elements",
                          pm_op_name(node->op), shape.rows, shape.cols);
            return;
        }
        const pm_dtype dtype = pm_op_out_dtype(node->op, i, dtypes);
        node->operand[s->ins + i] = add_value(g, (pm_value){ .dtype = dtype, .rows = shape.rows, .cols = shape.cols, .base = -1,
                                                             .wanted = wanted && dtype == PM_F32 && i < s->outs });
    }
}

pm_status pm_graph_make_node(pm_graph *g, pm_op op, const int32_t *in, const pm_arg *args, pm_graph_node *out)
{
    const pm_signature *s = &pm_op_table[op].sig;
    pm_shape shapes[PM_MAX_OPERANDS] = { { 0, 0 } };
    pm_dtype dtypes[PM_MAX_OPERANDS] = { PM_F32 };
    bool wanted = false;
    *out = (pm_graph_node){ .op = op, .label = g->label };
    for (int i = 0; i < s->ins; i++) {
        const pm_value *v = &g->values[in[i]];
        shapes[i] = (pm_shape){ v->rows, v->cols };
        dtypes[i] = v->dtype;
        wanted |= v->wanted;
        out->operand[i] = in[i];
    }
    if (g->status == PM_OK) g->status = pm_op_bind(g, op, shapes, dtypes, args, &out->dims);
    if (g->status == PM_OK && keep_args(g, s, args, out->args)) add_outputs(g, out, dtypes, wanted);
    return g->status;
}

void pm_graph_op(pm_graph *g, pm_op op, const pm_var *in, const pm_arg *args, pm_var *out)
{
    const pm_signature *s = &pm_op_table[op].sig;
    int32_t ids[PM_MAX_OPERANDS];
    for (int i = 0; i < s->outs; i++) out[i] = poison;
    for (int i = 0; i < s->ins; i++) {
        if (!valid(g, in[i])) return;
        ids[i] = in[i].id;
    }
    pm_graph_node node;
    if (g->status != PM_OK || pm_graph_make_node(g, op, ids, args, &node) != PM_OK) return;
    pm_graph_node *kept = add_node(g, op);
    if (!kept) return;
    *kept = node;
    for (int i = 0; i < s->outs; i++) out[i].id = node.operand[s->ins + i];
    if (op == PM_OP_FILL) g->values[out[0].id].ones = node.args[2].number == 1.0f;
}

void pm_output(pm_graph *g, pm_var x, const char *name)
{
    if (!valid(g, x)) return;
    const pm_value v = g->values[x.id];
    pm_tensor *t = pm_store_tensor(g->store, name);
    if (!t) {
        g->status = pm_store_add(g->store, name, v.dtype, v.rows, v.cols);
        if (g->status != PM_OK) return;
        t = pm_store_tensor(g->store, name);
    } else if (t->rows != v.rows || t->cols != v.cols || t->dtype != v.dtype) {
        pm_graph_fail(g, PM_ERR_SHAPE, "output \"%s\": the store's tensor is [%" PRId64 ", %" PRId64 "], the value [%" PRId64 ", %" PRId64 "]",
                      name, t->rows, t->cols, v.rows, v.cols);
        return;
    }
    bool in_use = v.base >= 0 || v.tensor;    // no place of its own to give
    for (int i = 0; i < g->value_count; i++) in_use |= g->values[i].tensor == t;
    if (in_use) x = pm_copy(g, x);
    if (valid(g, x)) g->values[x.id].tensor = t;
}

pm_status pm_graph_compile(pm_graph **g, pm_program **out)
{
    *out = NULL;
    pm_status st = (*g)->status;
    if (st == PM_OK) st = pm_program_create(*g, out);
    pm_graph_destroy(g);
    return st;
}
