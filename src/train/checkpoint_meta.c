// What a checkpoint says of itself and of where training stands: numbers in the metadata of its file, written and read back.
#include <stdio.h>
#include <stdlib.h>

#include "train/checkpoint.h"
#include "train/runfiles.h"

static const int64_t LARGEST = INT64_C(1) << 53;    // of any count: sums of two still fit

// ---- writing ----

pm_status pm_meta_integer(pm_st_writer *w, const char *key, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    return pm_st_writer_meta(w, key, text);
}

pm_status pm_meta_bits(pm_st_writer *w, const char *key, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%016" PRIx64, value);
    return pm_st_writer_meta(w, key, text);
}

static pm_status meta_real(pm_st_writer *w, const char *key, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);    // exact, and the same in every locale
    return pm_meta_bits(w, key, bits);
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
    PM_TRY(pm_meta_integer(w, "chosen_epoch", t->chosen_epoch));
    PM_TRY(pm_meta_integer(w, "choice", r->validation_count));
    for (int i = 0; i < r->validation_count; i++) {
        PM_TRY(meta_indexed(w, "choice.mean", i, r->validation[i].mean));
        PM_TRY(meta_indexed(w, "choice.se", i, r->validation[i].se));
        PM_TRY(meta_indexed(w, "choice.n", i, (double)r->validation[i].n));
    }
    return PM_OK;
}

// Where training stands. No time, path or host goes in: equal runs give equal files.
pm_status pm_checkpoint_write_meta(pm_st_writer *w, const pm_trainer *t)
{
    PM_TRY(pm_st_writer_meta(w, "format", PM_CHECKPOINT_FORMAT));
    PM_TRY(pm_st_writer_meta(w, "model", t->session->model->name));
    PM_TRY(pm_st_writer_meta(w, "profile", pm_device_profile(t->session->device)));
    PM_TRY(pm_meta_bits(w, "data", pm_split_hash(t->result->split)));
    PM_TRY(pm_meta_bits(w, "config", config_hash(t->result->config)));
    uint64_t spec;
    PM_TRY(spec_hash(t, &spec));
    PM_TRY(pm_meta_bits(w, "spec", spec));
    PM_TRY(pm_meta_bits(w, "best", t->best_hash));
    PM_TRY(pm_meta_integer(w, "log_size", t->log_size));
    PM_TRY(pm_meta_integer(w, "phase", t->at.phase));
    PM_TRY(pm_meta_integer(w, "phase_begun", t->phase_begun));
    PM_TRY(pm_meta_integer(w, "phase_step", t->at.step));
    PM_TRY(pm_meta_integer(w, "phase_epoch", t->at.epoch));
    PM_TRY(pm_meta_integer(w, "phase_best_epoch", t->at.best_epoch));
    PM_TRY(pm_meta_integer(w, "step", t->step));
    PM_TRY(pm_meta_integer(w, "epoch", t->epoch));
    PM_TRY(pm_meta_integer(w, "pass", t->pass));
    PM_TRY(pm_meta_integer(w, "position", t->position));
    PM_TRY(pm_meta_integer(w, "best_epoch", t->best_epoch));
    PM_TRY(pm_meta_integer(w, "refit_epochs", t->refit_epochs));
    PM_TRY(pm_meta_integer(w, "finished", t->finished));
    if (t->refit_epochs) PM_TRY(write_choice(w, t));
    PM_TRY(meta_real(w, "validation", t->at.validation));
    PM_TRY(meta_real(w, "best_value", t->at.best));
    for (int i = 0; i < PM_MAX_MEMO; i++) PM_TRY(meta_indexed(w, "memo", i, t->at.memo[i]));
    for (int i = 0; i < PM_MAX_LOSSES; i++) PM_TRY(meta_indexed(w, "loss_sum", i, t->loss_sum[i]));
    for (int i = 0; i < PM_MAX_LOSSES; i++) PM_TRY(meta_indexed(w, "loss_steps", i, (double)t->loss_steps[i]));
    for (int i = 0; i < PM_MAX_PHASES; i++) PM_TRY(meta_indexed(w, "phase_length", i, (double)t->phase_length[i]));
    return PM_OK;
}

// ---- reading ----

