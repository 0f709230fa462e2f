// The tables of the MIL paper's analyses, worked by hand.
#define _POSIX_C_SOURCE 200809L
#include "data_help.h"

#include <float.h>
#include <math.h>

#include <pumice/analysis.h>
#include <pumice/state.h>

static void near_value(const pm_analysis *a, const char *label, const char *column, double expected, int line)
{
    const double value = pm_analysis_at(a, label, column);
    if (isnan(expected) ? isnan(value) : fabs(value - expected) < 1e-9) return;
    fail_msg("line %d: %s, %s of %s is %.17g, not %.17g", line, label, column, a->name, value, expected);
}
#define AT(a, label, column, expected) near_value(a, label, column, expected, __LINE__)

static uint32_t reached(const float *scores, int n, float edge)
{
    uint32_t count = 0;
    for (int i = 0; i < n; i++) count += scores[i] >= edge;
    return count;
}

static void edges_are_where_preferences_are(void **state)
{
    (void)state;
    float e[PM_PREFERENCE_EDGES];
    pm_preference_edges(PM_PREFERENCE_SIGMOID, e);
    static const double bounds[] = { 0, 0.01, 0.25, 0.5, 0.7, 0.9 };
    for (int k = 1; k < 6; k++) assert_true(fabs(1 / (1 + exp(-(double)e[k])) - bounds[k]) < 1e-7);
    assert_true(e[3] == 0 && e[0] == -FLT_MAX && e[6] == FLT_MAX);
    pm_preference_edges(PM_PREFERENCE_SCORE, e);
    for (int k = 0; k < 6; k++) assert_true(e[k] == (float)bounds[k]);
    assert_true(e[6] > 1 && e[6] < 1.000001f);
}

// Two users, ten items each.
static void preferences_by_band(void **state)
{
    fixture *f = *state;
    static const float scores[2][10] = { { -0.5f, 0, 0.005f, 0.01f, 0.25f, 0.3f, 0.9f, 1, 1, 1.5f },
                                         { 0.5f, 0.6f, 0.7f, 0.7f, 0.7f, 0.8f, 0.1f, 0.1f, 0.2f, 0.24f } };
    float edges[PM_PREFERENCE_EDGES];
    uint32_t n[2 * PM_PREFERENCE_EDGES];
    pm_analysis a;
    pm_preference_edges(PM_PREFERENCE_SCORE, edges);
    for (int k = 0; k < 2 * PM_PREFERENCE_EDGES; k++) n[k] = reached(scores[k / 7], 10, edges[k % 7]);
    must(f, pm_analyse_preference(f->ctx, PM_PREFERENCE_SCORE, n, 2, 10, &a));
    assert_string_equal(a.name, "preference");
    assert_int_equal(a.rows, 8);
    assert_string_equal(a.label[0], "above 1");
    assert_string_equal(a.label[7], "below 0");
    AT(&a, "above 1", "percent", 5);            // (10 + 0) / 2
    AT(&a, "[0.9, 1]", "percent", 15);          // (30 + 0) / 2
    AT(&a, "[0.7, 0.9)", "percent", 20);        // (0 + 40) / 2
    AT(&a, "[0.5, 0.7)", "percent", 10);        // (0 + 20) / 2
    AT(&a, "[0.25, 0.5)", "percent", 10);       // (20 + 0) / 2
    AT(&a, "[0.01, 0.25)", "percent", 25);      // (10 + 40) / 2
    AT(&a, "[0, 0.01)", "percent", 10);         // (20 + 0) / 2
    AT(&a, "below 0", "percent", 5);            // (10 + 0) / 2
    AT(&a, "[0.7, 0.9)", "se", 20);             // deviation of 0 and 40 is 20 √2, over √2
    AT(&a, "[0.7, 0.9)", "ci95", 20 * 1.96);
    AT(&a, "[0.7, 0.9)", "from", 0.7);
    AT(&a, "[0.7, 0.9)", "to", 0.9);
    AT(&a, "above 1", "to", NAN);
    AT(&a, "[0, 0.01)", "users", 2);
    // The same counts under a sigmoid: nothing can lie outside, and the end bands are closed.
    must(f, pm_analyse_preference(f->ctx, PM_PREFERENCE_SIGMOID, n, 2, 10, &a));
    assert_int_equal(a.rows, 6);
    AT(&a, "[0.9, 1]", "percent", 20);
    AT(&a, "[0, 0.01)", "percent", 15);
    double sum = 0;
    for (int r = 0; r < 6; r++) sum += pm_analysis_at(&a, a.label[r], "percent");
    assert_true(fabs(sum - 100) < 1e-9);
    n[7] = PM_ID_NAN;
    assert_int_equal(pm_analyse_preference(f->ctx, PM_PREFERENCE_SIGMOID, n, 2, 10, &a), PM_ERR_NUMERIC);
}

