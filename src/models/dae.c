// A user-based denoising autoencoder with Missing Information Loss and the losses that its paper compares it with ("A Missing Information Loss
// function for implicit feedback datasets", 2018).
#include <math.h>
#include <stdio.h>

#include "models/models.h"

static const pm_hyper hypers[] = {
    { "latent", PM_HYPER_INTEGER, "200", 1, 1e6, NULL, "hidden units", "Section 3.3" },
    { "activation", PM_HYPER_CHOICE, "lin-sig", 0, 0, "lin-sig|sig-sig|tanh-lin",
      "of encoder and decoder; lin is for loss=multinomial, whose softmax follows it, sig for all other losses", "Section 3.4" },
    { "loss", PM_HYPER_CHOICE, "mil", 0, 0, "mil|multinomial|square|cross-entropy|pair-square|pair-cross-entropy", "what is minimised",
      "equations 1, 2, 5, 6, 7" },
    { "gamma_plus", PM_HYPER_NUMBER, "1", 0.1, 16, NULL, "mil: exponent for items that are liked", "equation 7" },
    { "gamma_minus", PM_HYPER_NUMBER, "1", 0.1, 16, NULL, "mil: exponent for items that are disliked", "equation 8" },
    { "dislike_below", PM_HYPER_NUMBER, "0", 0, 1e30, NULL,
      "mil: ratings below this are dislikes, -1 in the input and in the loss, and never recommended; those between it and what is liked are missing. "
      "0: there are none", "equation 8" },
    { "a_mi", PM_HYPER_NUMBER, "1e6", 1e-6, 1e12, NULL, "mil: factor of the missing information term", "equation 7" },
    { "gamma_mi", PM_HYPER_INTEGER, "10", 1, 15, NULL, "mil: half the exponent of the missing information term", "equation 7" },
    { "confidence", PM_HYPER_NUMBER, "1", 1, 1e6, NULL, "square, cross-entropy: a, the confidence in what is liked; 1 on sampled target sets",
      "equations 1, 2" },
    { "epsilon", PM_HYPER_NUMBER, "1e-5", 1e-7, 0.25, NULL, "cross-entropy, clipped pairs: preferences are kept within [epsilon, 1 - epsilon]", "Section 3.4" },
    { "target", PM_HYPER_CHOICE, "all", 0, 0, "all|median|mean",
      "items a loss looks at: all, or the user's and a sample, together target_factor times the median or mean number of items of a user", "equation 4" },
    { "target_factor", PM_HYPER_NUMBER, "50", 1e-3, 1e6, NULL, "see target", "Section 3.3" },
    { "pair_link", PM_HYPER_CHOICE, "clipped", 0, 0, "clipped|logistic",
      "pair losses: the difference of two preferences, clipped, or the logistic function of the difference of their logits", "equation 5" },
    { "input", PM_HYPER_CHOICE, "binary", 0, 0, "binary|counts", "the user vector: 1 for each item, or the values in the data", "equations 9, 10" },
    { "normalize", PM_HYPER_FLAG, "on", 0, 1, NULL, "divide input rows by their length, before the noise", "Section 3.3" },
    { "dropout", PM_HYPER_NUMBER, "0.5", 0, 0.99, NULL, "noise: share of input entries dropped", "Section 2.3" },
    { "batch_norm", PM_HYPER_FLAG, "off", 0, 1, NULL, "normalise the hidden layer over the batch, before its activation", "Section 3.3" },
    { "alpha_enc", PM_HYPER_NUMBER, "0", 0, 1e3, NULL, "max-norm of an item in the encoder, alpha * sqrt(latent); 0: none", "equation 14" },
    { "alpha_dec", PM_HYPER_NUMBER, "0", 0, 1e3, NULL, "the same in the decoder", "equation 14" },
    { "decay", PM_HYPER_NUMBER, "0", 0, 1e3, NULL, "weight decay: penalty 1/2 * decay * sum(w^2), not on biases (gradient decay * w)", "equation 13" },
    { "clip", PM_HYPER_NUMBER, "1", 0, 1e9, NULL, "largest length of all gradients together; 0: any", "Section 3.3" },
    { "epochs", PM_HYPER_INTEGER, "100", 1, 1e6, NULL, "passes over the training rows, where iterations is 0", NULL },
    { "iterations", PM_HYPER_INTEGER, "0", 0, 1e12, NULL, "steps to train; 0: by epochs", "Section 3.3" },
    { "batch", PM_HYPER_INTEGER, "100", 1, 65536, NULL, "rows a step", "Section 3.3" },
    { "lr", PM_HYPER_NUMBER, "5e-4", 0, 10, NULL, "learning rate of Adam", "Section 3.3" },
    { .name = NULL },
};

