#include "core/parallel.h"

#include <omp.h>

void pm_parallel_for(int threads, int64_t n, int64_t grain, pm_parallel_fn fn, void *arg)
{
    const int64_t pieces = (n + grain - 1) / grain;
    if (threads <= 1 || pieces <= 1) {
        for (int64_t p = 0; p < pieces; p++) fn(arg, p * grain, PM_MIN(n, (p + 1) * grain));
        return;
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (int64_t p = 0; p < pieces; p++) fn(arg, p * grain, PM_MIN(n, (p + 1) * grain));
}

int pm_thread_index(void)
{
    return omp_get_thread_num();
}
