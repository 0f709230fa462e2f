#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "pumice/state.h"
#include "mask_rows.glsl"
#include "marks.glsl"

float masked(uint bit, float v)
{
    return bit != 0u ? PM_MASKED : v;
}

// wide: z y
// in place: only what is masked is written
void main()
{
    EACH_ROW(b) {
        if (PM_IN_PLACE != 0u) {
            EACH_ENTRY(e, ptr(b), ptr(b + 1u)) y(b, col(e)) = PM_MASKED;
            continue;
        }
        for (uint c0 = 0u; c0 < p.I; c0 += MARKED) {
            const uint n = min(MARKED, p.I - c0);
            marks_load(ptr(b), ptr(b + 1u), c0, n);
            EACH_COL4(t, n) {
                const UWIDE bits = MARKS_EACH(marks_at(t));
                const WIDE v = z4(b, c0 + t);
                y4(b, c0 + t) = PM_OF2(masked, bits, v);
            }
        }
    }
}
