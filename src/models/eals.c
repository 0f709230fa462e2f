// Matrix factorisation of implicit feedback by element-wise alternating least squares ("Fast Matrix Factorization for Online Recommendation with Implicit
// Feedback", He et al., 2016).
//     L = Σ_{ui known} w · (1 − p_u·q_i)² + Σ_u Σ_{i missing} c_i · (p_u·q_i)² + λ · (Σ_u |p_u|² + Σ_i |q_i|²),   c_i = c0 · f_i^a / Σ_j f_j^a
// f being how often an item was chosen. One factor of a user or an item at a time is given its best value; what is missing is summed once for all rows,
// in Σ c_i q_i q_iᵀ and Σ p_u p_uᵀ. An epoch goes through all items, then all users.
#include <math.h>

#include "models/als.h"

static const pm_hyper hypers[] = {
    { "rank", PM_HYPER_INTEGER, "128", 1, 512, NULL, "factors of a user or an item", "Section 5.1.4: K" },
    { "w", PM_HYPER_NUMBER, "1", 1e-6, 1e6, NULL, "weight of an interaction", "equation 7: w_ui" },
    { "c0", PM_HYPER_NUMBER, "512", 0, 1e9, NULL, "what the missing interactions of a user with all items weigh together", "equation 8" },
    { "a", PM_HYPER_NUMBER, "0.4", 0, 2, NULL, "how much more an item's missing interactions weigh where it is popular; 0: all alike", "equation 8: alpha" },
    { "lambda", PM_HYPER_NUMBER, "0.01", 0, 1e9, NULL, "penalty lambda * sum(p^2) on all factors", "equation 7" },
    { "init", PM_HYPER_NUMBER, "0.01", 1e-9, 10, NULL, "deviation of the first factors", NULL },
    { "fold_sweeps", PM_HYPER_INTEGER, "10", 1, 1000, NULL, "sweeps over the factors of a user that is scored, from zero", NULL },
    { "w_new", PM_HYPER_NUMBER, "4", 1e-6, 1e6, NULL, "weight of an interaction that comes later, while it is taken in (pumice update)", "Section 4.3" },
    PM_SWEEP_HYPERS("50"),
    { .name = NULL },
};

static const pm_preset presets[] = {
    { "amazon-music", "rank=16 epochs=20", "for the 844 users of Amazon music in DMF's Table 2" },
    { "ml-1m-ncf", "rank=64 lambda=10 epochs=15", "for MovieLens-1M as NCF split it" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "missing", "c0=32,64,128,256,512,1024;a=0,0.2,0.4,0.6,0.8,1", "Section 5.2, Figure 2" },
    { "rank", "rank=8,16,32,64,128", "Section 5.3.2, Figure 5" },
    { "penalty", "rank=32,64,128;lambda=0.01,0.1,1,10,100", "no paper's: what matters most" },
    { .name = NULL },
};

static const char *const proofs[] = { "c0=20 a=0 lambda=0.5 init=0.3", NULL };

static float number(const pm_build *b, const char *name)
{
    return (float)pm_config_number(b->config, name);
}

static pm_var statistic(pm_build *b, const char *name, int64_t rows, int64_t cols)
{
    return pm_statistic(b->net, name, rows, cols, (pm_init){ PM_INIT_ZERO, 0 });
}

// What all weigh where they are alike, and one that comes later.
static float mean_missing(const pm_build *b)
{
    return number(b, "c0") / (float)b->items;
}

// What a missing interaction of each item weighs; 0 for one that nobody has chosen, unless all are alike. n^a / Σ n^a is a softmax of a · log n.
static pm_var missing(pm_build *b)
{
    return pm_statistic(b->net, "missing", 1, b->items, (pm_init){ PM_INIT_CONSTANT, mean_missing(b) });
}

