#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "place.glsl"

void main()
{
    EACH(i, j, p.Q) {
        const uint k = i - p.r0, l = j - p.c0;    // wraps round outside, and is then too large
        y(i, j) = k < p.R && l < p.C ? x(k, l) : 0.0;
    }
}
