#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "batch_norm.glsl"

// items: H
#include "batch_column.glsl"

void main()
{
    const uint live = n(0u);
    EACH_ITEM(j, p.H) {
        const column c = statistics(j, live);
        mean(j) = c.mean;
        var(j) = c.var;
        for (uint i = 0u; i < p.B; i++) y(i, j) = i < live ? gamma(j) * ((x(i, j) - c.mean) * c.inv) + beta(j) : 0.0;
    }
}
