#version 450
// Whether two stretches of memory differ in any bit.
layout(local_size_x_id = 0) in;
layout(std430, set = 0, binding = 0) readonly buffer pm_buffer_0 { uint x_[]; };
layout(std430, set = 0, binding = 1) readonly buffer pm_buffer_1 { uint y_[]; };
layout(std430, set = 0, binding = 2) buffer pm_buffer_2 { uint differ; };
layout(push_constant) uniform pm_push {
    uint count;
} p;

void main()
{
    bool any = false;
    for (uint i = gl_GlobalInvocationID.x; i < p.count; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x) any = any || x_[i] != y_[i];
    if (any) atomicOr(differ, 1u);
}
