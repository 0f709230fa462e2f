// For GPUs: a workgroup computes tiles of BM×BN outputs, an invocation TM×TN of them in registers. Tiles of a and b, BK deep, go from
// memory into registers while the tile before is multiplied, then into the other half of shared memory: one barrier a step.
// docs/vulkan.md has the figures of each configuration.
layout(constant_id = 2) const uint BM = 64u;
layout(constant_id = 3) const uint BN = 64u;
layout(constant_id = 4) const uint BK = 8u;
layout(constant_id = 5) const uint TM = 8u;
layout(constant_id = 6) const uint TN = 8u;

const uint LANES_X = BN / TN, LANES_Y = BM / TM, INVOCATIONS = LANES_X * LANES_Y;
const uint ROW_A = BM / 4u + 1u, ROW_B = BN / 4u + 1u;    // of shared memory, in vec4; one more, against bank conflicts
const uint LOADS_A = BM * BK / 4u / INVOCATIONS, LOADS_B = BN * BK / 4u / INVOCATIONS;
const uint HALF = BK * (ROW_A + ROW_B), AT_B = BK * ROW_A;

// Two halves, each a tile of a and one of b, k by k: tile[k * ROW + m / 4][m % 4]. At the end sums pass through it on their way out.
shared vec4 tile[2u * HALF];

// A quarter of the invocations' way through a tile: four elements along the dimension that is contiguous in memory.
struct quad {
    uint at, k;    // where it lies, at k = 0; its first k within the tile
    uint cross;    // how many elements are inside m or n, at most 4; along k: 0 or 4
};

quad quad_of(uint e, bool along_k, uint size, uint first, uint end, uint off, uint stride)
{
    const uint x = along_k ? e / (BK / 4u) : e % (size / 4u) * 4u, k = along_k ? e % (BK / 4u) * 4u : e / (size / 4u);
    const uint left = first + x < end ? end - first - x : 0u;
    return quad(along_k ? off + (first + x) * stride + k : off + k * stride + first + x, k, along_k ? min(left, 1u) * 4u : min(left, 4u));
}

uint inside(quad q, bool along_k, uint k0, uint end)
{
    const uint k = k0 + q.k;
    return k >= end ? 0u : along_k ? min(q.cross, end - k) : q.cross;
}

// `wide`, the same for all: whole vectors are aligned.
vec4 fetch_a(uint at, uint count, bool wide)
{
    if (count >= 4u && wide) return a4_[at / 4u];
    return vec4(count > 0u ? a_[at] : 0.0, count > 1u ? a_[at + 1u] : 0.0, count > 2u ? a_[at + 2u] : 0.0, count > 3u ? a_[at + 3u] : 0.0);
}

vec4 fetch_b(uint at, uint count, bool wide)
{
    if (count >= 4u && wide) return b4_[at / 4u];
    return vec4(count > 0u ? b_[at] : 0.0, count > 1u ? b_[at + 1u] : 0.0, count > 2u ? b_[at + 2u] : 0.0, count > 3u ? b_[at + 3u] : 0.0);
}

// A quad along k lies across four rows of the tile.
void keep(uint base, uint row, uint e, bool along_k, uint size, vec4 v)
{
    if (!along_k) {
        tile[base + e / (size / 4u) * row + e % (size / 4u)] = v;
        return;
    }
    const uint x = e / (BK / 4u), at = base + e % (BK / 4u) * 4u * row + x / 4u;
    for (uint i = 0u; i < 4u; i++) tile[at + i * row][x % 4u] = v[i];
}

