// Σ over the entries of a row, ascending, in this window of w. Entries lie one after the other and w's rows anywhere: eight are on
// their way at a time, so that a long row does not wait for each. What lies outside the window is loaded from inside it, and not added.
#define SPMM_LOAD(k)                                                                                                     \
    const uint i##k = col(e + k);                                                                                        \
    const bool in##k = i##k >= p.win_lo && i##k < p.win_hi;                                                              \
    const float v##k = val(e + k);                                                                                       \
    const WIDE w##k = w4(in##k ? i##k : p.win_lo, h);
#define SPMM_ADD(k) sum = in##k ? sum + v##k * w##k : sum;

WIDE spmm_sum(uint b, uint h, WIDE sum)
{
    const uint to = ptr(b + 1u);
    uint e = ptr(b);
    for (; e + 8u <= to; e += 8u) {
        SPMM_LOAD(0) SPMM_LOAD(1) SPMM_LOAD(2) SPMM_LOAD(3) SPMM_LOAD(4) SPMM_LOAD(5) SPMM_LOAD(6) SPMM_LOAD(7)
        SPMM_ADD(0) SPMM_ADD(1) SPMM_ADD(2) SPMM_ADD(3) SPMM_ADD(4) SPMM_ADD(5) SPMM_ADD(6) SPMM_ADD(7)
    }
    for (; e < to; e++) {
        const uint i = col(e);
        if (i >= p.win_lo && i < p.win_hi) sum += val(e) * w4(i, h);
    }
    return sum;
}
