#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "adam.glsl"

// wide: w m v g
void main()
{
    EACH4(i, j, p.C) {
        const WIDE before = w4(i, j), grad = g4(i, j) + p.decay * before;
        const WIDE first = p.beta1 * m4(i, j) + (1.0 - p.beta1) * grad;
        const WIDE second = p.beta2 * v4(i, j) + (1.0 - p.beta2) * grad * grad;
        m4(i, j) = first;
        v4(i, j) = second;
        w4(i, j) = before - rate(0u) * first / (sqrt(second) + p.eps);
    }
}
