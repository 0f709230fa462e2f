// Optimisers: compositions of ops, and what their state is called.
#include <pumice/nn.h>

#include <math.h>

#include "core/core.h"

static const char *const suffixes[] = { ".adam.m", ".adam.v", ".adam.seen", ".adagrad.sum", ".sgd.m", ".sgd.seen" };

bool pm_is_optimiser_state(const char *tensor)
{
    const size_t n = strlen(tensor);
    for (int i = 0; i < PM_COUNT(suffixes); i++) {
        const size_t k = strlen(suffixes[i]);
        if (n > k && pm_name_equal(tensor + n - k, suffixes[i])) return true;
    }
    return false;
}

// A tensor of zeros beside the parameter, or the one that is there.
static pm_var state_of(pm_net *net, const char *param, pm_var w, const char *suffix)
{
    pm_graph *g = pm_net_graph(net);
    int64_t rows, cols;
    char *name = pm_sprintf(net, "%s%s", param, suffix);
    if (!name) return pm_graph_fail(g, PM_ERR_NOMEM, "no memory for a name");
    pm_shape_of(g, w, &rows, &cols);
    if (pm_graph_status(g) == PM_OK && !pm_store_find(pm_graph_store(g), name, NULL, NULL, NULL)) {
        const pm_status st = pm_store_add(pm_graph_store(g), name, PM_F32, rows, cols);
        if (st != PM_OK) pm_graph_fail(g, st, "%s", pm_ctx_message(pm_ctx_of(net)));
    }
    const pm_var state = pm_constant(g, name);
    pm_free(name);
    return state;
}

// f · (g + decay · w), which leaves the optimiser a decay of 0.
static pm_var scaled(pm_graph *g, pm_var w, pm_var gradient, float decay, pm_var factor)
{
    int64_t rows, cols;
    pm_shape_of(g, w, &rows, &cols);
    const pm_var all = decay != 0 ? pm_axpy(g, w, gradient, decay) : gradient;
    return pm_mul_col(g, all, pm_broadcast_row(g, factor, rows));
}

void pm_adam_step(pm_net *net, const char *param, pm_var rate, const pm_optimiser_adam *params)
{
    pm_graph *g = pm_net_graph(net);
    const pm_optimiser_adam p = *params;
    const float beta1 = p.beta1 != 0 ? p.beta1 : (float)PM_ADAM_BETA1, beta2 = p.beta2 != 0 ? p.beta2 : (float)PM_ADAM_BETA2, eps = p.eps != 0 ? p.eps : PM_ADAM_EPS;
    const pm_var w = pm_use(g, param), gradient = pm_gradient(g, w), m = state_of(net, param, w, ".adam.m"), v = state_of(net, param, w, ".adam.v");
    pm_graph_label(g, param);
    if (p.factor) pm_adam_clipped(g, w, m, v, gradient, rate, *p.factor, beta1, beta2, eps, p.decay);
    else if (p.met) pm_adam_rows(g, w, m, v, gradient, rate, *p.met, beta1, beta2, eps);
    else pm_adam(g, w, m, v, gradient, rate, beta1, beta2, eps, p.decay);
    pm_graph_label(g, NULL);
}

void pm_optimiser_step(pm_net *net, const char *param, pm_var rate, const pm_optimiser *o)
{
    pm_graph *g = pm_net_graph(net);
    if (o->kind == PM_ADAM) {
        pm_adam_step(net, param, rate, &(pm_optimiser_adam){ .decay = o->decay, .factor = o->factor, .met = o->met });
        return;
    }
    const pm_var w = pm_use(g, param);
    pm_var gradient = pm_gradient(g, w);
    float decay = o->decay;
    pm_graph_label(g, param);
    if (o->factor) {
        gradient = scaled(g, w, gradient, decay, *o->factor);
        decay = 0;
    }
    if (o->kind == PM_ADAGRAD) pm_adagrad(g, w, state_of(net, param, w, ".adagrad.sum"), gradient, rate, PM_ADAGRAD_EPS, decay);
    else if (o->met && !o->factor) pm_sgd_rows(g, w, state_of(net, param, w, ".sgd.m"), gradient, rate, *o->met, o->momentum, decay);
    else pm_sgd(g, w, state_of(net, param, w, ".sgd.m"), gradient, rate, o->momentum, decay);
    pm_graph_label(g, NULL);
}

void pm_sgd_catch_up(pm_net *net, const char *param, pm_var missed, pm_var power)
{
    pm_graph *g = pm_net_graph(net);
    const pm_var w = pm_use(g, param);
    pm_graph_label(g, param);
    pm_sgd_leap(g, w, state_of(net, param, w, ".sgd.m"), missed, power);
    pm_graph_label(g, NULL);
}

void pm_adam_catch_up(pm_net *net, const char *param, pm_var missed, pm_var state, pm_var rates, pm_var power)
{
    pm_graph *g = pm_net_graph(net);
    const pm_var w = pm_use(g, param);
    pm_graph_label(g, param);
    const pm_var m = state_of(net, param, w, ".adam.m"), v = state_of(net, param, w, ".adam.v");
    pm_adam_leap(g, w, m, v, missed, state, rates, power, PM_ADAM_EPS);
    pm_graph_label(g, NULL);
}

double pm_adam_rate(double lr, double beta1, double beta2, int64_t t)
{
    return lr * sqrt(1.0 - pow(beta2, (double)t)) / (1.0 - pow(beta1, (double)t));
}

double pm_optimiser_rate(pm_optimiser_kind kind, double lr, int64_t t)
{
    return kind == PM_ADAM ? pm_adam_rate(lr, PM_ADAM_BETA1, PM_ADAM_BETA2, t) : lr;
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
