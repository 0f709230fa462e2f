// Weighted regularised matrix factorisation of implicit feedback by alternating least squares ("Collaborative Filtering for Implicit Feedback
// Datasets", Hu, Koren and Volinsky, 2008).
//     L = Σ_ui c_ui · (p_ui − x_u·y_i)² + λ · (Σ_u |x_u|² + Σ_i |y_i|²),  p_ui = 1 and c_ui = 1 + α·r_ui where u has i, else 0 and 1
// An epoch gives all items their best factors, then all users. The last thing it knows is the Gram matrix of the items, which scoring needs: a
// user is scored by the least-squares solution of its row, whether training has seen it or not.
#include "models/als.h"

static const pm_hyper hypers[] = {
    { "rank", PM_HYPER_INTEGER, "100", 1, 512, NULL, "factors of a user or an item", "Section 4" },
    { "alpha", PM_HYPER_NUMBER, "10", -0.999, 1e9, NULL, "what a rating of 1 adds to its confidence, which is 1 + alpha * r", "Section 4" },
    { "lambda", PM_HYPER_NUMBER, "10", 0, 1e12, NULL, "penalty lambda * sum(x^2) on all factors", "equation 3" },
    { "solver", PM_HYPER_CHOICE, "cg", 0, 0, "cg|cholesky", "of the least squares of a row: conjugate gradients from its last factors, or exactly", NULL },
    PM_CG_HYPERS,
    { "input", PM_HYPER_CHOICE, "binary", 0, 0, "binary|counts", "r: 1 for each item, or the values in the data", "Section 2" },
    { "init", PM_HYPER_NUMBER, "0.1", 1e-9, 10, NULL, "deviation of the first factors", NULL },
    PM_SWEEP_HYPERS("15"),
    { .name = NULL },
};

static const pm_preset presets[] = {
    { "nce-plrec-ml-1m", "rank=200 alpha=10 lambda=100", "two-headed AutoRec's baseline on the ML-1M split of NCE-PLRec" },
    { "mult-vae", "rank=200 alpha=9 lambda=10 solver=cholesky", "Mult-VAE's baseline WMF: a weight of 10 on ones" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "two-headed", "rank=50,100,200,500;lambda=1e-7,1e-6,1e-5,1e-4,1e-3,1e-2,1e-1,1,10,100,1e3,1e4;alpha=-0.5,-0.4,-0.3,-0.2,-0.1,0,0.1,1,10,100",
      "two-headed AutoRec, Section 4.2.2" },
    { "mult-vae", "alpha=1,4,9,29,49,99;rank=100,200", "Mult-VAE, Section 4.4: weights of 2, 5, 10, 30, 50 and 100 on ones" },
    { .name = NULL },
};

static const char *const proofs[] = { "solver=cholesky alpha=-0.5 lambda=1", "solver=cholesky input=counts", "cg_iterations=8 lambda=1 input=counts", NULL };

static pm_als system_of(pm_build *b, bool users)
{
    const pm_var r = pm_config_is(b->config, "input", "counts") ? b->counts : b->x.val;
    const pm_var confidence = pm_scale(b->g, r, (float)pm_config_number(b->config, "alpha"));
    return (pm_als){ .x = b->x, .confidence = confidence, .target = pm_add(b->g, b->x.val, confidence), .gram = pm_als_gram(b, !users) };
}

static void solve(pm_build *b)
{
    bool users;
    if (pm_als_solves(b, &users)) {
        pm_als_sweep(b, users, system_of(b, users));
        return;
    }
    const pm_var y = pm_als_factors(b, users);
    pm_als_gram(b, users);
    pm_output(b->g, pm_matmul(b->g, y, y, true, false), users ? "users.gram" : "items.gram");
}

static pm_var score(pm_build *b)
{
    return pm_als_score(b, system_of(b, true));
}

const pm_model pm_model_wrmf = {
    .name = "wrmf",
    .title = "Weighted matrix factorisation of implicit feedback by alternating least squares",
    .paper = "2008, Collaborative Filtering for Implicit Feedback Datasets",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .passes = pm_als_passes,
    .check = pm_als_check,
    .solve = solve,
    .score = score,
    .diverged = pm_als_diverged,
};
