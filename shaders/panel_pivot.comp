#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pumice/state.h"
#include "panel_pivot.glsl"

void main()
{
    const uint k = state(PM_STATE_POSITION) * p.B;
    EACH(i, j, p.B) {
        const uint row = k + i;
        if (row >= p.N) {
            if (p.win_lo == 0u) y(i, j) = i == j ? 1.0 : 0.0;
        } else if (row >= p.win_lo && row < p.win_hi) {
            y(i, j) = c(row, j);
        }
    }
}
