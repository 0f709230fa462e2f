#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "relu.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = x(i, j) > 0.0 ? x(i, j) : 0.0;
}
