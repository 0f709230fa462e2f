#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "relu_grad.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = r(i, j) > 0.0 ? dy(i, j) : 0.0;
}
