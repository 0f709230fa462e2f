// Autoencoders of ratings with a loss over known entries alone: stacked denoising ones ("Collaborative Filtering with Stacked Denoising AutoEncoders and
// Sparse Inputs", Strub and Mary, 2015; tables and sections are that paper's) and AutoRec ("AutoRec: Autoencoders Meet Collaborative Filtering", Sedhain et
// al., 2015). One whose name begins with u reads a user's ratings and says all items'; v: an item's, and all users'.
//     h = f(x · W1 + c1), z = g(h · W4ᵀ + c4), of x the known entries;  L = mean over rows of Σ_known w · (z − x)²
// in the stacked ones h passes another pair of layers, f(f(h · W2 + c2) · W3 + c3), and w is alpha where noise fell on an entry, else beta.
#include <math.h>

#include <pumice/state.h>

#include "models/pairs.h"

// ---- hyperparameters -----------------------------------------------------------------------------------------------

#define DENSE_HYPER                                                                                                                                    \
    { "dense_above", PM_HYPER_NUMBER, "0.15", 0, 1, NULL, "where a larger share of entries is known, scores in training are a dense product, else of known "  \
      "entries alone: the same but for rounding", "Section 2.2" }

#define OPTIMISER_HYPERS(optimiser, momentum, paper)                                                                                                   \
    { "optimizer", PM_HYPER_CHOICE, optimiser, 0, 0, "adagrad|adam|sgd", "what makes a step of a gradient; with adagrad and decay 0 only weights of what " \
      "a batch has met are visited", paper },                                                                                                          \
    PM_MOMENTUM_HYPER(momentum, paper)

#define LR_DECAY_HYPER(prefix, value, paper)                                                                                                           \
    { prefix "lr_decay", PM_HYPER_NUMBER, value, 0, 1e6, NULL, "the rate of epoch t = 0, 1, ... is " prefix "lr / (1 + " prefix "lr_decay * t)", paper }

// How a part of the training goes: Table 1's rows. is: what it trains.
#define PHASE_HYPERS(prefix, is, lr, lr_decay, decay, alpha, beta, mask, salt, gauss)                                                                  \
    { prefix "lr", PM_HYPER_NUMBER, lr, 0, 10, NULL, "learning rate " is, "Table 1" },                                                                 \
    LR_DECAY_HYPER(prefix, lr_decay, "Table 1"),                                                                                                       \
    { prefix "decay", PM_HYPER_NUMBER, decay, 0, 1e6, NULL, "weight decay: penalty 1/2 * decay * sum(w^2), not on biases (gradient decay * w)", "Table 1" },     \
    { prefix "alpha", PM_HYPER_NUMBER, alpha, 0, 1e6, NULL, "weight of an entry that noise fell on", "Section 2.1, Table 1" },                         \
    { prefix "beta", PM_HYPER_NUMBER, beta, 0, 1e6, NULL, "weight of any other", "Section 2.1, Table 1" },                                             \
    { prefix "mask", PM_HYPER_NUMBER, mask, 0, 1, NULL, "share of inputs that become 0", "Section 2.1, Table 1" },                                     \
    { prefix "salt", PM_HYPER_NUMBER, salt, 0, 1, NULL, "share that become the least or the largest there is", "Section 2.1, Table 1" },              \
    { prefix "gauss", PM_HYPER_NUMBER, gauss, 0, 1, NULL, "share that a normal number is added to", "Section 2.1, Table 1" },                          \
    { prefix "sigma", PM_HYPER_NUMBER, "0.02", 0, 100, NULL, "its deviation", "Table 1" }

