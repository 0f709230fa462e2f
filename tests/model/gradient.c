// Whole losses: what a training step feeds to Adam against central differences. On `ref` in double, whose noise is a function of seed
// and step alone, so that the loss of a step is a function of the parameters.
#include "model/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <pumice/state.h>

#include "backend/store.h"
#include "core/philox.h"

enum { SAMPLES = 24 };    // elements a parameter
static const double MOST_ERROR = 1e-7;

// The store speaks f32; differences need the doubles that lie in it.
static pm_status move_double(const pm_session *s, const char *name, double *values, bool write)
{
    const pm_tensor *t = pm_store_tensor(s->store, name);
    const pm_backend *b = pm_store_device(s->store)->backend;
    PM_REQUIRE(s, t, PM_ERR_NOT_FOUND, "no tensor \"%s\"", name);
    const int64_t size = t->rows * t->cols * 8;
    return write ? b->upload(t->buffer, 0, values, size) : b->download(t->buffer, 0, values, size);
}

typedef struct parameter {
    const char *name;
    int64_t     count;
    bool        bias;
    double     *value, *gradient, *zero;
} parameter;

typedef struct trial {
    pm_session *s;
    int         pass;
    int64_t     steps_per_epoch;    // what schedules count in
    parameter   p[32];
    int         count;
    double      l2;
} trial;

// What this pass trains.
static pm_status list_parameters(void *parent, trial *t)
{
    t->count = 0;
    for (int i = 0; i < pm_net_param_count(t->s->net); i++) {
        if (!pm_net_param_trained(t->s->net, i) || !pm_pass_trains(&t->s->pass[t->pass].what, 0, pm_net_param_name(t->s->net, i))) continue;
        PM_REQUIRE(parent, t->count < PM_COUNT(t->p), PM_ERR_INTERNAL, "more parameters than the test has room for");
        parameter *p = &t->p[t->count++];
        int64_t rows = 0, cols = 0;
        p->name = pm_net_param_name(t->s->net, i);
        pm_store_find(t->s->store, p->name, NULL, &rows, &cols);
        p->count = rows * cols;
        p->bias = !pm_net_param_decays(t->s->net, i);
        p->value = pm_new_array(parent, double, p->count);
        p->gradient = pm_new_array(parent, double, p->count);
        p->zero = pm_new_array(parent, double, p->count);
        if (!p->value || !p->gradient || !p->zero) return PM_ERR_NOMEM;
        PM_TRY(move_double(t->s, p->name, p->value, false));
        // zero everywhere, tanh and a product hide their own faults: biases get a size that matters
        pm_rng r = { .key = 5, .stream = (uint32_t)i };
        for (int64_t k = 0; k < p->count; k++) p->value[k] += 0.3 * (pm_rng_unit(&r) - 0.5);
    }
    return PM_OK;
}

static pm_status restore(trial *t)
{
    for (int i = 0; i < t->count; i++) {
        char name[160];
        PM_TRY(move_double(t->s, t->p[i].name, t->p[i].value, true));
        for (int k = 0; k < 2; k++) {
            snprintf(name, sizeof name, "%s.adam.%c", t->p[i].name, k ? 'v' : 'm');
            PM_TRY(move_double(t->s, name, t->p[i].zero, true));
        }
    }
    return PM_OK;
}

// The loss of step `step` at the parameters as they are in t, the penalty included.
static pm_status loss_at(trial *t, const pm_state *start, double *loss)
{
    const pm_progress_state at = { .config = t->s->config, .step = 7, .steps_per_epoch = t->steps_per_epoch };
    PM_TRY(restore(t));
    PM_TRY(pm_session_write_schedule(t->s, t->pass, &at, 1));
    PM_TRY(pm_session_write_state(t->s, "state.train", start));
    PM_TRY(pm_program_run(t->s->pass[t->pass].program, 1));
    *loss = 0;
    for (int i = 0; i < t->s->pass[t->pass].loss_count; i++) {
        char name[64];
        double log[PM_SLOTS];
        snprintf(name, sizeof name, "log.%s", t->s->loss_name[t->s->pass[t->pass].loss[i]]);
        PM_TRY(move_double(t->s, name, log, false));
        *loss += log[0];
    }
    for (int i = 0; i < t->count; i++)
        for (int64_t k = 0; !t->p[i].bias && k < t->p[i].count; k++) *loss += t->l2 * t->p[i].value[k] * t->p[i].value[k];
    return PM_OK;
}

