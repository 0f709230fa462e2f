#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "loss_gaussian.glsl"
#define PM_MARKS(e) (val(e) != 0.0)
#include "marks.glsl"

float square_unless(uint marked, float d)
{
    return marked == 0u ? d * d : 0.0;
}

// wide: z dz
// Columns with a click by the entries, the others in a stream over the row.
void main()
{
    EACH_ROW(b) {
        const float weight = rw(b, 0u);
        const bool live = weight != 0.0;
        float sum = 0.0;
        for (uint c0 = 0u; c0 < p.I; c0 += MARKED) {
            const uint n = min(MARKED, p.I - c0);
            marks_load(ptr(b), ptr(b + 1u), c0, n);
            EACH_ENTRY(e, ptr(b), ptr(b + 1u)) {
                const uint i = col(e);
                if (i - c0 >= n || val(e) == 0.0) continue;
                const float d = z(b, i) - val(e);
                sum += 0.5 * p.c1 * d * d;
                dz(b, i) = live ? weight * p.c1 * d : 0.0;
            }
            EACH_COL4(t, n) {
                const uint bits = marks_at(t);
                const UWIDE marked = MARKS_EACH(bits);
                const WIDE d = z4(b, c0 + t), v = live ? weight * p.c0 * d : WIDE(0.0), squares = PM_OF2(square_unless, marked, d);
                sum += 0.5 * p.c0 * PM_SUM(squares);
                PUT_UNMARKED(dz4, dz, b, c0 + t, v, bits)
            }
        }
        sum = group_sum(sum);
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = live ? weight * sum : 0.0;
    }
}
