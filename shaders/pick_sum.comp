#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pick_sum.glsl"

// wide: u v y
void main()
{
    EACH4(b, h, p.H) {
        WIDE sum = WIDE(0.0);
        if (p.win_lo != 0u) sum = y4(b, h);
        const WIDE a = u4(b, h);
        for (uint s = 0u; s < p.S && b < live(0u); s++) {
            const uint r = id(b, s);
            if (r < p.win_lo || r >= p.win_hi) continue;
            const float by = w(b, s);
            const WIDE c = v4(r, h);
            sum += p.distance != 0u ? 2.0 * by * (a - c) : by * c;
        }
        y4(b, h) = sum;
    }
}
