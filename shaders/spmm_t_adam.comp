#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "spmm_t_adam.glsl"
#include "adam_step.glsl"
#define SPMM_T_VALUE(f) tval(f)
#include "spmm_t_sum.glsl"

// wide: dy w m v
// grid: each
void main()
{
    EACH4(i, h, p.H) {
        if (p.met != 0u && tptr(i) == tptr(i + 1u)) continue;
        const WIDE sum = spmm_t_sum(i, h);
        adam_step(i, h, sum);
    }
}
