// What the tests of whole runs share: a small spec, stopping at will, comparing folders.
#ifndef RUN_HELP_H
#define RUN_HELP_H

#include "train_help.h"

#include <pumice/train.h>

// The fastest device that needs no driver.
static inline const char *host_device(void)
{
    static const char *name;
    pm_ctx *ctx;
    pm_device *device;
    if (name) return name;
    name = "ref";
    if (pm_ctx_create(&(pm_ctx_params){ .threads = 1 }, &ctx) != PM_OK) return name;
    if (pm_device_open(ctx, &(pm_device_params){ .name = "cpu" }, &device) == PM_OK) {
        name = "cpu";
        pm_device_close(&device);
    }
    pm_ctx_destroy(&ctx);
    return name;
}

// Five steps an epoch; the last batch is short.
static const char *const small_settings[] = { "hidden=8", "latent=4", "batch=20", "lr=0.01" };

static inline pm_spec small_spec(const char *model)
{
    const bool trained = strcmp(model, "item-pop") != 0, no_hidden = strncmp(model, "mult-", 5) != 0 && strcmp(model, "two-heads") != 0;
    const int lacks = strstr(model, "encoder") ? 2 : no_hidden;
    return (pm_spec){
        .model = model, .device = host_device(), .seed = 3, .settings = small_settings + lacks,
        .setting_count = trained ? PM_COUNT(small_settings) - lacks : 0,
        .epochs = trained ? 4 : 0, .metrics = "ndcg@10,recall@5", .select = "recall@5",
        .synth = { .users = 120, .items = 60, .interactions = 1200, .clusters = 4 }, .split = { .held_out = 14 },
    };
}

// settings: "name=value name=value".
static inline pm_config *make_config(const fixture *f, const char *model, const char *settings)
{
    const pm_model *m;
    pm_config *config;
    char copy[256];
    assert_int_equal(pm_model_find(f->ctx, model, &m), PM_OK);
    assert_int_equal(pm_config_create(f->ctx, m, &config), PM_OK);
    snprintf(copy, sizeof copy, "%s", settings);
    for (char *at = strtok(copy, " "); at; at = strtok(NULL, " "))
        if (pm_config_assign(config, at) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    return config;
}

// Cancels the context at the at-th report of training, 0-based; −1: never.
typedef struct stopper {
    pm_ctx *ctx;
    int     at, seen;
} stopper;

static inline void count_reports(void *user, const pm_progress *progress)
{
    stopper *s = user;
    if (strcmp(progress->unit, "steps") != 0) return;
    if (s->seen++ == s->at) pm_ctx_cancel(s->ctx);
}

// Trains, or resumes where spec is NULL. Stopped at the at-th report. `message`: what was said, for failures.
static inline pm_status train_until(const pm_spec *spec, const char *run, int at, int threads, pm_result **result, pm_ctx **keep, char message[512])
{
    stopper s = { .at = at };
    pm_result *r;
    const pm_ctx_params params = { .progress = count_reports, .progress_user = &s, .threads = threads };
    assert_int_equal(pm_ctx_create(&params, &s.ctx), PM_OK);
    const pm_status st = spec ? pm_train(s.ctx, spec, run, &r) : pm_train_resume(s.ctx, run, NULL, &r);
    snprintf(message, 512, "%s", pm_ctx_message(s.ctx));
    if (keep) {
        *keep = s.ctx;
        *result = r;
    } else {
        pm_ctx_destroy(&s.ctx);
    }
    return st;
}

static inline void train_whole(const pm_spec *spec, const char *run)
{
    char message[512];
    if (train_until(spec, run, -1, 1, NULL, NULL, message) != PM_OK) fail_msg("%s", message);
}

static inline bool same_file(const char *a, const char *b, const char *name)
{
    char path[2][600];
    size_t size[2];
    snprintf(path[0], sizeof path[0], "%s/%s", a, name);
    snprintf(path[1], sizeof path[1], "%s/%s", b, name);
    char *x = slurp(path[0], &size[0]), *y = slurp(path[1], &size[1]);
    const bool same = size[0] == size[1] && size[0] > 0 && memcmp(x, y, size[0]) == 0;
    free(x);
    free(y);
    return same;
}

static inline void assert_same_run(const char *a, const char *b, const char *when)
{
    if (!same_file(a, b, "best.safetensors")) fail_msg("best.safetensors differs: %s", when);
    if (!same_file(a, b, "checkpoint.safetensors")) fail_msg("checkpoint.safetensors differs: %s", when);
}

// A run folder has these six files and no other.
static inline void assert_tidy(const char *run)
{
    static const char *const names[] = { "config.json", "metrics.jsonl", "checkpoint.safetensors", "best.safetensors", "items.tsv", "users.tsv" };
    DIR *dir = opendir(run);
    int found = 0;
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        bool known = e->d_name[0] == '.';
        for (int i = 0; i < PM_COUNT(names); i++) {
            if (strcmp(e->d_name, names[i]) != 0) continue;
            known = true;
            found++;
        }
        if (!known) fail_msg("%s has a stray file %s", run, e->d_name);
    }
    closedir(dir);
    assert_int_equal(found, PM_COUNT(names));
}

#endif
