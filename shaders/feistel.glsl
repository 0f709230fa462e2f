// The order of an epoch, bit for bit src/op/feistel.h.
#include "random.glsl"

uint feistel_n, feistel_low_bits, feistel_low_mask, feistel_high_mask;
uint feistel_key[8];

void feistel_make(uvec2 seed, uint stream, uint phase, uint epoch, uint n)
{
    uint bits = 2u;
    while (bits < 32u && ((n - 1u) >> bits) != 0u) bits++;
    feistel_n = n;
    feistel_low_bits = bits / 2u;
    feistel_low_mask = (1u << feistel_low_bits) - 1u;
    feistel_high_mask = (1u << (bits - feistel_low_bits)) - 1u;
    for (uint block = 0u; block < 2u; block++) {
        const uvec4 r = pm_philox(seed, uvec4(epoch, phase, block, stream * 256u));
        for (uint i = 0u; i < 4u; i++) feistel_key[block * 4u + i] = r[i];
    }
}

uint feistel_hash(uint part, uint key)
{
    uint h = part ^ key;
    h = (h ^ (h >> 16)) * 0x7feb352du;
    h = (h ^ (h >> 15)) * 0x846ca68bu;
    return h ^ (h >> 16);
}

uint feistel_at(uint at)
{
    do {
        uint low = at & feistel_low_mask, high = at >> feistel_low_bits;
        for (int i = 0; i < 8; i += 2) {
            low = (low ^ feistel_hash(high, feistel_key[i])) & feistel_low_mask;
            high = (high ^ feistel_hash(low, feistel_key[i + 1])) & feistel_high_mask;
        }
        at = high << feistel_low_bits | low;
    } while (at >= feistel_n);
    return at;
}
