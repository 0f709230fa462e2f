#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "loss_match.glsl"

// Loss and gradient of one score.
vec2 cell(float x, float target)
{
    if (p.square != 0u) return vec2((target - x) * (target - x), 2.0 * (x - target));
    const float most = 1.0 - p.mu, v = clamp(x, p.mu, most), rest = 1.0 - v;
    const float l = (target != 0.0 ? -target * pm_log(v) : 0.0) - (1.0 - target) * pm_log(rest);
    return vec2(l, x > p.mu && x < most ? pm_div(1.0 - target, rest) - pm_div(target, v) : 0.0);
}

void main()
{
    EACH(b, j, 1u) {
        const float weight = rw(b, 0u);
        float sum = 0.0;
        for (uint s = 0u; s < p.S; s++) {
            vec2 c = vec2(0.0);
            if (weight != 0.0) c = (t(b, s) != 0.0 ? 1.0 : p.w0) * cell(z(b, s), t(b, s));
            sum += c.x;
            dz(b, s) = weight * c.y;
        }
        loss(b, 0u) = weight * sum;
    }
}
