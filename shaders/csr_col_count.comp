#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "csr_col_count.glsl"

// passes: 2
// items: Z
void main()
{
    if (p.pass == 0u) {
        if (p.win_lo == 0u) EACH_ITEM(i, p.C) y(i) = 0u;
    } else {
        for (uint e = p.win_lo + gl_GlobalInvocationID.x; e < p.win_hi; e += PM_GRID) atomicAdd(y(col(e)), 1u);
    }
}
