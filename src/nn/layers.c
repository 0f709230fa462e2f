// Layers and optimisers: compositions of ops.
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

void pm_adam_step(pm_net *net, const char *param, pm_var rate, const pm_optimiser_adam *params)
{
    static const char *const suffixes[] = { "adam.m", "adam.v" };
    pm_graph *g = pm_net_graph(net);
    const pm_optimiser_adam p = *params;
    pm_var moments[2];
    const pm_var w = pm_use(g, param), gradient = pm_gradient(g, w);
    int64_t rows, cols;
    pm_shape_of(g, w, &rows, &cols);
    for (int i = 0; i < 2 && pm_graph_status(g) == PM_OK; i++) {
        char *name = pm_sprintf(net, "%s.%s", param, suffixes[i]);
        if (!name) {
            pm_graph_fail(g, PM_ERR_NOMEM, "no memory for a name");
            return;
        }
        if (!pm_store_find(pm_graph_store(g), name, NULL, NULL, NULL)) {
            const pm_status st = pm_store_add(pm_graph_store(g), name, PM_F32, rows, cols);
            if (st != PM_OK) pm_graph_fail(g, st, "%s", pm_ctx_message(pm_ctx_of(net)));
        }
        moments[i] = pm_constant(g, name);
        pm_free(name);
    }
    if (pm_graph_status(g) != PM_OK) return;
    pm_graph_label(g, param);
    const float beta1 = p.beta1 != 0 ? p.beta1 : 0.9f, beta2 = p.beta2 != 0 ? p.beta2 : 0.999f, eps = p.eps != 0 ? p.eps : 1e-8f;
    if (p.factor) pm_adam_clipped(g, w, moments[0], moments[1], gradient, rate, *p.factor, beta1, beta2, eps, p.decay);
    else pm_adam(g, w, moments[0], moments[1], gradient, rate, beta1, beta2, eps, p.decay);
    pm_graph_label(g, NULL);
}

pm_var pm_clip_gradients(pm_net *net, const bool *trained, const float *decay, float limit)
{
    pm_graph *g = pm_net_graph(net);
    pm_var total = { -1 };
    pm_graph_label(g, "clip");
    for (int i = 0; i < pm_net_param_count(net); i++) {
        if (!trained[i]) continue;
        const pm_var w = pm_use(g, pm_net_param_name(net, i)), squares = pm_row_sum(g, pm_grad_squares(g, w, pm_gradient(g, w), decay[i]));
        total = total.id < 0 ? squares : pm_add(g, total, squares);
    }
    const pm_var factor = pm_clip_factor(g, total, limit);
    pm_graph_label(g, NULL);
    return factor;
}

double pm_adam_rate(double lr, double beta1, double beta2, int64_t t)
{
    return lr * sqrt(1.0 - pow(beta2, (double)t)) / (1.0 - pow(beta1, (double)t));
}
