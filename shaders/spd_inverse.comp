#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "spd_inverse.glsl"
#include "definite.glsl"

// One column: what is left of it after pivot k. The row of the pivot is its column too.
void eliminate(uint k, uint j, float inverse)
{
    const float f = pivot_row[j];
    for (uint i = 0u; i < p.N; i++)
        if (i != k) y(i, j) = j == k ? pivot_row[i] * inverse : y(i, j) - pivot_row[i] * inverse * f;
    y(k, j) = j == k ? -inverse : f * inverse;
}

void main()
{
    float smallest = 3.4e38;
    load_lower(p.shift);
    for (uint k = 0u; k < p.N && smallest > 0.0; k++) {
        share_row(k);
        const float d = pivot_row[k];
        smallest = pm_is_finite(d) && d > 0.0 ? min(smallest, d) : 0.0;
        if (smallest > 0.0) OWN_COLUMNS(j) eliminate(k, j, 1.0 / d);
        barrier();
    }
    for (uint i = 0u; i < p.N; i++) OWN_COLUMNS(j) y(i, j) = smallest > 0.0 ? -y(i, j) : 0.0;
    if (gl_LocalInvocationID.x == 0u) least(0u) = smallest;
}
