#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "slim_columns.glsl"

// lanes: 128
// rows: B
// A workgroup a column. Which coordinates would change is looked up side by side; the first of them moves, and the residual with it. An
// invocation has every workgroup-size-th element of v, r and d to itself.
shared uint first;
shared float step_taken;

// What coordinate k becomes when the others stay; own: it is the column itself.
float best_of(uint row, uint k, bool own)
{
    const float diagonal = d(row, k), rho = r(row, k) + diagonal * v(row, k), curvature = diagonal + p.l2;
    const float size = (p.positive != 0u ? rho : abs(rho)) - p.l1;
    if (own || !(curvature > 0.0) || !(size > 0.0)) return 0.0;
    return pm_div(rho < 0.0 ? -size : size, curvature);
}

void begin(uint row, uint j)
{
    EACH_COL(k, p.I) {
        v(row, k) = 0.0;
        r(row, k) = gram(j, k);
        d(row, k) = gram(k, k);
    }
}

// One sweep; how far the coordinates moved at most.
float sweep(uint row, uint j)
{
    float moved = 0.0;
    for (uint base = 0u; base < p.I; base += gl_WorkGroupSize.x) {
        const uint k = base + gl_LocalInvocationID.x;
        for (uint from = base;;) {
            barrier();
            if (gl_LocalInvocationID.x == 0u) first = 0xFFFFFFFFu;
            barrier();
            float best = 0.0;
            if (k >= from && k < p.I) {
                best = best_of(row, k, k == j);
                if (best != v(row, k)) atomicMin(first, k);
            }
            barrier();
            const uint chosen = first;
            if (chosen == 0xFFFFFFFFu) break;
            if (k == chosen) {
                step_taken = best - v(row, k);
                v(row, k) = best;
            }
            barrier();
            const float by = step_taken;
            moved = max(moved, abs(by));
            EACH_COL(m, p.I) r(row, m) -= by * gram(chosen, m);
            from = chosen + 1u;
        }
    }
    return moved;
}

void main()
{
    for (uint row = p.lo + gl_WorkGroupID.x; row < min(p.hi, n(0u)); row += gl_NumWorkGroups.x) {
        const uint j = rows(row);
        begin(row, j);
        for (uint s = 0u; s < p.sweeps; s++) {
            const float moved = sweep(row, j);
            float most = 0.0;
            EACH_COL(k, p.I) most = max(most, abs(v(row, k)));
            if (moved <= p.tolerance * group_max(most)) break;
        }
        EACH_COL(k, p.I) w(k, j) = v(row, k);
    }
}
