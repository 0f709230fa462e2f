#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "adam.glsl"

void main()
{
    EACH(i, j, p.C) {
        const float grad = g(i, j) + p.decay * w(i, j);
        const float first = p.beta1 * m(i, j) + (1.0 - p.beta1) * grad, second = p.beta2 * v(i, j) + (1.0 - p.beta2) * grad * grad;
        m(i, j) = first;
        v(i, j) = second;
        w(i, j) -= rate(0u) * first / (sqrt(second) + p.eps);
    }
}
