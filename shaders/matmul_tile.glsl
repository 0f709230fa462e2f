// Tiles in shared memory, 4×4 outputs an invocation: for GPUs.
const uint LANES_X = 16u, BLOCK_N = 64u, BLOCK_K = 16u;
shared float tile_a[BLOCK_K][65], tile_b[BLOCK_K][65];

// Consecutive invocations read consecutive words, whichever way an operand is stored.
void load_tiles(uint m0, uint n0, uint k0, uint block_m)
{
    const uint a_by_m = p.ta != 0u ? 1u : p.a_stride, a_by_k = p.ta != 0u ? p.a_stride : 1u;
    const uint b_by_n = p.tb != 0u ? p.b_stride : 1u, b_by_k = p.tb != 0u ? 1u : p.b_stride;
    for (uint e = gl_LocalInvocationID.x; e < block_m * BLOCK_K; e += gl_WorkGroupSize.x) {
        const uint m = p.ta != 0u ? e % block_m : e / BLOCK_K, k = p.ta != 0u ? e / block_m : e % BLOCK_K;
        const bool inside = m0 + m < p.hi && k0 + k < p.win_hi;
        tile_a[k][m] = inside ? a_[p.a_off + (m0 + m) * a_by_m + (k0 + k) * a_by_k] : 0.0;
    }
    for (uint e = gl_LocalInvocationID.x; e < BLOCK_N * BLOCK_K; e += gl_WorkGroupSize.x) {
        const uint n = p.tb != 0u ? e / BLOCK_K : e % BLOCK_N, k = p.tb != 0u ? e % BLOCK_K : e / BLOCK_N;
        const bool inside = n0 + n < p.N && k0 + k < p.win_hi;
        tile_b[k][n] = inside ? b_[p.b_off + (n0 + n) * b_by_n + (k0 + k) * b_by_k] : 0.0;
    }
}

void block(uint m0, uint n0, uint lanes_y)
{
    const uint lx = gl_LocalInvocationID.x % LANES_X, ly = gl_LocalInvocationID.x / LANES_X;
    float acc[4][4];
    for (uint r = 0u; r < 4u; r++)
        for (uint c = 0u; c < 4u; c++) {
            const uint m = m0 + ly + r * lanes_y, n = n0 + lx + c * LANES_X;
            acc[r][c] = m < p.hi && n < p.N ? sum_begin(m, n) : 0.0;
        }
    for (uint k0 = p.win_lo; k0 < p.win_hi; k0 += BLOCK_K) {
        load_tiles(m0, n0, k0, 4u * lanes_y);
        barrier();
        const uint depth = min(BLOCK_K, p.win_hi - k0);
        for (uint k = 0u; k < depth; k++) {
            float row[4], col[4];
            for (uint r = 0u; r < 4u; r++) row[r] = tile_a[k][ly + r * lanes_y];
            for (uint c = 0u; c < 4u; c++) col[c] = tile_b[k][lx + c * LANES_X];
            for (uint r = 0u; r < 4u; r++)
                for (uint c = 0u; c < 4u; c++) acc[r][c] += row[r] * col[c];
        }
        barrier();
    }
    for (uint r = 0u; r < 4u; r++)
        for (uint c = 0u; c < 4u; c++) {
            const uint m = m0 + ly + r * lanes_y, n = n0 + lx + c * LANES_X;
            if (m < p.hi && n < p.N) sum_end(m, n, acc[r][c]);
        }
}

void main()
{
    const uint lanes_y = gl_WorkGroupSize.x / LANES_X, block_m = 4u * lanes_y;
    const uint across = (p.N + BLOCK_N - 1u) / BLOCK_N, down = (p.hi - p.lo + block_m - 1u) / block_m;
    for (uint t = gl_WorkGroupID.x; t < across * down; t += gl_NumWorkGroups.x)
        block(p.lo + t / across * block_m, t % across * BLOCK_N, lanes_y);
}
