#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "random.glsl"
#include "pumice/state.h"
#include "draw_negatives.glsl"

// Bit for bit src/op/negatives.h.
const uint DRAWS = 64u;

uint scale_bits(uint bits, uint n)
{
    uint high, low;
    umulExtended(bits, n, high, low);
    return high;
}

// How many of the columns at from … from + n - 1 lie below `c`.
uint columns_below(uint from, uint n, uint c)
{
    uint lo = 0u, hi = n;
    while (lo < hi) {
        const uint mid = lo + (hi - lo) / 2u;
        if (col(from + mid) < c) lo = mid + 1u;
        else hi = mid;
    }
    return lo;
}

uint negative(uint from, uint n, uint k, uint s)
{
    const uvec2 seed = uvec2(state(PM_STATE_SEED_LO), state(PM_STATE_SEED_HI));
    const uint step = p.once != 0u ? 0u : state(PM_STATE_STEP), entries = indptr(p.U);
    const bool popular = p.popular != 0u && entries > 0u;
    uint found = 0u, at = 0u;
    for (uint t = 0u; t < DRAWS; t++) {
        const uint bits = pm_philox(seed, uvec4(s / 4u, k, step, p.stream * 256u + t))[s % 4u];
        found = popular ? col(scale_bits(bits, entries)) : scale_bits(bits, p.I);
        at = columns_below(from, n, found);
        if (at == n || col(from + at) != found) return found;
    }
    uint next = found;
    for (uint walked = 0u; walked < n; walked++) {
        next++;
        at++;
        if (next == p.I) next = at = 0u;
        if (at == n || col(from + at) != next) return next;
    }
    return found;
}

void main()
{
    EACH(b, s, p.S + 1u) {
        const uint r = row(b, 0u), from = indptr(r);
        id(b, s) = s == 0u ? item(b, 0u) : negative(from, indptr(r + 1u) - from, key(b, 0u), s);
    }
}
