#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "add.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = a(i, j) + b(i, j);
}
