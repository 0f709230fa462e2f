#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "spmm.glsl"
#include "spmm_sum.glsl"

// wide: w y
// lanes: 64
// grid: each
void main()
{
    EACH4(b, h, p.H) {
        WIDE sum = WIDE(0.0);
        if (p.win_lo != 0u) sum = y4(b, h);
        y4(b, h) = spmm_sum(b, h, sum);
    }
}
