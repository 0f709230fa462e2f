#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "math.glsl"
#include "random.glsl"
#include "reparameterize.glsl"
#include "normal_of.glsl"

// wide: mu logvar z half
void main()
{
    EACH4(i, j, p.C) {
        const WIDE exponent = 0.5 * logvar4(i, j);
        const WIDE part = PM_OF(pm_exp, exponent) * normals(p.stream, i, j);
        z4(i, j) = mu4(i, j) + part;
        half4(i, j) = 0.5 * part;
    }
}