static void item_means_are_another_thing(void **state)
{
    fixture *f = *state;
    static const double mean[] = { 0, 0.049, 0.05, 0.999, 1, 0.5, -0.1, 1.01 };
    pm_analysis a;
    must(f, pm_analyse_item_preference(f->ctx, PM_PREFERENCE_SCORE, mean, 8, &a));
    assert_int_equal(a.rows, 22);
    AT(&a, "[0, 0.05)", "items", 2);
    AT(&a, "[0.05, 0.1)", "items", 1);
    AT(&a, "[0.5, 0.55)", "items", 1);
    AT(&a, "[0.95, 1]", "items", 2);
    AT(&a, "[0.95, 1]", "percent", 25);
    AT(&a, "above 1", "items", 1);
    AT(&a, "below 0", "items", 1);
    must(f, pm_analyse_item_preference(f->ctx, PM_PREFERENCE_SIGMOID, mean, 6, &a));
    assert_int_equal(a.rows, 20);
    AT(&a, "[0.95, 1]", "items", 2);
    static const double bad[] = { NAN };
    assert_int_equal(pm_analyse_item_preference(f->ctx, PM_PREFERENCE_SIGMOID, bad, 1, &a), PM_ERR_NUMERIC);
}

// 1003 items, item i more popular than item i + 1: 0 to 199 are short tail, 200 to 999 medium, three are long.
static void tails_and_ranks(void **state)
{
    fixture *f = *state;
    enum { ITEMS = 1003 };
    uint32_t popularity[ITEMS];
    for (int i = 0; i < ITEMS; i++) popularity[i] = (uint32_t)(ITEMS - i);
    static const uint32_t lists[] = { 0,   199, 200,  1000,          // half short, a quarter each
                                      999, 500, 1002, PM_ID_NONE,    // two thirds medium, a third long
                                      PM_ID_NONE, PM_ID_NONE, PM_ID_NONE, PM_ID_NONE };
    const pm_shown_lists s = { .lists = lists, .users = 3, .depth = 4, .items = ITEMS, .popularity = popularity };
    pm_analysis a;
    must(f, pm_analyse_tails(f->ctx, &s, &a));
    AT(&a, "short", "items", 200);
    AT(&a, "medium", "items", 800);
    AT(&a, "long", "items", 3);
    AT(&a, "short", "percent", 50.0 / 3);
    AT(&a, "medium", "percent", (25 + 200.0 / 3) / 3);
    AT(&a, "long", "percent", (25 + 100.0 / 3) / 3);
    assert_non_null(strstr(a.title, "top 4"));
    must(f, pm_analyse_ranks(f->ctx, &s, &a));
    assert_int_equal(a.rows, 4);
    static const double expected[4][3] = { { 1, 1, 0 }, { 1, 1, 0 }, { 0, 1, 1 }, { 0, 0, 1 } };
    assert_memory_equal(a.value, expected, sizeof expected);
    AT(&a, "3", "long", 1);
    AT(&a, "5", "long", NAN);
    AT(&a, "3", "longer", NAN);
}

