// random: interactions are dealt to test, validation and training at random.
#include "data/internal.h"

#include "core/philox.h"

static pm_status deal(const void *scratch, int64_t count, int64_t test, int64_t valid, uint64_t seed, uint8_t *label)
{
    uint32_t *order = pm_new_array(scratch, uint32_t, count);
    PM_CHECK_ALLOC(order);
    for (int64_t i = 0; i < count; i++) order[i] = (uint32_t)i;
    pm_rng rng = { .key = seed, .stream = pm_stream_of_name("split.random") };
    memset(label, PM_LABEL_TRAIN, (size_t)count);
    for (int64_t i = 0; i < test + valid; i++) {
        const int64_t j = i + pm_rng_below(&rng, (uint32_t)(count - i));
        label[order[j]] = i < test ? PM_LABEL_TEST : PM_LABEL_VALID;
        order[j] = order[i];    // order[i] is not looked at again
    }
    return PM_OK;
}

pm_status pm_split_by_label(pm_split *split, const void *scratch, const pm_list *all, const uint8_t *label)
{
    pm_csr train, valid, test, known;
    pm_list trained;
    PM_TRY(pm_list_select(scratch, all, label, PM_LABEL_TRAIN, &trained));
    PM_TRY(pm_train_users(split, scratch, &trained, &train));
    PM_TRY(pm_csr_select(split, scratch, all, label, PM_LABEL_VALID, &valid));
    PM_TRY(pm_csr_select(split, scratch, all, label, PM_LABEL_TEST, &test));
    PM_TRY(pm_csr_select(split, scratch, all, label, PM_LABEL_TRAIN | PM_LABEL_VALID, &known));
    const bool strangers = pm_name_equal(split->protocol, "rating");
    PM_TRY(pm_part_build(split, &split->valid, &train, &valid, NULL, 0, strangers));
    return pm_part_build(split, &split->test, &known, &test, NULL, 0, strangers);
}

static pm_status split_into(pm_split *split, const void *scratch, const pm_interactions *in, const pm_split_params *params)
{
    const double test_share = params->test_share != 0.0 ? params->test_share : 0.1;
    const double valid_share = params->valid_share != 0.0 ? params->valid_share : 0.1;
    PM_REQUIRE(split, test_share > 0.0 && valid_share > 0.0 && test_share + valid_share < 1.0, PM_ERR_ARG,
               "split random: test_share = %g and valid_share = %g must be positive and together less than 1", test_share,
               valid_share);
    pm_list all = { 0 };
    PM_TRY(pm_all_interactions(scratch, in, &all));
    split->interactions = all.count;
    uint8_t *label = pm_new_array(scratch, uint8_t, all.count);
    PM_CHECK_ALLOC(label);
    const int64_t test = (int64_t)(test_share * (double)all.count + 1e-9),
                  valid = (int64_t)(valid_share * (double)all.count + 1e-9);
    PM_TRY(deal(scratch, all.count, test, valid, params->seed, label));
    PM_TRY(pm_ids_copy(split, in->users, &split->users));
    PM_TRY(pm_ids_copy(split, in->items, &split->items));
    return pm_split_by_label(split, scratch, &all, label);
}

pm_status pm_split_random(pm_split *split, const pm_interactions *in, const pm_split_params *params)
{
    char *scratch = pm_new(split, char);
    PM_CHECK_ALLOC(scratch);
    PM_TRY(split_into(split, scratch, in, params));
    pm_free(scratch);
    return PM_OK;
}
