#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "row_sum.glsl"

// wide: x
void main()
{
    EACH_ROW(i) {
        WIDE sums = WIDE(0.0);
        EACH_COL4(j, p.C) sums += x4(i, j);
        const float sum = group_sum(PM_SUM(sums));
        if (gl_LocalInvocationID.x == 0u) y(i, 0u) = sum;
    }
}
