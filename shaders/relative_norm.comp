#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "relative_norm.glsl"

void main()
{
    float xs = 0.0, ys = 0.0;
    for (uint i = 0u; i < p.R; i++) {
        float row_x = 0.0, row_y = 0.0;
        EACH_COL(j, p.C) {
            row_x += x(i, j) * x(i, j);
            row_y += y(i, j) * y(i, j);
        }
        xs += row_x;
        ys += row_y;
    }
    const float above = group_sum(xs), below = group_sum(ys);
    if (gl_LocalInvocationID.x == 0u) r(0u) = sqrt(above) / (below > 0.0 ? sqrt(below) : 1.0);
}
