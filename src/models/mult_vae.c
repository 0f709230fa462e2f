// Mult-VAE and Mult-DAE, with Gaussian and logistic likelihoods beside the multinomial (Liang, Krishnan, Hoffman, Jebara, 2018,
// "Variational Autoencoders for Collaborative Filtering").
#include <math.h>
#include <stdio.h>

#include "models/models.h"

enum { MAX_HIDDEN = 2, MEMO_BETA = 0, MEMO_HELD = 1 };    // memo: the beta to stop at, and whether it has been found

#define SHARED_HYPERS                                                                                                            \
    { "hidden", PM_HYPER_SIZES, "600", 1, 1e6, NULL, "hidden layers of the encoder, mirrored in the decoder: none, one or two sizes", \
      "Section 4.4" },                                                                                                           \
    { "latent", PM_HYPER_INTEGER, "200", 1, 1e6, NULL, "size of the bottleneck", "Section 4.4" },                                \
    { "dropout", PM_HYPER_NUMBER, "0.5", 0, 0.99, NULL, "share of input entries dropped", "Section 2.4" },                       \
    { "normalize", PM_HYPER_FLAG, "on", 0, 1, NULL, "divide input rows by their length", "Section 3" },                          \
    { "likelihood", PM_HYPER_CHOICE, "multinomial", 0, 0, "multinomial|gaussian|logistic", "distribution of the clicks", "equations 2, 3, 4" }, \
    { "c1", PM_HYPER_NUMBER, "5", 0, 1e6, NULL, "gaussian: confidence in what was clicked", "equation 3" },                      \
    { "c0", PM_HYPER_NUMBER, "1", 0, 1e6, NULL, "gaussian: confidence in what was not, below c1", "equation 3" }

static const pm_hyper dae_hypers[] = {
    SHARED_HYPERS,
    PM_TRAINING_HYPERS("200", "500", "0.001", "2e-5"),
    { .name = NULL },
};

static const pm_hyper vae_hypers[] = {
    SHARED_HYPERS,
    { "anneal", PM_HYPER_CHOICE, "cap", 0, 0, "cap|auto|stop",
      "cap: raise beta to the cap. auto: anneal to 1, take the beta at the validation peak, train anew to stop there. stop: in one run, stop raising "
      "beta when validation drops", "Section 2.2.2" },
    { "beta_cap", PM_HYPER_NUMBER, "0.2", 0, 1, NULL, "largest weight of the KL term", "Section 2.2" },
    { "anneal_steps", PM_HYPER_NUMBER, "0", 0, 1e9, NULL, "steps after which beta would be 1; 0: given by anneal_epochs", "Section 4.4" },
    { "anneal_epochs", PM_HYPER_NUMBER, "80", 0, 1e6, NULL, "the same in epochs; both 0: beta is the cap from the start", "Figure 1" },
    PM_TRAINING_HYPERS("200", "500", "0.001", "0"),
    { .name = NULL },
};

static const pm_preset dae_presets[] = {
    { "paper-ml-20m", "hidden=none latent=200 epochs=200 batch=500 lr=0.001 l2=2e-5 dropout=0.5", "I-200-I, Section 4.4; rating >= 4, users >= 5" },
    { "paper-netflix", "hidden=none latent=200 epochs=100 batch=500 lr=0.001 l2=2e-5 dropout=0.5", "I-200-I; rating >= 4, users >= 5" },
    { "paper-msd", "hidden=none latent=200 epochs=100 batch=500 lr=0.001 l2=2e-5 dropout=0.5", "I-200-I; users >= 20, songs >= 200" },
    { "paper-ml-1m", "hidden=none latent=200 epochs=200 batch=500 lr=0.001 l2=2e-5 dropout=0.5", "I-200-I, Table 3; protocol leave-one-out" },
    { "paper-pinterest", "hidden=none latent=200 epochs=200 batch=500 lr=0.001 l2=2e-5 dropout=0.5", "I-200-I, Table 3; protocol leave-one-out" },
    { .name = NULL },
};

static const pm_preset vae_presets[] = {
    { "paper-ml-20m", "hidden=600 latent=200 epochs=200 batch=500 lr=0.001 dropout=0.5 beta_cap=0.2 anneal_steps=200000", "I-600-200-600-I; beta capped at 0.2" },
    { "paper-netflix", "hidden=600 latent=200 epochs=100 batch=500 lr=0.001 dropout=0.5 beta_cap=0.2 anneal_steps=200000", "I-600-200-600-I" },
    { "paper-msd", "hidden=600 latent=200 epochs=100 batch=500 lr=0.001 dropout=0.5 beta_cap=0.2 anneal_steps=200000", "I-600-200-600-I; users >= 20, songs >= 200" },
    { "paper-ml-1m", "hidden=none latent=200 epochs=200 batch=500 lr=0.001 dropout=0.5 beta_cap=0.2 anneal_steps=0 anneal_epochs=80",
      "I-200-I; beta would be 1 at epoch 80, since 200,000 updates never come on a small data set" },
    { "paper-pinterest", "hidden=none latent=200 epochs=200 batch=500 lr=0.001 dropout=0.5 beta_cap=0.2 anneal_steps=0 anneal_epochs=80", "I-200-I" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "paper-depth", "hidden=none|600|600,600", "Section 4.3: no, one and two hidden layers of 600" },
    { .name = NULL },
};

