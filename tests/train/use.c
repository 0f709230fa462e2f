// Using what was trained: evaluation, recommendation, refit, and what is refused.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include <math.h>

static pm_result *trained(fixture *f, const pm_spec *spec, const char *run)
{
    pm_result *r;
    if (pm_train(f->ctx, spec, run, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    return r;
}

static void assert_same_metrics(const pm_metric_result *a, int count, const pm_metric_result *b, int other)
{
    assert_true(count > 0);
    assert_int_equal(count, other);
    for (int i = 0; i < count; i++) {
        assert_string_equal(a[i].name, b[i].name);
        assert_true(a[i].mean == b[i].mean && a[i].se == b[i].se && a[i].n == b[i].n);
    }
}

static void evaluation_says_what_training_said(void **state)
{
    static const char *const models[] = { "item-pop", "mult-dae", "mult-vae" };
    static const char *const protocols[] = { "strong", "random", "user-temporal", "leave-one-out" };
    fixture *f = *state;
    for (int k = 0; k < PM_COUNT(models) * PM_COUNT(protocols); k++) {
        const char *run = in_folder(f, "run");
        pm_spec spec = small_spec(models[k % 3]);
        spec.split.protocol = protocols[k / 3];
        spec.split.negatives = 20;
        spec.metrics = spec.select = NULL;
        spec.epochs = k % 3 ? 2 : 0;
        pm_result *r = trained(f, &spec, run), *test, *valid;
        assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &test), PM_OK);
        assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run, .validation = true }, &valid), PM_OK);
        assert_same_metrics(test->metrics, test->metric_count, r->metrics, r->metric_count);
        assert_same_metrics(valid->validation, r->validation_count, r->validation, r->validation_count);
        assert_int_equal(valid->validation_count, k / 3 == 3 ? 6 : r->validation_count);    // training looked at the sampled candidates alone
        assert_int_equal(test->validation_count, 0);
        assert_int_equal(test->best_epoch, r->best_epoch);
        assert_int_equal(test->epochs, r->epochs);
        assert_int_equal(test->steps, r->steps);
        assert_string_equal(test->profile, r->profile);
        assert_int_equal(test->refit, false);
        char *json;
        assert_int_equal(pm_result_json(f->ctx, test, &json), PM_OK);
        pm_free(json);
        pm_result_destroy(&r);
        pm_result_destroy(&test);
        pm_result_destroy(&valid);
        remove_folder(run);
    }
}

// By time: what training said, what evaluation says, and what is left out shown in the document.
static void temporal_runs(void **state)
{
    fixture *f = *state;
    const char *run = in_folder(f, "run"), *csv = in_folder(f, "timed.csv");
    pm_spec spec = small_spec("mult-dae");
    pm_interactions *all;
    pm_result *r, *again;
    char *json;
    assert_int_equal(pm_data_synth(f->ctx, &spec.synth, &all), PM_OK);
    for (int64_t i = 0; i < all->count; i++)    // everybody comes back over the whole time, but for one newcomer
        all->time[i] = all->user[i] == 7 ? 99 * 86400 : i * 7919 % 100 * 86400;
    assert_int_equal(pm_data_write_csv(all, csv), PM_OK);
    spec.data = csv;
    spec.split = (pm_split_params){ .protocol = "temporal", .test_days = 20, .valid_share = 0.2 };
    r = trained(f, &spec, run);
    assert_int_equal(r->train_users, 119);
    assert_int_equal(r->split->test.excluded_no_history, 1);
    assert_true(r->split->test.users > 100 && r->split->valid.users > 90);
    assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &again), PM_OK);
    assert_same_metrics(again->metrics, again->metric_count, r->metrics, r->metric_count);
    assert_int_equal(pm_result_json(f->ctx, again, &json), PM_OK);
    assert_non_null(strstr(json, "\"no_history\":\t1"));
    assert_non_null(strstr(json, "\"unseen_items\":"));
    pm_result_destroy(&r);
    pm_result_destroy(&again);
}

