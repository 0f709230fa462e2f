#version 450
// variants: block plain
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "matmul.glsl"

#define PM_MATMUL_STORE(m, n, sum) y(m, n) = sum
#include "matmul_body.glsl"
