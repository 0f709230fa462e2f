#include <pumice/linear.h>

#include "core/core.h"

pm_var pm_sweep_panel(pm_graph *g, pm_var a, pm_var state, float shift)
{
    pm_var least;
    const pm_var panel = pm_panel_take(g, a, state, PM_PANEL);
    const pm_var inverse = pm_spd_inverse(g, pm_panel_pivot(g, panel, state), shift, &least);
    const pm_var w = pm_matmul(g, panel, inverse, false, false);
    pm_matmul_add(g, w, panel, a, false, true, -1.0f, true);
    pm_panel_put(g, a, w, inverse, state);
    return least;
}

static pm_var cholesky_qr(pm_graph *g, pm_var x, float shift)
{
    const pm_var inverse = pm_cholesky_inverse(g, pm_matmul(g, x, x, true, false), shift);
    return pm_matmul(g, x, inverse, false, true);
}

// The shift is above the rounding of the Gram matrix of as many as 1024 columns, so that the first factorisation cannot break down.
pm_var pm_orthonormalize(pm_graph *g, pm_var x)
{
    return cholesky_qr(g, cholesky_qr(g, cholesky_qr(g, x, 1e-4f), 0), 0);
}

void pm_jacobi(pm_graph *g, pm_var a, pm_var v, pm_var state)
{
    for (uint32_t round = 0; round < PM_JACOBI_ROUNDS; round++) pm_jacobi_round(g, a, v, state, round, PM_JACOBI_ROUNDS);
}
