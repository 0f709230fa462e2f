#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "random.glsl"
#include "pumice/state.h"
#include "csr_dropout.glsl"

// rows: B
void main()
{
    const uvec2 seed = uvec2(state(PM_STATE_SEED_LO), state(PM_STATE_SEED_HI));
    EACH_ROW(b) {
        const uint from = ptr(b), to = ptr(b + 1u);
        EACH_ENTRY(e, from, to) {
            const uint bits = pm_random_bits(seed, p.stream, state(PM_STATE_STEP), b, col(e));
            y(e) = pm_unit_from_bits(bits) < p.keep ? pm_div(val(e), p.keep) : 0.0;
        }
    }
    EACH_ITEM(t, p.E - ptr(p.B)) y(ptr(p.B) + t) = 0.0;
}
