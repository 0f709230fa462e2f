// Bit for bit src/op/negatives.h, of an op with operands indptr, col and state.
#ifndef PM_NEGATIVES_GLSL
#define PM_NEGATIVES_GLSL

#include "random.glsl"
#include "pumice/state.h"

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

// The next column after `c` that is not among those, c being the one at from + at; c where all are.
uint next_free(uint from, uint n, uint c, uint at)
{
    uint next = c;
    for (uint walked = 0u; walked < n; walked++) {
        next++;
        at++;
        if (next == p.I) next = at = 0u;
        if (at == n || col(from + at) != next) return next;
    }
    return c;
}

uvec4 draw_of(uint group, uint k, uint t)
{
    const uvec2 seed = uvec2(state(PM_STATE_SEED_LO), state(PM_STATE_SEED_HI));
    return pm_philox(seed, uvec4(group, k, p.once != 0u ? 0u : state(PM_STATE_STEP), p.stream * 256u + t));
}

#endif
