// Item-based nearest neighbours ("Item-Based Collaborative Filtering Recommendation Algorithms", Sarwar et al., 2001): each item keeps the k items that are most
// alike, by their columns of the training matrix; a user's score of an item is the sum over its neighbours that the user has.
//     score[u,j] = Σ_{i in N(j)} s[i,j] · x[u,i],   s[i,j] = v_i·v_j / (|v_i| · |v_j| + shrink)
// v are the columns, by adjusted-cosine less the mean of each user's ratings, by pearson less the mean of each item's; jaccard is of sets. Rows of the Gram
// matrix come a slice at a time, and only the k best of each are kept: no matrix of items by items is ever laid out.
#include "models/models.h"

static const pm_hyper hypers[] = {
    { "similarity", PM_HYPER_CHOICE, "cosine", 0, 0, "cosine|adjusted-cosine|pearson|jaccard",
      "of two items: of their columns, of columns less each user's mean rating, of columns less each item's, or of the sets of users", "Sarwar et al., Section 3.1" },
    { "k", PM_HYPER_INTEGER, "100", 1, 1e6, NULL, "neighbours that an item keeps, of those that are alike at all; equal ones by lower id", "Sarwar et al., Section 3.3" },
    { "shrink", PM_HYPER_NUMBER, "10", 0, 1e9, NULL, "added below the fraction: the larger, the less is what few users have in common", NULL },
    { "input", PM_HYPER_CHOICE, "binary", 0, 0, "binary|counts", "what cosine compares and what a user's row counts: 1 for each item, or the ratings", NULL },
    { "batch", PM_HYPER_INTEGER, "128", 1, 65536, NULL, "items a step", NULL },
    { .name = NULL },
};

static const pm_model_grid grids[] = {
    { "neighbours", "similarity=cosine,jaccard;k=20,50,100,200,400;shrink=0,10,50,100", "no paper's: what matters most" },
    { .name = NULL },
};

static const char *const proofs[] = { "similarity=adjusted-cosine input=counts k=60", NULL };

enum { SIZES, NEIGHBOURS, MOST_ITEMS = 1 << 24 };

static int passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)config, (void)users, (void)items;
    out[SIZES] = (pm_pass){ .name = "sizes", .axis = PM_AXIS_STEPS, .solve = true, .total = 1 };
    out[NEIGHBOURS] = (pm_pass){ .name = "neighbours", .axis = PM_AXIS_ITEMS, .in_order = true, .solve = true };
    return 2;
}

static int phases(const pm_config *config, pm_phase *out)
{
    (void)config;
    out[0] = (pm_phase){ .name = "solve", .count = 2, .epochs = 1 };
    return 1;
}

typedef enum similarity { COSINE, ADJUSTED, PEARSON, JACCARD } similarity;

static similarity kind_of(const pm_config *c)
{
    return pm_config_is(c, "similarity", "adjusted-cosine") ? ADJUSTED : pm_config_is(c, "similarity", "pearson") ? PEARSON
           : pm_config_is(c, "similarity", "jaccard") ? JACCARD : COSINE;
}

static int64_t neighbours(const pm_build *b)
{
    return PM_MIN(pm_config_integer(b->config, "k"), b->items);
}

// What is needed besides the data: the lists, and on the host the best ones once more; a slice of the Gram matrix and what it is taken from.
static bool fits(pm_build *b)
{
    const pm_device *device = pm_store_device(pm_graph_store(b->g));
    const double lists = 8.0 * (double)b->items * (double)neighbours(b) * (pm_device_get_info(device)->memory == 0 ? 2 : 1);
    const double gib = 1024.0 * 1024 * 1024, wanted = lists + 8.0 * (double)b->x.rows * (double)b->items, there = (double)pm_device_capacity(device);
    pm_log(b->g, PM_LOG_INFO, "item-knn: %" PRId64 " neighbours of %" PRId64 " items need %.2f GiB", neighbours(b), b->items, wanted / gib);
    if (pm_config_integer(b->config, "k") > b->items)
        pm_log(b->g, PM_LOG_WARN, "k = %s: there are %" PRId64 " items; all that are alike at all are neighbours", pm_config_text(b->config, "k"), b->items);
    if (b->items > MOST_ITEMS) {
        pm_graph_fail(b->g, PM_ERR_UNSUPPORTED, "item-knn: %" PRId64 " items; at most %d can be told apart in its lists; leave out rare items (--min-item)", b->items,
                      MOST_ITEMS);
        return false;
    }
    if (there == 0 || wanted <= there) return pm_graph_status(b->g) == PM_OK;
    pm_graph_fail(b->g, PM_ERR_DEVICE_MEMORY, "item-knn: %" PRId64 " neighbours of %" PRId64 " items need %.2f GiB and %s has %.2f GiB; lower k or batch, or leave out "
                  "rare items (--min-item)", neighbours(b), b->items, wanted / gib, pm_device_get_info(device)->id, there / gib);
    return false;
}

