// The right singular vectors of the training matrix X by subspace iteration (Halko, Martinsson and Tropp, 2011): XᵀX applied to a random basis, made
// orthonormal each time, then the eigenproblem of what is left, by Jacobi's rotations. The basis is drawn from the seed, and every slice is a
// step of a pass: it can be stopped between any two.
#include "models/svd.h"

#include <pumice/linear.h>

enum { POWER, PROJECT, ROTATE, MOST = 1024, EXACT_ITERATIONS = 60, EXACT_MORE = 100 };

// Columns of the basis: never more than the matrix can fill.
static int64_t width(const pm_config *config, int64_t users, int64_t items)
{
    const int64_t rank = pm_config_integer(config, "rank"), wanted = pm_config_integer(config, "oversampling");
    const int64_t more = pm_config_flag(config, "exact") ? PM_MAX(wanted, PM_MAX(rank, EXACT_MORE)) : wanted;
    return PM_MIN(PM_MIN(rank + more, MOST), PM_MIN(users, items));
}

// One more than asked for: it takes the random basis into the row space.
static int64_t power_steps(const pm_config *config)
{
    const int64_t wanted = pm_config_integer(config, "iterations_power");
    return 1 + (pm_config_flag(config, "exact") ? PM_MAX(wanted, EXACT_ITERATIONS) : wanted);
}

int pm_svd_passes(const pm_config *config, int64_t users, int64_t items, const char *finish, pm_pass *out)
{
    const int64_t r = width(config, users, items);
    out[POWER] = (pm_pass){ .name = "power", .axis = PM_AXIS_STEPS, .solve = true, .total = power_steps(config) };
    out[PROJECT] = (pm_pass){ .name = "project", .axis = PM_AXIS_STEPS, .solve = true, .total = 1 };
    out[ROTATE] = (pm_pass){ .name = "rotate", .axis = PM_AXIS_STEPS, .solve = true, .total = PM_JACOBI_STEPS(r) };
    out[PM_SVD_FINISH] = (pm_pass){ .name = finish, .axis = PM_AXIS_STEPS, .solve = true, .total = 1 };
    return PM_SVD_FINISH + 1;
}

int pm_svd_phases(const pm_config *config, pm_phase *out)
{
    (void)config;
    out[0] = (pm_phase){ .name = "decompose", .count = PM_SVD_FINISH + 1, .epochs = 1 };
    return 1;
}

bool pm_svd_fits(pm_build *b)
{
    const int64_t rank = pm_config_integer(b->config, "rank"), most = PM_MIN(b->users, b->items);
    if (rank <= most) return pm_graph_status(b->g) == PM_OK;
    pm_graph_fail(b->g, PM_ERR_ARG, "rank = %" PRId64 " is above the rank of the training matrix, %" PRId64 " users by %" PRId64
                  " items; at most %" PRId64 " can be asked for", rank, b->users, b->items, most);
    return false;
}

static pm_var tensor(pm_build *b, const char *name, int64_t rows, pm_init_kind init)
{
    const int64_t r = width(b->config, b->users, b->items);
    return pm_statistic(b->net, name, rows ? rows : r, r, (pm_init){ init, 1 });
}

static pm_var weighted(pm_build *b, pm_var v, const pm_var *weight)
{
    return weight ? pm_mul_col(b->g, v, *weight) : v;
}

// X · v and Xᵀ · u, columns of X weighted.
static pm_var times(pm_build *b, pm_var v, const pm_var *weight)
{
    const pm_sparse x = pm_whole(b, false);
    return pm_spmm(b->g, x.ptr, x.col, x.val, weighted(b, v, weight));
}

static pm_var times_back(pm_build *b, pm_var u, const pm_var *weight)
{
    const pm_sparse x = pm_whole(b, true);
    return weighted(b, pm_spmm(b->g, x.ptr, x.col, x.val, u), weight);
}

void pm_svd_step(pm_build *b, const pm_var *weight)
{
    pm_graph *g = b->g;
    if (!pm_svd_fits(b)) return;
    const pm_var basis = tensor(b, "svd.basis", b->items, PM_INIT_NORMAL);
    const pm_var ritz = tensor(b, "svd.ritz", 0, PM_INIT_ZERO), vectors = tensor(b, "svd.vectors", 0, PM_INIT_ZERO);
    if (b->pass == POWER) {
        pm_output(g, pm_orthonormalize(g, times_back(b, times(b, basis, weight), weight)), "svd.basis");
    } else if (b->pass == PROJECT) {
        const pm_var u = times(b, basis, weight);
        pm_output(g, pm_matmul(g, u, u, true, false), "svd.ritz");
        pm_output(g, pm_identity(g, width(b->config, b->users, b->items)), "svd.vectors");
    } else {
        pm_jacobi(g, ritz, vectors, b->state);
    }
}

pm_var pm_svd_vectors(pm_build *b, const pm_var *weight, pm_var *values)
{
    pm_graph *g = b->g;
    const int64_t rank = pm_config_integer(b->config, "rank");
    const pm_var basis = tensor(b, "svd.basis", b->items, PM_INIT_NORMAL);
    const pm_var ritz = tensor(b, "svd.ritz", 0, PM_INIT_ZERO), vectors = tensor(b, "svd.vectors", 0, PM_INIT_ZERO);
    const pm_var squares = pm_matmul(g, pm_fill(g, 1, 1, 1.0f), pm_diagonal(g, ritz, false), false, true);
    pm_var largest;
    const pm_var order = pm_top_k(g, squares, rank, &largest);
    const pm_var v = pm_matmul(g, basis, pm_gather_rows(g, vectors, order), false, true);
    const pm_var scaled = pm_mul(g, v, pm_broadcast_row(g, largest, b->items));
    const pm_var there = times_back(b, times(b, v, weight), weight);
    pm_add_loss(b, "residual", pm_relative_norm(g, pm_sub(g, there, scaled), scaled));
    *values = pm_root(g, largest);
    return v;
}

pm_status pm_svd_check(const pm_config *config, int64_t items)
{
    const int64_t rank = pm_config_integer(config, "rank");
    PM_REQUIRE(config, rank <= items, PM_ERR_ARG, "rank = %" PRId64 " is above the rank of a matrix of %" PRId64 " items; at most %" PRId64
               " can be asked for", rank, items, items);
    return PM_OK;
}

pm_status pm_svd_watch(const void *object, const pm_config *config, const char *loss, double value)
{
    if (pm_name_equal(loss, "residual") && pm_config_flag(config, "exact") && value > 1e-3)
        pm_log(object, PM_LOG_WARN, "exact: after %" PRId64 " power iterations the residual is still %.2g; raise iterations_power or oversampling",
               power_steps(config) - 1, value);
    return PM_OK;
}