static pm_status check(const pm_config *config, int64_t items)
{
    (void)items;
    int64_t sizes[MAX_HIDDEN];
    const int layers = pm_config_sizes(config, "hidden", sizes, MAX_HIDDEN);
    PM_REQUIRE(config, layers <= MAX_HIDDEN, PM_ERR_ARG, "hidden = %s: at most %d hidden layers", pm_config_text(config, "hidden"), MAX_HIDDEN);
    PM_REQUIRE(config, !pm_config_is(config, "likelihood", "gaussian") || pm_config_number(config, "c1") > pm_config_number(config, "c0"),
               PM_ERR_ARG, "c1 = %s must be above c0 = %s: what was clicked is the surer observation", pm_config_text(config, "c1"),
               pm_config_text(config, "c0"));
    return PM_OK;
}

// The encoder's last layer, `out` wide and linear or tanh.
static pm_var encode(pm_build *b, int64_t out, pm_activation last)
{
    int64_t sizes[MAX_HIDDEN];
    const int layers = pm_config_sizes(b->config, "hidden", sizes, MAX_HIDDEN);
    pm_sparse x = b->x;
    if (pm_config_flag(b->config, "normalize")) x = pm_normalize_rows(b->g, x);
    const float keep = 1.0f - (float)pm_config_number(b->config, "dropout");
    if (b->training && keep < 1.0f) x = pm_drop_entries(b->g, x, b->state, keep, "input");
    if (layers == 0) return pm_dense_sparse(b->net, &x, "encoder.0", out, last);
    pm_var h = pm_dense_sparse(b->net, &x, "encoder.0", sizes[0], PM_TANH);
    for (int i = 1; i < layers; i++) h = pm_dense(b->net, h, "encoder.1", sizes[i], PM_TANH);
    return pm_dense(b->net, h, layers == 1 ? "encoder.1" : "encoder.2", out, last);
}

// From the bottleneck to logits: the hidden layers mirrored, then a linear one.
static pm_var decode(pm_build *b, pm_var h)
{
    static const char *const names[] = { "decoder.0", "decoder.1", "decoder.2" };
    int64_t sizes[MAX_HIDDEN];
    const int layers = pm_config_sizes(b->config, "hidden", sizes, MAX_HIDDEN);
    for (int i = 0; i < layers; i++) h = pm_dense(b->net, h, names[i], sizes[layers - 1 - i], PM_TANH);
    return pm_dense(b->net, h, names[layers], b->items, PM_LINEAR);
}

// The logistic likelihood has a probability for each click; the Gaussian one is fitted to clicks of 0 and 1; the multinomial one
// spreads a single click over all items.
static pm_preference preference(const pm_config *config)
{
    if (pm_config_is(config, "likelihood", "logistic")) return PM_PREFERENCE_SIGMOID;
    return pm_config_is(config, "likelihood", "gaussian") ? PM_PREFERENCE_SCORE : PM_PREFERENCE_NONE;
}

static void add_likelihood(pm_build *b, pm_var z)
{
    const pm_sparse x = b->x;
    pm_var loss;
    if (pm_config_is(b->config, "likelihood", "gaussian"))
        loss = pm_loss_gaussian(b->g, x.ptr, x.col, x.val, z, b->row_weight, (float)pm_config_number(b->config, "c1"),
                                (float)pm_config_number(b->config, "c0"), NULL);
    else if (pm_config_is(b->config, "likelihood", "logistic"))
        loss = pm_loss_logistic(b->g, x.ptr, x.col, x.val, z, b->row_weight, NULL);
    else
        loss = pm_loss_multinomial(b->g, x.ptr, x.col, x.val, z, b->row_weight, NULL);
    pm_add_loss(b, "likelihood", loss);
}

// ---- Mult-DAE ----

static pm_var dae_code(pm_build *b)
{
    return encode(b, pm_config_integer(b->config, "latent"), PM_TANH);
}

static void dae_loss(pm_build *b)
{
    add_likelihood(b, decode(b, dae_code(b)));
}

