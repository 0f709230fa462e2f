#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "batch_norm_apply.glsl"

void main()
{
    EACH(i, j, p.H) y(i, j) = gamma(j) * pm_div(x(i, j) - mean(j), sqrt(var(j) + p.eps)) + beta(j);
}
