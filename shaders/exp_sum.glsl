// The largest value of a row and Σ exp(v − largest), in one pass over it. PM_ROW(i, j): what an invocation reads at a time.
// The sum is kept against a reference that follows the largest so far only when that is far above it: then terms stay below
// exp(8), and rows in ascending order do not pile up roundings.
float exp_sum(uint i, uint n, out float largest)
{
    float most = -3.4e38, top = -3.4e38, sum = 0.0;
    EACH_COL4(j, n) {
        const WIDE v = PM_ROW(i, j);
        most = max(most, PM_MOST(v));
        if (most > top + 8.0) {
            sum *= pm_exp(top - most);
            top = most;
        }
        const WIDE d = v - top, e = PM_OF(pm_exp, d);
        sum += PM_SUM(e);
    }
    largest = group_max(most);
    return group_sum(sum * pm_exp(top - largest));
}
