#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "tanh_grad.glsl"

// wide: t dy y
void main()
{
    EACH4(i, j, p.C) {
        const WIDE v = t4(i, j);
        y4(i, j) = dy4(i, j) * (1.0 - v * v);
    }
}
