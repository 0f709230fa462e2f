#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "exp.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = pm_exp(x(i, j));
}
