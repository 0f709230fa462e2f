// EASE (Steck, 2019): a linear model of items by items in closed form.
//     P = (XᵀX + lambda · 1)⁻¹;  B[i,j] = −P[i,j] / P[j,j], B[j,j] = 0;  scores x · B
// One matrix [items, items] goes from XᵀX over the lower triangle of −P to B in place.
#include <stdio.h>

#include <pumice/linear.h>

#include "models/models.h"

static const pm_hyper hypers[] = {
    { "lambda", PM_HYPER_NUMBER, "500", 0, 1e12, NULL, "L2 penalty", "equation 2" },
    { .name = NULL },
};

static const pm_preset presets[] = {
    { "ml-20m", "lambda=500", "the paper's for MovieLens-20M" },
    { "ml-1m-nce-plrec", "lambda=1000", "for the users of MovieLens-1M with half of their history" },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "lambda", "lambda=50,100,200,500,1000,2000,5000", "Section 3.3: the only hyperparameter" },
    { .name = NULL },
};

static const char *const proofs[] = { "lambda=1", NULL };

enum { GRAM, INVERT, DIAGONAL, WEIGHTS, RESIDUAL, PASSES, GRAM_BATCH = 256, PROBES = 4 };

static int passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)config, (void)users;
    const pm_pass step = { .axis = PM_AXIS_STEPS, .solve = true, .total = 1 };
    for (int i = 0; i < PASSES; i++) out[i] = step;
    out[GRAM] = (pm_pass){ .name = "gram", .axis = PM_AXIS_ITEMS, .in_order = true, .solve = true, .batch = GRAM_BATCH };
    out[INVERT].name = "invert";
    out[WEIGHTS].name = "weights";
    out[INVERT].total = out[WEIGHTS].total = PM_PANELS(items);
    out[DIAGONAL].name = "diagonal";
    out[RESIDUAL].name = "residual";
    return PASSES;
}

static int phases(const pm_config *config, pm_phase *out)
{
    (void)config;
    out[0] = (pm_phase){ .name = "solve", .count = PASSES, .epochs = 1 };
    return 1;
}

// What is needed besides the data: the matrix, a panel and its product, a batch of the Gram matrix.
static double need(int64_t items)
{
    return 4.0 * (double)items * ((double)items + 3 * PM_PANEL + GRAM_BATCH);
}

static bool fits(pm_build *b)
{
    const pm_device *device = pm_store_device(pm_graph_store(b->g));
    const bool on_host = pm_device_get_info(device)->memory == 0;    // which keeps the best parameters too
    const double gib = 1024.0 * 1024 * 1024, kept = 4.0 * (double)b->items * (double)b->items, there = (double)pm_device_capacity(device);
    const double wanted = need(b->items) + (on_host ? kept : 0);
    if (b->pass == GRAM && on_host) pm_log(b->g, PM_LOG_INFO, "ease: %" PRId64 " items need %.2f GiB", b->items, wanted / gib);
    else if (b->pass == GRAM)
        pm_log(b->g, PM_LOG_INFO, "ease: %" PRId64 " items need %.2f GiB on the device, and %.2f GiB of the host's to keep the result", b->items, wanted / gib,
               kept / gib);
    if (b->items > 65535) {
        pm_graph_fail(b->g, PM_ERR_UNSUPPORTED, "ease: %" PRId64 " items would need %.1f GiB; a matrix of 65,536 by 65,536 and more cannot be indexed; leave out "
                      "rare items (--min-item)", b->items, wanted / gib);
        return false;
    }
    if (there == 0 || wanted <= there) return pm_graph_status(b->g) == PM_OK;
    pm_graph_fail(b->g, PM_ERR_DEVICE_MEMORY, "ease: %" PRId64 " items need %.2f GiB and %s has %.2f GiB; leave out rare items (--min-item), or use a "
                  "device with more memory", b->items, wanted / gib, pm_device_get_info(device)->id, there / gib);
    return false;
}

static pm_var weights(pm_build *b)
{
    return pm_param(b->net, "weights", b->items, b->items, (pm_init){ PM_INIT_ZERO, 0 });
}

