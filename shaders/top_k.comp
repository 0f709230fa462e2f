#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "pumice/state.h"
#include "top_k.glsl"
#include "ranking.glsl"
#include "radix.glsl"

// One pass over the row: what lies above a floor goes into a list in shared memory. The first floor is one that K of the largest of the
// first blocks reach; where the list runs full it is cut to little more than K, and the floor rises to them. Long lists, and
// those of workgroups too small to find a floor, come by digits (radix.glsl).
uint not_finite(WIDE v)
{
#ifdef PM_VARIANT_WIDE
    return any(equal(floatBitsToUint(v) & 0x7F800000u, uvec4(0x7F800000u))) ? 1u : 0u;
#else
    return pm_is_finite(v) ? 0u : 1u;
#endif
}

// 1 when the element belongs into the list and found no room.
uint offer(float s, uint j, uvec2 least)
{
    const uvec2 u = uvec2(key_of(s), ~j);
    if (!(s > PM_MASKED) || !below(least, u)) return 0u;
    const uint at = atomicAdd(list_count, 1u);
    if (at >= LIST) return 1u;
    list_key[at] = u.x;
    list_id[at] = j;
    return 0u;
}

// Offers the elements whose bits are set; the bits of those that found no room.
uint offer_all(WIDE v, uint j, uint bits, uvec2 least)
{
    if (bits == 0u || key_of(PM_MOST(v)) < least.x) return 0u;
#ifdef PM_VARIANT_WIDE
    uint left = 0u;
    if ((bits & 1u) != 0u) left |= offer(v.x, j, least);
    if ((bits & 2u) != 0u) left |= offer(v.y, j + 1u, least) << 1;
    if ((bits & 4u) != 0u) left |= offer(v.z, j + 2u, least) << 2;
    if ((bits & 8u) != 0u) left |= offer(v.w, j + 3u, least) << 3;
    return left;
#else
    return offer(v, j, least);
#endif
}

void count_most(WIDE v, uint digit, uint prefix)
{
    const uint key = key_of(PM_MOST(v));
    if (PM_MOST(v) > PM_MASKED && (digit == 0u || key >> 24 == prefix)) atomicAdd(histogram[(key >> (24u - 8u * digit)) & 255u], 1u);
}

// A place that at least K blocks of the four of each invocation reach, to 16 bits; below all where there are not that many.
uvec2 first_floor(WIDE v0, WIDE v1, WIDE v2, WIDE v3)
{
    uint want = p.K, prefix = 0u;
    for (uint digit = 0u; digit < 2u; digit++) {
        clear_histogram();
        count_most(v0, digit, prefix);
        count_most(v1, digit, prefix);
        count_most(v2, digit, prefix);
        count_most(v3, digit, prefix);
        choose_bin(want);
        want -= chosen_above;
        prefix = prefix << 8 | chosen_bin;
    }
    return prefix == 0u ? uvec2(0u) : uvec2((prefix << 16) - 1u, 0xFFFFFFFFu);
}

WIDE scores_at(uint b, uint j)
{
    WIDE v = WIDE(PM_MASKED);
    if (j < p.C) v = z4(b, j);
    return v;
}

// Whether the row is finite; its best are in the list, sorted.
bool stream(uint b)
{
    const uint step = PM_WIDTH * gl_WorkGroupSize.x;
    uvec2 least = uvec2(0u);
    uint bad = 0u;
    barrier();
    if (gl_LocalInvocationID.x == 0u) list_count = 0u;
    barrier();
    for (uint base = 0u; base < p.C; base += 4u * step) {
        const uint j0 = base + PM_WIDTH * gl_LocalInvocationID.x, j1 = j0 + step, j2 = j1 + step, j3 = j2 + step;
        const WIDE v0 = scores_at(b, j0), v1 = scores_at(b, j1), v2 = scores_at(b, j2), v3 = scores_at(b, j3);
        bad |= not_finite(v0) | not_finite(v1) | not_finite(v2) | not_finite(v3);
        if (base == 0u && p.C > LIST) least = first_floor(v0, v1, v2, v3);
        uint left = 0xFFFFu;
        for (bool full = true; full;) {
            left = offer_all(v0, j0, left & 15u, least) | offer_all(v1, j1, left >> 4 & 15u, least) << 4 |
                   offer_all(v2, j2, left >> 8 & 15u, least) << 8 | offer_all(v3, j3, left >> 12, least) << 12;
            barrier();
            full = list_count > LIST;
            barrier();
            if (full) {
                if (gl_LocalInvocationID.x == 0u) list_count = LIST;
                barrier();
                least = narrow_list(p.K, p.K + p.K / 4u);
            }
        }
    }
    if (list_count > p.K) narrow_list(p.K, p.K);
    sort_list();
    return group_total(bad) == 0u;
}

// wide: z
void main()
{
    EACH_ROW(b) {
        const bool small = gl_WorkGroupSize.x >= 64u && p.K <= min(gl_WorkGroupSize.x, LIST / 2u);
        const bool finite = small ? stream(b) : digits_finite(b);
        uint done = 0u;
        uvec2 last = uvec2(0xFFFFFFFFu);
        while (finite && done < p.K) {
            if (!small) digits_collect(b, last, min(p.K - done, LIST));
            const uint found = min(list_count, p.K - done);
            EACH_COL(t, found) {
                id(b, done + t) = list_id[t];
                score(b, done + t) = z(b, list_id[t]);
            }
            if (found > 0u) last = uvec2(list_key[found - 1u], ~list_id[found - 1u]);
            done += found;
            barrier();
            if (small || found == 0u) break;
        }
        EACH_ENTRY(k, done, p.K) {
            id(b, k) = finite ? PM_ID_NONE : PM_ID_NAN;
            score(b, k) = finite ? PM_MASKED : 0.0;
        }
    }
}
