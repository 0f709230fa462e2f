#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "pumice/state.h"
#include "top_k.glsl"

// A radix selection: digit by digit the places of the k-th best in the order (score descending, column ascending) are found with
// a histogram, what is at or above it is collected and sorted. Lists longer than CHUNK come in stretches, each after the
// last of the one before.
const uint CHUNK = 1024u, DIGITS = 8u;
shared uint histogram[256], list_key[CHUNK], list_id[CHUNK];
shared uint chosen_bin, chosen_above, list_count;

// Ascends with the score; −0 counts as 0.
uint key_of(float s)
{
    const uint bits = s == 0.0 ? 0u : floatBitsToUint(s);
    return (bits & 0x80000000u) != 0u ? ~bits : bits | 0x80000000u;
}

// The place of an element: x above y. Distinct for distinct columns.
uvec2 place_of(uint b, uint j)
{
    return uvec2(key_of(z(b, j)), ~j);
}

bool below(uvec2 u, uvec2 v)
{
    return u.x < v.x || (u.x == v.x && u.y < v.y);
}

// Where the 8 bits number `digit` are.
uvec2 digit_mask(uint digit)
{
    return digit < 4u ? uvec2(0xFFu << (24u - 8u * digit), 0u) : uvec2(0u, 0xFFu << (56u - 8u * digit));
}

uint digit_of(uvec2 u, uint digit)
{
    return digit < 4u ? (u.x >> (24u - 8u * digit)) & 255u : (u.y >> (56u - 8u * digit)) & 255u;
}

// Of the elements below `last` that agree with `prefix` under `mask`: a histogram of the digit; their number.
uint count_digit(uint b, uvec2 last, uvec2 prefix, uvec2 mask, uint digit)
{
    barrier();
    EACH_COL(h, 256u) histogram[h] = 0u;
    barrier();
    uint mine = 0u;
    EACH_COL(j, p.C) {
        const uvec2 u = place_of(b, j);
        if (!(z(b, j) > PM_MASKED) || !below(u, last) || (u & mask) != prefix) continue;
        atomicAdd(histogram[digit_of(u, digit)], 1u);
        mine++;
    }
    return group_total(mine);
}

// The bin that holds number `want` from above, and how many lie above the bin.
void choose_bin(uint want)
{
    barrier();
    if (gl_LocalInvocationID.x == 0u) {
        uint above = 0u, bin = 255u;
        while (bin > 0u && above + histogram[bin] < want) above += histogram[bin--];
        chosen_bin = bin;
        chosen_above = above;
    }
    barrier();
}

// Collects the `want` best below `last`, in any order; fewer where there are fewer.
void collect(uint b, uvec2 last, uint want)
{
    uvec2 prefix = uvec2(0u), mask = uvec2(0u);
    for (uint digit = 0u; digit < DIGITS; digit++) {
        const uint found = count_digit(b, last, prefix, mask, digit);
        if (digit == 0u && found <= want) break;    // all of them
        choose_bin(want);
        want -= chosen_above;
        const uint shift = 24u - 8u * (digit % 4u);
        mask |= digit_mask(digit);
        if (digit < 4u) prefix.x |= chosen_bin << shift;
        else prefix.y |= chosen_bin << shift;
        if (histogram[chosen_bin] == want) break;
    }
    barrier();
    if (gl_LocalInvocationID.x == 0u) list_count = 0u;
    barrier();
    EACH_COL(j, p.C) {
        const uvec2 u = place_of(b, j);
        if (!(z(b, j) > PM_MASKED) || !below(u, last) || below(u & mask, prefix)) continue;
        const uint at = atomicAdd(list_count, 1u);
        list_key[at] = u.x;
        list_id[at] = j;
    }
    barrier();
}

// Bitonic; best first.
void sort_list()
{
    uint size = 1u;
    while (size < list_count) size *= 2u;
    EACH_ENTRY(t, list_count, size) {
        list_key[t] = 0u;
        list_id[t] = 0xFFFFFFFFu;
    }
    barrier();
    for (uint k = 2u; k <= size; k *= 2u)
        for (uint s = k / 2u; s > 0u; s /= 2u) {
            EACH_COL(t, size / 2u) {
                const uint u = 2u * t - (t & (s - 1u)), v = u + s;
                const uvec2 pu = uvec2(list_key[u], ~list_id[u]), pv = uvec2(list_key[v], ~list_id[v]);
                if (((u & k) == 0u) == below(pu, pv)) {
                    const uint id_u = list_id[u];
                    list_key[u] = pv.x;
                    list_id[u] = list_id[v];
                    list_key[v] = pu.x;
                    list_id[v] = id_u;
                }
            }
            barrier();
        }
}

void main()
{
    EACH_ROW(b) {
        uint bad = 0u;
        EACH_COL(j, p.C) bad += pm_is_finite(z(b, j)) ? 0u : 1u;
        bad = group_total(bad);
        uint done = 0u;
        uvec2 last = uvec2(0xFFFFFFFFu);
        while (bad == 0u && done < p.K) {
            collect(b, last, min(p.K - done, CHUNK));
            sort_list();
            const uint found = list_count;
            EACH_COL(t, found) {
                id(b, done + t) = list_id[t];
                score(b, done + t) = z(b, list_id[t]);
            }
            if (found == 0u) break;
            last = uvec2(list_key[found - 1u], ~list_id[found - 1u]);
            done += found;
            barrier();
        }
        EACH_ENTRY(k, done, p.K) {
            id(b, k) = bad == 0u ? PM_ID_NONE : PM_ID_NAN;
            score(b, k) = bad == 0u ? PM_MASKED : 0.0;
        }
    }
}
