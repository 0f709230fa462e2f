// The row of a loss over target sets whose cells do not see each other. Includers define before this
//     vec2 loss_known(float v, float x)                               the term of logit v with entry x, and its slope
//     void loss_missing(WIDE v, out WIDE term, out WIDE slope)        the same of logits without an entry
#define PM_MARKS(e) (val(e) != 0.0)
#include "marks.glsl"
#include "target.glsl"

uint taken_below;    // the threshold of the row

float if_taken(uint word, float x)
{
    return word < taken_below ? x : 0.0;
}

float unless_marked(uint marked, float x)
{
    return marked == 0u ? x : 0.0;
}

// Writes the slopes of row b and gives this invocation's share of the loss, not yet weighted. Columns with an entry by the entries, the others
// in a stream over the row.
float loss_cells(uint b)
{
    const uvec2 seed = uvec2(state(PM_STATE_SEED_LO), state(PM_STATE_SEED_HI));
    const float weight = rw(b, 0u);
    const bool live = weight != 0.0;
    float sum = 0.0;
    taken_below = live ? target_threshold(ptr(b + 1u) - ptr(b), p.I) : 0u;
    for (uint c0 = 0u; c0 < p.I; c0 += MARKED) {
        const uint n = min(MARKED, p.I - c0);
        marks_load(ptr(b), ptr(b + 1u), c0, n);
        EACH_ENTRY(e, ptr(b), ptr(b + 1u)) {
            const uint i = col(e);
            if (i - c0 >= n || val(e) == 0.0) continue;
            const vec2 known = live ? loss_known(z(b, i), val(e)) : vec2(0.0);
            sum += known.x;
            dz(b, i) = weight * known.y;
        }
        EACH_COL4(t, n) {
            const uint bits = marks_at(t);
            WIDE term = WIDE(0.0), slope = WIDE(0.0);
            if (taken_below != 0u) {
                loss_missing(z4(b, c0 + t), term, slope);
                if (taken_below != TARGET_ALL) {
                    const UWIDE word = pm_random_wide(seed, p.stream, state(PM_STATE_STEP), b, c0 + t) >> 8;
                    term = PM_OF2(if_taken, word, term);
                    slope = PM_OF2(if_taken, word, slope);
                }
                const UWIDE marked = MARKS_EACH(bits);
                term = PM_OF2(unless_marked, marked, term);
            }
            const WIDE v = weight * slope;
            sum += PM_SUM(term);
            PUT_UNMARKED(dz4, dz, b, c0 + t, v, bits)
        }
    }
    return sum;
}