static pm_var weigh_missing(pm_build *b)
{
    pm_graph *g = b->g;
    const pm_var count = pm_csr_col_count(g, pm_constant(g, "train.col"), b->items);
    pm_var power = pm_scale(g, pm_log_count(g, count), number(b, "a"));
    if (pm_config_number(b->config, "a") > 0) {
        const pm_var none = pm_relu(g, pm_axpy(g, pm_to_f32(g, count), pm_fill(g, 1, b->items, 1.0f), -1.0f));
        power = pm_axpy(g, none, power, -1e6f);
    }
    return pm_scale(g, pm_softmax(g, power), number(b, "c0"));
}

// One sweep over the factors x of rows of users or items, whose entries weigh w and of which a missing one weighs m. Returns what is left of the targets.
static pm_var sweep(pm_build *b, const pm_sparse *rows, bool users, pm_var w, pm_var m, pm_var x)
{
    pm_graph *g = b->g;
    int64_t batch, rank;
    pm_shape_of(g, x, &batch, &rank);
    const pm_var others = users ? pm_reshape(g, missing(b), b->items, 1) : pm_fill(g, b->users, 1, 1.0f);    // a missing entry weighs m times this
    const pm_var less = pm_sddmm(g, rows->ptr, rows->col, pm_scale(g, pm_reshape(g, m, batch, 1), -1.0f), others, pm_fill(g, 1, rows->items, 0));
    const pm_var left = pm_copy(g, w);
    pm_eals_rows(g, rows->ptr, rows->col, pm_add(g, w, less), left, pm_als_factors(b, !users), pm_als_gram(b, !users), m, x, number(b, "lambda"));
    return left;
}

static pm_var dots(pm_graph *g, pm_var x, pm_var y)
{
    return pm_row_sum(g, pm_mul(g, x, y));
}

// The objective, over the users: what their rows add, of which t = w − c · score is left at the entries, and the penalty of the items. Entries add
// c · score² − 2 w · score + w = w − score · (w + t).
static void add_objective(pm_build *b, pm_var x, pm_var left)
{
    pm_graph *g = b->g;
    const int64_t batch = b->x.rows, steps = (b->users + batch - 1) / batch;
    const float w = number(b, "w"), share = (float)((double)steps / (double)b->users);    // what is logged are means over the steps
    const pm_var q = pm_als_factors(b, false), all = pm_fill(g, 1, b->x.entries, w), one = pm_fill(g, b->items, 1, 1.0f);
    const pm_var known = pm_sub(g, pm_spmm(g, b->x.ptr, b->x.col, all, one), dots(g, x, pm_spmm(g, b->x.ptr, b->x.col, pm_add(g, all, left), q)));
    const pm_var absent = dots(g, x, pm_matmul(g, x, pm_als_gram(b, false), false, false));
    const pm_var rows = pm_add(g, pm_axpy(g, dots(g, x, x), known, number(b, "lambda")), absent);
    const pm_var live = pm_row_weight(g, pm_to_f32(g, b->live), b->live, batch);    // 1 for live rows, else 0
    const pm_var sum = pm_scale(g, pm_col_sum(g, pm_mul(g, rows, live)), share);
    pm_add_loss(b, "objective", pm_axpy(g, statistic(b, "items.penalty", 1, 1), sum, (float)(1.0 / (double)b->users)));
}

static void solve_rows(pm_build *b, bool users)
{
    pm_graph *g = b->g;
    const pm_var all = pm_als_factors(b, users), x = pm_gather_rows(g, all, b->rows);
    const pm_var m = users ? pm_fill(g, 1, b->x.rows, 1.0f) : pm_take_cols(g, missing(b), b->rows);
    const pm_var left = sweep(b, &b->x, users, pm_fill(g, 1, b->x.entries, number(b, "w")), m, x);
    pm_put_rows(g, x, b->state, all);
    if (users) add_objective(b, x, left);
}

// What the missing entries of one side are worth to the other, and the penalty of the items.
static void sum_missing(pm_build *b, bool users)
{
    pm_graph *g = b->g;
    const pm_var y = pm_als_factors(b, users);
    pm_als_gram(b, users);
    if (users) {
        pm_output(g, pm_matmul(g, y, y, true, false), "users.gram");
        return;
    }
    pm_output(g, pm_matmul(g, pm_mul_col(g, y, pm_reshape(g, missing(b), b->items, 1)), y, true, false), "items.gram");
    statistic(b, "items.penalty", 1, 1);
    pm_output(g, pm_scale(g, pm_col_sum(g, dots(g, y, y)), number(b, "lambda")), "items.penalty");
}

