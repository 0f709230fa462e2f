#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pumice/state.h"
#include "adam_leap.glsl"

// wide: w m v
void main()
{
    const uint batch = max(state(PM_STATE_BATCH), 1u), position = state(PM_STATE_POSITION);
    const uint done = position / batch + (position % batch != 0u ? 1u : 0u);
    EACH4(i, j, p.C) {
        uint left = gap(i, 0u);
        if (left == 0u) continue;
        WIDE x = w4(i, j), y = m4(i, j), z = v4(i, j);
        for (uint by; left > 0u; left -= by) {
            by = min(left, p.T);
            const WIDE root = sqrt(z);
            WIDE sum = WIDE(0.0);
            const uint from = done % p.S + p.S - left % p.S;
            uint end = by;
            while (end > 1u && power(end - 1u, 0u) == 0.0) end--;    // nothing comes of those
            for (uint k = 0u; k < end; k++)
                sum += rate((from + k) % p.S) * power(k, 0u) / (root * power(k, 2u) + p.eps);
            x -= y * sum;
            y *= power(by - 1u, 0u);
            z *= power(by - 1u, 1u);
        }
        w4(i, j) = x;
        m4(i, j) = y;
        v4(i, j) = z;
    }
}