// The same interactions as a file: other data by name, the same by content.
static void evaluation_on_other_data(void **state)
{
    fixture *f = *state;
    const char *run = in_folder(f, "run"), *csv = in_folder(f, "all.csv"), *copy = in_folder(f, "copy.csv");
    pm_spec spec = small_spec("mult-dae");
    pm_interactions *all;
    assert_int_equal(pm_data_synth(f->ctx, &spec.synth, &all), PM_OK);
    assert_int_equal(pm_data_write_csv(all, csv), PM_OK);
    assert_int_equal(pm_data_write_csv(all, copy), PM_OK);
    spec.data = csv;
    pm_result *r = trained(f, &spec, run), *e;
    if (pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run, .data = copy }, &e) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_same_metrics(e->metrics, e->metric_count, r->metrics, r->metric_count);
    pm_result_destroy(&e);
    // the run's own data changed behind its back
    FILE *file = fopen(csv, "a");
    assert_non_null(file);
    fputs("u1,i60,1,5\nu2,i59,1,5\nu3,i58,1,5\nu4,i57,1,5\nu5,i56,1,5\n", file);
    fclose(file);
    assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &e), PM_ERR_DATA);
    assert_null(e);
    says(f, "not those the run was trained on");
    pm_recommendation *list;
    int64_t count;
    assert_int_equal(pm_recommend(f->ctx, &(pm_recommend_params){ .run = run, .user = "u1", .top = 5 }, &list, &count), PM_ERR_DATA);
    pm_result_destroy(&r);
}

static bool in_row(const pm_csr *m, int64_t row, int64_t col)
{
    return col >= 0 && pm_csr_find(m, row, (uint32_t)col) >= 0;
}