static pm_var ones(pm_build *b, int64_t count)
{
    return pm_fill(b->g, 1, count, 1.0f);
}

static pm_var kept(pm_build *b, const char *name, int64_t rows, int64_t cols)
{
    return pm_statistic(b->net, name, rows, cols, (pm_init){ PM_INIT_ZERO, 0 });
}

// The means that are taken off ratings, of users or of items, as a row.
static pm_var means(pm_build *b, similarity kind)
{
    return kept(b, "means", 1, kind == ADJUSTED ? b->users : b->items);
}

// The values of rows of the training matrix, or with by_item of its transpose, as columns are compared. It has means already.
static pm_var values(pm_build *b, const pm_sparse *x, bool by_item)
{
    pm_graph *g = b->g;
    const similarity kind = kind_of(b->config);
    pm_var unused;
    if (kind == JACCARD || (kind == COSINE && pm_config_is(b->config, "input", "binary"))) return ones(b, x->entries);
    if (kind == COSINE) return x->val;
    if (by_item == (kind == PEARSON)) return pm_csr_center(g, x->ptr, x->val, &unused);    // a row's own mean
    return pm_sub(g, x->val, pm_take_cols(g, means(b, kind), x->col));
}

// Means, then lengths: all columns at once.
static void solve_sizes(pm_build *b)
{
    pm_graph *g = b->g;
    const similarity kind = kind_of(b->config);
    const pm_sparse t = pm_whole(b, true);
    pm_var v = { -1 };
    if (kind == ADJUSTED || kind == PEARSON) {
        const pm_sparse x = kind == ADJUSTED ? pm_whole(b, false) : t;
        pm_var mean;
        v = pm_csr_center(g, x.ptr, x.val, &mean);
        means(b, kind);
        mean = pm_reshape(g, mean, 1, x.rows);
        pm_output(g, mean, "means");
        if (kind == ADJUSTED) v = pm_sub(g, t.val, pm_take_cols(g, mean, t.col));
    } else {
        v = values(b, &t, true);
    }
    const pm_var squares = pm_spmm(g, t.ptr, t.col, pm_mul(g, v, v), pm_fill(g, b->users, 1, 1.0f));
    kept(b, "sizes", 1, b->items);
    pm_output(g, pm_reshape(g, kind == JACCARD ? squares : pm_root(g, squares), 1, b->items), "sizes");
}

static void solve(pm_build *b)
{
    pm_graph *g = b->g;
    if (b->pass == SIZES) {
        solve_sizes(b);
        return;
    }
    if (!fits(b)) return;
    const int64_t k = neighbours(b);
    const pm_sparse x = pm_whole(b, false);
    const pm_var rows = pm_gram(g, b->x.ptr, b->x.col, values(b, &b->x, true), x.ptr, x.col, values(b, &x, false), b->items);
    const pm_var alike = pm_similarity(g, rows, b->rows, kept(b, "sizes", 1, b->items), (float)pm_config_number(b->config, "shrink"), kind_of(b->config) == JACCARD);
    pm_var best;
    const pm_var id = pm_top_k(g, alike, k, &best);
    pm_put_rows(g, pm_to_f32(g, id), b->state, kept(b, "neighbours", b->items, k));
    pm_put_rows(g, best, b->state, kept(b, "similarities", b->items, k));
}

// The lists are of those an item is scored by; a user's row needs those that each of its items counts for: their transpose.
static pm_var score(pm_build *b)
{
    pm_graph *g = b->g;
    const int64_t k = neighbours(b), all = b->items * k;
    const pm_var id = pm_to_u32(g, kept(b, "neighbours", b->items, k)), value = pm_reshape(g, kept(b, "similarities", b->items, k), 1, all);
    pm_var to, place;
    const pm_var ptr = pm_index_transpose(g, id, pm_to_u32(g, pm_fill(g, 1, 1, (float)b->items)), b->items, all, &to, &place);
    const pm_var x = pm_config_is(b->config, "input", "counts") ? b->x.val : ones(b, b->x.entries);
    return pm_gram(g, b->x.ptr, b->x.col, x, ptr, to, pm_take_cols(g, value, place), b->items);
}

const pm_model pm_model_item_knn = {
    .name = "item-knn",
    .title = "Item-based nearest neighbours: items that are most alike by who has them",
    .paper = "Sarwar et al., 2001, Item-Based Collaborative Filtering Recommendation Algorithms",
    .hypers = hypers,
    .grids = grids,
    .proofs = proofs,
    .transposed = true,
    .ratings = true,
    .phases = phases,
    .passes = passes,
    .solve = solve,
    .score = score,
};
