// AutoRec with one head and with two (Zhou, Wu, Mai, Sanner, 2020, "Noise Contrastive Estimation for Autoencoding-based One-Class Collaborative
// Filtering"; equations and sections are that paper's). A ReLU encoder, and on it linear decoders:
//     head "mse"         r^, fitted to all entries of a user's row (8); what two-headed models rank by
//     head "ns", "nce"   r~, fitted by negative sampling (7, 10) or to the closed-form solution of noise contrastive estimation (16, 17)
// Losses are means over users, where the paper has sums.
#include <float.h>
#include <math.h>

#include "models/models.h"

// ---- hyperparameters -----------------------------------------------------------------------------------------------

#define SHARED_HYPERS(epochs_value, l2_value)                                                                                             \
    { "latent", PM_HYPER_INTEGER, "200", 1, 1e6, NULL, "r: hidden units", "Section 4.2.2" },                                              \
    { "corruption", PM_HYPER_NUMBER, "0", 0, 1, NULL, "rho: share of input entries dropped, the others divided by what stays; 1 empties the input", \
      "Section 4.2.2" },                                                                                                                  \
    { "epochs", PM_HYPER_INTEGER, epochs_value, 1, 1e6, NULL, "passes over the training rows, in each phase", NULL },                     \
    { "batch", PM_HYPER_INTEGER, "500", 1, 65536, NULL, "rows a step", NULL },                                                            \
    { "lr", PM_HYPER_NUMBER, "0.001", 0, 10, NULL, "learning rate of Adam", NULL },                                                       \
    { "l2", PM_HYPER_NUMBER, l2_value, 0, 1e6, NULL,                                                                                      \
      "lambda: penalty l2 * sum(w^2) on the weights of encoder and heads, not biases, beside a mean over users; beside the paper's sum over users it is " \
      "l2 * users",                                                                                                                       \
      "equation 1" },                                                                                                                     \
    { "clip", PM_HYPER_NUMBER, "0", 0, 1e9, NULL, "largest length of all gradients together; 0: any", NULL }

#define NEGATIVE_HYPERS                                                                                                                   \
    { "negatives", PM_HYPER_INTEGER, "500", 1, 1e7, NULL, "N: negatives a user and epoch, drawn from popularity with replacement", "Section 3.1" }, \
    { "ns_loss", PM_HYPER_CHOICE, "linear", 0, 0, "linear|logistic", "of the scores as they are, which has no bottom of its own, or through log sigmoid", \
      "equations 7, 10" },                                                                                                                \
    { "ns_bound", PM_HYPER_NUMBER, "5", 0, 1e9, NULL, "scores of negative sampling are clipped to this size in the loss; 0: they are not", "equation 7" }

#define NCE_HYPERS                                                                                                                        \
    { "beta", PM_HYPER_NUMBER, "1", 0, 100, NULL, "popularity sensitivity", "equation 16" },                                              \
    { "nce_total", PM_HYPER_CHOICE, "interactions", 0, 0, "interactions|users", "whose logarithm the target begins with; NCE-PLRec was published with users", \
      "equation 16" }

#define MODE_HYPER(value)                                                                                                                 \
    { "mode", PM_HYPER_CHOICE, value, 0, 0, "joint|alternating|limited-fine-tune|full-fine-tune",                                         \
      "joint: both losses at once. alternating: on each batch one after the other. limited-fine-tune: the head of r~ and the encoder until validation " \
      "of r~ gains no more, then from the best of it the head of r^ on a frozen encoder. full-fine-tune: the same, the encoder trained on", \
      "Section 3.3" }

static const pm_hyper autorec_hypers[] = { SHARED_HYPERS("300", "0.01"), { .name = NULL } };
static const pm_hyper ohns_hypers[] = { NEGATIVE_HYPERS, SHARED_HYPERS("300", "0.01"), { .name = NULL } };
static const pm_hyper ns_hypers[] = { MODE_HYPER("joint"), NEGATIVE_HYPERS, SHARED_HYPERS("300", "0.01"), { .name = NULL } };
static const pm_hyper nce_hypers[] = { MODE_HYPER("limited-fine-tune"), NCE_HYPERS, SHARED_HYPERS("300", "0.1"), { .name = NULL } };

