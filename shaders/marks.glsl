// Which columns of a row have an entry, as bits in shared memory, MARKED columns at a time: so that a kernel streams over a dense
// row beside its sparse one. Needs operand col. PM_MARKS(e) says which entries count.
const uint MARKED = 32768u;
shared uint marks[MARKED / 32u];

#ifndef PM_MARKS
#define PM_MARKS(e) true
#endif

// Marks columns [c0, c0 + n) of the entries [from, to), n at most MARKED.
void marks_load(uint from, uint to, uint c0, uint n)
{
    barrier();    // the last stretch has been read
    EACH_COL(t, (n + 31u) / 32u) marks[t] = 0u;
    barrier();
    EACH_ENTRY(e, from, to) {
        const uint t = col(e) - c0;    // wraps round before c0, and is then too large
        if (t < n && PM_MARKS(e)) atomicOr(marks[t / 32u], 1u << (t % 32u));
    }
    barrier();
}

// The bits of the columns that an invocation takes at a time, c0 + t the first: together, and each 0 or 1.
#ifdef PM_VARIANT_WIDE
uint marks_at(uint t)
{
    return (marks[t / 32u] >> (t % 32u)) & 15u;
}

#define MARKS_EACH(bits) ((uvec4(bits) >> uvec4(0u, 1u, 2u, 3u)) & 1u)
#else
uint marks_at(uint t)
{
    return (marks[t / 32u] >> (t % 32u)) & 1u;
}

#define MARKS_EACH(bits) (bits)
#endif

// Writes what of v lies in columns without a mark.
#ifdef PM_VARIANT_WIDE
#define PUT_UNMARKED(out4, out1, i, j, v, bits)                                                                          \
    if ((bits) == 0u) out4(i, j) = v;                                                                                    \
    else {                                                                                                               \
        if (((bits) & 1u) == 0u) out1(i, j) = (v).x;                                                                     \
        if (((bits) & 2u) == 0u) out1(i, (j) + 1u) = (v).y;                                                              \
        if (((bits) & 4u) == 0u) out1(i, (j) + 2u) = (v).z;                                                              \
        if (((bits) & 8u) == 0u) out1(i, (j) + 3u) = (v).w;                                                              \
    }
#else
#define PUT_UNMARKED(out4, out1, i, j, v, bits)                                                                          \
    if ((bits) == 0u) out1(i, j) = v;
#endif
