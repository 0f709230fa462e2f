#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "softmax.glsl"
#define PM_ROW x4
#include "exp_sum.glsl"

// wide: x y
void main()
{
    EACH_ROW(i) {
        float top;
        const float share = pm_div(1.0, exp_sum(i, p.C, top));
        EACH_COL4(j, p.C) {
            const WIDE d = x4(i, j) - top;
            y4(i, j) = PM_OF(pm_exp, d) * share;
        }
    }
}
