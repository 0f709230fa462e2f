#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "adam.glsl"
#include "adam_step.glsl"

// wide: w m v g
void main()
{
    EACH4(i, j, p.C) adam_step(i, j, g4(i, j));
}
