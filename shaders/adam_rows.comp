#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "adam_rows.glsl"
#include "adam_moments.glsl"

// wide: w m v g
void main()
{
    EACH4(i, j, p.C) {
        if (tptr(i) < tptr(i + 1u)) adam_moments(i, j, w4(i, j), g4(i, j));
    }
}
