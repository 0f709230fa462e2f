// Collaborative denoising autoencoder (Wu et al., 2016): an autoencoder of user rows with a factor for each user beside the row. Batches are of whole
// users, as in Mult-VAE's Section 4.4. A user it was not trained on gets a factor by a few steps of Adam on the user's own row, everything else frozen.
#include "models/pairs.h"

static const pm_hyper hypers[] = {
    { "latent", PM_HYPER_INTEGER, "200", 1, 1e5, NULL, "hidden units", "Mult-VAE, Section 4.4; two-headed AutoRec, Section 4.2.2: r" },
    { "activation", PM_HYPER_CHOICE, "tanh", 0, 0, "sigmoid|tanh", "of the hidden layer", "Mult-VAE, Section 4.4; CDAE has sigmoid" },
    { "output", PM_HYPER_CHOICE, "tanh", 0, 0, "linear|sigmoid|tanh", "of the output layer, for loss=square; loss=logistic has a sigmoid of its own and wants linear",
      "Mult-VAE, Section 4.4" },
    { "loss", PM_HYPER_CHOICE, "square", 0, 0, "square|logistic", "over all items: c/2 * (x - z)^2, or cross-entropy", "CDAE, Section 4.1" },
    { "confidence", PM_HYPER_NUMBER, "5", 1e-3, 1e6, NULL, "square: c of the user's items, 1 for all others", "Mult-VAE, Section 4.4: weighted square loss" },
    { "tied", PM_HYPER_FLAG, "off", 0, 1, NULL, "the decoder's weights are the encoder's, transposed", "CDAE, Section 4" },
    { "dropout", PM_HYPER_NUMBER, "0.5", 0, 1, NULL, "corruption: share of input entries dropped; 1 leaves the user's factor alone", "CDAE, Section 4; two-headed AutoRec: rho" },
    { "decay", PM_HYPER_NUMBER, "1e-5", 0, 1e6, NULL, "weight decay: penalty 1/2 * decay * sum(w^2), not on biases (gradient decay * w)", "Mult-VAE, Section 4.4" },
    { "fold_steps", PM_HYPER_INTEGER, "5", 0, 1000, NULL, "steps of Adam that fit a new user's factor, from 0 on", "Mult-VAE, Section 2.1" },
    { "fold_lr", PM_HYPER_NUMBER, "0.05", 0, 10, NULL, "their learning rate", NULL },
    PM_OPTIMISER_HYPERS("adam", "100", "500", "rows", "1e-3"),
    { .name = NULL },
};

static const pm_preset presets[] = {
    { "mult-vae", "latent=200 activation=tanh output=tanh loss=square batch=500 lr=1e-3 epochs=200", "Mult-VAE's baseline; rating >= 4, users >= 5, protocol strong" },
    { "two-headed-ml-1m", "latent=200 decay=1e-5 dropout=0.5 epochs=300", "rank, lambda and corruption of the published table of the authors' own split of ML-1M" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "mult-vae", "decay=2e-5,2e-4,2e-3,0.02,0.2", "Mult-VAE, Section 4.4: 0.01 to 100 for a loss summed over 500 users, which is a mean here" },
    { "two-headed", "latent=50,100,200,500;decay=" PM_TWO_HEADED_LAMBDAS ";dropout=0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1", "two-headed AutoRec, Section 4.2.2: r, lambda, rho" },
    { .name = NULL },
};

static const char *const proofs[] = {
    "loss=logistic output=linear activation=sigmoid",
    "loss=logistic output=linear tied=on decay=0.01",
    "tied=on output=linear confidence=1 dropout=0",
    "output=sigmoid optimizer=adagrad lr=0.05 dropout=1",
    NULL,
};

static pm_status check(const pm_config *c, int64_t items)
{
    (void)items;
    PM_REQUIRE(c, pm_config_is(c, "loss", "square") || pm_config_is(c, "output", "linear"), PM_ERR_ARG,
               "output = %s: loss = logistic has a sigmoid of its own; set output=linear", pm_config_text(c, "output"));
    return PM_OK;
}

// What lies between the input and the scores, besides the users' factors.
typedef struct network {
    pm_var        in, hidden_bias, out, out_bias;    // in [items, k]; out that, or [k, items]
    bool          tied;
    pm_activation hidden_act, out_act;
} network;

static network declare(pm_build *b)
{
    const pm_config *c = b->config;
    const int64_t k = pm_config_integer(c, "latent");
    const pm_init glorot = { PM_INIT_GLOROT, 0 }, zero = { PM_INIT_ZERO, 0 };
    network n = { .tied = pm_config_flag(c, "tied"), .hidden_act = pm_config_is(c, "activation", "tanh") ? PM_TANH : PM_SIGMOID };
    n.out_act = pm_config_is(c, "output", "tanh") ? PM_TANH : pm_config_is(c, "output", "sigmoid") ? PM_SIGMOID : PM_LINEAR;
    n.in = pm_param(b->net, "encoder.w", b->items, k, glorot);
    n.hidden_bias = pm_param(b->net, "encoder.b", 1, k, zero);
    n.out = n.tied ? n.in : pm_param(b->net, "decoder.w", k, b->items, glorot);
    n.out_bias = pm_param(b->net, "decoder.b", 1, b->items, zero);
    return n;
}

