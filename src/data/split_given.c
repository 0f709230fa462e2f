// leave-one-out and files: parts that came with the data, or the latest interaction of each user.
#include "data/internal.h"

#include "core/philox.h"

static pm_status copy_ids(pm_split *split, const pm_interactions *in)
{
    PM_TRY(pm_ids_copy(split, in->users, &split->users));
    return pm_ids_copy(split, in->items, &split->items);
}

// Training and given parts in one list with labels. Targets that are known before their part are counted and get no label.
static pm_status join_given(pm_split *split, const void *scratch, const pm_interactions *in, pm_list *all, uint8_t **label)
{
    const pm_list train = pm_list_view(in);
    const pm_given_part *parts[2] = { &in->companions->valid, &in->companions->test };
    pm_eval_part *to[2] = { &split->valid, &split->test };
    PM_TRY(pm_list_append(scratch, all, &train));
    for (int p = 0; p < 2; p++) PM_TRY(pm_list_append(scratch, all, &parts[p]->target));
    *label = pm_new_array(scratch, uint8_t, all->count);
    PM_CHECK_ALLOC(*label);
    memset(*label, PM_LABEL_TRAIN, (size_t)in->count);
    int64_t begin = in->count;
    for (int p = 0; p < 2; p++) {
        const uint8_t own = p ? PM_LABEL_TEST : PM_LABEL_VALID;
        pm_csr known;
        PM_TRY(pm_csr_select(split, scratch, all, *label, own - 1, &known));
        for (int64_t i = begin; i < begin + parts[p]->target.count; i++) {
            (*label)[i] = pm_csr_find(&known, all->user[i], all->item[i]) >= 0 ? 0 : own;
            to[p]->repeated_targets += (*label)[i] == 0;
        }
        begin += parts[p]->target.count;
    }
    return PM_OK;
}

// Gives `own` to the latest entry with label TRAIN of each user who has two or more; random: to any of them. *tied: users
// who have another of the same time.
static pm_status hold_out(const void *scratch, const pm_list *all, int64_t users, bool random, uint64_t seed, uint8_t own,
                          uint8_t *label, int64_t *tied)
{
    uint32_t *count = pm_new_array(scratch, uint32_t, users), *pick = pm_new_array(scratch, uint32_t, users);
    uint32_t *chosen = pm_new_array(scratch, uint32_t, users);    // index + 1
    if (!count || !pick || !chosen) return PM_ERR_NOMEM;
    for (int64_t i = 0; i < all->count; i++) count[all->user[i]] += label[i] == PM_LABEL_TRAIN;
    for (int64_t u = 0; u < users && random; u++) {
        pm_rng rng = { .key = seed, .stream = pm_stream_of_name("split.leave-one-out.valid"), .row = (uint32_t)u };
        if (count[u]) pick[u] = pm_rng_below(&rng, count[u]) + 1;
    }
    for (int64_t i = 0; i < all->count; i++) {
        const uint32_t u = all->user[i];
        if (label[i] != PM_LABEL_TRAIN) continue;
        if (random) {
            if (pick[u] && --pick[u] == 0) chosen[u] = (uint32_t)i + 1;
        } else if (!chosen[u] || !all->has_time || all->time[i] >= all->time[chosen[u] - 1]) {
            chosen[u] = (uint32_t)i + 1;    // of equal times the last in the file
        }
    }
    *tied = 0;
    for (int64_t i = all->count - 1; i >= 0 && !random && all->has_time; i--) {
        const uint32_t u = all->user[i];
        if (label[i] != PM_LABEL_TRAIN || count[u] < 2 || i == chosen[u] - INT64_C(1) || all->time[i] != all->time[chosen[u] - 1])
            continue;
        *tied += !pick[u];
        pick[u] = 1;    // counted
    }
    for (int64_t u = 0; u < users; u++)
        if (count[u] >= 2) label[chosen[u] - 1] = own;
    return PM_OK;
}

