#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "loss_weighted.glsl"

// wide: x z c loss dz
void main()
{
    EACH4(i, j, p.C) {
        const float weight = rw(i, 0u);
        const bool live = weight != 0.0;
        const WIDE d = z4(i, j) - x4(i, j), by = weight * c4(i, j);
        loss4(i, j) = live ? by * d * d : WIDE(0.0);
        dz4(i, j) = live ? 2.0 * by * d : WIDE(0.0);
    }
}
