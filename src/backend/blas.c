// OpenBLAS knows processors by model number, so one newer than itself is taken for an older kind: 0.3.21 runs its AVX2
// kernels on a Zen 5 that has AVX-512, at half the speed.
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
#else
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

const char *pm_cpu_coretype_remedy(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl");
    const char *core = pm_blas_core(), *asked = getenv("OPENBLAS_CORETYPE");
    if (!wide || !core[0] || (asked && asked[0]) || !strstr(pm_blas_config(), "DYNAMIC_ARCH")) return NULL;
    static const char *const wide_cores[] = { "SkylakeX", "Cooperlake", "SapphireRapids" };
    for (size_t i = 0; i < sizeof wide_cores / sizeof *wide_cores; i++)
        if (strcmp(core, wide_cores[i]) == 0) return NULL;
    return "SkylakeX";
#else
    return NULL;
#endif
}
