#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "csr_entries.glsl"

// The first window writes every place, zeros where the entry lies in a later one.
void main()
{
    EACH(b, j, 1u) {
        const uint e = entry(b);
        const bool here = e >= p.win_lo && e < p.win_hi;
        if (here || p.win_lo == 0u) {
            item(b, 0u) = here ? col(e) : 0u;
            value(b, 0u) = here ? val(e) : 0.0;
        }
        if (p.win_lo != 0u) continue;
        uint first = 0u, past = p.U;
        while (past - first > 1u) {
            const uint middle = first + (past - first) / 2u;
            if (indptr(middle) <= e) first = middle;
            else past = middle;
        }
        row(b, 0u) = first;
    }
}
