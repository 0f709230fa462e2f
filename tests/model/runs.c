// Whole runs: the same bits twice, and a data set that is learned.
#define _POSIX_C_SOURCE 200809L    // mkdtemp
#include "model/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/file.h"

static const char *const files[] = { "checkpoint.safetensors", "best.safetensors" };

static void remove_run(const char *run)
{
    static const char *const all[] = { "checkpoint.safetensors", "best.safetensors", "metrics.jsonl", "config.json", "items.tsv", "users.tsv" };
    for (int i = 0; i < PM_COUNT(all); i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", run, all[i]);
        unlink(path);
    }
    rmdir(run);
}

static pm_status train(suite *s, const pm_spec *spec, int threads, const char *run)
{
    pm_ctx *ctx;
    pm_result *r;
    PM_TRY(pm_ctx_create(&(pm_ctx_params){ .threads = threads }, &ctx));
    const pm_status st = pm_train(ctx, spec, run, &r);
    if (st != PM_OK) pm_fail(s->ctx, st, "%s: %s", spec->model, pm_ctx_message(ctx));
    pm_ctx_destroy(&ctx);
    return st;
}

static pm_status same_bytes(suite *s, const char *a, const char *b, bool *same)
{
    *same = true;
    for (int i = 0; i < PM_COUNT(files); i++) {
        char path[2][1024], *data[2];
        int64_t size[2];
        for (int k = 0; k < 2; k++) {
            snprintf(path[k], sizeof path[k], "%s/%s", k ? b : a, files[i]);
            PM_TRY(pm_file_read(s->ctx, path[k], 1 << 26, &data[k], &size[k]));
        }
        *same &= size[0] > 0 && size[0] == size[1] && memcmp(data[0], data[1], (size_t)size[0]) == 0;
    }
    return PM_OK;
}

// A run a folder: threads 1, 1 again, 2, and another seed, which must not be the same.
static pm_status repeat_model(suite *s, const pm_spec *base, const char *folder)
{
    const bool cpu = pm_name_equal(s->device, "cpu");
    char run[4][128];
    bool same;
    for (int i = 0; i < 4; i++) {
        pm_spec spec = *base;
        spec.seed = base->seed + (i == 3);
        snprintf(run[i], sizeof run[i], "%s/%d", folder, i);
        if (i == 2 && !cpu) continue;
        PM_TRY(train(s, &spec, i == 2 ? 2 : 1, run[i]));
        if (i == 0) continue;
        PM_TRY(same_bytes(s, run[0], run[i], &same));
        static const char *const what[] = { "", "again", "two threads", "another seed" };
        suite_say(s, same == (i < 3), "%-10s %s: %s", base->model, what[i], same ? "the same bytes" : "other bytes");
    }
    for (int i = 0; i < 4; i++) remove_run(run[i]);
    return PM_OK;
}

// Models whose bits could depend on threads or devices in ways of their own.
static const struct { const char *model, *protocol, *settings[9]; } repeated[] = {
    { "mult-vae", NULL, { "hidden=24", "latent=12", "batch=33" } },
    { "mult-dae", NULL, { "hidden=24", "latent=12", "batch=33" } },
    { "dae", NULL, { "latent=12", "batch=33", "target=mean", "target_factor=2", "batch_norm=on", "alpha_enc=0.1", "alpha_dec=0.1" } },
    { "bpr", "random", { "latent=12", "batch=133", "negatives=3", "optimizer=adagrad", "reg=0", "sampling=popular" } },
    { "cml", "random", { "latent=12", "batch=133", "negatives=5" } },
    { "vencoder", "random", { "batch=13", "outer_epochs=1", "inner_epochs=1" } },
    { "svd", "random", { "rank=6", "batch=133", "biases=on" } },
    { "neumf", "random", { "factors=4", "layers=2", "batch=133", "negatives=3", "block=5000" } },
    { "cdae", NULL, { "latent=12", "batch=33", "fold_steps=5" } },
    { "dmf", NULL, { "user_hidden=12", "item_hidden=9", "factors=8", "batch=133", "negatives=3", "zeros=global", "lr=0.01" } },
};

pm_status suite_repeat(suite *s)
{
    char folder[] = "/tmp/pumice-repeat-XXXXXX";
    PM_REQUIRE(s->ctx, mkdtemp(folder), PM_ERR_IO, "no temporary folder");
    pm_spec spec = {
        .device = s->device, .seed = s->seed, .epochs = 3,
        .synth = { .users = 150, .items = 90, .interactions = 1800, .clusters = 5 }, .split = { .held_out = 20 },
    };
    pm_status st = PM_OK;
    for (int i = 0; i < PM_COUNT(repeated) && st == PM_OK; i++) {
        spec.model = repeated[i].model;
        spec.split.protocol = repeated[i].protocol;
        spec.settings = repeated[i].settings;
        for (spec.setting_count = 0; repeated[i].settings[spec.setting_count];) spec.setting_count++;
        st = repeat_model(s, &spec, folder);
    }
    rmdir(folder);
    return st;
}

static pm_status test_metric(suite *s, const pm_spec *spec, double *mean, double *se)
{
    pm_result *r;
    PM_TRY(pm_train(s->ctx, spec, NULL, &r));
    *mean = r->metrics[0].mean;
    *se = r->metrics[0].se;
    pm_result_destroy(&r);
    return PM_OK;
}

pm_status suite_overfit(suite *s)
{
    static const char *const settings[] = { "hidden=none", "latent=24", "batch=50", "lr=0.01", "dropout=0.3" };
    pm_spec spec = {
        .model = "item-pop", .device = s->device, .seed = s->seed, .metrics = "recall_capped@20",
        .synth = { .users = 400, .items = 200, .interactions = 8000, .clusters = 8 }, .split = { .held_out = 60 },
    };
    double popular, learned, noise[2];
    PM_TRY(test_metric(s, &spec, &popular, &noise[0]));
    spec.model = "mult-dae";
    spec.settings = settings;
    spec.setting_count = PM_COUNT(settings);
    spec.epochs = 25;
    PM_TRY(test_metric(s, &spec, &learned, &noise[1]));
    suite_say(s, popular > 0.02 && learned > popular + 3 * (noise[0] + noise[1]),
              "recall_capped@20 on held-out users: item-pop %.4f, mult-dae %.4f (standard errors %.4f, %.4f)", popular, learned, noise[0], noise[1]);
    return PM_OK;
}
