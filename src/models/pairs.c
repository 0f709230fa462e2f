#include "models/pairs.h"

int pm_entries_pass(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)config, (void)users, (void)items;
    out[0] = (pm_pass){ .name = "train", .axis = PM_AXIS_ENTRIES };
    return 1;
}

pm_pairs pm_draw_pairs(pm_build *b, bool once)
{
    pm_graph *g = b->g;
    pm_pairs p = { .negatives = pm_config_integer(b->config, "negatives") };
    const pm_var ptr = pm_constant(g, "train.ptr"), col = pm_constant(g, "train.col");
    int64_t one;
    pm_shape_of(g, b->rows, &one, &p.batch);
    pm_graph_label(g, "pairs");
    p.user = pm_csr_entries(g, ptr, col, pm_constant(g, "train.val"), b->rows, &p.item, &p.value);
    p.id = pm_draw_negatives(g, ptr, col, p.user, p.item, pm_reshape(g, b->rows, p.batch, 1), b->state, b->items, p.negatives,
                             pm_config_is(b->config, "sampling", "popular"), once, "negatives");
    pm_graph_label(g, NULL);
    return p;
}

static pm_var table(pm_build *b, const char *of, const char *name, int64_t rows, int64_t width, float deviation)
{
    char *full = pm_sprintf(b->net, "%s.%s", of, name);
    if (!full) return pm_graph_fail(b->g, PM_ERR_NOMEM, "no memory for a name");
    const pm_var t = pm_param(b->net, full, rows, width, (pm_init){ deviation > 0 ? PM_INIT_NORMAL : PM_INIT_ZERO, deviation });
    pm_free(full);
    return t;
}

pm_var pm_user_table(pm_build *b, const char *name, int64_t width, float deviation)
{
    return table(b, "user", name, b->users, width, deviation);
}

pm_var pm_item_table(pm_build *b, const char *name, int64_t width, float deviation)
{
    return table(b, "item", name, b->items, width, deviation);
}

pm_var pm_user_rows(pm_build *b, pm_var users)
{
    if (b->training) return pm_embed(b->g, users, b->user, b->live);
    return pm_gather_rows(b->g, users, pm_reshape(b->g, b->user, 1, b->x.rows));
}

static pm_status put_rows(pm_store *store, const char *name, int64_t rows, int64_t times)
{
    uint32_t *words = pm_new_array(store, uint32_t, rows * times);
    PM_CHECK_ALLOC(words);
    for (int64_t i = 0; i < rows * times; i++) words[i] = (uint32_t)(i / times);
    pm_status st = pm_store_add(store, name, PM_U32, rows * times, 1);
    if (st == PM_OK) st = pm_store_write(store, name, words);
    pm_free(words);
    return st;
}

static pm_status put_count(pm_store *store, const char *name, int64_t count)
{
    const uint32_t word = (uint32_t)count;
    PM_TRY(pm_store_add(store, name, PM_U32, 1, 1));
    return pm_store_write(store, name, &word);
}

// The constant of that name, made where it is not there yet; times 0: a count.
static pm_var index_constant(pm_graph *g, char *name, int64_t rows, int64_t times)
{
    pm_store *store = pm_graph_store(g);
    if (!name) return pm_graph_fail(g, PM_ERR_NOMEM, "no memory for a name");
    const bool found = pm_store_find(store, name, NULL, NULL, NULL);
    const pm_status st = found || pm_graph_status(g) != PM_OK ? PM_OK : times ? put_rows(store, name, rows, times) : put_count(store, name, rows);
    const pm_var v = st == PM_OK ? pm_constant(g, name) : pm_graph_fail(g, st, "%s cannot be made: %s", name, pm_ctx_message(pm_ctx_of(store)));
    pm_free(name);
    return v;
}

pm_var pm_pair_rows(pm_graph *g, int64_t rows, int64_t times)
{
    return index_constant(g, pm_sprintf(pm_graph_store(g), "pairs.rows.%" PRId64 ".%" PRId64, rows, times), rows, times);
}

pm_var pm_pair_count(pm_graph *g, int64_t count)
{
    return index_constant(g, pm_sprintf(pm_graph_store(g), "pairs.count.%" PRId64, count), count, 0);
}

pm_var pm_row_squares(pm_graph *g, pm_var x)
{
    return pm_row_sum(g, pm_mul(g, x, x));
}
