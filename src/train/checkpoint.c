// Checkpoints. checkpoint.safetensors is the commit point: it names the best file by hash and the valid length of metrics.jsonl. A new
// best is written beside the old one, the checkpoint that names it follows, and only then does it take the old one's place. Once training
// has ended nothing goes on from the last step: what the run is used for are the best parameters, and the checkpoint has no tensors.
#include <stdio.h>

#include "core/file.h"
#include "train/checkpoint.h"
#include "train/rating.h"
#include "train/runfolder.h"

static const char *const best_names[] = { "best.safetensors", "best.next.safetensors" };

char *pm_checkpoint_path(const void *parent, const char *run, const char *name)
{
    return pm_sprintf(parent, "%s/%s", run, name);
}

// ---- saving ----

static bool is_kept(const pm_session *s, const char *name)
{
    if (pm_is_optimiser_state(name) || pm_is_center(name)) return true;
    for (int i = 0; i < pm_net_param_count(s->net); i++)
        if (pm_name_equal(pm_net_param_name(s->net, i), name)) return true;
    return false;
}

pm_status pm_checkpoint_write_tensors(pm_st_writer *w, const pm_session *s, bool data)
{
    for (int i = 0; i < pm_store_count(s->store); i++) {
        const char *name = pm_store_name(s->store, i);
        int64_t rows, cols;
        pm_dtype dtype;
        if (!is_kept(s, name)) continue;
        pm_store_find(s->store, name, &dtype, &rows, &cols);
        if (!data) {
            PM_TRY(pm_st_writer_declare(w, name, dtype, rows, cols));
            continue;
        }
        float *values = pm_new_array(w, float, rows * cols);
        PM_CHECK_ALLOC(values);
        pm_status st = pm_store_read(s->store, name, values);
        if (st == PM_OK) st = pm_st_writer_rows(w, name, rows, values);
        pm_free(values);
        PM_TRY(st);
    }
    return PM_OK;
}

// The centre of ratings, which no epoch changes, beside the parameters: declared, then written.
static pm_status write_center(pm_st_writer *w, const pm_session *s, bool data)
{
    int64_t rows;
    pm_status st = PM_OK;
    const char *name;
    for (int i = 0; st == PM_OK && (name = pm_center_tensor(s, i, &rows)); i++) {
        if (!data) {
            st = pm_st_writer_declare(w, name, PM_F32, rows, 1);
            continue;
        }
        float *values = pm_new_array(w, float, rows);
        PM_CHECK_ALLOC(values);
        st = pm_store_read(s->store, name, values);
        if (st == PM_OK) st = pm_st_writer_rows(w, name, rows, values);
        pm_free(values);
    }
    return st;
}

static pm_status write_best(pm_trainer *t, const char *path)
{
    const pm_session *s = t->session;
    pm_st_writer *w;
    PM_TRY(pm_st_writer_create(t->result, path, &w));
    pm_status st = pm_st_writer_meta(w, "format", "pumice parameters 1");
    if (st == PM_OK) st = pm_st_writer_meta(w, "model", s->model->name);
    if (st == PM_OK) st = pm_meta_integer(w, "epoch", t->best_epoch);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; st == PM_OK && i < t->best->count; i++) {
            const char *name = pm_net_param_name(s->net, i);
            int64_t rows = 0, cols = 0;
            pm_store_find(s->store, name, NULL, &rows, &cols);
            st = pass ? pm_st_writer_rows(w, name, rows, t->best->values[i]) : pm_st_writer_declare(w, name, PM_F32, rows, cols);
        }
        if (st == PM_OK) st = write_center(w, s, pass == 1);
    }
    if (st != PM_OK) {
        pm_st_writer_discard(&w);
        return st;
    }
    return pm_st_writer_finish(&w, &t->best_hash);
}

