#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "gather_rows.glsl"

void main()
{
    EACH(b, j, p.C) {
        const uint r = rows(b);
        if (r >= p.win_lo && r < p.win_hi) y(b, j) = x(r, j);
    }
}