#define PAPER "iterations=120000 batch=100 lr=5e-4 latent=200 dropout=0.5 clip=1 "
#define POINT PAPER "loss=cross-entropy target=mean target_factor=50 "
#define PAIR PAPER "loss=pair-cross-entropy target=mean target_factor=100 "
#define MIL PAPER "loss=mil a_mi=1e6 gamma_mi=10 gamma_plus=1 "

static const pm_preset presets[] = {
    { "mil-lin-sig", MIL "activation=lin-sig", "MIL, its best (A, gamma); rating >= 4, users >= 5" },
    { "mil-sig-sig", MIL "activation=sig-sig", "the same with a sigmoid hidden layer" },
    { "ce-point-lin-sig", POINT "activation=lin-sig", "cross-entropy, target sets of 50 mean profiles" },
    { "ce-point-sig-sig", POINT "activation=sig-sig", "the same with a sigmoid hidden layer" },
    { "ce-pair-lin-sig", PAIR "activation=lin-sig", "cross-entropy of pairs, target sets of 100 mean profiles" },
    { "ce-pair-sig-sig", PAIR "activation=sig-sig", "the same with a sigmoid hidden layer" },
    { "multi-tanh-lin", PAPER "loss=multinomial activation=tanh-lin", "multinomial, as Mult-DAE, with max-norm in place of its weight decay" },
    { .name = NULL },
};

#define ALPHAS "0,0.05,0.1,0.2,0.3,0.5,1"

static const pm_model_grid grids[] = {
    { "max-norm", "alpha_enc=" ALPHAS ";alpha_dec=" ALPHAS, "Section 3.3: encoder and decoder each" },
    { "mil", "a_mi/gamma_mi=50/2,1e3/4,2e4/6,5e5/10,1e6/10,5e6/10,5e9/15;gamma_plus=1,2", "Section 3.4: the pairs (A, gamma) and gamma+" },
    { "weight-decay", "decay=0,1e-7,1e-6,2e-6,1e-5,2e-5,4e-5,1e-4", "Section 4.1: in place of max-norm, 2e-5 for multinomial and 1e-6 for MIL there" },
    { "target-set", "target_factor=1,5,10,50,100,150", "Section 3.3: sizes of the target sets, in mean (or median) profiles" },
    { .name = NULL },
};

// What single choices do not reach: each loss with each way of sampling, and every regulariser.
static const char *const proofs[] = {
    "loss=multinomial activation=tanh-lin",
    "loss=mil target=mean target_factor=2 gamma_plus=2 a_mi=50 gamma_mi=2",
    "loss=cross-entropy target=median target_factor=2 confidence=1 epsilon=0.05",
    "loss=square target=median target_factor=3 activation=sig-sig",
    "loss=square confidence=4 decay=0.01",
    "loss=pair-square target=mean target_factor=2 pair_link=logistic",
    "loss=pair-cross-entropy target=mean target_factor=2 pair_link=logistic",
    "loss=pair-cross-entropy target=mean target_factor=2 epsilon=0.05",
    "batch_norm=on activation=sig-sig",
    "alpha_enc=0.05 alpha_dec=0.1 clip=0.05 lr=0.05",
    "alpha_enc=0.05 alpha_dec=0.1 decay=0.01 lr=0.05",
    "input=counts normalize=off",
    "dislike_below=2 gamma_minus=1.5",
    NULL,
};