static void popularity_of_the_parts(void **state)
{
    fixture *f = *state;
    char text[8000] = "";
    for (int i = 0; i < 25; i++)    // items i0 … i24 with 25 − i users, the last user with all of them
        for (int u = i; u < 25; u++) sprintf(text + strlen(text), "u%d,i%d\n", u, i);
    put_text(f, "train.csv", text);
    put_text(f, "valid.csv", "u0,i1\nu0,i24\n");
    put_text(f, "test.csv", "u1,i12\nu2,i13\nu3,i24\nu0,i24\n");    // the last is known by then
    pm_interactions *in = must_read(f, (pm_read_params){ .path = in_folder(f, "train.csv") });
    pm_split *s;
    pm_analysis a;
    must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "files" }, &s));
    must(f, pm_analyse_popularity(f->ctx, s, &a));
    assert_int_equal(a.rows, 3);
    AT(&a, "1-10", "items", 10);
    AT(&a, "21-25", "items", 5);
    AT(&a, "1-10", "train", 100 * 205.0 / 325);    // 25 + 24 + … + 16
    AT(&a, "21-25", "train", 100 * 15.0 / 325);
    AT(&a, "1-10", "validation", 50);
    AT(&a, "11-20", "test", 100 * 2.0 / 3);
    AT(&a, "21-25", "test", 100 / 3.0);
    must(f, pm_analyse_item_popularity(f->ctx, s, &a));
    assert_int_equal(a.rows, 25);
    assert_string_equal(a.label[2], "i2");
    AT(&a, "i24", "rank", 25);
    AT(&a, "i24", "train", 1);
    AT(&a, "i24", "validation", 1);
    AT(&a, "i24", "test", 1);
}

// Each recommendation a kernel of its own, as the definition has it.
static double slow_density(const double *popularity, int n, double x, double least)
{
    double mean = 0, squares = 0, sum = 0;
    for (int i = 0; i < n; i++) mean += popularity[i] / n;
    for (int i = 0; i < n; i++) squares += (popularity[i] - mean) * (popularity[i] - mean);
    const double scott = sqrt(squares / (n - 1)) / pow(n, 0.2), h = scott > least ? scott : least;
    for (int i = 0; i < n; i++)
        for (int sign = -1; sign <= 1; sign += 2) sum += exp(-(x - sign * popularity[i]) * (x - sign * popularity[i]) / (2 * h * h));
    return sum / (n * h * sqrt(2 * acos(-1.0)));
}

