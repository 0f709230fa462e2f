#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "loss_mil.glsl"

// wide: z dz
// (1 − p)^g and p^g as exp(−g · softplus(±v)).
vec2 loss_known(float v, float x)
{
    const float sign_ = x > 0.0 ? 1.0 : -1.0, g = x > 0.0 ? p.gp : p.gn;
    const float term = pm_exp(-g * pm_softplus(sign_ * v));
    return vec2(term, -sign_ * g * term * pm_sigmoid(sign_ * v));
}

// The polynomial serves up to tanh(0.625), and is anything at all far out.
float nearest(float by_polynomial, float by_exp)
{
    return abs(by_exp) < 0.5546 ? by_polynomial : by_exp;
}

// tanh(v/2) = 2p − 1, to full precision near 0, from the exp that p(1 − p) needs as well; the power by repeated squaring.
void loss_missing(WIDE v, out WIDE term, out WIDE slope)
{
    const WIDE h = 0.5 * v, w = h * h, a = -abs(v), e = PM_OF(pm_exp, a), one = WIDE(1.0), all = one + e;
    const WIDE r = PM_OF2(pm_div, one, all);
    WIDE q = WIDE(-5.70498872745e-3);
    q = q * w + 2.06390887954e-2;
    q = q * w - 5.37397155531e-2;
    q = q * w + 1.33314422036e-1;
    q = q * w - 3.33332819422e-1;
    const WIDE near = h + h * (q * w), far = sign(h) * ((1.0 - e) * r), t = PM_OF2(nearest, near, far);
    const WIDE first = t * t;
    WIDE square = first, power = one;    // t^(2·gmi − 2)
    for (uint k = p.gmi - 1u; k != 0u; k >>= 1) {
        if ((k & 1u) != 0u) power *= square;
        square *= square;
    }
    const float top = p.A * pm_power_of_two(-2 * int(p.gmi));
    term = top * (power * first);
    slope = 4.0 * float(p.gmi) * top * (power * t) * (e * r * r);
}

#include "loss_cells.glsl"

void main()
{
    EACH_ROW(b) {
        const float sum = group_sum(loss_cells(b));
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = rw(b, 0u) * sum;
    }
}
