#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "col_sum.glsl"
#define PM_TERM(i, j) x4(i, j)
#include "cols.glsl"

// variants: slices wide_slices
// wide: x y
// chunk: 8
void main()
{
    col_sums();
}
