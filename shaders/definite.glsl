// Small symmetric positive definite matrices, by one workgroup. Each invocation has columns of y of its own, which no other touches; what all
// need of the pivot's row goes through shared memory.
shared float pivot_row[1024];    // PM_SPD_MOST

#define OWN_COLUMNS(j) for (uint j = gl_LocalInvocationID.x; j < p.N; j += gl_WorkGroupSize.x)

void load_lower(float shift)
{
    for (uint i = 0u; i < p.N; i++)
        OWN_COLUMNS(j) {
            float v = a(max(i, j), min(i, j));
            if (i == j) v += shift;
            y(i, j) = v;
        }
}

// Before anyone writes into row k.
void share_row(uint k)
{
    OWN_COLUMNS(j) pivot_row[j] = y(k, j);
    barrier();
}
