// A split as a folder of text files: users.tsv (with each user's role), items.tsv, train.tsv, and for validation and test
// X_input.tsv, X_target.tsv and, where the target is ranked among candidates, X_candidates.tsv; split.json says what it is
// and comes last.
#include "data/internal.h"
#include "data/text_out.h"

#include <cJSON.h>
#include <stdio.h>

#include "core/file.h"

static const char *const role_names[] = { "none", "train", "valid", "test" };

static pm_status create(const pm_split *split, const char *folder, const char *prefix, const char *name, pm_text **out)
{
    char *path = pm_sprintf(split, "%s/%s%s", folder, prefix, name);
    PM_CHECK_ALLOC(path);
    const pm_status st = pm_text_create(split, path, '\t', false, out);
    pm_free(path);
    return st;
}

static pm_status write_matrix(const pm_split *split, const char *folder, const char *prefix, const char *name,
                              const pm_csr *csr, const uint32_t *user)
{
    pm_text *t;
    PM_TRY(create(split, folder, prefix, name, &t));
    pm_text_raw(t, csr->time ? "user\titem\trating\ttimestamp\n" : "user\titem\trating\n");
    for (int64_t r = 0; r < csr->rows; r++) {
        for (uint32_t e = csr->indptr[r]; e < csr->indptr[r + 1]; e++) {
            pm_text_id(t, pm_ids_name(split->users, user[r]));
            pm_text_id(t, pm_ids_name(split->items, csr->col[e]));
            pm_text_value(t, csr->val[e]);
            if (csr->time) pm_text_integer(t, csr->time[e]);
            pm_text_end_line(t);
        }
    }
    return pm_text_commit(&t);
}

static pm_status write_candidates(const pm_split *split, const char *folder, const char *prefix, const pm_eval_part *part)
{
    pm_text *t;
    PM_TRY(create(split, folder, prefix, "_candidates.tsv", &t));
    pm_text_raw(t, "user\titem\n");
    for (int64_t r = 0; r < part->users; r++) {
        for (uint32_t c = part->candidate_ptr[r]; c < part->candidate_ptr[r + 1]; c++) {
            pm_text_id(t, pm_ids_name(split->users, part->user[r]));
            pm_text_id(t, pm_ids_name(split->items, part->candidate[c]));
            pm_text_end_line(t);
        }
    }
    return pm_text_commit(&t);
}

static pm_status write_part(const pm_split *split, const char *folder, const char *prefix, const pm_eval_part *part)
{
    PM_TRY(write_matrix(split, folder, prefix, "_input.tsv", &part->input, part->user));
    PM_TRY(write_matrix(split, folder, prefix, "_target.tsv", &part->target, part->user));
    return part->sampled ? write_candidates(split, folder, prefix, part) : PM_OK;
}

static pm_status write_ids(const pm_split *split, const char *folder, const char *name, const pm_ids *ids,
                           const uint8_t *role)
{
    pm_text *t;
    PM_TRY(create(split, folder, "", name, &t));
    pm_text_raw(t, role ? "user\trole\n" : "item\n");
    for (int64_t i = 0; i < pm_ids_count(ids); i++) {
        pm_text_id(t, pm_ids_name(ids, i));
        if (role) pm_text_id(t, role_names[role[i]]);
        pm_text_end_line(t);
    }
    return pm_text_commit(&t);
}

static pm_status write_users(const pm_split *split, const char *folder)
{
    uint8_t *role = pm_new_array(split, uint8_t, PM_MAX(pm_ids_count(split->users), 1));
    PM_CHECK_ALLOC(role);
    for (int64_t r = 0; r < split->train.rows; r++) role[split->train_user[r]] = PM_ROLE_TRAIN;
    for (int64_t r = 0; split->held_out_users && r < split->valid.users; r++) role[split->valid.user[r]] = PM_ROLE_VALID;
    for (int64_t r = 0; split->held_out_users && r < split->test.users; r++) role[split->test.user[r]] = PM_ROLE_TEST;
    const pm_status st = write_ids(split, folder, "users.tsv", split->users, role);
    pm_free(role);
    return st;
}

static cJSON *part_json(const pm_eval_part *part)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "users", (double)part->users);
    cJSON_AddNumberToObject(json, "targets", (double)part->target.nnz);
    cJSON_AddBoolToObject(json, "candidates", part->sampled);
    cJSON_AddNumberToObject(json, "excluded_no_target", (double)part->excluded_no_target);
    cJSON_AddNumberToObject(json, "excluded_no_history", (double)part->excluded_no_history);
    cJSON_AddNumberToObject(json, "dropped_candidates", (double)part->dropped_candidates);
    cJSON_AddNumberToObject(json, "repeated_targets", (double)part->repeated_targets);
    cJSON_AddNumberToObject(json, "tied_times", (double)part->tied_times);
    cJSON_AddNumberToObject(json, "short_candidates", (double)part->short_candidates);
    cJSON_AddNumberToObject(json, "unseen_targets", (double)part->unseen_targets);
    cJSON_AddNumberToObject(json, "unseen_items", (double)part->unseen_items);
    return json;
}

static char *split_json(const pm_split *split)
{
    char seed[24], hash[24];
    snprintf(seed, sizeof seed, "%" PRIu64, split->seed);    // text: a JSON number keeps 53 bits
    snprintf(hash, sizeof hash, "%016" PRIx64, pm_split_hash(split));
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "format", "pumice-split");
    cJSON_AddNumberToObject(json, "version", 1);
    cJSON_AddStringToObject(json, "protocol", split->protocol);
    cJSON_AddStringToObject(json, "seed", seed);
    cJSON_AddStringToObject(json, "hash", hash);
    cJSON_AddBoolToObject(json, "held_out_users", split->held_out_users);
    cJSON_AddNumberToObject(json, "interactions", (double)split->interactions);
    cJSON_AddNumberToObject(json, "users", (double)pm_ids_count(split->users));
    cJSON_AddNumberToObject(json, "items", (double)pm_ids_count(split->items));
    cJSON_AddNumberToObject(json, "train_users", (double)split->train.rows);
    cJSON_AddNumberToObject(json, "train", (double)split->train.nnz);
    cJSON_AddItemToObject(json, "valid", part_json(&split->valid));
    cJSON_AddItemToObject(json, "test", part_json(&split->test));
    char *text = cJSON_Print(json);
    cJSON_Delete(json);
    return text;
}

static pm_status write_json(const pm_split *split, const char *folder)
{
    pm_text *t;
    PM_TRY(create(split, folder, "", "split.json", &t));
    char *text = split_json(split);
    if (!text) {
        pm_free(t);
        return pm_fail(split, PM_ERR_NOMEM, "%s/split.json: no memory", folder);
    }
    pm_text_raw(t, text);
    pm_text_raw(t, "\n");
    cJSON_free(text);
    return pm_text_commit(&t);
}

pm_status pm_split_write(const pm_split *split, const char *folder)
{
    PM_TRY(pm_make_folder(split, folder));
    PM_TRY(write_users(split, folder));
    PM_TRY(write_ids(split, folder, "items.tsv", split->items, NULL));
    PM_TRY(write_matrix(split, folder, "", "train.tsv", &split->train, split->train_user));
    PM_TRY(write_part(split, folder, "valid", &split->valid));
    PM_TRY(write_part(split, folder, "test", &split->test));
    return write_json(split, folder);
}
