// leave-one-out from data to result: on which part the epoch is chosen, and what is told of it.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include <math.h>

static pm_spec loo_spec(const char *model)
{
    pm_spec spec = small_spec(model);
    spec.split = (pm_split_params){ .protocol = "leave-one-out", .negatives = 20 };
    spec.metrics = spec.select = NULL;
    return spec;
}

static pm_result *trained(fixture *f, const pm_spec *spec, const char *run)
{
    pm_result *r;
    if (pm_train(f->ctx, spec, run, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    return r;
}

static const pm_metric_result *metric_of(const pm_result *r, const char *name)
{
    for (int i = 0; i < r->metric_count; i++)
        if (strcmp(r->metrics[i].name, name) == 0) return &r->metrics[i];
    fail_msg("no metric %s", name);
    return NULL;
}

// The best of the epochs' values is the test figure itself, to the bit; with validation it is not.
static void legacy_selection_chooses_on_test(void **state)
{
    fixture *f = *state;
    const char *run = in_folder(f, "run");
    for (int k = 0; k < 3; k++) {
        pm_spec spec = loo_spec("mult-dae");
        spec.epochs = 6;
        spec.legacy_test_selection = k > 0;
        spec.refit = k == 2;
        const int before = f->warnings;
        pm_result *r = trained(f, &spec, run), *e;
        double best = 0;
        for (int i = 0; i < r->epoch_count; i++) best = fmax(best, r->epoch_log[i].validation);
        assert_int_equal(best == metric_of(r, "hr@10")->mean, k > 0);
        assert_int_equal(r->legacy_test_selection, k > 0);
        assert_int_equal(r->refit, k == 2);
        assert_int_equal(r->validation_count, k ? 0 : r->metric_count);
        assert_int_equal(r->epochs, 6);    // nothing is trained twice
        assert_true((f->warnings > before) == (k > 0));
        assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &e), PM_OK);
        assert_true(metric_of(e, "hr@10")->mean == metric_of(r, "hr@10")->mean);
        assert_int_equal(e->legacy_test_selection, k > 0);
        assert_int_equal(e->refit, k == 2);
        char *json;
        assert_int_equal(pm_result_json(f->ctx, e, &json), PM_OK);
        assert_non_null(strstr(json, k ? "\"legacy_test_selection\":\ttrue" : "\"legacy_test_selection\":\tfalse"));
        pm_free(json);
        pm_result_destroy(&r);
        pm_result_destroy(&e);
        remove_folder(run);
    }
}

// Stopped and resumed to the same bits, trained on train + validation from the start.
static void legacy_selection_resumes(void **state)
{
    fixture *f = *state;
    char message[512];
    const char *whole = in_folder(f, "whole"), *parts = in_folder(f, "parts");
    pm_spec spec = loo_spec("mult-dae");
    spec.legacy_test_selection = spec.refit = true;
    train_whole(&spec, whole);
    assert_int_equal(train_until(&spec, parts, 7, 1, NULL, NULL, message), PM_ERR_CANCELLED);
    assert_int_equal(train_until(NULL, parts, -1, 1, NULL, NULL, message), PM_OK);
    assert_same_run(whole, parts, "legacy selection");
}

// Trained on the validation items too: a by-popularity scorer counts them.
static void legacy_refit_has_the_validation_items(void **state)
{
    fixture *f = *state;
    pm_result *r[3];
    for (int k = 0; k < 3; k++) {
        pm_spec spec = loo_spec("item-pop");
        spec.refit = k > 0;
        spec.legacy_test_selection = k == 2;
        r[k] = trained(f, &spec, NULL);
    }
    assert_true(metric_of(r[0], "ndcg@10")->mean != metric_of(r[1], "ndcg@10")->mean);
    assert_true(metric_of(r[1], "ndcg@10")->mean == metric_of(r[2], "ndcg@10")->mean);
    for (int k = 0; k < 3; k++) pm_result_destroy(&r[k]);
}

// A sweep chooses settings and epochs on test then, once, and says so.
static void legacy_sweep(void **state)
{
    fixture *f = *state;
    pm_sweep *w;
    pm_spec spec = loo_spec("mult-dae");
    char *json;
    spec.epochs = 2;
    spec.legacy_test_selection = spec.refit = true;
    const pm_sweep_params params = { .spec = &spec, .grid = "lr=0.001,0.1", .folder = in_folder(f, "sweep") };
    if (pm_sweep_run(f->ctx, &params, &w) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_true(w->legacy_test_selection && w->refit);
    assert_true(w->metrics[0].mean.mean == w->settings[w->winner].mean);
    assert_int_equal(pm_sweep_json(f->ctx, w, &json), PM_OK);
    assert_non_null(strstr(json, "\"legacy_test_selection\":\ttrue"));
    pm_free(json);
    pm_sweep_destroy(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(legacy_selection_chooses_on_test),
        DATA_TEST(legacy_selection_resumes),
        DATA_TEST(legacy_refit_has_the_validation_items),
        DATA_TEST(legacy_sweep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
