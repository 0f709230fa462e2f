// The tables of draw_counts. Plain sums, products and quotients, so that they are the same on every machine.
#include <pumice/nn.h>

#include <math.h>
#include <stdlib.h>

#include "core/core.h"

static const double WORDS = 4294967296.0;     // 2³²
static const int64_t MOST = 10000000;         // draws: their tables hold about as many words
static const double NOTHING = 1e-20;          // of the likeliest count: what is left out of a Poisson law

// ---- single draws: Vose's alias method, in whole numbers -----------------------------------------------------------

typedef struct alias_table {
    uint32_t *accept, *alias;    // [items]
} alias_table;

// weight[i] = popularity · items, against the total: those below it are topped up by those above.
static void fill_alias(const uint32_t *popularity, int64_t items, uint64_t total, uint64_t *weight, uint32_t *order, alias_table t)
{
    int64_t small = 0, large = items;    // small ones from the front of order, large ones from its back
    for (int64_t i = 0; i < items; i++) {
        weight[i] = (uint64_t)popularity[i] * (uint64_t)items;
        t.accept[i] = UINT32_MAX;
        t.alias[i] = (uint32_t)i;
        order[weight[i] < total ? small++ : --large] = (uint32_t)i;
    }
    while (small > 0 && large < items) {
        const uint32_t s = order[--small], l = order[large];
        t.accept[s] = (uint32_t)((weight[s] << 32) / total);    // weight < total < 2³²
        t.alias[s] = l;
        weight[l] -= total - weight[s];
        if (weight[l] >= total) continue;
        order[small++] = l;    // the place of s, or one that is free
        large++;
    }
}

// ---- many draws: Poisson counts by inversion -----------------------------------------------------------------------

// Relative weights of the counts lo, lo + 1, … of a Poisson law, beginning with `first`; their sum.
typedef struct poisson {
    double  mean, first, sum;
    int64_t lo, mode;
} poisson;

static poisson poisson_of(double mean)
{
    poisson p = { .mean = mean, .first = 1, .lo = (int64_t)floor(mean), .mode = (int64_t)floor(mean) };
    for (; p.lo > 0 && p.first >= NOTHING; p.lo--) p.first *= (double)p.lo / mean;
    double w = p.first;
    for (int64_t k = p.lo; k <= p.mode || w >= NOTHING; w *= mean / (double)++k) p.sum += w;
    return p;
}

// Thresholds: a word reaches the k-th where it is not below 2³² · P(count <= k). Those that no word reaches are left out. Returns how many; out may
// be NULL.
static int64_t poisson_thresholds(double mean, uint32_t *out)
{
    if (!(mean > 0)) return 0;
    const poisson p = poisson_of(mean);
    int64_t n = 0;
    double w = p.first, below = 0;
    for (; n < p.lo; n++)
        if (out) out[n] = 0;
    for (;; n++) {
        below += w;
        const double threshold = floor(below / p.sum * WORDS + 0.5);
        if (threshold >= WORDS || (n > p.mode && w < NOTHING)) return n;
        if (out) out[n] = (uint32_t)threshold;
        w *= mean / (double)(n + 1);
    }
}

// What of `draws` is drawn as Poisson counts, so that their sum rarely exceeds it; 0: nothing, single draws cost less.
static double poisson_part(int64_t draws, int64_t items)
{
    const double n = (double)draws;
    return draws > items ? fmax(n - 3 * sqrt(n), 0) : 0;
}

// ---- the tables in the store ---------------------------------------------------------------------------------------

static pm_status put(pm_store *store, const char *name, const char *what, const uint32_t *words, int64_t count)
{
    char *full = pm_sprintf(store, "%s.%s", name, what);
    PM_CHECK_ALLOC(full);
    pm_status st = pm_store_add(store, full, PM_U32, 1, count);
    if (st == PM_OK) st = pm_store_write(store, full, words);
    pm_free(full);
    return st;
}

static pm_status put_alias(pm_store *store, void *scratch, const char *name, const uint32_t *popularity, int64_t items, uint64_t total)
{
    uint64_t *weight = pm_new_array(scratch, uint64_t, items);
    uint32_t *words = pm_new_array(scratch, uint32_t, 3 * items);
    PM_CHECK_ALLOC(weight && words ? words : NULL);
    const alias_table t = { words, words + items };
    fill_alias(popularity, items, total, weight, words + 2 * items, t);
    PM_TRY(put(store, name, "accept", t.accept, items));
    return put(store, name, "alias", t.alias, items);
}

