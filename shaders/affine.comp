#version 450
// variants: block plain
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "affine.glsl"
#include "math.glsl"
#include "pumice/activation.h"

float activation(float z)
{
    return p.act == PM_ACT_TANH ? pm_tanh(z) : p.act == PM_ACT_SIGMOID ? pm_sigmoid(z) : p.act == PM_ACT_RELU ? max(z, 0.0) : z;
}

#define PM_MATMUL_STORE(m, n, sum) y(m, n) = activation(sum + c(n))
#include "matmul_body.glsl"
