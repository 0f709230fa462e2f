// The parallel-for: OpenMP is the one thread pool. Pieces depend on n and grain alone, never on the thread count, and a body
// writes only what belongs to its piece: so results cannot depend on the number of threads.
#ifndef PM_PARALLEL_H
#define PM_PARALLEL_H

#include "core/core.h"

typedef void (*pm_parallel_fn)(void *arg, int64_t begin, int64_t end);

// Calls fn for pieces of [0, n) of `grain` each (the last may be shorter), on `threads` threads. grain >= 1.
void pm_parallel_for(int threads, int64_t n, int64_t grain, pm_parallel_fn fn, void *arg);

// Which of the threads of a pm_parallel_for runs this: 0 … threads − 1.
int pm_thread_index(void);

#endif
