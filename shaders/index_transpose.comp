#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "index_transpose.glsl"

// passes: 5
// items: E
// Places are put down in any order; then each counts the lower ones of its index, which is where it belongs.
uint places()
{
    return min(min(n(0u), p.B) * p.S, p.E);
}

uint index_at(uint e)
{
    return id(e / p.S, e % p.S);
}

void clear_()
{
    EACH_ITEM(i, p.I) at(i) = 0u;
    const uint end = places();
    EACH_ITEM(t, p.E - end) {
        trow(end + t) = 0u;
        tpos(end + t) = 0u;
    }
}

void count_()
{
    EACH_ITEM(e, places()) atomicAdd(at(index_at(e)), 1u);
}

// As in csr_transpose; the counts go back to zero.
void scan()
{
    const uint STRETCH = 16u, step = STRETCH * gl_WorkGroupSize.x;
    if (gl_WorkGroupID.x != 0u) return;
    uint base = 0u, total;
    for (uint c0 = STRETCH * group_rank(), end = (p.I + step - 1u) / step * step; c0 < end; c0 += step) {
        const uint to = min(c0 + STRETCH, p.I);
        uint mine = 0u;
        for (uint i = c0; i < to; i++) mine += at(i);
        uint place = base + group_scan(mine, total);
        for (uint i = c0; i < to; i++) {
            tptr(i) = place;
            place += at(i);
            at(i) = 0u;
        }
        base += total;
    }
    if (gl_LocalInvocationID.x == 0u) tptr(p.I) = base;
}

void place_()
{
    EACH_ITEM(e, places()) {
        const uint i = index_at(e);
        loose(tptr(i) + atomicAdd(at(i), 1u)) = e;
    }
}

void order()
{
    EACH_ITEM(f, places()) {
        const uint e = loose(f), i = index_at(e), from = tptr(i), to = tptr(i + 1u);
        uint place = from;
        for (uint g = from; g < to; g++) place += loose(g) < e ? 1u : 0u;
        trow(place) = e / p.S;
        tpos(place) = e;
    }
}

void main()
{
    if (p.pass == 0u) clear_();
    else if (p.pass == 1u) count_();
    else if (p.pass == 2u) scan();
    else if (p.pass == 3u) place_();
    else order();
}
