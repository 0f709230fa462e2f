// Sums of columns: of each CHUNK rows on their own, ascending, then of the chunks, ascending. In the variant "slices" SLICES chunks are
// summed side by side, each by invocations of its own, which leaves the order and so the bits. Windows end at multiples of CHUNK rows. PM_TERM(i, j): what
// is summed.
const uint CHUNK = 8u;

WIDE chunk_sum(uint i, uint end, uint j)
{
    if (i + CHUNK <= end)
        return ((((((PM_TERM(i, j) + PM_TERM(i + 1u, j)) + PM_TERM(i + 2u, j)) + PM_TERM(i + 3u, j)) + PM_TERM(i + 4u, j)) + PM_TERM(i + 5u, j)) +
                PM_TERM(i + 6u, j)) + PM_TERM(i + 7u, j);
    WIDE sum = WIDE(0.0);
    for (; i < end; i++) sum += PM_TERM(i, j);
    return sum;
}

#ifdef PM_VARIANT_SLICES
const uint SLICES = 8u;
shared WIDE parts[256];

void col_sums()
{
    const uint lanes = gl_WorkGroupSize.x / SLICES, slice = gl_LocalInvocationID.x / lanes, lane = gl_LocalInvocationID.x % lanes;
    for (uint first = gl_WorkGroupID.x * lanes * PM_WIDTH; first < p.C; first += gl_NumWorkGroups.x * lanes * PM_WIDTH) {
        const uint j = first + lane * PM_WIDTH;
        const bool here = j < p.C;
        WIDE sum = WIDE(0.0);
        if (p.win_lo != 0u && here) sum = y4(j);
        for (uint i = p.win_lo; i < p.win_hi; i += CHUNK * SLICES) {
            WIDE part = WIDE(0.0);
            if (here && i + slice * CHUNK < p.win_hi) part = chunk_sum(i + slice * CHUNK, p.win_hi, j);
            parts[gl_LocalInvocationID.x] = part;
            barrier();
            for (uint s = 0u; s < SLICES && i + s * CHUNK < p.win_hi; s++) sum += parts[s * lanes + lane];
            barrier();
        }
        if (slice == 0u && here) y4(j) = sum;
    }
}
#else
void col_sums()
{
    for (uint j = gl_GlobalInvocationID.x * PM_WIDTH; j < p.C; j += PM_GRID * PM_WIDTH) {
        WIDE sum = WIDE(0.0);
        if (p.win_lo != 0u) sum = y4(j);
        for (uint i = p.win_lo; i < p.win_hi; i += CHUNK) sum += chunk_sum(i, p.win_hi, j);
        y4(j) = sum;
    }
}
#endif
