#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "relu.glsl"

// wide: x y
float rectified(float x)
{
    return x > 0.0 ? x : 0.0;
}

void main()
{
    EACH4(i, j, p.C) {
        const WIDE v = x4(i, j);
        y4(i, j) = PM_OF(rectified, v);
    }
}
