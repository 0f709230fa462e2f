// 8×8 outputs an invocation in registers, no shared memory: twice as fast as tiles on lavapipe. Flags become strides, so that the
// inner loop has no branch.
const uint BLOCK = 8u;

void block(uint part, uvec2 range, uint m0, uint n0)
{
    const uint a_by_m = p.ta != 0u ? 1u : p.a_stride, a_by_k = p.ta != 0u ? p.a_stride : 1u;
    const uint b_by_n = p.tb != 0u ? p.b_stride : 1u, b_by_k = p.tb != 0u ? 1u : p.b_stride;
    const bool fresh = range.x == part * p.part;
    float acc[BLOCK][BLOCK];
    uint at_a[BLOCK], at_b[BLOCK];
    for (uint r = 0u; r < BLOCK; r++) {    // past the edge the last one is computed again and not stored
        const uint m = min(m0 + r, p.hi - 1u), n = min(n0 + r, p.N - 1u);
        at_a[r] = p.a_off + m * a_by_m + range.x * a_by_k;
        at_b[r] = p.b_off + n * b_by_n + range.x * b_by_k;
        for (uint c = 0u; c < BLOCK; c++) acc[r][c] = fresh ? 0.0 : sum_begin(part, range.x, m, min(n0 + c, p.N - 1u));
    }
    for (uint k = range.x; k < range.y; k++) {
        float row[BLOCK], col[BLOCK];
        for (uint r = 0u; r < BLOCK; r++) {
            row[r] = a_[at_a[r]];
            col[r] = b_[at_b[r]];
            at_a[r] += a_by_k;
            at_b[r] += b_by_k;
        }
        for (uint r = 0u; r < BLOCK; r++)
            for (uint c = 0u; c < BLOCK; c++) acc[r][c] += row[r] * col[c];
    }
    if (PM_FINISHED) {
        for (uint r = 0u; r < BLOCK; r++)
            for (uint c = 0u; c < BLOCK; c++)
                if (m0 + r < p.hi && n0 + c < p.N) {
                    PM_MATMUL_STORE(m0 + r, n0 + c, acc[r][c]);
                }
    } else {
        for (uint r = 0u; r < BLOCK; r++)
            for (uint c = 0u; c < BLOCK; c++)
                if (m0 + r < p.hi && n0 + c < p.N) sum_keep(part, m0 + r, n0 + c, acc[r][c]);
    }
}

void main()
{
    const uint across = (p.N + BLOCK - 1u) / BLOCK, blocks = across * ((p.hi - p.lo + BLOCK - 1u) / BLOCK);
    EACH_ITEM(t, blocks * PM_PARTS) {
        uvec2 range;
        const uint m0 = p.lo + t % blocks / across * BLOCK, n0 = t % blocks % across * BLOCK;
        if (PM_MATMUL_SKIP(m0 + BLOCK, n0)) continue;
        if (sum_range(t / blocks, range)) block(t / blocks, range, m0, n0);
    }
}
