// Ops of one invocation an element, or a column: every loop strides over the whole grid, so any grid is right.
#ifndef PM_EACH_GLSL
#define PM_EACH_GLSL

layout(local_size_x_id = 0) in;

#define PM_GRID (gl_NumWorkGroups.x * gl_WorkGroupSize.x)

// Every (i, j) of rows [p.lo, p.hi) and `cols` columns. One division an invocation: the step is added with carry.
#define EACH(i, j, cols)                                                                                                 \
    for (uint n_ = (p.hi - p.lo) * (cols), d_ = max(cols, 1u), e_ = gl_GlobalInvocationID.x, i = p.lo + e_ / d_, j = e_ % d_, \
              di_ = PM_GRID / d_, dj_ = PM_GRID % d_;                                                                     \
         e_ < n_; e_ += PM_GRID, i += di_, j += dj_, (j >= d_) ? (j -= d_, i += 1u) : 0u)

// Every item below n.
#define EACH_ITEM(e, n) for (uint e = gl_GlobalInvocationID.x; e < (n); e += PM_GRID)

#endif
