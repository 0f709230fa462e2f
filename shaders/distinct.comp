#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "distinct.glsl"

// passes: 4
// items: D
// One bit an index: where it stands in the list is the number of bits below its own.
uint words()
{
    return (p.I + 31u) / 32u;
}

void clear_()
{
    EACH_ITEM(w, words()) bits(w) = 0u;
    EACH_ITEM(d, p.D) list(d) = 0u;
}

void mark()
{
    EACH_ITEM(e, min(n(0u), p.B) * p.S) {
        const uint i = id(e / p.S, e % p.S);
        atomicOr(bits(i / 32u), 1u << (i % 32u));
    }
}

// As in csr_transpose.
void scan()
{
    const uint STRETCH = 16u, step = STRETCH * gl_WorkGroupSize.x, all = words();
    if (gl_WorkGroupID.x != 0u) return;
    uint base = 0u, total;
    for (uint w0 = STRETCH * group_rank(), end = (all + step - 1u) / step * step; w0 < end; w0 += step) {
        const uint to = min(w0 + STRETCH, all);
        uint mine = 0u;
        for (uint w = w0; w < to; w++) mine += bitCount(bits(w));
        uint place = base + group_scan(mine, total);
        for (uint w = w0; w < to; w++) {
            before(w) = place;
            place += bitCount(bits(w));
        }
        base += total;
    }
    if (gl_LocalInvocationID.x == 0u) {
        count(0u) = base;
        used(0u) = min(n(0u), p.B) * p.S;
    }
}

void place_()
{
    EACH_ITEM(e, p.B * p.S) {
        const uint b = e / p.S, s = e % p.S, i = id(b, s);
        const bool live = b < n(0u);
        const uint place = live ? before(i / 32u) + bitCount(bits(i / 32u) & ((1u << (i % 32u)) - 1u)) : 0u;
        at(b, s) = place;
        if (live) list(place) = i;
    }
}

void main()
{
    if (p.pass == 0u) clear_();
    else if (p.pass == 1u) mark();
    else if (p.pass == 2u) scan();
    else place_();
}
