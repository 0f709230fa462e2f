#version 450
#extension GL_EXT_control_flow_attributes : require
// Nothing but multiply-adds: how fast a device's arithmetic is. Eight chains an invocation hide their latency; 256 flops a round.
layout(local_size_x_id = 0) in;
layout(std430, set = 0, binding = 0) buffer pm_buffer_0 { float out_[]; };
layout(push_constant) uniform pm_push {
    uint rounds;
    float factor, term;
} p;

void main()
{
    float x[8];
    [[unroll]] for (uint i = 0u; i < 8u; i++) x[i] = float(gl_LocalInvocationID.x + i);
    for (uint round = 0u; round < p.rounds; round++)
        [[unroll]] for (uint k = 0u; k < 16u; k++)
            [[unroll]] for (uint i = 0u; i < 8u; i++) x[i] = x[i] * p.factor + p.term;
    out_[gl_GlobalInvocationID.x] = ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}
