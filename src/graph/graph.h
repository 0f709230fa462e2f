// Inside of a graph: values, nodes, and what gradient rules may use.
#ifndef PM_GRAPH_INTERNAL_H
#define PM_GRAPH_INTERNAL_H

#include <pumice/graph.h>

#include "op/op.h"

// Appends an op. in: the op's inputs; args: its parameters; out: filled with its outputs (poison after a failure).
void pm_graph_op(pm_graph *g, pm_op op, const pm_var *in, const pm_arg *args, pm_var *out);

// A node as its gradient rule sees it. grad[i] is the gradient of output i, poison when nothing depends on it.
typedef struct pm_node {
    pm_op         op;
    int           ins, outs;
    const pm_var *in, *out;
    const pm_var *grad;
    const pm_arg *args;
} pm_node;

static inline bool pm_is_some(pm_var v)
{
    return v.id >= 0;
}

// Whether the gradient of v is wanted: v depends on something that is trained.
bool pm_graph_wants(const pm_graph *g, pm_var v);

// Whether v is known to be all ones: the seed of a loss.
bool pm_graph_is_ones(const pm_graph *g, pm_var v);

// Adds `grad` to the gradient of v.
void pm_graph_give(pm_graph *g, pm_var v, pm_var grad);

// csr_transpose of a batch's ptr and col, or what it gave where it was captured before: nothing writes those two in place.
pm_var pm_graph_transpose(pm_graph *g, pm_var ptr, pm_var col, int64_t items, pm_var *trow, pm_var *tpos);

// One rule an op with gradient `own`.
typedef void pm_gradient_rule(pm_graph *g, const pm_node *n);

#endif
