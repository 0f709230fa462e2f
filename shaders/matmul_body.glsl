// The body of an op of class MATMUL, in the variant that is being compiled. Each output is one sum, k ascending (a split product: one
// a part), whichever it is.
// An op that has no use for rows before m_end of columns from n0 on says so by PM_MATMUL_SKIP.
#ifndef PM_MATMUL_SKIP
#define PM_MATMUL_SKIP(m_end, n0) false
#endif
#include "matmul_sum.glsl"
#if defined(PM_VARIANT_BLOCK)
#include "matmul_block.glsl"
#elif defined(PM_VARIANT_PLAIN)
#include "matmul_plain.glsl"
#elif defined(PM_VARIANT_FOLD)
#include "matmul_fold.glsl"
#else
#include "matmul_tile.glsl"
#endif
