#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pumice/state.h"
#include "panel_put.glsl"

// over: w
void main()
{
    const uint k = state(PM_STATE_POSITION) * p.B;
    EACH(i, j, p.B) {
        const uint row = max(i, k + j), col = min(i, k + j);
        const bool inside = i >= k && i < k + p.B;
        if (k + j >= p.N || row < p.win_lo || row >= p.win_hi || (inside && i < k + j)) continue;
        if (inside) a(row, col) = -q(i - k, j);
        else a(row, col) = w(i, j);
    }
}
