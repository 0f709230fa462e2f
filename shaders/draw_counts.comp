#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "random.glsl"
#include "pumice/state.h"
#include "draw_counts.glsl"

// src/op/count_draws.h has the same numbers.
const uint ATTEMPTS = 8u, SINGLE = 255u;

uvec4 words(uint b, uint attempt, uint block)
{
    const uvec2 seed = uvec2(state(PM_STATE_SEED_LO), state(PM_STATE_SEED_HI));
    return pm_philox(seed, uvec4(block, b, state(PM_STATE_STEP), p.stream * 256u + attempt));
}

uint reached(uint i, uint word)
{
    uint lo = ptr(i), n = ptr(i + 1u) - lo;
    const uint from = lo;
    while (n > 0u) {
        const uint half_ = n / 2u;
        if (table(lo + half_) <= word) {
            lo += half_ + 1u;
            n -= half_ + 1u;
        } else {
            n = half_;
        }
    }
    return lo - from;
}

// Writes row b of Poisson counts; their sum.
uint draw_poissons(uint b, uint attempt)
{
    uint mine = 0u;
    for (uint j = 4u * gl_LocalInvocationID.x; j < p.I; j += 4u * gl_WorkGroupSize.x) {
        const uvec4 word = words(b, attempt, j / 4u);
        for (uint l = 0u; l < min(4u, p.I - j); l++) {
            const uint n = reached(j + l, word[l]);
            s(b, j + l) = n;
            mine += n;
        }
    }
    return group_total(mine);
}

void draw_single(uint b, uint u, uint v)
{
    uint i, low;
    umulExtended(u, p.I, i, low);
    if (v >= accept(i)) i = alias(i);
    atomicAdd(s(b, i), 1u);
}

// Integers alone: the order in which they are added does not matter.
void main()
{
    EACH_ROW(b) {
        uint sum = 0u;
        bool done = false;
        for (uint k = 0u; p.many != 0u && k < ATTEMPTS && !done; k++) {
            sum = draw_poissons(b, k);
            done = sum <= p.draws;
        }
        if (!done) {
            sum = 0u;
            EACH_COL(j, p.I) s(b, j) = 0u;
        }
        memoryBarrierBuffer();
        barrier();
        const uint rest = p.draws - sum;
        for (uint k = gl_LocalInvocationID.x; 2u * k < rest; k += gl_WorkGroupSize.x) {
            const uvec4 word = words(b, SINGLE, k);
            draw_single(b, word.x, word.y);
            if (2u * k + 1u < rest) draw_single(b, word.z, word.w);
        }
    }
}
