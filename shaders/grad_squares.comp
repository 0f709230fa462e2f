#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "grad_squares.glsl"

// over: g
void main()
{
    EACH_ROW(i) {
        float sum = 0.0;
        EACH_COL(j, p.C) {
            const float all = p.decay == 0.0 ? g(i, j) : g(i, j) + p.decay * w(i, j);
            sum += all * all;
        }
        sum = group_sum(sum);
        if (gl_LocalInvocationID.x == 0u) y(i) = sum;
    }
}
