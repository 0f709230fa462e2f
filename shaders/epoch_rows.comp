#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "feistel.glsl"
#include "pumice/state.h"
#include "epoch_rows.glsl"

void main()
{
    const uint position = state(PM_STATE_POSITION), total = state(PM_STATE_TOTAL);
    feistel_make(uvec2(state(PM_STATE_SEED_LO), state(PM_STATE_SEED_HI)), p.stream, state(PM_STATE_PHASE), state(PM_STATE_EPOCH), total);
    EACH(i, b, p.B) rows(b) = b < state(PM_STATE_LIVE) && position + b < total ? feistel_at(position + b) : 0u;
}