// The central difference in a parameter's element.
static pm_status difference(trial *t, const pm_state *start, double *value, double h, double *numeric)
{
    const double x = *value;
    double above, below;
    *value = x + h;
    PM_TRY(loss_at(t, start, &above));
    *value = x - h;
    PM_TRY(loss_at(t, start, &below));
    *value = x;
    *numeric = (above - below) / (2 * h);
    return PM_OK;
}

static pm_status compare(suite *s, trial *t, const pm_state *start, const char *model, const char *setting, const char *batch)
{
    double loss, worst = 0;
    char where[160] = "";
    int compared = 0, moving = 0;
    PM_TRY(loss_at(t, start, &loss));
    for (int i = 0; i < t->count; i++) {    // Adam's m is (1 − beta1) times what it was given; beta1 is a f32
        char name[160];
        snprintf(name, sizeof name, "%s.adam.m", t->p[i].name);
        PM_TRY(move_double(t->s, name, t->p[i].gradient, false));
        for (int64_t k = 0; k < t->p[i].count; k++) t->p[i].gradient[k] /= 1.0 - (double)0.9f;
    }
    for (int i = 0; i < t->count; i++) {
        parameter *p = &t->p[i];
        const int64_t stride = PM_MAX(1, p->count / SAMPLES);
        for (int64_t k = i % stride; k < p->count; k += stride) {
            double numeric, error = INFINITY;
            for (int narrow = 0; narrow < 2 && !(error <= MOST_ERROR); narrow++) {    // once more: a rectifier may bend within the first width
                PM_TRY(difference(t, start, &p->value[k], narrow ? 1e-7 : 1e-5, &numeric));
                error = fabs(p->gradient[k] - numeric) / (1 + fabs(numeric));
                if (isnan(error)) error = INFINITY;
            }
            compared++;
            moving += fabs(numeric) > 1e-6;
            if (error <= worst && *where) continue;
            worst = PM_MAX(worst, error);
            snprintf(where, sizeof where, "d/d%s[%" PRId64 "] is %.9g, differences give %.9g", p->name, k, p->gradient[k], numeric);
        }
    }
    suite_say(s, compared > 0 && moving > compared / 4 && worst <= MOST_ERROR, "%-10s %-24s %s: %d derivatives, worst error %.2g: %s", model, setting,
              batch, compared, worst, where);
    return PM_OK;
}

