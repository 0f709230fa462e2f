#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "sigmoid_grad.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = dy(i, j) * s(i, j) * (1.0 - s(i, j));
}
