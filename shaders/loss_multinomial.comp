#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "loss_multinomial.glsl"
#include "tile.glsl"


void gradient(uint b, float top, float sum, float clicks)
{
    const float weight = rw(b, 0u), share = pm_div(clicks, sum);
    for (uint c0 = 0u; c0 < p.I; c0 += TILE) {
        const uint n = min(TILE, p.I - c0);
        tile_load(ptr(b), ptr(b + 1u), c0, n);
        EACH_COL(t, n) dz(b, c0 + t) = weight * (pm_exp(z(b, c0 + t) - top) * share - tile[t]);
    }
}

void main()
{
    EACH_ROW(b) {
        if (rw(b, 0u) == 0.0) {
            EACH_COL(i, p.I) dz(b, i) = 0.0;
            if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = 0.0;
            continue;
        }
        float top = -3.4e38, sum = 0.0, value = 0.0, clicks = 0.0;
        EACH_COL(i, p.I) top = max(top, z(b, i));
        top = group_max(top);
        EACH_COL(i, p.I) sum += pm_exp(z(b, i) - top);
        sum = max(group_sum(sum), 1.0);
        const float shift = pm_log(sum);
        EACH_ENTRY(e, ptr(b), ptr(b + 1u)) {
            value += val(e) * (shift - (z(b, col(e)) - top));
            clicks += val(e);
        }
        value = group_sum(value);
        clicks = group_sum(clicks);
        memoryBarrierBuffer();    // z has been read out of place, and dz may lie over it
        barrier();
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = p.I == 0u ? 0.0 : rw(b, 0u) * value;
        gradient(b, top, sum, clicks);
    }
}
