#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "random.glsl"
#include "pumice/state.h"
#include "dropout.glsl"

// wide: x y
float thinned(uint bits, float x)
{
    return pm_unit_from_bits(bits) < p.keep ? pm_div(x, p.keep) : 0.0;
}

void main()
{
    const uvec2 seed = uvec2(state(PM_STATE_SEED_LO), state(PM_STATE_SEED_HI));
    EACH4(i, j, p.C) {
        const UWIDE bits = pm_random_wide(seed, p.stream, state(PM_STATE_STEP), i, j);
        const WIDE v = x4(i, j);
        y4(i, j) = PM_OF2(thinned, bits, v);
    }
}
