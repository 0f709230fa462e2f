#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "loss_log.glsl"

void main()
{
    EACH(b, j, 1u) {
        const float weight = rw(b, 0u), by = pm_div(weight, float(p.S + 1u));
        float total = 0.0;
        for (uint s = 0u; s <= p.S; s++) {
            float gradient = 0.0;
            if (weight != 0.0) {
                const float sign = s == 0u ? -1.0 : 1.0, wrong = sign * z(b, s);
                total += pm_softplus(wrong);
                gradient = sign * by * pm_sigmoid(wrong);
            }
            dz(b, s) = gradient;
        }
        loss(b, 0u) = by * total;
    }
}
