#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "loss_gaussian.glsl"
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
                const float c = tile[t] != 0.0 ? p.c1 : p.c0, d = z(b, c0 + t) - tile[t];
                sum += 0.5 * c * d * d;
                dz(b, c0 + t) = weight == 0.0 ? 0.0 : weight * c * d;
            }
        }
        sum = group_sum(sum);
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = weight == 0.0 ? 0.0 : weight * sum;
    }
}
