#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "spmm_t.glsl"
#define SPMM_T_VALUE(f) val(tpos(f))
#include "spmm_t_sum.glsl"

// wide: dy dw
// grid: each
void main()
{
    EACH4(i, h, p.H) dw4(i, h) = spmm_t_sum(i, h);
}
