// Metrics against values worked by hand, and at the edges: nothing hit, everything hit, short lists, bad input.
#include "unit/metrics_support.h"

// ---- by hand -------------------------------------------------------------------------------------------------------

#define HITS_AT_2_5                                                                                                         \
    "recall@5,recall@2,recall_capped@2,recall_capped@5,precision@5,precision@8,f1@5,f1@1,rprecision,rprecision@2,hr@1,hr@"  \
    "2,"                                                                                                                    \
    "mrr@5,mrr@1,ndcg@5,ndcg@2,ndcg_full@2,map@5,map@2,map_precision@5,novelty_map@5"

static const uint32_t popularity10[10] = { 4, 6, 0, 10, 5, 5, 10, 20, 20, 20 };    // 100 interactions

// The list 3 7 1 9 4 with T = {7, 4, 0}: hits at ranks 2 and 5, |T| = 3.
static void one_user_by_hand(void **state)
{
    (void)state;
    pm_ctx *ctx = new_ctx();
    pm_metrics *m = new_metrics(ctx, HITS_AT_2_5, &(pm_metrics_params){ .items = 10, .popularity = popularity10 });
    add(m, 0, (const uint32_t[]){ 3, 7, 1, 9, 4 }, 5, (const uint32_t[]){ 7, 4, 0 }, 3);
    NEAR(mean(m, "recall@5"), 2.0 / 3);
    NEAR(mean(m, "recall@2"), 1.0 / 3);
    NEAR(mean(m, "recall_capped@2"), 1.0 / 2);    // min(2, 3) = 2
    NEAR(mean(m, "recall_capped@5"), 2.0 / 3);    // min(5, 3) = 3
    NEAR(mean(m, "precision@5"), 2.0 / 5);
    NEAR(mean(m, "precision@8"), 2.0 / 8);     // a list of 5: k stays 8
    NEAR(mean(m, "f1@5"), 0.5);                // 2 · 2/5 · 2/3 / (2/5 + 2/3) = (8/15) / (16/15)
    NEAR(mean(m, "f1@1"), 0.0);                // no hit: 0, not 0/0
    NEAR(mean(m, "rprecision"), 1.0 / 3);      // one hit in the first 3
    NEAR(mean(m, "rprecision@2"), 1.0 / 3);    // one hit in the first 2, over 3
    NEAR(mean(m, "hr@1"), 0.0);
    NEAR(mean(m, "hr@2"), 1.0);
    NEAR(mean(m, "mrr@5"), 1.0 / 2);
    NEAR(mean(m, "mrr@1"), 0.0);
    // DCG@5 = 1/log2(3) + 1/log2(6) = 0.63092975357 + 0.38685280723; ideal(3) = 1 + 0.63092975357 + 0.5
    assert_true(fabs(mean(m, "ndcg@5") - 1.01778256080 / 2.13092975357) < 1e-10);
    // DCG@2 = 0.63092975357; ideal(min(2, 3)) = 1.63092975357
    assert_true(fabs(mean(m, "ndcg@2") - 0.63092975357 / 1.63092975357) < 1e-10);
    assert_true(fabs(mean(m, "ndcg_full@2") - 0.63092975357 / 2.13092975357) < 1e-10);
    NEAR(mean(m, "map@5"), 0.3);                     // (1/2 + 2/5) / min(5, 3)
    NEAR(mean(m, "map@2"), 0.25);                    // (1/2) / min(2, 3)
    NEAR(mean(m, "map_precision@5"), 89.0 / 300);    // (0 + 1/2 + 1/3 + 1/4 + 2/5) / 5 = (89/60) / 5
    // (1/2 · −ln 0.20 + 2/5 · −ln 0.05) / 3 = (0.5 · 1.60943791243 + 0.4 · 2.99573227355) / 3
    assert_true(fabs(mean(m, "novelty_map@5") - 2.003011865635 / 3) < 1e-10);
    pm_ctx_destroy(&ctx);
}

