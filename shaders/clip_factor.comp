#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "clip_factor.glsl"

void main()
{
    EACH(i, j, 1u) y(j) = x(j) > p.limit * p.limit ? pm_div(p.limit, sqrt(x(j))) : 1.0;
}
