// What the shaders of Gaussian processes share. An op's own file says `x` and `t`: positions, and the five numbers of the kernel.
#include "math.glsl"

// Squared distance and product of two positions; four dimensions at a time, since a software driver may count iterations.
vec2 gp_measure(uint i, uint j)
{
    vec2 sum = vec2(0.0);
    uint h = 0u;
    for (; h + 4u <= p.Q; h += 4u) {
        const vec4 u = vec4(x(i, h), x(i, h + 1u), x(i, h + 2u), x(i, h + 3u)), v = vec4(x(j, h), x(j, h + 1u), x(j, h + 2u), x(j, h + 3u)), d = u - v;
        sum += vec2(dot(d, d), dot(u, v));
    }
    for (; h < p.Q; h++) sum += vec2((x(i, h) - x(j, h)) * (x(i, h) - x(j, h)), x(i, h) * x(j, h));
    return sum;
}

float gp_shape(float squared)
{
    return pm_exp(-0.5 * t(1u) * t(1u) * squared);
}

float gp_kernel(vec2 m)
{
    return t(0u) * t(0u) * gp_shape(m.x) + t(2u) * t(2u) * m.y + t(3u) * t(3u);
}
