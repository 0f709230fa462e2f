#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "average.glsl"

void main()
{
    EACH(i, j, p.C) r(i, j) = p.keep * r(i, j) + (1.0 - p.keep) * x(i, j);
}
