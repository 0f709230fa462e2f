// Where a product meets the op that wants it. Each op of class MATMUL says, before the body, what becomes of a finished sum:
//     #define PM_MATMUL_STORE(m, n, sum) y(m, n) = sum
// It is said once for each output, after the last window over K. Between windows a sum waits in PM_MATMUL_WAIT(m, n): the op's
// output or, where the op has none of that shape, scratch that the backend binds (the generated prelude says which).
//
// A split product is summed in parts of p.part along K, each ascending from zero into scratch; the fold variant then adds the parts,
// ascending, and says the hook. Else there is one part, p.part = p.K.
#define PM_SPLIT (p.part < p.K)
#define PM_PARTS (PM_SPLIT ? (p.K + p.part - 1u) / p.part : 1u)
#define PM_SUM(part, m, n) sums_[((part) * (p.hi - p.lo) + (m) - p.lo) * p.N + (n)]

// What of K this dispatch adds to a part: [x, y). False when nothing.
bool sum_range(uint part, out uvec2 range)
{
    range = uvec2(max(part * p.part, p.win_lo), min(PM_SPLIT ? (part + 1u) * p.part : p.K, p.win_hi));
    return range.x < range.y || !PM_SPLIT;
}

// The sum so far: the windows before `from`.
float sum_begin(uint part, uint from, uint m, uint n)
{
    if (from == part * p.part) return 0.0;
    return PM_SPLIT ? PM_SUM(part, m, n) : PM_MATMUL_WAIT(m, n);
}

// Whether sums are finished after this dispatch; else they are kept.
#define PM_FINISHED (!PM_SPLIT && p.win_hi >= p.K)

void sum_keep(uint part, uint m, uint n, float sum)
{
    if (PM_SPLIT) PM_SUM(part, m, n) = sum;
    else PM_MATMUL_WAIT(m, n) = sum;
}

void sum_end(uint part, uint m, uint n, float sum)
{
    if (PM_FINISHED) {
        PM_MATMUL_STORE(m, n, sum);
    } else sum_keep(part, m, n, sum);
}
