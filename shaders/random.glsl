// Philox4x32-10, bit for bit src/core/philox.h.
#ifndef PM_RANDOM_GLSL
#define PM_RANDOM_GLSL

uvec4 pm_philox(uvec2 key, uvec4 c)
{
    for (int i = 0; i < 10; i++) {
        uint high0, low0, high1, low1;
        umulExtended(0xD2511F53u, c.x, high0, low0);
        umulExtended(0xCD9E8D57u, c.z, high1, low1);
        c = uvec4(high1 ^ c.y ^ key.x, low1, high0 ^ c.w ^ key.y, low0);
        key += uvec2(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

// The bits of columns 4·(col / 4) … + 3 of a row.
uvec4 pm_random_block(uvec2 seed, uint stream, uint step, uint row, uint col)
{
    return pm_philox(seed, uvec4(col / 4u, row, step, stream * 256u));
}

uint pm_random_bits(uvec2 seed, uint stream, uint step, uint row, uint col)
{
    return pm_random_block(seed, stream, step, row, col)[col % 4u];
}

// The bits of the columns that an invocation takes at a time (each.glsl).
#ifdef PM_VARIANT_WIDE
#define pm_random_wide pm_random_block
#else
#define pm_random_wide pm_random_bits
#endif

// [0, 1), the 24 high bits.
float pm_unit_from_bits(uint bits)
{
    return float(bits >> 8) * (1.0 / 16777216.0);
}

#endif
