// What a program may do before it uses the cpu device.
#ifndef PUMICE_CPU_H
#define PUMICE_CPU_H

#include <stdbool.h>

#include <pumice/api.h>

PM_API_BEGIN

// The value that the environment variable OPENBLAS_CORETYPE should have when the process starts, or NULL when all is well.
// OpenBLAS takes a processor that it does not know for an older one and then leaves its AVX-512 unused: its matrix products run
// at about half speed. It reads the variable as it is loaded, so a program sets it and executes itself again; the library only
// reports. NULL also where the variable is set already (someone chose), and in a build without OpenBLAS.
// The core type is part of a device's numerics profile: another one, other bits.
const char *pm_cpu_coretype_remedy(void);

PM_API_END
#endif
