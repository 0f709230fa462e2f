// Taking interactions into a trained run one after the other. The model says what one changes; the host keeps the rows of its user and its item as they
// grow, and hands them to a program that was captured once.
#include <stdio.h>

#include <pumice/state.h>

#include "data/text_out.h"
#include "train/arrivals.h"
#include "train/runfolder.h"
#include "train/use.h"

static const char UPDATE_FILE[] = "update.tsv";

// Rows of one side, entries valued by when they came: 0 in training, else the arrival's number from 1 on.
typedef struct side {
    const char *name;    // of its tensors
    pm_csr      rows;
    int64_t     longest;
    uint32_t   *col;     // [longest]
    float      *val;
} side;

typedef struct updater {
    pm_opened          o;
    const pm_model    *model;
    pm_arrivals        arrivals;
    pm_split          *matrix;     // what its rows are of: the split, or with validation where the run was refitted
    uint32_t          *row_of;     // [old rows] where a user's row is now
    int64_t            old_rows;
    uint32_t          *row;        // [arrivals] rows of the training matrix
    side               user, item;
    pm_program        *around, *step;
} updater;

static pm_status refuse(const void *object, const char *name)
{
    char known[300] = "";
    for (int i = 0; i < pm_model_count(); i++) {
        const pm_model *m = pm_model_at(i);
        const size_t used = strlen(known);
        if (m->update && used + strlen(m->name) + 3 < sizeof known) snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", m->name);
    }
    return pm_fail(object, PM_ERR_ARG, "%s has no incremental update: train it anew on all the data. Models that have one: %s", name, known);
}

// ---- data ----

static pm_status rows_of(const void *scratch, const pm_split *s, uint32_t **row_of)
{
    *row_of = pm_new_array(scratch, uint32_t, PM_MAX(pm_ids_count(s->users), 1));
    PM_CHECK_ALLOC(*row_of);
    for (int64_t r = 0; r < s->train.rows; r++) (*row_of)[s->train_user[r]] = (uint32_t)r;
    return PM_OK;
}

// What the tables of the run have a row for.
static pm_status matrix_of(const void *scratch, const updater *u, pm_split **out)
{
    *out = u->o.split;
    return pm_use_joined(&u->o) ? pm_split_refit(scratch, u->o.split, out) : PM_OK;
}

// The run's data with the new interactions, and which rows the old ones have become.
static pm_status extend(pm_ctx *ctx, const void *scratch, const pm_update_params *p, updater *u)
{
    pm_interactions *in;
    pm_split *old;
    PM_TRY(pm_spec_load(scratch, u->o.spec, &u->o.split));
    PM_REQUIRE(ctx, pm_split_hash(u->o.split) == pm_checkpoint_data_hash(u->o.checkpoint), PM_ERR_DATA, "%s: the data are not those the run was trained on", p->run);
    PM_TRY(matrix_of(scratch, u, &old));
    u->old_rows = old->train.rows;
    uint32_t *old_user = pm_new_array(scratch, uint32_t, PM_MAX(u->old_rows, 1)), *now;
    PM_CHECK_ALLOC(old_user);
    memcpy(old_user, old->train_user, sizeof *old_user * (size_t)u->old_rows);
    PM_TRY(pm_data_read(scratch, &p->data, &in));
    PM_TRY(pm_split_extend(u->o.split, in, &u->arrivals));
    PM_REQUIRE(ctx, u->arrivals.count > 0, PM_ERR_DATA, "%s: none of its %" PRId64 " interactions is new to the run", p->data.path, in->count);
    if (u->arrivals.awaited)
        pm_log(ctx, PM_LOG_WARN, "%" PRId64 " of the interactions are what validation or test have to find: evaluating the new run says little now", u->arrivals.awaited);
    PM_TRY(matrix_of(scratch, u, &u->matrix));
    PM_TRY(rows_of(scratch, u->matrix, &now));
    u->row_of = pm_new_array(scratch, uint32_t, PM_MAX(u->old_rows, 1));
    u->row = pm_new_array(scratch, uint32_t, u->arrivals.count);
    if (!u->row_of || !u->row) return PM_ERR_NOMEM;
    for (int64_t r = 0; r < u->old_rows; r++) u->row_of[r] = now[old_user[r]];
    for (int64_t k = 0; k < u->arrivals.count; k++) u->row[k] = now[u->arrivals.user[k]];
    return PM_OK;
}

