#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pumice/state.h"
#include "put_rows.glsl"

// wide: x dst
// over: x
void main()
{
    const uint position = state(PM_STATE_POSITION), live = state(PM_STATE_LIVE);
    EACH4(b, j, p.C) {
        const uint row = position + b;
        if (b < live && row >= p.win_lo && row < p.win_hi) dst4(row, j) = x4(b, j);
    }
}
