// Ops of one invocation an element, or a column: every loop strides over the whole grid, so any grid is right.
#ifndef PM_EACH_GLSL
#define PM_EACH_GLSL

layout(local_size_x_id = 0) in;

// What an invocation takes at a time: one element, or four in the variant "wide", which runs where rows begin and end at multiples of
// four. PM_OF(f, v) is f of each, PM_OF2(f, u, v) of each two; u and v are names, being taken apart.
#ifdef PM_VARIANT_WIDE
#define PM_WIDTH 4u
#define WIDE vec4
#define UWIDE uvec4
#define PM_OF(f, v) vec4(f((v).x), f((v).y), f((v).z), f((v).w))
#define PM_OF2(f, u, v) vec4(f((u).x, (v).x), f((u).y, (v).y), f((u).z, (v).z), f((u).w, (v).w))
#else
#define PM_WIDTH 1u
#define WIDE float
#define UWIDE uint
#define PM_OF(f, v) f(v)
#define PM_OF2(f, u, v) f(u, v)
#endif

#define PM_GRID (gl_NumWorkGroups.x * gl_WorkGroupSize.x)

// Every (i, j) of rows [p.lo, p.hi) and `cols` columns. One division an invocation: the step is added with carry.
#define EACH(i, j, cols)                                                                                                 \
    for (uint n_ = (p.hi - p.lo) * (cols), d_ = max(cols, 1u), e_ = gl_GlobalInvocationID.x, i = p.lo + e_ / d_, j = e_ % d_, \
              di_ = PM_GRID / d_, dj_ = PM_GRID % d_;                                                                     \
         e_ < n_; e_ += PM_GRID, i += di_, j += dj_, (j >= d_) ? (j -= d_, i += 1u) : 0u)

// The same, PM_WIDTH columns at a time.
#define EACH4(i, j, cols)                                                                                                \
    for (uint d_ = max((cols) / PM_WIDTH, 1u), n_ = (p.hi - p.lo) * ((cols) / PM_WIDTH), e_ = gl_GlobalInvocationID.x, i = p.lo + e_ / d_, \
              j = e_ % d_ * PM_WIDTH, di_ = PM_GRID / d_, dj_ = PM_GRID % d_ * PM_WIDTH;                                   \
         e_ < n_; e_ += PM_GRID, i += di_, j += dj_, (j >= (cols)) ? (j -= (cols), i += 1u) : 0u)

// Every item below n.
#define EACH_ITEM(e, n) for (uint e = gl_GlobalInvocationID.x; e < (n); e += PM_GRID)

#endif
