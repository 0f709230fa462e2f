#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "add_row.glsl"

// wide: x b y
void main()
{
    EACH4(i, j, p.C) y4(i, j) = x4(i, j) + b4(j);
}
