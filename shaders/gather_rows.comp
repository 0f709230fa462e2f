#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "gather_rows.glsl"

// wide: x y
void main()
{
    EACH4(b, j, p.C) {
        const uint r = rows(b);
        if (r >= p.win_lo && r < p.win_hi) y4(b, j) = x4(r, j);
    }
}
