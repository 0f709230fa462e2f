#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "loss_cross_entropy.glsl"

// wide: z dz
// −log p of v is −log(1 − p) of −v.
vec2 loss_known(float v, float x)
{
    const float at = clamp(-v, -p.bound, p.bound), slope = at == -v ? pm_sigmoid(-v) : 0.0;
    return p.a * vec2(pm_softplus(at), -slope);
}

void loss_missing(WIDE v, out WIDE term, out WIDE slope)
{
    const WIDE at = clamp(v, WIDE(-p.bound), WIDE(p.bound));
    term = PM_OF(pm_softplus, at);
    slope = PM_OF(pm_sigmoid, v) * step(abs(v), WIDE(p.bound));    // 0 beyond the bound
}

#include "loss_cells.glsl"

void main()
{
    EACH_ROW(b) {
        const float sum = group_sum(loss_cells(b));
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = rw(b, 0u) * sum;
    }
}
