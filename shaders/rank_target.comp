#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "pumice/state.h"
#include "rank_target.glsl"

void main()
{
    EACH_ROW(b) {
        const uint n = min(count(b, 0u), p.C);
        uint bad = 0u, over = 0u, same = 0u;
        EACH_COL(j, n) {
            bad += pm_is_finite(s(b, j)) ? 0u : 1u;
            if (j == 0u) continue;
            over += s(b, j) > s(b, 0u) ? 1u : 0u;
            same += s(b, j) == s(b, 0u) ? 1u : 0u;
        }
        bad = group_total(bad);
        over = group_total(over);
        same = group_total(same);
        if (gl_LocalInvocationID.x == 0u) {
            above(b, 0u) = bad == 0u ? over : PM_ID_NAN;
            tied(b, 0u) = bad == 0u ? same : PM_ID_NAN;
        }
    }
}
