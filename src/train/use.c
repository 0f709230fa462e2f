// Using a trained run: evaluation and recommendation. Prediction is in predict.c.
#include <math.h>
#include <stdlib.h>

#include <pumice/state.h>

#include "train/rating.h"
#include "train/runfolder.h"
#include "train/use.h"

pm_status pm_use_open(const void *parent, const char *run, pm_opened *o)
{
    pm_spec *asked;
    int64_t repeats;
    PM_TRY(pm_run_read_spec(parent, run, &asked));
    PM_REQUIRE(parent, !pm_spec_repeats(asked, &repeats), PM_ERR_ARG, "%s holds %" PRId64 " runs; name one of them, such as %s/repeat-1", run, repeats, run);
    o->spec = pm_new(parent, pm_spec);
    PM_CHECK_ALLOC(o->spec);
    PM_TRY(pm_spec_complete(parent, asked, o->spec));
    PM_TRY(pm_spec_config(parent, o->spec, &o->config));
    return pm_checkpoint_open(parent, run, &o->checkpoint);
}

pm_status pm_use_session(pm_ctx *ctx, pm_opened *o, const char *device)
{
    const pm_session_params params = { .split = o->trained ? o->trained : o->split, .config = o->config, .device = device ? device : o->spec->device,
                                       .seed = o->spec->seed, .rating = o->spec->rating };
    PM_TRY(pm_session_open(ctx, &params, &o->session));
    return pm_checkpoint_load_center(o->checkpoint, o->session);
}

// ---- evaluation ----

bool pm_use_joined(const pm_opened *o)
{
    return pm_checkpoint_refitted(o->checkpoint) || pm_spec_joins(o->spec);
}

// The run's own data must be what it was trained on; other data is renumbered to the run's items.
static pm_status load_part(const void *parent, pm_opened *o, const pm_evaluate_params *p, pm_eval_part *part)
{
    pm_spec spec = *o->spec;
    if (p->data) {
        spec.data = p->data;
        spec.update = NULL;
    }
    pm_split *split = o->split;
    if (!split) PM_TRY(pm_spec_load(parent, &spec, &split));
    *part = p->validation ? split->valid : split->test;
    o->split = split;
    const bool joined = pm_use_joined(o);
    if (joined && !p->data) PM_TRY(pm_split_refit(parent, split, &o->trained));
    if (p->validation && joined && !p->data)
        pm_log(parent, PM_LOG_WARN, "the run was trained on train + validation: its parameters have seen the validation part, which flatters these numbers");
    if (!p->data) {
        PM_REQUIRE(parent, pm_split_hash(split) == pm_checkpoint_data_hash(o->checkpoint), PM_ERR_DATA,
                   "%s: the data are not those the run was trained on; name them with --data to evaluate on them all the same", p->run);
        return PM_OK;
    }
    pm_ids *items;
    int64_t dropped = 0;
    const pm_eval_part mine = *part;
    PM_TRY(pm_run_load_items(parent, p->run, &items));
    PM_TRY(pm_part_remap(parent, split, &mine, items, part, &dropped));
    if (p->analysis) {    // popularity is of all parts
        pm_eval_part *other = p->validation ? &split->test : &split->valid;
        const pm_eval_part theirs = *other;
        int64_t uncounted = 0;
        PM_TRY(pm_part_remap(parent, split, &theirs, items, other, &uncounted));
        *(p->validation ? &split->valid : &split->test) = *part;
    }
    PM_TRY(pm_matrix_remap(parent, &split->train, split->items, items, &split->train, &dropped));
    int64_t disliked = 0;
    if (split->below.nnz) PM_TRY(pm_matrix_remap(parent, &split->below, split->items, items, &split->below, &disliked));
    split->items = items;
    if (dropped) pm_log(parent, PM_LOG_WARN, "%" PRId64 " interactions with items the run does not know were dropped", dropped);
    return PM_OK;
}

