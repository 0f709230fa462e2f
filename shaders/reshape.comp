#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "reshape.glsl"

void main()
{
    EACH(i, j, p.Q) {
        const uint k = i * p.Q + j;
        y(i, j) = k < p.R * p.C ? x(k / p.C, k % p.C) : 0u;
    }
}