static pm_status write_checkpoint(pm_trainer *t, const char *path)
{
    pm_st_writer *w;
    PM_TRY(pm_st_writer_create(t->result, path, &w));
    pm_status st = pm_checkpoint_write_meta(w, t);
    for (int pass = 0; pass < 2 && st == PM_OK && !t->finished; pass++) st = pm_checkpoint_write_tensors(w, t->session, pass == 1);
    if (st != PM_OK) {
        pm_st_writer_discard(&w);
        return st;
    }
    return pm_st_writer_finish(&w, NULL);
}

pm_status pm_checkpoint_save(pm_trainer *t)
{
    const double before = pm_clock();
    void *scratch = pm_alloc(t->result, 1);
    PM_CHECK_ALLOC(scratch);
    char *checkpoint = pm_checkpoint_path(scratch, t->run, "checkpoint.safetensors"), *best = pm_checkpoint_path(scratch, t->run, "best.safetensors"),
         *next = pm_checkpoint_path(scratch, t->run, "best.next.safetensors");
    pm_status st = checkpoint && best && next ? PM_OK : PM_ERR_NOMEM;
    if (st == PM_OK) st = pm_run_save_epochs(t, t->logged, &t->log_size);
    if (st == PM_OK) t->logged = t->result->epoch_count;
    if (st == PM_OK && t->best_pending) st = pm_file_replace(t->result, next, best);    // the checkpoint may name next: not to be overwritten
    if (st == PM_OK) t->best_pending = false;
    if (st == PM_OK && t->best_unsaved) st = write_best(t, next);
    if (st == PM_OK) st = write_checkpoint(t, checkpoint);
    if (st == PM_OK) {
        t->best_pending = t->best_unsaved;
        t->best_unsaved = false;
        t->saved_at = pm_clock();
        t->save_seconds = t->saved_at - before;
    }
    if (st == PM_OK && t->best_pending) st = pm_file_replace(t->result, next, best);
    if (st == PM_OK) t->best_pending = false;
    pm_free(scratch);
    return st;
}

// ---- loading ----

static pm_status damaged(const pm_checkpoint *c, const char *what)
{
    return pm_fail(c, PM_ERR_FORMAT, "%s/checkpoint.safetensors: %s", c->run, what);
}

pm_status pm_checkpoint_find(const void *object, const char *run, bool *found)
{
    char *path = pm_checkpoint_path(object, run, "checkpoint.safetensors");
    PM_CHECK_ALLOC(path);
    *found = pm_file_exists(path);
    pm_free(path);
    return PM_OK;
}

pm_status pm_checkpoint_open(const void *parent, const char *run, pm_checkpoint **out)
{
    *out = NULL;
    pm_checkpoint *c = pm_new(parent, pm_checkpoint);
    PM_CHECK_ALLOC(c);
    c->run = pm_strdup(c, run);
    char *path = pm_checkpoint_path(c, run, "checkpoint.safetensors");
    pm_status st = c->run && path ? PM_OK : PM_ERR_NOMEM;
    if (st == PM_OK && !pm_file_exists(path))
        st = pm_fail(parent, PM_ERR_NOT_FOUND, "%s: there is no checkpoint in it; is it the folder of a run?", run);
    if (st == PM_OK) st = pm_st_open(c, path, &c->file);
    if (st == PM_OK) st = pm_st_verify(c->file);
    const char *format = st == PM_OK ? pm_st_meta(c->file, "format") : NULL;
    if (st == PM_OK && (!format || !pm_name_equal(format, PM_CHECKPOINT_FORMAT))) st = damaged(c, "it is no checkpoint of this version");
    if (st == PM_OK) st = pm_checkpoint_integer(c, "refit_epochs", 0, &c->refit_epochs);
    if (st != PM_OK) {
        pm_free(c);
        return st;
    }
    *out = c;
    return PM_OK;
}

