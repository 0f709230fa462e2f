#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "row_weight.glsl"

void main()
{
    const uint live = n(0u);
    EACH(b, j, 1u) y(b, j) = b < live ? pm_div(w(0u), float(live)) : 0.0;
}
