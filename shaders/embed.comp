#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "embed.glsl"

// wide: x y
void main()
{
    EACH4(b, j, p.C) {
        const uint r = rows(b, 0u);
        if (b >= live(0u)) y4(b, j) = WIDE(0.0);
        else if (r >= p.win_lo && r < p.win_hi) y4(b, j) = x4(r, j);
    }
}
