#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "pumice/state.h"
#include "jacobi_round.glsl"

// passes: 2
// First the angles, then everything they turn: four elements of a that meet in two pairs, or two of v.
uint last()
{
    return (p.N + 1u) / 2u * 2u - 1u;
}

// Pair `k` of this round, the smaller index first; the larger is p.N or more where the smaller has no partner.
uvec2 pair_of(uint k)
{
    const uint m = last(), t = (state(PM_STATE_POSITION) * p.rounds + p.round) % m;
    const uint u = k == 0u ? t : (t + k) % m, w = k == 0u ? m : (t + m - k) % m;
    return uvec2(min(u, w), max(u, w));
}

void angle(uint k)
{
    const uvec2 at = pair_of(k);
    float c = 1.0, s = 0.0;
    if (at.y < p.N && a(at.x, at.y) != 0.0) {
        const float tau = (a(at.y, at.y) - a(at.x, at.x)) / (2.0 * a(at.x, at.y)), size = abs(tau);
        const float tangent = size > 1e15 ? 0.5 / tau : (tau < 0.0 ? -1.0 : 1.0) / (size + sqrt(1.0 + tau * tau));
        c = 1.0 / sqrt(1.0 + tangent * tangent);
        s = tangent * c;
    }
    r(0u, k) = c;
    r(1u, k) = s;
}

vec2 turn(vec2 x, vec2 by)
{
    return vec2(by.x * x.x - by.y * x.y, by.y * x.x + by.x * x.y);
}

void block(uint i, uint j)
{
    const uvec2 row = pair_of(i), col = pair_of(j);
    const vec2 by_row = vec2(r(0u, i), r(1u, i)), by_col = vec2(r(0u, j), r(1u, j));
    const bool second_row = row.y < p.N, second_col = col.y < p.N;
    vec2 x = vec2(a(row.x, col.x), 0.0), y = vec2(0.0);
    if (second_col) x.y = a(row.x, col.y);
    if (second_row) y.x = a(row.y, col.x);
    if (second_row && second_col) y.y = a(row.y, col.y);
    const vec2 left = turn(vec2(x.x, y.x), by_row), right = turn(vec2(x.y, y.y), by_row);
    const vec2 upper = turn(vec2(left.x, right.x), by_col), under = turn(vec2(left.y, right.y), by_col);
    a(row.x, col.x) = upper.x;
    if (second_col) a(row.x, col.y) = upper.y;
    if (second_row) a(row.y, col.x) = under.x;
    if (second_row && second_col) a(row.y, col.y) = under.y;
}

void vectors(uint i, uint j)
{
    const uvec2 row = pair_of(i);
    if (row.y >= p.N) return;
    const vec2 x = turn(vec2(v(row.x, j), v(row.y, j)), vec2(r(0u, i), r(1u, i)));
    v(row.x, j) = x.x;
    v(row.y, j) = x.y;
}

void main()
{
    const uint pairs = (p.N + 1u) / 2u;
    if (p.pass == 0u) {
        EACH_ITEM(k, pairs) angle(k);
        return;
    }
    EACH_ITEM(e, pairs * pairs) block(e / pairs, e % pairs);
    EACH_ITEM(e, pairs * p.N) vectors(e / p.N, e % p.N);
}
