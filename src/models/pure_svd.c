// PureSVD (Cremonesi, Koren and Turrin, 2010): the training matrix, missing entries being zeros, projected onto its first right singular vectors.
#include "models/svd.h"

static const pm_hyper hypers[] = { PM_SVD_HYPERS("50"), { .name = NULL } };

#define PAPER "oversampling=10 iterations_power=10 exact=off "

static const pm_preset presets[] = {
    { "two-headed", PAPER "rank=50", "as in the comparison of Two-headed AutoRec and of NCE-PLRec on ML-1M" },
    { "exact", "rank=50 exact=on", "the same without the randomness" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "two-headed", "rank=50,100,200,500", "Two-headed AutoRec, Section 4.2.2" },
    { .name = NULL },
};

static const char *const proofs[] = { "rank=3 oversampling=0 iterations_power=2", NULL };

static int passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    return pm_svd_passes(config, users, items, "factors", out);
}

static pm_var factors(pm_build *b)
{
    return pm_param(b->net, "factors", b->items, pm_config_integer(b->config, "rank"), (pm_init){ PM_INIT_ZERO, 0 });
}

static void solve(pm_build *b)
{
    factors(b);
    if (b->pass < PM_SVD_FINISH) {
        pm_svd_step(b, NULL);
        return;
    }
    pm_var values;
    pm_output(b->g, pm_svd_vectors(b, NULL, &values), "factors");
}

// x · V · Vᵀ
static pm_var score(pm_build *b)
{
    const pm_var v = factors(b);
    return pm_matmul(b->g, pm_spmm(b->g, b->x.ptr, b->x.col, b->x.val, v), v, false, true);
}

const pm_model pm_model_pure_svd = {
    .name = "pure-svd",
    .title = "PureSVD: histories projected onto the first right singular vectors of the training matrix",
    .paper = "Cremonesi, Koren and Turrin, 2010, Performance of Recommender Algorithms on Top-N Recommendation Tasks",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .transposed = true,
    .phases = pm_svd_phases,
    .passes = passes,
    .check = pm_svd_check,
    .watch = pm_svd_watch,
    .score = score,
    .solve = solve,
};
