// Where a product meets the op that wants it. Each op of class MATMUL says, before the body, what becomes of a finished sum:
//     #define PM_MATMUL_STORE(m, n, sum) y(m, n) = sum
// It is said once for each output, after the last window over K. Between windows a sum waits in PM_MATMUL_WAIT(m, n): the op's
// output or, where the op has none of that shape, scratch that the backend binds (the generated prelude says which).
float sum_begin(uint m, uint n)
{
    return p.win_lo != 0u ? PM_MATMUL_WAIT(m, n) : 0.0;
}

void sum_end(uint m, uint n, float sum)
{
    if (p.win_hi < p.K) PM_MATMUL_WAIT(m, n) = sum;
    else {
        PM_MATMUL_STORE(m, n, sum);
    }
}
