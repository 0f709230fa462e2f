#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "spmm_t_sgd.glsl"
#include "sgd_step.glsl"
#define SPMM_T_VALUE(f) tval(f)
#include "spmm_t_sum.glsl"

// wide: dy w m
// grid: each
void main()
{
    EACH4(i, h, p.H) {
        if (tptr(i) == tptr(i + 1u)) continue;
        const WIDE sum = spmm_t_sum(i, h);
        sgd_step(i, h, sum);
    }
}
