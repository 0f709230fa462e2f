#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "csr_rows_ptr.glsl"

// One workgroup: each invocation sums a stretch of rows, the stretches are scanned.
void main()
{
    const uint each_ = (p.B + gl_WorkGroupSize.x - 1u) / gl_WorkGroupSize.x;
    const uint from = min(group_rank() * each_, p.B), to = min(from + each_, p.B), live = min(n(0u), p.B);
    uint mine = 0u, total;
    for (uint b = from; b < min(to, live); b++) mine += indptr(rows(b) + 1u) - indptr(rows(b));
    uint at = group_scan(mine, total);
    for (uint b = from; b < to; b++) {
        ptr(b) = at;
        if (b < live) at += indptr(rows(b) + 1u) - indptr(rows(b));
    }
    if (gl_LocalInvocationID.x == 0u) ptr(p.B) = total;
}
