#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "random.glsl"
#include "pumice/state.h"
#include "dropout.glsl"

void main()
{
    const uvec2 seed = uvec2(state(PM_STATE_SEED_LO), state(PM_STATE_SEED_HI));
    EACH(i, j, p.C) {
        const uint bits = pm_random_bits(seed, p.stream, state(PM_STATE_STEP), i, j);
        y(i, j) = pm_unit_from_bits(bits) < p.keep ? pm_div(x(i, j), p.keep) : 0.0;
    }
}
