// Growable interactions.
#include "data/internal.h"

pm_status pm_list_reserve(const void *parent, pm_list *l, int64_t capacity)
{
    if (capacity <= l->capacity) return PM_OK;
    PM_REQUIRE(parent, capacity < UINT32_MAX, PM_ERR_DATA, "more than %u interactions; cut the data into smaller sets",
               UINT32_MAX - 1);
    PM_TRY(pm_grow_array(parent, (void **)&l->user, capacity, sizeof *l->user));
    PM_TRY(pm_grow_array(parent, (void **)&l->item, capacity, sizeof *l->item));
    PM_TRY(pm_grow_array(parent, (void **)&l->value, capacity, sizeof *l->value));
    PM_TRY(pm_grow_array(parent, (void **)&l->time, capacity, sizeof *l->time));
    l->capacity = capacity;
    return PM_OK;
}

pm_status pm_list_add(const void *parent, pm_list *l, uint32_t user, uint32_t item, float value, int64_t time)
{
    if (l->count == l->capacity) {
        const int64_t twice = PM_MIN(PM_MAX(1024, l->capacity * 2), (int64_t)UINT32_MAX - 1);
        PM_TRY(pm_list_reserve(parent, l, PM_MAX(twice, l->count + 1)));
    }
    l->user[l->count] = user;
    l->item[l->count] = item;
    l->value[l->count] = value;
    l->time[l->count++] = time;
    return PM_OK;
}

pm_status pm_list_append(const void *parent, pm_list *l, const pm_list *other)
{
    if (other->count == 0) return PM_OK;
    PM_TRY(pm_list_reserve(parent, l, l->count + other->count));
    memcpy(l->user + l->count, other->user, (size_t)other->count * sizeof *l->user);
    memcpy(l->item + l->count, other->item, (size_t)other->count * sizeof *l->item);
    memcpy(l->value + l->count, other->value, (size_t)other->count * sizeof *l->value);
    if (other->has_time) memcpy(l->time + l->count, other->time, (size_t)other->count * sizeof *l->time);
    l->has_time = other->has_time && (l->has_time || l->count == 0);
    l->count += other->count;
    return PM_OK;
}

pm_list pm_list_view(const pm_interactions *in)
{
    return (pm_list){ .count = in->count, .capacity = in->count, .user = in->user, .item = in->item, .value = in->value,
                      .time = in->time, .has_time = in->time != NULL };
}

static void compact(pm_list *l, const uint8_t *drop)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < l->count; i++) {
        if (drop[i]) continue;
        l->user[kept] = l->user[i];
        l->item[kept] = l->item[i];
        l->value[kept] = l->value[i];
        l->time[kept++] = l->time[i];
    }
    l->count = kept;
}

// Entries are walked user by user, in order; `seen` holds for each item the last user that had it.
static pm_status dedupe(const void *scratch, pm_list *l, int64_t users, int64_t items, int64_t *dropped)
{
    uint32_t *start = pm_new_array(scratch, uint32_t, users + 1), *order = pm_new_array(scratch, uint32_t, l->count);
    uint32_t *seen = pm_new_array(scratch, uint32_t, items);
    uint8_t *drop = pm_new_array(scratch, uint8_t, l->count);
    if (!start || !order || !seen || !drop) return PM_ERR_NOMEM;
    for (int64_t i = 0; i < l->count; i++) start[l->user[i] + 1]++;
    for (int64_t u = 0; u < users; u++) start[u + 1] += start[u];
    for (int64_t i = 0; i < l->count; i++) order[start[l->user[i]]++] = (uint32_t)i;
    for (int64_t k = 0; k < l->count; k++) {
        const uint32_t e = order[k], mark = l->user[e] + 1;
        drop[e] = seen[l->item[e]] == mark;
        *dropped += drop[e];
        seen[l->item[e]] = mark;
    }
    if (*dropped) compact(l, drop);
    return PM_OK;
}

pm_status pm_list_dedupe(const void *parent, pm_list *l, int64_t users, int64_t items, int64_t *dropped)
{
    *dropped = 0;
    char *scratch = pm_new(parent, char);
    PM_CHECK_ALLOC(scratch);
    const pm_status st = dedupe(scratch, l, users, items, dropped);
    pm_free(scratch);
    return st;
}

pm_status pm_list_select(const void *parent, const pm_list *in, const uint8_t *label, uint8_t mask, pm_list *out)
{
    int64_t count = 0;
    for (int64_t i = 0; i < in->count; i++) count += (label[i] & mask) != 0;
    *out = (pm_list){ .has_time = in->has_time };
    PM_TRY(pm_list_reserve(parent, out, PM_MAX(count, 1)));
    for (int64_t i = 0; i < in->count; i++)
        if (label[i] & mask)
            PM_TRY(pm_list_add(parent, out, in->user[i], in->item[i], in->value[i], in->has_time ? in->time[i] : 0));
    return PM_OK;
}

pm_status pm_all_interactions(const void *parent, const pm_interactions *in, pm_list *out)
{
    const pm_list given = pm_list_view(in);
    *out = (pm_list){ 0 };
    PM_TRY(pm_list_append(parent, out, &given));
    if (!in->companions) return PM_OK;
    const pm_given_part *parts[2] = { &in->companions->valid, &in->companions->test };
    for (int p = 0; p < 2; p++) {
        PM_TRY(pm_list_append(parent, out, &parts[p]->input));
        PM_TRY(pm_list_append(parent, out, &parts[p]->target));
    }
    int64_t repeats;
    pm_log(parent, PM_LOG_INFO, "the given parts (%s) are joined to the interactions", in->companions->kind);
    return pm_list_dedupe(parent, out, pm_ids_count(in->users), pm_ids_count(in->items), &repeats);
}