static const pm_preset autorec_presets[] = {
    { "ml-1m", "latent=200 epochs=60 l2=0.01", "best of l2 = 1e-5, 1e-3, 1e-2 on the validation part of the authors' split; with --patience 6" },
    { "published-ml-1m", "latent=200 epochs=300 l2=1e-5", "rank, lambda and iterations of AutoRec in the authors' table; its convention of lambda is not known" },
    { .name = NULL },
};
static const pm_preset ohns_presets[] = {
    { "ml-1m", "latent=200 epochs=60 l2=0.001 ns_loss=linear", "better than logistic on the validation part of the authors' split; with --patience 6" },
    { .name = NULL },
};
static const pm_preset ns_presets[] = {
    { "ml-1m", "latent=200 epochs=60 l2=0.001 ns_loss=logistic mode=joint", "the best of three settings on the validation part of the authors' split; with --patience 6" },
    { .name = NULL },
};
static const pm_preset nce_presets[] = {
    { "ml-1m", "latent=200 epochs=60 l2=0.1 mode=full-fine-tune", "the best of eight settings on the validation part of the authors' split; with --patience 5" },
    { .name = NULL },
};

#define LATENT_GRID { "latent", "latent=50,100,200,500", "Section 4.2.2: r" }
#define LAMBDA_GRID { "lambda", "l2=1e-7,1e-6,1e-5,1e-4,1e-3,1e-2,1e-1,1,10,100,1e3,1e4", "Section 4.2.2: lambda; see l2 for its convention" }
#define CORRUPTION_GRID { "corruption", "corruption=0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1", "Section 4.2.2: rho" }
#define NEGATIVES_GRID { "negatives", "negatives=5,50,500,5000,50000,500000", "Section 4.2.2 and Figure 5a: N" }
#define MODE_GRID { "mode", "mode=joint,alternating,limited-fine-tune,full-fine-tune", "Section 3.3 and Figures 2, 4" }
#define BETA_GRID { "beta", "beta=0.7,0.8,0.9,1,1.1,1.2,1.3", "Section 4.2.2 and Figure 5b: beta" }

static const pm_model_grid autorec_grids[] = { LATENT_GRID, LAMBDA_GRID, CORRUPTION_GRID, { .name = NULL } };
static const pm_model_grid ohns_grids[] = { LATENT_GRID, LAMBDA_GRID, CORRUPTION_GRID, NEGATIVES_GRID, { .name = NULL } };
static const pm_model_grid ns_grids[] = { LATENT_GRID, LAMBDA_GRID, CORRUPTION_GRID, NEGATIVES_GRID, MODE_GRID, { .name = NULL } };
static const pm_model_grid nce_grids[] = { LATENT_GRID, LAMBDA_GRID, CORRUPTION_GRID, BETA_GRID, MODE_GRID, { .name = NULL } };

static const char *const autorec_proofs[] = { "corruption=0.5 l2=0.01", "corruption=1", NULL };
static const char *const ohns_proofs[] = { "ns_bound=0 l2=0.1", "ns_loss=logistic negatives=3000 corruption=0.3", NULL };
static const char *const ns_proofs[] = { "mode=alternating ns_loss=logistic ns_bound=0", "mode=full-fine-tune negatives=3000", NULL };
static const char *const nce_proofs[] = { "mode=alternating nce_total=users beta=1.2", "mode=full-fine-tune corruption=0.4", "mode=joint clip=0.5", NULL };

// Without either, descent of (7) never ends: every step makes the scores larger.
static pm_status check_negatives(const pm_config *c, int64_t items)
{
    (void)items;
    const bool held = pm_config_number(c, "l2") > 0 || pm_config_number(c, "ns_bound") > 0;
    PM_REQUIRE(c, held || !pm_config_is(c, "ns_loss", "linear"), PM_ERR_ARG,
               "ns_loss = linear has no lowest value where l2 (lambda) and ns_bound are 0: raise one of them, or take ns_loss = logistic");
    return PM_OK;
}

// A mean over users of a sum over their items; scores of 5,000 and more on both sides of a hundred items.
static const char *negatives_diverge(const pm_config *c, const char *loss, double value)
{
    const bool linear = pm_config_is(c, "ns_loss", "linear");
    if (!pm_name_equal(loss, "ns") || (isfinite(value) && value > -1e6)) return NULL;
    return linear ? "ns_loss = linear has no lowest value of its own: raise l2 (lambda), set ns_bound, or take ns_loss = logistic"
                  : "try a lower lr, a higher l2 (lambda) or ns_bound";
}

// ---- encoder and heads ---------------------------------------------------------------------------------------------

static pm_var encode(pm_build *b)
{
    const float keep = 1.0f - (float)pm_config_number(b->config, "corruption");
    pm_sparse x = b->x;
    if (b->training && keep < 1.0f) x = pm_drop_entries(b->g, x, b->state, keep, b->part ? "input again" : "input");
    return pm_dense_sparse(b->net, &x, "encoder", pm_config_integer(b->config, "latent"), PM_RELU);
}

static pm_var head(pm_build *b, pm_var h, const char *name)
{
    return pm_dense(b->net, h, name, b->items, PM_LINEAR);
}

// (8), and with values in place of ones (17): all entries, zeros too.
static pm_var square_loss(pm_build *b, pm_var values, pm_var z)
{
    return pm_loss_gaussian(b->g, b->x.ptr, b->x.col, values, z, b->row_weight, 2, 2, NULL);
}

