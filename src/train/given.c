// Ratings given beside a run. A model that is fed what users have takes a new user's at once; one that encodes items takes a new item's.
#include "train/given.h"

#include "train/rating.h"

pm_status pm_given_read(const void *parent, const pm_opened *o, const pm_read_params *params, pm_given_ratings *out)
{
    const pm_model *m = pm_config_model(o->config);
    const bool by_row = !m->by_id || m->fold_in;
    *out = (pm_given_ratings){ .path = params->path, .adds = !by_row };
    PM_REQUIRE(parent, by_row || (pm_encodes(o->config) && pm_predicts_ratings(o->config)), PM_ERR_ARG,
               "%s knows users and items by id: it cannot take ratings it was not trained with; train it on them", m->name);
    PM_TRY(pm_data_read(parent, params, &out->in));
    if (out->in->duplicates) pm_log(parent, PM_LOG_WARN, "%s: %" PRId64 " repeated ratings were dropped, the first of each kept", params->path, out->in->duplicates);
    if (!pm_predicts_ratings(o->config)) return PM_OK;
    return pm_spec_check_ratings(parent, o->spec, params->path, out->in);
}

pm_status pm_given_rows(const void *parent, const pm_opened *o, pm_given_ratings *g)
{
    const pm_interactions *in = g->in;
    uint32_t *item = pm_new_array(parent, uint32_t, PM_MAX(in->count, 1));
    PM_CHECK_ALLOC(item);
    for (int64_t i = 0; i < in->count; i++) {
        const char *name = pm_ids_name(in->items, in->item[i]);
        const int64_t at = pm_ids_find(o->split->items, name);
        PM_REQUIRE(parent, at >= 0, PM_ERR_NOT_FOUND, "%s: no item \"%s\" in the run, and %s takes no new ones", g->path, name, pm_config_model(o->config)->name);
        item[i] = (uint32_t)at;
    }
    return pm_csr_build(parent, pm_ids_count(in->users), pm_ids_count(o->split->items), in->count, in->user, item, in->value, NULL, &g->rows, NULL);
}

// The run's items, and behind them those that the file brings.
static pm_status join_items(const void *parent, const pm_ids *run, const pm_ids *file, pm_ids **out)
{
    uint32_t index;
    PM_TRY(pm_ids_create(parent, out));
    for (int k = 0; k < 2; k++) {
        const pm_ids *from = k ? file : run;
        for (int64_t i = 0; i < pm_ids_count(from); i++) {
            const char *name = pm_ids_name(from, i);
            PM_TRY(pm_ids_add(*out, name, strlen(name), &index));
        }
    }
    return PM_OK;
}

// Rows of a matrix with those of the file's ratings that their users gave; these count where both have one.
static pm_status join_rows(const void *parent, const pm_csr *in, const uint32_t *user, const pm_csr *more, pm_csr *out)
{
    int64_t n = 0;
    for (int64_t r = 0; r < in->rows; r++) n += more->indptr[user[r] + 1] - more->indptr[user[r]];
    uint32_t *row = pm_new_array(parent, uint32_t, PM_MAX(n + in->nnz, 1)), *col = pm_new_array(parent, uint32_t, PM_MAX(n + in->nnz, 1));
    float *val = pm_new_array(parent, float, PM_MAX(n + in->nnz, 1));
    if (!row || !col || !val) return PM_ERR_NOMEM;
    n = 0;
    for (int64_t r = 0; r < in->rows; r++) {
        const pm_csr *const m[2] = { more, in };
        const int64_t at[2] = { user[r], r };
        for (int k = 0; k < 2; k++)
            for (uint32_t e = m[k]->indptr[at[k]]; e < m[k]->indptr[at[k] + 1]; e++, n++) {
                row[n] = (uint32_t)r;
                col[n] = m[k]->col[e];
                val[n] = m[k]->val[e];
            }
    }
    return pm_csr_build(parent, in->rows, more->cols, n, row, col, val, NULL, out, NULL);
}

static pm_status join_part(const void *parent, const pm_csr *more, pm_eval_part *part)
{
    const pm_csr input = part->input;
    part->target.cols = more->cols;
    return join_rows(parent, &input, part->user, more, &part->input);
}

static pm_status join_split(const void *parent, pm_ids *items, const pm_csr *more, pm_split **split)
{
    pm_split *s = pm_new(parent, pm_split);
    PM_CHECK_ALLOC(s);
    *s = **split;
    s->items = items;
    s->below.cols = more->cols;
    PM_TRY(join_rows(s, &(*split)->train, s->train_user, more, &s->train));
    PM_TRY(join_part(s, more, &s->valid));
    PM_TRY(join_part(s, more, &s->test));
    *split = s;
    return PM_OK;
}

pm_status pm_given_join(const void *parent, pm_opened *o, pm_given_ratings *g)
{
    const pm_interactions *in = g->in;
    pm_ids *items;
    uint32_t *user = pm_new_array(parent, uint32_t, PM_MAX(in->count, 1)), *item = pm_new_array(parent, uint32_t, PM_MAX(in->count, 1));
    if (!user || !item) return PM_ERR_NOMEM;
    PM_TRY(join_items(parent, o->split->items, in->items, &items));
    for (int64_t i = 0; i < in->count; i++) {
        const char *name = pm_ids_name(in->users, in->user[i]);
        const int64_t at = pm_ids_find(o->split->users, name);
        PM_REQUIRE(parent, at >= 0, PM_ERR_NOT_FOUND, "%s: no user \"%s\" in the data of the run, and %s takes no new ones", g->path, name,
                   pm_config_model(o->config)->name);
        user[i] = (uint32_t)at;
        item[i] = (uint32_t)pm_ids_find(items, pm_ids_name(in->items, in->item[i]));
    }
    PM_TRY(pm_csr_build(parent, pm_ids_count(o->split->users), pm_ids_count(items), in->count, user, item, in->value, NULL, &g->rows, NULL));
    PM_TRY(join_split(parent, items, &g->rows, &o->split));
    return o->trained ? join_split(parent, items, &g->rows, &o->trained) : PM_OK;
}
