// user-temporal: of each user the first interactions are training, the last test, those between validation. The two-headed AutoRec
// paper's split, Section 4.1.
#include "data/internal.h"

#include <math.h>
#include <stdlib.h>

#include "core/philox.h"

static const double usual_test = 0.3, usual_valid = 0.2;

typedef struct entry {
    int64_t  time;
    uint32_t index;    // in the file
} entry;

static int earlier(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

// Where each user's entries begin and end, in file order.
static pm_status group(const void *scratch, const pm_list *all, int64_t users, uint32_t **ptr, entry **entries)
{
    uint32_t *p = *ptr = pm_new_array(scratch, uint32_t, users + 2);
    entry *e = *entries = pm_new_array(scratch, entry, all->count);
    if (!p || !e) return PM_ERR_NOMEM;
    for (int64_t i = 0; i < all->count; i++) p[all->user[i] + 2]++;
    for (int64_t u = 0; u < users; u++) p[u + 2] += p[u + 1];
    for (int64_t i = 0; i < all->count; i++) e[p[all->user[i] + 1]++] = (entry){ all->has_time ? all->time[i] : 0, (uint32_t)i };
    return PM_OK;
}

static void shuffle(entry *e, int64_t n, uint64_t seed, int64_t user)
{
    pm_rng rng = { .key = seed, .stream = pm_stream_of_name("split.user-temporal"), .row = (uint32_t)user };
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j = pm_rng_below(&rng, (uint32_t)(i + 1));
        const entry kept = e[i];
        e[i] = e[j];
        e[j] = kept;
    }
}

static pm_status label_all(pm_split *split, const void *scratch, const pm_list *all, double test_share, double valid_share, uint8_t *label)
{
    const int64_t users = pm_ids_count(split->users);
    uint32_t *ptr;
    entry *entries;
    PM_TRY(group(scratch, all, users, &ptr, &entries));
    for (int64_t u = 0; u < users; u++) {
        entry *e = entries + ptr[u];
        const int64_t n = (int64_t)ptr[u + 1] - ptr[u];
        // a share such as 0.3 is no binary fraction: what it misses must not move a whole interaction
        const int64_t train = (int64_t)ceil((1.0 - test_share - valid_share) * (double)n - 1e-9), test = (int64_t)(test_share * (double)n + 1e-9);
        if (all->has_time) qsort(e, (size_t)n, sizeof *e, earlier);
        else shuffle(e, n, split->seed, u);
        for (int64_t k = 0; k < n; k++) label[e[k].index] = k < train ? PM_LABEL_TRAIN : k < n - test ? PM_LABEL_VALID : PM_LABEL_TEST;
    }
    return PM_OK;
}

static pm_status split_into(pm_split *split, const void *scratch, const pm_interactions *in, const pm_split_params *params)
{
    const double test = params->test_share != 0.0 ? params->test_share : usual_test;
    const double valid = params->valid_share != 0.0 ? params->valid_share : usual_valid;
    PM_REQUIRE(split, test > 0.0 && valid > 0.0 && test + valid < 1.0, PM_ERR_ARG,
               "split user-temporal: test_share = %g and valid_share = %g must be positive and together less than 1", test, valid);
    pm_list all = { 0 };
    PM_TRY(pm_all_interactions(scratch, in, &all));
    if (!all.has_time)
        pm_log(split, PM_LOG_WARN, "split user-temporal: no timestamps: each user's interactions are dealt at random, by the seed");
    split->interactions = all.count;
    uint8_t *label = pm_new_array(scratch, uint8_t, all.count);
    PM_CHECK_ALLOC(label);
    PM_TRY(pm_ids_copy(split, in->users, &split->users));
    PM_TRY(pm_ids_copy(split, in->items, &split->items));
    PM_TRY(label_all(split, scratch, &all, test, valid, label));
    return pm_split_by_label(split, scratch, &all, label);
}

pm_status pm_split_user_temporal(pm_split *split, const pm_interactions *in, const pm_split_params *params)
{
    char *scratch = pm_new(split, char);
    PM_CHECK_ALLOC(scratch);
    PM_TRY(split_into(split, scratch, in, params));
    pm_free(scratch);
    return PM_OK;
}
