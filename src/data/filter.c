// Filters, in the order of their fields: rating, items, users; then binarising.
#include "data/internal.h"

static void mark_by_rating(const pm_filter_params *p, const pm_list *in, uint8_t *keep)
{
    for (int64_t i = 0; i < in->count; i++) {
        keep[i] = 1;    // compared as f32, since the ratings are: 0.7 in a file is at least 0.7
        if (p->has_min_rating && !(in->value[i] >= (float)p->min_rating)) keep[i] = 0;
        if (p->has_rating_above && !(in->value[i] > (float)p->rating_above)) keep[i] = 0;
    }
}

// Drops the kept entries whose key occurs less than `min` times among them; returns how many went.
static int64_t drop_rare(const uint32_t *key, int64_t count, int64_t keys, int64_t min, uint32_t *times, uint8_t *keep)
{
    int64_t dropped = 0;
    if (min <= 1) return 0;
    memset(times, 0, (size_t)keys * sizeof *times);
    for (int64_t i = 0; i < count; i++) times[key[i]] += keep[i];
    for (int64_t i = 0; i < count; i++) {
        if (!keep[i] || times[key[i]] >= min) continue;
        keep[i] = 0;
        dropped++;
    }
    return dropped;
}

static int64_t count_kept(const uint8_t *keep, int64_t count)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++) kept += keep[i];
    return kept;
}

static pm_status nothing_left(const void *object, const char *filter)
{
    return pm_fail(object, PM_ERR_DATA, "filter: %s leaves no interactions; give a lower bound", filter);
}

// below: NULL, or marks what the rating alone drops.
static pm_status mark(const void *scratch, const pm_interactions *in, const pm_filter_params *p, uint8_t *keep, uint8_t *below)
{
    const pm_list all = pm_list_view(in);
    const int64_t users = pm_ids_count(in->users), items = pm_ids_count(in->items);
    uint32_t *times = pm_new_array(scratch, uint32_t, PM_MAX(users, items));
    PM_CHECK_ALLOC(times);
    mark_by_rating(p, &all, keep);
    for (int64_t i = 0; below && i < in->count; i++) below[i] = !keep[i];
    if (count_kept(keep, in->count) == 0)
        return nothing_left(scratch, p->has_min_rating ? "the smallest rating" : "the rating to exceed");
    for (bool again = true; again;) {
        const int64_t by_item = drop_rare(in->item, in->count, items, p->min_item, times, keep);
        if (count_kept(keep, in->count) == 0) return nothing_left(scratch, "the smallest number of interactions an item");
        const int64_t by_user = drop_rare(in->user, in->count, users, p->min_user, times, keep);
        if (count_kept(keep, in->count) == 0) return nothing_left(scratch, "the smallest number of interactions a user");
        again = p->until_stable && by_item + by_user > 0;
    }
    return PM_OK;
}

// The ids that occur among the kept entries, and the entries' new numbers.
static pm_status renumber(pm_interactions *out, const void *scratch, const uint32_t *key, const uint8_t *keep, int64_t count,
                          const pm_ids *ids, uint32_t **remap, pm_ids **made)
{
    uint8_t *used = pm_new_array(scratch, uint8_t, pm_ids_count(ids));
    *remap = pm_new_array(scratch, uint32_t, pm_ids_count(ids));
    if (!used || !*remap) return PM_ERR_NOMEM;
    for (int64_t i = 0; i < count; i++) used[key[i]] |= keep[i];
    return pm_ids_subset(out, ids, used, *remap, made);
}

static void set_ones(pm_list *list)
{
    for (int64_t i = 0; i < list->count; i++) list->value[i] = 1.0f;
}

static pm_status take(pm_interactions *out, const pm_interactions *in, const uint8_t *keep, bool binarize)
{
    const pm_list all = pm_list_view(in);
    pm_list kept;
    PM_TRY(pm_list_select(out, &all, keep, 1, &kept));
    if (binarize) set_ones(&kept);
    out->count = kept.count;
    out->user = kept.user;
    out->item = kept.item;
    out->value = kept.value;
    out->time = in->time ? kept.time : NULL;
    if (!in->time) pm_free(kept.time);
    return PM_OK;
}

// Those whose user and item are still there; the maps NULL where ids stayed.
static pm_status take_below(pm_interactions *out, const pm_interactions *in, uint8_t *below, const uint32_t *user_map, const uint32_t *item_map)
{
    const pm_list all = pm_list_view(in);
    pm_list kept;
    for (int64_t i = 0; i < in->count; i++)
        if (user_map && (user_map[in->user[i]] == UINT32_MAX || item_map[in->item[i]] == UINT32_MAX)) below[i] = 0;
    PM_TRY(pm_list_select(out, &all, below, 1, &kept));
    for (int64_t i = 0; user_map && i < kept.count; i++) {
        kept.user[i] = user_map[kept.user[i]];
        kept.item[i] = item_map[kept.item[i]];
    }
    out->below_count = kept.count;
    out->below_user = kept.user;
    out->below_item = kept.item;
    out->below_value = kept.value;
    out->below_time = in->time ? kept.time : NULL;
    return PM_OK;
}

