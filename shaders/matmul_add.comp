#version 450
// variants: block plain fold
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "each.glsl"
#include "matmul_add.glsl"

// Tiles above the diagonal are not computed (PM_MATMUL_SKIP), nor stored the elements above it.
#define PM_MATMUL_SKIP(m_end, n0) (p.lower != 0u && (n0) + p.col >= (m_end))
#define PM_MATMUL_STORE(m, n, sum) if (p.lower == 0u || (n) + p.col <= (m)) y(m, n) += p.alpha * (sum)
#include "matmul_body.glsl"
