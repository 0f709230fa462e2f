#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "loss_square.glsl"

vec2 loss_cell(float v, float x)
{
    const vec2 s = pm_sigmoids(v);
    if (x > 0.0) return vec2(0.5 * (p.a + 1.0) * s.y * s.y, -(p.a + 1.0) * s.y * s.x * s.y);
    return vec2(0.5 * s.x * s.x, s.x * s.x * s.y);
}

#include "loss_cells.glsl"
