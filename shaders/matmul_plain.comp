#version 450
#extension GL_GOOGLE_include_directive : require
#include "each.glsl"
#include "matmul.glsl"

// One output an invocation: best on SwiftShader, whose registers spill early. Sums as in matmul.comp.
void main()
{
    EACH(m, n, p.N) {
        float acc = p.win_lo != 0u ? y(m, n) : 0.0;
        for (uint k = p.win_lo; k < p.win_hi; k++)
            acc += (p.ta != 0u ? a(k, m) : a(m, k)) * (p.tb != 0u ? b(n, k) : b(k, n));
        y(m, n) = acc;
    }
}
