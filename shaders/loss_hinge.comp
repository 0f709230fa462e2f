#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "loss_hinge.glsl"

// By how much a pair violates the margin: rounded as written, so that every device decides alike.
float violation(float first, float other)
{
    precise float apart = first - other;
    precise float by = p.margin - apart;
    return by;
}

// log(1 + floor(items · violated / S)), without a product beyond 32 bits.
float rank_weight(uint violated)
{
    const uint rank = p.items / p.S * violated + p.items % p.S * violated / p.S;
    return p.items != 0u ? pm_log(float(rank) + 1.0) : 1.0;
}

void main()
{
    EACH(b, j, 1u) {
        const float weight = rw(b, 0u), first = weight != 0.0 ? z(b, 0u) : 0.0;
        uint violated = 0u, worst = 0u;
        float most = 0.0, sum = 0.0;
        for (uint s = 1u; s <= p.S; s++) {
            const float by = weight != 0.0 ? violation(first, z(b, s)) : 0.0;
            const bool counts = by > 0.0;
            violated += counts ? 1u : 0u;
            sum += counts ? by : 0.0;
            if (by > most) {
                worst = s;
                most = by;
            }
            dz(b, s) = counts ? 1.0 : 0.0;
        }
        const float one = weight * rank_weight(violated) * (p.closest != 0u ? 1.0 : pm_div(1.0, float(p.S)));
        for (uint s = 1u; s <= p.S; s++) dz(b, s) = p.closest != 0u ? (s == worst ? one : 0.0) : one * dz(b, s);
        dz(b, 0u) = p.closest != 0u ? (worst != 0u ? -one : 0.0) : -one * float(violated);
        loss(b, 0u) = one * (p.closest != 0u ? most : sum);
    }
}
