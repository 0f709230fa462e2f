#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "loss_cross_entropy.glsl"

vec2 loss_cell(float v, float x)
{
    const float sign_ = x > 0.0 ? -1.0 : 1.0, c = x > 0.0 ? p.a : 1.0;
    const float at = clamp(v, -p.bound, p.bound), slope = at == v ? sign_ * pm_sigmoid(sign_ * v) : 0.0;
    return c * vec2(pm_softplus(sign_ * at), slope);
}

#include "loss_cells.glsl"
