// Metrics against a slow implementation straight from the definitions, on random lists and ranks.
#include "unit/metrics_support.h"

#include "core/philox.h"

typedef struct slow {
    const uint32_t *list, *targets, *popularity;
    int64_t length, count, items;
} slow;

static int rel(const slow *s, int64_t rank)    // rank from 1
{
    if (rank > s->length) return 0;
    for (int64_t i = 0; i < s->count; i++) {
        if (s->targets[i] == s->list[rank - 1]) return 1;
    }
    return 0;
}

static double sum_rel(const slow *s, int64_t k)
{
    double n = 0;
    for (int64_t r = 1; r <= k; r++) n += rel(s, r);
    return n;
}

static double slow_dcg(const slow *s, int64_t k)
{
    double sum = 0;
    for (int64_t r = 1; r <= k; r++) sum += (pow(2.0, rel(s, r)) - 1.0) / (log(r + 1.0) / log(2.0));
    return sum;
}

static double slow_ideal(int64_t n)
{
    double sum = 0;
    for (int64_t r = 1; r <= n; r++) sum += log(2.0) / log(r + 1.0);
    return sum;
}

static double slow_ap(const slow *s, int64_t k, int novelty)
{
    double sum = 0, total = 0;
    for (int64_t i = 0; i < s->items; i++) total += s->popularity[i];
    for (int64_t r = 1; r <= k; r++) {
        if (!rel(s, r)) continue;
        const double seen = s->popularity[s->list[r - 1]];
        sum += sum_rel(s, r) / (double)r * (novelty ? -log((seen > 0 ? seen : 1) / total) : 1.0);
    }
    return sum / (double)(k < s->count ? k : s->count);
}

static double slow_metric(const slow *s, const char *name, int64_t k)
{
    const double t = (double)s->count, h = k ? sum_rel(s, k) : 0;
    const int64_t capped = k && k < s->count ? k : s->count;
    if (pm_name_equal(name, "recall")) return h / t;
    if (pm_name_equal(name, "recall_capped")) return h / (double)capped;
    if (pm_name_equal(name, "precision")) return h / (double)k;
    if (pm_name_equal(name, "f1")) return h > 0 ? 2 * (h / (double)k) * (h / t) / (h / (double)k + h / t) : 0;
    if (pm_name_equal(name, "rprecision")) return sum_rel(s, capped) / t;
    if (pm_name_equal(name, "hr")) return h > 0;
    if (pm_name_equal(name, "ndcg")) return slow_dcg(s, k) / slow_ideal(capped);
    if (pm_name_equal(name, "ndcg_full")) return slow_dcg(s, k) / slow_ideal(s->count);
    if (pm_name_equal(name, "map")) return slow_ap(s, k, 0);
    if (pm_name_equal(name, "novelty_map")) return slow_ap(s, k, 1);
    if (pm_name_equal(name, "mrr")) {
        for (int64_t r = 1; r <= k; r++) {
            if (rel(s, r)) return 1.0 / (double)r;
        }
        return 0;
    }
    if (pm_name_equal(name, "map_precision")) {
        double sum = 0;
        for (int64_t r = 1; r <= k; r++) sum += sum_rel(s, r) / (double)r;
        return sum / (double)k;
    }
    if (strncmp(name, "tail_", 5) == 0) {
        double in = 0, n = 0;
        for (int64_t r = 1; r <= k && r <= s->length; r++, n++) {
            const uint32_t item = s->list[r - 1];
            int64_t place = 0;    // how many items are more popular
            for (uint32_t j = 0; j < s->items; j++) {
                place += s->popularity[j] > s->popularity[item] || (s->popularity[j] == s->popularity[item] && j < item);
            }
            in += pm_name_equal(name, place < 200 ? "tail_short" : place < 1000 ? "tail_medium" : "tail_long");
        }
        return n > 0 ? in / n : 0;
    }
    fail_msg("no slow version of %s", name);
    return NAN;
}

// Every metric that fits the feed, at several k.
static char *all_names(pm_ctx *ctx, pm_metric_feed feed)
{
    static const int ks[] = { 1, 2, 5, 11, 60 };
    char *names = pm_strdup(ctx, "rprecision");
    for (int i = 0; i < pm_metric_count(); i++) {
        const pm_metric_info *info = pm_metric_at(i);
        for (int j = 0; j < PM_COUNT(ks) && pm_metric_fits(info, feed); j++) {
            names = pm_sprintf(ctx, "%s,%s@%d", names, info->name, ks[j]);
        }
    }
    return names;
}

// The first `count` of a random order of 0 .. n−1 (out needs room for n).
static void shuffle(pm_rng *rng, uint32_t *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t j = pm_rng_below(rng, i + 1);
        out[i] = out[j];
        out[j] = i;
    }
}

static double slow_catalogue(const char *name, const uint32_t *shown, int64_t items)
{
    double differences = 0, total = 0, covered = 0;
    for (int64_t i = 0; i < items; i++) {
        total += shown[i];
        covered += shown[i] > 0;
        for (int64_t j = 0; j < items; j++) differences += fabs((double)shown[i] - (double)shown[j]);
    }
    // The Gini index as half the relative mean difference, which needs no order.
    return pm_name_equal(name, "coverage") ? covered / (double)items : differences / (2 * (double)items * total);
}

