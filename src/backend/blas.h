// What the OpenBLAS of this process is. Its core type is fixed when the library is loaded, before any of our code runs.
#ifndef PM_BLAS_H
#define PM_BLAS_H

#include <stdbool.h>
#include <stddef.h>

// The core type in use ("SkylakeX", "Haswell", "Zen"); "" without OpenBLAS.
const char *pm_blas_core(void);

// Writes "0.3.21", or the name OpenBLAS gives itself.
void pm_blas_version(char *text, size_t size);

// How many threads it would use now; 0 without OpenBLAS. The cpu device keeps it at 1.
int pm_blas_threads(void);

// The whole configuration line of OpenBLAS.
const char *pm_blas_config(void);

// What OPENBLAS_CORETYPE should be. wide: the processor has AVX-512; core, config: what OpenBLAS says of itself; asked: the
// variable as it stands, or NULL. NULL when there is nothing to do.
const char *pm_blas_remedy(bool wide, const char *core, const char *config, const char *asked);

#endif
