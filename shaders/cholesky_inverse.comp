#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "cholesky_inverse.glsl"
#include "definite.glsl"

// lanes: 256
// Rows of y hold, left of the diagonal, the inverse so far of the unit lower factor; from it on what is left of a, which is symmetric: the row of
// the pivot is its column too.
void eliminate(uint k, float inverse, float scale)
{
    OWN_UNITS(e, k, p.N) {
        const uint i = e / stretch();
        const float f = pivot_row[i] * inverse;
        COLUMNS(j, e) {
            if (i == k) y(i, j) = j < k ? pivot_row[j] * scale : j == k ? scale : 0.0;
            else y(i, j) = j == k ? -f : y(i, j) - f * pivot_row[j];
        }
    }
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
        eliminate(k, good ? 1.0 / d : 0.0, good ? 1.0 / sqrt(d) : 0.0);
        barrier();
    }
}
