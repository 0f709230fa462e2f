#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "sddmm.glsl"

// wide: a w
// rows: B
void main()
{
    EACH_ROW(b) {
        EACH_ENTRY(e, ptr(b), ptr(b + 1u)) {
            const uint r = col(e);
            if (r < p.win_lo || r >= p.win_hi) continue;
            WIDE sum = WIDE(0.0);
            for (uint h = 0u; h < p.H; h += PM_WIDTH) sum += a4(b, h) * w4(r, h);
            y(e) = PM_SUM(sum) + c(r);
        }
    }
    EACH_ITEM(t, p.E - ptr(p.B)) y(ptr(p.B) + t) = 0.0;
}
