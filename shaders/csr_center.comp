#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "math.glsl"
#include "csr_center.glsl"

// rows: B
void main()
{
    EACH_ROW(b) {
        const uint from = ptr(b), to = ptr(b + 1u);
        const float first = from < to ? val(from) : 0.0;
        float sum = 0.0;
        EACH_ENTRY(e, from, to) sum += val(e) - first;
        sum = group_sum(sum);
        const float middle = from < to ? first + pm_div(sum, float(to - from)) : 0.0;
        EACH_ENTRY(e, from, to) y(e) = val(e) - middle;
        if (gl_LocalInvocationID.x == 0u) mean(b, 0u) = middle;
    }
    EACH_ITEM(t, p.E - ptr(p.B)) y(ptr(p.B) + t) = 0.0;
}
