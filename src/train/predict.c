// Scores of given pairs: the users of the pairs are a part whose candidates are their items.
#include <math.h>

#include <pumice/state.h>

#include "train/given.h"
#include "train/rating.h"
#include "train/runfolder.h"

// Where what is known of each user stands: a row of the test part, else of validation with what was to be found there, else of training.
typedef struct place {
    const pm_csr *known, *more;    // known NULL: nowhere
    int64_t       row;
} place;

typedef struct predictor {
    const pm_split *split;
    bool            alone;     // whom nothing is known of can be predicted for all the same
    pm_given_ratings given;    // in NULL: none
    int64_t         users;     // of the split, behind them those of the given ratings
    place          *places;    // [users]
    uint32_t       *row;       // [users] of the part, plus 1; 0: none
    pm_interactions *pairs;
    uint32_t       *user, *item;    // [pairs] in these numbers
    uint32_t       *at;             // [pairs] among the candidates of the user
} predictor;

static void note_places(predictor *p, const uint32_t *user, int64_t users, const pm_csr *known, const pm_csr *more)
{
    for (int64_t r = 0; r < users; r++) p->places[user[r]] = (place){ known, more, r };
}

static pm_status find_places(const void *scratch, predictor *p)
{
    const pm_split *s = p->split;
    const int64_t own = pm_ids_count(s->users);
    p->users = own + p->given.rows.rows;
    p->places = pm_new_array(scratch, place, PM_MAX(p->users, 1));
    PM_CHECK_ALLOC(p->places);
    for (int64_t g = own; g < p->users; g++) p->places[g] = (place){ &p->given.rows, NULL, g - own };
    note_places(p, s->train_user, s->train.rows, &s->train, NULL);
    note_places(p, s->valid.user, s->valid.users, &s->valid.input, &s->valid.target);
    note_places(p, s->test.user, s->test.users, &s->test.input, NULL);
    return PM_OK;
}

// The numbers that the split has for users and items of the pairs.
static pm_status find_pairs(const void *scratch, predictor *p, const pm_predict_params *params)
{
    const pm_interactions *in = p->pairs;
    p->user = pm_new_array(scratch, uint32_t, in->count);
    p->item = pm_new_array(scratch, uint32_t, in->count);
    if (!p->user || !p->item) return PM_ERR_NOMEM;
    for (int64_t i = 0; i < in->count; i++) {
        const char *user_name = pm_ids_name(in->users, in->user[i]), *item_name = pm_ids_name(in->items, in->item[i]);
        const int64_t given = p->given.rows.rows ? pm_ids_find(p->given.in->users, user_name) : -1;
        const int64_t user = given >= 0 ? pm_ids_count(p->split->users) + given : pm_ids_find(p->split->users, user_name), item = pm_ids_find(p->split->items, item_name);
        PM_REQUIRE(scratch, user >= 0, PM_ERR_NOT_FOUND, "%s: no user \"%s\" in the data of the run; %s/users.tsv lists them", params->pairs.path, user_name,
                   params->run);
        PM_REQUIRE(scratch, item >= 0, PM_ERR_NOT_FOUND, "%s: no item \"%s\" in the run; %s/items.tsv lists them", params->pairs.path, item_name,
                   params->run);
        PM_REQUIRE(scratch, p->alone || p->places[user].known, PM_ERR_NOT_FOUND, "%s: user \"%s\" has no history left after the split, so nothing can be predicted",
                   params->pairs.path, user_name);
        p->user[i] = (uint32_t)user;
        p->item[i] = (uint32_t)item;
    }
    return PM_OK;
}

static int64_t known_of(const place *at, uint32_t *col, float *val)
{
    const pm_csr *const m[2] = { at->known, at->more };
    int64_t n = 0;
    for (int k = 0; k < 2 && m[k]; k++)
        for (uint32_t e = m[k]->indptr[at->row]; e < m[k]->indptr[at->row + 1]; e++, n++) {
            if (col) col[n] = m[k]->col[e];
            if (val) val[n] = m[k]->val[e];
        }
    return n;
}

