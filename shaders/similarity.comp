#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "similarity.glsl"

void main()
{
    EACH(b, i, p.I) {
        const uint row = rows(b);
        const float v = g(b, i);
        precise float under = (p.joint != 0u ? size(row) + size(i) - v : size(row) * size(i)) + p.shrink;
        y(b, i) = i != row && v > 0.0 && under > 0.0 ? pm_div(v, under) : 0.0;
    }
}
