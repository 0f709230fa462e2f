#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "max_norm_rows.glsl"

void main()
{
    EACH_ROW(i) {
        float sum = 0.0;
        EACH_COL(j, p.C) sum += w(i, j) * w(i, j);
        sum = group_sum(sum);
        if (sum <= p.limit * p.limit) continue;
        const float by = pm_div(p.limit, sqrt(sum));
        EACH_COL(j, p.C) w(i, j) *= by;
    }
}
