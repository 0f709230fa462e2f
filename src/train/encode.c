// What a model computes of the whole data before it scores: its passes that say so, run in order over what is known then.
#include <pumice/state.h>

#include "train/session.h"

struct pm_encoder {
    pm_session *s;
    char       *name;             // the prefix of its tensors
    int         scorer;           // of which phase's scores it is
    int         count;
    pm_session_pass pass[PM_MAX_PASSES];
    int64_t     entries[2];       // of users' rows and of items': at most so many in a batch
};

// ---- what is known -------------------------------------------------------------------------------------------------

// The row of the part that is each training row's user; PM_ID_NONE where it has none.
static pm_status rows_of_part(const void *scratch, const pm_session *s, const pm_eval_part *part, uint32_t **out)
{
    const pm_split *split = s->split;
    const int64_t users = PM_MAX(pm_ids_count(split->users), 1);
    uint32_t *of_user = pm_new_array(scratch, uint32_t, users), *rows = *out = pm_new_array(scratch, uint32_t, PM_MAX(split->train.rows, 1));
    if (!of_user || !rows) return PM_ERR_NOMEM;
    for (int64_t u = 0; u < users; u++) of_user[u] = PM_ID_NONE;
    for (int64_t r = 0; r < part->users; r++)
        if (part->user[r] < users) of_user[part->user[r]] = (uint32_t)r;
    for (int64_t r = 0; r < split->train.rows; r++) rows[r] = of_user[split->train_user[r]];
    return PM_OK;
}

// The training matrix with what the part knows of its users in place of their rows.
static pm_status known_then(const void *scratch, const pm_session *s, const pm_eval_part *part, pm_csr *out)
{
    const pm_csr *train = &s->split->train, *input = &part->input;
    uint32_t *from;
    PM_TRY(rows_of_part(scratch, s, part, &from));
    int64_t total = 0;
    *out = (pm_csr){ .rows = train->rows, .cols = train->cols, .indptr = pm_new_array(scratch, uint32_t, train->rows + 1) };
    PM_CHECK_ALLOC(out->indptr);
    for (int64_t r = 0; r < train->rows; r++) {
        const uint32_t *ptr = from[r] == PM_ID_NONE ? train->indptr + r : input->indptr + from[r];
        total += ptr[1] - ptr[0];
        PM_REQUIRE(s, total < PM_ID_NAN, PM_ERR_DATA, "what is known has more than 2^32 - 3 interactions");
        out->indptr[r + 1] = (uint32_t)total;
    }
    out->nnz = total;
    out->col = pm_new_array(scratch, uint32_t, PM_MAX(total, 1));
    out->val = pm_new_array(scratch, float, PM_MAX(total, 1));
    if (!out->col || !out->val) return PM_ERR_NOMEM;
    for (int64_t r = 0; r < train->rows; r++) {
        const pm_csr *m = from[r] == PM_ID_NONE ? train : input;
        const uint32_t first = m->indptr[from[r] == PM_ID_NONE ? r : from[r]];
        const size_t n = out->indptr[r + 1] - out->indptr[r];
        memcpy(out->col + out->indptr[r], m->col + first, n * sizeof *out->col);
        memcpy(out->val + out->indptr[r], m->val + first, n * sizeof *out->val);
    }
    return PM_OK;
}

static bool goes_over(const pm_encoder *e, pm_axis axis)
{
    bool any = false;
    for (int i = 0; i < e->count; i++) any = any || e->pass[i].what.axis == axis;
    return any;
}

// The longest batch of the passes over an axis.
static int64_t widest(const pm_encoder *e, pm_axis axis)
{
    int64_t most = 1;
    for (int i = 0; i < e->count; i++)
        if (e->pass[i].what.axis == axis) most = PM_MAX(most, e->pass[i].batch);
    return most;
}

static pm_status upload_matrix(pm_encoder *e, pm_axis axis, const pm_csr *m)
{
    char *name = pm_sprintf(e, axis == PM_AXIS_USERS ? "%s.users" : "%s.items", e->name);
    PM_CHECK_ALLOC(name);
    PM_TRY(pm_session_upload(e->s, name, m));
    e->entries[axis == PM_AXIS_ITEMS] = pm_csr_longest_rows(e, m, widest(e, axis));
    return e->entries[axis == PM_AXIS_ITEMS] > 0 ? PM_OK : PM_ERR_NOMEM;
}

static pm_status upload_known(pm_encoder *e, const pm_eval_part *part)
{
    pm_csr joined, known, turned;
    void *scratch = pm_alloc(e, 1);
    PM_CHECK_ALLOC(scratch);
    pm_status st = known_then(scratch, e->s, part, &joined);
    if (st == PM_OK) st = pm_session_known(e->s, scratch, &joined, e->s->split->train_user, &known);
    if (st == PM_OK && goes_over(e, PM_AXIS_USERS)) st = upload_matrix(e, PM_AXIS_USERS, &known);
    if (st == PM_OK && goes_over(e, PM_AXIS_ITEMS)) st = pm_csr_transposed(scratch, &known, &turned);
    if (st == PM_OK && goes_over(e, PM_AXIS_ITEMS)) st = upload_matrix(e, PM_AXIS_ITEMS, &turned);
    pm_free(scratch);
    return st;
}

