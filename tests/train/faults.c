// What goes wrong around a run: damaged and foreign checkpoints, a full disk, memory that runs out at every point.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

static bool every_allocation;

static const char *file_of(const fixture *f, const char *run, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", run, name);
    return in_folder(f, path);
}

static void write_file(const char *path, const char *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

// Stopped in the middle, so that there is something to resume.
static void stopped_run(const fixture *f, const pm_spec *spec, const char *name)
{
    char message[512];
    assert_int_equal(train_until(spec, in_folder(f, name), 6, 1, NULL, NULL, message), PM_ERR_CANCELLED);
}

static void refused(fixture *f, const char *name, pm_status status, const char *reason)
{
    pm_result *r;
    const pm_status st = pm_train_resume(f->ctx, in_folder(f, name), NULL, &r);
    if (st != status) fail_msg("%s instead of %s: %s", pm_status_name(st), pm_status_name(status), pm_ctx_message(f->ctx));
    assert_null(r);
    says(f, reason);
}

static void damage_is_refused(void **state)
{
    fixture *f = *state;
    const pm_spec spec = small_spec("mult-dae");
    stopped_run(f, &spec, "run");
    static const char *const names[] = { "checkpoint.safetensors", "best.safetensors" };
    for (int i = 0; i < 2; i++) {
        size_t size;
        const char *path = file_of(f, "run", names[i]);
        char *good = slurp(path, &size), *bad = slurp(path, &size);
        for (size_t cut = 0; cut < size; cut += size / 7 + 1) {
            write_file(path, good, cut);
            refused(f, "run", PM_ERR_FORMAT, "safetensors");
        }
        for (size_t at = 0; at < size; at += size / 23 + 1) {
            memcpy(bad, good, size);
            bad[at] ^= 0x10;
            write_file(path, bad, size);
            refused(f, "run", PM_ERR_FORMAT, "safetensors");
        }
        assert_int_equal(unlink(path), 0);
        if (i == 1) refused(f, "run", PM_ERR_FORMAT, "best.safetensors");
        write_file(path, good, size);
        free(good);
        free(bad);
    }
    size_t size;
    const char *log = file_of(f, "run", "metrics.jsonl");
    char *lines = slurp(log, &size);
    write_file(log, lines, size / 2);
    refused(f, "run", PM_ERR_FORMAT, "metrics.jsonl");
    write_file(log, lines, size);
    free(lines);
    pm_result *r;
    assert_int_equal(pm_train_resume(f->ctx, in_folder(f, "run"), NULL, &r), PM_OK);    // nothing was spoilt by trying
    pm_result_destroy(&r);
    assert_int_equal(mkdir(in_folder(f, "empty"), 0777), 0);
    refused(f, "empty", PM_ERR_NOT_FOUND, "config.json");
}

// Replaces the first `from` in a file by `to`.
static void edit(const char *path, const char *from, const char *to)
{
    size_t size;
    char *text = slurp(path, &size), *at = strstr(text, from);
    if (!at) fail_msg("%s has no %s", path, from);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(text, 1, (size_t)(at - text), file);
    fputs(to, file);
    fputs(at + strlen(from), file);
    fclose(file);
    free(text);
}

static void what_is_not_its_own_is_refused(void **state)
{
    fixture *f = *state;
    static const struct { const char *from, *to, *reason; } edits[] = {
        { "lr=0.01", "lr=0.02", "settings" },
        { "\"seed\":\t3", "\"seed\":\t4", "data" },
        { "\"select\":\t\"recall@5\"", "\"select\":\t\"ndcg@10\"", "settings" },
        { "\"patience\":\t0", "\"patience\":\t7", "settings" },
        { "\"epochs\":\t4", "\"epochs\":\t5", "settings" },
        { "mult-dae", "mult-vae", "model" },
        { "\"held_out\":\t14", "\"held_out\":\t13", "data" },
    };
    const pm_spec spec = small_spec("mult-dae");
    stopped_run(f, &spec, "run");
    const char *config = file_of(f, "run", "config.json");
    size_t size;
    char *good = slurp(config, &size);
    for (int i = 0; i < PM_COUNT(edits); i++) {
        edit(config, edits[i].from, edits[i].to);
        refused(f, "run", PM_ERR_FORMAT, edits[i].reason);
        write_file(config, good, size);
    }
    free(good);
    pm_spec other = small_spec("mult-vae");
    stopped_run(f, &other, "other");
    char *theirs = slurp(file_of(f, "other", "checkpoint.safetensors"), &size);
    write_file(file_of(f, "run", "checkpoint.safetensors"), theirs, size);
    free(theirs);
    refused(f, "run", PM_ERR_FORMAT, "model");
}

static void a_full_disk_keeps_the_old_checkpoint(void **state)
{
    fixture *f = *state;
    pm_spec spec = small_spec("mult-dae");
    spec.save_every = 1e-6;    // at every step: the last checkpoint of a run is small, those before it have tensors
    train_whole(&spec, in_folder(f, "whole"));
    stopped_run(f, &spec, "run");
    size_t size, best, log, now;
    free(slurp(file_of(f, "run", "best.safetensors"), &best));
    free(slurp(file_of(f, "run", "metrics.jsonl"), &log));
    char *before = slurp(file_of(f, "run", "checkpoint.safetensors"), &size);
    assert_true(size > best + 1000 && best > 5000);
    const rlim_t limits[] = { (rlim_t)size - 500, (rlim_t)best - 500, 4096, (rlim_t)log + 20 };
    for (int i = 0; i < PM_COUNT(limits); i++) {
        pm_result *r;
        limit_files(limits[i]);
        const pm_status st = pm_train_resume(f->ctx, in_folder(f, "run"), NULL, &r);
        limit_files(RLIM_INFINITY);
        if (st != PM_ERR_IO) fail_msg("limit %d: %s: %s", (int)limits[i], pm_status_name(st), pm_ctx_message(f->ctx));
        char *after = slurp(file_of(f, "run", "checkpoint.safetensors"), &now);
        assert_true(now == size && memcmp(before, after, size) == 0);
        free(after);
    }
    free(before);
    pm_result *r;
    if (pm_train_resume(f->ctx, in_folder(f, "run"), NULL, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    pm_result_destroy(&r);
    assert_same_run(in_folder(f, "whole"), in_folder(f, "run"), "after a full disk");
    assert_tidy(in_folder(f, "run"));
}

// ---- memory --------------------------------------------------------------------------------------------------------

typedef pm_status body(pm_ctx *ctx, const fixture *f, int which);

static const char *const devices[] = { "ref", "cpu" };

static pm_spec tiny_spec(int which)
{
    static const char *const settings[] = { "hidden=none", "latent=2", "batch=20", "anneal=auto", "anneal_epochs=1" };
    const bool vae = which & 1;
    pm_spec spec = small_spec(vae ? "mult-vae" : "mult-dae");
    spec.device = (which & 2) && strcmp(host_device(), "cpu") == 0 ? devices[1] : devices[0];
    spec.settings = settings;
    spec.setting_count = vae ? 5 : 3;
    spec.epochs = 1;
    spec.refit = vae;
    spec.synth = (pm_synth_params){ .users = 50, .items = 24, .interactions = 220, .clusters = 2 };
    spec.split.held_out = 8;
    if (!vae) {
        spec.split = (pm_split_params){ .protocol = "leave-one-out", .negatives = 5 };
        spec.metrics = "hr@5";
        spec.select = NULL;
        spec.candidates = which ? "sampled" : NULL;    // once among all items too
    }
    return spec;
}

// Ratings, and rows of weights that wait: under gradient descent, or Adam.
static pm_spec rating_spec(bool adam)
{
    static const char *const settings[2][6] = { { "layers=2", "outer_size=2", "dense_above=1", "batch=20", "optimizer=sgd", "decay=0.1" },
                                                { "layers=2", "outer_size=2", "dense_above=1", "batch=20", "optimizer=adam", "decay=0" } };
    pm_spec spec = small_spec("uencoder");
    spec.settings = settings[adam];
    spec.setting_count = PM_COUNT(settings[adam]);
    spec.epochs = 1;
    spec.metrics = "rmse";
    spec.select = NULL;
    spec.synth = (pm_synth_params){ .users = 50, .items = 24, .interactions = 220, .clusters = 2 };
    spec.split = (pm_split_params){ .protocol = "rating" };
    return spec;
}

static pm_status train_body(pm_ctx *ctx, const fixture *f, int which)
{
    const pm_spec spec = which >= 4 ? rating_spec(which == 5) : tiny_spec(which);
    const char *run = in_folder(f, "train");
    pm_result *r;
    const pm_status st = pm_train(ctx, &spec, which >= 2 ? run : NULL, &r);
    assert_true((r != NULL) == (st == PM_OK));
    remove_folder(run);
    return st;
}

// "run" is there, and has ended.
static pm_status resume_body(pm_ctx *ctx, const fixture *f, int which)
{
    (void)which;
    pm_result *r;
    const pm_status st = pm_train_resume(ctx, in_folder(f, "run"), NULL, &r);
    assert_true((r != NULL) == (st == PM_OK));
    return st;
}

static pm_status evaluate_body(pm_ctx *ctx, const fixture *f, int which)
{
    (void)which;
    pm_result *r;
    char *json;
    const pm_status st = pm_evaluate(ctx, &(pm_evaluate_params){ .run = in_folder(f, "run") }, &r);
    assert_true((r != NULL) == (st == PM_OK));
    return st == PM_OK ? pm_result_json(r, r, &json) : st;
}

static pm_status recommend_body(pm_ctx *ctx, const fixture *f, int which)
{
    pm_recommendation *list;
    int64_t count;
    const char *item = "i2";
    pm_recommend_params ask = { .run = in_folder(f, "run"), .top = 4 };
    if (which) {
        ask.user = "u3";
    } else {
        ask.items = &item;
        ask.item_count = 1;
    }
    const pm_status st = pm_recommend(ctx, &ask, &list, &count);
    assert_true((list != NULL) == (st == PM_OK));
    return st;
}

// One run with allocation n failing (n < 0: none); how many allocations there were.
static int64_t run_failing(body *b, const fixture *f, int which, int64_t n, bool for_good, pm_status *st)
{
    static const pm_allocator allocator = { failing_alloc, failing_release, NULL };
    pm_ctx *ctx;
    memory = (failing){ .at = -1, .for_good = for_good };
    assert_int_equal(pm_ctx_create(&(pm_ctx_params){ .allocator = &allocator, .threads = 1 }, &ctx), PM_OK);
    const int64_t base = memory.count;
    memory.at = n < 0 ? -1 : base + n;
    *st = b(ctx, f, which);
    if (*st != PM_OK && *st != PM_ERR_NOMEM)
        fail_msg("allocation %d of case %d%s: %s: %s", (int)n, which, for_good ? " and all after" : "", pm_status_name(*st), pm_ctx_message(ctx));
    const int64_t used = memory.count - base;
    pm_ctx_destroy(&ctx);
    if (memory.live != 0) fail_msg("allocation %d of case %d%s: %d blocks leaked", (int)n, which, for_good ? " and all after" : "", (int)memory.live);
    memory.at = -1;
    return used;
}

static void sweep(body *b, const fixture *f, int which, int samples)
{
    pm_status st;
    cJSON_InitHooks(&(cJSON_Hooks){ failing_malloc, failing_free });
    const int64_t total = run_failing(b, f, which, -1, false, &st);
    assert_int_equal(st, PM_OK);
    const int64_t stride = every_allocation ? 1 : PM_MAX(1, total / samples);
    for (int for_good = 0; for_good < 2; for_good++)
        for (int64_t n = for_good; n < total; n += stride) {
            run_failing(b, f, which, n, for_good, &st);
            if (for_good) assert_int_equal(st, PM_ERR_NOMEM);
        }
    cJSON_InitHooks(NULL);
}

static void memory_runs_out_in_training(void **state)
{
    for (int which = 0; which < 6; which++) sweep(train_body, *state, which, which < 2 ? 250 : 70);
}

static void memory_runs_out_in_using(void **state)
{
    const pm_spec spec = tiny_spec(1);
    train_whole(&spec, in_folder(*state, "run"));
    sweep(resume_body, *state, 0, 40);
    sweep(evaluate_body, *state, 0, 150);
    sweep(recommend_body, *state, 0, 150);
    sweep(recommend_body, *state, 1, 150);
}

int main(int argc, char **argv)
{
    every_allocation = argc > 1 && strcmp(argv[1], "everywhere") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(damage_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_its_own_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_keeps_the_old_checkpoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_runs_out_in_training, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_runs_out_in_using, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("train.faults", tests, NULL, NULL);
}
