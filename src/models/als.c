// Alternating least squares: one half-sweep's rows. Which weights and targets entries have is the model's affair.
#include <math.h>

#include "models/models.h"

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

void pm_als_keep(pm_build *b, const char *change, pm_var all, pm_var old, pm_var now)
{
    const pm_var by = pm_sub(b->g, now, old);
    pm_put_rows(b->g, now, b->state, all);
    pm_add_loss(b, change, pm_mul_col(b->g, pm_row_sum(b->g, pm_mul(b->g, by, by)), b->row_weight));
}

const char *pm_als_diverged(const pm_config *config, const char *loss, double value)
{
    (void)config, (void)loss;
    return isfinite(value) ? NULL : "a least-squares system is not positive definite, or its numbers grew too large; try a larger lambda";
}