static void solve(pm_build *b)
{
    bool users;
    if (pm_als_solves(b, &users)) {
        solve_rows(b, users);
        return;
    }
    if (users) {
        missing(b);
        pm_output(b->g, weigh_missing(b), "missing");
    }
    sum_missing(b, users);
}

// One side of an interaction: its row's factors get their best values, and the sum of what is missing follows them.
static void take_in(pm_build *b, const pm_sparse *row, bool users, pm_var index, pm_var state)
{
    pm_graph *g = b->g;
    const pm_var all = pm_als_factors(b, users), old = pm_gather_rows(g, all, index), x = pm_copy(g, old);
    const pm_var m = users ? pm_fill(g, 1, 1, 1.0f) : pm_take_cols(g, missing(b), index);
    const pm_var w = pm_axpy(g, row->val, pm_fill(g, 1, row->entries, number(b, "w")), number(b, "w_new") - number(b, "w"));
    sweep(b, row, users, w, m, x);
    pm_matmul_add(g, pm_mul_col(g, x, m), x, pm_als_gram(b, users), true, false, 1.0f, false);
    pm_matmul_add(g, pm_mul_col(g, old, m), old, pm_als_gram(b, users), true, false, -1.0f, false);
    pm_put_rows(g, x, state, all);
}

// What nobody had in training may be chosen now, and weighs from here on what a new item does. Its factors are zero until it is chosen, so that nothing else
// changes by that.
static void weigh_unseen(pm_build *b)
{
    pm_graph *g = b->g;
    const pm_var now = missing(b), mean = pm_fill(g, 1, b->items, mean_missing(b));
    pm_output(g, pm_add(g, now, pm_sub(g, mean, pm_relu_grad(g, now, mean))), "missing");
}

// Algorithm 2 of the paper: the user first, then the item.
static void update(pm_build *b, const pm_arrival *arrival)
{
    if (arrival) {
        take_in(b, &arrival->of_user, true, arrival->user, arrival->user_state);
        take_in(b, &arrival->of_item, false, arrival->item, arrival->item_state);
        return;
    }
    weigh_unseen(b);
    sum_missing(b, true);
    sum_missing(b, false);
}

static const char *diverged(const pm_config *config, const char *loss, double value)
{
    (void)config, (void)loss;
    return isfinite(value) ? NULL : "the factors grew too large; try a larger lambda, or lower c0";
}

// A user's factors by sweeps over what is known of it now, from zero.
static pm_var fold_in(pm_build *b)
{
    pm_graph *g = b->g;
    const pm_var x = pm_fill(g, b->x.rows, pm_config_integer(b->config, "rank"), 0), m = pm_fill(g, 1, b->x.rows, 1.0f);
    const pm_var w = pm_fill(g, 1, b->x.entries, number(b, "w"));
    for (int64_t s = 0; s < pm_config_integer(b->config, "fold_sweeps"); s++) sweep(b, &b->x, true, w, m, x);
    return x;
}

static pm_var score(pm_build *b)
{
    return pm_matmul(b->g, fold_in(b), pm_als_factors(b, false), false, true);
}

static pm_var score_at(pm_build *b, pm_var id)
{
    const pm_var all = pm_to_u32(b->g, pm_fill(b->g, 1, 1, (float)b->x.rows));
    return pm_pick_scores(b->g, fold_in(b), pm_als_factors(b, false), id, all, false);
}

const pm_model pm_model_eals = {
    .name = "eals",
    .title = "Element-wise ALS: matrix factorisation whose missing data weigh by popularity",
    .paper = "He et al., 2016, Fast Matrix Factorization for Online Recommendation with Implicit Feedback",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .passes = pm_als_passes,
    .check = pm_als_check,
    .solve = solve,
    .score = score,
    .score_at = score_at,
    .update = update,
    .diverged = diverged,
};
