// What models are measured on: data as train would load it, and sessions as train would open them.
#include <stdio.h>
#include <stdlib.h>

#include <pumice/state.h>

#include "cli/bench/bench.h"

// ---- what was asked for --------------------------------------------------------------------------------------------

// --preset is a shape of synthetic data here, as for `data synth`, and no preset of a model.
static pm_status choose_data(const pm_bench *b, pm_spec *spec)
{
    const char *preset = pm_cli_text(b->cli, "preset");
    spec->preset = NULL;
    if (!preset) return PM_OK;
    PM_REQUIRE(b->cli->ctx, !spec->data && !pm_cli_has(b->cli, "synth"), PM_ERR_ARG, "--preset makes synthetic data: leave out --data and --synth");
    PM_TRY(pm_cli_synth_preset(b->cli, preset, &spec->synth));
    spec->synth.seed = spec->split.seed;
    return PM_OK;
}

static pm_status choose_models(const pm_bench *b, pm_workload *w)
{
    const char *name = pm_cli_text(b->cli, "model");
    if (name) {
        PM_TRY(pm_model_find(b->cli->ctx, name, &w->models[0]));
        w->count = 1;
        return PM_OK;
    }
    for (int i = 0; i < pm_model_count() && w->count < PM_COUNT(w->models); i++)
        w->models[w->count++] = pm_model_at(i);
    return PM_OK;
}

static bool has_hyper(const pm_model *model, const char *setting)
{
    const size_t length = strcspn(setting, "=");
    for (const pm_hyper *h = model->hypers; h && h->name; h++)
        if (strlen(h->name) == length && strncmp(h->name, setting, length) == 0) return true;
    return false;
}

// A setting concerns the models that have it; one that none has goes to all, for the complaint it deserves.
static bool concerns(const pm_workload *w, const pm_model *model, const char *setting)
{
    bool any = false;
    for (int i = 0; i < w->count; i++) any = any || has_hyper(w->models[i], setting);
    return !any || has_hyper(model, setting);
}

// The spec and the models, or the one that --model names.
static pm_status create_workload(pm_bench *b, pm_workload *w)
{
    *w = (pm_workload){ .count = 0 };
    PM_TRY(pm_cli_spec(b->cli, &w->spec));
    PM_TRY(choose_data(b, &w->spec));
    w->spec.device = pm_device_get_info(b->device)->id;
    return choose_models(b, w);
}

// ---- sessions ------------------------------------------------------------------------------------------------------

static pm_status load_split(pm_bench *b, pm_workload *w, const pm_model *model)
{
    const char *given = pm_cli_text(b->cli, "protocol"), *protocol = given ? given : model->by_id ? "random" : "strong";
    if (w->split && pm_name_equal(protocol, w->protocol)) return PM_OK;
    pm_report_progress(b->cli->ctx, &(pm_progress){ .what = "bench data", .unit = "sets", .note = protocol, .done = 0, .total = 1 });
    pm_free(w->split);
    w->split = NULL;
    w->protocol = w->spec.split.protocol = protocol;
    return pm_spec_load(b->cli->ctx, &w->spec, &w->split);
}

static pm_status make_config(pm_bench *b, pm_workload *w, const pm_model *model, pm_config **out)
{
    PM_TRY(pm_config_create(b->cli->ctx, model, out));
    for (int i = 0; i < w->spec.setting_count; i++)
        if (concerns(w, model, w->spec.settings[i])) PM_TRY(pm_config_assign(*out, w->spec.settings[i]));
    return PM_OK;
}

// A session of one model, ready to train; loads the data when it has none of the model's protocol yet.
static pm_status open_session(pm_bench *b, pm_workload *w, const pm_model *model, pm_session **out)
{
    pm_config *config;
    *out = NULL;
    PM_TRY(make_config(b, w, model, &config));
    PM_TRY(load_split(b, w, model));
    const pm_session_params params = { .split = w->split, .config = config, .device = w->spec.device, .seed = w->spec.seed };
    PM_TRY(pm_session_open(b->cli->ctx, &params, out));
    return pm_session_prepare_training(*out);
}

pm_status pm_workload_each(pm_bench *b, pm_status (*body)(pm_bench *b, const pm_workload *w, pm_session *s))
{
    pm_workload w;
    PM_TRY(create_workload(b, &w));
    for (int i = 0; i < w.count; i++) {
        pm_session *s;
        pm_report_progress(b->cli->ctx, &(pm_progress){ .what = "bench", .unit = "models", .note = w.models[i]->name, .done = i, .total = w.count });
        pm_trace_track(b->trace, w.models[i]->name);
        pm_status st = open_session(b, &w, w.models[i], &s);
        if (st == PM_OK) st = body(b, &w, s);
        pm_session_close(&s);
        PM_TRY(st);
    }
    return PM_OK;
}

void pm_workload_describe(const pm_workload *w, char *text, size_t size)
{
    const pm_csr *train = &w->split->train;
    snprintf(text, size, "%" PRId64 " users, %" PRId64 " items, %" PRId64 " interactions", train->rows, train->cols, train->nnz);
}

// ---- steps ---------------------------------------------------------------------------------------------------------

static pm_status read_losses(pm_session *s, int pass, int64_t n)
{
    float values[PM_SLOTS];
    for (int i = 0; i < s->pass[pass].loss_count; i++) {
        char name[96];
        snprintf(name, sizeof name, "log.%s", s->loss_name[s->pass[pass].loss[i]]);
        PM_TRY(pm_store_read_rows(s->store, name, 0, n, values));
    }
    return s->pass[pass].loss_count ? PM_OK : pm_store_read(s->store, "state.train", (uint32_t[PM_STATE_COUNT]){ 0 });
}

pm_status pm_workload_train(pm_session *s, int pass, int64_t *at, int64_t n, double *seconds)
{
    const pm_session_pass *p = &s->pass[pass];
    const int64_t epoch = *at / p->steps, step = *at % p->steps;
    const pm_progress_state from = { .config = s->config, .step = *at, .steps_per_epoch = p->steps, .epoch = epoch };
    const double before = pm_clock();
    PM_TRY(pm_session_write_schedule(s, pass, &from, n));
    PM_TRY(pm_session_run(s, pass, &(pm_position){ .step = *at, .epoch = epoch, .row = step * p->batch }, n));
    if (step + n >= p->steps) PM_TRY(pm_session_end_pass(s, pass, &from, p->total));
    PM_TRY(read_losses(s, pass, n));    // waits
    *seconds = (pm_clock() - before) / (double)n;
    *at += n;
    return PM_OK;
}

const pm_option_group pm_group_workload = { "Workload", (const pm_option[]){
    PM_TEXT("model", 0, "NAME", "this model alone. Default: all"),
    PM_TEXT("preset", 0, "NAME", "shape of the synthetic data set, as --synth: small (the default), ml-1m or ml-20m, the reference workload"),
    PM_TEXTS("set", 0, "NAME=VALUE", "a hyperparameter, of the models that have it; --NAME VALUE does the same"),
    PM_SEED("seed", 's', "N", "of data, split and model. Default: 0"),
    { 0 } } };