// The columns of MIL's Tables 2 and 3, equations 15 to 17: |T| = 30, hits at ranks 1, 20, 21 and 100 on items with .1, .2, .4
// and .3 of the training interactions. Recall is divided by |T|, MAP by min(k, |T|).
static void columns_of_the_mil_tables(void **state)
{
    (void)state;
    enum { ITEMS = 130, LIST = 100, TARGETS = 30 };
    uint32_t popularity[ITEMS] = { [0] = 10, [19] = 20, [20] = 40, [99] = 30 }, list[LIST], targets[TARGETS] = { 0, 19, 20, 99 };
    for (uint32_t i = 0; i < LIST; i++) list[i] = i;
    for (uint32_t i = 4; i < TARGETS; i++) targets[i] = LIST + i - 4;    // never shown
    pm_ctx *ctx = new_ctx();
    pm_metrics *m = new_metrics(ctx, "recall@1,recall@20,recall@100,map@1,map@20,map@100,novelty_map@1,novelty_map@20,novelty_map@100",
                                &(pm_metrics_params){ .items = ITEMS, .popularity = popularity });
    add(m, 0, list, LIST, targets, TARGETS);
    NEAR(mean(m, "recall@1"), 1.0 / 30);
    NEAR(mean(m, "recall@20"), 2.0 / 30);
    NEAR(mean(m, "recall@100"), 4.0 / 30);
    NEAR(mean(m, "map@1"), 1.0);                                                   // 1/1 over min(1, 30)
    NEAR(mean(m, "map@20"), (1 + 2.0 / 20) / 20);
    NEAR(mean(m, "map@100"), (1 + 2.0 / 20 + 3.0 / 21 + 4.0 / 100) / 30);
    NEAR(mean(m, "novelty_map@1"), 2.302585092994046);                             // −ln 0.1
    NEAR(mean(m, "novelty_map@20"), (2.302585092994046 + 0.1 * 1.6094379124341003) / 20);
    NEAR(mean(m, "novelty_map@100"),
         (2.302585092994046 + 0.1 * 1.6094379124341003 + 3.0 / 21 * 0.916290731874155 + 0.04 * 1.2039728043259361) / 30);
    pm_ctx_destroy(&ctx);
}

static void novelty_of_an_unseen_item_is_finite(void **state)
{
    (void)state;
    pm_ctx *ctx = new_ctx();
    pm_metrics *m = new_metrics(ctx, "novelty_map@1", &(pm_metrics_params){ .items = 10, .popularity = popularity10 });
    add(m, 0, (const uint32_t[]){ 2 }, 1, (const uint32_t[]){ 2 }, 1);    // item 2 was never seen: as if once, −ln 0.01
    NEAR(mean(m, "novelty_map@1"), 4.605170185988092);
    pm_ctx_destroy(&ctx);
}

static void catalogue_by_hand(void **state)
{
    (void)state;
    pm_ctx *ctx = new_ctx();
    pm_metrics *m = new_metrics(ctx, "coverage@2,gini@2,gini@1,coverage@9", &(pm_metrics_params){ .items = 10 });
    add(m, 0, (const uint32_t[]){ 3, 7, 1 }, 3, (const uint32_t[]){ 5 }, 1);
    add(m, 1, (const uint32_t[]){ 7, 2 }, 2, (const uint32_t[]){ 2 }, 1);
    add(m, 2, (const uint32_t[]){ 0, 9 }, 2, NULL, 0);    // excluded: its list does not count either
    NEAR(mean(m, "coverage@2"), 0.3);                     // 3, 7, 2 of 10
    NEAR(mean(m, "coverage@9"), 0.4);                     // and 1
    // counts ascending 0 ×7, 1, 1, 2; weights 2i − 11 at i = 8, 9, 10 are 5, 7, 9: (5 + 7 + 18) / (10 · 4)
    NEAR(mean(m, "gini@2"), 0.75);
    NEAR(mean(m, "gini@1"), (7.0 + 9.0) / 20);    // two items once each
    const pm_metric_result r = result(m, "coverage@2");
    assert_true(isnan(r.se) && isnan(r.ci95));
    assert_int_equal(r.n, 2);
    assert_null(pm_metrics_values(m, 0));
    pm_ctx_destroy(&ctx);
}

