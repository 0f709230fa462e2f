// Standard normals by Box-Muller; needs math.glsl, random.glsl and an operand state.
#include "pumice/state.h"

// Two normals of two uniforms.
vec2 pair_of(uvec2 bits)
{
    const uvec2 odd = (bits >> 9) * 2u + 1u;    // over 2^24: in (0, 1)
    return sqrt(-2.0 * pm_log(float(odd.x) * (1.0 / 16777216.0))) * pm_cos_sin(odd.y);
}

// The normals of row i from column j on. One element an invocation shares its block with three others: four times the work is cheaper
// than odd widths.
WIDE normals(uint stream, uint i, uint j)
{
    const uvec2 seed = uvec2(state(PM_STATE_SEED_LO), state(PM_STATE_SEED_HI));
    const uvec4 block = pm_random_block(seed, stream, state(PM_STATE_STEP), i, j);
#ifdef PM_VARIANT_WIDE
    return vec4(pair_of(block.xy), pair_of(block.zw));
#else
    return pair_of((j & 2u) == 0u ? block.xy : block.zw)[j & 1u];
#endif
}
