#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "log_sigmoid.glsl"

// wide: x y
void main()
{
    EACH4(i, j, p.C) {
        const WIDE v = -x4(i, j);
        y4(i, j) = -PM_OF(pm_softplus, v);
    }
}
