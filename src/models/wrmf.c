// Weighted regularised matrix factorisation of implicit feedback by alternating least squares ("Collaborative Filtering for Implicit Feedback
// Datasets", Hu, Koren and Volinsky, 2008).
//     L = Σ_ui c_ui · (p_ui − x_u·y_i)² + λ · (Σ_u |x_u|² + Σ_i |y_i|²),  p_ui = 1 and c_ui = 1 + α·r_ui where u has i, else 0 and 1
// An epoch gives all items their best factors, then all users. The last thing it knows is the Gram matrix of the items, which scoring needs: a
// user is scored by the least-squares solution of its row, whether training has seen it or not.
#include "models/models.h"

static const pm_hyper hypers[] = {
    { "rank", PM_HYPER_INTEGER, "100", 1, 512, NULL, "factors of a user or an item", "Section 4" },
    { "alpha", PM_HYPER_NUMBER, "10", -0.999, 1e9, NULL, "what a rating of 1 adds to its confidence, which is 1 + alpha * r", "Section 4" },
    { "lambda", PM_HYPER_NUMBER, "10", 0, 1e12, NULL, "penalty lambda * sum(x^2) on all factors", "equation 3" },
    { "solver", PM_HYPER_CHOICE, "cg", 0, 0, "cg|cholesky", "of the least squares of a row: conjugate gradients from its last factors, or exactly", NULL },
    { "cg_iterations", PM_HYPER_INTEGER, "3", 1, 1000, NULL, "solver=cg: steps for a row in each sweep", NULL },
    { "fold_in_iterations", PM_HYPER_INTEGER, "10", 1, 1000, NULL, "solver=cg: steps for a user that is scored, from zero", NULL },
    { "input", PM_HYPER_CHOICE, "binary", 0, 0, "binary|counts", "r: 1 for each item, or the values in the data", "Section 2" },
    { "init", PM_HYPER_NUMBER, "0.1", 1e-9, 10, NULL, "deviation of the first factors", NULL },
    { "epochs", PM_HYPER_INTEGER, "15", 1, 1e6, NULL, "sweeps over items and users", NULL },
    { "batch", PM_HYPER_INTEGER, "1024", 1, 65536, NULL, "rows a step", NULL },
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

enum { USERS_GRAM, ITEMS, ITEMS_GRAM, USERS };

static int passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)config, (void)users, (void)items;
    out[USERS_GRAM] = (pm_pass){ .name = "users.gram", .axis = PM_AXIS_STEPS, .solve = true, .total = 1 };
    out[ITEMS] = (pm_pass){ .name = "items", .axis = PM_AXIS_ITEMS, .in_order = true, .solve = true };
    out[ITEMS_GRAM] = (pm_pass){ .name = "items.gram", .axis = PM_AXIS_STEPS, .solve = true, .total = 1 };
    out[USERS] = (pm_pass){ .name = "users", .axis = PM_AXIS_USERS, .in_order = true, .solve = true };
    return 4;
}

static pm_status check(const pm_config *c, int64_t items)
{
    PM_REQUIRE(c, pm_config_integer(c, "rank") <= items, PM_ERR_ARG, "rank = %s is more than the matrix can have: there are %" PRId64 " items; lower it",
               pm_config_text(c, "rank"), items);
    return PM_OK;
}

static pm_var factors(pm_build *b, bool users)
{
    const float deviation = (float)pm_config_number(b->config, "init");
    return pm_param(b->net, users ? "users" : "items", users ? b->users : b->items, pm_config_integer(b->config, "rank"),
                    (pm_init){ PM_INIT_NORMAL, deviation });
}

static pm_var gram(pm_build *b, bool users)
{
    const int64_t rank = pm_config_integer(b->config, "rank");
    return pm_statistic(b->net, users ? "users.gram" : "items.gram", rank, rank, (pm_init){ PM_INIT_ZERO, 0 });
}

// What the rows of x are best given by the factors of the other side; start: the factors they have, or NULL.
static pm_var best(pm_build *b, bool users, const pm_var *start)
{
    const pm_config *c = b->config;
    const pm_var r = pm_config_is(c, "input", "counts") ? b->counts : b->x.val;
    const pm_var confidence = pm_scale(b->g, r, (float)pm_config_number(c, "alpha"));
    const pm_als system = {
        .x = b->x, .confidence = confidence, .target = pm_add(b->g, b->x.val, confidence), .y = factors(b, !users), .gram = gram(b, !users),
        .ridge = (float)pm_config_number(c, "lambda"), .exact = pm_config_is(c, "solver", "cholesky"),
        .iterations = (uint32_t)pm_config_integer(c, start ? "cg_iterations" : "fold_in_iterations"), .start = start,
    };
    return pm_als_solve(b->g, &system);
}

static void solve_rows(pm_build *b, bool users)
{
    const pm_var all = factors(b, users), old = pm_gather_rows(b->g, all, b->rows);
    pm_als_keep(b, users ? "change of users" : "change of items", all, old, best(b, users, &old));
}

static void solve(pm_build *b)
{
    const bool users = b->pass == USERS_GRAM || b->pass == USERS;
    if (b->pass == ITEMS || b->pass == USERS) {
        solve_rows(b, users);
        return;
    }
    if (pm_config_integer(b->config, "rank") > b->users)
        pm_graph_fail(b->g, PM_ERR_ARG, "rank = %s is more than the matrix can have: there are %" PRId64 " training users; lower it",
                      pm_config_text(b->config, "rank"), b->users);
    const pm_var y = factors(b, users);
    gram(b, users);
    pm_output(b->g, pm_matmul(b->g, y, y, true, false), users ? "users.gram" : "items.gram");
}

static pm_var score(pm_build *b)
{
    return pm_matmul(b->g, best(b, true, NULL), factors(b, false), false, true);
}

const pm_model pm_model_wrmf = {
    .name = "wrmf",
    .title = "Weighted matrix factorisation of implicit feedback by alternating least squares",
    .paper = "2008, Collaborative Filtering for Implicit Feedback Datasets",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .passes = passes,
    .check = check,
    .solve = solve,
    .score = score,
    .diverged = pm_als_diverged,
};
