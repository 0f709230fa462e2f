// rating: known ratings are dealt at random to test, or a fold of them is; validation is cut from the rest. Sparse stacked denoising autoencoders,
// Section 4.1.
#include "data/internal.h"

#include "core/philox.h"

static const double usual_test = 0.1, usual_valid = 0.1;

static pm_status check(pm_split *split, const pm_split_params *p)
{
    PM_REQUIRE(split, p->test_share >= 0.0 && p->test_share < 1.0 && p->valid_share >= 0.0 && p->valid_share < 1.0, PM_ERR_ARG,
               "split rating: test_share = %g and valid_share = %g must be positive and less than 1", p->test_share, p->valid_share);
    PM_REQUIRE(split, p->folds == 0 || p->folds >= 2, PM_ERR_ARG, "split rating: folds = %" PRId64 " must be at least 2", p->folds);
    PM_REQUIRE(split, p->fold >= 0 && p->fold <= p->folds, PM_ERR_ARG, "split rating: fold = %" PRId64 " must be from 1 to folds = %" PRId64, p->fold,
               p->folds);
    PM_REQUIRE(split, p->folds == 0 || p->test_share == 0.0, PM_ERR_ARG,
               "split rating: folds = %" PRId64 " and test_share = %g both say how much is for test; give one", p->folds, p->test_share);
    return PM_OK;
}

static pm_status shuffled(const void *scratch, int64_t count, uint64_t seed, uint32_t **out)
{
    uint32_t *order = *out = pm_new_array(scratch, uint32_t, count);
    PM_CHECK_ALLOC(order);
    for (int64_t i = 0; i < count; i++) order[i] = (uint32_t)i;
    pm_rng rng = { .key = seed, .stream = pm_stream_of_name("split.rating") };
    for (int64_t i = 0; i + 1 < count; i++) {
        const int64_t j = i + pm_rng_below(&rng, (uint32_t)(count - i));
        const uint32_t e = order[j];
        order[j] = order[i];
        order[i] = e;
    }
    return PM_OK;
}

// In the shuffled order the test part lies from `begin` on, validation follows, round the end.
static void deal(const uint32_t *order, int64_t count, int64_t begin, int64_t test, int64_t valid, uint8_t *label)
{
    memset(label, PM_LABEL_TRAIN, (size_t)count);
    for (int64_t i = 0; i < test + valid; i++) label[order[(begin + i) % count]] = i < test ? PM_LABEL_TEST : PM_LABEL_VALID;
}

// Users whom training lacks, and what is to be predicted of them.
static pm_status count_strangers(pm_split *split)
{
    pm_eval_part *parts[2] = { &split->valid, &split->test };
    uint8_t *trained = pm_new_array(split, uint8_t, pm_ids_count(split->users));
    PM_CHECK_ALLOC(trained);
    for (int64_t r = 0; r < split->train.rows; r++) trained[split->train_user[r]] = 1;
    for (int p = 0; p < 2; p++)
        for (int64_t r = 0; r < parts[p]->users; r++) {
            if (trained[parts[p]->user[r]]) continue;
            parts[p]->unseen_users++;
            parts[p]->unseen_user_targets += parts[p]->target.indptr[r + 1] - parts[p]->target.indptr[r];
        }
    pm_free(trained);
    return PM_OK;
}

static pm_status split_into(pm_split *split, const void *scratch, const pm_interactions *in, const pm_split_params *p)
{
    pm_list all = { 0 };
    uint32_t *order;
    PM_TRY(check(split, p));
    PM_TRY(pm_all_interactions(scratch, in, &all));
    const int64_t n = split->interactions = all.count, folds = p->folds, fold = PM_MAX(p->fold, 1);
    const double test_share = p->test_share != 0.0 ? p->test_share : usual_test, valid_share = p->valid_share != 0.0 ? p->valid_share : usual_valid;
    const int64_t begin = folds ? (fold - 1) * n / folds : 0, test = folds ? fold * n / folds - begin : (int64_t)(test_share * (double)n + 1e-9),
                  valid = (int64_t)(valid_share * (double)(n - test) + 1e-9);
    PM_REQUIRE(split, test > 0 && valid > 0 && test + valid < n, PM_ERR_DATA,
               "split rating: of %" PRId64 " ratings %" PRId64 " would be for test and %" PRId64 " for validation; no part may be empty", n, test, valid);
    uint8_t *label = pm_new_array(scratch, uint8_t, n);
    PM_CHECK_ALLOC(label);
    PM_TRY(shuffled(scratch, n, p->seed, &order));
    deal(order, n, begin, test, valid, label);
    PM_TRY(pm_ids_copy(split, in->users, &split->users));
    PM_TRY(pm_ids_copy(split, in->items, &split->items));
    PM_TRY(pm_split_by_label(split, scratch, &all, label));
    return count_strangers(split);
}

pm_status pm_split_rating(pm_split *split, const pm_interactions *in, const pm_split_params *params)
{
    char *scratch = pm_new(split, char);
    PM_CHECK_ALLOC(scratch);
    PM_TRY(split_into(split, scratch, in, params));
    pm_free(scratch);
    return PM_OK;
}
