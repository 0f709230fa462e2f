// What the OpenBLAS of this process is. Its core type is fixed when the library is loaded, before any of our code runs.
#ifndef PM_BLAS_H
#define PM_BLAS_H

#include <stddef.h>

// The core type in use ("SkylakeX", "Haswell", "Zen"); "" without OpenBLAS.
const char *pm_blas_core(void);

// Writes "0.3.21", or the name OpenBLAS gives itself.
void pm_blas_version(char *text, size_t size);

// The whole configuration line of OpenBLAS.
const char *pm_blas_config(void);

#endif
