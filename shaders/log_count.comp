#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "log_count.glsl"

void main()
{
    EACH(i, j, p.C) {
        const uint n = x(i, j);
        y(i, j) = n > 0u ? pm_log(float(n)) : 0.0;
    }
}
