#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "sgd_leap.glsl"

// wide: w m
void main()
{
    EACH4(i, j, p.C) {
        uint left = gap(i, 0u);
        if (left == 0u) continue;
        WIDE x = w4(i, j), y = m4(i, j);
        for (uint by; left > 0u; left -= by) {
            by = min(left, p.T);
            const WIDE before = x;
            x = power(by - 1u, 0u) * before + power(by - 1u, 1u) * y;
            y = power(by - 1u, 2u) * before + power(by - 1u, 3u) * y;
        }
        w4(i, j) = x;
        m4(i, j) = y;
    }
}