static pm_status measure(const void *scratch, side *s)
{
    s->longest = PM_MAX(pm_csr_longest_rows(scratch, &s->rows, 1), 1);
    s->col = pm_new_array(scratch, uint32_t, s->longest);
    s->val = pm_new_array(scratch, float, s->longest);
    return s->col && s->val ? PM_OK : PM_ERR_NOMEM;
}

// Both sides of the matrix, its entries valued by when they came.
static pm_status lay_out(const void *scratch, updater *u)
{
    const pm_csr *m = &u->matrix->train;
    pm_csr *rows = &u->user.rows;
    PM_REQUIRE(scratch, u->arrivals.count < 1 << 24, PM_ERR_ARG, "%" PRId64 " interactions at once; take them in by files of at most %d", u->arrivals.count,
               (1 << 24) - 1);
    *rows = *m;
    rows->val = pm_new_array(scratch, float, PM_MAX(m->nnz, 1));
    rows->time = NULL;
    PM_CHECK_ALLOC(rows->val);
    for (int64_t k = 0; k < u->arrivals.count; k++) {
        const int64_t at = pm_csr_find(m, u->row[k], u->arrivals.item[k]);
        rows->val[at] = (float)(k + 1);
    }
    PM_TRY(pm_csr_transposed(scratch, rows, &u->item.rows));
    u->user.name = "update.user";
    u->item.name = "update.item";
    PM_TRY(measure(scratch, &u->user));
    return measure(scratch, &u->item);
}

// ---- programs ----

static char *tensor(const void *parent, const side *s, const char *suffix)
{
    return pm_sprintf(parent, "%s.%s", s->name, suffix);
}

static pm_status add_side(pm_store *store, const side *s)
{
    const struct { const char *suffix; pm_dtype dtype; int64_t cols; } parts[] = {
        { "row", PM_U32, 1 }, { "ptr", PM_U32, 2 }, { "col", PM_U32, s->longest }, { "val", PM_F32, s->longest }, { "state", PM_U32, PM_STATE_COUNT },
    };
    for (int i = 0; i < PM_COUNT(parts); i++) {
        char *name = tensor(store, s, parts[i].suffix);
        PM_CHECK_ALLOC(name);
        PM_TRY(pm_store_add(store, name, parts[i].dtype, 1, parts[i].cols));
        pm_free(name);
    }
    return PM_OK;
}

static pm_var use(pm_graph *g, const side *s, const char *suffix)
{
    char *name = tensor(g, s, suffix);
    return name ? pm_constant(g, name) : pm_graph_fail(g, PM_ERR_NOMEM, "no memory for a name");
}

static pm_sparse use_row(pm_graph *g, const side *s)
{
    return (pm_sparse){ .ptr = use(g, s, "ptr"), .col = use(g, s, "col"), .val = use(g, s, "val"), .rows = 1, .items = s->rows.cols, .entries = s->longest };
}

static pm_status capture(updater *u, bool around, pm_program **out)
{
    pm_session *s = u->o.session;
    const pm_csr *m = &u->matrix->train;
    pm_build b = { .config = u->o.config, .items = m->cols, .users = m->rows, .training = true };
    PM_TRY(pm_graph_create(s->store, &b.g));
    const pm_status st = s->net ? pm_net_capture(s->net, b.g) : pm_net_create(b.g, s->seed, &s->net);
    if (st != PM_OK) {
        pm_graph_destroy(&b.g);
        return st;
    }
    b.net = s->net;
    const pm_arrival arrival = { .user = use(b.g, &u->user, "row"), .item = use(b.g, &u->item, "row"), .of_user = use_row(b.g, &u->user),
                                 .of_item = use_row(b.g, &u->item), .user_state = use(b.g, &u->user, "state"), .item_state = use(b.g, &u->item, "state") };
    u->model->update(&b, around ? NULL : &arrival);
    return pm_graph_compile(&b.g, out);
}

