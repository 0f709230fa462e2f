// Alternating least squares with weighted-lambda-regularisation of known ratings ("Large-Scale Parallel Collaborative Filtering for the Netflix Prize",
// Zhou, Wilkinson, Schreiber and Pan, 2008); a baseline of the sparse autoencoders.
//     L = Σ_known (r_ui − x_u·y_i)² + λ · (Σ_u n_u · |x_u|² + Σ_i n_i · |y_i|²),  n the ratings of a user or an item, r centred
// The rows' systems are those of wrmf with nothing for absent entries and the ridge times the row's entries. Users are scored by the least-squares
// solution of their rows, whether training has seen them or not.
#include "models/models.h"

static const pm_hyper hypers[] = {
    { "rank", PM_HYPER_INTEGER, "20", 1, 512, NULL, "factors of a user or an item", "sparse autoencoders, Table 2" },
    { "lambda", PM_HYPER_NUMBER, "0.03", 0, 1e6, NULL, "penalty lambda * n * sum(x^2) on the factors of who has n ratings", "sparse autoencoders, Section 2.4 and Table 2" },
    PM_CENTER_HYPER("both"),
    { "solver", PM_HYPER_CHOICE, "cholesky", 0, 0, "cholesky|cg", "of the least squares of a row: exactly, or conjugate gradients from its last factors", NULL },
    { "cg_iterations", PM_HYPER_INTEGER, "3", 1, 1000, NULL, "solver=cg: steps for a row in each sweep", NULL },
    { "fold_in_iterations", PM_HYPER_INTEGER, "10", 1, 1000, NULL, "solver=cg: steps for a user that is scored, from zero", NULL },
    { "init", PM_HYPER_NUMBER, "0.1", 1e-9, 10, NULL, "deviation of the first factors", NULL },
    { "epochs", PM_HYPER_INTEGER, "30", 1, 1e6, NULL, "sweeps over users and items", NULL },
    { "batch", PM_HYPER_INTEGER, "1024", 1, 65536, NULL, "rows a step", NULL },
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

// Users last: what validation sees is the least squares of the items' newest factors in any case.
static int passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)config, (void)users, (void)items;
    out[ITEMS] = (pm_pass){ .name = "items", .axis = PM_AXIS_ITEMS, .in_order = true, .solve = true };
    out[USERS] = (pm_pass){ .name = "users", .axis = PM_AXIS_USERS, .in_order = true, .solve = true };
    return 2;
}

static pm_var factors(pm_build *b, bool users)
{
    const float deviation = (float)pm_config_number(b->config, "init");
    return pm_param(b->net, users ? "users" : "items", users ? b->users : b->items, pm_config_integer(b->config, "rank"), (pm_init){ PM_INIT_NORMAL, deviation });
}

// What the rows of x are best given by the factors of the other side; start: the factors they have, or NULL.
static pm_var best(pm_build *b, bool users, const pm_var *start)
{
    const pm_config *c = b->config;
    const int64_t rank = pm_config_integer(c, "rank");
    const pm_als system = {
        .x = b->x, .confidence = pm_fill(b->g, 1, b->x.entries, 1.0f), .target = b->x.val, .y = factors(b, !users), .gram = pm_fill(b->g, rank, rank, 0.0f),
        .ridge = (float)pm_config_number(c, "lambda"), .by_count = true, .exact = pm_config_is(c, "solver", "cholesky"),
        .iterations = (uint32_t)pm_config_integer(c, start ? "cg_iterations" : "fold_in_iterations"), .start = start,
    };
    return pm_als_solve(b->g, &system);
}

static void solve(pm_build *b)
{
    const bool users = b->pass == USERS;
    const pm_var all = factors(b, users), old = pm_gather_rows(b->g, all, b->rows);
    pm_als_keep(b, users ? "change of users" : "change of items", all, old, best(b, users, &old));
}

static pm_var score(pm_build *b)
{
    return pm_matmul(b->g, best(b, true, NULL), factors(b, false), false, true);
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
