// strong: validation and test users are held out whole; a fifth of each one's items is to be found from the others.
// Liang et al., "Variational Autoencoders for Collaborative Filtering" (2018), Section 4.2.
#include "data/internal.h"

#include "core/philox.h"

enum { FEWEST_ITEMS = 5 };    // below it a user's items are all fold-in, and the user does not count
enum { TRAIN = 1, VALID_IN = 2, VALID_OUT = 4, TEST_IN = 8, TEST_OUT = 16 };

static pm_status choose_roles(const void *scratch, int64_t users, int64_t held_out, uint64_t seed, uint8_t *role)
{
    uint32_t *order = pm_new_array(scratch, uint32_t, users);
    PM_CHECK_ALLOC(order);
    for (int64_t u = 0; u < users; u++) order[u] = (uint32_t)u;
    pm_rng rng = { .key = seed, .stream = pm_stream_of_name("split.strong.users") };
    for (int64_t i = 0; i < 2 * held_out; i++) {
        const int64_t j = i + pm_rng_below(&rng, (uint32_t)(users - i));
        const uint32_t u = order[j];
        order[j] = order[i];
        order[i] = u;
    }
    memset(role, PM_ROLE_TRAIN, (size_t)users);
    for (int64_t i = 0; i < 2 * held_out; i++) role[order[i]] = i < held_out ? PM_ROLE_VALID : PM_ROLE_TEST;
    return PM_OK;
}

// Marks ⌊fold_out · n⌋ of a held-out user's n entries as to be found. `entry` lists them and is shuffled.
static void fold(uint32_t *entry, uint32_t n, double fold_out, uint64_t seed, uint32_t user, uint8_t out, uint8_t *label)
{
    if (n < FEWEST_ITEMS) return;
    const uint32_t found = (uint32_t)(fold_out * n + 1e-9);
    pm_rng rng = { .key = seed, .stream = pm_stream_of_name("split.strong.fold"), .row = user };
    for (uint32_t i = 0; i < found; i++) {
        const uint32_t j = i + pm_rng_below(&rng, n - i), e = entry[j];
        entry[j] = entry[i];
        entry[i] = e;
        label[e] = out;
    }
}

// Labels every entry; those of held-out users outside the training items get none.
static pm_status label_entries(const void *scratch, const pm_list *all, int64_t users, const uint8_t *role,
                               const uint8_t *trained, double fold_out, uint64_t seed, uint8_t *label)
{
    uint32_t *start = pm_new_array(scratch, uint32_t, users + 2), *entry = pm_new_array(scratch, uint32_t, all->count);
    if (!start || !entry) return PM_ERR_NOMEM;
    for (int64_t i = 0; i < all->count; i++) {
        const uint8_t r = role[all->user[i]];
        label[i] = r == PM_ROLE_TRAIN ? TRAIN : !trained[all->item[i]] ? 0 : r == PM_ROLE_VALID ? VALID_IN : TEST_IN;
        if (label[i] > TRAIN) start[all->user[i] + 2]++;
    }
    for (int64_t u = 0; u < users; u++) start[u + 2] += start[u + 1];
    for (int64_t i = 0; i < all->count; i++)
        if (label[i] > TRAIN) entry[start[all->user[i] + 1]++] = (uint32_t)i;
    for (int64_t u = 0; u < users; u++) {
        if (role[u] == PM_ROLE_TRAIN) continue;
        fold(entry + start[u], start[u + 1] - start[u], fold_out, seed, (uint32_t)u,
             role[u] == PM_ROLE_VALID ? VALID_OUT : TEST_OUT, label);
    }
    return PM_OK;
}

static pm_status build_part(pm_split *split, const void *scratch, const pm_list *all, const uint8_t *label,
                            const uint8_t *role, int wanted, uint8_t in, uint8_t out, pm_eval_part *part)
{
    pm_csr input, target;
    PM_TRY(pm_csr_select(split, scratch, all, label, in, &input));
    PM_TRY(pm_csr_select(split, scratch, all, label, out, &target));
    return pm_part_build(split, part, &input, &target, role, wanted, false);
}

