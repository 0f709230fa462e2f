#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pumice/state.h"
#include "log_row.glsl"

// over: x
void main()
{
    EACH(i, j, p.C) dst(state(PM_STATE_SLOT) % p.T, j) = x(j);
}