// What is known of the users of the part, a row each.
static pm_status fill_input(const void *scratch, const predictor *p, pm_eval_part *part)
{
    int64_t total = 0, n = 0;
    for (int64_t r = 0; r < part->users; r++) total += known_of(&p->places[part->user[r]], NULL, NULL);
    uint32_t *row = pm_new_array(scratch, uint32_t, PM_MAX(total, 1)), *col = pm_new_array(scratch, uint32_t, PM_MAX(total, 1));
    float *val = pm_new_array(scratch, float, PM_MAX(total, 1));
    if (!row || !col || !val) return PM_ERR_NOMEM;
    for (int64_t r = 0; r < part->users; r++) {
        const int64_t count = known_of(&p->places[part->user[r]], col + n, val + n);
        for (int64_t k = 0; k < count; k++) row[n++] = (uint32_t)r;
    }
    return pm_csr_build(scratch, part->users, p->split->train.cols, total, row, col, val, NULL, &part->input, NULL);
}

// Users in the order of their first pair, each with the items of its pairs in their order.
static pm_status fill_part(const void *scratch, predictor *p, pm_eval_part *part)
{
    const int64_t count = p->pairs->count;
    p->row = pm_new_array(scratch, uint32_t, PM_MAX(p->users, 1));
    p->at = pm_new_array(scratch, uint32_t, count);
    part->user = pm_new_array(scratch, uint32_t, count);
    part->candidate = pm_new_array(scratch, uint32_t, count);
    part->candidate_ptr = pm_new_array(scratch, uint32_t, count + 1);
    if (!p->row || !p->at || !part->user || !part->candidate || !part->candidate_ptr) return PM_ERR_NOMEM;
    for (int64_t i = 0; i < count; i++) {
        uint32_t *row = &p->row[p->user[i]];
        if (!*row) {
            part->user[part->users++] = p->user[i];
            *row = (uint32_t)part->users;
        }
        p->at[i] = part->candidate_ptr[*row]++;    // counts of row *row − 1, one place on
    }
    for (int64_t r = 0; r < part->users; r++) part->candidate_ptr[r + 1] += part->candidate_ptr[r];
    for (int64_t i = 0; i < count; i++) part->candidate[part->candidate_ptr[p->row[p->user[i]] - 1] + p->at[i]] = p->item[i];
    part->sampled = true;
    PM_TRY(pm_csr_build(scratch, part->users, p->split->train.cols, 0, NULL, NULL, NULL, NULL, &part->target, NULL));
    PM_TRY(fill_input(scratch, p, part));
    for (int64_t r = 0; r < part->users; r++)
        if (part->user[r] >= pm_ids_count(p->split->users)) part->user[r] = PM_ID_NONE;    // none of the split's
    return PM_OK;
}

// Whether the run's data are needed: some user of the pairs is not given, or the model looks at all there is.
static bool needs_data(const predictor *p, const pm_opened *o)
{
    bool all = p->given.in && !p->given.adds && !pm_encodes(o->config);
    for (int64_t i = 0; all && i < p->pairs->count; i++) all = pm_ids_find(p->given.in->users, pm_ids_name(p->pairs->users, p->pairs->user[i])) >= 0;
    return !all;
}

// The split, with what was given.
static pm_status find_data(const void *scratch, predictor *p, const pm_predict_params *params, pm_opened *o)
{
    pm_ids *items;
    if (params->ratings.path) PM_TRY(pm_given_read(scratch, o, &params->ratings, &p->given));
    if (needs_data(p, o)) {
        PM_TRY(pm_use_data(scratch, params->run, o));
    } else {
        PM_TRY(pm_run_load_items(scratch, params->run, &items));
        PM_TRY(pm_use_nothing(scratch, items, &o->split));
    }
    if (p->given.in && p->given.adds) {
        PM_TRY(pm_given_join(scratch, o, &p->given));
        p->given.rows = (pm_csr){ .rows = 0 };    // they are among those of the split
    } else if (p->given.in) {
        PM_TRY(pm_given_rows(scratch, o, &p->given));
    }
    p->split = o->split;
    return PM_OK;
}

