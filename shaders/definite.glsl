// Small symmetric positive definite matrices, by one workgroup. Each element of y belongs to one invocation, which alone reads and writes it; what all
// need of the pivot's row goes through shared memory. An invocation takes EACH_TIME columns of a row at a time, a stretch apart: few
// iterations, of which lavapipe runs no more than 65,535 in all (enough for 400 rows there).
const uint EACH_TIME = 8u;
shared float pivot_row[1024];    // PM_SPD_MOST

uint stretch()
{
    return (p.N + EACH_TIME - 1u) / EACH_TIME;
}

// The first unit from row i on that is this invocation's.
uint own_from(uint i)
{
    const uint base = i * stretch(), lanes = gl_WorkGroupSize.x;
    return base + (gl_LocalInvocationID.x + lanes - base % lanes) % lanes;
}

#define OWN_UNITS(e, from, to) for (uint e = own_from(from), end_ = (to) * stretch(); e < end_; e += gl_WorkGroupSize.x)
#define COLUMNS(j, e) for (uint t_ = 0u, j = (e) % stretch(); t_ < EACH_TIME; t_++, j += stretch()) if (j < p.N)

void load_lower(float shift)
{
    OWN_UNITS(e, 0u, p.N) {
        const uint i = e / stretch();
        COLUMNS(j, e) y(i, j) = a(max(i, j), min(i, j)) + (i == j ? shift : 0.0);
    }
}

// Before anyone writes into row k.
void share_row(uint k)
{
    OWN_UNITS(e, k, k + 1u) COLUMNS(j, e) pivot_row[j] = y(k, j);
    barrier();
}
