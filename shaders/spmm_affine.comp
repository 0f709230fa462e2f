#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "activation.glsl"
#include "spmm_affine.glsl"
#include "spmm_sum.glsl"

float activated(float v)
{
    return pm_activation(p.act, v);
}

// wide: w c y
// lanes: 64
// grid: each
void main()
{
    EACH4(b, h, p.H) {
        WIDE sum = WIDE(0.0);
        if (p.win_lo != 0u) sum = y4(b, h);
        sum = spmm_sum(b, h, sum);
        if (p.win_hi >= p.I) {
            sum += c4(h);
            sum = PM_OF(activated, sum);
        }
        y4(b, h) = sum;
    }
}
