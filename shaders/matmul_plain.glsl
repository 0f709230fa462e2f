// One output an invocation: best on SwiftShader, whose registers spill early. Flags become strides, so that the inner loop has no
// branch.
void main()
{
    const uint a_by_m = p.ta != 0u ? 1u : p.a_stride, a_by_k = p.ta != 0u ? p.a_stride : 1u;
    const uint b_by_n = p.tb != 0u ? p.b_stride : 1u, b_by_k = p.tb != 0u ? 1u : p.b_stride;
    for (uint part = 0u; part < PM_PARTS; part++) {
        uvec2 range;
        if (!sum_range(part, range)) continue;
        EACH(m, n, p.N) {
            float acc = sum_begin(part, range.x, m, n);
            uint at_a = p.a_off + m * a_by_m + range.x * a_by_k, at_b = p.b_off + n * b_by_n + range.x * b_by_k;
            for (uint k = range.x; k < range.y; k++) {
                acc += a_[at_a] * b_[at_b];
                at_a += a_by_k;
                at_b += b_by_k;
            }
            sum_end(part, m, n, acc);
        }
    }
}