#define STACKED_HYPERS(center)                                                                                                                         \
    { "layers", PM_HYPER_CHOICE, "4", 0, 0, "2|4", "2: the outer pair alone, its settings those that begin with outer_", "Section 3.1" },              \
    { "outer_size", PM_HYPER_NUMBER, "1/10", 1e-9, 1e6, NULL, "units of the outer pair; below 1 a share of the input, at least one unit", "Section 3.1" },  \
    { "inner_size", PM_HYPER_NUMBER, "1/12", 1e-9, 1e6, NULL, "units of the inner pair, likewise", "Section 3.1" },                                    \
    { "output", PM_HYPER_CHOICE, "tanh", 0, 0, "linear|tanh", "of the last layer", "Section 3.1" },                                                    \
    PM_CENTER_HYPER(center),                                                                                                                           \
    { "outer_epochs", PM_HYPER_INTEGER, "20", 1, 1e6, NULL, "passes over the rows that train the outer pair, where there is an inner one", "Figure 1" },     \
    { "inner_epochs", PM_HYPER_INTEGER, "5", 1, 1e6, NULL, "then the inner pair on the outer one's codes", "Figure 1" },                               \
    { "epochs", PM_HYPER_INTEGER, "50", 1, 1e6, NULL, "then all four layers; with layers=2, of all training", "Figure 1" },                            \
    { "batch", PM_HYPER_INTEGER, "20", 1, 65536, NULL, "rows a step", "Section 3.1" },                                                                 \
    OPTIMISER_HYPERS("sgd", "0.8", "Section 3.1"),                                                                                                     \
    PHASE_HYPERS("outer_", "of the outer pair", "0.03", "0.1", "0.03", "1", "0.8", "0.15", "0.05", "0"),                                               \
    PHASE_HYPERS("inner_", "of the inner pair", "1e-5", "0.1", "0.2", "1", "1", "0", "0.1", "0.8"),                                                    \
    PHASE_HYPERS("", "of all four layers", "0.004", "0.2", "0.03", "1.2", "0.8", "0.15", "0.05", "0"),                                                 \
    DENSE_HYPER, { .name = NULL }

static const pm_hyper u_hypers[] = { STACKED_HYPERS("user") }, v_hypers[] = { STACKED_HYPERS("item") };

#define AUTOREC_HYPERS(center, batch_value, decay_value)                                                                                               \
    { "latent", PM_HYPER_INTEGER, "500", 1, 1e5, NULL, "hidden units", "AutoRec, Section 3" },                                                         \
    { "activation", PM_HYPER_CHOICE, "sigmoid", 0, 0, "linear|sigmoid", "of the hidden layer; the last one is linear", "AutoRec, Table 1b" },          \
    PM_CENTER_HYPER(center),                                                                                                                           \
    { "decay", PM_HYPER_NUMBER, decay_value, 0, 1e6, NULL, "penalty 1/2 * decay * sum(w^2), not on biases; beside the paper's sum over rows its lambda is decay * rows", \
      "AutoRec, equation 2" },                                                                                                                         \
    OPTIMISER_HYPERS("adam", "0", NULL),                                                                                                               \
    { "epochs", PM_HYPER_INTEGER, "100", 1, 1e6, NULL, "passes over the rows", NULL },                                                                 \
    { "batch", PM_HYPER_INTEGER, batch_value, 1, 65536, NULL, "rows a step", NULL },                                                                   \
    { "lr", PM_HYPER_NUMBER, "1e-3", 0, 10, NULL, "learning rate", NULL },                                                                             \
    LR_DECAY_HYPER("", "0", NULL),                                                                                                                     \
    DENSE_HYPER, { .name = NULL }

static const pm_hyper u_autorec_hypers[] = { AUTOREC_HYPERS("user", "200", "0.03") }, v_autorec_hypers[] = { AUTOREC_HYPERS("item", "100", "0.01") };

#define STACKED_PRESETS(center, jester)                                                                                                                \
    { "ml-1m", "outer_size=1/10 inner_size=1/12 center=" center, "published settings: Table 1, which are the defaults" },                             \
    { "ml-1m-700", "outer_size=700 inner_size=500 center=" center, "layers as the same authors had them later" },                                     \
    { "jester", jester " center=" center, "published settings" }, { .name = NULL }

static const pm_preset u_presets[] = { STACKED_PRESETS("user", "outer_size=1/10 inner_size=1/12") };
static const pm_preset v_presets[] = { STACKED_PRESETS("item", "outer_size=1/1000 inner_size=1/1500") };

// Lambda stands beside a sum over the items of squares of ratings from 1 to 5. On [-1, 1] squares are a quarter of those, and the two weights share the factor, since what
// one gives in length the other may take: lambda / 4, and over the 3,706 items.
static const pm_preset v_autorec_presets[] = {
    { "ml-1m", "latent=500 activation=sigmoid decay=0.0135 center=item lr=3e-4 lr_decay=0.1 epochs=200", "published settings: 500 units, lambda 200; the rate is ours" },
    { .name = NULL },
};