// Twelve live rows of sixteen are a batch of twelve: the same loss and gradients as a program made for twelve. Order and noise are
// keyed by position and slot, so the rows and what is drawn for them are the same.
static pm_status compare_short(suite *s, trial *t, const pm_session_params *params, const pm_state *start, const char *model, const char *setting)
{
    double loss[2], worst = 0;
    char batch[24], *usual = pm_strdup(t, pm_config_text(params->config, "batch"));
    trial *u = pm_new(t, trial);
    PM_CHECK_ALLOC(u);
    PM_CHECK_ALLOC(usual);
    pm_state exact = *start;
    exact.batch = start->total - start->position;
    snprintf(batch, sizeof batch, "%" PRId64, exact.batch);
    PM_TRY(pm_config_set((pm_config *)params->config, "batch", batch));
    PM_TRY(pm_session_open(s->ctx, params, &u->s));
    PM_TRY(pm_session_prepare_training(u->s));
    u->pass = t->pass;
    u->steps_per_epoch = t->steps_per_epoch;
    u->l2 = t->l2;
    PM_TRY(list_parameters(u, u));
    PM_TRY(loss_at(t, start, &loss[0]));
    PM_TRY(loss_at(u, &exact, &loss[1]));
    for (int i = 0; i < t->count; i++) {
        char name[160];
        snprintf(name, sizeof name, "%s.adam.m", t->p[i].name);
        PM_TRY(move_double(t->s, name, t->p[i].gradient, false));
        PM_TRY(move_double(u->s, name, u->p[i].gradient, false));
        for (int64_t k = 0; k < t->p[i].count; k++) worst = fmax(worst, fabs(t->p[i].gradient[k] - u->p[i].gradient[k]));
    }
    suite_say(s, fabs(loss[0] - loss[1]) <= 1e-12 * fabs(loss[1]) && worst <= 1e-12, "%-10s %-24s %s live rows are a batch of %s: loss %.12g, %.12g, gradients within %.2g",
              model, setting, batch, batch, loss[0], loss[1], worst);
    pm_session_close(&u->s);
    return pm_config_set((pm_config *)params->config, "batch", usual);    // of the next pass
}

static pm_status gradient_of_pass(suite *s, int pass, const pm_session_params *params, const char *model, const char *setting)
{
    trial *t = pm_new(s->ctx, trial);
    PM_CHECK_ALLOC(t);
    t->pass = pass;
    PM_TRY(pm_session_open(s->ctx, params, &t->s));
    PM_TRY(pm_session_prepare_training(t->s));
    PM_TRY(list_parameters(t, t));
    t->steps_per_epoch = pm_session_steps(t->s, 0);
    const pm_session_pass *p = &t->s->pass[pass];
    t->l2 = pm_pass_setting(params->config, &p->what, "l2") + 0.5 * pm_pass_setting(params->config, &p->what, "decay");
    const int64_t rows = p->total, batch = p->batch, last = (rows - 1) / batch * batch;
    pm_state start = { .seed = s->seed, .step = 3, .epoch = 1, .total = rows, .batch = batch };
    PM_TRY(compare(s, t, &start, model, setting, "full batch"));
    start.position = last;
    PM_REQUIRE(s->ctx, rows - last < batch, PM_ERR_INTERNAL, "the data set has no short batch");
    PM_TRY(compare(s, t, &start, model, setting, "short batch"));
    if (pm_config_text(params->config, "batch") && p->what.batch == 0) PM_TRY(compare_short(s, t, params, &start, model, setting));
    pm_session_close(&t->s);
    pm_free(t);
    return PM_OK;
}

// Every pass with a gradient, but those of several parts, whose later losses are of parameters that the earlier ones have changed: their
// losses are those of other settings.
pm_status suite_gradient(suite *s, const pm_model *model, const char *setting)
{
    pm_split *split;
    pm_config *config;
    pm_session *all;
    if (!model->loss) return PM_OK;    // nothing is differentiated
    void *scratch = pm_alloc(s->ctx, 1);
    PM_CHECK_ALLOC(scratch);
    PM_TRY(pm_model_proof_setup(scratch, model, setting, s->seed, &split, &config));
    if (pm_config_text(config, "clip")) PM_TRY(pm_config_set(config, "clip", "0"));    // Adam is to be given the gradient itself
    if (pm_config_text(config, "optimizer")) PM_TRY(pm_config_set(config, "optimizer", "adam"));    // whose state tells it
    const pm_session_params params = { .split = split, .config = config, .device = s->device, .seed = s->seed, .double_precision = true };
    PM_TRY(pm_session_open(s->ctx, &params, &all));
    PM_TRY(pm_session_prepare_training(all));
    for (int i = 0; i < all->pass_count; i++)
        if (!all->pass[i].what.solve && all->pass[i].what.parts <= 1) PM_TRY(gradient_of_pass(s, i, &params, model->name, setting));
    pm_session_close(&all);
    pm_free(scratch);
    return PM_OK;
}
