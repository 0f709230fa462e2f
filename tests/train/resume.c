// Stopping and going on: the same bits as if never stopped, wherever it was stopped and however often.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

static bool everywhere;    // stop at every report, and not only at some

typedef struct variant {
    const char *name, *model;
    const char *settings[8];
    int64_t     epochs, patience, validate_every;
    bool        refit;
    const char *protocol;
} variant;

static const variant variants[] = {
    { "mult-dae", "mult-dae", { NULL }, 3, 0, 0, false, NULL },
    { "mult-dae, patience", "mult-dae", { "lr=0.2" }, 12, 2, 0, false, NULL },
    { "mult-vae, anneal=auto", "mult-vae", { "anneal=auto", "anneal_epochs=3" }, 4, 0, 0, false, NULL },
    { "mult-vae, anneal=auto, refit", "mult-vae", { "anneal=auto", "anneal_epochs=2" }, 3, 0, 0, true, NULL },
    { "mult-vae, anneal=stop, every second epoch", "mult-vae", { "anneal=stop", "anneal_epochs=6", "lr=0.05" }, 5, 0, 2, false, NULL },
    { "mult-dae, leave-one-out, patience, refit", "mult-dae", { "lr=0.1" }, 8, 2, 0, true, "leave-one-out" },
    { "dae, iterations, all that is declared beside Adam, refit", "dae",
      { "iterations=13", "batch_norm=on", "clip=0.5", "alpha_enc=0.1", "alpha_dec=0.1", "decay=0.01", "target=mean", "target_factor=2" }, -1, 0, 0, true, NULL },
    { "bpr, AdaGrad, refit", "bpr", { "batch=300", "optimizer=adagrad", "negatives=2", "reg=0" }, 3, 0, 0, true, "random" },
    { "cml", "cml", { "batch=300", "negatives=4" }, 3, 0, 0, false, "random" },
    { "cdae, momentum, users held out", "cdae", { "optimizer=sgd", "momentum=0.5", "fold_steps=3" }, 3, 0, 0, false, NULL },
    { "uencoder, rows that wait, three phases with fresh optimisers, refit", "uencoder", { "outer_epochs=2", "inner_epochs=1", "inner_gauss=0.5", "dense_above=1" }, 2, 0, 0, true, NULL },
    { "bpr, rows that wait, refit", "bpr", { "batch=15", "negatives=1" }, 2, 0, 0, true, "leave-one-out" },
    { "item-pop, refit", "item-pop", { NULL }, 0, 0, 0, true, NULL },
};

static pm_spec spec_of(const variant *v, const char *settings[16])
{
    pm_spec spec = small_spec(v->model);
    int n = 0;
    for (int i = 0; i < spec.setting_count; i++) settings[n++] = spec.settings[i];
    for (int i = 0; i < PM_COUNT(v->settings) && v->settings[i]; i++) settings[n++] = v->settings[i];
    spec.settings = settings;
    spec.setting_count = n;
    if (v->epochs) spec.epochs = PM_MAX(v->epochs, 0);    // below 0: as the settings have it
    spec.patience = v->patience;
    spec.validate_every = v->validate_every;
    spec.refit = v->refit;
    spec.split.protocol = v->protocol;
    if (v->protocol && strcmp(v->protocol, "leave-one-out") == 0) {
        spec.metrics = "hr@10,ndcg@10";
        spec.select = "ndcg@10";
        spec.split.negatives = 20;
    }
    return spec;
}

// What a caller reads of a result, besides the folder.
static void assert_same_result(const pm_result *a, const pm_result *b, const char *when)
{
    bool same = a->epochs == b->epochs && a->best_epoch == b->best_epoch && a->steps == b->steps && a->refit == b->refit &&
                a->epoch_count == b->epoch_count && a->metric_count == b->metric_count && a->validation_count == b->validation_count &&
                a->metric_count > 0 && a->validation_count > 0 && strcmp(a->select, b->select) == 0;
    for (int i = 0; same && i < a->metric_count; i++)
        same = a->metrics[i].mean == b->metrics[i].mean && a->metrics[i].se == b->metrics[i].se && a->metrics[i].n == b->metrics[i].n &&
               strcmp(a->metrics[i].name, b->metrics[i].name) == 0;
    for (int i = 0; same && i < a->validation_count; i++)
        same = a->validation[i].mean == b->validation[i].mean && a->validation[i].se == b->validation[i].se &&
               a->validation[i].ci95 == b->validation[i].ci95 && a->validation[i].n == b->validation[i].n &&
               strcmp(a->validation[i].name, b->validation[i].name) == 0;
    for (int i = 0; same && i < a->epoch_count; i++)
        same = a->epoch_log[i].epoch == b->epoch_log[i].epoch && a->epoch_log[i].phase == b->epoch_log[i].phase &&
               a->epoch_log[i].steps == b->epoch_log[i].steps && memcmp(a->epoch_log[i].loss, b->epoch_log[i].loss, 8) == 0 &&
               memcmp(&a->epoch_log[i].validation, &b->epoch_log[i].validation, 8) == 0 && a->epoch_log[i].schedule[0] == b->epoch_log[i].schedule[0];
    if (!same)
        fail_msg("results differ: %s: epochs %d %d, best %d %d, log %d %d, refit %d %d, validations %d %d", when, (int)a->epochs, (int)b->epochs,
                 (int)a->best_epoch, (int)b->best_epoch, a->epoch_count, b->epoch_count, a->refit, b->refit, a->validation_count,
                 b->validation_count);
}

