#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "cholesky_inverse.glsl"
#include "definite.glsl"

// Rows of y hold, left of the diagonal, the inverse so far of the unit lower factor; from it on what is left of a, which is symmetric: the row of
// the pivot is its column too.
void eliminate(uint k, uint j, float inverse, float scale)
{
    const float f = pivot_row[j];
    for (uint i = k + 1u; i < p.N; i++) y(i, j) = j == k ? -(pivot_row[i] * inverse) : y(i, j) - pivot_row[i] * inverse * f;
    y(k, j) = j < k ? f * scale : j == k ? scale : 0.0;
}

void main()
{
    float trace = 0.0, most = 0.0;
    for (uint i = 0u; i < p.N; i++) {
        trace += a(i, i);
        most = max(most, a(i, i));
    }
    load_lower(p.shift * (trace / float(p.N)));
    for (uint k = 0u; k < p.N; k++) {
        share_row(k);
        const float d = pivot_row[k];
        const bool good = pm_is_finite(d) && d > most / 16777216.0;
        const float inverse = good ? 1.0 / d : 0.0, scale = good ? 1.0 / sqrt(d) : 0.0;
        OWN_COLUMNS(j) eliminate(k, j, inverse, scale);
        barrier();
    }
}
