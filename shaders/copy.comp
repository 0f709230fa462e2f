#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "copy.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = x(i, j);
}
