#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pumice/state.h"
#include "panel_rows.glsl"

// over: c
void main()
{
    const uint k = state(PM_STATE_POSITION) * p.B;
    EACH(i, j, p.B) {
        const uint row = k + j;
        if (row >= p.N || row < p.win_lo || row >= p.win_hi) continue;
        a(row, i) = i == row ? 0.0 : s(i, 0u) * c(i, j);
    }
}
