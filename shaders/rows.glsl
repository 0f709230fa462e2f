// Ops of one workgroup a row. Folds run in a fixed order, so that two runs agree bit for bit; they hold barriers and must be
// reached by the whole workgroup.
#ifndef PM_ROWS_GLSL
#define PM_ROWS_GLSL

#include "each.glsl"

#define EACH_ROW(i) for (uint i = p.lo + gl_WorkGroupID.x; i < p.hi; i += gl_NumWorkGroups.x)
#define EACH_COL(j, n) for (uint j = gl_LocalInvocationID.x; j < (n); j += gl_WorkGroupSize.x)
// Entries [from, to) of a sparse row.
#define EACH_ENTRY(e, from, to) for (uint e = (from) + gl_LocalInvocationID.x; e < (to); e += gl_WorkGroupSize.x)

shared float group_floats[512];
shared uint group_uints[512];

float group_sum(float value)
{
    const uint l = gl_LocalInvocationID.x;
    group_floats[l] = value;
    barrier();
    for (uint s = gl_WorkGroupSize.x / 2u; s > 0u; s /= 2u) {
        if (l < s) group_floats[l] += group_floats[l + s];
        barrier();
    }
    const float total = group_floats[0];
    barrier();
    return total;
}

float group_max(float value)
{
    const uint l = gl_LocalInvocationID.x;
    group_floats[l] = value;
    barrier();
    for (uint s = gl_WorkGroupSize.x / 2u; s > 0u; s /= 2u) {
        if (l < s) group_floats[l] = max(group_floats[l], group_floats[l + s]);
        barrier();
    }
    const float top = group_floats[0];
    barrier();
    return top;
}

// The sum of the values of the invocations before this one; *total of all.
uint group_scan(uint value, out uint total)
{
    const uint l = gl_LocalInvocationID.x;
    group_uints[l] = value;
    barrier();
    for (uint s = 1u; s < gl_WorkGroupSize.x; s *= 2u) {
        const uint before = l >= s ? group_uints[l - s] : 0u;
        barrier();
        group_uints[l] += before;
        barrier();
    }
    total = group_uints[gl_WorkGroupSize.x - 1u];
    const uint result = group_uints[l] - value;
    barrier();
    return result;
}

uint group_total(uint value)
{
    uint total;
    group_scan(value, total);
    return total;
}

#endif
