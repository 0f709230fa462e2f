#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "loss_logistic.glsl"
#define PM_MARKS(e) (val(e) > 0.0)
#include "marks.glsl"

// wide: z dz
void main()
{
    EACH_ROW(b) {
        const float weight = rw(b, 0u);
        const bool live = weight != 0.0;
        float sum = 0.0;
        for (uint c0 = 0u; c0 < p.I; c0 += MARKED) {
            const uint n = min(MARKED, p.I - c0);
            marks_load(ptr(b), ptr(b + 1u), c0, n);
            EACH_COL4(t, n) {
                const WIDE click = WIDE(MARKS_EACH(marks_at(t))), v = z4(b, c0 + t);
                const WIDE terms = PM_OF(pm_softplus, v) - click * v;
                sum += PM_SUM(terms);
                dz4(b, c0 + t) = live ? weight * (PM_OF(pm_sigmoid, v) - click) : WIDE(0.0);
            }
        }
        sum = group_sum(sum);
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = live ? weight * sum : 0.0;
    }
}
