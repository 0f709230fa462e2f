// Σ over the entries of a column, rows ascending; four are on their way at a time.
#define SPMM_T_LOAD(k) const float v##k = SPMM_T_VALUE(f + k); const WIDE d##k = dy4(trow(f + k), h);

WIDE spmm_t_sum(uint i, uint h)
{
    WIDE sum = WIDE(0.0);
    const uint to = tptr(i + 1u);
    uint f = tptr(i);
    for (; f + 4u <= to; f += 4u) {
        SPMM_T_LOAD(0) SPMM_T_LOAD(1) SPMM_T_LOAD(2) SPMM_T_LOAD(3)
        sum += v0 * d0;
        sum += v1 * d1;
        sum += v2 * d2;
        sum += v3 * d3;
    }
    for (; f < to; f++) sum += SPMM_T_VALUE(f) * dy4(trow(f), h);
    return sum;
}
