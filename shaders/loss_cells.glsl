// The main of a loss over target sets whose cells do not see each other. Includers define, before this, vec2 loss_cell(float v, float x): the term of
// logit v and its slope; x is the entry, 0 where there is none.
#include "tile.glsl"
#include "target.glsl"

void main()
{
    EACH_ROW(b) {
        const float weight = rw(b, 0u);
        const uint threshold = target_threshold(ptr(b + 1u) - ptr(b), p.I);
        float sum = 0.0;
        for (uint c0 = 0u; c0 < p.I; c0 += TILE) {
            const uint n = min(TILE, p.I - c0);
            tile_load(ptr(b), ptr(b + 1u), c0, n);
            EACH_COL(t, n) {
                const float x = tile[t];
                vec2 cell = vec2(0.0);
                if (weight != 0.0 && (x != 0.0 || target_taken(threshold, b, c0 + t))) cell = loss_cell(z(b, c0 + t), x);
                sum += cell.x;
                dz(b, c0 + t) = weight * cell.y;
            }
        }
        sum = group_sum(sum);
        if (gl_LocalInvocationID.x == 0u) loss(b, 0u) = weight * sum;
    }
}
