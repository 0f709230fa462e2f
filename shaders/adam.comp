#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "adam.glsl"
#include "adam_step.glsl"

void main()
{
    EACH(i, j, p.C) adam_step(i, j, g(i, j));
}
