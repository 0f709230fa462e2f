#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "to_f32.glsl"

void main()
{
    EACH(i, j, p.C) y(i, j) = float(x(i, j));
}