static pm_var users_table(pm_build *b)
{
    return pm_user_table(b, "factors", pm_config_integer(b->config, "latent"), 0.01f);
}

// The hidden layer before the user's factor and the activation.
static pm_var input_layer(pm_build *b, const network *n, pm_sparse x)
{
    return pm_add_row(b->g, pm_spmm(b->g, x.ptr, x.col, x.val, n->in), n->hidden_bias);
}

static pm_var output_layer(pm_build *b, const network *n, pm_var h)
{
    return pm_activate(b->g, pm_add_row(b->g, pm_matmul(b->g, h, n->out, false, n->tied), n->out_bias), n->out_act);
}

// dz: NULL, or takes the gradient to z of the sum over rows.
static pm_var loss_of(pm_build *b, pm_var z, pm_var row_weight, pm_var *dz)
{
    const pm_sparse x = b->x;
    if (pm_config_is(b->config, "loss", "logistic")) return pm_loss_logistic(b->g, x.ptr, x.col, x.val, z, row_weight, dz);
    return pm_loss_gaussian(b->g, x.ptr, x.col, x.val, z, row_weight, (float)pm_config_number(b->config, "confidence"), 1.0f, dz);
}

static void loss(pm_build *b)
{
    const network n = declare(b);
    const float keep = 1.0f - (float)pm_config_number(b->config, "dropout");
    const pm_sparse x = keep < 1.0f ? pm_drop_entries(b->g, b->x, b->state, keep, "input") : b->x;
    const pm_var z = pm_add(b->g, input_layer(b, &n, x), pm_user_rows(b, users_table(b)));
    pm_add_loss(b, "loss", loss_of(b, output_layer(b, &n, pm_activate(b->g, z, n.hidden_act)), b->row_weight, NULL));
}

static pm_var slope(pm_graph *g, pm_activation act, pm_var y, pm_var dy)
{
    return act == PM_TANH ? pm_tanh_grad(g, y, dy) : act == PM_SIGMOID ? pm_sigmoid_grad(g, y, dy) : dy;
}

// Factors of users that have none: the same loss of each user's row as it is, with the penalty that an epoch of training puts on a factor.
static pm_var fit_factors(pm_build *b, const network *n, pm_var base)
{
    pm_graph *g = b->g;
    const pm_config *c = b->config;
    const int64_t k = pm_config_integer(c, "latent"), steps = pm_config_integer(c, "fold_steps"), rows = b->x.rows;
    const float decay = (float)(pm_config_number(c, "decay") * (double)b->users);
    const pm_var v = pm_fill(g, rows, k, 0.0f), first = pm_fill(g, rows, k, 0.0f), second = pm_fill(g, rows, k, 0.0f), one = pm_fill(g, rows, 1, 1.0f);
    for (int64_t t = 1; t <= steps; t++) {
        pm_var dz;
        const pm_var h = pm_activate(g, pm_add(g, base, v), n->hidden_act), z = output_layer(b, n, h);
        loss_of(b, z, one, &dz);
        const pm_var dh = pm_matmul(g, slope(g, n->out_act, z, dz), n->out, false, !n->tied);
        const pm_var rate = pm_fill(g, 1, 1, (float)pm_adam_rate(pm_config_number(c, "fold_lr"), PM_ADAM_BETA1, PM_ADAM_BETA2, t));
        pm_adam(g, v, first, second, slope(g, n->hidden_act, h, dh), rate, (float)PM_ADAM_BETA1, (float)PM_ADAM_BETA2, PM_ADAM_EPS, decay);
    }
    return v;
}

static pm_var score(pm_build *b)
{
    const network n = declare(b);
    const pm_var base = input_layer(b, &n, b->x), v = b->held_out ? fit_factors(b, &n, base) : pm_user_rows(b, users_table(b));
    return output_layer(b, &n, pm_activate(b->g, pm_add(b->g, base, v), n.hidden_act));
}

static pm_preference preference(const pm_config *config)
{
    return pm_config_is(config, "loss", "logistic") ? PM_PREFERENCE_SIGMOID : PM_PREFERENCE_SCORE;
}

const pm_model pm_model_cdae = {
    .name = "cdae",
    .title = "CDAE: denoising autoencoder with a factor for each user",
    .paper = "Wu et al., 2016, Collaborative Denoising Auto-Encoders for Top-N Recommender Systems",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .by_id = true,
    .fold_in = true,
    .check = check,
    .loss = loss,
    .score = score,
    .preference = preference,
};
