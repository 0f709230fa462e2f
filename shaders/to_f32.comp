#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "to_f32.glsl"

// wide: x y
void main()
{
    EACH4(i, j, p.C) y4(i, j) = WIDE(x4(i, j));
}
