#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "csr_normalize.glsl"

// rows: B
void main()
{
    EACH_ROW(b) {
        const uint from = ptr(b), to = ptr(b + 1u);
        float sum = 0.0;
        EACH_ENTRY(e, from, to) sum += val(e) * val(e);
        const float norm = sqrt(group_sum(sum));
        EACH_ENTRY(e, from, to) y(e) = norm > 0.0 ? val(e) / norm : 0.0;
    }
    EACH_ITEM(t, p.E - ptr(p.B)) y(ptr(p.B) + t) = 0.0;
}
