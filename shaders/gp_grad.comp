#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "gp_grad.glsl"
#include "gp.glsl"

// rows: B
// lanes: 128
// A workgroup a row, an invocation an entry of it.
void entry(uint e, uint from, uint n, float weight)
{
    const float near = t(0u) * t(0u) * t(1u) * t(1u), linear = t(2u) * t(2u);
    float sum[5] = { 0.0, 0.0, 0.0, 0.0, 0.0 };
    for (uint h = 0u; h < p.Q; h++) dx(e, h) = 0.0;
    for (uint f = 0u; f < n; f++) {
        const uint i = col(e), j = col(from + f);
        const bool own = from + f == e;
        const vec2 m = gp_measure(i, j);
        const float slope = weight * g(e, f), by = own ? 1.0 + p.jitter : 1.0, shape = gp_shape(m.x);
        sum[0] += slope * shape * by;
        sum[1] += slope * shape * m.x;
        sum[2] += slope * m.y * by;
        sum[3] += slope * by;
        sum[4] += own ? slope : 0.0;
        const float along = 2.0 * slope * linear * by, away = 2.0 * slope * near * shape;
        for (uint h = 0u; h < p.Q; h++) dx(e, h) += along * x(j, h) - away * (x(i, h) - x(j, h));
    }
    dt(e, 0u) = 2.0 * t(0u) * sum[0];
    dt(e, 1u) = -t(0u) * t(0u) * t(1u) * sum[1];
    dt(e, 2u) = 2.0 * t(2u) * sum[2];
    dt(e, 3u) = 2.0 * t(3u) * sum[3];
    dt(e, 4u) = 2.0 * t(4u) * sum[4];
}

void nothing(uint e)
{
    for (uint h = 0u; h < p.Q; h++) dx(e, h) = 0.0;
    for (uint k = 0u; k < 5u; k++) dt(e, k) = 0.0;
}

void main()
{
    EACH_ROW(b) {
        const uint from = ptr(b), to = ptr(b + 1u), n = min(to - from, p.M);
        EACH_ENTRY(e, from, to) {
            if (e < from + n) entry(e, from, n, w(b, 0u));
            else nothing(e);
        }
    }
    EACH_ITEM(s, p.E - ptr(p.B)) nothing(ptr(p.B) + s);
}
