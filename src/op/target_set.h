// Which columns without an entry a target set takes: the same on every backend, so in integers alone. shaders/target.glsl does the same.
#ifndef PM_TARGET_SET_H
#define PM_TARGET_SET_H

#include <stdint.h>

enum { PM_TARGET_ALL = 1 << 24 };    // the threshold that takes every column

// A column is taken when the 24 high bits of its random word lie below this. size: columns of the set, entries included.
static inline uint32_t pm_target_threshold(uint32_t size, uint32_t entries, uint32_t items)
{
    if (size >= items) return PM_TARGET_ALL;
    if (size <= entries) return 0;
    const uint64_t wanted = size - entries, others = items - entries;
    return (uint32_t)((wanted << 24) / others);
}

#endif
