#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "csr_spread.glsl"

// Columns ascend, so a cell finds its entry by halves.
void main()
{
    EACH(b, i, p.I) {
        const uint end = ptr(b + 1u);
        uint lo = ptr(b), hi = end;
        while (lo < hi) {
            const uint mid = (lo + hi) / 2u;
            if (col(mid) < i) lo = mid + 1u;
            else hi = mid;
        }
        y(b, i) = lo < end && col(lo) == i ? val(lo) : 0.0;
    }
}
