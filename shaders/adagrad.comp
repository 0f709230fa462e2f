#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "adagrad.glsl"
#include "adagrad_step.glsl"

// wide: w a g
void main()
{
    EACH4(i, j, p.C) adagrad_step(i, j, g4(i, j) + p.decay * w4(i, j));
}
