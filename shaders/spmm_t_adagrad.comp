#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "spmm_t_adagrad.glsl"
#include "adagrad_step.glsl"

// wide: u w a
// grid: each
void main()
{
    EACH4(i, h, p.H) {
        const uint from = tptr(i), to = tptr(i + 1u);
        if (from == to) continue;
        const WIDE own = w4(i, h);
        WIDE sum = WIDE(0.0);
        for (uint f = from; f < to; f++) {
            const WIDE c = u4(trow(f), h);
            sum += p.away != 0u ? 2.0 * tval(f) * (own - c) : tval(f) * c;
        }
        adagrad_step(i, h, sum);
    }
}
