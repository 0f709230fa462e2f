#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "log_softmax.glsl"
#define PM_ROW x4
#include "exp_sum.glsl"

// wide: x y
void main()
{
    EACH_ROW(i) {
        float top;
        const float shift = pm_log(max(exp_sum(i, p.C, top), 1.0));
        EACH_COL4(j, p.C) y4(i, j) = (x4(i, j) - top) - shift;    // not x - (top + shift): a top of 1e4 would swallow shift
    }
}