// ---- its programs --------------------------------------------------------------------------------------------------

static pm_status capture_pass(pm_encoder *e, int pass)
{
    pm_session *s = e->s;
    pm_session_pass *p = &e->pass[pass];
    const pm_axis axis = p->what.axis;
    pm_build b = { .config = s->config, .items = s->split->train.cols, .users = s->split->train.rows, .pass = s->trained_passes + pass, .scorer = e->scorer,
                   .user = { -1 }, .counts = { -1 } };
    char *state = pm_sprintf(e, "%s.state", e->name), *matrix = pm_sprintf(e, axis == PM_AXIS_USERS ? "%s.users" : "%s.items", e->name);
    if (!state || !matrix) return PM_ERR_NOMEM;
    PM_TRY(pm_graph_create(s->store, &b.g));
    const pm_status st = pm_session_scoring_net(s, b.g, &b.net);
    if (st != PM_OK) {
        pm_graph_destroy(&b.g);
        return st;
    }
    b.state = pm_constant(b.g, state);
    b.live = pm_slice(b.g, b.state, 0, 1, PM_STATE_LIVE, 1);
    b.rows = pm_next_rows(b.g, b.state, p->batch);
    b.row_weight = pm_row_weight(b.g, pm_fill(b.g, 1, 1, 1.0f), b.live, p->batch);
    b.x = (pm_sparse){ { -1 }, { -1 }, { -1 }, 0, 0, 0 };
    if (axis != PM_AXIS_STEPS) {
        b.x = pm_capture_batch(b.g, matrix, b.rows, b.live, e->entries[axis == PM_AXIS_ITEMS]);
        b.x.items = axis == PM_AXIS_USERS ? b.items : b.users;
        if (pm_session_counts(s)) b.counts = pm_capture_counts(b.g, matrix, b.rows, &b.x);
        if (axis == PM_AXIS_USERS) b.user = pm_reshape(b.g, b.rows, p->batch, 1);
    }
    s->model->solve(&b);
    pm_tick(b.g, b.state);
    pm_session_scoring_net_done(s, &b.net);
    return pm_graph_compile(&b.g, &p->program);
}

static pm_status list_passes(pm_encoder *e)
{
    const pm_csr *train = &e->s->split->train;
    pm_pass all[PM_MAX_PASSES] = { { .name = NULL } };
    const int count = e->s->model->passes ? e->s->model->passes(e->s->config, train->rows, train->cols, all) : 0;
    for (int i = 0; i < count; i++) {
        if (!all[i].scoring) continue;
        PM_REQUIRE(e, all[i].axis != PM_AXIS_ENTRIES && all[i].solve, PM_ERR_ARG, "pass %s comes before scoring: it solves, over users, items or steps",
                   all[i].name);
        pm_session_pass *p = &e->pass[e->count++];
        p->what = all[i];
        pm_session_measure_pass(e->s, p);
    }
    return PM_OK;
}

static pm_status init(pm_encoder *e, const pm_eval_part *part, const char *name)
{
    e->name = pm_sprintf(e, "%s.known", name);
    PM_CHECK_ALLOC(e->name);
    PM_REQUIRE(e, e->s->split->train.rows > 0, PM_ERR_ARG, "%s scores by what all users have: it needs the data of the run", e->s->model->name);
    PM_TRY(upload_known(e, part));
    char *state = pm_sprintf(e, "%s.state", e->name);
    PM_CHECK_ALLOC(state);
    return pm_store_add(e->s->store, state, PM_U32, 1, PM_STATE_COUNT);
}

bool pm_encodes(const pm_config *config)
{
    const pm_model *m = pm_config_model(config);
    pm_pass all[PM_MAX_PASSES] = { { .name = NULL } };
    const int count = m->passes ? m->passes(config, 1, 1, all) : 0;
    return count > 0 && all[count - 1].scoring;
}

pm_status pm_encoder_create(pm_session *s, const pm_eval_part *part, const char *name, pm_encoder **out)
{
    *out = NULL;
    pm_encoder *e = pm_new(s, pm_encoder);
    PM_CHECK_ALLOC(e);
    e->s = s;
    e->scorer = -1;
    pm_status st = list_passes(e);
    if (st == PM_OK && e->count) st = init(e, part, name);
    if (st != PM_OK || !e->count) {
        pm_free(e);
        return st;
    }
    *out = e;
    return PM_OK;
}

pm_status pm_encoder_use(pm_encoder *e, int scorer)
{
    if (e->scorer == scorer) return PM_OK;
    e->scorer = scorer;
    for (int i = 0; i < e->count; i++) {
        pm_program_destroy(&e->pass[i].program);
        PM_TRY(capture_pass(e, i));
    }
    return PM_OK;
}

pm_status pm_encoder_run(pm_encoder *e)
{
    char *state = pm_sprintf(e, "%s.state", e->name);
    PM_CHECK_ALLOC(state);
    pm_status st = PM_OK;
    for (int i = 0; i < e->count && st == PM_OK; i++) {
        const pm_state start = { .seed = e->s->seed, .total = e->pass[i].total, .batch = e->pass[i].batch };
        st = pm_session_write_state(e->s, state, &start);
        if (st == PM_OK) st = pm_program_run(e->pass[i].program, e->pass[i].steps);
    }
    pm_free(state);
    return st;
}