static const pm_preset u_autorec_presets[] = {
    { "ml-1m", "latent=500 activation=sigmoid decay=0.01 center=user lr=5e-4 lr_decay=0.1 epochs=200", "published size: 500 units; lambda and the rate are ours, on validation" },
    { .name = NULL },
};

// nu · alpha / ((1 − nu) · beta) = 1/3, nu the share corrupted, three quarters of it masked: of nu 0, .1, .2, .3, .5 alpha is any, 3, 4/3, 7/9, 1/3 at beta 1;
// then alpha or beta alone at nu .2.
#define TIED "outer_mask/mask/outer_salt/salt/outer_alpha/alpha/outer_beta/beta="
#define NOISY(mask, salt, alpha, beta) mask "/" mask "/" salt "/" salt "/" alpha "/" alpha "/" beta "/" beta

static const pm_model_grid stacked_grids[] = {
    { "figure-2", TIED NOISY("0", "0", "1", "1") "," NOISY("0.075", "0.025", "3", "1") "," NOISY("0.15", "0.05", "1.333333", "1") ","
      NOISY("0.225", "0.075", "0.777778", "1") "," NOISY("0.375", "0.125", "0.333333", "1") "," NOISY("0.15", "0.05", "1", "0") ","
      NOISY("0.15", "0.05", "1", "1"), "Figure 2 and Section 4.2: no noise; nu .1, .2, .3, .5 by the rule; nu .2 with beta 0, and with alpha = beta" },
    { "weights", "alpha=0.5,1,1.2,2;beta=0,0.3,0.8,1", "Section 4.2: alpha and beta must be balanced" },
    { "four-layers", "lr=0.001,0.004,0.016;decay=0.01,0.03,0.1;alpha=0.6,1.2", "Section 4.2: how far settings move four layers" },
    { "two-layers", "layers=2;outer_lr=0.0075,0.03,0.12;outer_decay=0.01,0.03,0.1;outer_alpha=0.5,1", "and two: the same factors about Table 1" },
    { .name = NULL },
};

static const pm_model_grid autorec_grids[] = {
    { "decay", "decay=0.003,0.01,0.03,0.1,0.3", "AutoRec, Section 3: lambda" },
    { .name = NULL },
};

static const char *const stacked_proofs[] = { "layers=2 output=linear dense_above=0 outer_gauss=0.1", "dense_above=1 mask=0 salt=0", NULL };
static const char *const autorec_proofs[] = { "dense_above=0 optimizer=sgd momentum=0.5", NULL };

static bool is_stacked(const pm_config *c)
{
    return pm_config_text(c, "outer_size") != NULL;
}

static bool has_inner(const pm_config *c)
{
    return pm_config_is(c, "layers", "4");
}

// Of users' ratings, not of items'.
static bool reads_users(const pm_build *b)
{
    return pm_config_model(b->config)->name[0] == 'u';
}

static double phase_number(const pm_config *c, const char *prefix, const char *name)
{
    char full[48] = "";
    strcat(strcat(full, prefix), name);
    return pm_config_number(c, full);
}

static pm_status check(const pm_config *c, int64_t items)
{
    static const char *const phases[] = { "outer_", "inner_", "" };
    (void)items;
    for (int i = 0; i < (has_inner(c) ? 3 : 1); i++) {
        const double share = phase_number(c, phases[i], "mask") + phase_number(c, phases[i], "salt") + phase_number(c, phases[i], "gauss");
        PM_REQUIRE(c, share <= 1 + 1e-9, PM_ERR_ARG, "%smask + %ssalt + %sgauss = %g: no more than all of the input can be corrupted; lower one of them to a sum of at most 1",
                   phases[i], phases[i], phases[i], share);
    }
    return PM_OK;
}

// ---- the network ---------------------------------------------------------------------------------------------------

// in [n, k], out [n, k] for the outer pair, which reads and says n; else [k, n].
typedef struct pair {
    pm_var  in, in_bias, out, out_bias;
    int64_t units;
} pair;

