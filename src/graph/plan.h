// The memory plan: which nodes live, how long each value does, and where in the arena it lies.
#ifndef PM_MEMORY_PLAN_H
#define PM_MEMORY_PLAN_H

#include "graph/internal.h"

typedef struct pm_lifetime {
    int     first, last;    // node indices, among all nodes; first < 0: needs no place
    int64_t size, offset;
    int32_t slot;           // the value whose place it takes (itself, or the one it overwrites)
} pm_lifetime;

typedef struct pm_memory_plan {
    bool        *alive;    // [node_count]
    pm_lifetime *life;     // [value_count], of roots in the arena
    int64_t      arena, live_peak;
} pm_memory_plan;

// Which nodes live; memory for the work hangs from parent.
pm_status pm_plan_alive(const void *parent, const pm_graph *g, bool *alive);

// The plan hangs from parent.
pm_status pm_plan_memory(const void *parent, const pm_graph *g, pm_memory_plan **out);

#endif
