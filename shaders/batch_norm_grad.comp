#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "batch_norm_grad.glsl"

// items: H
#include "batch_column.glsl"

void main()
{
    const uint live = n(0u);
    EACH_ITEM(j, p.H) {
        const column c = statistics(j, live);
        float sum = 0.0, dot_ = 0.0;
        for (uint i = 0u; i < live; i++) {
            sum += dy(i, j);
            dot_ += dy(i, j) * ((x(i, j) - c.mean) * c.inv);
        }
        dgamma(j) = dot_;
        dbeta(j) = sum;
        const float share = pm_div(1.0, float(max(live, 1u))), by = gamma(j) * c.inv;
        for (uint i = 0u; i < p.B; i++) {
            const float h = (x(i, j) - c.mean) * c.inv;
            dx(i, j) = i < live ? by * (dy(i, j) - share * sum - h * (share * dot_)) : 0.0;
        }
    }
}
