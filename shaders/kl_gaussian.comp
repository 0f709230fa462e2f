#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "kl_gaussian.glsl"

void main()
{
    EACH_ROW(b) {
        const bool live = rw(b, 0u) != 0.0;
        const float weight = beta(0u) * rw(b, 0u);
        float sum = 0.0;
        EACH_COL(k, p.K) {
            const float m = mu(b, k), v = logvar(b, k), e = pm_exp(v);
            sum += 0.5 * (e + m * m - 1.0 - v);
            dmu(b, k) = live ? weight * m : 0.0;
            dlogvar(b, k) = live ? weight * 0.5 * (e - 1.0) : 0.0;
        }
        sum = group_sum(sum);
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = live ? weight * sum : 0.0;
    }
}
