#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "random.glsl"
#include "normal.glsl"
#include "normal_of.glsl"

// wide: y
void main()
{
    EACH4(i, j, p.C) y4(i, j) = normals(p.stream, i, j);
}
