#include "train/rating.h"

#include <stdio.h>
#include <stdlib.h>

#include <pumice/state.h>

static void close_session(void *ptr)
{
    pm_session *s = ptr;
    for (int i = 0; i < s->pass_count; i++) {
        pm_program_destroy(&s->pass[i].program);
        pm_program_destroy(&s->pass[i].catch_up);
    }
    pm_net_destroy(&s->net);
    pm_store_destroy(&s->store);    // a device closes when everything made on it is gone
    pm_device_close(&s->device);
}

pm_status pm_session_open(pm_ctx *ctx, const pm_session_params *params, pm_session **out)
{
    *out = NULL;
    pm_session *s = pm_new(ctx, pm_session);
    PM_CHECK_ALLOC(s);
    pm_set_destructor(s, close_session);
    s->split = params->split;
    s->config = params->config;
    s->model = pm_config_model(params->config);
    s->seed = params->seed;
    s->eager = params->eager;
    s->rating = params->rating;
    s->phase_count = 1;
    s->phase[0] = (pm_phase){ .name = "train" };
    if (s->model->passes) {
        pm_pass passes[PM_MAX_PASSES] = { { .name = NULL } };
        const int count = s->model->passes(s->config, PM_MAX(s->split->train.rows, 1), PM_MAX(s->split->train.cols, 1), passes);
        while (s->trained_passes < count && !passes[s->trained_passes].scoring) s->trained_passes++;
    }
    pm_status st = s->model->check ? s->model->check(s->config, s->split->train.cols) : PM_OK;
    if (st == PM_OK && s->model->phases) s->phase_count = s->model->phases(s->config, s->phase);
    if (st == PM_OK && s->model->by_id && !s->model->fold_in && s->split->held_out_users)
        st = pm_fail(ctx, PM_ERR_ARG, "%s knows users by id and cannot score users held out of training; use --protocol random or leave-one-out",
                     s->model->name);
    if (st == PM_OK) st = pm_center_create(s);
    if (st == PM_OK) st = pm_device_open(ctx, &(pm_device_params){ params->device, params->double_precision }, &s->device);
    if (st == PM_OK) pm_move(s->device, s);    // a context that goes takes the session first, which knows the order
    if (st == PM_OK) st = pm_store_create(s->device, &s->store);
    if (st != PM_OK) {
        pm_free(s);
        return st;
    }
    *out = s;
    return PM_OK;
}

void pm_session_close(pm_session **session)
{
    pm_free(*session);
    *session = NULL;
}

static pm_status upload_array(pm_session *s, const char *name, const char *suffix, pm_dtype dtype, int64_t count, const void *data)
{
    static const uint32_t zero = 0;
    char full[64];
    const int n = snprintf(full, sizeof full, "%s.%s", name, suffix);
    PM_REQUIRE(s, n > 0 && n < (int)sizeof full, PM_ERR_ARG, "the name %s is too long", name);
    PM_TRY(pm_store_add(s->store, full, dtype, 1, PM_MAX(count, 1)));
    return pm_store_write(s->store, full, count ? data : &zero);
}

// Below which rating of pm_split.below a thing is disliked; 0: nothing is.
static double disliked_below(const pm_session *s)
{
    return pm_config_number(s->config, "dislike_below");
}

static bool is_disliked(const pm_session *s, uint32_t entry)
{
    return s->split->below.val[entry] < (float)disliked_below(s);
}

typedef struct triples {
    uint32_t *row, *col;
    float    *val;
    int64_t   count;
} triples;

static void add_known(triples *t, int64_t row, uint32_t col, float val)
{
    t->row[t->count] = (uint32_t)row;
    t->col[t->count] = col;
    t->val[t->count++] = val;
}

static void collect_known(const pm_session *s, const pm_csr *m, const uint32_t *user, triples *t)
{
    const pm_csr *below = &s->split->below;
    for (int64_t r = 0; r < m->rows; r++) {
        for (uint32_t e = m->indptr[r]; e < m->indptr[r + 1]; e++) add_known(t, r, m->col[e], 1);
        if (user[r] >= below->rows) continue;
        for (uint32_t e = below->indptr[user[r]]; e < below->indptr[user[r] + 1]; e++)
            if (is_disliked(s, e)) add_known(t, r, below->col[e], -1);
    }
}

