#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "to_u32.glsl"

void main()
{
    EACH(i, j, p.C) {
        const float v = x(i, j);
        y(i, j) = v > 0.0 ? uint(min(v, 16777216.0)) : 0u;
    }
}
