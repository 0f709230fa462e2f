// Checkpoints. checkpoint.safetensors is the commit point: it names the best file by hash and the valid length of metrics.jsonl. A new
// best is written beside the old one, the checkpoint that names it follows, and only then does it take the old one's place.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "data/text_out.h"
#include "train/rating.h"
#include "train/runfiles.h"
#include "train/runfolder.h"
#include "train/safetensors.h"
#include "train/trainer.h"

static const char *const best_names[] = { "best.safetensors", "best.next.safetensors" };
static const int64_t LARGEST = INT64_C(1) << 53;    // of any count: sums of two still fit
static const char FORMAT[] = "pumice checkpoint 2";

struct pm_checkpoint {
    pm_st_file *file;
    char       *run;
    int64_t     refit_epochs;
};

static char *path_in(const void *parent, const char *run, const char *name)
{
    return pm_sprintf(parent, "%s/%s", run, name);
}

// ---- saving ----

static pm_status meta_integer(pm_st_writer *w, const char *key, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    return pm_st_writer_meta(w, key, text);
}

static pm_status meta_bits(pm_st_writer *w, const char *key, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%016" PRIx64, value);
    return pm_st_writer_meta(w, key, text);
}

static pm_status meta_real(pm_st_writer *w, const char *key, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);    // exact, and the same in every locale
    return meta_bits(w, key, bits);
}

static pm_status meta_indexed(pm_st_writer *w, const char *key, int index, double value)
{
    char name[40];
    snprintf(name, sizeof name, "%s.%d", key, index);
    return meta_real(w, name, value);
}

// What was asked for, but not where the data lie, what computes and how often is saved: these may change on resuming. Nor whether a refit follows: a sweep decides
// that when its winner is known.
static pm_status spec_hash(const pm_trainer *t, uint64_t *out)
{
    char *text;
    pm_spec spec = *t->spec;
    pm_pretrained origins[PM_MAX_ORIGINS];
    for (int i = 0; i < spec.pretrained_count; i++) origins[i] = (pm_pretrained){ spec.pretrained[i].name, NULL, spec.pretrained[i].hash };
    spec.pretrained = origins;
    spec.data = spec.read.path = spec.device = spec.update = NULL;
    spec.save_every = 0;
    spec.refit = pm_spec_joins(t->spec);    // there validation is trained on from the start
    PM_TRY(pm_spec_text(t->result, &spec, &text));
    *out = pm_hash64(text, strlen(text), 0);
    pm_free(text);
    return PM_OK;
}

static uint64_t config_hash(const pm_config *config)
{
    uint64_t h = 0;
    for (const pm_hyper *p = pm_config_model(config)->hypers; p->name; p++) {
        h = pm_hash64(p->name, strlen(p->name) + 1, h);
        const char *text = pm_config_text(config, p->name);
        h = pm_hash64(text, strlen(text) + 1, h);
    }
    return h;
}

// What the validation part said of the chosen epoch: a refit trains on that part, so it cannot be asked again.
static pm_status write_choice(pm_st_writer *w, const pm_trainer *t)
{
    const pm_result *r = t->result;
    PM_TRY(meta_integer(w, "chosen_epoch", t->chosen_epoch));
    PM_TRY(meta_integer(w, "choice", r->validation_count));
    for (int i = 0; i < r->validation_count; i++) {
        PM_TRY(meta_indexed(w, "choice.mean", i, r->validation[i].mean));
        PM_TRY(meta_indexed(w, "choice.se", i, r->validation[i].se));
        PM_TRY(meta_indexed(w, "choice.n", i, (double)r->validation[i].n));
    }
    return PM_OK;
}

