// NCE-PLRec (Wu et al., 2019): item embeddings from a decomposition of noise-contrastive weights, and on them a linear regression.
//     R*[u,i] = max(log total − beta · log pop_i, 0) where R[u,i] is not zero;  R* ≈ U Σ Vᵀ;  F = R · V · sqrt(Σ)
//     W = (FᵀF + lambda · 1)⁻¹ · Fᵀ · R;  scores F · W
#include <math.h>

#include "models/svd.h"

static const pm_hyper hypers[] = {
    PM_SVD_HYPERS("100"),
    { "beta", PM_HYPER_NUMBER, "1.1", 0, 100, NULL, "how much popularity counts against an item", "equation 16" },
    { "lambda", PM_HYPER_NUMBER, "10000", 0, 1e12, NULL, "ridge penalty of the regression", "Section 4.2.2" },
    { "total", PM_HYPER_CHOICE, "users", 0, 0, "users|interactions",
      "what popularity is a share of: the number of users, as the published code has it, or of interactions, as the equation", "equation 16" },
    { .name = NULL },
};

#define PAPER "rank=100 oversampling=10 iterations_power=10 lambda=10000 beta=1.1 total=users "

static const pm_preset presets[] = {
    { "two-headed", PAPER "exact=off", "as in the comparison of Two-headed AutoRec and of NCE-PLRec on ML-1M" },
    { "exact", PAPER "exact=on", "the same without the randomness" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "two-headed", "rank=50,100,200,500;beta=0.7,0.8,0.9,1,1.1,1.2,1.3;lambda=1e-7,1e-6,1e-5,1e-4,1e-3,1e-2,1e-1,1,1e1,1e2,1e3,1e4",
      "Two-headed AutoRec, Section 4.2.2" },
    { .name = NULL },
};

static const char *const proofs[] = { "rank=3 lambda=1 beta=0.5 total=interactions", NULL };

static int passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    return pm_svd_passes(config, users, items, "regression", out);
}

static pm_var factors(pm_build *b, const char *name)
{
    return pm_param(b->net, name, b->items, pm_config_integer(b->config, "rank"), (pm_init){ PM_INIT_ZERO, 0 });
}

// The weight of each item, [items, 1]. One that nobody chose has no entries to weigh.
static pm_var item_weights(pm_build *b)
{
    pm_graph *g = b->g;
    const pm_sparse x = pm_whole(b, false);
    const double total = pm_config_is(b->config, "total", "users") ? (double)b->users : (double)x.entries;
    const pm_var popularity = pm_log_count(g, pm_csr_col_count(g, x.col, b->items));
    const pm_var row = pm_relu(g, pm_axpy(g, popularity, pm_fill(g, 1, b->items, (float)log(total)), -(float)pm_config_number(b->config, "beta")));
    return pm_matmul(g, row, pm_fill(g, 1, 1, 1.0f), true, false);
}

static void regress(pm_build *b, pm_var vectors, pm_var values)
{
    pm_graph *g = b->g;
    const pm_sparse x = pm_whole(b, false), t = pm_whole(b, true);
    pm_var least;
    const pm_var encoder = pm_mul(g, vectors, pm_broadcast_row(g, pm_root(g, values), b->items));
    const pm_var f = pm_spmm(g, x.ptr, x.col, x.val, encoder);
    const pm_var inverse = pm_spd_inverse(g, pm_matmul(g, f, f, true, false), (float)pm_config_number(b->config, "lambda"), &least);
    pm_add_loss(b, "pivot", least);
    pm_output(g, pm_matmul(g, pm_spmm(g, t.ptr, t.col, t.val, f), inverse, false, false), "decoder");
    pm_output(g, encoder, "encoder");
}

static void solve(pm_build *b)
{
    factors(b, "encoder");
    factors(b, "decoder");
    const pm_var weight = item_weights(b);
    if (b->pass < PM_SVD_FINISH) {
        pm_svd_step(b, &weight);
        return;
    }
    pm_var values;
    const pm_var vectors = pm_svd_vectors(b, &weight, &values);
    regress(b, vectors, values);
}

static pm_var score(pm_build *b)
{
    const pm_var f = pm_spmm(b->g, b->x.ptr, b->x.col, b->x.val, factors(b, "encoder"));
    return pm_matmul(b->g, f, factors(b, "decoder"), false, true);
}

static pm_status watch(const void *object, const pm_config *config, const char *loss, double value)
{
    PM_REQUIRE(object, !pm_name_equal(loss, "pivot") || value > 0, PM_ERR_NUMERIC,
               "the regression's matrix is singular with lambda = %s: features depend on each other; raise lambda, or lower rank",
               pm_config_text(config, "lambda"));
    return pm_svd_watch(object, config, loss, value);
}

const pm_model pm_model_nce_plrec = {
    .name = "nce-plrec",
    .title = "NCE-PLRec: a linear regression on item embeddings from noise-contrastive weights",
    .paper = "Wu et al., 2019, Noise Contrastive Estimation for One-Class Collaborative Filtering",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .transposed = true,
    .phases = pm_svd_phases,
    .passes = passes,
    .check = pm_svd_check,
    .watch = watch,
    .score = score,
    .solve = solve,
};