static void density_of_the_recommended(void **state)
{
    fixture *f = *state;
    enum { ITEMS = 14, DEPTH = 12 };
    static const uint32_t popularity[ITEMS] = { 400, 350, 300, 220, 200, 180, 150, 90, 60, 40, 30, 20, 10, 1 };
    // the second user's list ends early; what lies beyond the tenth rank does not count
    static const uint32_t lists[2 * DEPTH] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 12, 0, 12, 13, PM_ID_NONE, 5, 5, 5, 5, 5, 5, 5, 5 };
    static const double shown[] = { 400, 350, 300, 220, 200, 180, 150, 90, 60, 40, 400, 10, 1 }, found[] = { 20, 1, 1 };
    static const uint32_t row[] = { 0, 0, 1 }, col[] = { 11, 13, 13 };
    pm_csr target, none;
    pm_analysis a;
    must(f, pm_csr_build(f->ctx, 2, ITEMS, 3, row, col, NULL, NULL, &target, NULL));
    must(f, pm_csr_build(f->ctx, 2, ITEMS, 0, NULL, NULL, NULL, NULL, &none, NULL));
    const pm_shown_lists s = { .lists = lists, .users = 2, .depth = DEPTH, .items = ITEMS, .popularity = popularity };
    must(f, pm_analyse_density(f->ctx, &s, &target, &a));
    assert_int_equal(a.rows, 101);
    double area = 0, area_found = 0;
    for (int r = 0; r < 101; r++) {
        const double x = 4.0 * r, *v = a.value + 5 * r;
        assert_true(v[0] == x);
        assert_true(fabs(v[1] - slow_density(shown, 13, x, 2)) < 1e-12);
        assert_true(fabs(v[2] - slow_density(found, 3, x, 2)) < 1e-12);
        area += 4 * v[1] * (r == 0 || r == 100 ? 0.5 : 1);
        area_found += 4 * v[2] * (r == 0 || r == 100 ? 0.5 : 1);
    }
    assert_true(area > 0.8 && area < 1);    // the rest lies beyond the most popular item
    assert_true(fabs(area_found - 1) < 1e-3);
    AT(&a, "0", "recommended_below", 0);
    AT(&a, "1", "recommended_below", 100 * 1.0 / 13);       // the one of popularity 1
    AT(&a, "50", "recommended_below", 100 * 7.0 / 13);      // below 200
    AT(&a, "100", "recommended_below", 100 * 11.0 / 13);    // the most popular itself is not below
    AT(&a, "6", "to_find_below", 100);
    AT(&a, "5", "to_find_below", 100 * 2.0 / 3);
    assert_non_null(strstr(a.title, "184.7 on average, of what is to be found 7.3"));    // 2401 / 13, 22 / 3
    must(f, pm_analyse_density(f->ctx, &s, &none, &a));
    AT(&a, "3", "to_find", NAN);
    AT(&a, "3", "to_find_below", NAN);
    // all of one popularity: a kernel as wide as half the distance of two points, and no division by zero
    static const uint32_t same[ITEMS] = { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 };
    const pm_shown_lists even = { .lists = lists, .users = 2, .depth = DEPTH, .items = ITEMS, .popularity = same };
    must(f, pm_analyse_density(f->ctx, &even, &target, &a));
    AT(&a, "100", "recommended", 1 / (0.035 * sqrt(2 * acos(-1.0))));
    AT(&a, "50", "recommended", 0);
}

static void written_as_csv(void **state)
{
    fixture *f = *state;
    static const char *const columns[] = { "x", "y" }, *const labels[] = { "[0, 1)", "b" };
    static const double values[] = { 0.25, NAN, 1234567, -1 };
    const pm_analysis a = { "n", "t", "p", "band", 2, columns, 2, labels, values };
    char text[100] = "";
    must(f, pm_analysis_write_csv(f->ctx, &a, in_folder(f, "a.csv")));
    FILE *file = fopen(in_folder(f, "a.csv"), "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_string_equal(text, "band,x,y\n\"[0, 1)\",0.25,\nb,1234567,-1\n");
    assert_int_equal(pm_analysis_write_csv(f->ctx, &a, in_folder(f, "none/a.csv")), PM_ERR_IO);
}

static void names_are_read(void **state)
{
    fixture *f = *state;
    unsigned which;
    must(f, pm_analysis_parse(f->ctx, "all", &which));
    assert_int_equal(which, PM_ANALYSE_ALL);
    must(f, pm_analysis_parse(f->ctx, "ranks,preference", &which));
    assert_int_equal(which, PM_ANALYSE_RANKS | PM_ANALYSE_PREFERENCE);
    assert_int_equal(pm_analysis_parse(f->ctx, "tails,rank", &which), PM_ERR_ARG);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "did you mean 'ranks'"));
    assert_int_equal(pm_analysis_parse(f->ctx, "", &which), PM_ERR_ARG);
    assert_int_equal(pm_analysis_parse(f->ctx, "tails,,ranks", &which), PM_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(edges_are_where_preferences_are), DATA_TEST(preferences_by_band), DATA_TEST(item_means_are_another_thing),
        DATA_TEST(tails_and_ranks),                 DATA_TEST(popularity_of_the_parts), DATA_TEST(written_as_csv),
        DATA_TEST(names_are_read),                  DATA_TEST(density_of_the_recommended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
