#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "csr_rows_take.glsl"

// rows: B
// The first window writes every place, zeros where the entry lies in a later one.
void main()
{
    EACH_ROW(b) {
        const uint from = indptr(rows(b)), found = indptr(rows(b) + 1u) - from, start = ptr(b), end = ptr(b + 1u);
        EACH_ENTRY(e, start, end) {
            const uint source = from + (e - start);
            const bool here = e - start < found && source >= p.win_lo && source < p.win_hi;
            if (here || p.win_lo == 0u) {
                out_col(e) = here ? col(source) : 0u;
                out_val(e) = here ? val(source) : 0.0;
            }
        }
    }
    if (p.win_lo != 0u) return;
    EACH_ITEM(t, p.E - ptr(p.B)) {
        out_col(ptr(p.B) + t) = 0u;
        out_val(ptr(p.B) + t) = 0.0;
    }
}
