#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "sigmoid_grad.glsl"

// wide: s dy y
void main()
{
    EACH4(i, j, p.C) {
        const WIDE v = s4(i, j);
        y4(i, j) = dy4(i, j) * v * (1.0 - v);
    }
}