static bool uses(const pm_config *c, const char *loss)
{
    return pm_config_is(c, "loss", loss);
}

static pm_status check(const pm_config *c, int64_t items)
{
    (void)items;
    const bool linear = pm_config_is(c, "activation", "tanh-lin"), sampled = !pm_config_is(c, "target", "all");
    PM_REQUIRE(c, linear == uses(c, "multinomial"), PM_ERR_ARG, "activation = %s does not go with loss = %s: %s", pm_config_text(c, "activation"),
               pm_config_text(c, "loss"),
               linear ? "that loss is of preferences in (0, 1), which need a sig decoder (lin-sig, sig-sig)"
                      : "a softmax follows the decoder, which must be linear (tanh-lin)");
    PM_REQUIRE(c, !sampled || !uses(c, "multinomial"), PM_ERR_ARG, "target = %s: loss = multinomial looks at all items; leave target at all",
               pm_config_text(c, "target"));
    PM_REQUIRE(c, !sampled || pm_config_number(c, "confidence") == 1, PM_ERR_ARG,
               "confidence = %s with target = %s: on sampled target sets the confidence is 1 (equation 4); leave one of the two out",
               pm_config_text(c, "confidence"), pm_config_text(c, "target"));
    const bool dislikes = pm_config_number(c, "dislike_below") > 0;
    PM_REQUIRE(c, !dislikes || uses(c, "mil"), PM_ERR_ARG, "dislike_below = %s: only loss = mil has a term for dislikes (equation 8)",
               pm_config_text(c, "dislike_below"));
    PM_REQUIRE(c, !dislikes || !pm_config_is(c, "input", "counts"), PM_ERR_ARG,
               "dislike_below = %s with input = counts: a dislike has no count; leave one of the two out", pm_config_text(c, "dislike_below"));
    return PM_OK;
}

// The size of the target sets; all items where that is the choice, or what the factor comes to.
static uint32_t target_size(const pm_build *b)
{
    const pm_config *c = b->config;
    if (pm_config_is(c, "target", "all")) return UINT32_MAX;
    const double length = pm_config_is(c, "target", "mean") ? b->mean_length : b->median_length, size = pm_config_number(c, "target_factor") * length;
    if (size < (double)b->items) return (uint32_t)fmax(1, floor(size + 0.5));
    pm_log(b->net, PM_LOG_INFO, "target_factor = %s times %.4g items of a user is %.0f, and there are %" PRId64 " items: target sets are all items",
           pm_config_text(c, "target_factor"), length, size, b->items);
    return UINT32_MAX;
}

static void limit_items(pm_build *b, const char *param, const char *alpha, bool columns)
{
    pm_net_max_norm(b->net, param, (float)(pm_config_number(b->config, alpha) * sqrt((double)pm_config_integer(b->config, "latent"))), columns);
}

// The hidden layer. With batch normalisation its bias comes after that.
static pm_var encode(pm_build *b)
{
    const pm_config *c = b->config;
    const int64_t latent = pm_config_integer(c, "latent");
    const pm_activation activation = pm_config_is(c, "activation", "sig-sig") ? PM_SIGMOID : pm_config_is(c, "activation", "tanh-lin") ? PM_TANH : PM_LINEAR;
    const float keep = 1.0f - (float)pm_config_number(c, "dropout");
    pm_sparse x = b->x;
    if (pm_config_is(c, "input", "counts")) x.val = b->counts;
    if (pm_config_flag(c, "normalize")) x = pm_normalize_rows(b->g, x);
    if (b->training && keep < 1.0f) x = pm_drop_entries(b->g, x, b->state, keep, "input");
    if (!pm_config_flag(c, "batch_norm")) return pm_dense_sparse(b->net, &x, "encoder", latent, activation);
    const pm_var h = pm_linear_sparse(b->net, &x, "encoder", latent);
    return pm_activate(b->g, pm_batch_normalize(b->net, h, "encoder", b->live, b->training), activation);
}

