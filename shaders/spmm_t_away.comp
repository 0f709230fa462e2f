#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "spmm_t_away.glsl"

// wide: u w dw
// grid: each
void main()
{
    EACH4(i, h, p.H) {
        const WIDE own = w4(i, h);
        const uint to = tptr(i + 1u);
        WIDE sum = WIDE(0.0);
        for (uint f = tptr(i); f < to; f++) sum += 2.0 * val(tpos(f)) * (own - u4(trow(f), h));
        dw4(i, h) = sum;
    }
}
