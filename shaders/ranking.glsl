// The order of a ranking, and selection by it. An element's place: x above y; score descending, then column ascending.
const uint LIST = 1024u, DIGITS = 8u;
shared uint histogram[256], list_key[LIST], list_id[LIST];
shared uint chosen_bin, chosen_above, list_count;

// Ascends with the score; −0 counts as 0.
uint key_of(float s)
{
    const uint bits = s == 0.0 ? 0u : floatBitsToUint(s);
    return (bits & 0x80000000u) != 0u ? ~bits : bits | 0x80000000u;
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

void clear_histogram()
{
    barrier();
    EACH_COL(h, 256u) histogram[h] = 0u;
    barrier();
}

// The bin that holds number `want` from above, and how many lie above the bin; the lowest where there are fewer.
void choose_bin(uint want)
{
    barrier();
    const uint lanes = min(gl_WorkGroupSize.x, 256u), each_ = 256u / lanes, rank = group_rank();
    uint mine = 0u, total;
    for (uint h = 0u; h < each_ && rank < lanes; h++) mine += histogram[255u - rank * each_ - h];
    uint above = group_scan(mine, total);
    for (uint h = 0u; h < each_ && rank < lanes; h++) {
        const uint bin = 255u - rank * each_ - h, size = histogram[bin];
        if (above < want && (above + size >= want || bin == 0u)) {
            chosen_bin = bin;
            chosen_above = above;
        }
        above += size;
    }
    barrier();
}

// Drops from the list what is below the `want` best of it, until at most `most` are left: most >= want, the list longer. Gives the
// place just below what stays.
uvec2 narrow_list(uint want, uint most)
{
    uvec2 prefix = uvec2(0u), mask = uvec2(0u);
    uint need = want;
    const uint count = list_count;
    for (uint digit = 0u; digit < DIGITS; digit++) {
        clear_histogram();
        EACH_COL(t, count) {
            const uvec2 u = uvec2(list_key[t], ~list_id[t]);
            if ((u & mask) == prefix) atomicAdd(histogram[digit_of(u, digit)], 1u);
        }
        choose_bin(need);
        need -= chosen_above;
        mask |= digit_mask(digit);
        prefix |= digit_mask(digit) & uvec2(chosen_bin * 0x01010101u);
        if (want - need + histogram[chosen_bin] <= most) break;
    }
    if (gl_LocalInvocationID.x == 0u) list_count = 0u;
    for (uint t0 = 0u; t0 < count; t0 += gl_WorkGroupSize.x) {
        const uint t = t0 + gl_LocalInvocationID.x, key = t < count ? list_key[t] : 0u, id = t < count ? list_id[t] : 0u;
        barrier();    // what is written below lies before t0 + gl_WorkGroupSize.x, and has been read
        if (t < count && !below(uvec2(key, ~id), prefix)) {
            const uint at = atomicAdd(list_count, 1u);
            list_key[at] = key;
            list_id[at] = id;
        }
    }
    barrier();
    return uvec2(prefix.y == 0u ? max(prefix.x, 1u) - 1u : prefix.x, prefix.y - 1u);
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
                    list_key[u] = pv.x;
                    list_id[u] = ~pv.y;
                    list_key[v] = pu.x;
                    list_id[v] = ~pu.y;
                }
            }
            barrier();
        }
}
