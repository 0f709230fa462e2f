#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "als_cg.glsl"

// lanes: 64
// most: K512
// An invocation has columns of its own of x, the residual r and q = A·d; the direction d is read by all.
const uint MOST = 512u, CHUNK = 32u, TEAM = 8u;
shared float r[MOST], d[MOST], q[MOST], part[CHUNK * TEAM], weight[CHUNK];

// weight[t] = c · (y of entry t · d) for n entries from e on, TEAM invocations an entry; 0 past them. Sums go four terms at a time, as all
// loops here do: loads are under way together, and a software driver that counts iterations (lavapipe stops at 65,535) gets further.
void weigh(uint e, uint n)
{
    const uint member = gl_LocalInvocationID.x % TEAM, teams = gl_WorkGroupSize.x / TEAM;
    barrier();    // the last weights have been read
    for (uint t = gl_LocalInvocationID.x / TEAM; t < n; t += teams) {
        const uint i = col(e + t);
        float sum = 0.0;
        uint k = member;
        for (; k + 3u * TEAM < p.K; k += 4u * TEAM)
            sum = (((sum + y(i, k) * d[k]) + y(i, k + TEAM) * d[k + TEAM]) + y(i, k + 2u * TEAM) * d[k + 2u * TEAM]) +
                  y(i, k + 3u * TEAM) * d[k + 3u * TEAM];
        for (; k < p.K; k += TEAM) sum += y(i, k) * d[k];
        part[t * TEAM + member] = sum;
    }
    barrier();
    EACH_COL(t, CHUNK) {
        float sum = 0.0;
        for (uint m = 0u; m < TEAM && t < n; m++) sum += part[t * TEAM + m];
        weight[t] = t < n ? sum * c(e + t) : 0.0;
    }
    barrier();
}

// q = A · d.
void apply(uint from, uint to, float ridge)
{
    barrier();    // d has been written
    EACH_COL(k, p.K) {
        float sum = ridge * d[k];
        uint h = 0u;
        for (; h + 4u <= p.K; h += 4u)
            sum = (((sum + gram(h, k) * d[h]) + gram(h + 1u, k) * d[h + 1u]) + gram(h + 2u, k) * d[h + 2u]) + gram(h + 3u, k) * d[h + 3u];
        for (; h < p.K; h++) sum += gram(h, k) * d[h];
        q[k] = sum;
    }
    for (uint e = from; e < to; e += CHUNK) {
        const uint n = min(CHUNK, to - e);
        weigh(e, n);
        EACH_COL(k, p.K) {
            float sum = q[k];
            for (uint t = 0u; t < n; t += 4u) {
                const uint last = to - 1u, i0 = col(e + t), i1 = col(min(e + t + 1u, last)), i2 = col(min(e + t + 2u, last)),
                           i3 = col(min(e + t + 3u, last));
                sum = (((sum + weight[t] * y(i0, k)) + weight[t + 1u] * y(i1, k)) + weight[t + 2u] * y(i2, k)) + weight[t + 3u] * y(i3, k);
            }
            q[k] = sum;
        }
    }
    barrier();    // d may be written
}

float residual_square()
{
    float sum = 0.0;
    EACH_COL(k, p.K) sum += r[k] * r[k];
    return group_sum(sum);
}

void solve(uint row, uint from, uint to)
{
    const float ridge = p.by_count != 0u ? p.ridge * float(to - from) : p.ridge;
    EACH_COL(k, p.K) d[k] = x0(row, k);
    apply(from, to, ridge);
    EACH_COL(k, p.K) {
        x(row, k) = d[k];
        r[k] = b(row, k) - q[k];
        d[k] = r[k];
    }
    float square = residual_square();
    for (uint step = 0u; step < p.iterations && square > 0.0; step++) {
        apply(from, to, ridge);
        float curvature = 0.0;
        EACH_COL(k, p.K) curvature += d[k] * q[k];
        curvature = group_sum(curvature);
        if (!(curvature > 0.0)) break;
        const float alpha = pm_div(square, curvature), before = square;
        EACH_COL(k, p.K) {
            x(row, k) += alpha * d[k];
            r[k] -= alpha * q[k];
        }
        square = residual_square();
        const float beta = pm_div(square, before);
        EACH_COL(k, p.K) d[k] = r[k] + beta * d[k];
    }
}

void main()
{
    EACH_ROW(row) {
        const uint from = ptr(row), to = ptr(row + 1u);
        if (from == to) EACH_COL(k, p.K) x(row, k) = 0.0;
        else solve(row, from, to);
        barrier();
    }
}