// Where training stands. No time, path or host goes in: equal runs give equal files.
static pm_status write_meta(pm_st_writer *w, const pm_trainer *t)
{
    PM_TRY(pm_st_writer_meta(w, "format", FORMAT));
    PM_TRY(pm_st_writer_meta(w, "model", t->session->model->name));
    PM_TRY(pm_st_writer_meta(w, "profile", pm_device_profile(t->session->device)));
    PM_TRY(meta_bits(w, "data", pm_split_hash(t->result->split)));
    PM_TRY(meta_bits(w, "config", config_hash(t->result->config)));
    uint64_t spec;
    PM_TRY(spec_hash(t, &spec));
    PM_TRY(meta_bits(w, "spec", spec));
    PM_TRY(meta_bits(w, "best", t->best_hash));
    PM_TRY(meta_integer(w, "log_size", t->log_size));
    PM_TRY(meta_integer(w, "phase", t->at.phase));
    PM_TRY(meta_integer(w, "phase_begun", t->phase_begun));
    PM_TRY(meta_integer(w, "phase_step", t->at.step));
    PM_TRY(meta_integer(w, "phase_epoch", t->at.epoch));
    PM_TRY(meta_integer(w, "phase_best_epoch", t->at.best_epoch));
    PM_TRY(meta_integer(w, "step", t->step));
    PM_TRY(meta_integer(w, "epoch", t->epoch));
    PM_TRY(meta_integer(w, "pass", t->pass));
    PM_TRY(meta_integer(w, "position", t->position));
    PM_TRY(meta_integer(w, "best_epoch", t->best_epoch));
    PM_TRY(meta_integer(w, "refit_epochs", t->refit_epochs));
    PM_TRY(meta_integer(w, "finished", t->finished));
    if (t->refit_epochs) PM_TRY(write_choice(w, t));
    PM_TRY(meta_real(w, "validation", t->at.validation));
    PM_TRY(meta_real(w, "best_value", t->at.best));
    for (int i = 0; i < PM_MAX_MEMO; i++) PM_TRY(meta_indexed(w, "memo", i, t->at.memo[i]));
    for (int i = 0; i < PM_MAX_LOSSES; i++) PM_TRY(meta_indexed(w, "loss_sum", i, t->loss_sum[i]));
    for (int i = 0; i < PM_MAX_LOSSES; i++) PM_TRY(meta_indexed(w, "loss_steps", i, (double)t->loss_steps[i]));
    for (int i = 0; i < PM_MAX_PHASES; i++) PM_TRY(meta_indexed(w, "phase_length", i, (double)t->phase_length[i]));
    return PM_OK;
}

static bool is_kept(const pm_session *s, const char *name)
{
    if (pm_is_optimiser_state(name) || pm_is_center(name)) return true;
    for (int i = 0; i < pm_net_param_count(s->net); i++)
        if (pm_name_equal(pm_net_param_name(s->net, i), name)) return true;
    return false;
}

static pm_status write_tensors(pm_st_writer *w, const pm_session *s, bool data)
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
    if (st == PM_OK) st = meta_integer(w, "epoch", t->best_epoch);
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
    pm_status st = write_meta(w, t);
    if (st == PM_OK) st = write_tensors(w, t->session, false);
    if (st == PM_OK) st = write_tensors(w, t->session, true);
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
    char *checkpoint = path_in(scratch, t->run, "checkpoint.safetensors"), *best = path_in(scratch, t->run, "best.safetensors"),
         *next = path_in(scratch, t->run, "best.next.safetensors");
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

static pm_status get_integer(const pm_checkpoint *c, const char *key, int64_t lo, int64_t *out)
{
    const char *text = pm_st_meta(c->file, key);
    char *end = NULL;
    *out = text ? strtoll(text, &end, 10) : 0;
    if (text && end != text && !*end && *out >= lo && *out <= LARGEST) return PM_OK;
    return pm_fail(c, PM_ERR_FORMAT, "%s/checkpoint.safetensors: \"%s\" is %s%s", c->run, key, text ? "not a legal number: " : "missing", text ? text : "");
}

static pm_status get_bits(const pm_checkpoint *c, const char *key, uint64_t *out)
{
    const char *text = pm_st_meta(c->file, key);
    char *end = NULL;
    *out = text ? strtoull(text, &end, 16) : 0;
    return text && end != text && !*end ? PM_OK : pm_fail(c, PM_ERR_FORMAT, "%s/checkpoint.safetensors: \"%s\" is missing or no number", c->run, key);
}

static pm_status get_real(const pm_checkpoint *c, const char *key, int index, double *out)
{
    char name[40];
    snprintf(name, sizeof name, index < 0 ? "%s" : "%s.%d", key, index);
    uint64_t bits;
    PM_TRY(get_bits(c, name, &bits));
    memcpy(out, &bits, sizeof bits);
    return PM_OK;
}

static pm_status get_count(const pm_checkpoint *c, const char *key, int index, int64_t *out)
{
    double value;
    PM_TRY(get_real(c, key, index, &value));
    PM_REQUIRE(c, value >= 0 && value <= (double)LARGEST, PM_ERR_FORMAT, "%s/checkpoint.safetensors: %s %d is %g, no count", c->run, key, index, value);
    *out = (int64_t)value;
    return PM_OK;
}

