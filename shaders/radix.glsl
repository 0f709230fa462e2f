// Selection digit by digit: the places of the k-th best are found with a histogram a digit, then what is at or above them is collected
// and sorted. Longer lists come in stretches of LIST, each after the last of the one before. Needs operand z.
uvec2 place_of(uint b, uint j)
{
    return uvec2(key_of(z(b, j)), ~j);
}

// Of the elements below `last` that agree with `prefix` under `mask`: a histogram of the digit; their number.
uint count_digit(uint b, uvec2 last, uvec2 prefix, uvec2 mask, uint digit)
{
    clear_histogram();
    uint mine = 0u;
    EACH_COL(j, p.C) {
        const uvec2 u = place_of(b, j);
        if (!(z(b, j) > PM_MASKED) || !below(u, last) || (u & mask) != prefix) continue;
        atomicAdd(histogram[digit_of(u, digit)], 1u);
        mine++;
    }
    return group_total(mine);
}

bool digits_finite(uint b)
{
    uint bad = 0u;
    EACH_COL(j, p.C) bad += pm_is_finite(z(b, j)) ? 0u : 1u;
    return group_total(bad) == 0u;
}

// The `want` best below `last`, at most LIST, in the list, sorted; fewer where there are fewer.
void digits_collect(uint b, uvec2 last, uint want)
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
    sort_list();
}
