#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "max_norm_cols.glsl"

void main()
{
    EACH(i, j, p.C)
        if (q(j) > p.limit * p.limit) w(i, j) *= pm_div(p.limit, sqrt(q(j)));
}
