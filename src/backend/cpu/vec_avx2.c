// The bodies for AVX2.
#if defined(__x86_64__)
#define PM_CPU_ISA avx2
#include "backend/cpu/vec_kernels.inc"
#else
typedef int pm_no_avx2;    // a file must declare something
#endif
