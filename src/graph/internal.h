// The graph's own data: values in creation order, nodes in program order.
#ifndef PM_GRAPH_DATA_H
#define PM_GRAPH_DATA_H

#include "backend/store.h"
#include "graph/graph.h"

// The op of a node that only makes a view, and of one whose work another does since (fuse.c).
enum { PM_NODE_VIEW = -1, PM_NODE_GONE = -2 };

typedef struct pm_value {
    pm_dtype   dtype;
    int64_t    rows, cols;
    int32_t    base, r0, c0;    // base: the value this is a view of, itself no view; −1
    pm_tensor *tensor;          // a store tensor, or the one that pm_output chose; NULL: the arena
    bool       wanted;          // depends on something that may be trained
    bool       ones;            // known to be 1 everywhere
    int32_t    grad;            // during pm_backward
    int32_t    total;           // gradient over all pm_backward calls
} pm_value;

typedef struct pm_graph_node {
    int         op;    // a pm_op, or PM_NODE_VIEW
    int32_t     operand[PM_MAX_OPERANDS];    // value ids: inputs, outputs, scratch
    pm_arg      args[PM_MAX_PARAMS];
    pm_dims     dims;
    const char *label;
} pm_graph_node;

struct pm_graph {
    pm_store      *store;
    pm_status      status;
    pm_value      *values;
    pm_graph_node *nodes;
    int            value_count, value_capacity, node_count, node_capacity;
    const char    *label;
    bool           differentiating;    // rules may repeat a noise stream
};

// A node of an op over existing values, checked, with new values as its outputs; it is not appended. args may be NULL where there are none.
pm_status pm_graph_make_node(pm_graph *g, pm_op op, const int32_t *in, const pm_arg *args, pm_graph_node *out);

// Replaces nodes by fused ones (fuse.c).
pm_status pm_graph_fuse(pm_graph *g);

// Plans a graph's live nodes into a program (program.c).
pm_status pm_program_create(pm_graph *g, pm_program **out);

static inline int32_t pm_value_root(const pm_graph *g, int32_t id)
{
    return g->values[id].base >= 0 ? g->values[id].base : id;
}

#endif
