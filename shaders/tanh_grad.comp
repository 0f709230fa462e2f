#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "tanh_grad.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = dy(i, j) * (1.0 - t(i, j) * t(i, j));
}
