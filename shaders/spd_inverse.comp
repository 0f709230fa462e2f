#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "spd_inverse.glsl"
#include "definite.glsl"

// lanes: 256
// What is left after pivot k. Its row is its column too.
void eliminate(uint k, float inverse)
{
    OWN_UNITS(e, 0u, p.N) {
        const uint i = e / stretch();
        const float f = pivot_row[i] * inverse;
        COLUMNS(j, e) {
            if (i == k) y(i, j) = j == k ? -inverse : pivot_row[j] * inverse;
            else y(i, j) = j == k ? f : y(i, j) - f * pivot_row[j];
        }
    }
}

void main()
{
    float smallest = 3.4e38;
    load_lower(p.shift);
    for (uint k = 0u; k < p.N && smallest > 0.0; k++) {
        share_row(k);
        const float d = pivot_row[k];
        smallest = pm_is_finite(d) && d > 0.0 ? min(smallest, d) : 0.0;
        if (smallest > 0.0) eliminate(k, 1.0 / d);
        barrier();
    }
    OWN_UNITS(e, 0u, p.N) COLUMNS(j, e) y(e / stretch(), j) = smallest > 0.0 ? -y(e / stretch(), j) : 0.0;
    if (gl_LocalInvocationID.x == 0u) least(0u) = smallest;
}
