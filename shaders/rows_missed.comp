#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pumice/state.h"
#include "rows_missed.glsl"

void main()
{
    const uint batch = max(state(PM_STATE_BATCH), 1u), position = state(PM_STATE_POSITION);
    const uint done = position / batch + (position % batch != 0u ? 1u : 0u);
    EACH(i, one, 1u) {
        const bool met = tptr(i) < tptr(i + 1u);
        const uint before = seen(i, 0u);
        gap(i, 0u) = met && before < done ? done - before : 0u;
        if (met) seen(i, 0u) = p.over != 0u ? 0u : done + 1u;
    }
}
