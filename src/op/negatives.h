// Drawing items that a user has not: integers alone, so every backend draws the same. shaders/negatives.glsl does the same.
//
// Draw t of column s of a row with key k is the random word of cell (row k, column s), attempt t (core/philox.h).
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

// How many of n ascending columns lie below `item`; without branches, which nobody could foretell.
static inline uint32_t pm_columns_below(const uint32_t *col, uint32_t n, uint32_t item)
{
    const uint32_t *at = col;
    while (n > 1) {
        const uint32_t half = n / 2;
        at += at[half - 1] < item ? half : 0;
        n -= half;
    }
    return (uint32_t)(at - col) + (n == 1 && *at < item);
}

// [0, n) from 32 bits; off from uniform by less than n / 2^32 of a probability.
static inline uint32_t pm_scale_bits(uint32_t bits, uint32_t n)
{
    return (uint32_t)((uint64_t)bits * n >> 32);
}

// The next column after `item` that a row of n ascending columns lacks, item standing at own[at]; `item` where the row has every column.
static inline uint32_t pm_next_free(const uint32_t *own, uint32_t n, uint32_t items, uint32_t item, uint32_t at)
{
    uint32_t next = item;
    for (uint32_t k = 0; k < n; k++) {
        next++;
        at++;
        if (next == items) next = at = 0;
        if (at == n || own[at] != next) return next;
    }
    return item;
}

// Column `s` of a row that has the n columns `own`, ascending; bits: its draw 0.
static inline uint32_t pm_negative(const pm_negatives *d, const uint32_t *own, uint32_t n, uint32_t key, uint32_t s, uint32_t bits)
{
    uint32_t item = 0, at = 0;
    for (uint32_t t = 0; t < PM_NEGATIVE_DRAWS; t++) {
        if (t > 0) bits = pm_random_bits(d->seed, d->stream, t, d->step, key, s);
        item = d->popular && d->entries ? d->col[pm_scale_bits(bits, d->entries)] : pm_scale_bits(bits, d->items);
        at = pm_columns_below(own, n, item);
        if (at == n || own[at] != item) return item;
    }
    return pm_next_free(own, n, d->items, item, at);
}

// Cell `s` of an entry with key `key`, of a matrix with `users` rows: its column, and its row to *user. Draw t is the random words of columns 2s and
// 2s + 1 of the key's row, attempt t: the row, the column.
static inline uint32_t pm_zero_cell(const pm_negatives *d, const uint32_t *indptr, uint32_t users, uint32_t key, uint32_t s, uint32_t *user)
{
    uint32_t item = 0, at = 0, n = 0;
    const uint32_t *own = d->col;
    for (uint32_t t = 0; t < PM_NEGATIVE_DRAWS; t++) {
        const pm_philox_block block = pm_philox(d->seed, s / 2, key, d->step, d->stream * 256u + t);
        *user = pm_scale_bits(block.v[s % 2 * 2], users);
        item = pm_scale_bits(block.v[s % 2 * 2 + 1], d->items);
        own = d->col + indptr[*user];
        n = indptr[*user + 1] - indptr[*user];
        at = pm_columns_below(own, n, item);
        if (at == n || own[at] != item) return item;
    }
    return pm_next_free(own, n, d->items, item, at);
}

// Columns 1 … count of a row, to id[1] … id[count].
static inline void pm_negatives_of_row(const pm_negatives *d, const uint32_t *own, uint32_t n, uint32_t key, uint32_t count, uint32_t *id)
{
    pm_philox_block block = { { 0 } };
    for (uint32_t s = 1; s <= count; s++) {
        if (s == 1 || s % 4 == 0) block = pm_philox(d->seed, s / 4, key, d->step, d->stream * 256u);
        id[s] = pm_negative(d, own, n, key, s, block.v[s % 4]);
    }
}

#endif
