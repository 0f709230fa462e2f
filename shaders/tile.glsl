// A stretch of a sparse row laid out dense in shared memory, so that a loss reads x beside z column by column. Needs
// operands col and val, or TILE_VALUE defined.
const uint TILE = 2048u;
shared float tile[TILE];

#ifndef TILE_VALUE
#define TILE_VALUE(e) val(e)
#endif

// The first entry of [from, to) whose column is at least c.
uint tile_first(uint from, uint to, uint c)
{
    while (from < to) {
        const uint mid = (from + to) / 2u;
        if (col(mid) < c) from = mid + 1u;
        else to = mid;
    }
    return from;
}

// Columns [c0, c0 + n) of the entries [from, to), n at most TILE; 0 where there is none.
void tile_load(uint from, uint to, uint c0, uint n)
{
    barrier();    // the last tile has been read
    EACH_COL(t, n) tile[t] = 0.0;
    barrier();
    const uint first = tile_first(from, to, c0), end = tile_first(first, to, c0 + n);
    EACH_ENTRY(e, first, end) tile[col(e) - c0] = TILE_VALUE(e);
    barrier();
}
