#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pumice/state.h"
#include "panel_take.glsl"

void main()
{
    const uint k = state(PM_STATE_POSITION) * p.B;
    EACH(i, j, p.B) {
        const uint row = max(i, k + j);
        if (k + j >= p.N) {
            if (p.win_lo == 0u) c(i, j) = 0.0;
        } else if (row >= p.win_lo && row < p.win_hi) {
            c(i, j) = a(row, min(i, k + j));
        }
    }
}
