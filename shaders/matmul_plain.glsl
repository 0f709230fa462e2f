// One output an invocation: best on SwiftShader, whose registers spill early. Flags become strides, so that
// the inner loop has no branch.
void main()
{
    const uint a_by_m = p.ta != 0u ? 1u : p.a_stride, a_by_k = p.ta != 0u ? p.a_stride : 1u;
    const uint b_by_n = p.tb != 0u ? p.b_stride : 1u, b_by_k = p.tb != 0u ? 1u : p.b_stride;
    EACH(m, n, p.N) {
        float acc = sum_begin(m, n);
        uint at_a = p.a_off + m * a_by_m + p.win_lo * a_by_k, at_b = p.b_off + n * b_by_n + p.win_lo * b_by_k;
        for (uint k = p.win_lo; k < p.win_hi; k++) {
            acc += a_[at_a] * b_[at_b];
            at_a += a_by_k;
            at_b += b_by_k;
        }
        sum_end(m, n, acc);
    }
}
