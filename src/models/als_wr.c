// Alternating least squares with weighted-lambda-regularisation of known ratings ("Large-Scale Parallel Collaborative Filtering for the Netflix Prize",
// Zhou, Wilkinson, Schreiber and Pan, 2008); a baseline of the sparse autoencoders.
//     L = Σ_known (r_ui − x_u·y_i)² + λ · (Σ_u n_u · |x_u|² + Σ_i n_i · |y_i|²),  n the ratings of a user or an item, r centred
// The rows' systems are those of wrmf with nothing for absent entries and the ridge times the row's entries. Users are scored by the least-squares
// solution of their rows, whether training has seen them or not.
#include "models/als.h"

static const pm_hyper hypers[] = {
    { "rank", PM_HYPER_INTEGER, "20", 1, 512, NULL, "factors of a user or an item", "sparse autoencoders, Table 2" },
    { "lambda", PM_HYPER_NUMBER, "0.03", 0, 1e6, NULL, "penalty lambda * n * sum(x^2) on the factors of who has n ratings", "sparse autoencoders, Section 2.4 and Table 2" },
    PM_CENTER_HYPER("both"),
    { "solver", PM_HYPER_CHOICE, "cholesky", 0, 0, "cholesky|cg", "of the least squares of a row: exactly, or conjugate gradients from its last factors", NULL },
    PM_CG_HYPERS,
    { "init", PM_HYPER_NUMBER, "0.1", 1e-9, 10, NULL, "deviation of the first factors", NULL },
    PM_SWEEP_HYPERS("30"),
    { .name = NULL },
};

static const pm_preset presets[] = {
    { "ml-1m", "rank=20 lambda=0.03 center=both", "published settings, with the centring of the paper" },
    { "ml-1m-global", "rank=20 lambda=0.03 center=global", "the same factors with the mean of all ratings taken off alone, which does better" },
    { "jester", "rank=20 lambda=0.03 center=both", "published settings" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "rating", "rank=5,10,20,40;lambda=0.01,0.02,0.03,0.05,0.1;center=both,global", "sparse autoencoders, Table 2: round about its choice" },
    { .name = NULL },
};

static const char *const proofs[] = { "rank=3 lambda=0.1 solver=cg cg_iterations=2", NULL };

enum { ITEMS, USERS };    // passes

// Those of pm_als_passes that solve rows: absent entries count nothing here.
static int passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)config, (void)users, (void)items;
    out[ITEMS] = (pm_pass){ .name = "items", .axis = PM_AXIS_ITEMS, .in_order = true, .solve = true };
    out[USERS] = (pm_pass){ .name = "users", .axis = PM_AXIS_USERS, .in_order = true, .solve = true };
    return 2;
}

static pm_als system_of(pm_build *b)
{
    const int64_t rank = pm_config_integer(b->config, "rank");
    return (pm_als){ .x = b->x, .confidence = pm_fill(b->g, 1, b->x.entries, 1.0f), .target = b->x.val, .gram = pm_fill(b->g, rank, rank, 0.0f),
                     .by_count = true };
}

static void solve(pm_build *b)
{
    pm_als_sweep(b, b->pass == USERS, system_of(b));
}

static pm_var score(pm_build *b)
{
    return pm_als_score(b, system_of(b));
}

const pm_model pm_model_als_wr = {
    .name = "als-wr",
    .title = "ALS-WR: matrix factorisation of ratings by alternating least squares, the penalty weighted by how many there are",
    .paper = "Zhou et al., 2008, Large-Scale Parallel Collaborative Filtering for the Netflix Prize",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .ratings = true,
    .passes = passes,
    .solve = solve,
    .score = score,
    .diverged = pm_als_diverged,
};
