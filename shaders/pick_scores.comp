#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pick_scores.glsl"
#ifdef PM_VARIANT_WIDE
#define PM_SUM(v) (((v).x + (v).y) + ((v).z + (v).w))
#else
#define PM_SUM(v) (v)
#endif

// wide: u v
// over: u
// The grid is as large as u; an invocation makes whole scores.
void main()
{
    EACH(b, s, p.S) {
        const uint r = id(b, s);
        if (b >= live(0u)) {
            y(b, s) = 0.0;
        } else if (r >= p.win_lo && r < p.win_hi) {
            WIDE sum = WIDE(0.0);
            for (uint h = 0u; h < p.H; h += PM_WIDTH) {
                const WIDE a = u4(b, h), c = v4(r, h), d = a - c;
                sum += p.distance != 0u ? d * d : a * c;
            }
            y(b, s) = PM_SUM(sum);
        }
    }
}
