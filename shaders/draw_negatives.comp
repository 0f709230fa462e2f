#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "draw_negatives.glsl"
#include "negatives.glsl"

uint negative(uint from, uint n, uint k, uint s)
{
    const uint entries = indptr(p.U);
    const bool popular = p.popular != 0u && entries > 0u;
    uint found = 0u, at = 0u;
    for (uint t = 0u; t < DRAWS; t++) {
        const uint bits = draw_of(s / 4u, k, t)[s % 4u];
        found = popular ? col(scale_bits(bits, entries)) : scale_bits(bits, p.I);
        at = columns_below(from, n, found);
        if (at == n || col(from + at) != found) return found;
    }
    return next_free(from, n, found, at);
}

void main()
{
    EACH(b, s, p.S + 1u) {
        const uint r = row(b, 0u), from = indptr(r);
        id(b, s) = s == 0u ? item(b, 0u) : negative(from, indptr(r + 1u) - from, key(b, 0u), s);
    }
}
