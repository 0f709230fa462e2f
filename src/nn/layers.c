// Layers: compositions of ops.
#include <pumice/nn.h>

#include <math.h>

#include "core/core.h"

pm_var pm_activate(pm_graph *g, pm_var x, pm_activation activation)
{
    switch (activation) {
    case PM_TANH: return pm_tanh(g, x);
    case PM_SIGMOID: return pm_sigmoid(g, x);
    case PM_RELU: return pm_relu(g, x);
    case PM_LINEAR: break;
    }
    return x;
}

static pm_var named_param(pm_net *net, const char *name, const char *suffix, int64_t rows, int64_t cols, pm_init init)
{
    char *full = pm_sprintf(net, "%s.%s", name, suffix);
    if (!full) return pm_graph_fail(pm_net_graph(net), PM_ERR_NOMEM, "no memory for a name");
    const pm_var p = pm_param(net, full, rows, cols, init);
    pm_free(full);
    return p;
}

static pm_var bias_and_activation(pm_net *net, pm_var y, const char *name, int64_t out, pm_activation activation)
{
    pm_graph *g = pm_net_graph(net);
    const pm_var b = named_param(net, name, "b", 1, out, (pm_init){ PM_INIT_TRUNCATED, 1e-3f });
    return pm_activate(g, pm_add_row(g, y, b), activation);
}

pm_var pm_dense(pm_net *net, pm_var x, const char *name, int64_t out, pm_activation activation)
{
    pm_graph *g = pm_net_graph(net);
    int64_t rows, cols;
    pm_shape_of(g, x, &rows, &cols);
    pm_graph_label(g, name);
    const pm_var w = named_param(net, name, "w", cols, out, (pm_init){ PM_INIT_GLOROT, 0 });
    const pm_var y = bias_and_activation(net, pm_matmul(g, x, w, false, false), name, out, activation);
    pm_graph_label(g, NULL);
    return y;
}

pm_var pm_dense_sparse(pm_net *net, const pm_sparse *x, const char *name, int64_t out, pm_activation activation)
{
    pm_graph *g = pm_net_graph(net);
    pm_graph_label(g, name);
    const pm_var w = named_param(net, name, "w", x->items, out, (pm_init){ PM_INIT_GLOROT, 0 });
    const pm_var y = bias_and_activation(net, pm_spmm(g, x->ptr, x->col, x->val, w), name, out, activation);
    pm_graph_label(g, NULL);
    return y;
}

pm_var pm_linear_sparse(pm_net *net, const pm_sparse *x, const char *name, int64_t out)
{
    pm_graph *g = pm_net_graph(net);
    pm_graph_label(g, name);
    const pm_var w = named_param(net, name, "w", x->items, out, (pm_init){ PM_INIT_GLOROT, 0 });
    const pm_var y = pm_spmm(g, x->ptr, x->col, x->val, w);
    pm_graph_label(g, NULL);
    return y;
}

static pm_var named_statistic(pm_net *net, const char *name, const char *suffix, int64_t cols, float first)
{
    char *full = pm_sprintf(net, "%s.%s", name, suffix);
    if (!full) return pm_graph_fail(pm_net_graph(net), PM_ERR_NOMEM, "no memory for a name");
    const pm_var v = pm_statistic(net, full, 1, cols, (pm_init){ PM_INIT_CONSTANT, first });
    pm_free(full);
    return v;
}

pm_var pm_batch_normalize(pm_net *net, pm_var x, const char *name, pm_var live, bool training)
{
    const float eps = 1e-3f, keep = 0.99f;
    pm_graph *g = pm_net_graph(net);
    int64_t rows, cols;
    pm_shape_of(g, x, &rows, &cols);
    pm_graph_label(g, name);
    const pm_var gain = named_param(net, name, "gain", 1, cols, (pm_init){ PM_INIT_CONSTANT, 1 });
    const pm_var bias = named_param(net, name, "b", 1, cols, (pm_init){ PM_INIT_ZERO, 0 });
    const pm_var running_mean = named_statistic(net, name, "mean", cols, 0), running_var = named_statistic(net, name, "var", cols, 1);
    pm_var y;
    if (training) {
        pm_var mean, var;
        y = pm_batch_norm(g, x, live, gain, bias, eps, &mean, &var);
        pm_average(g, running_mean, mean, keep);
        pm_average(g, running_var, var, keep);
    } else {
        y = pm_batch_norm_apply(g, x, running_mean, running_var, gain, bias, eps);
    }
    pm_graph_label(g, NULL);
    return y;
}

pm_sparse pm_normalize_rows(pm_graph *g, pm_sparse x)
{
    x.val = pm_csr_normalize(g, x.ptr, x.val);
    return x;
}

pm_sparse pm_drop_entries(pm_graph *g, pm_sparse x, pm_var state, float keep, const char *stream)
{
    x.val = pm_csr_dropout(g, x.ptr, x.col, x.val, state, keep, stream);
    return x;
}

pm_var pm_sample_gaussian(pm_graph *g, pm_var mu, pm_var logvar, pm_var state, const char *stream)
{
    return pm_reparameterize(g, mu, logvar, state, stream, NULL);
}