static void recommendations_leave_out_what_is_known(void **state)
{
    fixture *f = *state;
    const char *run = in_folder(f, "run");
    const pm_spec spec = small_spec("mult-dae");
    pm_result *r = trained(f, &spec, run);
    const pm_split *s = r->split;
    const struct { const pm_csr *known, *more; int64_t row; uint32_t user; } users[] = {
        { &s->train, NULL, 4, s->train_user[4] },
        { &s->test.input, NULL, 2, s->test.user[2] },
        { &s->valid.input, &s->valid.target, 1, s->valid.user[1] },
    };
    const int64_t items = s->train.cols;
    for (int u = 0; u < PM_COUNT(users); u++)
        for (int64_t top = 1; top <= items + 40; top += 13) {
            pm_recommendation *list;
            int64_t count, known = users[u].known->indptr[users[u].row + 1] - users[u].known->indptr[users[u].row];
            if (users[u].more) known += users[u].more->indptr[users[u].row + 1] - users[u].more->indptr[users[u].row];
            const pm_recommend_params ask = { .run = run, .user = pm_ids_name(s->users, users[u].user), .top = top };
            if (pm_recommend(f->ctx, &ask, &list, &count) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
            assert_int_equal(count, PM_MIN(top, items - known));
            for (int64_t i = 0; i < count; i++) {
                const int64_t item = pm_ids_find(s->items, list[i].item);
                assert_true(item >= 0 && isfinite(list[i].score));
                assert_false(in_row(users[u].known, users[u].row, item));
                if (users[u].more) assert_false(in_row(users[u].more, users[u].row, item));
                if (i) assert_true(list[i].score <= list[i - 1].score);
                for (int64_t k = 0; k < i; k++) assert_string_not_equal(list[k].item, list[i].item);
            }
            pm_free(list);
        }
    pm_result_destroy(&r);
}

// Every item for three users: a list of recommendations is what is unknown, by score; what is known has a score too.
static void predictions_are_what_ranks(void **state)
{
    fixture *f = *state;
    const char *run = in_folder(f, "run"), *csv = in_folder(f, "pairs.tsv");
    const pm_spec spec = small_spec("mult-dae");
    pm_result *r = trained(f, &spec, run);
    const pm_split *s = r->split;
    const uint32_t users[] = { s->test.user[3], s->train_user[7], s->valid.user[0] };
    const int64_t items = s->train.cols;
    FILE *file = fopen(csv, "w");
    assert_non_null(file);
    for (int64_t i = 0; i < items; i++)
        for (int u = 0; u < 3; u++) fprintf(file, "%s\t%s\n", pm_ids_name(s->users, users[u]), pm_ids_name(s->items, (i * 7 + u) % items));
    fclose(file);
    pm_prediction *p;
    int64_t count, listed;
    const pm_predict_params params = { .run = run, .pairs = { .path = csv } };
    if (pm_predict(f->ctx, &params, &p, &count) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_int_equal(count, 3 * items);
    for (int u = 0; u < 3; u++) {
        pm_recommendation *list;
        const char *name = pm_ids_name(s->users, users[u]);
        assert_int_equal(pm_recommend(f->ctx, &(pm_recommend_params){ .run = run, .user = name, .top = items }, &list, &listed), PM_OK);
        assert_true(listed > 20 && listed < items);
        int64_t matched = 0;
        for (int64_t i = 0; i < items; i++) {
            const pm_prediction *one = &p[3 * i + u];
            assert_string_equal(one->user, name);
            assert_string_equal(one->item, pm_ids_name(s->items, (i * 7 + u) % items));
            for (int64_t k = 0; k < listed; k++) {
                if (strcmp(list[k].item, one->item) != 0) continue;
                if (fabsf(list[k].score - one->score) > 1e-5f) fail_msg("%s, %s: %g and %g", name, one->item, (double)list[k].score, (double)one->score);
                matched++;
            }
        }
        assert_int_equal(matched, listed);
        pm_free(list);
    }
    pm_free(p);
    put_text(f, "pairs.tsv", "u1\ti1\nu1\tnone\n");
    assert_int_equal(pm_predict(f->ctx, &params, &p, &count), PM_ERR_NOT_FOUND);
    says(f, "no item \"none\" in the run");
    assert_null(p);
    put_text(f, "pairs.tsv", "u1\ti1\nsomebody\ti1\n");
    assert_int_equal(pm_predict(f->ctx, &params, &p, &count), PM_ERR_NOT_FOUND);
    says(f, "no user \"somebody\"");
    put_text(f, "pairs.tsv", "u1\n");
    assert_int_equal(pm_predict(f->ctx, &params, &p, &count), PM_ERR_DATA);
    pm_result_destroy(&r);
}

static void recommendations_for_items(void **state)
{
    fixture *f = *state;
    const char *run = in_folder(f, "run");
    const pm_spec spec = small_spec("mult-vae");
    pm_result *r = trained(f, &spec, run);
    const char *items[] = { "i3", "i11", "i3" };    // twice is once
    pm_recommendation *list;
    int64_t count;
    assert_int_equal(pm_recommend(f->ctx, &(pm_recommend_params){ .run = run, .items = items, .item_count = 3, .top = 1000 }, &list, &count), PM_OK);
    assert_int_equal(count, r->split->train.cols - 2);
    for (int64_t i = 0; i < count; i++)
        for (int k = 0; k < 3; k++) assert_string_not_equal(list[i].item, items[k]);
    pm_free(list);
    const char *unknown[] = { "i3", "no such item" };
    assert_int_equal(pm_recommend(f->ctx, &(pm_recommend_params){ .run = run, .items = unknown, .item_count = 2, .top = 5 }, &list, &count),
                     PM_ERR_NOT_FOUND);
    assert_null(list);
    says(f, "no such item");
    assert_int_equal(pm_recommend(f->ctx, &(pm_recommend_params){ .run = run, .user = "nobody", .top = 5 }, &list, &count), PM_ERR_NOT_FOUND);
    says(f, "nobody");
    assert_int_equal(pm_recommend(f->ctx, &(pm_recommend_params){ .run = run, .top = 5 }, &list, &count), PM_ERR_ARG);
    assert_int_equal(pm_recommend(f->ctx, &(pm_recommend_params){ .run = run, .user = "u1" }, &list, &count), PM_ERR_ARG);
    assert_int_equal(pm_recommend(f->ctx, &(pm_recommend_params){ .run = in_folder(f, "none"), .user = "u1", .top = 5 }, &list, &count),
                     PM_ERR_NOT_FOUND);
    pm_result_destroy(&r);
}

// Everything is 0 for everyone.
static const pm_hyper no_hypers[] = { { .name = NULL } };

static void nothing_to_count(pm_build *b)
{
    pm_param(b->net, "zero", 1, b->items, (pm_init){ PM_INIT_ZERO, 0 });
    pm_output(b->g, pm_fill(b->g, 1, b->items, 0), "zero");
}

static pm_var all_equal(pm_build *b)
{
    return pm_broadcast_row(b->g, pm_param(b->net, "zero", 1, b->items, (pm_init){ PM_INIT_ZERO, 0 }), b->x.rows);
}

static const pm_model constant = { .name = "constant", .title = "Everything is 0", .hypers = no_hypers, .solve = nothing_to_count,
                                   .score = all_equal };
static const pm_model by_id = { .name = "by-id", .title = "Knows users by id", .hypers = no_hypers, .by_id = true,
                                .solve = nothing_to_count, .score = all_equal };

// A target tied with 99 others stands anywhere with equal chance: among the first ten in one of ten cases.
static void a_constant_scorer_gets_a_tenth(void **state)
{
    fixture *f = *state;
    const struct { pm_ties ties; double hr; } rules[] = { { PM_TIES_EXPECTED, 0.1 }, { PM_TIES_OPTIMISTIC, 1 }, { PM_TIES_PESSIMISTIC, 0 } };
    for (int k = 0; k < PM_COUNT(rules); k++) {
        pm_spec spec = small_spec("constant");
        spec.synth = (pm_synth_params){ .users = 150, .items = 400, .interactions = 2000 };
        spec.split = (pm_split_params){ .protocol = "leave-one-out", .negatives = 99 };
        spec.metrics = "hr@10";
        spec.select = NULL;
        spec.setting_count = 0;
        spec.epochs = 0;
        spec.ties = rules[k].ties;
        const int before = f->warnings;
        const char *run = in_folder(f, pm_ties_name(rules[k].ties));
        pm_result *r = trained(f, &spec, run);
        assert_true(r->metrics[0].n > 100);
        assert_true(fabs(r->metrics[0].mean - rules[k].hr) < 1e-12);
        assert_true(fabs(r->test_counts.tied_share - 1) < 1e-12);
        assert_true(f->warnings > before);    // ties above 1 % are announced
        pm_result_destroy(&r);
        for (int other = 0; other < PM_COUNT(rules); other++) {    // the rule is of the evaluation, not of the run
            assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run, .ties = pm_ties_name(rules[other].ties) }, &r), PM_OK);
            assert_int_equal(r->ties, rules[other].ties);
            assert_true(fabs(r->metrics[0].mean - rules[other].hr) < 1e-12);
            pm_result_destroy(&r);
        }
        assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run, .ties = "expcted" }, &r), PM_ERR_ARG);
        says(f, "did you mean 'expected'");
    }
}

