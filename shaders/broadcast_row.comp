#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "broadcast_row.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = x(j);
}
