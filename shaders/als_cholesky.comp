#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "als_cholesky.glsl"

// lanes: 64
// slots: PK
// A workgroup a row, its system in a slot of the scratch. The upper factor U comes PANEL rows at a time, each element as one sum over the
// entries of the row and the rows of U above, so that nothing but U is ever stored. Column K is the right side, kept in x. An
// invocation always has the same columns, so it alone reads back what it wrote; what others need passes through shared memory.
const uint PANEL = 16u, TILE = 32u;
shared float tile[TILE][PANEL], corner[PANEL][PANEL], least[PANEL], parts[512];
shared uint bad;

// How PANEL rows from j0 on of the system's column i begin.
float given(uint row, uint h, uint i, float ridge)
{
    if (h >= p.K || i > p.K) return 0.0;
    return i == p.K ? b(row, h) : gram(h, i) + (h == i ? ridge : 0.0);
}

// acc += v · row t of the tile.
void add(inout float acc[PANEL], float v, uint t)
{
    for (uint h = 0u; h < PANEL; h++) acc[h] += v * tile[t][h];
}

// acc += what the entries of the row add, in fours, the last filled up with weight 0.
void add_entries(uint j0, uint i, uint from, uint to, inout float acc[PANEL])
{
    for (uint e = from; e < to; e += TILE) {
        const uint n = min(TILE, to - e);
        barrier();
        EACH_COL(s, TILE * PANEL) {
            const uint t = s / PANEL, h = j0 + s % PANEL;
            tile[t][s % PANEL] = t < n && h < p.K ? y(col(e + t), h) : 0.0;
        }
        barrier();
        for (uint t = 0u; t < n && i >= j0 && i < p.K; t += 4u) {
            const uint e0 = e + t, e1 = min(e0 + 1u, to - 1u), e2 = min(e0 + 2u, to - 1u), e3 = min(e0 + 3u, to - 1u);
            const float v0 = c(e0) * y(col(e0), i), v1 = c(e1) * y(col(e1), i), v2 = c(e2) * y(col(e2), i), v3 = c(e3) * y(col(e3), i);
            add(acc, v0, t);
            add(acc, v1, t + 1u);
            add(acc, v2, t + 2u);
            add(acc, v3, t + 3u);
        }
    }
}

float above(uint row, uint base, uint k, uint i)
{
    return i == p.K ? x(row, k) : a(base + k, i);
}

// acc −= what the rows of U above take; there are a multiple of PANEL of them.
void take_above(uint row, uint base, uint j0, uint i, inout float acc[PANEL])
{
    for (uint k = 0u; k < j0; k += PANEL) {
        barrier();
        EACH_COL(s, PANEL * PANEL) {
            const uint h = j0 + s % PANEL;
            tile[s / PANEL][s % PANEL] = h < p.K ? a(base + k + s / PANEL, h) : 0.0;
        }
        barrier();
        for (uint t = 0u; t < PANEL && i >= j0 && i <= p.K; t += 4u) {
            const float v0 = above(row, base, k + t, i), v1 = above(row, base, k + t + 1u, i), v2 = above(row, base, k + t + 2u, i),
                        v3 = above(row, base, k + t + 3u, i);
            add(acc, -v0, t);
            add(acc, -v1, t + 1u);
            add(acc, -v2, t + 2u);
            add(acc, -v3, t + 3u);
        }
    }
}

// The upper factor of the corner, in place. A pivot that is not above its least is noted.
void factor_corner(uint size)
{
    for (uint h = 0u; h < size; h++) {
        barrier();
        const float pivot = corner[h][h], root = sqrt(pivot), inverse = pm_div(1.0, root);
        barrier();
        if (!(pivot > least[h]) && gl_LocalInvocationID.x == 0u) bad = 1u;
        EACH_COL(i, size) if (i >= h) corner[h][i] = i == h ? root : corner[h][i] * inverse;
        barrier();
        EACH_COL(s, PANEL * PANEL) {
            const uint k = s / PANEL, i = s % PANEL;
            if (k > h && i >= k && i < size) corner[k][i] -= corner[h][k] * corner[h][i];
        }
    }
    barrier();
}