static void tails_by_hand(void **state)
{
    (void)state;
    enum { ITEMS = 1500 };
    static uint32_t popularity[ITEMS];
    // The higher the id the more popular, but 1299 and 1300 tie, and of these the lower id comes first.
    for (uint32_t i = 0; i < ITEMS; i++) popularity[i] = 1 + i;
    popularity[1299] = popularity[1300];    // places 200 and 201 are shared: 1299 is short, 1300 medium
    pm_ctx *ctx = new_ctx();
    pm_metrics *m = new_metrics(ctx, "tail_short@5,tail_medium@5,tail_long@5,tail_short@10,tail_long@10",
                                &(pm_metrics_params){ .items = ITEMS, .popularity = popularity });
    // 1499 short, 1299 short, 1300 medium, 500 medium (place 1000), 499 long (place 1001), 0 long
    add(m, 0, (const uint32_t[]){ 1499, 1299, 1300, 500, 499, 0 }, 6, (const uint32_t[]){ 8 }, 1);
    NEAR(mean(m, "tail_short@5"), 2.0 / 5);
    NEAR(mean(m, "tail_medium@5"), 2.0 / 5);
    NEAR(mean(m, "tail_long@5"), 1.0 / 5);
    NEAR(mean(m, "tail_short@10"), 2.0 / 6);    // a list of 6: shares of what is there
    NEAR(mean(m, "tail_long@10"), 2.0 / 6);
    pm_ctx_destroy(&ctx);
}

static void ratings_by_hand(void **state)
{
    (void)state;
    pm_ctx *ctx = new_ctx();
    pm_metrics *m = new_metrics(ctx, "rmse,mae", &(pm_metrics_params){ .feed = PM_FEED_RATINGS });
    const float prediction[] = { 4, 1, 5 }, truth[] = { 3, 3, 3 };    // errors 1, −2, 2
    const uint32_t users[] = { 7, 7, 9 };
    assert_int_equal(pm_metrics_add_ratings(m, users, prediction, truth, 2), PM_OK);
    assert_int_equal(pm_metrics_add_ratings(m, users + 2, prediction + 2, truth + 2, 1), PM_OK);
    pm_metric_result r = result(m, "rmse");
    NEAR(r.mean, sqrt(3.0));        // (1 + 4 + 4) / 3
    NEAR(r.se, 0.5 / sqrt(3.0));    // squares 1, 4, 4: deviation √3, se(MSE) = 1, over 2·rmse
    NEAR(r.ci95, 0.98 / sqrt(3.0));
    r = result(m, "mae");
    NEAR(r.mean, 5.0 / 3);
    NEAR(r.se, 1.0 / 3);    // 1, 2, 2: deviation √(1/3)
    assert_int_equal(r.n, 3);
    assert_int_equal(pm_metrics_users(m)[2], 9);
    NEAR(pm_metrics_values(m, 0)[1], 4.0);
    const float bad[] = { 1, NAN };
    assert_int_equal(pm_metrics_add_ratings(m, users + 1, bad, truth, 2), PM_ERR_NUMERIC);
    assert_non_null(strstr(pm_ctx_message(ctx), "user 9"));
    assert_int_equal(result(m, "rmse").n, 3);
    pm_ctx_destroy(&ctx);
}

// ---- edges ---------------------------------------------------------------------------------------------------------

#define ALL_HITS                                                                                                            \
    "recall@4,recall_capped@4,precision@4,f1@4,rprecision,rprecision@4,hr@4,mrr@4,ndcg@4,ndcg_full@4,map@4,map_precision@4"

