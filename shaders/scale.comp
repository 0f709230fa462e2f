#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "scale.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = p.alpha * x(i, j);
}
