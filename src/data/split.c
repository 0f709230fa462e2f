// pm_data_split: the protocols' common part.
#include "data/internal.h"

typedef pm_status (*split_fn)(pm_split *split, const pm_interactions *in, const pm_split_params *params);

static const struct protocol {
    const char *name;
    split_fn    split;
} protocols[] = {
    { "strong", pm_split_strong },
    { "random", pm_split_random },
    { "temporal", pm_split_temporal },
    { "user-temporal", pm_split_user_temporal },
    { "leave-one-out", pm_split_leave_one_out },
    { "rating", pm_split_rating },
    { "files", pm_split_files },
};

static const char *const protocol_list = "strong, random, temporal, user-temporal, leave-one-out, rating, files";

static uint32_t row_length(const pm_csr *csr, int64_t row)
{
    return csr->indptr[row + 1] - csr->indptr[row];
}

pm_status pm_csr_select(const pm_split *split, const void *scratch, const pm_list *all, const uint8_t *label, uint8_t mask, pm_csr *out)
{
    pm_list chosen;
    PM_TRY(pm_list_select(scratch, all, label, mask, &chosen));
    return pm_csr_of_list(scratch, &chosen, pm_ids_count(split->users), pm_ids_count(split->items), out);
}

pm_status pm_train_users(pm_split *split, const void *scratch, const pm_list *list, pm_csr *known)
{
    const int64_t users = pm_ids_count(split->users);
    int64_t rows = 0;
    PM_REQUIRE(split, list->count > 0, PM_ERR_DATA, "split: no interactions are left to train on");
    PM_TRY(pm_csr_of_list(scratch, list, users, pm_ids_count(split->items), known));
    split->train_user = pm_new_array(split, uint32_t, users);
    PM_CHECK_ALLOC(split->train_user);
    for (int64_t u = 0; u < users; u++)
        if (row_length(known, u)) split->train_user[rows++] = (uint32_t)u;
    return pm_csr_take_rows(split, known, split->train_user, rows, &split->train);
}

pm_status pm_part_build(pm_split *split, pm_eval_part *part, const pm_csr *input, const pm_csr *target, const uint8_t *role,
                        int wanted, bool strangers)
{
    const char *name = part == &split->valid ? "validation" : "test";
    part->user = pm_new_array(split, uint32_t, PM_MAX(input->rows, 1));
    PM_CHECK_ALLOC(part->user);
    for (int64_t u = 0; u < input->rows; u++) {
        if (role && role[u] != wanted) continue;
        if (row_length(target, u) == 0) part->excluded_no_target++;
        else if (row_length(input, u) == 0 && !strangers) part->excluded_no_history++;
        else part->user[part->users++] = (uint32_t)u;
    }
    PM_REQUIRE(split, part->users > 0, PM_ERR_DATA,
               "split: the %s part is empty: %" PRId64 " users have nothing to find and %" PRId64
               " no history; use more data or another protocol",
               name, part->excluded_no_target, part->excluded_no_history);
    PM_TRY(pm_csr_take_rows(split, input, part->user, part->users, &part->input));
    return pm_csr_take_rows(split, target, part->user, part->users, &part->target);
}

// Leaves the targets of that value and above, in place, and the users who have one.
static pm_status keep_relevant(pm_split *split, pm_eval_part *part, float least)
{
    pm_csr *t = &part->target;
    const pm_csr input = part->input;
    uint32_t *rows = pm_new_array(split, uint32_t, PM_MAX(part->users, 1)), kept = 0, at = 0;
    int64_t users = 0;
    PM_CHECK_ALLOC(rows);
    for (int64_t r = 0; r < part->users; r++) {
        const uint32_t before = kept;
        for (const uint32_t end = t->indptr[r + 1]; at < end; at++) {
            if (!(t->val[at] >= least)) continue;
            t->col[kept] = t->col[at];
            t->val[kept] = t->val[at];
            if (t->time) t->time[kept] = t->time[at];
            kept++;
        }
        t->indptr[r + 1] = kept;
        if (kept > before) rows[users++] = (uint32_t)r;
    }
    t->nnz = kept;
    PM_REQUIRE(split, users > 0, PM_ERR_DATA, "split: no target of the %s part has a value of %g or above", part == &split->test ? "test" : "validation",
               (double)least);
    const pm_csr target = *t;
    PM_TRY(pm_csr_take_rows(split, &target, rows, users, &part->target));
    PM_TRY(pm_csr_take_rows(split, &input, rows, users, &part->input));
    for (int64_t r = 0; r < users; r++) part->user[r] = part->user[rows[r]];
    part->excluded_no_target += part->users - users;
    part->users = users;
    pm_free(rows);
    return PM_OK;
}

static pm_status find_relevant(pm_split *split, const pm_split_params *params)
{
    PM_REQUIRE(split, !split->test.sampled && !pm_name_equal(split->protocol, "rating") && !pm_name_equal(split->protocol, "files"), PM_ERR_ARG,
               "split %s: what is to be found cannot be chosen by its value; use random, strong, temporal or user-temporal", split->protocol);
    PM_TRY(keep_relevant(split, &split->valid, (float)params->relevant));
    return keep_relevant(split, &split->test, (float)params->relevant);
}

// What no model can have learned: targets whose item nobody has in training.
static pm_status count_unseen(pm_split *split)
{
    pm_eval_part *parts[2] = { &split->valid, &split->test };
    for (int p = 0; p < 2; p++) {
        uint8_t *seen = pm_new_array(split, uint8_t, split->train.cols);
        PM_CHECK_ALLOC(seen);
        for (int64_t e = 0; e < split->train.nnz; e++) seen[split->train.col[e]] = 1;
        for (int64_t e = 0; e < parts[p]->target.nnz; e++) {
            uint8_t *s = &seen[parts[p]->target.col[e]];
            parts[p]->unseen_targets += *s != 1;
            parts[p]->unseen_items += *s == 0;
            if (*s == 0) *s = 2;
        }
        pm_free(seen);
    }
    return PM_OK;
}

