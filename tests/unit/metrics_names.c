// Names of metrics: parsing, what is refused and how, what fits which feed, the page that documents them, memory running out.
#include "unit/metrics_support.h"

#include <stdlib.h>

#include "core/file.h"

static void parses_lists(void **state)
{
    (void)state;
    pm_ctx *ctx = new_ctx();
    pm_metric_set *set;
    const char *text = " ndcg@100, recall_capped@020 ,rprecision,rprecision@50,\trmse,ndcg@100,ndcg@1000000";
    assert_int_equal(pm_metric_set_parse(ctx, text, &set), PM_OK);
    const char *const names[] = { "ndcg@100", "recall_capped@20", "rprecision", "rprecision@50", "rmse", "ndcg@1000000" };
    assert_int_equal(pm_metric_set_count(set), PM_COUNT(names));    // the repeated one is kept once
    for (int i = 0; i < PM_COUNT(names); i++) {
        assert_string_equal(pm_metric_set_name(set, i), names[i]);
        assert_int_equal(pm_metric_set_find(set, names[i]), i);
    }
    assert_string_equal(pm_metric_set_info(set, 1)->name, "recall_capped");
    assert_int_equal(pm_metric_set_k(set, 1), 20);
    assert_int_equal(pm_metric_set_k(set, 2), 0);
    assert_int_equal(pm_metric_set_find(set, "ndcg@10"), -1);
    assert_null(pm_metric_set_name(set, PM_COUNT(names)));
    assert_null(pm_metric_set_info(set, -1));
    pm_metric_set_destroy(&set);
    assert_null(set);
    pm_metric_set_destroy(&set);
    pm_ctx_destroy(&ctx);
}

static void depth_covers_every_metric(void **state)
{
    (void)state;
    const struct {
        const char *names;
        int64_t largest_target, depth;
    } cases[] = {
        { "ndcg@10,recall@50", 900, 50 }, { "ndcg@10,rprecision", 900, 900 },
        { "ndcg@10,rprecision", 7, 10 },  { "rprecision@50", 900, 50 },
        { "rmse,mae", 900, 0 },           { "coverage@20", 900, 20 },
    };
    pm_ctx *ctx = new_ctx();
    for (int i = 0; i < PM_COUNT(cases); i++) {
        pm_metric_set *set;
        assert_int_equal(pm_metric_set_parse(ctx, cases[i].names, &set), PM_OK);
        assert_int_equal(pm_metric_set_depth(set, cases[i].largest_target), cases[i].depth);
    }
    pm_ctx_destroy(&ctx);
}

static void refuses_with_a_remedy(void **state)
{
    (void)state;
    const struct {
        const char *text, *says;
    } cases[] = {
        { "ngcd@10", "did you mean 'ndcg'" },
        { "zzzzzzzz@10", "unknown metric 'zzzzzzzz'; there are recall@k, recall_capped@k" },
        { "zzzzzzzz@10", "rprecision[@k], hr@k" },
        { "zzzzzzzz@10", "rmse, mae, coverage@k, gini@k, tail_short@k, tail_medium@k, tail_long@k" },
        { "NDCG@10", "unknown metric 'NDCG'" },
        { "ndcg", "needs a cut-off k, such as 'ndcg@10'" },
        { "rmse@10", "has no cut-off: write 'rmse' instead of 'rmse@10'" },
        { "ndcg@0", "'ndcg@0': k must be a whole number from 1 to 1000000" },
        { "ndcg@-3", "k must be" },
        { "ndcg@", "k must be" },
        { "ndcg@1e3", "k must be" },
        { "ndcg@10@20", "k must be" },
        { "ndcg@ 10", "k must be" },
        { "ndcg@1000001", "k must be" },
        { "ndcg@99999999999999999999", "k must be" },
        { "rprecision@", "k must be" },
        { "", "empty name" },
        { "ndcg@10,", "empty name" },
        { "ndcg@10, ,hr@1", "empty name" },
        { "@10", "unknown metric ''" },
        { "a_name_that_is_far_too_long_to_be_any_metric_at_all@10", "unknown metric 'a_name_that_is_far" },
    };
    pm_ctx *ctx = new_ctx();
    for (int i = 0; i < PM_COUNT(cases); i++) {
        pm_metric_set *set = (pm_metric_set *)ctx;
        assert_int_equal(pm_metric_set_parse(ctx, cases[i].text, &set), PM_ERR_ARG);
        assert_null(set);
        if (!strstr(pm_ctx_message(ctx), cases[i].says)) {
            fail_msg("'%s' gives \"%s\", without \"%s\"", cases[i].text, pm_ctx_message(ctx), cases[i].says);
        }
    }
    pm_metric_set *set;
    assert_int_equal(pm_metric_set_parse(ctx, NULL, &set), PM_ERR_ARG);
    pm_ctx_destroy(&ctx);
}

