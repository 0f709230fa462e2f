// leave-one-out from data to result: on which part the epoch is chosen, and what is told of it.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include <math.h>

#include "train/trainer.h"

static pm_spec loo_spec(const char *model)
{
    pm_spec spec = small_spec(model);
    spec.split = (pm_split_params){ .protocol = "leave-one-out", .negatives = 20, .seed = spec.seed };
    spec.synth.seed = spec.seed;
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
        assert_int_equal(r->validation_count, k ? 0 : 3);
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

// ---- candidates ----------------------------------------------------------------------------------------------------

static bool has_metric(const pm_result *r, const char *name)
{
    for (int i = 0; i < r->metric_count; i++)
        if (strcmp(r->metrics[i].name, name) == 0) return true;
    return false;
}

// Ranked among all items with ties by id, the figures are those of top lists of the same split.
static void all_items_agree_with_lists(void **state)
{
    fixture *f = *state;
    static const char *const models[] = { "item-pop", "mult-dae" };
    for (int k = 0; k < PM_COUNT(models); k++) {
        pm_spec spec = loo_spec(models[k]);
        pm_split *split;
        spec.metrics = "hr@10,ndcg@10,mrr@10";
        spec.ties = PM_TIES_ID;
        spec.epochs = k ? 2 : 0;
        pm_result *ranks = trained(f, &spec, NULL), *lists;
        assert_int_equal(ranks->metric_count, 6);
        if (pm_spec_load(f->ctx, &spec, &split) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
        pm_train_extra extra = { .split = split };
        split->test.sampled = false;
        if (pm_train_with(f->ctx, &spec, NULL, &extra, &lists) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
        assert_int_equal(lists->metric_count, 3);
        for (int i = 0; i < 3; i++) {
            char name[PM_METRIC_NAME_SIZE + 8];
            snprintf(name, sizeof name, "%s:all", lists->metrics[i].name);
            assert_true(lists->metrics[i].mean > 0);
            assert_true(metric_of(ranks, name)->mean == lists->metrics[i].mean);
            assert_true(metric_of(ranks, name)->se == lists->metrics[i].se);
        }
        pm_result_destroy(&ranks);
        pm_result_destroy(&lists);
    }
}

// Which kinds are shown, by which the epoch is chosen, and what evaluation says of it.
static void candidates_are_those_asked_for(void **state)
{
    fixture *f = *state;
    static const char *const asked[] = { NULL, "sampled", "all", "sampled,all" };
    const char *run = in_folder(f, "run");
    double sampled = 0, all = 0;
    for (int k = 0; k < PM_COUNT(asked); k++) {
        pm_spec spec = loo_spec("mult-dae");
        spec.candidates = asked[k];
        spec.epochs = 2;
        pm_result *r = trained(f, &spec, run), *e;
        const bool has_sampled = k != 2, has_all = k != 1;
        assert_int_equal(r->metric_count, 3 * (has_sampled + has_all));
        assert_int_equal(has_metric(r, "hr@10"), has_sampled);
        assert_int_equal(has_metric(r, "hr@10:all"), has_all);
        assert_string_equal(r->select, has_sampled ? "hr@10" : "hr@10:all");
        assert_string_equal(r->validation[0].name, r->select);
        assert_string_equal(r->epoch_metric[1], has_sampled ? "ndcg@10" : "ndcg@10:all");
        assert_true(r->epoch_log[r->best_epoch - 1].metrics[0] == r->epoch_log[r->best_epoch - 1].validation);
        if (has_sampled && k) assert_true(metric_of(r, "hr@10")->mean == sampled);
        if (k == 3) assert_true(metric_of(r, "hr@10:all")->mean == all);
        if (k == 0) sampled = metric_of(r, "hr@10")->mean, all = metric_of(r, "hr@10:all")->mean;
        assert_true(all < sampled);    // more to stand out among
        assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run, .candidates = "all", .metrics = "ndcg@5" }, &e), PM_OK);
        assert_int_equal(e->metric_count, 1);
        assert_string_equal(e->metrics[0].name, "ndcg@5:all");
        pm_result_destroy(&r);
        pm_result_destroy(&e);
        remove_folder(run);
    }
    pm_spec spec = loo_spec("item-pop");
    pm_result *r;
    spec.candidates = "some";
    assert_int_equal(pm_train(f->ctx, &spec, NULL, &r), PM_ERR_ARG);
    says(f, "give sampled, all, or sampled,all");
    spec.candidates = "all";
    spec.split.protocol = "random";
    assert_int_equal(pm_train(f->ctx, &spec, NULL, &r), PM_ERR_ARG);
    says(f, "random ranks all items");
}

