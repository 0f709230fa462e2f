#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "csr_transpose.glsl"

// passes: 5
// items: E
// rows: B
// One bit for each (column, row): an entry's place among its column's is the number of bits below its own.
void clear_()
{
    const uint words = (p.B + 31u) / 32u;
    EACH_ITEM(e, p.I * words) bits(e / words, e % words) = 0u;
    EACH_ITEM(t, p.E - ptr(p.B)) {
        trow(ptr(p.B) + t) = 0u;
        tpos(ptr(p.B) + t) = 0u;
    }
}

void mark()
{
    EACH_ROW(b) EACH_ENTRY(e, ptr(b), ptr(b + 1u)) atomicOr(bits(col(e), b / 32u), 1u << (b % 32u));
}

void count_()
{
    EACH_ITEM(i, p.I) {
        uint sum = 0u;
        for (uint k = 0u; k < (p.B + 31u) / 32u; k++) sum += bitCount(bits(i, k));
        tptr(i) = sum;
    }
}

// Each invocation of one workgroup takes STRETCH columns at a time, so that lines of memory are met whole.
void scan()
{
    const uint STRETCH = 16u, step = STRETCH * gl_WorkGroupSize.x;
    if (gl_WorkGroupID.x != 0u) return;
    uint base = 0u, total;
    for (uint c0 = STRETCH * group_rank(), end = (p.I + step - 1u) / step * step; c0 < end; c0 += step) {
        const uint to = min(c0 + STRETCH, p.I);
        uint mine = 0u;
        for (uint i = c0; i < to; i++) mine += tptr(i);
        uint at = base + group_scan(mine, total);
        for (uint i = c0; i < to; i++) {
            const uint size = tptr(i);
            tptr(i) = at;
            at += size;
        }
        base += total;
    }
    if (gl_LocalInvocationID.x == 0u) tptr(p.I) = base;
}

void place_()
{
    EACH_ROW(b) EACH_ENTRY(e, ptr(b), ptr(b + 1u)) {
        const uint i = col(e);
        uint at = tptr(i) + bitCount(bits(i, b / 32u) & ((1u << (b % 32u)) - 1u));
        for (uint k = 0u; k < b / 32u; k++) at += bitCount(bits(i, k));
        trow(at) = b;
        tpos(at) = e;
    }
}

void main()
{
    if (p.pass == 0u) clear_();
    else if (p.pass == 1u) mark();
    else if (p.pass == 2u) count_();
    else if (p.pass == 3u) scan();
    else place_();
}