static void a_model_by_id_needs_its_users(void **state)
{
    fixture *f = *state;
    pm_spec spec = small_spec("by-id");
    pm_result *r;
    spec.setting_count = 0;
    spec.epochs = 0;
    assert_int_equal(pm_train(f->ctx, &spec, in_folder(f, "run"), &r), PM_ERR_ARG);
    assert_null(r);
    says(f, "held out");
    says(f, "leave-one-out");
    spec.split.protocol = "random";
    r = trained(f, &spec, NULL);
    pm_result_destroy(&r);
}

static void refit_is_told(void **state)
{
    fixture *f = *state;
    const char *run = in_folder(f, "run"), *plain = in_folder(f, "plain");
    pm_spec spec = small_spec("mult-dae");
    spec.refit = true;
    pm_result *r = trained(f, &spec, run), *e;
    assert_true(r->refit && r->validation_count > 0 && r->metric_count > 0);
    assert_int_equal(r->epochs, r->best_epoch);    // trained once more for the chosen length
    char *json;
    assert_int_equal(pm_result_json(r, r, &json), PM_OK);
    cJSON *document = cJSON_Parse(json);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(document, "refit")));
    cJSON_Delete(document);
    spec.refit = false;
    pm_result *p = trained(f, &spec, plain);
    assert_false(p->refit);
    assert_same_metrics(r->validation, r->validation_count, p->validation, p->validation_count);    // the choice was the same
    assert_false(same_file(run, plain, "best.safetensors"));                                         // the parameters are not
    assert_true(r->metrics[0].mean != p->metrics[0].mean);
    assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &e), PM_OK);
    assert_true(e->refit);
    assert_same_metrics(e->metrics, e->metric_count, r->metrics, r->metric_count);
    pm_result_destroy(&e);
    const int before = f->warnings;
    assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run, .validation = true }, &e), PM_OK);
    assert_int_equal(f->warnings, before + 1);    // it has seen what it is asked about
    pm_result_destroy(&e);
    pm_result_destroy(&p);
    pm_result_destroy(&r);
}