static pm_var dae_score(pm_build *b)
{
    return decode(b, dae_code(b));
}

const pm_model pm_model_mult_dae = {
    .name = "mult-dae",
    .title = "Mult-DAE: denoising autoencoder with a multinomial (or Gaussian, logistic) likelihood",
    .paper = "Liang et al., 2018, Variational Autoencoders for Collaborative Filtering",
    .hypers = dae_hypers,
    .presets = dae_presets,
    .grids = grids,
    .check = check,
    .loss = dae_loss,
    .score = dae_score,
    .preference = preference,
};

// ---- Mult-VAE ----

static pm_var mean_and_logvar(pm_build *b, pm_var *logvar)
{
    const int64_t k = pm_config_integer(b->config, "latent");
    const pm_var both = encode(b, 2 * k, PM_LINEAR);
    if (logvar) *logvar = pm_slice(b->g, both, 0, b->x.rows, k, k);
    return pm_slice(b->g, both, 0, b->x.rows, 0, k);
}

static void vae_loss(pm_build *b)
{
    pm_var logvar;
    const pm_var mu = mean_and_logvar(b, &logvar);
    const pm_var z = pm_sample_gaussian(b->g, mu, logvar, b->state, "latent");
    add_likelihood(b, decode(b, z));
    pm_add_loss(b, "kl", pm_kl_gaussian(b->g, mu, logvar, b->row_weight, b->schedule[0], NULL, NULL));
}

static pm_var vae_score(pm_build *b)
{
    return decode(b, mean_and_logvar(b, NULL));
}

// auto: one run to find beta, one to use it.
static int vae_phases(const pm_config *config, pm_phase *out)
{
    const bool automatic = pm_config_is(config, "anneal", "auto");
    if (automatic) out[0] = (pm_phase){ .name = "find-beta" };
    out[automatic] = (pm_phase){ .name = "train", .restart = automatic };
    return automatic ? 2 : 1;
}

static bool finding(const pm_progress_state *at)
{
    return at->phase == 0 && pm_config_is(at->config, "anneal", "auto");
}

// beta = min(cap, t / anneal_steps): the slope is 1 / anneal_steps whatever the cap.
static double beta_at(const pm_progress_state *at, int64_t step)
{
    double steps = pm_config_number(at->config, "anneal_steps");
    if (steps == 0) steps = pm_config_number(at->config, "anneal_epochs") * (double)at->steps_per_epoch;
    double cap = pm_config_number(at->config, "beta_cap");
    if (finding(at)) cap = 1.0;
    else if (at->memo[MEMO_HELD] != 0) cap = at->memo[MEMO_BETA];
    return steps > 0 ? fmin(cap, (double)step / steps) : cap;
}

static double vae_schedule(const pm_progress_state *at, int column)
{
    (void)column;
    return beta_at(at, at->step);
}

static const char *vae_after_validation(pm_progress_state *at)
{
    if (finding(at)) {
        if (at->best_epoch == at->epoch) at->memo[MEMO_BETA] = beta_at(at, at->step);
        return NULL;
    }
    if (!pm_config_is(at->config, "anneal", "stop") || at->memo[MEMO_HELD] != 0 || at->validation >= at->best) return NULL;
    at->memo[MEMO_BETA] = beta_at(at, at->step);
    at->memo[MEMO_HELD] = 1;
    return "validation dropped: beta stays where it is";
}

static pm_status vae_phase_end(const void *object, pm_progress_state *at, bool last_phase)
{
    (void)last_phase;
    if (!finding(at)) return PM_OK;
    const double reached = beta_at(at, at->step);
    PM_REQUIRE(object, reached >= 1.0, PM_ERR_ARG,
               "anneal=auto: the run ended at beta = %.3f, before 1, so its peak need not be the best; give more epochs or a lower anneal_epochs",
               reached);
    at->memo[MEMO_HELD] = 1;
    pm_log(object, PM_LOG_INFO, "anneal=auto: best validation at beta = %.4f; training anew up to there", at->memo[MEMO_BETA]);
    return PM_OK;
}

const pm_model pm_model_mult_vae = {
    .name = "mult-vae",
    .title = "Mult-VAE: variational autoencoder with a multinomial (or Gaussian, logistic) likelihood",
    .paper = "Liang et al., 2018, Variational Autoencoders for Collaborative Filtering",
    .hypers = vae_hypers,
    .presets = vae_presets,
    .grids = grids,
    .phases = vae_phases,
    .check = check,
    .loss = vae_loss,
    .score = vae_score,
    .preference = preference,
    .schedule = { "beta" },
    .schedule_value = vae_schedule,
    .after_validation = vae_after_validation,
    .phase_end = vae_phase_end,
};
