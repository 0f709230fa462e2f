// Networks: parameters with initial values, layers, optimisers. Compositions of ops, nothing more.
#ifndef PUMICE_NN_H
#define PUMICE_NN_H

#include <pumice/activation.h>
#include <pumice/graph.h>

PM_API_BEGIN

// How a parameter starts. Drawn on the host from the seed and the parameter's name, so the same on every device.
typedef enum pm_init_kind {
    PM_INIT_ZERO,
    PM_INIT_GLOROT,       // uniform in ±scale · sqrt(6 / (rows + cols)); scale 0 stands for 1 (Glorot and Bengio, 2010)
    PM_INIT_NORMAL,       // mean 0, deviation scale
    PM_INIT_TRUNCATED,    // the same, redrawn beyond two deviations
    PM_INIT_CONSTANT,     // scale everywhere
    PM_INIT_UNIFORM       // uniform in ±scale; 1 / sqrt(fan-in) is the fan-in rule
} pm_init_kind;

typedef struct pm_init {
    pm_init_kind kind;
    float        scale;
} pm_init;

typedef enum pm_activation { PM_LINEAR = PM_ACT_LINEAR, PM_TANH = PM_ACT_TANH, PM_SIGMOID = PM_ACT_SIGMOID, PM_RELU = PM_ACT_RELU } pm_activation;

// A batch of sparse rows (see "sparse" in ops.def): offsets [rows + 1], columns [entries], values [entries].
typedef struct pm_sparse {
    pm_var  ptr, col, val;
    int64_t rows, items, entries;    // entries: the worst case, not the count
} pm_sparse;

// A network under construction: a graph, and the list of parameters it was built with.
typedef struct pm_net pm_net;
pm_status   pm_net_create(pm_graph *g, uint64_t seed, pm_net **out);    // hangs from the graph's store
void        pm_net_destroy(pm_net **net);
// Goes on with another graph over the same store: its parameters are known there already, those it declares join the list.
pm_status   pm_net_capture(pm_net *net, pm_graph *g);
pm_graph   *pm_net_graph(const pm_net *net);
int         pm_net_param_count(const pm_net *net);
const char *pm_net_param_name(const pm_net *net, int index);

// A trained parameter [rows, cols] called `name` in the store: that one, or a new one with its initial value.
pm_var pm_param(pm_net *net, const char *name, int64_t rows, int64_t cols, pm_init init);

// A tensor that training updates by ops of its own and no optimiser trains, such as running statistics. Kept, restored and reset with the
// parameters.
pm_var pm_statistic(pm_net *net, const char *name, int64_t rows, int64_t cols, pm_init init);

// Whether an optimiser trains parameter `index`, and whether weight decay falls on it: on weights, not on biases (NAME.b) and not on the gain
// of a normalisation (NAME.gain).
bool pm_net_param_trained(const pm_net *net, int index);
bool pm_net_param_decays(const pm_net *net, int index);

// Max-norm (MIL, equation 14), declared while the network is captured: after every update of the parameter, each of its rows (or columns) that is
// longer than `limit` is shortened to it. A limit of 0 is none. The optimiser's caller appends it by pm_net_constrain.
void pm_net_max_norm(pm_net *net, const char *name, float limit, bool columns);
void pm_net_constrain(pm_net *net, int index);

// Rows of a weight that wait in this graph: only those that a batch meets are read, and the optimiser steps those alone (pm_optimiser.met).
typedef struct pm_wait {
    pm_var      met;       // offsets [1, rows + 1] of the batch's transpose: rows that have entries are met
    pm_var      missed;    // u32 [rows, 1]: the steps that those have missed (op rows_missed)
    const char *seen;      // the tensor u32 [rows, 1] it is counted by
} pm_wait;

// Whether they may: not of a bias, a gain, a statistic or what is under a max-norm. And declares that they do; `seen` is copied. Weights that say nothing in a
// graph do not wait in it, and have none (NULL).
bool           pm_net_may_wait(const pm_net *net, const char *name);
void           pm_net_wait(pm_net *net, const char *name, const pm_wait *how);
const pm_wait *pm_net_param_wait(const pm_net *net, int index);

// Puts every parameter of the network back to its initial value.
pm_status pm_net_reset(pm_net *net);

pm_var pm_activate(pm_graph *g, pm_var x, pm_activation activation);

// y = activation(x · w + b), w "NAME.w" [in, out] Glorot, b "NAME.b" [1, out] truncated normal of deviation 0.001.
pm_var pm_dense(pm_net *net, pm_var x, const char *name, int64_t out, pm_activation activation);

// The same for a batch of sparse rows: w is [items, out].
pm_var pm_dense_sparse(pm_net *net, const pm_sparse *x, const char *name, int64_t out, pm_activation activation);

// x · w alone, for what follows it to bring the bias.
pm_var pm_linear_sparse(pm_net *net, const pm_sparse *x, const char *name, int64_t out);

