#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "broadcast_col.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = x(i, 0u);
}
