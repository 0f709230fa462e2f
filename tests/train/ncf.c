// Neural collaborative filtering: what it learns, chosen items scored as all are, and neumf begun from runs of gmf and mlp.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include <math.h>

#include "train/safetensors.h"
#include "train/session.h"

static const char *const sizes[] = { "factors=4", "layers=2", "batch=200", "lr=0.02" };

// gmf has no layers.
static pm_spec spec_of(const char *model, const char *const *settings, int count)
{
    return (pm_spec){ .model = model, .device = host_device(), .seed = 3, .settings = settings, .setting_count = count, .epochs = 2, .metrics = "hr@10,ndcg@10",
                      .synth = { .users = 120, .items = 60, .interactions = 1200, .clusters = 4 }, .split = { .protocol = "leave-one-out", .negatives = 20 } };
}

static pm_spec gmf_spec(void)
{
    static const char *const settings[] = { "factors=4", "batch=200", "lr=0.02" };
    return spec_of("gmf", settings, PM_COUNT(settings));
}

static pm_spec mlp_spec(void)
{
    return spec_of("mlp", sizes, PM_COUNT(sizes));
}

static void train_origins(const fixture *f)
{
    const pm_spec gmf = gmf_spec(), mlp = mlp_spec();
    train_whole(&gmf, in_folder(f, "gmf"));
    train_whole(&mlp, in_folder(f, "mlp"));
}

// neumf from the runs of the folder.
static pm_spec pretrained_spec(const fixture *f, pm_pretrained both[2])
{
    static const char *const settings[] = { "factors=4", "layers=2", "batch=200", "optimizer=sgd", "lr=0.05", "alpha=0.25" };
    both[0] = (pm_pretrained){ .name = "gmf", .run = in_folder(f, "gmf") };
    both[1] = (pm_pretrained){ .name = "mlp", .run = in_folder(f, "mlp") };
    pm_spec spec = spec_of("neumf", settings, PM_COUNT(settings));
    spec.pretrained = both;
    spec.pretrained_count = 2;
    return spec;
}

// ---- learning and scoring ----

static double test_metric(const pm_spec *spec)
{
    char message[512];
    pm_ctx *ctx;
    pm_result *r;
    if (train_until(spec, NULL, -1, 2, &r, &ctx, message) != PM_OK) fail_msg("%s: %s", spec->model, message);
    const double mean = r->metrics[0].mean;
    pm_ctx_destroy(&ctx);
    return mean;
}

// Data of eight clusters: what is popular says little of what a user wants.
static void they_learn(void **state)
{
    (void)state;
    static const char *const models[] = { "gmf", "mlp", "neumf" }, *const settings[] = { "factors=8", "batch=200", "lr=0.01", "layers=2" };
    pm_spec spec = spec_of("item-pop", NULL, 0);
    spec.metrics = "hr@10";
    spec.synth = (pm_synth_params){ .users = 400, .items = 200, .interactions = 8000, .clusters = 8 };
    spec.split.negatives = 50;
    spec.epochs = 0;
    const double popular = test_metric(&spec), noise = sqrt(0.25 / 400);
    for (int i = 0; i < PM_COUNT(models); i++) {
        spec.model = models[i];
        spec.settings = settings;
        spec.setting_count = PM_COUNT(settings) - (i == 0);
        spec.epochs = 15;
        const double got = test_metric(&spec);
        if (!(got > popular + 5 * noise)) fail_msg("%s: hr@10 %.4f, popularity %.4f", models[i], got, popular);
    }
}

