#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "relu_grad.glsl"

// wide: r dy y
float passed(float r, float dy)
{
    return r > 0.0 ? dy : 0.0;
}

void main()
{
    EACH4(i, j, p.C) {
        const WIDE v = r4(i, j), d = dy4(i, j);
        y4(i, j) = PM_OF2(passed, v, d);
    }
}
