#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "col_squares.glsl"

void main()
{
    EACH_ITEM(j, p.C) {
        float sum = p.win_lo == 0u ? 0.0 : y(j);
        for (uint i = p.win_lo; i < p.win_hi; i++) sum += x(i, j) * x(i, j);
        y(j) = sum;
    }
}