pm_status pm_session_known(const pm_session *s, const void *parent, const pm_csr *m, const uint32_t *user, pm_csr *out)
{
    *out = *m;
    if (s->center) return pm_center_apply(s, parent, m, user, out);
    if (!(disliked_below(s) > 0)) return PM_OK;
    const int64_t capacity = PM_MAX(m->nnz + s->split->below.nnz, 1);
    char *scratch = pm_new(parent, char);
    PM_CHECK_ALLOC(scratch);
    triples t = { pm_new_array(scratch, uint32_t, capacity), pm_new_array(scratch, uint32_t, capacity), pm_new_array(scratch, float, capacity), 0 };
    pm_status st = t.row && t.col && t.val ? PM_OK : PM_ERR_NOMEM;
    if (st == PM_OK) collect_known(s, m, user, &t);
    if (st == PM_OK) st = pm_csr_build(parent, m->rows, m->cols, t.count, t.row, t.col, t.val, NULL, out, NULL);
    pm_free(scratch);
    return st;
}

void pm_session_forget(const pm_csr *m, pm_csr *out)
{
    if (out->col != m->col) pm_csr_free(out);
    else if (out->val != m->val) pm_free(out->val);
    *out = (pm_csr){ .rows = 0 };
}

pm_status pm_session_upload(pm_session *s, const char *name, const pm_csr *m)
{
    PM_TRY(upload_array(s, name, "ptr", PM_U32, m->rows + 1, m->indptr));
    PM_TRY(upload_array(s, name, "col", PM_U32, m->nnz, m->col));
    if (pm_session_counts(s)) PM_TRY(upload_array(s, name, "count", PM_F32, m->nnz, m->val));
    if (s->model->ratings || disliked_below(s) > 0) return upload_array(s, name, "val", PM_F32, m->nnz, m->val);
    float *ones = pm_new_array(s, float, m->nnz);
    PM_CHECK_ALLOC(ones);
    for (int64_t i = 0; i < m->nnz; i++) ones[i] = 1.0f;
    const pm_status st = upload_array(s, name, "val", PM_F32, m->nnz, ones);
    pm_free(ones);
    return st;
}

static int longer_first(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x < y) - (x > y);
}

bool pm_session_counts(const pm_session *s)
{
    return pm_config_is(s->config, "input", "counts");
}

pm_status pm_median_length(const void *object, const pm_csr *m, double *median)
{
    uint32_t *lengths = pm_new_array(object, uint32_t, PM_MAX(m->rows, 1));
    PM_CHECK_ALLOC(lengths);
    for (int64_t i = 0; i < m->rows; i++) lengths[i] = m->indptr[i + 1] - m->indptr[i];
    qsort(lengths, (size_t)m->rows, sizeof *lengths, longer_first);
    *median = m->rows ? 0.5 * ((double)lengths[(m->rows - 1) / 2] + (double)lengths[m->rows / 2]) : 0;
    pm_free(lengths);
    return PM_OK;
}