static pm_status evaluate(pm_ctx *ctx, const pm_evaluate_params *p, pm_opened *o, pm_result *r)
{
    pm_metric_set *set;
    pm_evaluator *e;
    pm_result_view views[PM_MAX_VIEWS];
    int count;
    unsigned analyses = 0, candidates;
    pm_analyst *analyst = NULL;
    pm_eval_part *part = pm_new(r, pm_eval_part);
    PM_CHECK_ALLOC(part);
    PM_TRY(pm_use_open(r, p->run, o));
    PM_TRY(pm_candidates_parse(r, p->candidates ? p->candidates : o->spec->candidates, &candidates));
    PM_TRY(pm_metric_set_parse(r, p->metrics ? p->metrics : o->spec->metrics, &set));
    pm_spec used = *o->spec;
    if (p->data) used.data = p->data;
    if (p->ties) PM_TRY(pm_ties_parse(r, p->ties, &used.ties));
    if (p->analysis) PM_TRY(pm_analyst_choose(r, o->config, p->analysis, &analyses));
    PM_TRY(load_part(r, o, p, part));
    r->split = o->split;
    r->config = o->config;
    r->run = pm_strdup(r, p->run);
    PM_CHECK_ALLOC(r->run);
    PM_TRY(pm_use_session(ctx, o, p->device));
    if (p->data) pm_center_forget_users(o->session);
    const pm_evaluator_params params = { .part = part, .name = p->validation ? "valid" : "test", .set = set, .ties = used.ties, .candidates = candidates };
    PM_TRY(pm_evaluator_create(o->session, &params, &e));
    if (analyses) PM_TRY(pm_analyst_create(o->session, part, analyses, &analyst));
    PM_TRY(pm_checkpoint_load_best(o->checkpoint, o->session));
    const double before = pm_clock();
    PM_REQUIRE(r, part->sampled || !p->candidates, PM_ERR_ARG, "--candidates %s is for leave-one-out; %s ranks all items that are not known anyway", p->candidates,
               p->run);
    PM_REQUIRE(r, part->sampled || !p->ties, PM_ERR_ARG, "--ties %s is for leave-one-out; top lists, as of %s, break ties by lower item id", p->ties, p->run);
    PM_TRY(pm_evaluator_run_views(e, r, views, &count));
    r->eval_seconds = pm_clock() - before;
    if (analyst) PM_TRY(pm_analyst_run(analyst, r));
    PM_TRY(pm_result_describe(r, o->session, &used, o->split));
    PM_TRY(pm_result_add_views(r, views, count, p->validation));
    if (!p->validation) PM_TRY(pm_result_add_errors(r, o->session, part));
    PM_TRY(pm_run_peek_epochs(r, p->run));
    pm_checkpoint_describe(o->checkpoint, r);
    r->refit = pm_use_joined(o);
    uint64_t now;
    pm_device_memory(o->session->device, &now, &r->peak_device_memory);
    return PM_OK;
}

pm_status pm_evaluate_split(pm_ctx *ctx, const pm_evaluate_params *params, pm_split *split, pm_result **out)
{
    pm_opened o = { .split = split };
    *out = pm_new(ctx, pm_result);
    PM_CHECK_ALLOC(*out);
    const pm_status st = evaluate(ctx, params, &o, *out);
    if (o.session) pm_session_close(&o.session);
    if (st != PM_OK) pm_result_destroy(out);
    return st;
}

pm_status pm_evaluate(pm_ctx *ctx, const pm_evaluate_params *params, pm_result **out)
{
    return pm_evaluate_split(ctx, params, NULL, out);
}

// ---- recommendation ----

// One row of known items.
static pm_status row_of(const void *parent, const uint32_t *items, const float *values, int64_t count, int64_t cols, pm_csr *out)
{
    uint32_t *rows = pm_new_array(parent, uint32_t, PM_MAX(count, 1));
    PM_CHECK_ALLOC(rows);
    int64_t duplicates;
    return pm_csr_build(parent, 1, cols, count, rows, items, values, NULL, out, &duplicates);
}