static pm_status write(pm_session *s, const side *at, const char *suffix, const void *data)
{
    char *name = tensor(s, at, suffix);
    PM_CHECK_ALLOC(name);
    const pm_status st = pm_store_write(s->store, name, data);
    pm_free(name);
    return st;
}

// The row as it is with the arrivals up to number `last`.
static pm_status write_row(pm_session *s, side *at, uint32_t row, float last)
{
    uint32_t ptr[2] = { 0, 0 };
    memset(at->col, 0, sizeof *at->col * (size_t)at->longest);
    memset(at->val, 0, sizeof *at->val * (size_t)at->longest);
    for (uint32_t e = at->rows.indptr[row]; e < at->rows.indptr[row + 1]; e++) {
        if (at->rows.val[e] > last) continue;
        at->col[ptr[1]] = at->rows.col[e];
        at->val[ptr[1]++] = at->rows.val[e] > 0 ? 1.0f : 0.0f;
    }
    PM_TRY(write(s, at, "row", &row));
    PM_TRY(write(s, at, "ptr", ptr));
    PM_TRY(write(s, at, "col", at->col));
    PM_TRY(write(s, at, "val", at->val));
    char *name = tensor(s, at, "state");
    PM_CHECK_ALLOC(name);
    const pm_status st = pm_session_write_state(s, name, &(pm_state){ .seed = s->seed, .position = row, .total = at->rows.rows, .batch = 1 });
    pm_free(name);
    return st;
}

static pm_status go_through(pm_ctx *ctx, updater *u, int64_t rounds)
{
    const int64_t count = u->arrivals.count;
    const double began = pm_clock();
    PM_TRY(pm_program_run(u->around, 1));
    for (int64_t n = 0; n < rounds * count; n++) {
        const int64_t k = n % count;
        const float last = n < count ? (float)(k + 1) : (float)count;
        if (pm_ctx_cancelled(ctx)) return pm_fail(ctx, PM_ERR_CANCELLED, "update: interrupted; nothing was written");
        PM_TRY(write_row(u->o.session, &u->user, u->row[k], last));
        PM_TRY(write_row(u->o.session, &u->item, u->arrivals.item[k], last));
        PM_TRY(pm_program_run(u->step, 1));
        if ((n + 1) % 64 == 0 || n + 1 == rounds * count)
            pm_report_progress(ctx, &(pm_progress){ "update", "interactions", NULL, n + 1, rounds * count, pm_clock() - began });
    }
    return pm_program_run(u->around, 1);
}

// ---- the new run ----

static pm_status check_finite(const void *scratch, const pm_session *s)
{
    for (int i = 0; i < pm_net_param_count(s->net); i++) {
        const char *name = pm_net_param_name(s->net, i);
        int64_t rows = 0, cols = 0;
        pm_store_find(s->store, name, NULL, &rows, &cols);
        float *values = pm_new_array(scratch, float, rows * cols);
        PM_CHECK_ALLOC(values);
        PM_TRY(pm_store_read(s->store, name, values));
        for (int64_t k = 0; k < rows * cols; k++)
            PM_REQUIRE(scratch, values[k] - values[k] == 0.0f, PM_ERR_NUMERIC, "update: %s is not finite: the factors grew too large; nothing was written", name);
        pm_free(values);
    }
    return PM_OK;
}

static void put_line(pm_text *t, const char *user, const char *item, float value)
{
    pm_text_id(t, user);
    pm_text_id(t, item);
    pm_text_value(t, value);
    pm_text_end_line(t);
}

