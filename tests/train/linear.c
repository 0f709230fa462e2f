// Closed-form models: a stop between any two slices costs nothing, and what cannot be solved is said, with what to do.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include <math.h>

static pm_spec spec_of(const char *model, const char **setting, int64_t users, int64_t items)
{
    return (pm_spec){ .model = model, .device = host_device(), .seed = 3, .settings = setting, .setting_count = *setting ? 1 : 0, .metrics = "ndcg@10,recall@5",
                      .synth = { .users = users, .items = items, .interactions = 12 * users, .clusters = 4 }, .split = { .held_out = 10 } };
}

static void stopped_anywhere(void **state)
{
    static const char *const models[][2] = { { "ease", NULL }, { "pure-svd", "rank=6" }, { "nce-plrec", "rank=6" } };
    const fixture *f = *state;
    for (int m = 0; m < PM_COUNT(models); m++) {
        const char *setting[] = { models[m][1] };
        char message[512], when[64];
        const pm_spec spec = spec_of(models[m][0], setting, 150, 300);
        const char *whole = in_folder(f, "whole"), *run = in_folder(f, "run");
        train_whole(&spec, whole);
        int stops = 0;
        for (int at = 0;; at++) {
            pm_status st = train_until(&spec, run, at, 1, NULL, NULL, message);
            const bool stopped = st == PM_ERR_CANCELLED;
            if (stopped) st = train_until(NULL, run, -1, 2, NULL, NULL, message);
            snprintf(when, sizeof when, "%s, stopped at report %d", models[m][0], at);
            if (st != PM_OK) fail_msg("%s: %s", when, message);
            assert_same_run(whole, run, when);
            remove_folder(run);
            if (!stopped) break;
            stops++;
        }
        assert_true(stops > 4);
        remove_folder(whole);
    }
}

static void assert_refused(const fixture *f, const char *model, const char *setting, int64_t users, int64_t items, pm_status want, const char *says)
{
    char message[512];
    const char *settings[] = { setting };
    const pm_spec spec = spec_of(model, settings, users, items);
    const pm_status st = train_until(&spec, in_folder(f, "refused"), -1, 1, NULL, NULL, message);
    if (st != want || !strstr(message, says)) fail_msg("%s %s: status %d, \"%s\" and not \"%s\"", model, setting, (int)st, message, says);
}

static void singular_names_lambda(void **state)
{
    assert_refused(*state, "ease", "lambda=0", 60, 150, PM_ERR_NUMERIC, "lambda = 0");
    assert_refused(*state, "ease", "lambda=1e-6", 60, 150, PM_ERR_NUMERIC, "lambda = 1e-6");
    assert_refused(*state, "ease", "lambda=-1", 60, 150, PM_ERR_ARG, "lambda");
}

static void a_rank_above_the_matrix(void **state)
{
    assert_refused(*state, "pure-svd", "rank=500", 120, 60, PM_ERR_ARG, "rank = 500 is above the rank");
    assert_refused(*state, "pure-svd", "rank=50", 60, 200, PM_ERR_ARG, "rank = 50 is above the rank of the training matrix, 40 users");
    assert_refused(*state, "nce-plrec", "rank=50", 60, 200, PM_ERR_ARG, "at most 40 can be asked for");
}

// User 0 has every item; item 39 has nobody else, and half of the users are held out.
static void a_user_with_all_items(void **state)
{
    static const char *const models[][2] = { { "ease", "lambda=5" }, { "pure-svd", "rank=6" }, { "nce-plrec", "rank=6" } };
    const fixture *f = *state;
    const char *path = in_folder(f, "all.csv");
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (int i = 0; i < 40; i++) fprintf(out, "u0,i%d\n", i);
    for (int u = 1; u < 50; u++)
        for (int i = 0; i < 39; i++)
            if (i * 7 % 11 == u % 11 || (i + u) % 9 == 0) fprintf(out, "u%d,i%d\n", u, i);
    fclose(out);
    for (int m = 0; m < PM_COUNT(models); m++) {
        const char *setting[] = { models[m][1] };
        pm_spec spec = spec_of(models[m][0], setting, 0, 0);
        char message[512];
        pm_ctx *ctx;
        pm_result *r;
        spec.data = path;
        spec.read = (pm_read_params){ .columns = "1,2" };
        spec.split = (pm_split_params){ .protocol = "random", .valid_share = 0.3, .test_share = 0.3 };
        if (train_until(&spec, in_folder(f, models[m][0]), -1, 1, &r, &ctx, message) != PM_OK) fail_msg("%s: %s", models[m][0], message);
        for (int i = 0; i < r->metric_count; i++) assert_true(r->metrics[i].mean > 0 && isfinite(r->metrics[i].mean));
        pm_ctx_destroy(&ctx);
    }
}

// The item "new" is the last thing that user 3 had, so no training row has it: a closed form knows nothing of it, and says 0.
static void an_item_nobody_rated(void **state)
{
    static const char *const models[][2] = { { "ease", "lambda=5" }, { "slim", "l1=0.1" }, { "pure-svd", "rank=6" }, { "nce-plrec", "rank=6" } };
    const fixture *f = *state;
    const char *path = in_folder(f, "data.csv"), *pairs = in_folder(f, "pairs.csv");
    FILE *out = fopen(path, "w"), *asked = fopen(pairs, "w");
    assert_true(out && asked);
    for (int u = 0; u < 50; u++)
        for (int i = 0; i < 30; i++)
            if (i * 7 % 11 == u % 11 || (i + u) % 5 == 0) fprintf(out, "u%d,i%d,1,%d\n", u, i, i);
    fprintf(out, "u3,new,1,99\n");
    for (int u = 0; u < 50; u += 7) fprintf(asked, "u%d,new\nu%d,i4\n", u, u);
    fclose(out);
    fclose(asked);
    for (int m = 0; m < PM_COUNT(models); m++) {
        const char *setting[] = { models[m][1] }, *run = in_folder(f, models[m][0]);
        pm_spec spec = spec_of(models[m][0], setting, 0, 0);
        char message[512];
        pm_prediction *p;
        int64_t count;
        spec.data = path;
        spec.metrics = "hr@5";
        spec.select = "hr@5";
        spec.split = (pm_split_params){ .protocol = "leave-one-out", .negatives = 8 };
        if (train_until(&spec, run, -1, 1, NULL, NULL, message) != PM_OK) fail_msg("%s: %s", models[m][0], message);
        const pm_predict_params params = { .run = run, .pairs = { .path = pairs } };
        if (pm_predict(f->ctx, &params, &p, &count) != PM_OK) fail_msg("%s: %s", models[m][0], pm_ctx_message(f->ctx));
        assert_int_equal(count, 16);
        for (int64_t i = 0; i < count; i += 2) {
            if (fabsf(p[i].score) > 1e-6f) fail_msg("%s, %s: %g for an item that nobody rated", models[m][0], p[i].user, (double)p[i].score);
            assert_true(isfinite(p[i + 1].score) && p[i + 1].score != 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stopped_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(singular_names_lambda, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rank_above_the_matrix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_user_with_all_items, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_item_nobody_rated, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("train.linear", tests, NULL, NULL);
}