static void add_mse(pm_build *b, pm_var h)
{
    pm_add_loss(b, "mse", square_loss(b, b->x.val, head(b, h, "mse")));
}

// How many training users have each item, counted on the device; NULL after a failure. Hangs from the store.
static uint32_t *popularity(pm_build *b)
{
    pm_store *store = pm_graph_store(b->g);
    pm_graph *g;
    pm_program *program = NULL;
    uint32_t *count = pm_new_array(store, uint32_t, b->items);
    pm_status st = count ? pm_graph_create(store, &g) : PM_ERR_NOMEM;
    if (st == PM_OK) {
        pm_output(g, pm_csr_col_count(g, pm_constant(g, "train.col"), b->items), "popularity");
        st = pm_graph_compile(&g, &program);
    }
    if (st == PM_OK) st = pm_program_run(program, 1);
    if (st == PM_OK) st = pm_store_read(store, "popularity", count);
    pm_program_destroy(&program);
    if (st == PM_OK) return count;
    pm_graph_fail(b->g, st, "the popularity of items cannot be counted");
    pm_free(count);
    return NULL;
}

// Counts of negatives of the batch, and the loss over them.
static void add_ns(pm_build *b, pm_var h)
{
    const pm_config *c = b->config;
    const double bound = pm_config_number(c, "ns_bound");
    const int64_t draws = pm_config_integer(c, "negatives");
    uint32_t *weights = popularity(b);
    if (!weights) return;
    const pm_var s = pm_draw_popular(b->g, "negatives", weights, b->items, b->x.rows, draws, b->state);
    pm_free(weights);
    pm_add_loss(b, "ns", pm_loss_counts(b->g, b->x.ptr, b->x.col, b->x.val, head(b, h, "ns"), s, b->row_weight, pm_config_is(c, "ns_loss", "logistic"),
                                        (uint32_t)draws, bound > 0 ? (float)bound : FLT_MAX, NULL));
}

// (16) for every item, in the store as nce.value; an item that nobody has is in no row.
static pm_status put_values(pm_build *b, const uint32_t *count)
{
    pm_store *store = pm_graph_store(b->g);
    const double beta = pm_config_number(b->config, "beta");
    double total = 0;
    for (int64_t i = 0; i < b->items; i++) total += count[i];
    if (pm_config_is(b->config, "nce_total", "users")) total = (double)b->users;
    float *value = pm_new_array(store, float, b->items);
    PM_CHECK_ALLOC(value);
    for (int64_t i = 0; i < b->items; i++) value[i] = count[i] ? (float)fmax(log(total) - beta * log(count[i]), 0) : 0;
    pm_status st = pm_store_add(store, "nce.value", PM_F32, 1, b->items);
    if (st == PM_OK) st = pm_store_write(store, "nce.value", value);
    pm_free(value);
    return st;
}

// The target (16) at the entries of the batch alone.
static pm_var nce_target(pm_build *b)
{
    if (!pm_store_find(pm_graph_store(b->g), "nce.value", NULL, NULL, NULL)) {
        uint32_t *count = popularity(b);
        const pm_status st = count ? put_values(b, count) : PM_ERR_NOMEM;
        pm_free(count);
        if (st != PM_OK) return pm_graph_fail(b->g, st, "the targets of noise contrastive estimation cannot be made");
    }
    return pm_mul(b->g, b->x.val, pm_take_cols(b->g, pm_constant(b->g, "nce.value"), b->x.col));    // zero past the last entry
}

static void add_nce(pm_build *b, pm_var h)
{
    pm_add_loss(b, "nce", square_loss(b, nce_target(b), head(b, h, "nce")));
}

// ---- which losses when (Section 3.3) -------------------------------------------------------------------------------

typedef void add_loss(pm_build *b, pm_var h);

enum { EMBED = 0, TASK = 1 };    // passes of the fine-tuning modes; parts of alternating
enum { RANK_BY_TASK = 0, RANK_BY_EMBEDDING = 1 };

static void two_losses(pm_build *b, add_loss *embedding)
{
    const bool joint = pm_config_is(b->config, "mode", "joint"), alternating = pm_config_is(b->config, "mode", "alternating");
    const int now = alternating ? b->part : b->pass;
    const pm_var h = encode(b);
    if (joint || now == EMBED) embedding(b, h);
    if (joint || now == TASK) add_mse(b, h);
}

static pm_var two_scores(pm_build *b, const char *embedding)
{
    return head(b, encode(b), b->scorer == RANK_BY_EMBEDDING ? embedding : "mse");
}