// All that came after training: what the old run had of it, then this.
static pm_status write_arrivals(const void *scratch, const updater *u, const char *path)
{
    const pm_arrivals *a = &u->arrivals;
    pm_interactions *before = NULL;
    pm_text *t;
    if (u->o.spec->update) PM_TRY(pm_data_read(scratch, &(pm_read_params){ .path = u->o.spec->update, .format = "tsv" }, &before));
    PM_TRY(pm_text_create(scratch, path, '\t', false, &t));
    pm_text_id(t, "user");
    pm_text_id(t, "item");
    pm_text_id(t, "rating");
    pm_text_end_line(t);
    for (int64_t i = 0; before && i < before->count; i++)
        put_line(t, pm_ids_name(before->users, before->user[i]), pm_ids_name(before->items, before->item[i]), before->value[i]);
    for (int64_t k = 0; k < a->count; k++)
        put_line(t, pm_ids_name(u->o.split->users, a->user[k]), pm_ids_name(u->o.split->items, a->item[k]), a->value[k]);
    return pm_text_commit(&t);
}

static pm_status save(const void *scratch, const pm_update_params *p, updater *u)
{
    pm_spec *asked;
    char *path = pm_sprintf(scratch, "%s/%s", p->out, UPDATE_FILE);
    PM_CHECK_ALLOC(path);
    PM_TRY(pm_run_read_spec(scratch, p->run, &asked));
    asked->update = UPDATE_FILE;
    PM_TRY(pm_run_begin(scratch, p->out, asked));
    PM_TRY(write_arrivals(scratch, u, path));
    PM_TRY(pm_run_save_maps(scratch, p->out, u->o.split));
    PM_TRY(pm_checkpoint_copy_log(u->o.checkpoint, p->out));
    return pm_checkpoint_save_updated(u->o.checkpoint, u->o.session, pm_split_hash(u->o.split), p->out);
}

static pm_status update(pm_ctx *ctx, const void *scratch, const pm_update_params *p, updater *u, pm_update_report *report)
{
    bool found;
    PM_TRY(pm_use_open(scratch, p->run, &u->o));
    u->model = pm_config_model(u->o.config);
    if (!u->model->update) return refuse(ctx, u->model->name);
    PM_REQUIRE(ctx, pm_checkpoint_finished(u->o.checkpoint), PM_ERR_NOT_FOUND, "%s: its training has not come to its end; go on with it by --resume %s", p->run, p->run);
    PM_TRY(pm_checkpoint_find(ctx, p->out, &found));
    PM_REQUIRE(ctx, !found, PM_ERR_ARG, "%s holds a run already; name another folder", p->out);
    for (int i = 0; i < p->setting_count; i++) PM_TRY(pm_config_assign(u->o.config, p->settings[i]));
    PM_TRY(extend(ctx, scratch, p, u));
    PM_TRY(lay_out(scratch, u));
    const pm_session_params params = { .split = u->matrix, .config = u->o.config, .device = p->device ? p->device : u->o.spec->device, .seed = u->o.spec->seed };
    PM_TRY(pm_session_open(ctx, &params, &u->o.session));
    PM_TRY(add_side(u->o.session->store, &u->user));
    PM_TRY(add_side(u->o.session->store, &u->item));
    PM_TRY(capture(u, true, &u->around));
    PM_TRY(capture(u, false, &u->step));
    PM_TRY(pm_checkpoint_load_grown(u->o.checkpoint, u->o.session, u->row_of, u->old_rows));
    const double before = pm_clock();
    PM_TRY(go_through(ctx, u, PM_MAX(p->rounds, 1)));
    PM_TRY(check_finite(scratch, u->o.session));
    *report = (pm_update_report){ u->arrivals.count, u->arrivals.known, u->arrivals.new_users, u->arrivals.new_items, pm_clock() - before };
    return save(scratch, p, u);
}

pm_status pm_update(pm_ctx *ctx, const pm_update_params *params, pm_update_report *report)
{
    updater u = { .old_rows = 0 };
    *report = (pm_update_report){ 0 };
    PM_REQUIRE(ctx, params->run && params->out && params->data.path, PM_ERR_ARG, "an update needs a run, the folder of the new one, and new interactions");
    void *scratch = pm_alloc(ctx, 1);
    PM_CHECK_ALLOC(scratch);
    const pm_status st = update(ctx, scratch, params, &u, report);
    pm_program_destroy(&u.around);
    pm_program_destroy(&u.step);
    if (u.o.session) pm_session_close(&u.o.session);
    pm_free(scratch);
    return st;
}
