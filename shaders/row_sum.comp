#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "row_sum.glsl"

void main()
{
    EACH_ROW(i) {
        float sum = 0.0;
        EACH_COL(j, p.C) sum += x(i, j);
        sum = group_sum(sum);
        if (gl_LocalInvocationID.x == 0u) y(i, 0u) = sum;
    }
}