static pm_status one_target_each(pm_split *split, const pm_eval_part *part)
{
    for (int64_t r = 0; r < part->users; r++)
        PM_REQUIRE(split, part->target.indptr[r + 1] - part->target.indptr[r] == 1, PM_ERR_DATA,
                   "split leave-one-out: user '%s' has %u test rows; exactly one is ranked among the candidates, so keep "
                   "one (or use protocol files)",
                   pm_ids_name(split->users, part->user[r]), part->target.indptr[r + 1] - part->target.indptr[r]);
    return PM_OK;
}

static pm_status leave_one_out_into(pm_split *split, const void *scratch, const pm_interactions *in,
                                    const pm_split_params *params)
{
    const bool given = in->companions && pm_name_equal(in->companions->kind, "ncf");
    const bool random = params->validation && pm_name_equal(params->validation, "random");
    PM_REQUIRE(split, !params->validation || random || pm_name_equal(params->validation, "previous"), PM_ERR_ARG,
               "split leave-one-out: unknown validation '%s'; there are previous, random", params->validation);
    PM_REQUIRE(split, params->negatives >= 0, PM_ERR_ARG,
               "split leave-one-out: negatives = %" PRId64 " must not be negative", params->negatives);
    const int64_t negatives = params->negatives ? params->negatives : 100, users = pm_ids_count(in->users), items = pm_ids_count(in->items);
    PM_REQUIRE(split, negatives < items, PM_ERR_DATA,
               "split leave-one-out: %" PRId64 " negatives are to be ranked beside the target, and there are only %" PRId64
               " items; ask for fewer (--negatives %" PRId64 ")",
               negatives, items, PM_MAX(items / 2, 1));
    pm_list all = { 0 };
    uint8_t *label;
    PM_TRY(copy_ids(split, in));
    if (given) {
        PM_TRY(join_given(split, scratch, in, &all, &label));
    } else {
        PM_TRY(pm_all_interactions(scratch, in, &all));
        label = pm_new_array(scratch, uint8_t, all.count);
        PM_CHECK_ALLOC(label);
        memset(label, PM_LABEL_TRAIN, (size_t)all.count);
        if (!all.has_time)
            pm_log(split, PM_LOG_WARN,
                   "split leave-one-out: no times: the last interaction of a user in the file counts as the latest");
        PM_TRY(hold_out(scratch, &all, users, false, params->seed, PM_LABEL_TEST, label, &split->test.tied_times));
    }
    split->interactions = all.count;
    PM_TRY(hold_out(scratch, &all, users, random, params->seed, PM_LABEL_VALID, label, &split->valid.tied_times));
    PM_TRY(pm_split_by_label(split, scratch, &all, label));
    pm_csr known;
    PM_TRY(pm_csr_of_list(scratch, &all, users, items, &known));
    PM_TRY(one_target_each(split, &split->test));
    PM_TRY(pm_part_sample_candidates(split, &split->valid, &known, negatives, params->seed,
                                     "split.leave-one-out.valid.negatives"));
    if (given && in->companions->test.has_candidates)
        return pm_part_given_candidates(split, &split->test, &in->companions->test.candidates, false);
    PM_TRY(pm_part_sample_candidates(split, &split->test, &known, negatives, params->seed,
                                     "split.leave-one-out.test.negatives"));
    if (split->test.short_candidates)
        pm_log(split, PM_LOG_WARN,
               "split leave-one-out: %" PRId64 " users have met so many items that fewer than %" PRId64
               " negatives are left for them; they are ranked among those",
               split->test.short_candidates, negatives);
    return PM_OK;
}

