#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "sgd.glsl"

// wide: w m g
void main()
{
    EACH4(i, j, p.C) {
        const WIDE before = w4(i, j), by = p.momentum * m4(i, j) + (g4(i, j) + p.decay * before);
        m4(i, j) = by;
        w4(i, j) = before - rate(0u) * by;
    }
}
