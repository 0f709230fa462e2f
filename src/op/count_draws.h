// How a row of draw_counts turns random words into counts: the same on every backend, so in integers alone. shaders/draw_counts.comp does the same.
#ifndef PM_COUNT_DRAWS_H
#define PM_COUNT_DRAWS_H

#include <stdint.h>

enum {
    PM_COUNT_ATTEMPTS = 8,    // Poisson rows tried before all is drawn one by one
    PM_COUNT_SINGLE = 255     // the attempt whose words the single draws take: two a draw, from blocks 0, 1, … of the row
};

// The number of entries of table[0 … n − 1], which ascend, that the word reaches.
static inline uint32_t pm_count_reached(const uint32_t *table, uint32_t n, uint32_t word)
{
    uint32_t lo = 0;
    while (n > 0) {
        const uint32_t half = n / 2, above = table[lo + half] <= word;
        lo += above * (half + 1);
        n = above ? n - half - 1 : half;
    }
    return lo;
}

static inline uint32_t pm_count_item(uint32_t items, uint32_t u)
{
    return (uint32_t)((uint64_t)u * items >> 32);
}

#endif
