#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "gp_fit.glsl"
#include "gp.glsl"

// lanes: 128
// most: M1024
// A workgroup a row, its matrix in its rows of g and worked on in place, as backend/cpu/vec_gp.inc has it: L at and below the diagonal, above it
// the transpose of Z = 1/L, then Zᵀ·Z where L was, then g.
shared float diagonal[1024], half_way[1024];
shared uint bad;

// Σ_{h in [lo, hi)} g[i,h] · g[j,h].
float product(uint i, uint j, uint lo, uint hi)
{
    float sum = 0.0;
    uint h = lo;
    for (; h + 4u <= hi; h += 4u)
        sum += dot(vec4(g(i, h), g(i, h + 1u), g(i, h + 2u), g(i, h + 3u)), vec4(g(j, h), g(j, h + 1u), g(j, h + 2u), g(j, h + 3u)));
    for (; h < hi; h++) sum += g(i, h) * g(j, h);
    return sum;
}

void sync()
{
    memoryBarrierBuffer();
    barrier();
}

void lay_out(uint from, uint n)
{
    EACH_COL(e, n) {
        for (uint f = 0u; f <= e; f++) {
            const float k = gp_kernel(gp_measure(col(from + e), col(from + f)));
            g(from + e, f) = f < e ? k : k * (1.0 + p.jitter) + t(4u) * t(4u);
        }
    }
    sync();
}

void factor(uint from, uint n)
{
    for (uint j = 0u; j < n; j++) {
        if (gl_LocalInvocationID.x == 0u) {
            const float pivot = g(from + j, j) - product(from + j, from + j, 0u, j);
            if (!(pivot > 0.0)) bad = 1u;
            diagonal[j] = sqrt(pivot);
            g(from + j, j) = diagonal[j];
        }
        sync();
        for (uint i = j + 1u + gl_LocalInvocationID.x; i < n; i += gl_WorkGroupSize.x)
            g(from + i, j) = pm_div(g(from + i, j) - product(from + i, from + j, 0u, j), diagonal[j]);
        sync();
    }
}

void invert(uint from, uint n)
{
    EACH_COL(c, n) {
        for (uint i = c + 1u; i < n; i++)
            g(from + c, i) = -pm_div(pm_div(g(from + i, c), diagonal[c]) + product(from + i, from + c, c + 1u, i), diagonal[i]);
    }
    sync();
}

// a = Zᵀ · Z · y.
void solve(uint from, uint n)
{
    EACH_COL(h, n) {
        float sum = pm_div(val(from + h), diagonal[h]);
        for (uint c = 0u; c < h; c++) sum += val(from + c) * g(from + c, h);
        half_way[h] = sum;
    }
    barrier();
    EACH_COL(e, n) {
        float sum = pm_div(half_way[e], diagonal[e]);
        for (uint h = e + 1u; h < n; h++) sum += g(from + e, h) * half_way[h];
        a(from + e) = sum;
    }
    sync();
}

void slope(uint from, uint n)
{
    EACH_COL(e, n) {
        for (uint f = 0u; f < e; f++) g(from + e, f) = pm_div(g(from + f, e), diagonal[e]) + product(from + e, from + f, e + 1u, n);
        const float one = pm_div(1.0, diagonal[e]);
        half_way[e] = one * one + product(from + e, from + e, e + 1u, n);
    }
    sync();
    EACH_COL(e, n) {
        for (uint f = 0u; f < e; f++) {
            const float v = 0.5 * (g(from + e, f) - a(from + e) * a(from + f));
            g(from + e, f) = v;
            g(from + f, e) = v;
        }
        g(from + e, e) = 0.5 * (half_way[e] - a(from + e) * a(from + e));
    }
}

float value(uint from, uint n)
{
    float sum = 0.0;
    EACH_COL(e, n) sum += 0.9189385332 + pm_log(diagonal[e]) + 0.5 * val(from + e) * a(from + e);
    return group_sum(sum);
}

void row_of(uint b, uint from, uint n)
{
    if (gl_LocalInvocationID.x == 0u) bad = 0u;
    lay_out(from, n);
    factor(from, n);
    if (bad == 0u) {
        invert(from, n);
        solve(from, n);
        const float sum = value(from, n);
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = sum;
        slope(from, n);
        return;
    }
    const float none = uintBitsToFloat(0x7FC00000u);
    if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = none;
    EACH_COL(e, n) {
        a(from + e) = none;
        for (uint f = 0u; f < n; f++) g(from + e, f) = none;
    }
}

void main()
{
    EACH_ROW(b) {
        const uint from = ptr(b), to = ptr(b + 1u), n = min(to - from, p.M);
        for (uint e = from; e < to; e++)
            for (uint f = (e < from + n ? n : 0u) + gl_LocalInvocationID.x; f < p.M; f += gl_WorkGroupSize.x) g(e, f) = 0.0;
        EACH_ENTRY(e, from + n, to) a(e) = 0.0;
        if (n > 0u) row_of(b, from, n);
        else if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = 0.0;
        barrier();
    }
    EACH_ITEM(s, p.E - ptr(p.B)) {
        a(ptr(p.B) + s) = 0.0;
        for (uint f = 0u; f < p.M; f++) g(ptr(p.B) + s, f) = 0.0;
    }
}
