#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "pumice/state.h"
#include "count_reaching.glsl"

const uint EDGES = 8u;    // counted in one pass over the row

void main()
{
    EACH_ROW(b) {
        for (uint first = 0u; first < p.K; first += EDGES) {
            float least[EDGES];
            uint bad = 0u, reached[EDGES];
            for (uint k = 0u; k < EDGES; k++) {
                least[k] = edge(min(first + k, p.K - 1u));
                reached[k] = 0u;
            }
            EACH_COL(j, p.C) {
                const float v = x(b, j);
                bad += pm_is_finite(v) ? 0u : 1u;
                for (uint k = 0u; k < EDGES; k++) reached[k] += v >= least[k] ? 1u : 0u;
            }
            bad = group_total(bad);
            for (uint k = 0u; k < EDGES; k++) {
                const uint total = group_total(reached[k]);
                if (gl_LocalInvocationID.x == 0u && first + k < p.K) n(b, first + k) = bad == 0u ? total : PM_ID_NAN;
            }
        }
    }
}
