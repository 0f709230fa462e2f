#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pumice/state.h"
#include "tick.glsl"

void main()
{
    if (gl_GlobalInvocationID.x != 0u) return;
    state(PM_STATE_STEP)++;
    state(PM_STATE_SLOT)++;
    uint position = state(PM_STATE_POSITION) + state(PM_STATE_LIVE);
    if (position >= state(PM_STATE_TOTAL)) {
        position = 0u;
        state(PM_STATE_EPOCH)++;
    }
    state(PM_STATE_POSITION) = position;
    state(PM_STATE_LIVE) = min(state(PM_STATE_BATCH), state(PM_STATE_TOTAL) - position);
}