static void rules_for_ties_have_names(void **state)
{
    (void)state;
    pm_ctx *ctx = new_ctx();
    pm_ties ties;
    assert_int_equal(pm_ties_parse(ctx, "expected", &ties), PM_OK);
    assert_int_equal(ties, PM_TIES_EXPECTED);
    assert_int_equal(pm_ties_parse(ctx, "id", &ties), PM_OK);
    assert_int_equal(ties, PM_TIES_ID);
    assert_int_equal(pm_ties_parse(ctx, "pesimistic", &ties), PM_ERR_ARG);
    assert_non_null(strstr(pm_ctx_message(ctx), "did you mean 'pessimistic'"));
    pm_ctx_destroy(&ctx);
}

static void a_feed_refuses_what_it_cannot_give(void **state)
{
    (void)state;
    static const uint32_t none[5] = { 0 }, some[5] = { 1 };
    const struct {
        const char *names;
        pm_metrics_params params;
        const char *says;    // NULL: accepted
    } cases[] = {
        { "ndcg@2,rmse", { PM_FEED_LISTS, 5, some, 0, 0 }, "metric 'rmse' cannot be computed here" },
        { "hr@10,coverage@10", { PM_FEED_RANKS, 5, some, 0, 0 }, "metric 'coverage@10' cannot be computed here" },
        { "hr@10,tail_long@10", { PM_FEED_RANKS, 5, some, 0, 0 }, "metric 'tail_long@10'" },
        { "mae,ndcg@10", { PM_FEED_RATINGS, 5, some, 0, 0 }, "metric 'ndcg@10'" },
        { "novelty_map@2", { PM_FEED_LISTS, 5, NULL, 0, 0 }, "needs the training interactions" },
        { "novelty_map@2", { PM_FEED_LISTS, 5, none, 0, 0 }, "no item has a training interaction" },
        { "ndcg@2", { PM_FEED_LISTS, 0, some, 0, 0 }, "items = 0" },
        { "ndcg@2", { PM_FEED_LISTS, -1, some, 0, 0 }, "items = -1" },
        { "ndcg@4", { PM_FEED_LISTS, 5, some, 3, 0 }, "needs lists of 4 items, they are cut at 3" },
        { "ndcg@9", { PM_FEED_LISTS, 5, some, 4, 0 }, "needs lists of 5 items, they are cut at 4" },
        { "ndcg@9", { PM_FEED_LISTS, 5, NULL, 5, 0 }, NULL },
        { "ndcg@4", { PM_FEED_RANKS, 5, NULL, 3, 0 }, NULL },
        { "rmse", { PM_FEED_RATINGS, 0, NULL, 0, 0 }, NULL },
    };
    pm_ctx *ctx = new_ctx();
    for (int i = 0; i < PM_COUNT(cases); i++) {
        pm_metric_set *set;
        pm_metrics *m;
        assert_int_equal(pm_metric_set_parse(ctx, cases[i].names, &set), PM_OK);
        const pm_status st = pm_metrics_create(ctx, set, &cases[i].params, &m);
        assert_int_equal(st, cases[i].says ? PM_ERR_ARG : PM_OK);
        assert_int_equal(m == NULL, st != PM_OK);
        if (cases[i].says && !strstr(pm_ctx_message(ctx), cases[i].says)) {
            fail_msg("\"%s\", without \"%s\"", pm_ctx_message(ctx), cases[i].says);
        }
        pm_metrics_destroy(&m);
    }
    pm_ctx_destroy(&ctx);
}

// ---- the page ------------------------------------------------------------------------------------------------------

static bool page_has_row(const char *page, const char *name, const char *suffix)
{
    char row[64];
    snprintf(row, sizeof row, "\n| `%s%s` |", name, suffix);
    return strstr(page, row) != NULL;
}