pm_status pm_session_rows(const pm_session *s, const pm_eval_part *part, uint32_t *rows, bool *held_out)
{
    const pm_split *split = s->split;
    const int64_t users = pm_ids_count(split->users);
    uint32_t *row_of = pm_new_array(s, uint32_t, PM_MAX(users, 1));
    PM_CHECK_ALLOC(row_of);
    for (int64_t u = 0; u < users; u++) row_of[u] = PM_ID_NONE;
    for (int64_t r = 0; r < split->train.rows; r++) row_of[split->train_user[r]] = (uint32_t)r;
    int64_t lacking = 0, stranger = 0;
    for (int64_t u = 0; u < part->users; u++) {
        rows[u] = part->user[u] < users ? row_of[part->user[u]] : PM_ID_NONE;
        if (rows[u] != PM_ID_NONE) continue;
        lacking++;
        stranger = u;
    }
    pm_free(row_of);
    *held_out = lacking > 0 && lacking == part->users;
    if (*held_out ? s->model->fold_in : lacking == 0) return PM_OK;
    const char *name = pm_ids_name(split->users, part->user[stranger]);
    if (s->center && name && split->train.rows > 0 && !split->held_out_users) {    // a rating protocol's: what is predicted is a mean, whatever their score
        for (int64_t u = 0; u < part->users; u++)
            if (rows[u] == PM_ID_NONE) rows[u] = 0;
        *held_out = false;
        return PM_OK;
    }
    return pm_fail(s, PM_ERR_DATA, "user \"%s\" was not trained on, and %s knows users by id%s", name ? name : "(items)", s->model->name,
                   s->model->fold_in ? ": it scores either trained or new users at a time" : "");
}

pm_status pm_session_scoring_net(pm_session *s, pm_graph *g, pm_net **out)
{
    if (s->pass_count) return pm_net_create(g, s->seed, out);
    if (s->net) {
        *out = s->net;
        return pm_net_capture(s->net, g);
    }
    PM_TRY(pm_net_create(g, s->seed, &s->net));    // nothing is trained: these are the parameters
    *out = s->net;
    return PM_OK;
}

void pm_session_scoring_net_done(const pm_session *s, pm_net **net)
{
    if (*net != s->net) pm_net_destroy(net);
}

pm_optimiser_kind pm_session_optimiser(const pm_config *config)
{
    return pm_config_is(config, "optimizer", "adagrad") ? PM_ADAGRAD : pm_config_is(config, "optimizer", "sgd") ? PM_SGD : PM_ADAM;
}

pm_status pm_session_write_state(pm_session *s, const char *name, const pm_state *state)
{
    uint32_t words[PM_STATE_COUNT] = { 0 };
    words[PM_STATE_STEP] = (uint32_t)state->step;
    words[PM_STATE_EPOCH] = (uint32_t)state->epoch;
    words[PM_STATE_POSITION] = (uint32_t)state->position;
    words[PM_STATE_LIVE] = (uint32_t)PM_MIN(state->batch, state->total - state->position);
    words[PM_STATE_TOTAL] = (uint32_t)state->total;
    words[PM_STATE_BATCH] = (uint32_t)state->batch;
    words[PM_STATE_PHASE] = (uint32_t)state->phase;
    words[PM_STATE_SEED_LO] = (uint32_t)state->seed;
    words[PM_STATE_SEED_HI] = (uint32_t)(state->seed >> 32);
    return pm_store_write(s->store, name, words);
}

pm_status pm_snapshot_create(const void *parent, const pm_session *s, pm_snapshot **out)
{
    *out = NULL;
    pm_snapshot *p = pm_new(parent, pm_snapshot);
    PM_CHECK_ALLOC(p);
    p->count = pm_net_param_count(s->net);
    p->values = pm_new_array(p, float *, p->count);
    bool good = p->values != NULL;
    for (int i = 0; good && i < p->count; i++) {
        int64_t rows = 0, cols = 0;
        pm_store_find(s->store, pm_net_param_name(s->net, i), NULL, &rows, &cols);
        p->values[i] = pm_new_array(p, float, rows * cols);
        good = p->values[i] != NULL;
    }
    if (!good) {
        pm_free(p);
        return PM_ERR_NOMEM;
    }
    *out = p;
    return PM_OK;
}

pm_status pm_snapshot_take(pm_snapshot *snapshot, const pm_session *s)
{
    for (int i = 0; i < snapshot->count; i++)
        PM_TRY(pm_store_read(s->store, pm_net_param_name(s->net, i), snapshot->values[i]));
    return PM_OK;
}

pm_status pm_snapshot_restore(const pm_snapshot *snapshot, pm_session *s)
{
    for (int i = 0; i < snapshot->count; i++)
        PM_TRY(pm_store_write(s->store, pm_net_param_name(s->net, i), snapshot->values[i]));
    return PM_OK;
}
