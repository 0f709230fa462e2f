#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "root.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = sqrt(max(x(i, j), 0.0));
}