// Stops at the at-th report and, resumed, at every `again`-th (0: not again). false when it ended before.
static bool stop_and_go(const pm_spec *spec, const char *run, int at, int again, const pm_result *whole, const char *name)
{
    char message[512], when[256];
    pm_ctx *ctx;
    pm_result *r;
    int stops = 0;
    pm_status st = train_until(spec, run, at, 1, &r, &ctx, message);
    while (st == PM_ERR_CANCELLED) {
        pm_ctx_destroy(&ctx);
        if (++stops > 500) fail_msg("%s: it never ends", name);
        st = train_until(NULL, run, again ? again - 1 : -1, 1, &r, &ctx, message);
    }
    snprintf(when, sizeof when, "%s, stopped at report %d, then at every %d", name, at, again);
    if (st != PM_OK) fail_msg("%s: %s", when, message);
    if (stops) assert_same_result(whole, r, when);
    pm_ctx_destroy(&ctx);
    return stops > 0;
}

static void stopped_anywhere(void **state)
{
    const fixture *f = *state;
    for (int i = 0; i < PM_COUNT(variants); i++) {
        const char *settings[16];
        char message[512];
        const pm_spec spec = spec_of(&variants[i], settings);
        const char *whole = in_folder(f, "whole"), *run = in_folder(f, "run");
        pm_ctx *ctx;
        pm_result *result;
        if (train_until(&spec, whole, -1, 1, &result, &ctx, message) != PM_OK) fail_msg("%s: %s", variants[i].name, message);
        assert_int_equal(result->refit, variants[i].refit);
        assert_tidy(whole);
        if (variants[i].patience) assert_true(result->epoch_log[0].epoch == 1 && result->epochs < variants[i].epochs);
        int stops = 0, at = 0;
        for (bool stopped = true; stopped; stops++) {
            stopped = stop_and_go(&spec, run, at, everywhere ? stops % 3 : stops % 4 == 1 ? 5 : 0, result, variants[i].name);
            char when[128];
            snprintf(when, sizeof when, "%s, stopped at report %d", variants[i].name, at);
            at += everywhere ? 1 : 1 + (int)(pm_hash64(&at, sizeof at, 0) % 5);
            assert_same_run(whole, run, when);
            assert_tidy(run);
            remove_folder(run);
        }
        if (spec.epochs) assert_true(stops > 2);
        pm_ctx_destroy(&ctx);
        remove_folder(whole);
    }
}

// A run that has ended says the same again and leaves its files alone.
static void resuming_what_has_ended(void **state)
{
    const fixture *f = *state;
    for (int i = 0; i < PM_COUNT(variants); i++) {
        const char *settings[16];
        char message[512];
        const pm_spec spec = spec_of(&variants[i], settings);
        const char *whole = in_folder(f, "whole"), *run = in_folder(f, "run");
        pm_ctx *a, *b;
        pm_result *x, *y;
        train_whole(&spec, whole);
        assert_int_equal(train_until(&spec, run, -1, 1, &x, &a, message), PM_OK);
        if (train_until(NULL, run, -1, 1, &y, &b, message) != PM_OK) fail_msg("%s: %s", variants[i].name, message);
        assert_same_result(x, y, variants[i].name);
        assert_same_run(whole, run, variants[i].name);
        size_t size;
        char *path = pm_sprintf(a, "%s/checkpoint.safetensors", run), *checkpoint = slurp(path, &size);
        assert_null(strstr(checkpoint + 8, "\"dtype\""));    // no tensors: behind the header's length, the header names none
        free(checkpoint);
        pm_ctx_destroy(&a);
        pm_ctx_destroy(&b);
        remove_folder(whole);
        remove_folder(run);
    }
}

// Two threads go on where one stood, and the other way round.
static void threads_may_change(void **state)
{
    const fixture *f = *state;
    const pm_spec spec = small_spec("mult-vae");
    const char *whole = in_folder(f, "whole"), *run = in_folder(f, "run");
    char message[512];
    train_whole(&spec, whole);
    assert_int_equal(train_until(&spec, run, 4, 2, NULL, NULL, message), PM_ERR_CANCELLED);
    assert_int_equal(train_until(NULL, run, 3, 1, NULL, NULL, message), PM_ERR_CANCELLED);
    if (train_until(NULL, run, -1, 2, NULL, NULL, message) != PM_OK) fail_msg("%s", message);
    assert_same_run(whole, run, "threads 2, 1, 2");
}

static void without_a_checkpoint_it_starts_anew(void **state)
{
    const fixture *f = *state;
    const pm_spec spec = small_spec("mult-dae");
    const char *whole = in_folder(f, "whole"), *run = in_folder(f, "run");
    char message[512], path[400];
    train_whole(&spec, whole);
    train_whole(&spec, run);
    for (int i = 0; i < 4; i++) {
        static const char *const gone[] = { "checkpoint.safetensors", "best.safetensors", "users.tsv", "metrics.jsonl" };
        snprintf(path, sizeof path, "%s/%s", run, gone[i]);
        assert_int_equal(unlink(path), 0);
    }
    if (train_until(NULL, run, -1, 1, NULL, NULL, message) != PM_OK) fail_msg("%s", message);
    assert_same_run(whole, run, "anew");
    assert_tidy(run);
    assert_int_equal(train_until(&spec, run, -1, 1, NULL, NULL, message), PM_ERR_ARG);    // nothing may be lost
    assert_non_null(strstr(message, "holds a run"));
}

int main(int argc, char **argv)
{
    everywhere = argc > 1 && strcmp(argv[1], "everywhere") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stopped_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(resuming_what_has_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(threads_may_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_checkpoint_it_starts_anew, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("train.resume", tests, NULL, NULL);
}