static int64_t input_size(const pm_build *b)
{
    return reads_users(b) ? b->items : b->users;
}

static int64_t units_of(const pm_build *b, const char *name)
{
    const double size = pm_config_number(b->config, name);
    return size < 1 ? PM_MAX(1, (int64_t)floor(size * (double)input_size(b) + 0.5)) : (int64_t)floor(size + 0.5);
}

// Uniform by the fan-in rule, or AutoRec's.
static pm_init weights(const pm_build *b, int64_t fan_in)
{
    return is_stacked(b->config) ? (pm_init){ PM_INIT_UNIFORM, (float)(1 / sqrt((double)fan_in)) } : (pm_init){ PM_INIT_GLOROT, 0 };
}

// Whether scores in training are a dense product.
static bool scores_all(const pm_build *b)
{
    return b->mean_length > pm_config_number(b->config, "dense_above") * (double)b->items;
}

// A weight with a row for each input: where scores are of known entries alone, only rows of the batch's are read.
static pm_var outer_weight(pm_build *b, const char *name, int64_t k, pm_init init)
{
    const int64_t n = input_size(b);
    return b->training && !scores_all(b) ? pm_row_param(b, name, n, k, init) : pm_param(b->net, name, n, k, init);
}

static pair outer_pair(pm_build *b)
{
    const int64_t n = input_size(b), k = is_stacked(b->config) ? units_of(b, "outer_size") : pm_config_integer(b->config, "latent");
    const pm_init zero = { PM_INIT_ZERO, 0 };
    return (pair){ outer_weight(b, "outer.encoder.w", k, weights(b, n)), pm_param(b->net, "outer.encoder.b", 1, k, zero),
                   outer_weight(b, "outer.decoder.w", k, weights(b, k)), pm_param(b->net, "outer.decoder.b", 1, n, zero), k };
}

// As it stands: nothing here is trained.
static pair frozen_outer_pair(pm_build *b)
{
    return (pair){ pm_constant(b->g, "outer.encoder.w"), pm_constant(b->g, "outer.encoder.b"), pm_constant(b->g, "outer.decoder.w"),
                   pm_constant(b->g, "outer.decoder.b"), units_of(b, "outer_size") };
}

static pair inner_pair(pm_build *b)
{
    const int64_t n = units_of(b, "outer_size"), k = units_of(b, "inner_size");
    const pm_init zero = { PM_INIT_ZERO, 0 };
    return (pair){ pm_param(b->net, "inner.encoder.w", n, k, weights(b, n)), pm_param(b->net, "inner.encoder.b", 1, k, zero),
                   pm_param(b->net, "inner.decoder.w", k, n, weights(b, k)), pm_param(b->net, "inner.decoder.b", 1, n, zero), k };
}

static pm_activation hidden_activation(const pm_build *b)
{
    return is_stacked(b->config) ? PM_TANH : pm_config_is(b->config, "activation", "sigmoid") ? PM_SIGMOID : PM_LINEAR;
}

static pm_var said(const pm_build *b, pm_var z)
{
    return pm_config_is(b->config, "output", "tanh") ? pm_tanh(b->g, z) : z;
}

static pm_var outer_code(pm_build *b, const pair *p, pm_var values)
{
    pm_graph_label(b->g, "outer.encoder");
    const pm_var z = pm_add_row(b->g, pm_spmm(b->g, b->x.ptr, b->x.col, values, p->in), p->in_bias), h = pm_activate(b->g, z, hidden_activation(b));
    pm_graph_label(b->g, NULL);
    return h;
}

static pm_var through_inner(pm_build *b, const pair *p, pm_var h)
{
    pm_graph *g = b->g;
    pm_graph_label(g, "inner");
    const pm_var code = pm_tanh(g, pm_add_row(g, pm_matmul(g, h, p->in, false, false), p->in_bias));
    const pm_var y = pm_tanh(g, pm_add_row(g, pm_matmul(g, code, p->out, false, false), p->out_bias));
    pm_graph_label(g, NULL);
    return y;
}

// What the last layer is given for rows as they are.
enum { DEEP, SHALLOW };    // pm_build.scorer: all layers there are; the outer pair while it is trained alone

