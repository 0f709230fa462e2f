#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "eals_rows.glsl"

// lanes: 128
// rows: B
// A workgroup a row, factor after factor. An invocation has entries and factors of its own, so that it alone reads back what it wrote;
// the factor under way passes through shared memory.
shared float current;

// What factor f becomes.
float best_of(uint row, uint f, uint from, uint to, float now)
{
    const float missing = m(row);
    float over = 0.0, under = 0.0;
    EACH_ENTRY(e, from, to) {
        const float v = y(col(e), f);
        over += t(e) * v;
        under += c(e) * v * v;
    }
    EACH_COL(k, p.K) over -= k == f ? 0.0 : missing * gram(f, k) * x(row, k);
    over = group_sum(over);
    under = group_sum(under);
    const float whole = under + missing * gram(f, f) + p.ridge;
    return whole > 0.0 && whole >= 0.5 * p.ridge ? pm_div(over + now * under, whole) : 0.0;
}

void sweep(uint row, uint from, uint to)
{
    EACH_ENTRY(e, from, to) {
        const uint i = col(e);
        float sum = 0.0;
        uint k = 0u;
        for (; k + 4u <= p.K; k += 4u)
            sum = (((sum + x(row, k) * y(i, k)) + x(row, k + 1u) * y(i, k + 1u)) + x(row, k + 2u) * y(i, k + 2u)) + x(row, k + 3u) * y(i, k + 3u);
        for (; k < p.K; k++) sum += x(row, k) * y(i, k);
        t(e) -= c(e) * sum;
    }
    for (uint f = 0u; f < p.K; f++) {
        const bool own = gl_LocalInvocationID.x == f % gl_WorkGroupSize.x;
        if (own) current = x(row, f);
        barrier();
        const float now = current, next = best_of(row, f, from, to, now);
        if (own) x(row, f) = next;
        EACH_ENTRY(e, from, to) t(e) -= c(e) * (next - now) * y(col(e), f);
    }
}

void main()
{
    EACH_ROW(row) {
        const uint from = ptr(row), to = ptr(row + 1u);
        if (from == to) EACH_COL(k, p.K) x(row, k) = 0.0;
        else sweep(row, from, to);
    }
}