static pm_status copy_scores(pm_ctx *ctx, const pm_session *s, const predictor *p, const float *scores, int64_t widest, pm_prediction **list)
{
    const pm_interactions *in = p->pairs;
    pm_prediction *out = *list = pm_new_array(ctx, pm_prediction, in->count);
    PM_CHECK_ALLOC(out);
    for (int64_t i = 0; i < in->count; i++) {
        out[i].score = scores[(int64_t)(p->row[p->user[i]] - 1) * widest + p->at[i]];
        if (s->center && s->rating.clip && isfinite(out[i].score)) out[i].score = pm_center_clip(s, out[i].score);
        out[i].user = pm_strdup(out, pm_ids_name(in->users, in->user[i]));
        out[i].item = pm_strdup(out, pm_ids_name(in->items, in->item[i]));
        if (!out[i].user || !out[i].item) return PM_ERR_NOMEM;
        PM_REQUIRE(ctx, out[i].score - out[i].score == 0.0f, PM_ERR_NUMERIC,
                   "the score of user \"%s\" for item \"%s\" is not finite; the model has diverged: train with a lower lr", out[i].user, out[i].item);
    }
    return PM_OK;
}

static pm_status predict(pm_ctx *ctx, const void *scratch, const pm_predict_params *params, pm_opened *o, pm_prediction **list, int64_t *count)
{
    predictor p = { 0 };
    pm_evaluator *e;
    pm_metric_set *set;
    const float *scores;
    int64_t widest;
    pm_eval_part *part = pm_new(scratch, pm_eval_part);
    PM_CHECK_ALLOC(part);
    PM_TRY(pm_use_open(scratch, params->run, o));
    PM_TRY(pm_data_read(scratch, &params->pairs, &p.pairs));
    if (p.pairs->duplicates) pm_log(ctx, PM_LOG_WARN, "%s: %" PRId64 " pairs are given twice; each is predicted once", params->pairs.path, p.pairs->duplicates);
    p.alone = pm_predicts_ratings(o->config);
    PM_TRY(find_data(scratch, &p, params, o));
    PM_TRY(find_places(scratch, &p));
    PM_TRY(find_pairs(scratch, &p, params));
    PM_TRY(fill_part(scratch, &p, part));
    PM_TRY(pm_metric_set_parse(scratch, "hr@1", &set));    // what is scored are candidates, as for leave-one-out; no metric is asked for
    PM_TRY(pm_use_session(ctx, o, params->device));
    PM_TRY(pm_center_extend(o->session));
    PM_TRY(pm_evaluator_create(o->session, &(pm_evaluator_params){ .part = part, .name = "predict", .set = set, .ties = PM_TIES_ID }, &e));
    PM_TRY(pm_checkpoint_load_best(o->checkpoint, o->session));
    PM_TRY(pm_evaluator_scores(e, &scores, &widest));
    *count = p.pairs->count;
    return copy_scores(ctx, o->session, &p, scores, widest, list);
}

pm_status pm_predict(pm_ctx *ctx, const pm_predict_params *params, pm_prediction **list, int64_t *count)
{
    pm_opened o = { 0 };
    *list = NULL;
    *count = 0;
    void *scratch = pm_alloc(ctx, 1);
    PM_CHECK_ALLOC(scratch);
    const pm_status st = predict(ctx, scratch, params, &o, list, count);
    if (o.session) pm_session_close(&o.session);
    pm_free(scratch);
    if (st != PM_OK) {
        pm_free(*list);
        *list = NULL;
        *count = 0;
    }
    return st;
}
