// The checkpoint of an updated run: what the old one says, with larger tables and of other data.
#include "core/file.h"
#include "data/text_out.h"
#include "train/checkpoint.h"

// A tensor of the file into a larger one, which keeps what it has beyond it; row r of a table of users comes to row_of[r].
static pm_status read_grown(pm_st_file *file, pm_session *s, const char *name, const uint32_t *row_of, int64_t users)
{
    int64_t rows = 0, cols = 0;
    const pm_st_tensor *t = pm_st_find(file, name);
    pm_store_find(s->store, name, NULL, &rows, &cols);
    PM_REQUIRE(file, t && t->rows <= rows && t->cols <= cols && t->dtype == PM_F32, PM_ERR_FORMAT, "the file lacks tensor \"%s\" as f32 of at most [%" PRId64
               ", %" PRId64 "]: it is of another model or setting", name, rows, cols);
    const bool moved = strncmp(name, "user", 4) == 0 && t->rows == users;
    float *values = pm_new_array(file, float, rows * cols), *old = pm_new_array(file, float, t->rows * t->cols);
    pm_status st = values && old ? pm_store_read(s->store, name, values) : PM_ERR_NOMEM;
    if (st == PM_OK) st = pm_st_read_rows(file, name, 0, t->rows, old);
    for (int64_t r = 0; st == PM_OK && r < t->rows; r++)
        memcpy(values + (moved ? row_of[r] : r) * cols, old + r * t->cols, sizeof *old * (size_t)t->cols);
    if (st == PM_OK) st = pm_store_write(s->store, name, values);
    pm_free(values);
    pm_free(old);
    return st;
}

pm_status pm_checkpoint_load_grown(const pm_checkpoint *c, pm_session *s, const uint32_t *row_of, int64_t users)
{
    pm_st_file *file;
    PM_TRY(pm_checkpoint_open_best(c, &file));
    PM_REQUIRE(c, file, PM_ERR_NOT_FOUND, "%s: training was stopped before a first epoch was done; resume it first", c->run);
    pm_status st = PM_OK;
    for (int i = 0; st == PM_OK && i < pm_net_param_count(s->net); i++) st = read_grown(file, s, pm_net_param_name(s->net, i), row_of, users);
    pm_st_close(&file);
    return st;
}

static pm_status write_updated_best(const pm_checkpoint *c, const pm_session *s, const char *path, uint64_t *hash)
{
    pm_st_writer *w;
    int64_t epoch;
    PM_TRY(pm_checkpoint_integer(c, "best_epoch", 0, &epoch));
    PM_TRY(pm_st_writer_create(c, path, &w));
    pm_status st = pm_st_writer_meta(w, "format", "pumice parameters 1");
    if (st == PM_OK) st = pm_st_writer_meta(w, "model", s->model->name);
    if (st == PM_OK) st = pm_meta_integer(w, "epoch", epoch);
    if (st == PM_OK) st = pm_checkpoint_write_tensors(w, s, false);
    if (st == PM_OK) st = pm_checkpoint_write_tensors(w, s, true);
    if (st == PM_OK) return pm_st_writer_finish(&w, hash);
    pm_st_writer_discard(&w);
    return st;
}

// What the old checkpoint says, but of other data, parameters and numerics.
static pm_status write_updated_meta(const pm_checkpoint *c, pm_st_writer *w, const pm_session *s, uint64_t data, uint64_t best)
{
    const char *key, *value;
    for (int i = 0; (key = pm_st_meta_at(c->file, i, &value)); i++) {
        if (pm_name_equal(key, "hash")) continue;
        if (pm_name_equal(key, "data")) PM_TRY(pm_meta_bits(w, key, data));
        else if (pm_name_equal(key, "best")) PM_TRY(pm_meta_bits(w, key, best));
        else PM_TRY(pm_st_writer_meta(w, key, pm_name_equal(key, "profile") ? pm_device_profile(s->device) : value));
    }
    return PM_OK;
}

pm_status pm_checkpoint_save_updated(const pm_checkpoint *c, const pm_session *s, uint64_t data, const char *run)
{
    pm_st_writer *w;
    uint64_t best;
    char *path = pm_checkpoint_path(c, run, "best.safetensors"), *checkpoint = pm_checkpoint_path(c, run, "checkpoint.safetensors");
    PM_CHECK_ALLOC(path);
    PM_CHECK_ALLOC(checkpoint);
    PM_TRY(write_updated_best(c, s, path, &best));
    PM_TRY(pm_st_writer_create(c, checkpoint, &w));
    const pm_status st = write_updated_meta(c, w, s, data, best);
    if (st == PM_OK) return pm_st_writer_finish(&w, NULL);
    pm_st_writer_discard(&w);
    return st;
}

pm_status pm_checkpoint_copy_log(const pm_checkpoint *c, const char *run)
{
    int64_t valid, length;
    char *text = NULL, *from = pm_checkpoint_path(c, c->run, "metrics.jsonl"), *to = pm_checkpoint_path(c, run, "metrics.jsonl");
    pm_text *copy;
    PM_CHECK_ALLOC(from);
    PM_CHECK_ALLOC(to);
    PM_TRY(pm_checkpoint_integer(c, "log_size", 0, &valid));
    PM_TRY(pm_file_read(c, from, INT64_C(1) << 30, &text, &length));
    PM_REQUIRE(c, length >= valid, PM_ERR_FORMAT, "%s is shorter than the checkpoint says", from);
    text[valid] = 0;
    PM_TRY(pm_text_create(c, to, '\t', false, &copy));
    pm_text_raw(copy, text);
    pm_free(text);
    return pm_text_commit(&copy);
}
