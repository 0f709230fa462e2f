#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pumice/state.h"
#include "schedule_row.glsl"

void main()
{
    EACH(i, j, p.C) y(j) = table(state(PM_STATE_SLOT) % p.T, j);
}
