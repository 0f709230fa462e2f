#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pumice/state.h"
#include "put_rows.glsl"

// over: x
void main()
{
    const uint position = state(PM_STATE_POSITION), live = state(PM_STATE_LIVE);
    EACH(b, j, p.C)
        if (b < live && position + b < p.N) dst(position + b, j) = x(b, j);
}