static pm_var column(pm_build *b, const char *name)
{
    return pm_statistic(b->net, name, b->items, 1, (pm_init){ PM_INIT_ZERO, 0 });
}

// How far P is from the inverse: |(XᵀX + lambda · 1) · P · v − v| / |v| for random v, P · v being P[j,j] v[j] less B times that.
static void add_residual(pm_build *b, pm_var w, pm_var diagonal)
{
    pm_graph *g = b->g;
    const pm_sparse x = pm_whole(b, false), t = pm_whole(b, true);
    const pm_var v = pm_normal(g, b->state, b->items, PROBES, "ease.probe");
    const pm_var scaled = pm_mul_col(g, v, pm_scale(g, diagonal, -1.0f));
    const pm_var pv = pm_sub(g, scaled, pm_matmul(g, w, scaled, false, false));
    const pm_var there = pm_spmm(g, t.ptr, t.col, t.val, pm_spmm(g, x.ptr, x.col, x.val, pv));
    const pm_var all = pm_axpy(g, pv, there, (float)pm_config_number(b->config, "lambda"));
    pm_add_loss(b, "residual", pm_relative_norm(g, pm_sub(g, all, v), v));
}

static void solve(pm_build *b)
{
    pm_graph *g = b->g;
    if (!fits(b)) return;
    const pm_var w = weights(b), diagonal = column(b, "ease.diagonal"), inverse = column(b, "ease.inverse");
    if (b->pass == GRAM) {
        const pm_sparse x = pm_whole(b, false);
        pm_put_rows(g, pm_gram(g, b->x.ptr, b->x.col, b->x.val, x.ptr, x.col, x.val, b->items), b->state, w);
    } else if (b->pass == INVERT) {
        pm_add_loss(b, "pivot", pm_sweep_panel(g, w, b->state, (float)pm_config_number(b->config, "lambda")));
    } else if (b->pass == DIAGONAL) {
        pm_output(g, pm_diagonal(g, w, false), "ease.diagonal");
        pm_output(g, pm_diagonal(g, w, true), "ease.inverse");
    } else if (b->pass == WEIGHTS) {    // what is there is −P: B[i,j] = P[i,j] / −P[j,j]
        pm_panel_rows(g, w, pm_panel_take(g, w, b->state, PM_PANEL), pm_scale(g, inverse, -1.0f), b->state);
    } else {
        add_residual(b, w, diagonal);
    }
}

static pm_var score(pm_build *b)
{
    return pm_spmm(b->g, b->x.ptr, b->x.col, b->x.val, weights(b));
}

static pm_status watch(const void *object, const pm_config *config, const char *loss, double value)
{
    const char *lambda = pm_config_text(config, "lambda");
    if (pm_name_equal(loss, "pivot")) {    // in exact arithmetic none is below lambda
        PM_REQUIRE(object, value > 0 && value > 0.5 * pm_config_number(config, "lambda"), PM_ERR_NUMERIC,
                   "ease: the Gram matrix plus lambda = %s is singular in single precision (a pivot of %.2g); raise lambda", lambda, value);
        return PM_OK;
    }
    PM_REQUIRE(object, value <= 0.1, PM_ERR_NUMERIC,
               "ease: the inverse is off by %.2g of what it should be: the Gram matrix plus lambda = %s is as good as singular in single precision; raise lambda",
               value, lambda);
    if (value > 0.001)
        pm_log(object, PM_LOG_WARN, "ease: the inverse is off by %.2g of what it should be; a lambda above %s would be safer in single precision", value, lambda);
    return PM_OK;
}

const pm_model pm_model_ease = {
    .name = "ease",
    .title = "EASE: each item predicted from all others by a ridge regression in closed form",
    .paper = "Steck, 2019, Embarrassingly Shallow Autoencoders for Sparse Data",
    .hypers = hypers,
    .presets = presets,
    .grids = grids,
    .proofs = proofs,
    .transposed = true,
    .phases = phases,
    .passes = passes,
    .watch = watch,
    .score = score,
    .solve = solve,
};
