#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pumice/state.h"
#include "next_rows.glsl"

void main()
{
    EACH(i, b, p.B) rows(b) = b < state(PM_STATE_LIVE) ? state(PM_STATE_POSITION) + b : 0u;
}