pm_status pm_checkpoint_integer(const pm_checkpoint *c, const char *key, int64_t lo, int64_t *out)
{
    const char *text = pm_st_meta(c->file, key);
    char *end = NULL;
    *out = text ? strtoll(text, &end, 10) : 0;
    if (text && end != text && !*end && *out >= lo && *out <= LARGEST) return PM_OK;
    return pm_fail(c, PM_ERR_FORMAT, "%s/checkpoint.safetensors: \"%s\" is %s%s", c->run, key, text ? "not a legal number: " : "missing", text ? text : "");
}

pm_status pm_checkpoint_bits(const pm_checkpoint *c, const char *key, uint64_t *out)
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
    PM_TRY(pm_checkpoint_bits(c, name, &bits));
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
    return pm_checkpoint_bits(c, "data", &hash) == PM_OK ? hash : 0;
}

void pm_checkpoint_describe(const pm_checkpoint *c, pm_result *result)
{
    int64_t epochs, best, steps;
    const char *chosen = c->refit_epochs ? "chosen_epoch" : "best_epoch";
    if (pm_checkpoint_integer(c, "epoch", 0, &epochs) != PM_OK || pm_checkpoint_integer(c, chosen, 0, &best) != PM_OK ||
        pm_checkpoint_integer(c, "step", 0, &steps) != PM_OK)
        return;
    result->epochs = epochs;
    result->best_epoch = best;
    result->steps = steps;
}

pm_status pm_checkpoint_check(const pm_checkpoint *c, const pm_trainer *t)
{
    uint64_t data, config, spec, my_spec;
    const char *model = pm_st_meta(c->file, "model"), *profile = pm_st_meta(c->file, "profile");
    PM_REQUIRE(c, model && pm_name_equal(model, t->session->model->name), PM_ERR_FORMAT, "%s: the checkpoint is of model %s, the run of %s", c->run,
               model ? model : "?", t->session->model->name);
    PM_TRY(pm_checkpoint_bits(c, "data", &data));
    PM_TRY(pm_checkpoint_bits(c, "config", &config));
    PM_REQUIRE(c, data == pm_split_hash(t->result->split), PM_ERR_FORMAT,
               "%s: the data are not those the run was trained on; put the original file back, or train anew", c->run);
    PM_TRY(pm_checkpoint_bits(c, "spec", &spec));
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
    PM_TRY(pm_checkpoint_integer(c, "chosen_epoch", 0, &t->chosen_epoch));
    PM_TRY(pm_checkpoint_integer(c, "choice", 0, &count));
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

pm_status pm_checkpoint_read_meta(const pm_checkpoint *c, pm_trainer *t)
{
    int64_t phase, begun, finished, pass;
    const pm_session *s = t->session;
    PM_TRY(pm_checkpoint_integer(c, "phase", 0, &phase));
    PM_TRY(pm_checkpoint_integer(c, "phase_begun", 0, &begun));
    PM_TRY(pm_checkpoint_integer(c, "finished", 0, &finished));
    PM_REQUIRE(c, phase < s->phase_count, PM_ERR_FORMAT, "%s: the checkpoint stands in phase %" PRId64 " of %d", c->run, phase + 1, s->phase_count);
    t->at.phase = (int)phase;
    t->phase_begun = begun != 0;
    t->finished = finished != 0;
    PM_TRY(pm_checkpoint_integer(c, "phase_step", 0, &t->at.step));
    PM_TRY(pm_checkpoint_integer(c, "phase_epoch", 0, &t->at.epoch));
    PM_TRY(pm_checkpoint_integer(c, "phase_best_epoch", 0, &t->at.best_epoch));
    PM_TRY(pm_checkpoint_integer(c, "step", 0, &t->step));
    PM_TRY(pm_checkpoint_integer(c, "epoch", 0, &t->epoch));
    PM_TRY(pm_checkpoint_integer(c, "position", 0, &t->position));
    PM_TRY(pm_checkpoint_integer(c, "best_epoch", 0, &t->best_epoch));
    PM_TRY(pm_checkpoint_integer(c, "pass", 0, &pass));
    const int passes = PM_MAX(s->phase[phase].count, 1);
    PM_REQUIRE(c, pass < passes, PM_ERR_FORMAT, "%s: the checkpoint stands in pass %" PRId64 " of %d", c->run, pass + 1, passes);
    t->pass = (int)pass;
    PM_TRY(pm_checkpoint_integer(c, "log_size", 0, &t->log_size));
    PM_TRY(pm_checkpoint_bits(c, "best", &t->best_hash));
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