static pm_status read_tensor(pm_st_file *file, pm_session *s, const char *name)
{
    int64_t rows = 0, cols = 0;
    pm_dtype dtype = PM_F32;
    const pm_st_tensor *t = pm_st_find(file, name);
    pm_store_find(s->store, name, &dtype, &rows, &cols);
    PM_REQUIRE(file, t && t->rows == rows && t->cols == cols && t->dtype == dtype, PM_ERR_FORMAT,
               "the file lacks tensor \"%s\" as %s [%" PRId64 ", %" PRId64 "]: it is of another model or setting", name, dtype == PM_F32 ? "f32" : "u32", rows, cols);
    float *values = pm_new_array(file, float, rows * cols);
    PM_CHECK_ALLOC(values);
    pm_status st = pm_st_read_rows(file, name, 0, rows, values);
    if (st == PM_OK) st = pm_store_write(s->store, name, values);
    pm_free(values);
    return st;
}

// A file of the run opened and whole, with the wanted hash; *out NULL where it is none such.
static pm_status open_wanted(const pm_checkpoint *c, const char *path, uint64_t want, pm_st_file **out)
{
    pm_status st = PM_ERR_NOT_FOUND;
    *out = NULL;
    if (pm_file_exists(path)) st = pm_st_open(c, path, out);
    if (st == PM_OK && pm_st_hash(*out) != want) st = PM_ERR_FORMAT;
    if (st == PM_OK) st = pm_st_verify(*out);
    if (st != PM_OK) pm_st_close(out);
    return st == PM_ERR_NOMEM ? st : PM_OK;
}

pm_status pm_checkpoint_open_best(const pm_checkpoint *c, pm_st_file **out)
{
    uint64_t want;
    *out = NULL;
    PM_TRY(pm_checkpoint_bits(c, "best", &want));
    if (want == 0) return PM_OK;
    for (int i = 0; !*out && i < PM_COUNT(best_names); i++) {
        char *path = pm_checkpoint_path(c, c->run, best_names[i]);
        PM_CHECK_ALLOC(path);
        PM_TRY(open_wanted(c, path, want, out));
        pm_free(path);
    }
    PM_REQUIRE(c, *out, PM_ERR_FORMAT, "%s: best.safetensors is not the file that the checkpoint names", c->run);
    return PM_OK;
}

pm_status pm_checkpoint_open_chosen(const pm_checkpoint *c, pm_st_file **out)
{
    const char *finished = pm_st_meta(c->file, "finished");
    *out = NULL;
    if (finished && pm_name_equal(finished, "1")) PM_TRY(pm_checkpoint_open_best(c, out));
    return *out ? PM_OK : pm_fail(c, PM_ERR_NOT_FOUND, "%s: its training has not come to its end; go on with it by --resume %s", c->run, c->run);
}

// After a kill: the best file that the checkpoint names takes its place, whatever it does not name goes.
static pm_status tidy(const pm_checkpoint *c, const pm_st_file *best)
{
    static const char *const strays[] = { "best.next.safetensors", "best.next.safetensors.tmp", "checkpoint.safetensors.tmp" };
    char *paths[2] = { pm_checkpoint_path(c, c->run, best_names[0]), pm_checkpoint_path(c, c->run, best_names[1]) };
    PM_CHECK_ALLOC(paths[0]);
    PM_CHECK_ALLOC(paths[1]);
    pm_st_file *file = NULL;
    if (best) PM_TRY(open_wanted(c, paths[0], pm_st_hash(best), &file));
    const bool in_place = file != NULL;
    pm_st_close(&file);
    if (best && !in_place) PM_TRY(pm_file_replace(c, paths[1], paths[0]));
    if (!best) remove(paths[0]);
    for (int i = 0; i < PM_COUNT(strays); i++) {
        char *path = pm_checkpoint_path(c, c->run, strays[i]);
        PM_CHECK_ALLOC(path);
        remove(path);
        pm_free(path);
    }
    pm_free(paths[0]);
    pm_free(paths[1]);
    return PM_OK;
}