static pm_var clean_code(pm_build *b, const pair *outer)
{
    const pm_var h = outer_code(b, outer, b->x.val);
    if (!has_inner(b->config) || b->scorer == SHALLOW) return h;
    const pair inner = inner_pair(b);
    return through_inner(b, &inner, h);
}

// ---- noise ---------------------------------------------------------------------------------------------------------

typedef struct noisy {
    pm_var x, weight;    // weight: alpha where something fell on it, else beta
} noisy;

static noisy corrupt(pm_build *b, pm_var x, const char *prefix, float least, float most)
{
    pm_graph *g = b->g;
    const pm_config *c = b->config;
    const double mask = phase_number(c, prefix, "mask"), salt = mask + phase_number(c, prefix, "salt"), gauss = phase_number(c, prefix, "gauss");
    const float alpha = (float)phase_number(c, prefix, "alpha"), beta = (float)phase_number(c, prefix, "beta");
    int64_t rows, cols;
    pm_shape_of(g, x, &rows, &cols);
    noisy n = { x, pm_fill(g, rows, cols, beta) };
    if (!(salt + gauss > 0)) return n;
    pm_graph_label(g, "noise");
    const pm_var add = gauss > 0 ? pm_scale(g, pm_normal(g, b->state, rows, cols, "gauss"), (float)phase_number(c, prefix, "sigma")) : x;
    pm_var hit;
    n.x = pm_corrupt(g, x, add, b->state, (float)mask, (float)salt, (float)(salt + gauss), least, most, "noise", &hit);
    if (alpha != beta) n.weight = pm_axpy(g, hit, n.weight, alpha - beta);
    pm_graph_label(g, NULL);
    return n;
}

// The least and the largest value of the training matrix, as the model has it.
static void extremes(pm_build *b, float *least, float *most)
{
    pm_store *store = pm_graph_store(b->g);
    int64_t one = 0, n = 0;
    *least = *most = 0;
    if (!pm_store_find(store, "train.val", NULL, &one, &n)) return;
    float *values = pm_new_array(store, float, n);
    const pm_status st = values ? pm_store_read(store, "train.val", values) : PM_ERR_NOMEM;
    if (st != PM_OK) pm_graph_fail(b->g, st, "the extremes of the training data: %s", pm_ctx_message(pm_ctx_of(store)));
    for (int64_t i = 0; st == PM_OK && i < n; i++) {
        *least = fminf(*least, values[i]);
        *most = fmaxf(*most, values[i]);
    }
    pm_free(values);
}

// ---- losses --------------------------------------------------------------------------------------------------------

// Of what the last layer makes of h, against the known entries. Where few are known nothing else is computed.
static pm_var known_loss(pm_build *b, const pair *outer, pm_var h, pm_var weight)
{
    pm_graph *g = b->g;
    const pm_sparse x = b->x;
    pm_graph_label(g, "outer.decoder");
    pm_var loss;
    if (scores_all(b)) {
        const pm_var z = said(b, pm_add_row(g, pm_matmul(g, h, outer->out, false, true), outer->out_bias));
        loss = pm_loss_weighted(g, pm_csr_spread(g, x.ptr, x.col, x.val, x.items), z, pm_csr_spread(g, x.ptr, x.col, weight, x.items), b->row_weight, NULL);
    } else {
        const pm_var z = said(b, pm_sddmm(g, x.ptr, x.col, h, outer->out, outer->out_bias));    // 0 past the last entry, as x is
        loss = pm_loss_weighted(g, x.val, z, weight, pm_slice(g, b->row_weight, 0, 1, 0, 1), NULL);
    }
    pm_graph_label(g, NULL);
    return loss;
}

enum { OUTER, INNER, ALL };    // passes

// The inner pair on the clean codes of the outer one, whose range is that of tanh. Rows that do not count weigh 0.
static void inner_loss(pm_build *b)
{
    const pair outer = frozen_outer_pair(b), inner = inner_pair(b);
    const pm_var h = outer_code(b, &outer, b->x.val);
    const noisy n = corrupt(b, h, "inner_", -1, 1);
    pm_add_loss(b, "inner", pm_loss_weighted(b->g, h, through_inner(b, &inner, n.x), n.weight, b->row_weight, NULL));
}