// Logits; a preference is their logistic function (of the multinomial loss, their softmax), which ranks alike.
static pm_var score(pm_build *b)
{
    return pm_dense(b->net, encode(b), "decoder", b->items, PM_LINEAR);
}

static pm_var loss_of(pm_build *b, pm_var z)
{
    const pm_config *c = b->config;
    const pm_sparse x = b->x;
    const uint32_t size = target_size(b);
    const double epsilon = pm_config_number(c, "epsilon");
    const float confidence = (float)pm_config_number(c, "confidence");
    if (uses(c, "multinomial")) return pm_loss_multinomial(b->g, x.ptr, x.col, x.val, z, b->row_weight, NULL);
    if (uses(c, "square")) return pm_loss_square(b->g, x.ptr, x.col, x.val, z, b->row_weight, b->state, confidence, size, "target", NULL);
    if (uses(c, "cross-entropy"))
        return pm_loss_cross_entropy(b->g, x.ptr, x.col, x.val, z, b->row_weight, b->state, confidence, (float)log((1 - epsilon) / epsilon), size,
                                     "target", NULL);
    if (uses(c, "mil"))
        return pm_loss_mil(b->g, x.ptr, x.col, x.val, z, b->row_weight, b->state, (float)pm_config_number(c, "gamma_plus"),
                           (float)pm_config_number(c, "gamma_minus"), (float)pm_config_number(c, "a_mi"), (uint32_t)pm_config_integer(c, "gamma_mi"),
                           size, "target", NULL);
    return pm_loss_pair(b->g, x.ptr, x.col, x.val, z, b->row_weight, b->state, uses(c, "pair-cross-entropy"), pm_config_is(c, "pair_link", "clipped"),
                        (float)epsilon, size, "target", NULL);
}

static void loss(pm_build *b)
{
    pm_add_loss(b, "loss", loss_of(b, score(b)));
    limit_items(b, "encoder.w", "alpha_enc", false);
    limit_items(b, "decoder.w", "alpha_dec", true);
}

static pm_preference preference(const pm_config *config)
{
    return uses(config, "multinomial") ? PM_PREFERENCE_NONE : PM_PREFERENCE_SIGMOID;
}

static double item_loss(const pm_config *config, int feedback, double p)
{
    const double a = pm_config_number(config, "confidence"), epsilon = pm_config_number(config, "epsilon"), kept = fmin(fmax(p, epsilon), 1 - epsilon);
    if (uses(config, "square")) return feedback < 0 ? NAN : feedback ? 0.5 * (a + 1) * (1 - p) * (1 - p) : 0.5 * p * p;
    if (uses(config, "cross-entropy")) return feedback < 0 ? NAN : feedback ? -a * log(kept) : -log1p(-kept);
    if (!uses(config, "mil")) return NAN;
    if (feedback > 0) return pow(1 - p, pm_config_number(config, "gamma_plus"));
    if (feedback < 0) return pm_config_number(config, "dislike_below") > 0 ? pow(p, pm_config_number(config, "gamma_minus")) : NAN;
    return pm_config_number(config, "a_mi") * pow(p - 0.5, 2.0 * (double)pm_config_integer(config, "gamma_mi"));
}

const pm_model pm_model_dae = {
    .name = "dae",
    .title = "Denoising autoencoder with Missing Information Loss, and the losses it is compared with",
    .paper = "2018, A Missing Information Loss function for implicit feedback datasets",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .check = check,
    .loss = loss,
    .score = score,
    .preference = preference,
    .item_loss = item_loss,
};
