// Factors of users and items by turns: the passes, the tables, and a batch of rows solved by least squares. Which weights and targets entries have is the
// model's affair.
#include <math.h>

#include "models/als.h"

enum { USERS_GRAM, ITEMS, ITEMS_GRAM, USERS };    // passes

int pm_als_passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)config, (void)users, (void)items;
    out[USERS_GRAM] = (pm_pass){ .name = "users.gram", .axis = PM_AXIS_STEPS, .solve = true, .total = 1 };
    out[ITEMS] = (pm_pass){ .name = "items", .axis = PM_AXIS_ITEMS, .in_order = true, .solve = true };
    out[ITEMS_GRAM] = (pm_pass){ .name = "items.gram", .axis = PM_AXIS_STEPS, .solve = true, .total = 1 };
    out[USERS] = (pm_pass){ .name = "users", .axis = PM_AXIS_USERS, .in_order = true, .solve = true };
    return 4;
}

bool pm_als_solves(pm_build *b, bool *users)
{
    *users = b->pass == USERS_GRAM || b->pass == USERS;
    if (b->pass == ITEMS || b->pass == USERS) return true;
    if (pm_config_integer(b->config, "rank") > b->users)
        pm_graph_fail(b->g, PM_ERR_ARG, "rank = %s is more than the matrix can have: there are %" PRId64 " training users; lower it",
                      pm_config_text(b->config, "rank"), b->users);
    return false;
}

pm_status pm_als_check(const pm_config *c, int64_t items)
{
    PM_REQUIRE(c, pm_config_integer(c, "rank") <= items, PM_ERR_ARG, "rank = %s is more than the matrix can have: there are %" PRId64 " items; lower it",
               pm_config_text(c, "rank"), items);
    return PM_OK;
}

pm_var pm_als_factors(pm_build *b, bool users)
{
    const float deviation = (float)pm_config_number(b->config, "init");
    return pm_param(b->net, users ? "users" : "items", users ? b->users : b->items, pm_config_integer(b->config, "rank"),
                    (pm_init){ PM_INIT_NORMAL, deviation });
}

pm_var pm_als_gram(pm_build *b, bool users)
{
    const int64_t rank = pm_config_integer(b->config, "rank");
    return pm_statistic(b->net, users ? "users.gram" : "items.gram", rank, rank, (pm_init){ PM_INIT_ZERO, 0 });
}

enum { SYSTEMS = 1 << 24 };    // floats of scratch for systems under work, 64 MiB: hundreds of rows at rank 200

// Rows of scratch: as many systems of rank k as fit, at least one, at most one a row.
static int64_t scratch_rows(int64_t k, int64_t rows)
{
    return k * PM_MAX(PM_MIN(SYSTEMS / PM_MAX(k * k, 1), rows), 1);
}

pm_var pm_als_solve(pm_graph *g, const pm_als *s)
{
    const pm_sparse *x = &s->x;
    int64_t n, k;
    pm_shape_of(g, s->y, &n, &k);
    const pm_var right = pm_spmm(g, x->ptr, x->col, s->target, s->y);
    if (s->exact) return pm_als_cholesky(g, x->ptr, x->col, s->confidence, s->y, s->gram, right, scratch_rows(k, x->rows), s->ridge, s->by_count);
    const pm_var start = s->start ? *s->start : pm_fill(g, x->rows, k, 0);
    return pm_als_cg(g, x->ptr, x->col, s->confidence, s->y, s->gram, right, start, s->iterations, s->ridge, s->by_count);
}

// What rows are best given by the factors of the other side; start: the factors they have, or NULL.
static pm_var best(pm_build *b, bool users, const pm_var *start, pm_als system)
{
    const pm_config *c = b->config;
    system.y = pm_als_factors(b, !users);
    system.ridge = (float)pm_config_number(c, "lambda");
    system.exact = pm_config_is(c, "solver", "cholesky");
    system.iterations = (uint32_t)pm_config_integer(c, start ? "cg_iterations" : "fold_in_iterations");
    system.start = start;
    return pm_als_solve(b->g, &system);
}

void pm_als_sweep(pm_build *b, bool users, pm_als system)
{
    pm_graph *g = b->g;
    const pm_var all = pm_als_factors(b, users), old = pm_gather_rows(g, all, b->rows);
    const pm_var now = best(b, users, &old, system), by = pm_sub(g, now, old);
    pm_put_rows(g, now, b->state, all);
    pm_add_loss(b, users ? "change of users" : "change of items", pm_mul_col(g, pm_row_sum(g, pm_mul(g, by, by)), b->row_weight));
}

pm_var pm_als_score(pm_build *b, pm_als system)
{
    return pm_matmul(b->g, best(b, true, NULL, system), pm_als_factors(b, false), false, true);
}

const char *pm_als_diverged(const pm_config *config, const char *loss, double value)
{
    (void)config, (void)loss;
    return isfinite(value) ? NULL : "a least-squares system is not positive definite, or its numbers grew too large; try a larger lambda";
}
