// The bodies for any processor of the target.
#define PM_CPU_ISA baseline
#include "backend/cpu/vec_kernels.inc"
