// The order of an epoch: a keyed bijection of [0, n), computed position by position. Nothing is stored or uploaded, and every
// backend gets the same order: u32 arithmetic only, mirrored by shaders/feistel.glsl.
//
// A number of `bits` bits, 2^bits >= n, is cut into a low half of bits/2 bits and a high one of the rest. In each of eight
// rounds a half is changed by a hash of the other and the round's key, low and high in turn: each round undoes itself, so
// the whole is a bijection of [0, 2^bits). A result of n or more is fed in again until it falls below n (cycle walking;
// fewer than two passes on average, since 2^bits < 2n but for n < 3): a bijection of [0, n).
//
// Keys: the two Philox blocks with key = seed, counter = (epoch, phase, block, stream · 256).
#ifndef PM_FEISTEL_H
#define PM_FEISTEL_H

#include "core/philox.h"

typedef struct pm_feistel {
    uint32_t n, low_bits, low_mask, high_mask;
    uint32_t key[8];
} pm_feistel;

// phase, epoch: from the step state.
static inline pm_feistel pm_feistel_make(uint64_t seed, uint32_t stream, uint32_t phase, uint32_t epoch, uint32_t n)
{
    uint32_t bits = 2;
    while (bits < 32 && ((n - 1u) >> bits) != 0) bits++;
    pm_feistel f = { .n = n, .low_bits = bits / 2 };
    f.low_mask = (1u << f.low_bits) - 1u;
    f.high_mask = (1u << (bits - f.low_bits)) - 1u;
    for (uint32_t block = 0; block < 2; block++) {
        const pm_philox_block r = pm_philox(seed, epoch, phase, block, stream * 256u);
        for (uint32_t i = 0; i < 4; i++) f.key[block * 4 + i] = r.v[i];
    }
    return f;
}

static inline uint32_t pm_feistel_hash(uint32_t half, uint32_t key)
{
    uint32_t h = half ^ key;
    h = (h ^ (h >> 16)) * 0x7feb352du;
    h = (h ^ (h >> 15)) * 0x846ca68bu;
    return h ^ (h >> 16);
}

// Where position x < n stands in the order.
static inline uint32_t pm_feistel_at(const pm_feistel *f, uint32_t x)
{
    do {
        uint32_t low = x & f->low_mask, high = x >> f->low_bits;
        for (int round = 0; round < 8; round += 2) {
            low = (low ^ pm_feistel_hash(high, f->key[round])) & f->low_mask;
            high = (high ^ pm_feistel_hash(low, f->key[round + 1])) & f->high_mask;
        }
        x = high << f->low_bits | low;
    } while (x >= f->n);
    return x;
}

#endif