static void all_hits_and_no_hits(void **state)
{
    (void)state;
    pm_ctx *ctx = new_ctx();
    const uint32_t list[] = { 5, 0, 3, 2 }, reversed[] = { 2, 3, 0, 5 }, others[] = { 1, 4, 6, 7 };
    pm_metrics *m = new_metrics(ctx, ALL_HITS, &(pm_metrics_params){ .items = 8 });
    for (int u = 0; u < 3; u++) add(m, u, list, 4, reversed, 4);
    for (int i = 0; i < pm_metric_set_count(pm_metrics_set(m)); i++) {
        const pm_metric_result r = result(m, pm_metric_set_name(pm_metrics_set(m), i));
        assert_true(r.mean == 1.0 && r.se == 0.0 && r.ci95 == 0.0 && r.n == 3);    // exactly
    }
    m = new_metrics(ctx, ALL_HITS, &(pm_metrics_params){ .items = 8 });
    add(m, 0, list, 4, others, 4);
    add(m, 1, list, 0, others, 4);    // nothing left to recommend: 0, and counted
    for (int i = 0; i < pm_metric_set_count(pm_metrics_set(m)); i++) {
        assert_true(mean(m, pm_metric_set_name(pm_metrics_set(m), i)) == 0.0);
    }
    pm_metrics_counts counts;
    pm_metrics_get_counts(m, &counts);
    assert_int_equal(counts.users, 2);
    assert_int_equal(counts.empty_lists, 1);
    pm_ctx_destroy(&ctx);
}

static void k_above_items_and_target_above_k(void **state)
{
    (void)state;
    pm_ctx *ctx = new_ctx();
    const char *names = "recall@100,recall_capped@100,precision@100,ndcg@100,map@100,recall@2,recall_capped@2,ndcg_full@2";
    // list_limit 4 is the whole catalogue: enough for k = 100
    pm_metrics *m = new_metrics(ctx, names, &(pm_metrics_params){ .items = 4, .list_limit = 4 });
    add(m, 0, (const uint32_t[]){ 2, 1, 0, 3 }, 4, (const uint32_t[]){ 0, 1, 2, 3 }, 4);
    NEAR(mean(m, "recall@100"), 1.0);
    NEAR(mean(m, "recall_capped@100"), 1.0);
    NEAR(mean(m, "precision@100"), 0.04);
    NEAR(mean(m, "ndcg@100"), 1.0);
    NEAR(mean(m, "map@100"), 1.0);
    NEAR(mean(m, "recall@2"), 0.5);
    NEAR(mean(m, "recall_capped@2"), 1.0);
    // (1 + 0.63092975357) / (1 + 0.63092975357 + 0.5 + 0.43067655807)
    assert_true(fabs(mean(m, "ndcg_full@2") - 1.63092975357 / 2.56160631164) < 1e-10);
    pm_ctx_destroy(&ctx);
}

static void spread_of_users(void **state)
{
    (void)state;
    pm_ctx *ctx = new_ctx();
    pm_metrics *m = new_metrics(ctx, "recall@1,coverage@1", &(pm_metrics_params){ .items = 4 });
    const uint32_t list[] = { 1 }, hit[] = { 1 }, miss[] = { 2 }, half[] = { 1, 3 };
    assert_true(isnan(mean(m, "recall@1")) && isnan(mean(m, "coverage@1")));    // nobody yet
    add(m, 40, list, 1, hit, 1);
    pm_metric_result r = result(m, "recall@1");
    assert_true(r.mean == 1.0 && isnan(r.se) && isnan(r.ci95) && r.n == 1);    // one user has no spread
    add(m, 41, list, 1, NULL, 0);
    add(m, 42, list, 1, miss, 1);
    add(m, 43, list, 1, half, 2);
    r = result(m, "recall@1");    // 1, 0, 1/2: deviation 1/2
    NEAR(r.mean, 0.5);
    NEAR(r.se, 0.5 / sqrt(3.0));
    NEAR(r.ci95, 0.98 / sqrt(3.0));
    assert_int_equal(r.n, 3);
    assert_int_equal(pm_metrics_users(m)[1], 42);
    NEAR(pm_metrics_values(m, 0)[2], 0.5);
    pm_metrics_counts counts;
    pm_metrics_get_counts(m, &counts);
    assert_int_equal(counts.excluded_no_target, 1);
    pm_ctx_destroy(&ctx);
}

