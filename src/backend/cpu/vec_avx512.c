// The bodies for AVX-512 (F, DQ, BW, VL).
#if defined(__x86_64__)
#define PM_CPU_ISA avx512
#include "backend/cpu/vec_kernels.inc"
#else
typedef int pm_no_avx512;    // a file must declare something
#endif
