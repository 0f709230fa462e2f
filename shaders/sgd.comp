#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "sgd.glsl"
#include "sgd_step.glsl"

// wide: w m g
void main()
{
    EACH4(i, j, p.C) sgd_step(i, j, g4(i, j));
}
