// Linear algebra that closed-form models are made of: compositions of ops, to be captured into a graph (pumice/graph.h).
#ifndef PUMICE_LINEAR_H
#define PUMICE_LINEAR_H

#include <pumice/graph.h>

PM_API_BEGIN

// The inversion of a large symmetric positive definite matrix in place, in slices that can be stopped between.
// Captures one slice: the block of columns at the position of the step state is swept (Goodnight, 1979, block by block). After PM_PANELS(n)
// of them the lower triangle of a holds −(a + shift · 1)⁻¹; between, what the next slice needs is in a alone.
// a         [n, n] f32 of the store, of which the lower triangle is read and written
// state     step state; position counts slices
// shift     added to the diagonal, block by block
// returns   [1, 1] the smallest pivot of the block's own elimination; 0 where one was not positive: the matrix is singular or indefinite in single
//           precision, and what a holds from then on is of no use
// Cost      n³ flops over all slices where the device skips what lies above the diagonal, else 2·n³
enum { PM_PANEL = 128 };
#define PM_PANELS(n) (((n) + PM_PANEL - 1) / PM_PANEL)
pm_var pm_sweep_panel(pm_graph *g, pm_var a, pm_var state, float shift);

// An orthonormal basis of the columns of x [n, r], n >= r, by three Cholesky QRs, the first of them shifted (Fukaya et al., 2020): columns that
// are nearly dependent in single precision come out orthonormal all the same; a column of zeros stays one. At most 1024 columns.
pm_var pm_orthonormalize(pm_graph *g, pm_var x);

// The eigenvectors of a symmetric matrix by cyclic Jacobi rotations, in slices. Captures one: PM_JACOBI_ROUNDS rounds from the position of the step
// state. PM_JACOBI_STEPS(n) slices are PM_JACOBI_SWEEPS sweeps, which leave a diagonal to single precision.
// a         [n, n] f32 of the store, becomes diagonal
// v         [n, n] f32 of the store, the unit matrix at first; its rows become the eigenvectors, in the order of the diagonal of a
enum { PM_JACOBI_ROUNDS = 16, PM_JACOBI_SWEEPS = 10 };
#define PM_JACOBI_STEPS(n) ((PM_JACOBI_SWEEPS * ((n) > 1 ? (n) : 1) + PM_JACOBI_ROUNDS - 1) / PM_JACOBI_ROUNDS)
void pm_jacobi(pm_graph *g, pm_var a, pm_var v, pm_var state);

PM_API_END
#endif
