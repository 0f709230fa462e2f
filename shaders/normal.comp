#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "random.glsl"
#include "pumice/state.h"
#include "normal.glsl"

// An element an invocation: the pair shares its block, and half the work twice is cheaper than odd widths.
void main()
{
    const uvec2 seed = uvec2(state(PM_STATE_SEED_LO), state(PM_STATE_SEED_HI));
    EACH(i, j, p.C) {
        const uvec4 block = pm_random_block(seed, p.stream, state(PM_STATE_STEP), i, j);
        const uvec2 pair = (j & 2u) == 0u ? block.xy : block.zw, odd = (pair >> 9) * 2u + 1u;    // over 2^24: in (0, 1)
        const float radius = sqrt(-2.0 * pm_log(float(odd.x) * (1.0 / 16777216.0)));
        const vec2 turn = pm_cos_sin(odd.y);
        y(i, j) = radius * ((j & 1u) == 0u ? turn.x : turn.y);
    }
}