// Where each id of `from` is in `to`; UINT32_MAX where it is not.
static pm_status map_ids(const void *scratch, const pm_ids *from, const pm_ids *to, uint32_t **map)
{
    *map = pm_new_array(scratch, uint32_t, PM_MAX(pm_ids_count(from), 1));
    PM_CHECK_ALLOC(*map);
    for (int64_t i = 0; i < pm_ids_count(from); i++) {
        const int64_t at = pm_ids_find(to, pm_ids_name(from, i));
        (*map)[i] = at < 0 ? UINT32_MAX : (uint32_t)at;
    }
    return PM_OK;
}

static pm_status below_into(pm_split *split, const void *scratch, const pm_interactions *in)
{
    uint32_t *user_map, *item_map;
    uint32_t *user = pm_new_array(scratch, uint32_t, in->below_count), *item = pm_new_array(scratch, uint32_t, in->below_count);
    float *value = pm_new_array(scratch, float, in->below_count);
    if (!user || !item || !value) return PM_ERR_NOMEM;
    PM_TRY(map_ids(scratch, in->users, split->users, &user_map));
    PM_TRY(map_ids(scratch, in->items, split->items, &item_map));
    int64_t n = 0;
    for (int64_t i = 0; i < in->below_count; i++) {
        const uint32_t u = user_map[in->below_user[i]], k = item_map[in->below_item[i]];
        const bool late = split->valid_from && in->below_time && in->below_time[i] >= split->valid_from;
        if (u == UINT32_MAX || k == UINT32_MAX || late) continue;
        user[n] = u;
        item[n] = k;
        value[n++] = in->below_value[i];
    }
    return pm_csr_build(split, pm_ids_count(split->users), pm_ids_count(split->items), n, user, item, value, NULL, &split->below, NULL);
}

static pm_status keep_below(pm_split *split, const pm_interactions *in)
{
    char *scratch = pm_new(split, char);
    PM_CHECK_ALLOC(scratch);
    const pm_status st = below_into(split, scratch, in);
    pm_free(scratch);
    return st;
}

pm_status pm_data_split(const void *parent, const pm_interactions *in, const pm_split_params *params, pm_split **out)
{
    *out = NULL;
    const char *names[PM_COUNT(protocols)];
    const struct protocol *chosen = NULL;
    PM_REQUIRE(parent, params && params->protocol, PM_ERR_ARG,
               "split: no protocol given; there are %s", protocol_list);
    for (int p = 0; p < PM_COUNT(protocols); p++) {
        names[p] = protocols[p].name;
        if (pm_name_equal(params->protocol, names[p])) chosen = &protocols[p];
    }
    const char *near = pm_nearest_name(params->protocol, names, PM_COUNT(names));
    PM_REQUIRE(parent, chosen, PM_ERR_ARG, "unknown protocol '%s'; there are %s%s%s%s", params->protocol, protocol_list,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    PM_REQUIRE(parent, in->count > 0, PM_ERR_DATA, "split: there are no interactions");
    pm_split *split = pm_new(parent, pm_split);
    PM_CHECK_ALLOC(split);
    split->protocol = chosen->name;
    split->seed = params->seed;
    split->interactions = in->count;
    pm_status st = chosen->split(split, in, params);
    if (st == PM_OK && params->has_relevant) st = find_relevant(split, params);
    if (st == PM_OK) st = count_unseen(split);
    if (st == PM_OK && in->below_count) st = keep_below(split, in);
    if (st != PM_OK) {
        pm_free(split);
        return st;
    }
    *out = split;
    return PM_OK;
}

static uint64_t hash_csr(const pm_csr *csr, uint64_t h)
{
    const int64_t shape[4] = { csr->rows, csr->cols, csr->nnz, csr->time != NULL };
    h = pm_hash64(shape, sizeof shape, h);
    h = pm_hash64(csr->indptr, (size_t)(csr->rows + 1) * sizeof *csr->indptr, h);
    h = pm_hash64(csr->col, (size_t)csr->nnz * sizeof *csr->col, h);
    h = pm_hash64(csr->val, (size_t)csr->nnz * sizeof *csr->val, h);
    return csr->time ? pm_hash64(csr->time, (size_t)csr->nnz * sizeof *csr->time, h) : h;
}

static uint64_t hash_ids(const pm_ids *ids, uint64_t h)
{
    for (int64_t i = 0; i < pm_ids_count(ids); i++) {
        const char *name = pm_ids_name(ids, i);
        h = pm_hash64(name, strlen(name) + 1, h);
    }
    return h;
}

static uint64_t hash_part(const pm_eval_part *part, uint64_t h)
{
    const int64_t head[2] = { part->users, part->sampled };
    h = pm_hash64(head, sizeof head, h);
    h = pm_hash64(part->user, (size_t)part->users * sizeof *part->user, h);
    h = hash_csr(&part->target, hash_csr(&part->input, h));
    if (!part->sampled) return h;
    h = pm_hash64(part->candidate_ptr, (size_t)(part->users + 1) * sizeof *part->candidate_ptr, h);
    return pm_hash64(part->candidate, part->candidate_ptr[part->users] * sizeof *part->candidate, h);
}

uint64_t pm_split_hash(const pm_split *split)
{
    uint64_t h = hash_ids(split->items, hash_ids(split->users, 0));
    h = pm_hash64(split->train_user, (size_t)split->train.rows * sizeof *split->train_user, hash_csr(&split->train, h));
    return hash_part(&split->test, hash_part(&split->valid, h));
}