// What is shared by the passes of NS-AutoRec and NCE-AutoRec. trains_embedding: "encoder. ns." or "encoder. nce.".
static int two_passes(const pm_config *c, const char *trains_embedding, pm_pass *out)
{
    if (pm_config_is(c, "mode", "joint")) {
        out[0] = (pm_pass){ .name = "joint" };
        return 1;
    }
    if (pm_config_is(c, "mode", "alternating")) {
        out[0] = (pm_pass){ .name = "alternating", .parts = 2, .trains = { [EMBED] = trains_embedding, [TASK] = "encoder. mse." } };
        return 1;
    }
    out[EMBED] = (pm_pass){ .name = "embed", .trains = { trains_embedding } };
    out[TASK] = (pm_pass){ .name = "task", .trains = { pm_config_is(c, "mode", "limited-fine-tune") ? "mse." : "encoder. mse." } };
    return 2;
}

static int two_phases(const pm_config *c, pm_phase *out)
{
    if (pm_config_is(c, "mode", "joint") || pm_config_is(c, "mode", "alternating")) {
        out[0] = (pm_phase){ .name = "train" };
        return 1;
    }
    out[0] = (pm_phase){ .name = "embed", .first = EMBED, .scorer = RANK_BY_EMBEDDING };
    out[1] = (pm_phase){ .name = "task", .first = TASK, .from_best = true, .scorer = RANK_BY_TASK };
    return 2;
}

// ---- AutoRec -------------------------------------------------------------------------------------------------------

static void autorec_loss(pm_build *b)
{
    add_mse(b, encode(b));
}

static pm_var autorec_score(pm_build *b)
{
    return head(b, encode(b), "mse");
}

const pm_model pm_model_autorec = {
    .name = "autorec",
    .title = "AutoRec: autoencoder of users, square loss over all entries",
    .paper = "Sedhain et al., 2015, AutoRec: Autoencoders Meet Collaborative Filtering; as in Zhou et al., 2020",
    .hypers = autorec_hypers,
    .presets = autorec_presets,
    .grids = autorec_grids,
    .proofs = autorec_proofs,
    .loss = autorec_loss,
    .score = autorec_score,
};

static void ohns_loss(pm_build *b)
{
    add_ns(b, encode(b));
}

static pm_var ohns_score(pm_build *b)
{
    return head(b, encode(b), "ns");
}

const pm_model pm_model_ohns_autorec = {
    .name = "ohns-autorec",
    .title = "OHNS-AutoRec: the same with negative sampling as its one loss",
    .paper = "Zhou et al., 2020, Noise Contrastive Estimation for Autoencoding-based One-Class Collaborative Filtering",
    .hypers = ohns_hypers,
    .presets = ohns_presets,
    .grids = ohns_grids,
    .proofs = ohns_proofs,
    .check = check_negatives,
    .loss = ohns_loss,
    .score = ohns_score,
    .diverged = negatives_diverge,
};

// ---- NS-AutoRec ----------------------------------------------------------------------------------------------------

static void ns_loss(pm_build *b)
{
    two_losses(b, add_ns);
}

static pm_var ns_score(pm_build *b)
{
    return two_scores(b, "ns");
}

static int ns_passes(const pm_config *c, int64_t users, int64_t items, pm_pass *out)
{
    (void)users;
    (void)items;
    return two_passes(c, "encoder. ns.", out);
}

const pm_model pm_model_ns_autorec = {
    .name = "ns-autorec",
    .title = "NS-AutoRec: one head for negative sampling, one for the square loss",
    .paper = "Zhou et al., 2020, Noise Contrastive Estimation for Autoencoding-based One-Class Collaborative Filtering",
    .hypers = ns_hypers,
    .presets = ns_presets,
    .grids = ns_grids,
    .proofs = ns_proofs,
    .check = check_negatives,
    .phases = two_phases,
    .passes = ns_passes,
    .loss = ns_loss,
    .score = ns_score,
    .diverged = negatives_diverge,
};

// ---- NCE-AutoRec ---------------------------------------------------------------------------------------------------

static void nce_loss(pm_build *b)
{
    two_losses(b, add_nce);
}

static pm_var nce_score(pm_build *b)
{
    return two_scores(b, "nce");
}

static int nce_passes(const pm_config *c, int64_t users, int64_t items, pm_pass *out)
{
    (void)users;
    (void)items;
    return two_passes(c, "encoder. nce.", out);
}

const pm_model pm_model_nce_autorec = {
    .name = "nce-autorec",
    .title = "NCE-AutoRec: one head for the closed form of noise contrastive estimation, one for the square loss",
    .paper = "Zhou et al., 2020, Noise Contrastive Estimation for Autoencoding-based One-Class Collaborative Filtering",
    .hypers = nce_hypers,
    .presets = nce_presets,
    .grids = nce_grids,
    .proofs = nce_proofs,
    .phases = two_phases,
    .passes = nce_passes,
    .loss = nce_loss,
    .score = nce_score,
};
