#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "gp_scores.glsl"
#include "gp.glsl"

void main()
{
    EACH(b, i, p.I) {
        float sum = 0.0;
        for (uint e = ptr(b); e < ptr(b + 1u); e++) {
            const float weight = a(e);
            if (weight != 0.0) sum += weight * gp_kernel(gp_measure(i, col(e)));
        }
        y(b, i) = sum;
    }
}