// What training knew of a user: the row to evaluate from, else all of the validation row, else the training row.
static pm_status history_of_user(const void *parent, const pm_split *s, const char *name, uint32_t *index, pm_csr *out)
{
    const int64_t user = pm_ids_find(s->users, name);
    PM_REQUIRE(parent, user >= 0, PM_ERR_NOT_FOUND, "no user \"%s\" in the data; name known items with --items instead", name);
    *index = (uint32_t)user;
    const struct { int64_t rows; const uint32_t *user; const pm_csr *m[2]; } places[] = {
        { s->test.users, s->test.user, { &s->test.input, NULL } },
        { s->valid.users, s->valid.user, { &s->valid.input, &s->valid.target } },
        { s->train.rows, s->train_user, { &s->train, NULL } },
    };
    for (int p = 0; p < PM_COUNT(places); p++)
        for (int64_t r = 0; r < places[p].rows; r++) {
            if (places[p].user[r] != (uint32_t)user) continue;
            int64_t count = 0;
            uint32_t *items = pm_new_array(parent, uint32_t, s->train.cols);
            float *values = pm_new_array(parent, float, s->train.cols);
            PM_CHECK_ALLOC(items);
            PM_CHECK_ALLOC(values);
            for (int k = 0; k < 2 && places[p].m[k]; k++)
                for (uint32_t e = places[p].m[k]->indptr[r]; e < places[p].m[k]->indptr[r + 1]; e++) {
                    items[count] = places[p].m[k]->col[e];
                    values[count++] = places[p].m[k]->val[e];
                }
            return row_of(parent, items, values, count, s->train.cols, out);
        }
    return pm_fail(parent, PM_ERR_NOT_FOUND, "user \"%s\" has no history left after the split; name known items with --items instead", name);
}

// "id:rating", as a model of ratings wants it; the id may have colons itself.
static pm_status cut_rating(const void *parent, const char *text, const pm_spec *spec, char **name, float *rating)
{
    const pm_rating_params *range = &spec->rating;
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    *rating = colon && colon > text ? strtof(colon + 1, &end) : 0;
    PM_REQUIRE(parent, end && end != colon + 1 && !*end && isfinite(*rating), PM_ERR_ARG,
               "\"%s\": %s predicts ratings from ratings; give one behind a colon, such as %s:4", text, spec->model, text);
    PM_REQUIRE(parent, !range->has_range || (*rating >= (float)range->lo && *rating <= (float)range->hi), PM_ERR_ARG,
               "\"%s\" lies outside the run's range of ratings, %g to %g", text, range->lo, range->hi);
    *name = pm_strdup(parent, text);
    PM_CHECK_ALLOC(*name);
    (*name)[colon - text] = 0;
    return PM_OK;
}

static pm_status history_of_items(const void *parent, const pm_opened *o, const pm_ids *ids, const pm_recommend_params *p, pm_csr *out)
{
    const bool rated = pm_predicts_ratings(o->config);
    uint32_t *items = pm_new_array(parent, uint32_t, PM_MAX(p->item_count, 1));
    float *values = rated ? pm_new_array(parent, float, PM_MAX(p->item_count, 1)) : NULL;
    PM_CHECK_ALLOC(items);
    if (rated) PM_CHECK_ALLOC(values);
    for (int i = 0; i < p->item_count; i++) {
        char *name = NULL;
        if (rated) PM_TRY(cut_rating(parent, p->items[i], o->spec, &name, &values[i]));
        const int64_t item = pm_ids_find(ids, rated ? name : p->items[i]);
        PM_REQUIRE(parent, item >= 0, PM_ERR_NOT_FOUND, "no item \"%s\" in the run; %s/items.tsv lists them", rated ? name : p->items[i], p->run);
        items[i] = (uint32_t)item;
    }
    return row_of(parent, items, values, p->item_count, pm_ids_count(ids), out);
}