static void compare_lists(uint32_t items, uint64_t seed, int users)
{
    pm_ctx *ctx = new_ctx();
    pm_rng rng = { .key = seed, .stream = 1 };
    uint32_t *popularity = pm_new_array(ctx, uint32_t, items), *list = pm_new_array(ctx, uint32_t, items);
    uint32_t *targets = pm_new_array(ctx, uint32_t, items);
    for (uint32_t i = 0; i < items; i++) popularity[i] = pm_rng_below(&rng, 9);    // ties, and items never seen
    pm_metrics *m =
        new_metrics(ctx, all_names(ctx, PM_FEED_LISTS), &(pm_metrics_params){ .items = items, .popularity = popularity });
    const pm_metric_set *set = pm_metrics_set(m);
    const int count = pm_metric_set_count(set);
    uint32_t *shown = pm_new_array(ctx, uint32_t, (int64_t)count * items);
    for (int u = 0; u < users; u++) {
        shuffle(&rng, list, items);
        shuffle(&rng, targets, items);
        const slow s = {
            list, targets, popularity, pm_rng_below(&rng, items + 1), 1 + pm_rng_below(&rng, u % 2 ? 3 : PM_MIN(items, 50)),
            items
        };
        add(m, u, list, s.length, targets, s.count);
        for (int i = 0; i < count; i++) {
            const pm_metric_info *info = pm_metric_set_info(set, i);
            const int64_t k = pm_metric_set_k(set, i);
            if (info->kind == PM_METRIC_CATALOGUE) {
                for (int64_t r = 0; r < PM_MIN(k, s.length); r++) shown[(int64_t)i * items + list[r]]++;
                continue;
            }
            assert_near(pm_metrics_values(m, i)[u], slow_metric(&s, info->name, k), pm_metric_set_name(set, i), u);
        }
    }
    for (int i = 0; i < count; i++) {
        if (pm_metric_set_info(set, i)->kind != PM_METRIC_CATALOGUE) continue;
        assert_near(mean(m, pm_metric_set_name(set, i)),
                    slow_catalogue(pm_metric_set_info(set, i)->name, shown + (int64_t)i * items, items),
                    pm_metric_set_name(set, i), -1);
    }
    pm_ctx_destroy(&ctx);
}

static void lists_match_the_slow_implementation(void **state)
{
    (void)state;
    compare_lists(40, 1, 300);
    compare_lists(3, 2, 50);
    compare_lists(1300, 3, 4);    // large enough for all three tails
}

// One target among candidates whose scores tie often: the mean over every place the target can take among the tied.
static void ranks_match_the_slow_implementation(void **state)
{
    (void)state;
    enum { ITEMS = 50, USERS = 200 };
    pm_ctx *ctx = new_ctx();
    pm_rng rng = { .key = 4, .stream = 1 };
    uint32_t popularity[ITEMS], items[ITEMS], list[ITEMS];
    float scores[ITEMS];
    for (int i = 0; i < ITEMS; i++) popularity[i] = pm_rng_below(&rng, 30);
    pm_metrics *m = new_metrics(ctx, all_names(ctx, PM_FEED_RANKS),
                                &(pm_metrics_params){ .feed = PM_FEED_RANKS, .items = ITEMS, .popularity = popularity });
    const pm_metric_set *set = pm_metrics_set(m);
    for (int u = 0; u < USERS; u++) {
        const int64_t n = 1 + pm_rng_below(&rng, ITEMS);
        const uint32_t levels = 1 + pm_rng_below(&rng, 20);
        shuffle(&rng, items, ITEMS);
        for (int64_t i = 0; i < n; i++) scores[i] = (float)pm_rng_below(&rng, levels);
        pm_rank rank;
        assert_int_equal(pm_rank_of_target(ctx, u, scores, items, n, &rank), PM_OK);
        assert_int_equal(pm_metrics_add_rank(m, &rank), PM_OK);
        int64_t above = 0, tied = 0;
        for (int64_t i = 1; i < n; i++) above += scores[i] > scores[0], tied += scores[i] == scores[0];
        for (int i = 0; i < pm_metric_set_count(set); i++) {
            double sum = 0;
            for (int64_t place = above; place <= above + tied; place++) {
                for (int64_t r = 0, other = 1; r < n; r++) list[r] = r == place ? items[0] : items[other++];
                const slow s = { list, items, popularity, n, 1, ITEMS };
                sum += slow_metric(&s, pm_metric_set_info(set, i)->name, pm_metric_set_k(set, i));
            }
            assert_near(pm_metrics_values(m, i)[u], sum / (double)(tied + 1), pm_metric_set_name(set, i), u);
        }
    }
    pm_ctx_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_match_the_slow_implementation),
        cmocka_unit_test(ranks_match_the_slow_implementation),
    };
    return cmocka_run_group_tests_name("metrics_slow", tests, NULL, NULL);
}
