// Philox4x32-10 (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"): the only source of randomness.
// key = the 64-bit seed; counter = (column / 4, row, step, stream * 256 + attempt). shaders/random.glsl computes the same bits.
#ifndef PM_PHILOX_H
#define PM_PHILOX_H

#include <stdint.h>
#include <string.h>

typedef struct pm_philox_block { uint32_t v[4]; } pm_philox_block;

static inline pm_philox_block pm_philox(uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        const uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c0 = n0, c1 = (uint32_t)p1, c2 = n2, c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    return (pm_philox_block){ { c0, c1, c2, c3 } };
}

// The 32 bits of one (row, column) cell of a stream at a step.
static inline uint32_t pm_random_bits(uint64_t key, uint32_t stream, uint32_t attempt, uint32_t step, uint32_t row, uint32_t col)
{
    return pm_philox(key, col / 4, row, step, stream * 256u + attempt).v[col % 4];
}

// [0, 1), the 24 high bits: exact in f32, so a comparison with a probability is the same everywhere.
static inline float pm_unit_from_bits(uint32_t bits)
{
    return (float)(bits >> 8) * (1.0f / 16777216.0f);
}

// (0, 1), never 0 or 1, for logarithms.
static inline double pm_open_unit_from_bits(uint32_t bits)
{
    return ((double)bits + 0.5) * (1.0 / 4294967296.0);
}

// (0, 1) in odd multiples of 2^-24: exact in f32, so that all backends take logarithm and angle of the same numbers.
static inline float pm_open_unit_f32(uint32_t bits)
{
    return (float)((bits >> 9) * 2u + 1u) * (1.0f / 16777216.0f);
}

// The 24-bit stream of a name (FNV-1a folded). A collision of two names of one graph is a compile error there.
static inline uint32_t pm_stream_of_name(const char *name)
{
    uint32_t h = 2166136261u;
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 16777619u;
    return (h ^ (h >> 24)) & 0xFFFFFFu;
}

// A sequential reader of one stream for work on the host (splits, initialisers): cell i of row `row`.
typedef struct pm_rng {
    uint64_t        key;
    uint32_t        stream, row;
    uint64_t        next;     // may be set to go on anywhere
    uint64_t        held;     // number of the block at hand, plus 1; 0: none
    pm_philox_block block;
} pm_rng;

static inline uint32_t pm_rng_bits(pm_rng *r)
{
    const uint64_t i = r->next++;
    if (r->held != i / 4 + 1) {
        r->block = pm_philox(r->key, (uint32_t)(i / 4), r->row, (uint32_t)(i / 4 >> 32), r->stream * 256u);
        r->held = i / 4 + 1;
    }
    return r->block.v[i % 4];
}

// Uniform integer in [0, n), n >= 1, without bias (Lemire's rejection).
static inline uint32_t pm_rng_below(pm_rng *r, uint32_t n)
{
    uint64_t m = (uint64_t)pm_rng_bits(r) * n;
    if ((uint32_t)m < n) {
        const uint32_t threshold = (0u - n) % n;
        while ((uint32_t)m < threshold) m = (uint64_t)pm_rng_bits(r) * n;
    }
    return (uint32_t)(m >> 32);
}

static inline double pm_rng_unit(pm_rng *r)
{
    return pm_open_unit_from_bits(pm_rng_bits(r));
}

#endif
