#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "spmm_t_adam.glsl"
#include "adam_step.glsl"

// wide: dy w m v
void main()
{
    EACH4(i, h, p.H) {
        WIDE sum = WIDE(0.0);
        const uint to = tptr(i + 1u);
        for (uint f = tptr(i); f < to; f++) sum += tval(f) * dy4(trow(f), h);
        adam_step(i, h, sum);
    }
}
