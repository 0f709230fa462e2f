#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "random.glsl"
#include "pumice/state.h"
#include "corrupt.glsl"

// wide: x add y hit
float is_hit(uint bits)
{
    return pm_unit_from_bits(bits) < p.noised ? 1.0 : 0.0;
}

float corrupted(uint bits, vec2 from)
{
    const float u = pm_unit_from_bits(bits);
    return u < p.masked ? 0.0 : u < p.salted ? ((bits & 1u) != 0u ? p.most : p.least) : u < p.noised ? from.x + from.y : from.x;
}

void main()
{
    const uvec2 seed = uvec2(state(PM_STATE_SEED_LO), state(PM_STATE_SEED_HI));
    EACH4(i, j, p.C) {
        const UWIDE bits = pm_random_wide(seed, p.stream, state(PM_STATE_STEP), i, j);
        const WIDE v = x4(i, j), more = add4(i, j);
#ifdef PM_VARIANT_WIDE
        y4(i, j) = vec4(corrupted(bits.x, vec2(v.x, more.x)), corrupted(bits.y, vec2(v.y, more.y)), corrupted(bits.z, vec2(v.z, more.z)),
                        corrupted(bits.w, vec2(v.w, more.w)));
#else
        y(i, j) = corrupted(bits, vec2(v, more));
#endif
        hit4(i, j) = PM_OF(is_hit, bits);
    }
}