static pm_status put_thresholds(pm_store *store, void *scratch, const char *name, const uint32_t *popularity, int64_t items, double mean)
{
    uint32_t *ptr = pm_new_array(scratch, uint32_t, items + 1);
    PM_CHECK_ALLOC(ptr);
    for (int64_t i = 0; i < items; i++) ptr[i + 1] = ptr[i] + (uint32_t)poisson_thresholds(mean * popularity[i], NULL);
    uint32_t *table = pm_new_array(scratch, uint32_t, PM_MAX(ptr[items], 1));
    PM_CHECK_ALLOC(table);
    for (int64_t i = 0; i < items; i++) poisson_thresholds(mean * popularity[i], table + ptr[i]);
    PM_TRY(put(store, name, "ptr", ptr, items + 1));
    return put(store, name, "table", table, PM_MAX(ptr[items], 1));
}

static pm_status put_tables(pm_store *store, const char *name, const uint32_t *popularity, int64_t items, uint64_t total, double part)
{
    char *scratch = pm_new(store, char);
    PM_CHECK_ALLOC(scratch);
    pm_status st = put_alias(store, scratch, name, popularity, items, total);
    if (st == PM_OK) st = put_thresholds(store, scratch, name, popularity, items, part / (double)total);
    pm_free(scratch);
    return st;
}

// What is wrong with a call, said before anything is made.
static void check(pm_graph *g, const char *name, int64_t rows, int64_t items, int64_t draws, uint64_t total)
{
    const uint64_t have = pm_device_capacity(pm_store_device(pm_graph_store(g)));
    const double need = 4.0 * (double)rows * (double)items, most = have ? fmin((double)have, 4 * WORDS) : 4 * WORDS;
    if (draws < 1 || draws > MOST)
        pm_graph_fail(g, PM_ERR_ARG, "%s: %" PRId64 " negatives a row; there must be from 1 to %" PRId64, name, draws, MOST);
    if (total == 0) pm_graph_fail(g, PM_ERR_DATA, "%s: no item has been chosen by anyone, so there is no popularity to draw from", name);
    if (total >= (uint64_t)WORDS) pm_graph_fail(g, PM_ERR_DATA, "%s: %" PRIu64 " interactions; popularity counts up to 2^32", name, total);
    if (need >= most)
        pm_graph_fail(g, PM_ERR_DEVICE_MEMORY, "%s: counts of %" PRId64 " rows of %" PRId64 " items take %.3g GB, and there can be at most %.3g GB here; "
                      "lower batch", name, rows, items, need * 1e-9, most * 1e-9);
}

static pm_var table_of(pm_graph *g, const char *name, const char *what)
{
    char *full = pm_sprintf(pm_graph_store(g), "%s.%s", name, what);
    if (!full) return pm_graph_fail(g, PM_ERR_NOMEM, "no memory for a name");
    const pm_var v = pm_constant(g, full);
    pm_free(full);
    return v;
}

static bool has_tables(pm_store *store, const char *name)
{
    char *full = pm_sprintf(store, "%s.alias", name);
    const bool found = full && pm_store_find(store, full, NULL, NULL, NULL);
    pm_free(full);
    return found;
}

pm_var pm_draw_popular(pm_graph *g, const char *name, const uint32_t *popularity, int64_t items, int64_t rows, int64_t draws, pm_var state)
{
    pm_store *store = pm_graph_store(g);
    uint64_t total = 0;
    for (int64_t i = 0; i < items; i++) total += popularity[i];
    check(g, name, rows, items, draws, total);
    if (pm_graph_status(g) != PM_OK) return (pm_var){ -1 };
    const double part = poisson_part(draws, items);
    const pm_status st = has_tables(store, name) ? PM_OK : put_tables(store, name, popularity, items, total, part);
    if (st != PM_OK) return pm_graph_fail(g, st, "%s: its tables cannot be made", name);
    return pm_draw_counts(g, table_of(g, name, "ptr"), table_of(g, name, "table"), table_of(g, name, "accept"), table_of(g, name, "alias"), state, rows,
                          (uint32_t)draws, part > 0, name);
}
