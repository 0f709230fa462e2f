#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "diagonal.glsl"

void main()
{
    EACH(i, j, 1u) {
        const float d = a(i, i);
        y(i, j) = p.inverse == 0u ? d : d == 0.0 ? 0.0 : 1.0 / d;
    }
}