static void the_page_has_every_metric_and_no_other(void **state)
{
    (void)state;
    const char *source = getenv("PUMICE_TEST_SOURCE");
    if (!source) skip();
    pm_ctx *ctx = new_ctx();
    char *page;
    int64_t size;
    assert_int_equal(pm_file_read(ctx, pm_sprintf(ctx, "%s/docs/metrics.md", source), 1 << 20, &page, &size), PM_OK);
    int expected = 0, rows = 0;
    for (int i = 0; i < pm_metric_count(); i++) {
        const pm_metric_info *info = pm_metric_at(i);
        const bool bare = info->cutoff != PM_CUTOFF_REQUIRED, cut = info->cutoff != PM_CUTOFF_NONE;
        if (bare != page_has_row(page, info->name, "") || cut != page_has_row(page, info->name, "@k")) {
            fail_msg("docs/metrics.md does not match %s", info->name);
        }
        expected += bare + cut;
    }
    for (const char *row = page; (row = strstr(row, "\n| `")) != NULL; row++) rows++;
    assert_int_equal(rows, expected);
    assert_null(pm_metric_at(-1));
    assert_null(pm_metric_at(pm_metric_count()));
    pm_ctx_destroy(&ctx);
}

// ---- memory --------------------------------------------------------------------------------------------------------

typedef struct budget {
    int64_t left;    // allocations until the failures begin
    bool once;       // only one fails
} budget;

static void *limited_alloc(void *user, size_t size)
{
    budget *b = user;
    const int64_t left = b->left--;
    if (left == 0 || (left < 0 && !b->once)) return NULL;
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void limited_release(void *user, void *ptr)
{
    (void)user;
    free(ptr);
}

static pm_status whole_life(pm_ctx *ctx)
{
    static const uint32_t popularity[6] = { 3, 1, 4, 1, 5, 9 }, list[] = { 1, 2, 3 };
    static const int64_t activity[] = { 1, 2 };
    static const double values[] = { 1, 2 };
    pm_metric_set *set;
    pm_metrics *m;
    pm_metric_result r;
    pm_activity_group groups[2];
    PM_TRY(pm_metric_set_parse(ctx, "ndcg@2,gini@2,tail_short@2", &set));
    PM_TRY(pm_metrics_create(ctx, set, &(pm_metrics_params){ .items = 6, .popularity = popularity }, &m));
    for (int u = 0; u < 1500; u++) {    // past the first growth
        const pm_status st = pm_metrics_add_ranking(m, &(pm_ranking){ u, list, NULL, 3, list, 1 });
        pm_metrics_counts counts;
        pm_metrics_get_counts(m, &counts);
        assert_int_equal(counts.users, u + (st == PM_OK));
        PM_TRY(st);
    }
    PM_TRY(pm_metrics_result(m, 1, &r));
    NEAR(r.mean, 4.0 / 6);    // two of six items, equally often: (3 + 5) / (6 · 2)
    return pm_activity_breakdown(ctx, activity, values, values, 2, 2, groups);
}

static void survives_memory_running_out(void **state)
{
    (void)state;
    for (int once = 0; once < 2; once++) {
        pm_status st = PM_ERR_NOMEM;
        int64_t n = 0;
        for (; st != PM_OK; n++) {
            budget b = { n, once };
            const pm_allocator allocator = { limited_alloc, limited_release, &b };
            pm_ctx *ctx;
            st = pm_ctx_create(&(pm_ctx_params){ .allocator = &allocator }, &ctx);
            if (st == PM_OK) st = whole_life(ctx);
            if (st != PM_OK) assert_int_equal(st, PM_ERR_NOMEM);
            pm_ctx_destroy(&ctx);
        }
        assert_true(n > 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_lists),
        cmocka_unit_test(depth_covers_every_metric),
        cmocka_unit_test(refuses_with_a_remedy),
        cmocka_unit_test(rules_for_ties_have_names),
        cmocka_unit_test(a_feed_refuses_what_it_cannot_give),
        cmocka_unit_test(the_page_has_every_metric_and_no_other),
        cmocka_unit_test(survives_memory_running_out),
    };
    return cmocka_run_group_tests_name("metrics_names", tests, NULL, NULL);
}