// Batch normalisation of x [rows, k] over its live rows (Ioffe and Szegedy, 2015): gain "NAME.gain" (1 at first), bias "NAME.b" (0), running statistics
// "NAME.mean" and "NAME.var" (0 and 1). In training the batch's own statistics serve, and the running ones take 1 % of them; else the
// running ones serve, and live is not looked at. eps 1e-3.
pm_var pm_batch_normalize(pm_net *net, pm_var x, const char *name, pm_var live, bool training);

// The values of the batch rescaled to Euclidean length 1 a row, and with dropout; pm_sparse in, pm_sparse out.
pm_sparse pm_normalize_rows(pm_graph *g, pm_sparse x);
pm_sparse pm_drop_entries(pm_graph *g, pm_sparse x, pm_var state, float keep, const char *stream);

// Negatives as counts: each row of the result [rows, items] u32 is a draw of Multinomial(draws, popularity / Σ popularity) of its own, by
// draw_counts, whose noise is called `name`. Its tables are made here, in integers and in arithmetic that every machine does alike, and live in the
// store as NAME.ptr, NAME.table, NAME.accept and NAME.alias; a second call with the name uses them as they are.
// popularity   [items], on the host; an item of 0 is never drawn
// draws        from 1 to 10⁷
// Errors (by the graph)   PM_ERR_ARG; PM_ERR_DATA when popularity is 0 throughout; PM_ERR_DEVICE_MEMORY when the counts are more than the device can
//              hold, before anything is allocated
pm_var pm_draw_popular(pm_graph *g, const char *name, const uint32_t *popularity, int64_t items, int64_t rows, int64_t draws, pm_var state);

// z ~ N(mu, exp(logvar)), reparameterised: z = mu + exp(logvar / 2) · noise (Kingma and Welling, 2014). mu, logvar [rows, k].
pm_var pm_sample_gaussian(pm_graph *g, pm_var mu, pm_var logvar, pm_var state, const char *stream);

// Adam over one parameter, appended after pm_backward; the state is "NAME.adam.m", "NAME.adam.v" in the store. rate [1, 1] has the bias
// correction folded in (pm_adam_rate). decay adds decay · w to the gradient: for a penalty λ·Σw² that is 2λ.
#define PM_ADAM_BETA1 0.9
#define PM_ADAM_BETA2 0.999
#define PM_ADAM_EPS   1e-8f
typedef struct pm_optimiser_adam {
    float beta1, beta2, eps;    // 0: those above
    float decay;
    const pm_var *factor;       // [1, 1]: what the gradient, decay included, is multiplied by (pm_clip_gradients); NULL: 1
    const pm_var *met;          // without decay and factor: offsets [1, rows + 1] of a batch's transpose; rows without entries stay (op adam_rows). NULL: none do
} pm_optimiser_adam;
void pm_adam_step(pm_net *net, const char *param, pm_var rate, const pm_optimiser_adam *params);

// The factor that makes the gradients of the parameters with trained[i] together no longer than `limit`: limit / length where the length,
// decay[i] · w of parameter i included, is above it, else 1. After pm_backward.
pm_var pm_clip_gradients(pm_net *net, const bool *trained, const float *decay, float limit);

// lr · sqrt(1 − beta2^t) / (1 − beta1^t) for step t = 1, 2, …, in double.
double pm_adam_rate(double lr, double beta1, double beta2, int64_t t);

// Any optimiser over one parameter, appended after pm_backward.
//     PM_ADAM      pm_adam_step with its usual settings
//     PM_ADAGRAD   the op adagrad; state "NAME.adagrad.sum". Rows of a table that no entry of a batch reads stay as they are
//     PM_SGD       the op sgd; state "NAME.sgd.m"
// Tensors called "NAME.adam.seen" and "NAME.sgd.seen" count as state too (pm_wait). rate [1, 1] is pm_optimiser_rate of the step. decay and factor as Adam has them.
typedef enum pm_optimiser_kind { PM_ADAM, PM_ADAGRAD, PM_SGD } pm_optimiser_kind;

typedef struct pm_optimiser {
    pm_optimiser_kind kind;
    float             decay;
    float             momentum;    // of PM_SGD
    const pm_var     *factor;      // NULL: 1
    const pm_var     *met;         // of PM_SGD and PM_ADAM without a factor, of PM_ADAM without decay: as pm_optimiser_adam has it (ops sgd_rows, adam_rows)
} pm_optimiser;
void   pm_optimiser_step(pm_net *net, const char *param, pm_var rate, const pm_optimiser *optimiser);
double pm_optimiser_rate(pm_optimiser_kind kind, double lr, int64_t t);    // t = 1, 2, …

// Rows of a parameter take the steps they have missed, before anything reads them (ops rows_missed and sgd_leap, adam_leap). missed [rows, 1], power [t, 4]; for
// PM_ADAM power [t, 3], the step state and the rates [1, s] of an epoch's steps.
void pm_sgd_catch_up(pm_net *net, const char *param, pm_var missed, pm_var power);
void pm_adam_catch_up(pm_net *net, const char *param, pm_var missed, pm_var state, pm_var rates, pm_var power);

#define PM_ADAGRAD_EPS 1e-8f    // below what it divides by

// Whether a tensor of the store is the state of an optimiser.
bool pm_is_optimiser_state(const char *tensor);

PM_API_END
#endif