static pm_status build_train(pm_split *split, const void *scratch, const pm_list *all, const uint8_t *label,
                             const uint8_t *role)
{
    pm_csr train;
    int64_t rows = 0;
    PM_TRY(pm_csr_select(split, scratch, all, label, TRAIN, &train));
    split->train_user = pm_new_array(split, uint32_t, train.rows);
    PM_CHECK_ALLOC(split->train_user);
    for (int64_t u = 0; u < train.rows; u++)
        if (role[u] == PM_ROLE_TRAIN) split->train_user[rows++] = (uint32_t)u;
    return pm_csr_take_rows(split, &train, split->train_user, rows, &split->train);
}

static pm_status check(pm_split *split, int64_t users, int64_t held_out, double fold_out)
{
    PM_REQUIRE(split, held_out >= 1, PM_ERR_ARG, "split strong: held_out = %" PRId64 " must be at least 1", held_out);
    PM_REQUIRE(split, held_out < users && 2 * held_out < users, PM_ERR_DATA,
               "split strong: 2 x %" PRId64 " held-out users leave none of %" PRId64 " to train on; hold out fewer",
               held_out, users);
    PM_REQUIRE(split, fold_out > 0.0 && fold_out < 1.0, PM_ERR_ARG, "split strong: fold_out = %g must lie between 0 and 1",
               fold_out);
    return PM_OK;
}

// How many users validation and test have each.
static pm_status count_held_out(pm_split *split, const pm_split_params *p, int64_t users, int64_t *out)
{
    PM_REQUIRE(split, !p->held_out || p->held_out_share == 0.0, PM_ERR_ARG,
               "split strong: held_out = %" PRId64 " and held_out_share = %g both say how many users are held out; give one", p->held_out,
               p->held_out_share);
    PM_REQUIRE(split, p->held_out_share >= 0.0 && p->held_out_share < 0.5, PM_ERR_ARG,
               "split strong: held_out_share = %g must be positive and below one half, for validation and test each", p->held_out_share);
    *out = p->held_out                  ? p->held_out
           : p->held_out_share != 0.0 ? PM_MAX((int64_t)(p->held_out_share * (double)users + 1e-9), 1)
                                      : PM_MIN(PM_MAX(users / 10, 1), 10000);
    return PM_OK;
}

static pm_status split_into(pm_split *split, const void *scratch, const pm_interactions *in, const pm_split_params *params)
{
    pm_list all = { 0 };
    PM_TRY(pm_all_interactions(scratch, in, &all));
    split->interactions = all.count;
    const int64_t users = pm_ids_count(in->users), items = pm_ids_count(in->items);
    int64_t held_out = 0;
    const double fold_out = params->fold_out != 0.0 ? params->fold_out : 0.2;
    PM_TRY(count_held_out(split, params, users, &held_out));
    PM_TRY(check(split, users, held_out, fold_out));
    uint8_t *role = pm_new_array(scratch, uint8_t, users), *trained = pm_new_array(scratch, uint8_t, items);
    uint8_t *label = pm_new_array(scratch, uint8_t, all.count);
    uint32_t *remap = pm_new_array(scratch, uint32_t, items);
    if (!role || !trained || !label || !remap) return PM_ERR_NOMEM;
    PM_TRY(choose_roles(scratch, users, held_out, params->seed, role));
    for (int64_t i = 0; i < all.count; i++) trained[all.item[i]] |= role[all.user[i]] == PM_ROLE_TRAIN;
    PM_TRY(label_entries(scratch, &all, users, role, trained, fold_out, params->seed, label));
    PM_TRY(pm_ids_copy(split, in->users, &split->users));
    PM_TRY(pm_ids_subset(split, in->items, trained, remap, &split->items));
    for (int64_t i = 0; i < all.count; i++)
        all.item[i] = remap[all.item[i]];    // only those without a label become UINT32_MAX
    split->held_out_users = true;
    PM_TRY(build_train(split, scratch, &all, label, role));
    PM_REQUIRE(split, split->train.nnz > 0, PM_ERR_DATA, "split strong: the training users have no interactions");
    PM_TRY(build_part(split, scratch, &all, label, role, PM_ROLE_VALID, VALID_IN, VALID_OUT, &split->valid));
    return build_part(split, scratch, &all, label, role, PM_ROLE_TEST, TEST_IN, TEST_OUT, &split->test);
}

pm_status pm_split_strong(pm_split *split, const pm_interactions *in, const pm_split_params *params)
{
    char *scratch = pm_new(split, char);
    PM_CHECK_ALLOC(scratch);
    PM_TRY(split_into(split, scratch, in, params));
    pm_free(scratch);
    return PM_OK;
}
