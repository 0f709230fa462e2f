#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "unit_rows.glsl"

void main()
{
    EACH_ROW(i) {
        float sum = 0.0;
        EACH_COL(j, p.C) sum += x(i, j) * x(i, j);
        sum = group_sum(sum);
        const float by = sum > 0.0 ? pm_div(1.0, sqrt(sum)) : 0.0;
        EACH_COL(j, p.C) y(i, j) = x(i, j) * by;
        if (gl_LocalInvocationID.x == 0u) inv(i, 0u) = by;
    }
}
