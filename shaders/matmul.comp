#version 450
// variants: block plain fold
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "each.glsl"
#include "matmul.glsl"

#define PM_MATMUL_STORE(m, n, sum) y(m, n) = sum
#include "matmul_body.glsl"
