// temporal: the last window of time is the test part, the last interactions before it are validation. The MIL paper's
// Netflix-cutoff, Section 3.1.
#include "data/date.h"
#include "data/internal.h"

enum { DAY = 86400, USUAL_DAYS = 30 };

static const double usual_share = 0.1;

static pm_status check(pm_split *split, const pm_split_params *p)
{
    int64_t from;
    PM_REQUIRE(split, p->test_days >= 0, PM_ERR_ARG, "split temporal: test_days = %" PRId64 " must be positive", p->test_days);
    PM_REQUIRE(split, !p->test_days || !p->test_from, PM_ERR_ARG,
               "split temporal: test_days = %" PRId64 " and test_from = %s both say where the test part begins; give one",
               p->test_days, p->test_from);
    PM_REQUIRE(split, !p->test_from || pm_date_parse(p->test_from, &from), PM_ERR_ARG,
               "split temporal: test_from = '%s' is no date; give one such as 2003-02-28 (UTC), or Unix seconds", p->test_from);
    PM_REQUIRE(split, p->valid_share >= 0.0 && p->valid_share < 1.0, PM_ERR_ARG,
               "split temporal: valid_share = %g must be positive and less than 1", p->valid_share);
    return PM_OK;
}

static void span(const pm_list *all, int64_t *first, int64_t *last)
{
    *first = *last = all->time[0];
    for (int64_t i = 1; i < all->count; i++) {
        *first = PM_MIN(*first, all->time[i]);
        *last = PM_MAX(*last, all->time[i]);
    }
}

// The second that the test part begins with. A window of N days ends with the last interaction.
static int64_t test_begins(const pm_split_params *p, int64_t first, int64_t last)
{
    int64_t from = 0;
    if (p->test_from) {
        pm_date_parse(p->test_from, &from);
        return from;
    }
    const uint64_t days = (uint64_t)(p->test_days ? p->test_days : USUAL_DAYS), length = (uint64_t)last - (uint64_t)first;
    return days > length / DAY ? first : last - (int64_t)(days * DAY) + 1;
}

static pm_status label_test(pm_split *split, const pm_list *all, int64_t first, int64_t last, uint8_t *label, int64_t *before)
{
    char from[PM_DATE_SIZE], begin[PM_DATE_SIZE], end[PM_DATE_SIZE];
    pm_date_text(split->test_from, from);
    pm_date_text(first, begin);
    pm_date_text(last, end);
    PM_REQUIRE(split, split->test_from <= last, PM_ERR_DATA,
               "split temporal: no interaction is left to test on: the last one is of %s, before %s; begin the test part earlier", end,
               from);
    PM_REQUIRE(split, split->test_from > first, PM_ERR_DATA,
               "split temporal: no interaction is left to train on: the data go from %s to %s, and the test part would begin with %s; "
               "begin it later, or make the window shorter",
               begin, end, from);
    for (int64_t i = 0; i < all->count; i++) {
        label[i] = all->time[i] >= split->test_from ? PM_LABEL_TEST : PM_LABEL_TRAIN;
        *before += label[i] == PM_LABEL_TRAIN;
    }
    return PM_OK;
}

static int64_t count_from(const pm_list *all, const uint8_t *label, int64_t time)
{
    int64_t n = 0;
    for (int64_t i = 0; i < all->count; i++) n += label[i] == PM_LABEL_TRAIN && all->time[i] >= time;
    return n;
}

// Labels the last `wanted` entries before the test part; of equal times the last in the file. The second that they begin
// with is found by bisection: no copy is sorted.
static void label_valid(pm_split *split, const pm_list *all, int64_t first, int64_t wanted, uint8_t *label)
{
    int64_t low = first, high = split->test_from;    // at least `wanted` from low on, fewer from high on
    while ((uint64_t)high - (uint64_t)low > 1) {
        const int64_t middle = (int64_t)((uint64_t)low + ((uint64_t)high - (uint64_t)low) / 2);
        if (count_from(all, label, middle) >= wanted) low = middle;
        else high = middle;
    }
    int64_t tied = wanted - count_from(all, label, high);    // of those at `low`
    for (int64_t i = all->count - 1; i >= 0; i--) {
        if (label[i] != PM_LABEL_TRAIN || all->time[i] < low) continue;
        if (all->time[i] == low && tied-- <= 0) continue;
        label[i] = PM_LABEL_VALID;
    }
    split->valid_from = low;
}

static pm_status split_into(pm_split *split, const void *scratch, const pm_interactions *in, const pm_split_params *params)
{
    pm_list all = { 0 };
    int64_t first, last, before = 0;
    PM_TRY(check(split, params));
    PM_TRY(pm_all_interactions(scratch, in, &all));
    PM_REQUIRE(split, all.has_time, PM_ERR_DATA,
               "split temporal: the data have no timestamps; name their column with --columns, or choose another protocol");
    split->interactions = all.count;
    span(&all, &first, &last);
    split->test_from = test_begins(params, first, last);
    uint8_t *label = pm_new_array(scratch, uint8_t, all.count);
    PM_CHECK_ALLOC(label);
    PM_TRY(label_test(split, &all, first, last, label, &before));
    const double share = params->valid_share != 0.0 ? params->valid_share : usual_share;
    const int64_t valid = (int64_t)(share * (double)before + 1e-9);
    PM_REQUIRE(split, valid > 0, PM_ERR_DATA,
               "split temporal: a share of %g of the %" PRId64 " interactions before the test part is none to validate on; raise valid_share",
               share, before);
    label_valid(split, &all, first, valid, label);
    PM_TRY(pm_ids_copy(split, in->users, &split->users));
    PM_TRY(pm_ids_copy(split, in->items, &split->items));
    return pm_split_by_label(split, scratch, &all, label);
}

pm_status pm_split_temporal(pm_split *split, const pm_interactions *in, const pm_split_params *params)
{
    char *scratch = pm_new(split, char);
    PM_CHECK_ALLOC(scratch);
    PM_TRY(split_into(split, scratch, in, params));
    pm_free(scratch);
    return PM_OK;
}
