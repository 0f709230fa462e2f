#version 450
// variants: block plain fold
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "each.glsl"
#include "matmul_adam.glsl"
#include "adam_step.glsl"

#define PM_MATMUL_STORE(m, n, sum) adam_step(m, n, sum)
#include "matmul_body.glsl"
