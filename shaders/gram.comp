#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "gram.glsl"

// lanes: 128
// A workgroup a row, TILE columns of it at a time in shared memory. The entries of a user lie in different columns, so its invocations
// never meet; between users they wait for each other, which leaves every sum in the order of the users.
const uint TILE = 3072u;
shared float sums[TILE];

// The first of [from, to) whose column is not below `least`.
uint first_from(uint from, uint to, uint least)
{
    while (from < to) {
        const uint middle = from + (to - from) / 2u;
        if (col(middle) < least) from = middle + 1u;
        else to = middle;
    }
    return from;
}

void add_user(uint f, uint i0, uint n)
{
    const uint u = arow(f), begin = max(ptr(u), p.win_lo), end = min(ptr(u + 1u), p.win_hi);
    const float v = aval(f);
    for (uint e = (i0 > 0u ? first_from(begin, end, i0) : begin) + gl_LocalInvocationID.x; e < end; e += gl_WorkGroupSize.x) {
        const uint at = col(e) - i0;
        if (at >= n) break;
        sums[at] += v * val(e);
    }
}

void main()
{
    for (uint b = p.lo + gl_WorkGroupID.x; b < p.hi; b += gl_NumWorkGroups.x)
        for (uint i0 = 0u; i0 < p.I; i0 += TILE) {
            const uint n = min(TILE, p.I - i0);
            for (uint j = gl_LocalInvocationID.x; j < n; j += gl_WorkGroupSize.x) {
                float before = 0.0;
                if (p.win_lo != 0u) before = g(b, i0 + j);
                sums[j] = before;
            }
            barrier();
            for (uint f = aptr(b), end = aptr(b + 1u); f < end; f++) {
                add_user(f, i0, n);
                barrier();
            }
            for (uint j = gl_LocalInvocationID.x; j < n; j += gl_WorkGroupSize.x) g(b, i0 + j) = sums[j];
            barrier();
        }
}
