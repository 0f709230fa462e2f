// What the reference kernels share.
#ifndef PM_REF_H
#define PM_REF_H

#include <math.h>

#include <pumice/activation.h>
#include <pumice/state.h>

#include "backend/host.h"
#include "core/philox.h"

static inline double pm_max_double(double a, double b)
{
    return a > b ? a : b;
}

// log(1 + exp(x)).
static inline double pm_ref_softplus_of(double x)
{
    return pm_max_double(x, 0) + log1p(exp(-fabs(x)));
}

// 1 / (1 + exp(−x)), exp of nothing positive.
static inline double pm_ref_sigmoid_of(double x)
{
    const double e = exp(-fabs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

// max + log Σ exp(x − max) of a row, and how far its parts lie from the maximum: what the rounding of x − max is worth.
typedef struct pm_ref_lse {
    double max, log_sum, spread;    // spread: Σ softmax · |x − max|
} pm_ref_lse;

static inline pm_ref_lse pm_ref_log_sum_exp(const pm_view *x, int64_t i)
{
    pm_ref_lse l = { .max = pm_get(x, i, 0) };
    for (int64_t j = 1; j < x->cols; j++) l.max = pm_max_double(l.max, pm_get(x, i, j));
    double sum = 0;
    for (int64_t j = 0; j < x->cols; j++) {
        const double d = pm_get(x, i, j) - l.max, e = exp(d);
        sum += e;
        l.spread += e > 0 ? e * fabs(d) : 0;
    }
    l.log_sum = log(sum);
    l.spread /= sum;
    return l;
}

// A sum and that of its summands' sizes: what its rounding is measured in.
typedef struct pm_ref_sum {
    double value, scale;
} pm_ref_sum;

// Element (i, j) of a product of matrices, each transposed when its flag is set.
static inline pm_ref_sum pm_ref_product(const pm_view *a, const pm_view *b, bool ta, bool tb, int64_t i, int64_t j)
{
    pm_ref_sum sum = { 0, 0 };
    const int64_t inner = ta ? a->rows : a->cols;
    for (int64_t k = 0; k < inner; k++) {
        const double product = (ta ? pm_get(a, k, i) : pm_get(a, i, k)) * (tb ? pm_get(b, j, k) : pm_get(b, k, j));
        sum.value += product;
        sum.scale += fabs(product);
    }
    return sum;
}

// An activation (pumice/activation.h).
static inline double pm_ref_activation(uint32_t act, double z)
{
    return act == PM_ACT_TANH ? tanh(z) : act == PM_ACT_SIGMOID ? pm_ref_sigmoid_of(z) : act == PM_ACT_RELU ? pm_max_double(z, 0) : z;
}

// What the rounding of a sum of that size is worth behind an activation: its slope is taken as near to 0 as that rounding can lead.
static inline double pm_ref_activation_scale(uint32_t act, double z, double size)
{
    const double nearest = -pm_max_double(fabs(z) - 1e-5 * size, 0), y = pm_ref_activation(act, nearest);    // below 0 no digits of 1 − y are lost
    const double slope = act == PM_ACT_TANH ? 1 - y * y : act == PM_ACT_SIGMOID ? y * (1 - y) : 1;
    return fabs(pm_ref_activation(act, z)) + slope * size;
}

static inline uint64_t pm_ref_seed(const pm_view *state)
{
    return (uint64_t)pm_get_u32(state, 0, PM_STATE_SEED_HI) << 32 | pm_get_u32(state, 0, PM_STATE_SEED_LO);
}

#endif
