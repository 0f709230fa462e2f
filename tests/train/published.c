// Columns of a published table that need no training: popularity on the authors' own split of MovieLens-1M, trained on train + validation
// and evaluated on test (the POP row of movielens1m_result.csv). It holds protocol `files`, masking, --refit and every metric at once.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include <math.h>

// The name here, and the published mean and half-width of the interval. "MAP" there is the mean of precision@1..k, "NDCG" takes 50
// items and the ideal of all targets, "R-Precision" looks at 50 items at most.
static const struct column {
    const char *name;
    double      mean, ci95;
} columns[] = {
    { "map_precision@5", 0.1168, 0.0055 }, { "map_precision@10", 0.1099, 0.0046 }, { "map_precision@15", 0.1058, 0.0041 },
    { "map_precision@20", 0.1031, 0.0038 }, { "map_precision@50", 0.0906, 0.0029 }, { "ndcg_full@50", 0.1225, 0.0030 },
    { "precision@5", 0.1085, 0.0047 }, { "precision@10", 0.0999, 0.0038 }, { "precision@15", 0.0965, 0.0033 },
    { "precision@20", 0.0934, 0.0030 }, { "precision@50", 0.0746, 0.0021 }, { "rprecision@50", 0.0736, 0.0023 },
    { "recall@5", 0.0237, 0.0014 }, { "recall@10", 0.0434, 0.0020 }, { "recall@15", 0.0638, 0.0024 },
    { "recall@20", 0.0841, 0.0028 }, { "recall@50", 0.1611, 0.0041 },
};

static void popularity_as_published(void **state)
{
    fixture *f = *state;
    const char *path = real_data("ml-1m-nce-plrec");
    char names[512] = "";
    if (!path) return;
    for (int i = 0; i < PM_COUNT(columns); i++) {
        if (i) strcat(names, ",");
        strcat(names, columns[i].name);
    }
    const pm_spec spec = { .model = "item-pop", .data = path, .device = host_device(), .split = { .protocol = "files" }, .metrics = names, .refit = true };
    pm_result *r;
    must(f, pm_train(f->ctx, &spec, NULL, &r));
    assert_int_equal(r->metric_count, PM_COUNT(columns));
    for (int i = 0; i < PM_COUNT(columns); i++) {
        const pm_metric_result *m = &r->metrics[i];
        assert_int_equal(m->n, 6035);
        // of equally popular items the higher id comes first there: counted so, recall@50 is .16112, and .16080 with the lower one first
        if (fabs(m->mean - columns[i].mean) > 4e-4 || fabs(m->ci95 - columns[i].ci95) > 6e-5)
            fail_msg("%s is %.5f ± %.5f, published %.4f ± %.4f", m->name, m->mean, m->ci95, columns[i].mean, columns[i].ci95);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { DATA_TEST(popularity_as_published) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
