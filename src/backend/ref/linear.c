// Reference kernels of the linear group: Gram matrices, inversion, orthonormal bases, eigenvectors.
#include "ref.h"

static int64_t at(const pm_view *v, int64_t j)
{
    return pm_get_u32(v, 0, j);
}

// x[u, i] of a sparse matrix.
static double element(const pm_view *ptr, const pm_view *col, const pm_view *val, int64_t u, int64_t i)
{
    for (int64_t e = at(ptr, u); e < at(ptr, u + 1); e++)
        if (at(col, e) == i) return pm_get(val, 0, e);
    return 0;
}

pm_status pm_ref_gram(const pm_call *c)
{
    const pm_view *aptr = &c->in[0], *arow = &c->in[1], *aval = &c->in[2], *g = &c->out[0];
    for (int64_t b = 0; b < g->rows; b++)
        for (int64_t i = 0; i < g->cols; i++) {
            pm_ref_sum sum = { 0, 0 };
            for (int64_t f = at(aptr, b); f < at(aptr, b + 1); f++) {
                const double product = pm_get(aval, 0, f) * element(&c->in[3], &c->in[4], &c->in[5], at(arow, f), i);
                sum.value += product;
                sum.scale += fabs(product);
            }
            pm_put(c, 0, g, b, i, sum.value, sum.scale);
        }
    return PM_OK;
}