static pm_status read_best(const pm_checkpoint *c, pm_trainer *t)
{
    pm_st_file *file;
    PM_TRY(pm_checkpoint_open_best(c, &file));
    pm_status st = PM_OK;
    const bool looked_at = t->best_epoch != 0;    // else it is of an earlier phase or training, and the next best replaces it unread
    for (int i = 0; file && looked_at && st == PM_OK && i < t->best->count; i++) {
        const char *name = pm_net_param_name(t->session->net, i);
        const pm_st_tensor *tensor = pm_st_find(file, name);
        int64_t rows = 0, cols = 0;
        pm_store_find(t->session->store, name, NULL, &rows, &cols);
        st = tensor && tensor->rows == rows && tensor->cols == cols ? pm_st_read_rows(file, name, 0, rows, t->best->values[i])
                                                                    : damaged(c, "best.safetensors is of another model or setting");
    }
    if (st == PM_OK && t->run) st = tidy(c, file);
    pm_st_close(&file);
    return st;
}

pm_status pm_checkpoint_load(pm_checkpoint *c, pm_trainer *t)
{
    PM_TRY(pm_checkpoint_check(c, t));
    PM_TRY(pm_checkpoint_read_meta(c, t));
    if (t->finished && !t->best_epoch) return damaged(c, "training has ended, yet no epoch was chosen");
    PM_TRY(read_best(c, t));
    for (int i = 0; i < pm_store_count(t->session->store) && !t->finished; i++) {
        const char *name = pm_store_name(t->session->store, i);
        if (is_kept(t->session, name)) PM_TRY(read_tensor(c->file, t->session, name));
    }
    PM_TRY(pm_run_load_epochs(t, c->run, t->log_size));
    t->logged = t->result->epoch_count;
    t->train_seconds = 0;
    for (int i = 0; i < t->result->epoch_count; i++) t->train_seconds += t->result->epoch_log[i].seconds;
    return PM_OK;
}

pm_status pm_checkpoint_load_best(const pm_checkpoint *c, pm_session *s)
{
    pm_st_file *file;
    const char *model = pm_st_meta(c->file, "model");
    PM_REQUIRE(c, model && pm_name_equal(model, s->model->name), PM_ERR_FORMAT, "%s: the checkpoint is of model %s, the run of %s", c->run,
               model ? model : "?", s->model->name);
    PM_TRY(pm_checkpoint_open_best(c, &file));
    PM_REQUIRE(c, file, PM_ERR_NOT_FOUND, "%s: training was stopped before a first epoch was done; resume it first", c->run);
    pm_status st = PM_OK;
    for (int i = 0; st == PM_OK && i < pm_net_param_count(s->net); i++) st = read_tensor(file, s, pm_net_param_name(s->net, i));
    pm_st_close(&file);
    return st;
}

pm_status pm_checkpoint_load_center(const pm_checkpoint *c, pm_session *s)
{
    pm_st_file *file;
    const char *name;
    int64_t rows;
    if (!s->center) return PM_OK;
    PM_TRY(pm_checkpoint_open_best(c, &file));
    PM_REQUIRE(c, file, PM_ERR_NOT_FOUND, "%s: training was stopped before a first epoch was done; resume it first", c->run);
    pm_status st = PM_OK;
    for (int i = 0; st == PM_OK && (name = pm_center_tensor(s, i, &rows)); i++) {
        const pm_st_tensor *t = pm_st_find(file, name);
        float *values = t && t->cols == 1 && t->dtype == PM_F32 ? pm_new_array(file, float, t->rows) : NULL;
        st = !t || t->cols != 1 || t->dtype != PM_F32 ? damaged(c, "best.safetensors lacks the means of the ratings") : values ? PM_OK : PM_ERR_NOMEM;
        if (st == PM_OK) st = pm_st_read_rows(file, name, 0, t->rows, values);
        if (st == PM_OK) st = pm_center_set(s, i, t->rows, values);
    }
    pm_st_close(&file);
    return st;
}