// Candidates, which are scored alone, have the scores that they have among all items.
static void candidates_score_as_all_items_do(void **state)
{
    fixture *f = *state;
    static const char *const models[] = { "gmf", "mlp", "neumf" }, *const blocks[] = { "block=7000", "block=600", "block=1048576" };
    for (int k = 0; k < 9; k++) {
        const int m = k / 3, i = k % 3;
        const pm_spec spec = spec_of(models[m], NULL, 0);
        const pm_model *model;
        pm_config *config;
        pm_split *split;
        pm_session *s;
        pm_evaluator *lists, *candidates;
        pm_metric_set *set;
        const uint32_t *ids;
        const float *all, *few;
        int64_t depth, widest;
        assert_int_equal(pm_model_find(f->ctx, models[m], &model), PM_OK);
        assert_int_equal(pm_config_create(f->ctx, model, &config), PM_OK);
        assert_int_equal(pm_config_assign(config, "init=0.5"), PM_OK);
        if (m) assert_int_equal(pm_config_assign(config, blocks[i]), PM_OK);    // several rows; less than a row; all at once
        assert_int_equal(pm_spec_load(f->ctx, &spec, &split), PM_OK);
        assert_int_equal(pm_metric_set_parse(f->ctx, "hr@10", &set), PM_OK);
        const pm_session_params params = { .split = split, .config = config, .device = host_device(), .seed = 4 };
        assert_int_equal(pm_session_open(f->ctx, &params, &s), PM_OK);
        const pm_evaluator_params whole = { .part = &split->test, .name = "all", .depth = split->train.cols };
        const pm_evaluator_params some = { .part = &split->test, .name = "some", .set = set, .ties = PM_TIES_ID };
        assert_int_equal(pm_evaluator_create(s, &whole, &lists), PM_OK);
        assert_int_equal(pm_evaluator_create(s, &some, &candidates), PM_OK);
        assert_int_equal(pm_evaluator_lists(lists, &ids, &all, &depth), PM_OK);
        assert_int_equal(pm_evaluator_scores(candidates, &few, &widest), PM_OK);
        int64_t compared = 0;
        for (int64_t u = 0; u < split->test.users; u++)
            for (uint32_t c = split->test.candidate_ptr[u]; c < split->test.candidate_ptr[u + 1]; c++)
                for (int64_t r = 0; r < depth; r++) {
                    if (ids[u * depth + r] != split->test.candidate[c]) continue;
                    const float x = few[u * widest + c - split->test.candidate_ptr[u]], y = all[u * depth + r];
                    if (!(fabsf(x - y) <= 1e-5f * fmaxf(1, fabsf(y)))) fail_msg("%s, user %d, item %u: %.9g, among all %.9g", models[m], (int)u, split->test.candidate[c], (double)x, (double)y);
                    compared++;
                }
        assert_true(compared > 1000);
        pm_session_close(&s);
    }
}

// ---- beginning from two runs ----