pm_status pm_checkpoint_find(const void *object, const char *run, bool *found)
{
    char *path = path_in(object, run, "checkpoint.safetensors");
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
    char *path = path_in(c, run, "checkpoint.safetensors");
    pm_status st = c->run && path ? PM_OK : PM_ERR_NOMEM;
    if (st == PM_OK && !pm_file_exists(path))
        st = pm_fail(parent, PM_ERR_NOT_FOUND, "%s: there is no checkpoint in it; is it the folder of a run?", run);
    if (st == PM_OK) st = pm_st_open(c, path, &c->file);
    if (st == PM_OK) st = pm_st_verify(c->file);
    const char *format = st == PM_OK ? pm_st_meta(c->file, "format") : NULL;
    if (st == PM_OK && (!format || !pm_name_equal(format, FORMAT))) st = damaged(c, "it is no checkpoint of this version");
    if (st == PM_OK) st = get_integer(c, "refit_epochs", 0, &c->refit_epochs);
    if (st != PM_OK) {
        pm_free(c);
        return st;
    }
    *out = c;
    return PM_OK;
}

int64_t pm_checkpoint_refit_epochs(const pm_checkpoint *c)
{
    return c->refit_epochs;
}

bool pm_checkpoint_finished(const pm_checkpoint *c)
{
    const char *text = pm_st_meta(c->file, "finished");
    return text && pm_name_equal(text, "1");
}

bool pm_checkpoint_refitted(const pm_checkpoint *c)
{
    return c->refit_epochs > 0 && pm_checkpoint_finished(c);
}

uint64_t pm_checkpoint_data_hash(const pm_checkpoint *c)
{
    uint64_t hash;
    return get_bits(c, "data", &hash) == PM_OK ? hash : 0;
}

void pm_checkpoint_describe(const pm_checkpoint *c, pm_result *result)
{
    int64_t epochs, best, steps;
    const char *chosen = c->refit_epochs ? "chosen_epoch" : "best_epoch";
    if (get_integer(c, "epoch", 0, &epochs) != PM_OK || get_integer(c, chosen, 0, &best) != PM_OK || get_integer(c, "step", 0, &steps) != PM_OK) return;
    result->epochs = epochs;
    result->best_epoch = best;
    result->steps = steps;
}

static pm_status check_same(const pm_checkpoint *c, const pm_trainer *t)
{
    uint64_t data, config, spec, my_spec;
    const char *model = pm_st_meta(c->file, "model"), *profile = pm_st_meta(c->file, "profile");
    PM_REQUIRE(c, model && pm_name_equal(model, t->session->model->name), PM_ERR_FORMAT, "%s: the checkpoint is of model %s, the run of %s", c->run,
               model ? model : "?", t->session->model->name);
    PM_TRY(get_bits(c, "data", &data));
    PM_TRY(get_bits(c, "config", &config));
    PM_REQUIRE(c, data == pm_split_hash(t->result->split), PM_ERR_FORMAT,
               "%s: the data are not those the run was trained on; put the original file back, or train anew", c->run);
    PM_TRY(get_bits(c, "spec", &spec));
    PM_TRY(spec_hash(t, &my_spec));
    PM_REQUIRE(c, config == config_hash(t->result->config) && spec == my_spec, PM_ERR_FORMAT, "%s: the settings in config.json are not those of the checkpoint", c->run);
    if (!profile || !pm_name_equal(profile, pm_device_profile(t->session->device)))
        pm_log(c, PM_LOG_WARN, "resuming under other numerics (%s, was %s): correct, but not to the same bits", pm_device_profile(t->session->device),
               profile ? profile : "?");
    return PM_OK;
}

static pm_status read_choice(const pm_checkpoint *c, pm_trainer *t)
{
    pm_result *r = t->result;
    int64_t count;
    PM_TRY(get_integer(c, "chosen_epoch", 0, &t->chosen_epoch));
    PM_TRY(get_integer(c, "choice", 0, &count));
    PM_REQUIRE(c, count == pm_metric_set_count(t->metrics), PM_ERR_FORMAT, "%s: the checkpoint has %" PRId64 " validation metrics, the run %d", c->run,
               count, pm_metric_set_count(t->metrics));
    pm_metric_result *kept = pm_new_array(r, pm_metric_result, count);
    PM_CHECK_ALLOC(kept);
    for (int i = 0; i < count; i++) {
        double n;
        PM_TRY(get_real(c, "choice.mean", i, &kept[i].mean));
        PM_TRY(get_real(c, "choice.se", i, &kept[i].se));
        PM_TRY(get_real(c, "choice.n", i, &n));
        PM_REQUIRE(c, n >= 0 && n < 0x1p53, PM_ERR_FORMAT, "%s: the checkpoint counts %g validation users", c->run, n);
        snprintf(kept[i].name, sizeof kept[i].name, "%s", pm_metric_set_name(t->metrics, i));
        kept[i].ci95 = 1.96 * kept[i].se;
        kept[i].n = (int64_t)n;
    }
    r->validation = kept;
    r->validation_count = (int)count;
    return PM_OK;
}

