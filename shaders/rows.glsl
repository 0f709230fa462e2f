// Ops of one workgroup a row. Folds run in a fixed order, so that two runs agree bit for bit; they hold barriers and must be
// reached by the whole workgroup.
#ifndef PM_ROWS_GLSL
#define PM_ROWS_GLSL

#ifdef PM_VARIANT_SUBGROUP
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif

#include "each.glsl"

#define EACH_ROW(i) for (uint i = p.lo + gl_WorkGroupID.x; i < p.hi; i += gl_NumWorkGroups.x)
#define EACH_COL(j, n) for (uint j = gl_LocalInvocationID.x; j < (n); j += gl_WorkGroupSize.x)
// The same, PM_WIDTH columns at a time.
#define EACH_COL4(j, n) for (uint j = PM_WIDTH * gl_LocalInvocationID.x; j < (n); j += PM_WIDTH * gl_WorkGroupSize.x)
// Entries [from, to) of a sparse row.
#define EACH_ENTRY(e, from, to) for (uint e = (from) + gl_LocalInvocationID.x; e < (to); e += gl_WorkGroupSize.x)

// Sum and maximum of what an invocation takes at a time.
#ifdef PM_VARIANT_WIDE
#define PM_SUM(v) (((v).x + (v).y) + ((v).z + (v).w))
#define PM_MOST(v) max(max((v).x, (v).y), max((v).z, (v).w))
#else
#define PM_SUM(v) (v)
#define PM_MOST(v) (v)
#endif

shared float group_floats[512];
shared uint group_uints[512];

#ifdef PM_VARIANT_SUBGROUP
// A partial result a subgroup, folded in the order of subgroups. Nothing here asks for full subgroups, for a size, or for a place of
// an invocation in them.
float group_sum(float value)
{
    const float part = subgroupAdd(value);
    if (subgroupElect()) group_floats[gl_SubgroupID] = part;
    barrier();
    float total = group_floats[0];
    for (uint s = 1u; s < gl_NumSubgroups; s++) total += group_floats[s];
    barrier();
    return total;
}

float group_max(float value)
{
    const float part = subgroupMax(value);
    if (subgroupElect()) group_floats[gl_SubgroupID] = part;
    barrier();
    float top = group_floats[0];
    for (uint s = 1u; s < gl_NumSubgroups; s++) top = max(top, group_floats[s]);
    barrier();
    return top;
}

// The sum of the values of the invocations of lower rank; total of all.
uint group_scan(uint value, out uint total)
{
    const uint part = subgroupAdd(value);
    uint before = subgroupExclusiveAdd(value);
    if (subgroupElect()) group_uints[gl_SubgroupID] = part;
    barrier();
    total = 0u;
    for (uint s = 0u; s < gl_NumSubgroups; s++) {
        before += s < gl_SubgroupID ? group_uints[s] : 0u;
        total += group_uints[s];
    }
    barrier();
    return before;
}

// Where this invocation comes in a scan: each of 0, 1, … once.
uint group_rank()
{
    uint total;
    return group_scan(1u, total);
}
#else
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

// The sum of the values of the invocations of lower rank; total of all.
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

// Where this invocation comes in a scan: each of 0, 1, … once.
uint group_rank()
{
    return gl_LocalInvocationID.x;
}
#endif

uint group_total(uint value)
{
    uint total;
    group_scan(value, total);
    return total;
}

#endif