static float *parameter(fixture *f, const char *run, const char *name, int64_t *count)
{
    char path[512];
    pm_st_file *file;
    snprintf(path, sizeof path, "%s/best.safetensors", run);
    if (pm_st_open(f->ctx, path, &file) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    const pm_st_tensor *t = pm_st_find(file, name);
    if (!t) {
        *count = 0;
        pm_st_close(&file);
        return NULL;
    }
    *count = t->rows * t->cols;
    float *values = pm_new_array(f->ctx, float, *count);
    assert_int_equal(pm_st_read_rows(file, name, 0, t->rows, values), PM_OK);
    pm_st_close(&file);
    return values;
}

// With a rate of 0 the first epoch's parameters are those it began with: each of one run, but the output's: weighted, its bias of both.
static void it_begins_with_their_parameters(void **state)
{
    fixture *f = *state;
    static const struct { const char *name; float of[2]; } wanted[] = {
        { "user.gmf", { 1, 0 } }, { "item.gmf", { 1, 0 } }, { "out.gmf", { 0.25f, 0 } }, { "user.mlp", { 0, 1 } }, { "item.mlp", { 0, 1 } },
        { "mlp.1.w", { 0, 1 } }, { "mlp.1.b", { 0, 1 } }, { "mlp.2.w", { 0, 1 } }, { "mlp.2.b", { 0, 1 } }, { "out.mlp", { 0, 0.75f } }, { "out.b", { 0.25f, 0.75f } },
    };
    pm_pretrained both[2];
    train_origins(f);
    pm_spec spec = pretrained_spec(f, both);
    static const char *const still[] = { "factors=4", "layers=2", "batch=200", "lr=0", "alpha=0.25" };
    spec.settings = still;
    spec.setting_count = PM_COUNT(still);
    spec.epochs = 1;
    const pm_pretrained turned[2] = { both[1], both[0] };    // the order in which they are given is all the same
    spec.pretrained = turned;
    train_whole(&spec, in_folder(f, "run"));
    for (int i = 0; i < PM_COUNT(wanted); i++) {
        int64_t n, theirs[2];
        const float *got = parameter(f, in_folder(f, "run"), wanted[i].name, &n), *gmf = parameter(f, in_folder(f, "gmf"), wanted[i].name, &theirs[0]),
                    *mlp = parameter(f, in_folder(f, "mlp"), wanted[i].name, &theirs[1]);
        assert_true(got && n > 0 && PM_MAX(theirs[0], theirs[1]) == n);
        for (int64_t k = 0; k < n; k++) {
            const float want = (gmf ? wanted[i].of[0] * gmf[k] : 0) + (mlp ? wanted[i].of[1] * mlp[k] : 0);
            if (got[k] != want) fail_msg("%s[%d] is %.9g, not %.9g", wanted[i].name, (int)k, (double)got[k], (double)want);
        }
    }
    char hash[2][40];
    size_t size;
    char *config = slurp(in_folder(f, "run/config.json"), &size);
    for (int k = 0; k < 2; k++) {
        pm_st_file *file;
        assert_int_equal(pm_st_open(f->ctx, in_folder(f, k ? "mlp/best.safetensors" : "gmf/best.safetensors"), &file), PM_OK);
        snprintf(hash[k], sizeof hash[k], "%016" PRIx64, pm_st_hash(file));
        pm_st_close(&file);
        assert_non_null(strstr(config, hash[k]));
    }
    free(config);
    for (int k = 0; k < 2; k++) {    // the result document names them, and is silent where there are none
        pm_result *r;
        char *json;
        if (pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = in_folder(f, k ? "gmf" : "run") }, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
        assert_int_equal(pm_result_json(f->ctx, r, &json), PM_OK);
        const char *named = strstr(json, "\"pretrained\"");
        assert_true((named == NULL) == (k == 1));
        if (named) assert_true(strstr(named, hash[0]) && strstr(named, hash[1]) && strstr(named, "/gmf\""));
        pm_result_destroy(&r);
    }
}

// The same bits again, stopped anywhere, and by resumption of a run whose beginnings are gone by then.
static void it_is_repeated_and_resumed(void **state)
{
    fixture *f = *state;
    char message[512];
    pm_pretrained both[2];
    train_origins(f);
    pm_spec spec = pretrained_spec(f, both);
    spec.refit = true;
    train_whole(&spec, in_folder(f, "whole"));
    int stops = 0;
    for (int at = 0;; at++, stops++) {
        const pm_status st = train_until(&spec, in_folder(f, "run"), at, 1, NULL, NULL, message);
        if (st == PM_OK) break;
        assert_int_equal(st, PM_ERR_CANCELLED);
        if (train_until(NULL, in_folder(f, "run"), -1, 1, NULL, NULL, message) != PM_OK) fail_msg("stopped at %d: %s", at, message);
        assert_same_run(in_folder(f, "whole"), in_folder(f, "run"), "stopped");
        remove_folder(in_folder(f, "run"));
    }
    assert_true(stops > 3);
    assert_same_run(in_folder(f, "whole"), in_folder(f, "run"), "again");
    remove_folder(in_folder(f, "run"));
    spec.refit = false;
    train_whole(&spec, in_folder(f, "other"));
    assert_int_equal(train_until(&spec, in_folder(f, "run"), 1, 1, NULL, NULL, message), PM_ERR_CANCELLED);
    remove_folder(in_folder(f, "gmf"));
    if (train_until(NULL, in_folder(f, "run"), -1, 1, NULL, NULL, message) != PM_OK) fail_msg("%s", message);
    assert_same_run(in_folder(f, "other"), in_folder(f, "run"), "without its beginning");
}

// What it began from was trained anew since: a run that must begin again says so.
static void a_beginning_that_changed(void **state)
{
    fixture *f = *state;
    char message[512];
    pm_pretrained both[2];
    train_origins(f);
    const pm_spec spec = pretrained_spec(f, both);
    train_whole(&spec, in_folder(f, "run"));
    assert_int_equal(unlink(in_folder(f, "run/checkpoint.safetensors")), 0);
    remove_folder(in_folder(f, "gmf"));
    pm_spec gmf = gmf_spec();
    gmf.epochs = 1;
    train_whole(&gmf, in_folder(f, "gmf"));
    assert_int_equal(train_until(NULL, in_folder(f, "run"), -1, 1, NULL, NULL, message), PM_ERR_DATA);
    if (!strstr(message, "no longer") || !strstr(message, "--pretrained-gmf")) fail_msg("%s", message);
}

static void refused(const pm_spec *spec, pm_status want, const char *what, const char *also)
{
    char message[512];
    assert_int_equal(train_until(spec, NULL, -1, 1, NULL, NULL, message), want);
    if (!strstr(message, what) || !strstr(message, also)) fail_msg("'%s' and '%s' are not in: %s", what, also, message);
}

static void what_does_not_fit_is_refused(void **state)
{
    fixture *f = *state;
    char message[512];
    pm_pretrained both[2], wrong[2];
    train_origins(f);
    const pm_spec fine = pretrained_spec(f, both);
    static const char *const wide[] = { "factors=5", "layers=2" }, *const deep[] = { "factors=4", "layers=1" };
    pm_spec spec = fine;
    spec.pretrained_count = 1;
    refused(&spec, PM_ERR_ARG, "--pretrained-mlp", "give");
    spec.pretrained = both + 1;
    refused(&spec, PM_ERR_ARG, "--pretrained-gmf", "give");
    spec = fine;
    spec.settings = wide;
    spec.setting_count = 2;
    refused(&spec, PM_ERR_ARG, "factors = 4", "this run 5");
    spec.settings = deep;
    refused(&spec, PM_ERR_ARG, "layers = 2", "this run 1");
    spec = fine;
    spec.seed = 3;
    spec.split.seed = 8;
    spec.split_seed_given = true;    // the synthetic data, too, are made from it
    refused(&spec, PM_ERR_DATA, "other data", "--split-seed");
    spec = fine;
    spec.split.negatives = 19;
    refused(&spec, PM_ERR_DATA, "other data", "--pretrained-gmf");
    spec = fine;
    spec.pretrained = wrong;
    wrong[0] = (pm_pretrained){ .name = "gmf", .run = both[1].run };
    wrong[1] = both[1];
    refused(&spec, PM_ERR_ARG, "a run of mlp", "one of gmf");
    wrong[0] = (pm_pretrained){ .name = "bpr", .run = both[1].run };
    refused(&spec, PM_ERR_ARG, "--pretrained-bpr", "no such run");
    wrong[0] = both[1];
    refused(&spec, PM_ERR_ARG, "--pretrained-mlp", "twice");
    wrong[0] = (pm_pretrained){ .name = "gmf", .run = f->folder };
    refused(&spec, PM_ERR_NOT_FOUND, "config.json", f->folder);
    spec = fine;
    spec.model = "mlp";
    refused(&spec, PM_ERR_ARG, "mlp has no hyperparameter", "alpha");
    spec.settings = sizes;
    spec.setting_count = PM_COUNT(sizes);
    refused(&spec, PM_ERR_ARG, "mlp begins from no such run", "--pretrained-gmf");
    pm_spec gmf = gmf_spec();
    assert_int_equal(train_until(&gmf, in_folder(f, "half"), 2, 1, NULL, NULL, message), PM_ERR_CANCELLED);
    spec = fine;
    spec.pretrained = wrong;
    wrong[0] = (pm_pretrained){ .name = "gmf", .run = in_folder(f, "half") };
    refused(&spec, PM_ERR_NOT_FOUND, "not come to its end", "--resume");
    gmf.legacy_test_selection = true;
    train_whole(&gmf, in_folder(f, "peeked"));
    wrong[0].run = in_folder(f, "peeked");
    refused(&spec, PM_ERR_ARG, "chosen on the test part", "--legacy-test-selection");
    spec.legacy_test_selection = true;
    if (train_until(&spec, NULL, -1, 1, NULL, NULL, message) != PM_OK) fail_msg("%s", message);
}

static void presets_are_legal(void **state)
{
    fixture *f = *state;
    static const char *const models[] = { "gmf", "mlp", "neumf" };
    for (int i = 0; i < PM_COUNT(models); i++) {
        const pm_model *model;
        pm_config *config;
        assert_int_equal(pm_model_find(f->ctx, models[i], &model), PM_OK);
        for (const pm_preset *p = model->presets; p->name; p++) {
            assert_int_equal(pm_config_create(f->ctx, model, &config), PM_OK);
            if (pm_config_preset(config, p->name) != PM_OK) fail_msg("%s: %s", models[i], pm_ctx_message(f->ctx));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_learn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(candidates_score_as_all_items_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_begins_with_their_parameters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_repeated_and_resumed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_beginning_that_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(presets_are_legal, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("train.ncf", tests, NULL, NULL);
}
