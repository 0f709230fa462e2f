#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "mul_col.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = x(i, j) * s(i, 0u);
}
