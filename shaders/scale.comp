#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "scale.glsl"

// wide: x y
void main()
{
    EACH4(i, j, p.C) y4(i, j) = p.alpha * x4(i, j);
}
