// The candidates among which leave-one-out ranks each user's target.
#include "data/internal.h"

#include "core/philox.h"

static uint32_t target_of(const pm_eval_part *part, int64_t row)
{
    return part->target.col[part->target.indptr[row]];
}

// Writes what fits no list twice. seen[item] == mark: already in this row's list.
static bool take(pm_eval_part *part, uint32_t *at, uint32_t item, uint32_t *seen, uint32_t mark)
{
    if (seen[item] == mark) return false;
    seen[item] = mark;
    part->candidate[(*at)++] = item;
    return true;
}

static pm_status group_by_user(const void *scratch, const pm_list *pairs, int64_t users, uint32_t **start, uint32_t **order)
{
    *start = pm_new_array(scratch, uint32_t, users + 2);
    *order = pm_new_array(scratch, uint32_t, PM_MAX(pairs->count, 1));
    if (!*start || !*order) return PM_ERR_NOMEM;
    for (int64_t i = 0; i < pairs->count; i++) (*start)[pairs->user[i] + 2]++;
    for (int64_t u = 0; u < users; u++) (*start)[u + 2] += (*start)[u + 1];
    for (int64_t i = 0; i < pairs->count; i++) (*order)[(*start)[pairs->user[i] + 1]++] = (uint32_t)i;
    return PM_OK;
}

static pm_status given(pm_split *split, const void *scratch, pm_eval_part *part, const pm_list *pairs, bool target_first)
{
    uint32_t *start, *order, at = 0;
    PM_TRY(group_by_user(scratch, pairs, pm_ids_count(split->users), &start, &order));
    uint32_t *seen = pm_new_array(scratch, uint32_t, pm_ids_count(split->items));
    part->candidate_ptr = pm_new_array(split, uint32_t, part->users + 1);
    part->candidate = pm_new_array(split, uint32_t, part->users + pairs->count);
    if (!seen || !part->candidate_ptr || !part->candidate) return PM_ERR_NOMEM;
    for (int64_t r = 0; r < part->users; r++) {
        const uint32_t u = part->user[r], mark = (uint32_t)r + 1;
        uint32_t k = start[u];
        PM_REQUIRE(split, k < start[u + 1], PM_ERR_DATA,
                   "split: user '%s' has a target and no candidates; give some, or remove the file of negatives to have "
                   "them sampled",
                   pm_ids_name(split->users, u));
        take(part, &at, target_of(part, r), seen, mark);
        if (target_first && pairs->item[order[k]] == target_of(part, r)) k++;
        for (; k < start[u + 1]; k++) part->dropped_candidates += !take(part, &at, pairs->item[order[k]], seen, mark);
        part->candidate_ptr[r + 1] = at;
    }
    part->sampled = true;
    return PM_OK;
}

pm_status pm_part_given_candidates(pm_split *split, pm_eval_part *part, const pm_list *pairs, bool target_first)
{
    PM_REQUIRE(split, part->users + pairs->count < UINT32_MAX, PM_ERR_DATA, "split: more than %u candidates",
               UINT32_MAX - 1);
    char *scratch = pm_new(split, char);
    PM_CHECK_ALLOC(scratch);
    PM_TRY(given(split, scratch, part, pairs, target_first));
    pm_free(scratch);
    return PM_OK;
}

// Draws `wanted` items that are not marked: by rejection where most are free, otherwise by a partial shuffle of the free
// ones.
static void draw(pm_eval_part *part, uint32_t *at, int64_t items, int64_t available, int64_t wanted, pm_rng *rng,
                 uint32_t *seen, uint32_t mark, uint32_t *free_items)
{
    if (available / 4 > wanted && available > items / 4) {
        while (wanted > 0) wanted -= take(part, at, pm_rng_below(rng, (uint32_t)items), seen, mark);
        return;
    }
    int64_t n = 0;
    for (int64_t i = 0; i < items; i++)
        if (seen[i] != mark) free_items[n++] = (uint32_t)i;
    for (int64_t k = 0; k < PM_MIN(wanted, n); k++) {
        const int64_t j = k + pm_rng_below(rng, (uint32_t)(n - k));
        take(part, at, free_items[j], seen, mark);
        free_items[j] = free_items[k];
    }
}

pm_status pm_part_sample_candidates(pm_split *split, pm_eval_part *part, const pm_csr *known, int64_t negatives,
                                    uint64_t seed, const char *stream)
{
    const int64_t items = known->cols, each = PM_MIN(negatives, items) + 1;
    PM_REQUIRE(split, part->users * each < UINT32_MAX, PM_ERR_ARG,
               "split: %" PRId64 " users with %" PRId64 " candidates each are too many; ask for fewer negatives",
               part->users, each);
    char *scratch = pm_new(split, char);
    PM_CHECK_ALLOC(scratch);
    uint32_t *seen = pm_new_array(scratch, uint32_t, items), *free_items = pm_new_array(scratch, uint32_t, items), at = 0;
    part->candidate_ptr = pm_new_array(split, uint32_t, part->users + 1);
    part->candidate = pm_new_array(split, uint32_t, part->users * each);
    if (!seen || !free_items || !part->candidate_ptr || !part->candidate) return PM_ERR_NOMEM;
    for (int64_t r = 0; r < part->users; r++) {
        const uint32_t u = part->user[r], mark = (uint32_t)r + 1;
        pm_rng rng = { .key = seed, .stream = pm_stream_of_name(stream), .row = u };
        take(part, &at, target_of(part, r), seen, mark);
        for (uint32_t e = known->indptr[u]; e < known->indptr[u + 1]; e++) seen[known->col[e]] = mark;
        draw(part, &at, items, items - (known->indptr[u + 1] - known->indptr[u]), negatives, &rng, seen, mark, free_items);
        part->short_candidates += at - part->candidate_ptr[r] < each;
        part->candidate_ptr[r + 1] = at;
    }
    part->sampled = true;
    pm_free(scratch);
    return PM_OK;
}
