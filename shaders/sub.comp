#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "sub.glsl"

// wide: a b y
void main()
{
    EACH4(i, j, p.C) y4(i, j) = a4(i, j) - b4(i, j);
}
