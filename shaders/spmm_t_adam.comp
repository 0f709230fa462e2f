#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "spmm_t_adam.glsl"
#include "adam_step.glsl"

void main()
{
    EACH(i, h, p.H) {
        float sum = 0.0;
        const uint to = tptr(i + 1u);
        for (uint f = tptr(i); f < to; f++) sum += tval(f) * dy(trow(f), h);
        adam_step(i, h, sum);
    }
}
