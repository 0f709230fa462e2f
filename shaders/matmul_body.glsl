// The body of an op of class MATMUL, in the variant that is being compiled. Each output is one sum, k ascending (a split product: one
// a part), whichever it is.
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