// A constant scorer's target stands anywhere among the items that are not known; known ones, validation's too, are out of the way.
static void a_constant_scorer_among_all_items(void **state)
{
    fixture *f = *state;
    pm_spec spec = loo_spec("item-pop");
    pm_split *split;
    pm_result *r;
    if (pm_spec_load(f->ctx, &spec, &split) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    for (int64_t e = 0; e < split->train.nnz; e++) split->train.col[e] = 0;    // nothing but item 0 was ever seen: the others tie
    double expected = 0;
    int64_t seen = 0, n = split->test.users;
    for (int64_t u = 0; u < n; u++) {
        const uint32_t *known = split->test.input.indptr + u, target = split->test.target.col[split->test.target.indptr[u]];
        const int64_t left = 60 - (known[1] - known[0]);
        const bool zero_known = split->test.input.nnz && pm_csr_find(&split->test.input, u, 0) >= 0;
        seen += target == 0;
        if (target == 0) expected += 1;
        else expected += zero_known ? fmin(10.0 / (double)left, 1) : fmin(9.0 / (double)(left - 1), 1);
    }
    pm_train_extra extra = { .split = split };
    if (pm_train_with(f->ctx, &spec, NULL, &extra, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_true(fabs(metric_of(r, "hr@10:all")->mean - expected / (double)n) < 1e-12);
    assert_true(seen > 1 && seen < n);
    assert_int_equal(metric_of(r, "hr@10:all:seen")->n, seen);    // item 0 is the best of all
    assert_true(metric_of(r, "hr@10:all:seen")->mean == 1 && metric_of(r, "hr@10:seen")->mean == 1);
    assert_int_equal(r->test_view_count, 4);
    pm_result_destroy(&r);
}

// A target that nobody has in training is scored as the cold item it is, and counted; the other users are a view of their own.
static void unseen_targets_are_counted(void **state)
{
    fixture *f = *state;
    const char *run = in_folder(f, "run");
    // d's latest item is met by nobody else; a to c like what is popular.
    const char *text = "a,1,5,1\na,2,5,2\na,3,5,3\na,4,5,4\nb,2,5,1\nb,3,5,2\nb,4,5,3\nb,1,5,4\nc,4,5,1\nc,1,5,2\nc,2,5,3\nc,3,5,4\n"
                       "d,1,5,1\nd,2,5,2\nd,3,5,3\nd,9,5,4\ne,1,5,1\n";
    pm_spec spec = loo_spec("item-pop");
    pm_result *r, *e;
    char *json;
    spec.data = put_text(f, "cold.csv", text);
    spec.split.negatives = 1;
    spec.metrics = "hr@1";
    r = trained(f, &spec, run);
    assert_int_equal(r->split->test.unseen_targets, 1);
    assert_int_equal(r->split->test.excluded_no_target, 1);    // e, who has one interaction and is trained on
    assert_int_equal(r->train_users, 5);
    assert_int_equal(metric_of(r, "hr@1")->n, 4);
    assert_int_equal(metric_of(r, "hr@1:seen")->n, 3);
    assert_true(metric_of(r, "hr@1:seen")->mean == 1 && metric_of(r, "hr@1:all:seen")->mean == 1);
    assert_true(metric_of(r, "hr@1")->mean == 0.75 && metric_of(r, "hr@1:all")->mean == 0.75);    // of d's two or three the cold one is last
    assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &e), PM_OK);
    assert_int_equal(pm_result_json(f->ctx, e, &json), PM_OK);
    assert_non_null(strstr(json, "\"sampled:seen\":"));
    assert_non_null(strstr(json, "\"unseen_targets\":\t1"));
    const pm_metrics *of;
    assert_non_null(pm_result_values(e, false, "hr@1:all:seen", &of));
    assert_true(of == e->test_views[3].users);
    assert_null(pm_result_values(e, false, "hr@2", &of));
    pm_result_destroy(&r);
    pm_result_destroy(&e);
}

// The negatives as `data split` writes them, read back: the same figures to the bit.
static void a_written_split_gives_the_same_figures(void **state)
{
    fixture *f = *state;
    pm_spec spec = loo_spec("mult-dae");
    pm_split *split;
    spec.metrics = "hr@10,ndcg@10";
    spec.epochs = 2;
    if (pm_spec_load(f->ctx, &spec, &split) != PM_OK || pm_split_write(split, in_folder(f, "split")) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    pm_result *a = trained(f, &spec, NULL);
    spec.data = in_folder(f, "split");
    spec.split = (pm_split_params){ .protocol = "files" };
    pm_result *b = trained(f, &spec, NULL);
    assert_int_equal(a->metric_count, 4);
    for (int i = 0; i < 4; i++) assert_true(a->metrics[i].mean == metric_of(b, a->metrics[i].name)->mean);
    pm_result_destroy(&a);
    pm_result_destroy(&b);
}

// Several splits, not all of which have targets that nobody trained on: each figure is over the splits that have it.
static void repeats_have_the_views_too(void **state)
{
    fixture *f = *state;
    pm_spec spec = loo_spec("item-pop");
    pm_result *r;
    spec.metrics = "hr@10";
    spec.repeats = 3;
    spec.split.validation = "random";
    if (pm_train(f->ctx, &spec, NULL, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_int_equal(r->repeat_count, 3);
    for (int i = 0; i < r->metric_count; i++) {
        double sum = 0;
        int n = 0;
        for (int k = 0; k < 3; k++)
            for (int m = 0; m < r->repeats[k].metric_count; m++)
                if (strcmp(r->repeats[k].metrics[m].name, r->metrics[i].name) == 0) sum += r->repeats[k].metrics[m].mean, n++;
        assert_true(n > 0 && fabs(r->metrics[i].mean - sum / n) < 1e-12);
    }
    assert_true(has_metric(r, "hr@10") && has_metric(r, "hr@10:all"));
    pm_result_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(legacy_selection_chooses_on_test),
        DATA_TEST(legacy_selection_resumes),
        DATA_TEST(legacy_refit_has_the_validation_items),
        DATA_TEST(legacy_sweep),
        DATA_TEST(all_items_agree_with_lists),
        DATA_TEST(candidates_are_those_asked_for),
        DATA_TEST(a_constant_scorer_among_all_items),
        DATA_TEST(unseen_targets_are_counted),
        DATA_TEST(repeats_have_the_views_too),
        DATA_TEST(a_written_split_gives_the_same_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
