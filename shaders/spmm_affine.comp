#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "activation.glsl"
#include "spmm_affine.glsl"

void main()
{
    EACH(b, h, p.H) {
        float sum = p.win_lo == 0u ? 0.0 : y(b, h);
        const uint to = ptr(b + 1u);
        for (uint e = ptr(b); e < to; e++) {
            const uint i = col(e);
            if (i >= p.win_lo && i < p.win_hi) sum += val(e) * w(i, h);
        }
        y(b, h) = p.win_hi < p.I ? sum : pm_activation(p.act, sum + c(h));
    }
}
