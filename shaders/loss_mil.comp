#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "loss_mil.glsl"

// tanh(v/2) = 2p − 1, to full precision near 0, from the exp that p(1 − p) needs as well; the power by repeated squaring.
vec2 missing(float v)
{
    const float h = 0.5 * v, w = h * h, e = pm_exp(-abs(v)), r = pm_div(1.0, 1.0 + e);
    float q = -5.70498872745e-3;
    q = q * w + 2.06390887954e-2;
    q = q * w - 5.37397155531e-2;
    q = q * w + 1.33314422036e-1;
    q = q * w - 3.33332819422e-1;
    const float far = (1.0 - e) * r, t = abs(h) < 0.625 ? h + h * (q * w) : h < 0.0 ? -far : far;
    const uint bits = p.gmi - 1u;
    float square = t * t, power = 1.0;    // t^(2·gmi − 2)
    const float first = square;
    for (uint k = bits; k != 0u; k >>= 1) {
        if ((k & 1u) != 0u) power *= square;
        square *= square;
    }
    const float top = p.A * pm_power_of_two(-2 * int(p.gmi));
    return vec2(top * (power * first), 4.0 * float(p.gmi) * top * (power * t) * (e * r * r));
}

vec2 loss_cell(float v, float x)
{
    if (x == 0.0) return missing(v);
    const float sign_ = x > 0.0 ? 1.0 : -1.0, g = x > 0.0 ? p.gp : p.gn;
    const float term = pm_exp(-g * pm_softplus(sign_ * v));
    return vec2(term, -sign_ * g * term * pm_sigmoid(sign_ * v));
}

#include "loss_cells.glsl"
