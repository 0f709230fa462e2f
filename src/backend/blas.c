// OpenBLAS knows processors by model number. One newer than itself may be taken for an older kind, whose kernels leave
// AVX-512 unused at about half the speed.
#include "backend/blas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pumice/cpu.h>

#if PUMICE_HAVE_CPU
#include <cblas.h>

const char *pm_blas_core(void)
{
    return openblas_get_corename();
}

const char *pm_blas_config(void)
{
    return openblas_get_config();
}

int pm_blas_threads(void)
{
    return openblas_get_num_threads();
}
#else
int pm_blas_threads(void)
{
    return 0;
}

const char *pm_blas_core(void)
{
    return "";
}

const char *pm_blas_config(void)
{
    return "";
}
#endif

void pm_blas_version(char *text, size_t size)
{
    const char *config = pm_blas_config();
    const char *at = strstr(config, "OpenBLAS ");
    at = at ? at + 9 : config;
    snprintf(text, size, "%.*s", (int)strcspn(at, " "), at);
}

const char *pm_blas_remedy(bool wide, const char *core, const char *config, const char *asked)
{
    static const char *const wide_cores[] = { "SkylakeX", "Cooperlake", "SapphireRapids" };
    if (!wide || !core[0] || (asked && asked[0]) || !strstr(config, "DYNAMIC_ARCH")) return NULL;
    for (size_t i = 0; i < sizeof wide_cores / sizeof *wide_cores; i++)
        if (strcmp(core, wide_cores[i]) == 0) return NULL;
    return wide_cores[0];
}

const char *pm_cpu_coretype_remedy(void)
{
    bool wide = false;
#if defined(__x86_64__)
    __builtin_cpu_init();
    wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
#endif
    return pm_blas_remedy(wide, pm_blas_core(), pm_blas_config(), getenv("OPENBLAS_CORETYPE"));
}
