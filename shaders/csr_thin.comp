#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "feistel.glsl"
#include "pumice/state.h"
#include "csr_thin.glsl"

// Whether entry e of a row of n stays; feistel_* are set where that asks for them.
bool stays(uint e, uint n)
{
    if (n <= p.M) return true;
    return p.even != 0u ? (e + 1u) * p.M / n > e * p.M / n : feistel_at(e) < p.M;
}

// One workgroup: an invocation has a stretch of rows.
void main()
{
    const uint each_ = (p.B + gl_WorkGroupSize.x - 1u) / gl_WorkGroupSize.x;
    const uint from = min(group_rank() * each_, p.B), to = min(from + each_, p.B);
    uint mine = 0u, total;
    for (uint b = from; b < to; b++) mine += min(ptr(b + 1u) - ptr(b), p.M);
    uint at = group_scan(mine, total);
    for (uint b = from; b < to; b++) {
        const uint begin = ptr(b), n = ptr(b + 1u) - begin;
        if (n > p.M) feistel_make(uvec2(state(PM_STATE_SEED_LO), state(PM_STATE_SEED_HI)), p.stream, b, state(PM_STATE_STEP), n);
        tptr(b) = at;
        for (uint e = 0u; e < n; e++)
            if (stays(e, n)) {
                tcol(at) = col(begin + e);
                tval(at) = val(begin + e);
                at++;
            }
    }
    if (gl_LocalInvocationID.x == 0u) tptr(p.B) = total;
    for (uint e = total + gl_LocalInvocationID.x; e < p.N; e += gl_WorkGroupSize.x) {
        tcol(e) = 0u;
        tval(e) = 0.0;
    }
}
