#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "loss_counts.glsl"
#include "marks.glsl"

float clipped(float v)
{
    return clamp(v, -p.bound, p.bound);
}

// n(v) of a clipped logit, and its slope.
float negative_term(float v)
{
    return p.logistic != 0u ? pm_softplus(v) : v;
}

float negative_slope(float v)
{
    return p.logistic != 0u ? pm_sigmoid(v) : 1.0;
}

float term_of(float v)
{
    return negative_term(clipped(v));
}

float slope_of(float v)
{
    return abs(v) <= p.bound ? negative_slope(v) : 0.0;
}

float if_unmarked(uint marked, float x)
{
    return marked == 0u ? x : 0.0;
}

// wide: z s dz
// Columns with an entry by the entries, the others in a stream over the row.
void main()
{
    EACH_ROW(b) {
        const float weight = rw(b, 0u);
        const bool live = weight != 0.0;
        float entries = 0.0, sum = 0.0;
        EACH_ENTRY(e, ptr(b), ptr(b + 1u)) entries += val(e);
        const float k = pm_div(group_sum(entries), float(p.draws));
        for (uint c0 = 0u; c0 < p.I; c0 += MARKED) {
            const uint n = min(MARKED, p.I - c0);
            marks_load(ptr(b), ptr(b + 1u), c0, n);
            EACH_ENTRY(e, ptr(b), ptr(b + 1u)) {
                const uint i = col(e);
                if (i - c0 >= n) continue;
                const float v = live ? z(b, i) : 0.0, x = val(e), y = k * float(s(b, i));
                sum += x * term_of(-v) + y * term_of(v);
                dz(b, i) = weight * (y * slope_of(v) - x * slope_of(-v));
            }
            EACH_COL4(t, n) {
                const uint bits = marks_at(t);
                const UWIDE marked = MARKS_EACH(bits);
                const WIDE v = live ? z4(b, c0 + t) : WIDE(0.0), y = k * WIDE(s4(b, c0 + t));
                const WIDE terms = y * PM_OF(term_of, v), slopes = weight * (y * PM_OF(slope_of, v)), kept = PM_OF2(if_unmarked, marked, terms);
                sum += PM_SUM(kept);
                PUT_UNMARKED(dz4, dz, b, c0 + t, slopes, bits)
            }
        }
        sum = group_sum(sum);
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = live ? weight * sum : 0.0;
    }
}