// acc[n]: an index that is known when compiling keeps the array in registers.
float diagonal_of(float acc[PANEL], uint n)
{
    float v = 0.0;
    for (uint h = 0u; h < PANEL; h++) v = h == n ? acc[h] : v;
    return v;
}

void panel(uint row, uint base, uint j0, uint from, uint to, float ridge)
{
    const uint size = min(PANEL, p.K - j0), step = gl_WorkGroupSize.x;
    for (uint first = j0 / step * step, i0 = first; i0 <= p.K; i0 += step) {
        const uint i = i0 + gl_LocalInvocationID.x;
        const bool in_corner = i >= j0 && i < j0 + size;
        float acc[PANEL];
        for (uint h = 0u; h < PANEL; h++) acc[h] = given(row, j0 + h, i, ridge);
        add_entries(j0, i, from, to, acc);
        if (in_corner) least[i - j0] = diagonal_of(acc, i - j0) * (1.0 / 262144.0);
        take_above(row, base, j0, i, acc);
        if (i0 == first) {
            barrier();
            if (in_corner)
                for (uint h = 0u; h < PANEL; h++) corner[h][i - j0] = acc[h];
            factor_corner(size);
        }
        if (in_corner)
            for (uint h = 0u; h <= i - j0; h++) a(base + j0 + h, i) = corner[h][i - j0];
        if (i >= j0 + size && i <= p.K)
            for (uint h = 0u; h < size; h++) {
                float v = acc[h];
                for (uint k = 0u; k < h; k++) v -= corner[k][h] * acc[k];
                acc[h] = pm_div(v, corner[h][h]);
                if (i == p.K) x(row, j0 + h) = acc[h];
                else a(base + j0 + h, i) = acc[h];
            }
    }
    memoryBarrierBuffer();
    barrier();
}

// U · x = what x holds, PANEL rows at a time from below.
void substitute(uint row, uint base)
{
    const uint each = gl_WorkGroupSize.x / PANEL, mine = gl_LocalInvocationID.x / each, member = gl_LocalInvocationID.x % each;
    for (uint end = (p.K + PANEL - 1u) / PANEL; end > 0u; end--) {
        const uint j0 = (end - 1u) * PANEL, size = min(PANEL, p.K - j0);
        float sum = 0.0;
        if (mine < size)
            for (uint i = j0 + size + member; i < p.K; i += each) sum += a(base + j0 + mine, i) * x(row, i);
        parts[gl_LocalInvocationID.x] = sum;
        EACH_COL(s, size * PANEL) {
            const uint h = s / PANEL, i = s % PANEL;
            if (i >= h && i < size) corner[h][i] = a(base + j0 + h, j0 + i);
        }
        barrier();
        if (gl_LocalInvocationID.x == 0u)
            for (uint h = size; h > 0u; h--) {
                float v = x(row, j0 + h - 1u);
                for (uint m = 0u; m < each; m++) v -= parts[(h - 1u) * each + m];
                for (uint i = h; i < size; i++) v -= corner[h - 1u][i] * x(row, j0 + i);
                x(row, j0 + h - 1u) = pm_div(v, corner[h - 1u][h - 1u]);
            }
        memoryBarrierBuffer();
        barrier();
    }
}

void main()
{
    const uint base = gl_WorkGroupID.x * p.K;
    EACH_ROW(row) {
        const uint from = ptr(row), to = ptr(row + 1u);
        const float ridge = p.by_count != 0u ? p.ridge * float(to - from) : p.ridge;
        if (from == to) {
            EACH_COL(k, p.K) x(row, k) = 0.0;
            continue;
        }
        if (gl_LocalInvocationID.x == 0u) bad = 0u;
        for (uint j0 = 0u; j0 < p.K; j0 += PANEL) panel(row, base, j0, from, to, ridge);
        if (bad == 0u) substitute(row, base);
        else EACH_COL(k, p.K) x(row, k) = uintBitsToFloat(0x7FC00000u);
        memoryBarrierBuffer();
        barrier();
    }
}
