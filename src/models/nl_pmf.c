// Non-linear matrix factorisation with Gaussian processes (Lawrence and Urtasun, 2009): items have positions, and a user's ratings are one draw of a process over
// them, whose kernel all users share. Quoted by the sparse autoencoders as NL-PMF.
//     −log p(R) = Σ_u ½ r_uᵀ A_u⁻¹ r_u + ½ log|A_u| + ½ n_u log 2π,  A_u = k(x, x) + noise over the items that u rated, r centred
//     k(i,j) = t0² · exp(−½ t1² · |x_i − x_j|²) + t2² · x_i·x_j + t3²,  noise t4²
// Stochastic gradients over batches of users move the positions and t. Any user is scored by regression on the ratings it has.
#include "models/pairs.h"

static const pm_hyper hypers[] = {
    { "latent", PM_HYPER_INTEGER, "10", 1, 512, NULL, "dimensions of the items' positions", "NL-PMF, Section 5" },
    { "ratings", PM_HYPER_INTEGER, "128", 2, 1024, NULL, "at most so many ratings of a user a step, a new sample each: a step costs their cube", "the paper takes all" },
    { "known", PM_HYPER_INTEGER, "256", 2, 1024, NULL, "at most so many ratings of a user that is scored, evenly spread over the items; exact where the user has no more", NULL },
    { "bell", PM_HYPER_NUMBER, "0.25", 0, 1e3, NULL, "t0 at first: deviation of the smooth part", "NL-PMF, Section 3" },
    { "linear", PM_HYPER_NUMBER, "0.25", 0, 1e3, NULL, "t2 at first: that of the linear part", "NL-PMF, Section 3" },
    { "bias", PM_HYPER_NUMBER, "0.1", 0, 1e3, NULL, "t3 at first: that of what all ratings of a user share", "NL-PMF, Section 3" },
    { "noise", PM_HYPER_NUMBER, "0.4", 1e-3, 1e3, NULL, "t4 at first: that of the noise", "NL-PMF, Section 3" },
    { "prior", PM_HYPER_NUMBER, "0", 0, 1e6, NULL, "penalty prior / 2 * sum(x^2) on the positions of all items, over the number of users", "NL-PMF, Section 3" },
    { "init", PM_HYPER_NUMBER, "0.3", 1e-9, 10, NULL, "deviation of the first positions", NULL },
    PM_CENTER_HYPER("both"),
    PM_OPTIMISER_HYPERS("adam", "20", "50", "users", "0.01"),
    { .name = NULL },
};

static const pm_preset presets[] = {
    { "ml-1m", "latent=10 ratings=128 known=256", "what the published value is compared with; the paper leaves its settings open" },
    { "jester", "latent=10 ratings=100 known=100", "every rating of 100 items" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "rating", "latent=5,10,20;lr=0.003,0.01,0.03;center=both,item,global", "none is published" },
    { .name = NULL },
};

static const char *const proofs[] = { "ratings=5 known=6 prior=3", NULL };

#define JITTER 1e-4f    // beside the noise: keeps a matrix definite whose noise has gone

// A batch's rows with at most so many entries each, fitted.
typedef struct fitted {
    pm_sparse x;
    pm_var    positions, t, loss, weights;
} fitted;

static pm_var positions(pm_build *b)
{
    return pm_item_table(b, "positions", pm_config_integer(b->config, "latent"), (float)pm_config_number(b->config, "init"));
}

// t, each number a parameter of its own name and beginning.
static pm_var kernel(pm_build *b)
{
    static const char *const names[] = { "kernel.bell.b", "kernel.width.b", "kernel.linear.b", "kernel.bias.b", "kernel.noise.b" };
    const pm_config *c = b->config;
    const double first[] = { pm_config_number(c, "bell"), 1, pm_config_number(c, "linear"), pm_config_number(c, "bias"), pm_config_number(c, "noise") };
    pm_var t = { -1 };
    for (int k = 0; k < PM_COUNT(names); k++) {
        const pm_var one = pm_param(b->net, names[k], 1, 1, (pm_init){ PM_INIT_CONSTANT, (float)first[k] });
        const pm_var placed = pm_place(b->g, one, 1, PM_COUNT(names), 0, (uint32_t)k);
        t = k ? pm_add(b->g, t, placed) : placed;
    }
    return t;
}

static fitted fit(pm_build *b, int64_t most, bool even)
{
    pm_graph *g = b->g;
    fitted f = { .x = b->x, .positions = positions(b), .t = kernel(b) };
    pm_var slope;
    f.x.entries = most * b->x.rows;
    f.x.ptr = pm_csr_thin(g, b->x.ptr, b->x.col, b->x.val, b->state, most, f.x.entries, even, "ratings", &f.x.col, &f.x.val);
    f.loss = pm_gp_fit(g, f.x.ptr, f.x.col, f.x.val, f.positions, f.t, most, JITTER, &f.weights, &slope);
    return f;
}

static void loss(pm_build *b)
{
    pm_graph *g = b->g;
    const double prior = pm_config_number(b->config, "prior");
    const fitted f = fit(b, pm_config_integer(b->config, "ratings"), false);
    pm_add_loss(b, "loss", pm_mul_col(g, f.loss, b->row_weight));
    if (prior > 0) pm_add_loss(b, "penalty", pm_scale(g, pm_mul(g, f.positions, f.positions), (float)(0.5 * prior / (double)b->users)));
}

static pm_var score(pm_build *b)
{
    const fitted f = fit(b, pm_config_integer(b->config, "known"), true);
    return pm_gp_scores(b->g, f.x.ptr, f.x.col, f.weights, f.positions, f.t);
}

static const char *diverged(const pm_config *config, const char *loss_name, double value)
{
    (void)config, (void)loss_name;
    return value - value == 0 ? NULL : "a user's covariance is not positive definite, or the kernel's numbers grew too large; try a lower lr or a larger noise";
}

const pm_model pm_model_nl_pmf = {
    .name = "nl-pmf",
    .title = "NL-PMF: each user's ratings a Gaussian process over the items' positions",
    .paper = "Lawrence and Urtasun, 2009, Non-linear Matrix Factorization with Gaussian Processes",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .ratings = true,
    .loss = loss,
    .score = score,
    .diverged = diverged,
};
