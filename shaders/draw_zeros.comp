#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "draw_zeros.glsl"
#include "negatives.glsl"

// Row and column.
uvec2 zero_cell(uint k, uint s)
{
    uint r = 0u, found = 0u, at = 0u, from = 0u, n = 0u;
    for (uint t = 0u; t < DRAWS; t++) {
        const uvec4 bits = draw_of(s / 2u, k, t);
        r = scale_bits(bits[s % 2u * 2u], p.U);
        found = scale_bits(bits[s % 2u * 2u + 1u], p.I);
        from = indptr(r);
        n = indptr(r + 1u) - from;
        at = columns_below(from, n, found);
        if (at == n || col(from + at) != found) return uvec2(r, found);
    }
    return uvec2(r, next_free(from, n, found, at));
}

void main()
{
    EACH(b, s, p.S + 1u) {
        const uvec2 cell = s == 0u ? uvec2(row(b, 0u), item(b, 0u)) : zero_cell(key(b, 0u), s);
        user(b, s) = cell.x;
        id(b, s) = cell.y;
    }
}
