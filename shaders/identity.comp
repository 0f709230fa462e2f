#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "identity.glsl"

void main()
{
    EACH(i, j, p.N) y(i, j) = i == j ? 1.0 : 0.0;
}
