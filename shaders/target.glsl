// Target sets: which columns without an entry a loss looks at. Needs p.size, p.stream and the step state; src/op/target_set.h has the same bits.
#ifndef PM_TARGET_GLSL
#define PM_TARGET_GLSL

#include "random.glsl"
#include "pumice/state.h"

const uint TARGET_ALL = 1u << 24;

// floor(2^24 · (size − entries) / (items − entries)), a bit at a time: there are no 64-bit integers.
uint target_threshold(uint entries, uint items)
{
    if (p.size >= items) return TARGET_ALL;
    if (p.size <= entries) return 0u;
    const uint others = items - entries;
    uint left = p.size - entries, result = 0u;
    for (int k = 0; k < 24; k++) {
        left *= 2u;
        result *= 2u;
        if (left >= others) {
            left -= others;
            result += 1u;
        }
    }
    return result;
}

bool target_taken(uint threshold, uint b, uint i)
{
    if (threshold == 0u || threshold == TARGET_ALL) return threshold != 0u;
    const uvec2 seed = uvec2(state(PM_STATE_SEED_LO), state(PM_STATE_SEED_HI));
    return pm_random_bits(seed, p.stream, state(PM_STATE_STEP), b, i) >> 8 < threshold;
}

#endif