static pm_status read_meta(const pm_checkpoint *c, pm_trainer *t)
{
    int64_t phase, begun, finished, pass;
    const pm_session *s = t->session;
    PM_TRY(get_integer(c, "phase", 0, &phase));
    PM_TRY(get_integer(c, "phase_begun", 0, &begun));
    PM_TRY(get_integer(c, "finished", 0, &finished));
    PM_REQUIRE(c, phase < s->phase_count, PM_ERR_FORMAT, "%s: the checkpoint stands in phase %" PRId64 " of %d", c->run, phase + 1, s->phase_count);
    t->at.phase = (int)phase;
    t->phase_begun = begun != 0;
    PM_TRY(get_integer(c, "phase_step", 0, &t->at.step));
    PM_TRY(get_integer(c, "phase_epoch", 0, &t->at.epoch));
    PM_TRY(get_integer(c, "phase_best_epoch", 0, &t->at.best_epoch));
    PM_TRY(get_integer(c, "step", 0, &t->step));
    PM_TRY(get_integer(c, "epoch", 0, &t->epoch));
    PM_TRY(get_integer(c, "position", 0, &t->position));
    PM_TRY(get_integer(c, "best_epoch", 0, &t->best_epoch));
    PM_TRY(get_integer(c, "pass", 0, &pass));
    const int passes = PM_MAX(s->phase[phase].count, 1);
    PM_REQUIRE(c, pass < passes, PM_ERR_FORMAT, "%s: the checkpoint stands in pass %" PRId64 " of %d", c->run, pass + 1, passes);
    t->pass = (int)pass;
    PM_TRY(get_integer(c, "log_size", 0, &t->log_size));
    PM_TRY(get_bits(c, "best", &t->best_hash));
    PM_TRY(get_real(c, "validation", -1, &t->at.validation));
    PM_TRY(get_real(c, "best_value", -1, &t->at.best));
    if (t->refit_epochs) PM_TRY(read_choice(c, t));
    for (int i = 0; i < PM_MAX_MEMO; i++) PM_TRY(get_real(c, "memo", i, &t->at.memo[i]));
    for (int i = 0; i < PM_MAX_LOSSES; i++) PM_TRY(get_real(c, "loss_sum", i, &t->loss_sum[i]));
    for (int i = 0; i < PM_MAX_LOSSES; i++) PM_TRY(get_count(c, "loss_steps", i, &t->loss_steps[i]));
    for (int i = 0; i < PM_MAX_PHASES; i++) PM_TRY(get_count(c, "phase_length", i, &t->phase_length[i]));
    const int64_t total = s->pass[s->phase[phase].first + pass].total;
    PM_REQUIRE(c, t->position <= total, PM_ERR_FORMAT, "%s: the checkpoint stands at row %" PRId64 " of %" PRId64, c->run, t->position, total);
    return PM_OK;
}

