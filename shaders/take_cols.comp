#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "take_cols.glsl"

void main()
{
    EACH(i, k, p.K) y(i, k) = x(i, id(i, k));
}