static void stacked_loss(pm_build *b)
{
    if (b->pass == INNER) {
        inner_loss(b);
        return;
    }
    float least, most;
    extremes(b, &least, &most);
    const pair outer = outer_pair(b);
    const noisy n = corrupt(b, b->x.val, b->pass == OUTER ? "outer_" : "", least, most);
    pm_var h = outer_code(b, &outer, n.x);
    if (b->pass == ALL) {
        const pair inner = inner_pair(b);
        h = through_inner(b, &inner, h);
    }
    pm_add_loss(b, b->pass == OUTER ? "outer" : "loss", known_loss(b, &outer, h, n.weight));
}

static void autorec_loss(pm_build *b)
{
    const pair outer = outer_pair(b);
    pm_add_loss(b, "loss", known_loss(b, &outer, outer_code(b, &outer, b->x.val), pm_fill(b->g, 1, b->x.entries, 1.0f)));
}

static const char *diverged(const pm_config *config, const char *loss, double value)
{
    (void)config;
    if (isfinite(value) && value < 1e9) return NULL;
    return pm_name_equal(loss, "outer") ? "try a tenth of outer_lr" : pm_name_equal(loss, "inner") ? "try a tenth of inner_lr" : "try a tenth of lr";
}

// Of the known entries alone; noise falls on inputs. What an inner pair would cost is in the codes.
static double nothing(const pm_config *config, const char *loss, double squares)
{
    const char *prefix = pm_name_equal(loss, "outer") ? "outer_" : "";
    if (pm_name_equal(loss, "inner") || !is_stacked(config)) return pm_name_equal(loss, "inner") ? 0 : squares;
    const double noise = phase_number(config, prefix, "mask") + phase_number(config, prefix, "salt") + phase_number(config, prefix, "gauss");
    return squares * (noise * phase_number(config, prefix, "alpha") + (1 - noise) * phase_number(config, prefix, "beta"));
}

// ---- passes and phases ---------------------------------------------------------------------------------------------

// Those that train, over users or items, and of models of items the one that encodes them all before users are scored.
static int add_passes(const pm_config *c, const pm_pass *train, int count, pm_pass *out)
{
    const bool users = pm_config_model(c)->name[0] == 'u';
    for (int i = 0; i < count; i++) {
        out[i] = train[i];
        out[i].axis = users ? PM_AXIS_USERS : PM_AXIS_ITEMS;
    }
    if (!users) out[count++] = (pm_pass){ .name = "encode", .axis = PM_AXIS_ITEMS, .solve = true, .scoring = true, .batch = 256 };
    return count;
}

static int stacked_passes(const pm_config *c, int64_t users, int64_t items, pm_pass *out)
{
    static const pm_pass train[] = { [OUTER] = { .name = "outer", .trains = { "outer." }, .settings = "outer_" },
                                     [INNER] = { .name = "inner", .trains = { "inner." }, .settings = "inner_" }, [ALL] = { .name = "all" } };
    (void)users, (void)items;
    return add_passes(c, train, has_inner(c) ? 3 : 1, out);
}

static int autorec_passes(const pm_config *c, int64_t users, int64_t items, pm_pass *out)
{
    (void)users, (void)items;
    return add_passes(c, &(pm_pass){ .name = "train" }, 1, out);
}

static int stacked_phases(const pm_config *c, pm_phase *out)
{
    if (!has_inner(c)) {
        out[0] = (pm_phase){ .name = "outer", .first = OUTER };
        return 1;
    }
    out[0] = (pm_phase){ .name = "outer", .first = OUTER, .epochs = pm_config_integer(c, "outer_epochs"), .scorer = SHALLOW };
    out[1] = (pm_phase){ .name = "inner", .first = INNER, .from_best = true, .fresh = true, .epochs = pm_config_integer(c, "inner_epochs"), .scorer = DEEP };
    out[2] = (pm_phase){ .name = "fine-tune", .first = ALL, .fresh = true, .scorer = DEEP };
    return 3;
}

// ---- scores --------------------------------------------------------------------------------------------------------

// Of models of items: the codes of all. No parameter has a row an item, so that one with ratings and without training is scored like any other.
static pm_var item_codes(pm_build *b, int64_t units)
{
    return pm_encoding(b, "item.code", b->items, units);
}

