#version 450
// variants: block plain fold
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "each.glsl"
#include "affine.glsl"
#include "math.glsl"
#include "activation.glsl"

#define PM_MATMUL_STORE(m, n, sum) y(m, n) = pm_activation(p.act, sum + c(n))
#include "matmul_body.glsl"
