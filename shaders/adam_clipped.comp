#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "adam_clipped.glsl"
#include "adam_step.glsl"

// wide: w m v g
void main()
{
    EACH4(i, j, p.C) {
        const WIDE before = w4(i, j), grad = f(0u) * (g4(i, j) + p.decay * before);
        adam_moments(i, j, before, grad);
    }
}
