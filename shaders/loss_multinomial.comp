#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "loss_multinomial.glsl"
#include "marks.glsl"
#define PM_ROW z4
#include "exp_sum.glsl"

// wide: z dz
// dz of columns without an entry in a stream over the row, of the others by the entries. dz may lie over z: an element is read, after
// the sums, by the invocation alone that writes it.
void gradient(uint b, float top, float sum, float clicks)
{
    const float weight = rw(b, 0u), share = pm_div(clicks, sum);
    for (uint c0 = 0u; c0 < p.I; c0 += MARKED) {
        const uint n = min(MARKED, p.I - c0);
        marks_load(ptr(b), ptr(b + 1u), c0, n);
        EACH_ENTRY(e, ptr(b), ptr(b + 1u)) {
            const uint i = col(e);
            if (i - c0 < n) dz(b, i) = weight * (pm_exp(z(b, i) - top) * share - val(e));
        }
        EACH_COL4(t, n) {
            const uint bits = marks_at(t);
            const WIDE d = z4(b, c0 + t) - top, v = weight * (PM_OF(pm_exp, d) * share);
            PUT_UNMARKED(dz4, dz, b, c0 + t, v, bits)
        }
    }
}

void main()
{
    EACH_ROW(b) {
        if (rw(b, 0u) == 0.0) {
            EACH_COL4(i, p.I) dz4(b, i) = WIDE(0.0);
            if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = 0.0;
            continue;
        }
        float top, value = 0.0, clicks = 0.0;
        const float sum = max(exp_sum(b, p.I, top), 1.0), shift = pm_log(sum);
        EACH_ENTRY(e, ptr(b), ptr(b + 1u)) {
            value += val(e) * (shift - (z(b, col(e)) - top));
            clicks += val(e);
        }
        value = group_sum(value);
        clicks = group_sum(clicks);
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = p.I == 0u ? 0.0 : rw(b, 0u) * value;
        gradient(b, top, sum, clicks);
    }
}