static void bad_lists_are_refused_and_change_nothing(void **state)
{
    (void)state;
    pm_ctx *ctx = new_ctx();
    pm_metrics *m = new_metrics(ctx, "recall@2,rprecision,coverage@2", &(pm_metrics_params){ .items = 4, .list_limit = 2 });
    const uint32_t list[] = { 1, 2, 3 }, twice[] = { 2, 2 }, outside[] = { 0, 4 };
    const float nan[] = { 2, NAN }, inf[] = { INFINITY, 1 }, masked[] = { 1, -INFINITY };
    const struct {
        pm_ranking r;
        pm_status status;
        const char *says;
    } cases[] = {
        { { 77, list, nan, 2, list, 1 }, PM_ERR_NUMERIC, "user 77: item 2 has the score" },
        { { 77, list, inf, 2, list, 1 }, PM_ERR_NUMERIC, "user 77: item 1 has the score" },
        { { 77, twice, NULL, 2, list, 1 }, PM_ERR_ARG, "item 2 is listed twice" },
        { { 77, list, NULL, 2, twice, 2 }, PM_ERR_ARG, "target item 2 is given twice" },
        { { 77, outside, NULL, 2, list, 1 }, PM_ERR_ARG, "listed item 4" },
        { { 77, list, NULL, 2, outside, 2 }, PM_ERR_ARG, "target item 4" },
        { { 77, list, NULL, -1, list, 1 }, PM_ERR_ARG, "length -1" },
        { { 77, list, NULL, 2, list, 3 }, PM_ERR_ARG, "rprecision needs a list of 3 items" },
    };
    for (int i = 0; i < PM_COUNT(cases); i++) {
        assert_int_equal(pm_metrics_add_ranking(m, &cases[i].r), cases[i].status);
        if (!strstr(pm_ctx_message(ctx), cases[i].says)) fail_msg("%s lacks '%s'", pm_ctx_message(ctx), cases[i].says);
    }
    assert_int_equal(result(m, "recall@2").n, 0);
    // The masked entry ends the list: item 2 is no hit, and not shown.
    assert_int_equal(pm_metrics_add_ranking(m, &(pm_ranking){ 1, list, masked, 2, (const uint32_t[]){ 1, 2 }, 2 }), PM_OK);
    NEAR(mean(m, "recall@2"), 0.5);
    NEAR(mean(m, "coverage@2"), 0.25);
    assert_int_equal(pm_metrics_add_rank(m, &(pm_rank){ .candidates = 1 }), PM_ERR_ARG);
    assert_int_equal(pm_metrics_add_ratings(m, NULL, inf, inf, 1), PM_ERR_ARG);
    pm_ctx_destroy(&ctx);
}

// ---- ranks ---------------------------------------------------------------------------------------------------------

