#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "loss_pair.glsl"
#define PM_MARKS(e) (val(e) > 0.0)
#include "marks.glsl"
#include "target.glsl"

// The term of a pair of p (of z where nothing is clipped), and −dl/d(difference), which is never negative.
vec2 pair(float liked, float other)
{
    const float d = liked - other;
    if (p.clipped == 0u) {
        const vec2 s = pm_sigmoids(d);
        return p.cross != 0u ? vec2(pm_softplus(-d), s.y) : vec2(s.y * s.y, 2.0 * s.y * s.y * s.x);
    }
    const float at = clamp(d, p.eps, 1.0 - p.eps), inside = at == d ? 1.0 : 0.0;
    return p.cross != 0u ? vec2(-pm_log(at), inside * pm_div(1.0, at)) : vec2((1.0 - at) * (1.0 - at), inside * 2.0 * (1.0 - at));
}

float linked(float v)
{
    return p.clipped != 0u ? pm_sigmoid(v) : v;
}

float link_slope(float v)
{
    const vec2 s = pm_sigmoids(v);
    return p.clipped != 0u ? s.x * s.y : 1.0;
}

const uint LIKED = 256u, GROUP = 8u;
shared float liked_at[LIKED];

// The entries [from, from + n) as pair() wants them; NONE where one is not liked.
const float NONE = -3.0e38;

void liked_load(uint b, uint from, uint n)
{
    barrier();    // the last ones have been read
    EACH_COL(k, n) liked_at[k] = val(from + k) > 0.0 ? linked(z(b, col(from + k))) : NONE;
    barrier();
}

// A sampled column sums over the liked ones. Its slope is kept without the link's: where it is 0, so is that of each of its pairs.
float sampled_columns(uint b, uint threshold)
{
    float sum = 0.0;
    EACH_COL(j, p.I) dz(b, j) = 0.0;
    for (uint from = ptr(b); from < ptr(b + 1u); from += LIKED) {
        const uint count = min(LIKED, ptr(b + 1u) - from);
        liked_load(b, from, count);
        for (uint c0 = 0u; c0 < p.I; c0 += MARKED) {
            const uint n = min(MARKED, p.I - c0);
            marks_load(ptr(b), ptr(b + 1u), c0, n);
            EACH_COL(t, n) {
                if (marks_at(t) != 0u || !target_taken(threshold, b, c0 + t)) continue;
                const float other = linked(z(b, c0 + t));
                float slope = 0.0;
                for (uint k = 0u; k < count; k++) {
                    if (liked_at[k] == NONE) continue;
                    const vec2 both = pair(liked_at[k], other);
                    sum += both.x;
                    slope += both.y;
                }
                dz(b, c0 + t) += slope;
            }
        }
    }
    return group_sum(sum);
}

// Then the liked columns, a few at a time, sum over those with a slope, the sampled ones: liked ones have none yet, or one below 0.
void liked_columns(uint b)
{
    const uint end = ptr(b + 1u);
    for (uint from = ptr(b); from < end; from += GROUP) {
        float liked[GROUP], slope[GROUP];
        for (uint k = 0u; k < GROUP; k++) {
            slope[k] = 0.0;
            liked[k] = from + k < end ? linked(z(b, col(min(from + k, end - 1u)))) : 0.0;
        }
        EACH_COL(j, p.I) {
            if (dz(b, j) <= 0.0) continue;
            const float other = linked(z(b, j));
            for (uint k = 0u; k < GROUP; k++) slope[k] += pair(liked[k], other).y;
        }
        for (uint k = 0u; k < GROUP; k++) {
            const float total = group_sum(slope[k]);
            if (gl_LocalInvocationID.x == 0u && from + k < end && val(min(from + k, end - 1u)) > 0.0) dz(b, col(from + k)) = -total;
        }
        memoryBarrierBuffer();
        barrier();
    }
}

void main()
{
    EACH_ROW(b) {
        const float weight = rw(b, 0u);
        if (weight == 0.0) {
            EACH_COL(i, p.I) dz(b, i) = 0.0;
            if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = 0.0;
            continue;
        }
        const float sum = sampled_columns(b, target_threshold(ptr(b + 1u) - ptr(b), p.I));
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = weight * sum;
        memoryBarrierBuffer();
        barrier();
        liked_columns(b);
        EACH_COL(i, p.I) dz(b, i) *= weight * link_slope(z(b, i));
    }
}
