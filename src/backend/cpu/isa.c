// Choosing the instruction set.
#include "backend/cpu/cpu.h"

#include <pumice/activation.h>

#include <stdio.h>
#include <stdlib.h>

int pm_cpu_isa_list(const pm_cpu_isa **list)
{
    int n = 0;
    list[n++] = &pm_cpu_isa_baseline;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) list[n++] = &pm_cpu_isa_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        list[n++] = &pm_cpu_isa_avx512;
#endif
    return n;
}

pm_status pm_cpu_isa_choose(const void *object, const pm_cpu_isa **out)
{
    const pm_cpu_isa *list[3];
    const int n = pm_cpu_isa_list(list);
    const char *asked = getenv("PUMICE_CPU_ISA");
    *out = list[n - 1];
    if (!asked || !asked[0]) return PM_OK;
    char known[64] = "";
    for (int i = 0; i < n; i++) {
        *out = list[i];
        if (pm_name_equal(list[i]->name, asked)) return PM_OK;
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", list[i]->name);
    }
    return pm_fail(object, PM_ERR_ARG, "PUMICE_CPU_ISA=%s: this processor has %s", asked, known);
}

pm_cpu_body *pm_cpu_activation(const pm_cpu_isa *isa, uint32_t act)
{
    switch (act) {
    case PM_ACT_TANH: return isa->tanh;
    case PM_ACT_SIGMOID: return isa->sigmoid;
    case PM_ACT_RELU: return isa->relu;
    default: return NULL;
    }
}
