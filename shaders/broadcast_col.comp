#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "broadcast_col.glsl"

// wide: y
void main()
{
    EACH4(i, j, p.C) y4(i, j) = WIDE(x(i, 0u));
}
