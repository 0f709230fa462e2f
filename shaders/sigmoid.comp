#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "sigmoid.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = pm_sigmoid(x(i, j));
}
