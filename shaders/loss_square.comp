#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "loss_square.glsl"

// wide: z dz
vec2 loss_known(float v, float x)
{
    const vec2 s = pm_sigmoids(v);
    return vec2(0.5 * (p.a + 1.0) * s.y * s.y, -(p.a + 1.0) * s.y * s.x * s.y);
}

void loss_missing(WIDE v, out WIDE term, out WIDE slope)
{
    const WIDE turned = -v, s = PM_OF(pm_sigmoid, v), rest = PM_OF(pm_sigmoid, turned);
    term = 0.5 * s * s;
    slope = s * s * rest;
}

#include "loss_cells.glsl"

void main()
{
    EACH_ROW(b) {
        const float sum = group_sum(loss_cells(b));
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = rw(b, 0u) * sum;
    }
}