static pm_status read_tensor(pm_st_file *file, pm_session *s, const char *name)
{
    int64_t rows = 0, cols = 0;
    const pm_st_tensor *t = pm_st_find(file, name);
    pm_store_find(s->store, name, NULL, &rows, &cols);
    PM_REQUIRE(file, t && t->rows == rows && t->cols == cols && t->dtype == PM_F32, PM_ERR_FORMAT,
               "the file lacks tensor \"%s\" as f32 [%" PRId64 ", %" PRId64 "]: it is of another model or setting", name, rows, cols);
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

// best.safetensors as the checkpoint names it, whichever of the two files that is by now; NULL when no best was found yet.
static pm_status open_best(const pm_checkpoint *c, pm_st_file **out)
{
    uint64_t want;
    *out = NULL;
    PM_TRY(get_bits(c, "best", &want));
    if (want == 0) return PM_OK;
    for (int i = 0; !*out && i < PM_COUNT(best_names); i++) {
        char *path = path_in(c, c->run, best_names[i]);
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
    if (finished && pm_name_equal(finished, "1")) PM_TRY(open_best(c, out));
    return *out ? PM_OK : pm_fail(c, PM_ERR_NOT_FOUND, "%s: its training has not come to its end; go on with it by --resume %s", c->run, c->run);
}

// After a kill: the best file that the checkpoint names takes its place, whatever it does not name goes.
static pm_status tidy(const pm_checkpoint *c, const pm_st_file *best)
{
    static const char *const strays[] = { "best.next.safetensors", "best.next.safetensors.tmp", "checkpoint.safetensors.tmp" };
    char *paths[2] = { path_in(c, c->run, best_names[0]), path_in(c, c->run, best_names[1]) };
    PM_CHECK_ALLOC(paths[0]);
    PM_CHECK_ALLOC(paths[1]);
    pm_st_file *file = NULL;
    if (best) PM_TRY(open_wanted(c, paths[0], pm_st_hash(best), &file));
    const bool in_place = file != NULL;
    pm_st_close(&file);
    if (best && !in_place) PM_TRY(pm_file_replace(c, paths[1], paths[0]));
    if (!best) remove(paths[0]);
    for (int i = 0; i < PM_COUNT(strays); i++) {
        char *path = path_in(c, c->run, strays[i]);
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
    PM_TRY(open_best(c, &file));
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
    PM_TRY(check_same(c, t));
    PM_TRY(read_meta(c, t));
    PM_TRY(read_best(c, t));
    for (int i = 0; i < pm_store_count(t->session->store); i++) {
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
    PM_TRY(open_best(c, &file));
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
    PM_TRY(open_best(c, &file));
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

// ---- updates ----

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
    PM_TRY(open_best(c, &file));
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
    PM_TRY(get_integer(c, "best_epoch", 0, &epoch));
    PM_TRY(pm_st_writer_create(c, path, &w));
    pm_status st = pm_st_writer_meta(w, "format", "pumice parameters 1");
    if (st == PM_OK) st = pm_st_writer_meta(w, "model", s->model->name);
    if (st == PM_OK) st = meta_integer(w, "epoch", epoch);
    if (st == PM_OK) st = write_tensors(w, s, false);
    if (st == PM_OK) st = write_tensors(w, s, true);
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
        if (pm_name_equal(key, "data")) PM_TRY(meta_bits(w, key, data));
        else if (pm_name_equal(key, "best")) PM_TRY(meta_bits(w, key, best));
        else PM_TRY(pm_st_writer_meta(w, key, pm_name_equal(key, "profile") ? pm_device_profile(s->device) : value));
    }
    return PM_OK;
}

pm_status pm_checkpoint_save_updated(const pm_checkpoint *c, const pm_session *s, uint64_t data, const char *run)
{
    pm_st_writer *w;
    uint64_t best;
    char *path = path_in(c, run, "best.safetensors"), *checkpoint = path_in(c, run, "checkpoint.safetensors");
    PM_CHECK_ALLOC(path);
    PM_CHECK_ALLOC(checkpoint);
    PM_TRY(write_updated_best(c, s, path, &best));
    PM_TRY(pm_st_writer_create(c, checkpoint, &w));
    pm_status st = write_updated_meta(c, w, s, data, best);
    if (st == PM_OK) st = write_tensors(w, s, false);
    if (st == PM_OK) st = write_tensors(w, s, true);
    if (st == PM_OK) return pm_st_writer_finish(&w, NULL);
    pm_st_writer_discard(&w);
    return st;
}

pm_status pm_checkpoint_copy_log(const pm_checkpoint *c, const char *run)
{
    int64_t valid, length;
    char *text = NULL, *from = path_in(c, c->run, "metrics.jsonl"), *to = path_in(c, run, "metrics.jsonl");
    pm_text *copy;
    PM_CHECK_ALLOC(from);
    PM_CHECK_ALLOC(to);
    PM_TRY(get_integer(c, "log_size", 0, &valid));
    PM_TRY(pm_file_read(c, from, INT64_C(1) << 30, &text, &length));
    PM_REQUIRE(c, length >= valid, PM_ERR_FORMAT, "%s is shorter than the checkpoint says", from);
    text[valid] = 0;
    PM_TRY(pm_text_create(c, to, '\t', false, &copy));
    pm_text_raw(copy, text);
    pm_free(text);
    return pm_text_commit(&copy);
}