// A length that is known beforehand: the parameters of a refit of that length, and nothing that chooses beside it.
static void a_fixed_length(void **state)
{
    fixture *f = *state;
    const char *refitted = in_folder(f, "refitted"), *run = in_folder(f, "run");
    pm_spec spec = small_spec("mult-dae");
    spec.refit = true;
    pm_result *r = trained(f, &spec, refitted), *x, *e;
    spec.refit = false;
    spec.fixed_length = true;
    spec.epochs = r->best_epoch;
    x = trained(f, &spec, run);
    assert_true(same_file(run, refitted, "best.safetensors"));
    assert_same_metrics(x->metrics, x->metric_count, r->metrics, r->metric_count);
    assert_true(x->fixed_length && x->refit && x->validation_count == 0 && x->best_epoch == r->best_epoch);
    assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &e), PM_OK);
    assert_same_metrics(e->metrics, e->metric_count, x->metrics, x->metric_count);
    assert_true(e->fixed_length && e->refit);
    for (int k = 0; k < 4; k++) {
        static const char *const names[] = { "--refit", "--legacy-test-selection", "--patience", "--validate-every" };
        pm_spec both = spec;
        pm_result *none;
        both.refit = k == 0;
        both.legacy_test_selection = k == 1;
        both.patience = k == 2;
        both.validate_every = k == 3 ? 2 : 0;
        assert_int_equal(pm_train(f->ctx, &both, NULL, &none), PM_ERR_ARG);
        assert_non_null(strstr(pm_ctx_message(f->ctx), names[k]));
    }
    pm_sweep *w;
    assert_int_equal(pm_sweep_run(f->ctx, &(pm_sweep_params){ .spec = &spec, .grid = "lr=0.001,0.1", .folder = in_folder(f, "sweep") }, &w), PM_ERR_ARG);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "--fixed-length"));
    pm_result_destroy(&e);
    pm_result_destroy(&x);
    pm_result_destroy(&r);
}

int main(void)
{
    pm_ctx *ctx;
    if (pm_ctx_create(NULL, &ctx) != PM_OK || pm_model_register(ctx, &constant) != PM_OK || pm_model_register(ctx, &by_id) != PM_OK) return 1;
    pm_ctx_destroy(&ctx);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(evaluation_says_what_training_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(temporal_runs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(evaluation_on_other_data, set_up, tear_down),
        cmocka_unit_test_setup_teardown(recommendations_leave_out_what_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(predictions_are_what_ranks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(recommendations_for_items, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_constant_scorer_gets_a_tenth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_model_by_id_needs_its_users, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refit_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fixed_length, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("train.use", tests, NULL, NULL);
}
