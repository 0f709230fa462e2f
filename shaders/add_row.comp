#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "add_row.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = x(i, j) + b(j);
}
