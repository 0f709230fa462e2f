#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "kl_gaussian.glsl"

// wide: mu logvar dmu dlogvar
void main()
{
    EACH_ROW(b) {
        const bool live = rw(b, 0u) != 0.0;
        const float weight = beta(0u) * rw(b, 0u);
        WIDE sums = WIDE(0.0);
        EACH_COL4(k, p.K) {
            const WIDE m = mu4(b, k), v = logvar4(b, k), e = PM_OF(pm_exp, v);
            sums += 0.5 * (e + m * m - 1.0 - v);
            dmu4(b, k) = live ? weight * m : WIDE(0.0);
            dlogvar4(b, k) = live ? weight * 0.5 * (e - 1.0) : WIDE(0.0);
        }
        const float sum = group_sum(PM_SUM(sums));
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = live ? weight * sum : 0.0;
    }
}
