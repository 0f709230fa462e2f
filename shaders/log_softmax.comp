#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "log_softmax.glsl"

void main()
{
    EACH_ROW(i) {
        float top = -3.4e38, sum = 0.0;
        EACH_COL(j, p.C) top = max(top, x(i, j));
        top = group_max(top);
        EACH_COL(j, p.C) sum += pm_exp(x(i, j) - top);
        const float shift = pm_log(max(group_sum(sum), 1.0));
        EACH_COL(j, p.C) y(i, j) = (x(i, j) - top) - shift;    // not x - (top + shift): a top of 1e4 would swallow shift
    }
}