// The parts of a written split, as they were.
static pm_status build_written_part(pm_split *split, const void *scratch, const pm_given_part *given, pm_eval_part *part)
{
    const int64_t users = pm_ids_count(split->users), items = pm_ids_count(split->items);
    pm_csr input, target;
    uint8_t *present = pm_new_array(scratch, uint8_t, users);
    PM_CHECK_ALLOC(present);
    for (int64_t i = 0; i < given->target.count; i++) present[given->target.user[i]] = 1;
    PM_TRY(pm_csr_of_list(scratch, &given->input, users, items, &input));
    PM_TRY(pm_csr_of_list(scratch, &given->target, users, items, &target));
    PM_TRY(pm_part_build(split, part, &input, &target, present, 1, true));
    part->excluded_no_target += given->excluded_no_target;
    part->excluded_no_history += given->excluded_no_history;
    part->repeated_targets = given->repeated_targets;
    part->tied_times = given->tied_times;
    part->short_candidates = given->short_candidates;
    if (given->has_candidates) {
        PM_TRY(one_target_each(split, part));
        PM_TRY(pm_part_given_candidates(split, part, &given->candidates, true));
    }
    part->dropped_candidates += given->dropped_candidates;
    return PM_OK;
}

static pm_status rebuild(pm_split *split, const void *scratch, const pm_interactions *in)
{
    const pm_companions *c = in->companions;
    const pm_list train = pm_list_view(in);
    const int64_t users = pm_ids_count(split->users);
    pm_csr all;
    int64_t rows = 0;
    PM_TRY(pm_csr_of_list(scratch, &train, users, pm_ids_count(split->items), &all));
    split->train_user = pm_new_array(split, uint32_t, PM_MAX(users, 1));
    PM_CHECK_ALLOC(split->train_user);
    for (int64_t u = 0; u < users; u++)
        if (c->role[u] == PM_ROLE_TRAIN) split->train_user[rows++] = (uint32_t)u;
    PM_TRY(pm_csr_take_rows(split, &all, split->train_user, rows, &split->train));
    PM_REQUIRE(split, split->train.nnz == in->count, PM_ERR_DATA,
               "split files: train.tsv has users whose role in users.tsv is not train");
    split->held_out_users = c->held_out_users;
    split->seed = c->seed;
    split->interactions = c->interactions;
    PM_TRY(build_written_part(split, scratch, &c->valid, &split->valid));
    return build_written_part(split, scratch, &c->test, &split->test);
}

static pm_status files_into(pm_split *split, const void *scratch, const pm_interactions *in, const pm_split_params *params)
{
    const pm_companions *c = in->companions;
    PM_REQUIRE(split, c, PM_ERR_DATA,
               "split files: the data came without parts of their own; put valid and test files beside train.csv (or "
               "Rvalid.npz and Rtest.npz beside "
               "Rtrain.npz), name a folder that `data split` wrote, or choose another protocol");
    if (pm_name_equal(c->kind, "ncf")) return leave_one_out_into(split, scratch, in, params);
    PM_REQUIRE(split, c->valid.present && c->test.present, PM_ERR_DATA,
               "split files: there is no %s part beside the training file; add it, or choose protocol random",
               c->valid.present ? "test" : "validation");
    PM_TRY(copy_ids(split, in));
    if (pm_name_equal(c->kind, "split")) return rebuild(split, scratch, in);
    pm_list all = { 0 };
    uint8_t *label;
    PM_TRY(join_given(split, scratch, in, &all, &label));
    split->interactions = all.count;
    return pm_split_by_label(split, scratch, &all, label);
}

pm_status pm_split_leave_one_out(pm_split *split, const pm_interactions *in, const pm_split_params *params)
{
    char *scratch = pm_new(split, char);
    PM_CHECK_ALLOC(scratch);
    PM_TRY(leave_one_out_into(split, scratch, in, params));
    pm_free(scratch);
    return PM_OK;
}

pm_status pm_split_files(pm_split *split, const pm_interactions *in, const pm_split_params *params)
{
    char *scratch = pm_new(split, char);
    PM_CHECK_ALLOC(scratch);
    PM_TRY(files_into(split, scratch, in, params));
    pm_free(scratch);
    return PM_OK;
}
