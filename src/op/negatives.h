// Drawing items that a user has not: integers alone, so every backend draws the same. shaders/draw_negatives.comp does the same.
//
// Draw t of column s of a row with key k comes from word t mod 4 of the Philox block with counter (s, k, step, stream · 256 + t / 4).
#ifndef PM_NEGATIVES_H
#define PM_NEGATIVES_H

#include <stdbool.h>

#include "core/philox.h"

enum { PM_NEGATIVE_DRAWS = 64 };

typedef struct pm_negatives {
    const uint32_t *col;               // of the whole matrix
    uint32_t        entries, items;    // entries: as many as the rows hold; 0: popularity says nothing, draws are uniform
    uint64_t        seed;
    uint32_t        step, stream;
    bool            popular;
} pm_negatives;

// How many of n ascending columns lie below `item`.
static inline uint32_t pm_columns_below(const uint32_t *col, uint32_t n, uint32_t item)
{
    uint32_t lo = 0, hi = n;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (col[mid] < item) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

// [0, n) from 32 bits; off from uniform by less than n / 2^32 of a probability.
static inline uint32_t pm_scale_bits(uint32_t bits, uint32_t n)
{
    return (uint32_t)((uint64_t)bits * n >> 32);
}

// Draw `s` of a row that has the n columns `own`, ascending.
static inline uint32_t pm_negative(const pm_negatives *d, const uint32_t *own, uint32_t n, uint32_t key, uint32_t s)
{
    uint32_t item = 0, at = 0;
    pm_philox_block block = { { 0 } };
    for (uint32_t t = 0; t < PM_NEGATIVE_DRAWS; t++) {
        if (t % 4 == 0) block = pm_philox(d->seed, s, key, d->step, d->stream * 256u + t / 4);
        const uint32_t bits = block.v[t % 4];
        item = d->popular && d->entries ? d->col[pm_scale_bits(bits, d->entries)] : pm_scale_bits(bits, d->items);
        at = pm_columns_below(own, n, item);
        if (at == n || own[at] != item) return item;
    }
    uint32_t next = item;
    for (uint32_t k = 0; k < n; k++) {
        next++;
        at++;
        if (next == d->items) next = at = 0;
        if (at == n || own[at] != next) return next;
    }
    return item;    // the row has every column
}

#endif