static pm_status filter_list(pm_interactions *out, const pm_list *in, const pm_filter_params *p, bool by_rating,
                             pm_list *kept)
{
    uint8_t *keep = pm_new_array(out, uint8_t, PM_MAX(in->count, 1));
    PM_CHECK_ALLOC(keep);
    if (by_rating) mark_by_rating(p, in, keep);
    else memset(keep, 1, (size_t)in->count);
    const pm_status st = pm_list_select(out, in, keep, 1, kept);
    pm_free(keep);
    if (st == PM_OK && p->binarize) set_ones(kept);
    return st;
}

// Given parts keep their ids whole, since candidates name items by them, and are filtered by rating like the rest.
static pm_status filter_companions(pm_interactions *out, const pm_interactions *in, const pm_filter_params *p)
{
    PM_TRY(pm_ids_copy(out, in->users, &out->users));
    PM_TRY(pm_ids_copy(out, in->items, &out->items));
    pm_companions *c = pm_new(out, pm_companions);
    PM_CHECK_ALLOC(c);
    *c = *in->companions;
    out->companions = c;
    const pm_given_part *from[2] = { &in->companions->valid, &in->companions->test };
    pm_given_part *to[2] = { &c->valid, &c->test };
    for (int k = 0; k < 2; k++) {
        PM_TRY(filter_list(out, &from[k]->input, p, true, &to[k]->input));
        PM_TRY(filter_list(out, &from[k]->target, p, true, &to[k]->target));
        PM_TRY(filter_list(out, &from[k]->candidates, p, false, &to[k]->candidates));
    }
    if (!in->companions->role) return PM_OK;
    c->role = pm_new_array(out, uint8_t, PM_MAX(pm_ids_count(in->users), 1));
    PM_CHECK_ALLOC(c->role);
    memcpy(c->role, in->companions->role, (size_t)pm_ids_count(in->users));
    return PM_OK;
}

static pm_status filter_into(pm_interactions *out, const void *scratch, const pm_interactions *in, const pm_filter_params *p)
{
    uint8_t *keep = pm_new_array(scratch, uint8_t, in->count);
    PM_CHECK_ALLOC(keep);
    out->duplicates = in->duplicates;
    out->skipped_lines = in->skipped_lines;
    uint8_t *below = p->keep_below ? pm_new_array(scratch, uint8_t, in->count) : NULL;
    if (p->keep_below) PM_CHECK_ALLOC(below);
    PM_TRY(mark(scratch, in, p, keep, below));
    if (in->companions) {
        PM_TRY(filter_companions(out, in, p));
        if (below) PM_TRY(take_below(out, in, below, NULL, NULL));
        return take(out, in, keep, p->binarize);
    }
    uint32_t *user_map, *item_map;
    PM_TRY(renumber(out, scratch, in->user, keep, in->count, in->users, &user_map, &out->users));
    PM_TRY(renumber(out, scratch, in->item, keep, in->count, in->items, &item_map, &out->items));
    PM_TRY(take(out, in, keep, p->binarize));
    for (int64_t i = 0; i < out->count; i++) {
        out->user[i] = user_map[out->user[i]];
        out->item[i] = item_map[out->item[i]];
    }
    return below ? take_below(out, in, below, user_map, item_map) : PM_OK;
}

pm_status pm_data_filter(const void *parent, const pm_interactions *in, const pm_filter_params *params,
                         pm_interactions **out)
{
    *out = NULL;
    PM_REQUIRE(parent, params->min_item >= 0 && params->min_user >= 0, PM_ERR_ARG,
               "filter: min_item = %" PRId64 " and min_user = %" PRId64 " must not be negative", params->min_item,
               params->min_user);
    PM_REQUIRE(
        parent, !in->companions || (params->min_item <= 1 && params->min_user <= 1), PM_ERR_ARG,
        "filter: the data come with their own validation or test part (%s), which min_item and min_user would take apart; "
        "leave these filters out, or read one file of all interactions",
        in->companions->kind);
    pm_interactions *made = pm_new(parent, pm_interactions);
    PM_CHECK_ALLOC(made);
    char *scratch = pm_new(made, char);
    const pm_status st = scratch ? filter_into(made, scratch, in, params) : PM_ERR_NOMEM;
    if (st != PM_OK) {
        pm_free(made);
        return st;
    }
    pm_free(scratch);
    *out = made;
    return PM_OK;
}
