#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "spmm_t.glsl"

void main()
{
    EACH(i, h, p.H) {
        float sum = 0.0;
        const uint to = tptr(i + 1u);
        for (uint f = tptr(i); f < to; f++) sum += val(tpos(f)) * dy(trow(f), h);
        dw(i, h) = sum;
    }
}