// A catalogue is enough to score a list of items; no data need be read.
pm_status pm_use_nothing(const void *parent, pm_ids *items, pm_split **out)
{
    *out = pm_new(parent, pm_split);
    PM_CHECK_ALLOC(*out);
    (*out)->items = items;
    (*out)->protocol = "none";
    PM_TRY(pm_ids_create(parent, &(*out)->users));
    uint32_t index;
    PM_TRY(pm_ids_add((*out)->users, "(items)", 7, &index));
    return pm_csr_build(parent, 0, pm_ids_count(items), 0, NULL, NULL, NULL, NULL, &(*out)->train, NULL);
}

pm_status pm_use_data(const void *parent, const char *run, pm_opened *o)
{
    PM_TRY(pm_spec_load(parent, o->spec, &o->split));
    PM_REQUIRE(parent, pm_split_hash(o->split) == pm_checkpoint_data_hash(o->checkpoint), PM_ERR_DATA, "%s: the data are not those the run was trained on", run);
    return pm_use_joined(o) ? pm_split_refit(parent, o->split, &o->trained) : PM_OK;
}

static pm_status recommend(pm_ctx *ctx, void *scratch, const pm_recommend_params *p, pm_opened *o, pm_recommendation **list, int64_t *count)
{
    pm_eval_part *part = pm_new(scratch, pm_eval_part);
    pm_evaluator *e;
    const uint32_t *ids;
    const float *scores;
    int64_t depth;
    PM_CHECK_ALLOC(part);
    part->users = 1;
    part->user = pm_new(scratch, uint32_t);
    PM_CHECK_ALLOC(part->user);
    PM_TRY(pm_use_open(scratch, p->run, o));
    if (p->user || pm_encodes(o->config)) PM_TRY(pm_use_data(scratch, p->run, o));
    if (p->user) {
        PM_TRY(history_of_user(scratch, o->split, p->user, part->user, &part->input));
    } else {
        pm_ids *items;
        PM_TRY(pm_run_load_items(scratch, p->run, &items));
        if (!o->split) PM_TRY(pm_use_nothing(scratch, items, &o->split));
        else *part->user = PM_ID_NONE;    // none of the split's
        PM_TRY(history_of_items(scratch, o, items, p, &part->input));
    }
    PM_TRY(pm_use_session(ctx, o, p->device));
    PM_TRY(pm_evaluator_create(o->session, &(pm_evaluator_params){ .part = part, .name = "recommend", .depth = p->top }, &e));
    PM_TRY(pm_checkpoint_load_best(o->checkpoint, o->session));
    PM_TRY(pm_evaluator_lists(e, &ids, &scores, &depth));
    PM_REQUIRE(ctx, ids[0] != PM_ID_NAN, PM_ERR_NUMERIC, "the scores are not finite; the model has diverged: train with a lower lr");
    *list = pm_new_array(ctx, pm_recommendation, depth);
    PM_CHECK_ALLOC(*list);
    for (*count = 0; *count < depth && pm_ids_name(o->split->items, ids[*count]); ++*count) {
        (*list)[*count].item = pm_strdup(*list, pm_ids_name(o->split->items, ids[*count]));
        (*list)[*count].score = o->session->center && o->session->rating.clip ? pm_center_clip(o->session, scores[*count]) : scores[*count];
        PM_CHECK_ALLOC((*list)[*count].item);
    }
    return PM_OK;
}

pm_status pm_recommend(pm_ctx *ctx, const pm_recommend_params *params, pm_recommendation **list, int64_t *count)
{
    pm_opened o = { 0 };
    *list = NULL;
    *count = 0;
    PM_REQUIRE(ctx, (params->user != NULL) != (params->item_count > 0), PM_ERR_ARG, "recommend needs a user, or items, not both");
    PM_REQUIRE(ctx, params->top > 0, PM_ERR_ARG, "top = %" PRId64 " must be positive", params->top);
    void *scratch = pm_alloc(ctx, 1);
    PM_CHECK_ALLOC(scratch);
    const pm_status st = recommend(ctx, scratch, params, &o, list, count);
    if (o.session) pm_session_close(&o.session);
    pm_free(scratch);
    if (st != PM_OK) {
        pm_free(*list);
        *list = NULL;
        *count = 0;
    }
    return st;
}
