#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "loss_bpr.glsl"

void main()
{
    EACH(b, j, 1u) {
        const float weight = rw(b, 0u), by = pm_div(weight, float(p.S)), first = weight != 0.0 ? z(b, 0u) : 0.0;
        float total = 0.0, sum = 0.0;
        for (uint s = 1u; s <= p.S; s++) {
            float gradient = 0.0;
            if (weight != 0.0) {
                const float d = z(b, s) - first, own = pm_sigmoid(d);
                total += pm_softplus(d);
                sum += own;
                gradient = by * own;
            }
            dz(b, s) = gradient;
        }
        dz(b, 0u) = -by * sum;
        loss(b, 0u) = by * total;
    }
}