static void encode_items(pm_build *b)
{
    const pair outer = outer_pair(b);
    pm_put_rows(b->g, clean_code(b, &outer), b->state, item_codes(b, outer.units));
}

static pm_var user_score(pm_build *b)
{
    const pair outer = outer_pair(b);
    const pm_var h = clean_code(b, &outer);
    return said(b, pm_add_row(b->g, pm_matmul(b->g, h, outer.out, false, true), outer.out_bias));
}

static pm_var live_rows(pm_build *b)
{
    return pm_slice(b->g, b->state, 0, 1, PM_STATE_LIVE, 1);
}

static pm_var user_score_at(pm_build *b, pm_var id)
{
    pm_graph *g = b->g;
    const pair outer = outer_pair(b);
    const pm_var z = pm_pick_scores(g, clean_code(b, &outer), outer.out, id, live_rows(b), false), bias = pm_reshape(g, outer.out_bias, b->items, 1);
    return said(b, pm_add(g, z, pm_pick_scores(g, pm_fill(g, b->x.rows, 1, 1.0f), bias, id, live_rows(b), false)));
}

// The last layer's weights and biases of the batch's users, [rows, units] and [rows, n].
static pm_var users_of(pm_build *b, const pair *outer, int64_t n, pm_var *bias)
{
    *bias = pm_broadcast_col(b->g, pm_user_rows(b, pm_reshape(b->g, outer->out_bias, b->users, 1)), n);
    return pm_user_rows(b, outer->out);
}

static pm_var item_score(pm_build *b)
{
    const pair outer = outer_pair(b);
    pm_var bias;
    const pm_var w = users_of(b, &outer, b->items, &bias);
    return said(b, pm_add(b->g, pm_matmul(b->g, w, item_codes(b, outer.units), false, true), bias));
}

static pm_var item_score_at(pm_build *b, pm_var id)
{
    const pair outer = outer_pair(b);
    int64_t rows, n;
    pm_var bias;
    pm_shape_of(b->g, id, &rows, &n);
    const pm_var w = users_of(b, &outer, n, &bias);
    return said(b, pm_add(b->g, pm_pick_scores(b->g, w, item_codes(b, outer.units), id, live_rows(b), false), bias));
}

// ---- the models ----------------------------------------------------------------------------------------------------

#define STACKED .proofs = stacked_proofs, .grids = stacked_grids, .ratings = true, .check = check, .phases = stacked_phases, .passes = stacked_passes,    \
                .loss = stacked_loss, .diverged = diverged, .nothing = nothing, .paper = "Strub and Mary, 2015, Collaborative Filtering with Stacked Denoising AutoEncoders and Sparse Inputs"
#define AUTOREC .proofs = autorec_proofs, .grids = autorec_grids, .ratings = true, .passes = autorec_passes, .loss = autorec_loss, .diverged = diverged, .nothing = nothing,     \
                .paper = "Sedhain et al., 2015, AutoRec: Autoencoders Meet Collaborative Filtering"
#define OF_USERS .score = user_score, .score_at = user_score_at
#define OF_ITEMS .by_id = true, .solve = encode_items, .score = item_score, .score_at = item_score_at

const pm_model pm_model_uencoder = {
    .name = "uencoder", .title = "Uencoder: stacked denoising autoencoder of users' ratings", .hypers = u_hypers, .presets = u_presets, STACKED, OF_USERS,
};

const pm_model pm_model_vencoder = {
    .name = "vencoder", .title = "Vencoder: stacked denoising autoencoder of items' ratings", .hypers = v_hypers, .presets = v_presets, STACKED, OF_ITEMS,
};

const pm_model pm_model_u_autorec = {
    .name = "u-autorec", .title = "U-AutoRec: autoencoder of users' ratings, square loss over the known ones", .hypers = u_autorec_hypers, .presets = u_autorec_presets, AUTOREC, OF_USERS,
};

const pm_model pm_model_v_autorec = {
    .name = "v-autorec", .title = "V-AutoRec: autoencoder of items' ratings, square loss over the known ones", .hypers = v_autorec_hypers, .presets = v_autorec_presets, AUTOREC, OF_ITEMS,
};