void product(uint part, uvec2 range, uint m0, uint n0)
{
    // 8×4 neighbours side by side: a subgroup reads few words of shared memory, and whole lines of the result.
    const uint l = gl_LocalInvocationID.x, ly = l / 8u % 4u + l / (4u * LANES_X) * 4u, lx = l % 8u + l / 32u % (LANES_X / 8u) * 8u;
    const bool a_along_k = p.ta == 0u, b_along_k = p.tb != 0u;
    const bool a_wide = PM_NARROW == 0u && ((p.a_off + (a_along_k ? range.x : p.lo) | p.a_stride) & 3u) == 0u;
    const bool b_wide = PM_NARROW == 0u && ((p.b_off + (b_along_k ? range.x : 0u) | p.b_stride) & 3u) == 0u;
    const uint a_by_k = a_along_k ? 1u : p.a_stride, b_by_k = b_along_k ? 1u : p.b_stride;
    quad quad_a[LOADS_A], quad_b[LOADS_B];
    vec4 next_a[LOADS_A], next_b[LOADS_B], acc[TM * TN / 4u];

    [[unroll]] for (uint i = 0u; i < LOADS_A; i++) {
        quad_a[i] = quad_of(l + i * INVOCATIONS, a_along_k, BM, m0, p.hi, p.a_off, p.a_stride);
        next_a[i] = fetch_a(quad_a[i].at + range.x * a_by_k, inside(quad_a[i], a_along_k, range.x, range.y), a_wide);
        keep(0u, ROW_A, l + i * INVOCATIONS, a_along_k, BM, next_a[i]);
    }
    [[unroll]] for (uint i = 0u; i < LOADS_B; i++) {
        quad_b[i] = quad_of(l + i * INVOCATIONS, b_along_k, BN, n0, p.N, p.b_off, p.b_stride);
        next_b[i] = fetch_b(quad_b[i].at + range.x * b_by_k, inside(quad_b[i], b_along_k, range.x, range.y), b_wide);
        keep(AT_B, ROW_B, l + i * INVOCATIONS, b_along_k, BN, next_b[i]);
    }
    [[unroll]] for (uint r = 0u; r < TM; r++)
        [[unroll]] for (uint c = 0u; c < TN / 4u; c++) {
            const uint m = m0 + (ly + r / 4u * LANES_Y) * 4u + r % 4u, n = n0 + (lx + c * LANES_X) * 4u;
            [[unroll]] for (uint i = 0u; i < 4u; i++)
                acc[r * (TN / 4u) + c][i] = m < p.hi && n + i < p.N ? sum_begin(part, range.x, m, n + i) : 0.0;
        }
    barrier();

    uint now = 0u;
    for (uint k0 = range.x; k0 < range.y; k0 += BK) {
        const bool more = k0 + BK < range.y;
        if (more) {
            const uint k = k0 + BK;
            [[unroll]] for (uint i = 0u; i < LOADS_A; i++)
                next_a[i] = fetch_a(quad_a[i].at + k * a_by_k, inside(quad_a[i], a_along_k, k, range.y), a_wide);
            [[unroll]] for (uint i = 0u; i < LOADS_B; i++)
                next_b[i] = fetch_b(quad_b[i].at + k * b_by_k, inside(quad_b[i], b_along_k, k, range.y), b_wide);
        }
        // Past the end of K both tiles are zero, which leaves the sums as they are.
        for (uint k4 = 0u; k4 < BK; k4 += 4u)
            [[unroll]] for (uint k = k4; k < k4 + 4u; k++) {
                vec4 row[TM / 4u], col[TN / 4u];
                [[unroll]] for (uint r = 0u; r < TM / 4u; r++) row[r] = tile[now + k * ROW_A + ly + r * LANES_Y];
                [[unroll]] for (uint c = 0u; c < TN / 4u; c++) col[c] = tile[now + AT_B + k * ROW_B + lx + c * LANES_X];
                [[unroll]] for (uint r = 0u; r < TM; r++)
                    [[unroll]] for (uint c = 0u; c < TN / 4u; c++) acc[r * (TN / 4u) + c] += row[r / 4u][r % 4u] * col[c];
            }
        now = HALF - now;
        if (more) {
            [[unroll]] for (uint i = 0u; i < LOADS_A; i++) keep(now, ROW_A, l + i * INVOCATIONS, a_along_k, BM, next_a[i]);
            [[unroll]] for (uint i = 0u; i < LOADS_B; i++) keep(now + AT_B, ROW_B, l + i * INVOCATIONS, b_along_k, BN, next_b[i]);
        }
        barrier();
    }

    // Out through shared memory, LANES_Y rows at a time: neighbours then write neighbouring words.
    [[unroll]] for (uint r = 0u; r < TM; r++) {
        [[unroll]] for (uint c = 0u; c < TN / 4u; c++) tile[ly * (BN / 4u) + lx + c * LANES_X] = acc[r * (TN / 4u) + c];
        barrier();
        for (uint e = l; e < LANES_Y * BN; e += INVOCATIONS) {
            const uint m = m0 + (e / BN + r / 4u * LANES_Y) * 4u + r % 4u, n = n0 + e % BN;
            if (m < p.hi && n < p.N) sum_end(part, m, n, tile[e / 4u][e % 4u]);
        }
        barrier();
    }
}

// Tiles in bands of eight rows, column by column: what is in flight together shares rows of a and columns of b in the cache.
void main()
{
    const uint across = (p.N + BN - 1u) / BN, down = (p.hi - p.lo + BM - 1u) / BM, tiles = across * down;
    for (uint t = gl_WorkGroupID.x; t < tiles * PM_PARTS; t += gl_NumWorkGroups.x) {
        const uint part = t / tiles, at = t % tiles, band = at / (8u * across) * 8u, height = min(8u, down - band), in_band = at - band * across;
        uvec2 range;
        const uint m0 = p.lo + (band + in_band % height) * BM, n0 = in_band / height * BN;
        if (PM_MATMUL_SKIP(m0 + BM, n0)) continue;
        if (sum_range(part, range)) product(part, range, m0, n0);
    }
}
