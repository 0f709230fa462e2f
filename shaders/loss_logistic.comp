#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "loss_logistic.glsl"
#include "tile.glsl"


void main()
{
    EACH_ROW(b) {
        const float weight = rw(b, 0u);
        float sum = 0.0;
        for (uint c0 = 0u; c0 < p.I; c0 += TILE) {
            const uint n = min(TILE, p.I - c0);
            tile_load(ptr(b), ptr(b + 1u), c0, n);
            EACH_COL(t, n) {
                const float click = tile[t] > 0.0 ? 1.0 : 0.0, v = z(b, c0 + t);
                sum += pm_softplus(v) - click * v;
                dz(b, c0 + t) = weight == 0.0 ? 0.0 : weight * (pm_sigmoid(v) - click);
            }
        }
        sum = group_sum(sum);
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = weight == 0.0 ? 0.0 : weight * sum;
    }
}