static void constant_scorer_has_a_tenth(void **state)
{
    (void)state;
    enum { CANDIDATES = 100 };
    pm_ctx *ctx = new_ctx();
    float scores[CANDIDATES];
    uint32_t items[CANDIDATES];
    for (uint32_t i = 0; i < CANDIDATES; i++) scores[i] = 0.25f, items[i] = (i + 40) % CANDIDATES;    // target 40
    const double expected[] = { 0.1, 1.0, 0.0, 0.0 };    // by id 40 candidates stand before
    for (int ties = 0; ties < 4; ties++) {
        pm_metrics *m =
            new_metrics(ctx, "hr@10,ndcg@10,mrr@10,hr@41",
                        &(pm_metrics_params){ .feed = PM_FEED_RANKS, .items = CANDIDATES, .ties = (pm_ties)ties });
        for (int u = 0; u < 7; u++) {
            pm_rank rank;
            assert_int_equal(pm_rank_of_target(ctx, u, scores, items, CANDIDATES, &rank), PM_OK);
            assert_int_equal(pm_metrics_add_rank(m, &rank), PM_OK);
        }
        assert_true(mean(m, "hr@10") == expected[ties]);    // exactly
        if (ties == PM_TIES_EXPECTED) {
            assert_true(fabs(mean(m, "ndcg@10") - 0.045435593) < 1e-8);    // Σ 1/log2(s + 1), s = 1..10, is 4.5435593
            assert_true(fabs(mean(m, "mrr@10") - 0.029289683) < 1e-8);     // 1 + 1/2 + … + 1/10 = 2.9289683
        }
        if (ties == PM_TIES_ID) NEAR(mean(m, "hr@41"), 1.0);
        pm_metrics_counts counts;
        pm_metrics_get_counts(m, &counts);
        assert_int_equal(counts.tied, 7);
        NEAR(counts.tied_share, 1.0);
    }
    pm_ctx_destroy(&ctx);
}

static void ranks_are_checked(void **state)
{
    (void)state;
    pm_ctx *ctx = new_ctx();
    pm_metrics *m = new_metrics(ctx, "hr@1", &(pm_metrics_params){ .feed = PM_FEED_RANKS, .items = 10 });
    const pm_rank bad[] = {
        { .above = 3, .candidates = 3 },
        { .above = -1, .candidates = 3 },
        { .above = 1, .tied = 2, .candidates = 3 },
        { .candidates = 11 },
        { .tied = 1, .tied_lower = 2, .candidates = 3 },
        { .target = 10, .candidates = 3 },
        { .candidates = 0 },
    };
    for (int i = 0; i < PM_COUNT(bad); i++) assert_int_equal(pm_metrics_add_rank(m, &bad[i]), PM_ERR_ARG);
    assert_int_equal(result(m, "hr@1").n, 0);
    pm_rank rank;
    const uint32_t items[] = { 3, 5, 1, 4 };
    assert_int_equal(pm_rank_of_target(ctx, 12, (const float[]){ 1, 2, NAN, 0 }, items, 4, &rank), PM_ERR_NUMERIC);
    assert_non_null(strstr(pm_ctx_message(ctx), "user 12: item 1"));
    assert_int_equal(pm_rank_of_target(ctx, 12, (const float[]){ NAN }, items, 1, &rank), PM_ERR_NUMERIC);
    assert_int_equal(pm_rank_of_target(ctx, 12, NULL, items, 0, &rank), PM_ERR_ARG);
    assert_int_equal(pm_rank_of_target(ctx, 12, (const float[]){ 0.0f, 2, -0.0f, 0 }, items, 4, &rank), PM_OK);
    assert_int_equal(rank.above, 1);
    assert_int_equal(rank.tied, 2);
    assert_int_equal(rank.tied_lower, 1);
    assert_int_equal(rank.candidates, 4);
    pm_ctx_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_user_by_hand),
        cmocka_unit_test(columns_of_the_mil_tables),
        cmocka_unit_test(novelty_of_an_unseen_item_is_finite),
        cmocka_unit_test(catalogue_by_hand),
        cmocka_unit_test(tails_by_hand),
        cmocka_unit_test(ratings_by_hand),
        cmocka_unit_test(all_hits_and_no_hits),
        cmocka_unit_test(k_above_items_and_target_above_k),
        cmocka_unit_test(spread_of_users),
        cmocka_unit_test(bad_lists_are_refused_and_change_nothing),
        cmocka_unit_test(constant_scorer_has_a_tenth),
        cmocka_unit_test(ranks_are_checked),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
