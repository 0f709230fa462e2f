// Analyses of runs against the same tables made on the host, from a model whose scores anybody can work out:
// the popularity of the item times how many items the user knows. With a device's name as argument, on that device.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include <float.h>
#include <math.h>

static const char *device_name;

// ---- the model -----------------------------------------------------------------------------------------------------

static const pm_hyper hypers[] = {
    { "unit", PM_HYPER_NUMBER, "0.001", 0, 1, NULL, "what popularity and history are worth", NULL },
    { "link", PM_HYPER_CHOICE, "score", 0, 0, "score|sigmoid|none", "how scores become preferences", NULL },
    { .name = NULL },
};

static void count_items(pm_build *b)
{
    const pm_var counts = pm_to_f32(b->g, pm_csr_col_count(b->g, pm_constant(b->g, "train.col"), b->items));
    pm_param(b->net, "counts", 1, b->items, (pm_init){ PM_INIT_ZERO, 0 });
    pm_output(b->g, counts, "counts");
}

static pm_var score(pm_build *b)
{
    const pm_var counts = pm_param(b->net, "counts", 1, b->items, (pm_init){ PM_INIT_ZERO, 0 });
    const pm_var known = pm_spmm(b->g, b->x.ptr, b->x.col, b->x.val, pm_fill(b->g, b->items, 1, 1.0f));
    const pm_var z = pm_mul_col(b->g, pm_broadcast_row(b->g, counts, b->x.rows), known);
    return pm_scale(b->g, z, (float)pm_config_number(b->config, "unit"));
}

static pm_preference preference(const pm_config *config)
{
    return pm_config_is(config, "link", "none")    ? PM_PREFERENCE_NONE
           : pm_config_is(config, "link", "score") ? PM_PREFERENCE_SCORE
                                                   : PM_PREFERENCE_SIGMOID;
}

static const pm_model by_hand = {
    .name = "by-hand", .title = "popularity times history", .hypers = hypers, .score = score, .solve = count_items,
    .preference = preference,
};

// ---- the same on the host ------------------------------------------------------------------------------------------

typedef struct host {
    int64_t   users, items, depth;
    uint32_t *popularity, *reaching, *lists;
    double   *mean;
} host;

static float host_score(const host *h, const pm_eval_part *p, int64_t u, int64_t i, float unit)
{
    return unit * ((float)h->popularity[i] * (float)(p->input.indptr[u + 1] - p->input.indptr[u]));
}

// Popularity is all that ranks: one order serves everybody.
static void host_list(host *h, const pm_eval_part *p, const int64_t *order, int64_t u)
{
    int64_t n = 0;
    for (int64_t k = 0; k < h->items && n < h->depth; k++)
        if (pm_csr_find(&p->input, u, (uint32_t)order[k]) < 0) h->lists[u * h->depth + n++] = (uint32_t)order[k];
    while (n < h->depth) h->lists[u * h->depth + n++] = UINT32_MAX;
}

static host host_of(const void *parent, const pm_split *s, const pm_eval_part *p, pm_preference link, float unit)
{
    host h = { .users = p->users, .items = s->train.cols, .depth = PM_MIN(PM_ANALYSIS_TOP, s->train.cols) };
    float edges[PM_PREFERENCE_EDGES];
    h.popularity = pm_new_array(parent, uint32_t, h.items);
    h.reaching = pm_new_array(parent, uint32_t, h.users * PM_PREFERENCE_EDGES);
    h.lists = pm_new_array(parent, uint32_t, h.users * h.depth);
    h.mean = pm_new_array(parent, double, h.items);
    int64_t *order = pm_new_array(parent, int64_t, h.items);
    pm_popularity(&s->train, h.popularity);
    pm_preference_edges(link, edges);
    for (int64_t i = 0; i < h.items; i++) {    // insertion keeps ties in order
        int64_t at = i;
        for (; at > 0 && h.popularity[order[at - 1]] < h.popularity[i]; at--) order[at] = order[at - 1];
        order[at] = i;
    }
    for (int64_t u = 0; u < h.users; u++) {
        host_list(&h, p, order, u);
        for (int64_t i = 0; i < h.items; i++) {
            const float z = host_score(&h, p, u, i, unit);
            for (int k = 0; k < PM_PREFERENCE_EDGES; k++) h.reaching[u * PM_PREFERENCE_EDGES + k] += z >= edges[k];
            h.mean[i] += (link == PM_PREFERENCE_SIGMOID ? 1 / (1 + exp(-(double)z)) : z) / (double)h.users;
        }
    }
    return h;
}

static void same_table(const pm_analysis *a, const pm_analysis *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->columns, b->columns);
    for (int64_t k = 0; k < a->rows * a->columns; k++) {
        const double x = a->value[k], y = b->value[k];
        if (!(x == y || (isnan(x) && isnan(y))))
            fail_msg("%s: row %s, column %s: %g, not %g", a->name, a->label[k / a->columns], a->column[k % a->columns], x, y);
    }
    for (int64_t r = 0; r < a->rows; r++) assert_string_equal(a->label[r], b->label[r]);
}

// How many more items than one table has in a band the other may have: means on an edge.
static void close_table(const pm_analysis *a, const pm_analysis *b, double slack)
{
    double apart = 0;
    assert_int_equal(a->rows, b->rows);
    for (int64_t r = 0; r < a->rows; r++) apart += fabs(pm_analysis_at(a, a->label[r], "items") - pm_analysis_at(b, a->label[r], "items"));
    if (apart > slack) fail_msg("%s: %g items apart", a->name, apart);
}

// ---- tests ---------------------------------------------------------------------------------------------------------

static pm_spec spec_of(const char *const *settings, int64_t users, int64_t interactions)
{
    return (pm_spec){
        .model = "by-hand", .device = device_name, .seed = 5, .settings = settings, .setting_count = 2, .metrics = "recall@5",
        .synth = { .users = users, .items = 60, .interactions = interactions, .clusters = 4 },
        .split = { .protocol = "random", .test_share = 0.3 },
    };
}

// Returns how many users were tested.
static int64_t check_run(fixture *f, const char *link, pm_preference preference, float unit, const char *text, int64_t users, int64_t interactions)
{
    int64_t tested = 0;
    const char *run = in_folder(f, "run");
    const char *settings[] = { text, link };
    const pm_spec spec = spec_of(settings, users, interactions);
    pm_result *r, *e;
    if (pm_train(f->ctx, &spec, run, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    for (int validation = 0; validation < 2; validation++) {
        const pm_evaluate_params ask = { .run = run, .analysis = "all", .validation = validation };
        if (pm_evaluate(f->ctx, &ask, &e) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
        const pm_eval_part *part = validation ? &r->split->valid : &r->split->test;
        const host h = host_of(e, r->split, part, preference, unit);
        const pm_shown_lists s = { h.lists, h.users, h.depth, h.items, h.popularity };
        pm_analysis expected[7];
        must(f, pm_analyse_preference(e, preference, h.reaching, h.users, h.items, &expected[0]));
        must(f, pm_analyse_item_preference(e, preference, h.mean, h.items, &expected[1]));
        must(f, pm_analyse_tails(e, &s, &expected[2]));
        must(f, pm_analyse_ranks(e, &s, &expected[3]));
        must(f, pm_analyse_density(e, &s, &part->target, &expected[4]));
        must(f, pm_analyse_popularity(e, r->split, &expected[5]));
        must(f, pm_analyse_item_popularity(e, r->split, &expected[6]));
        assert_int_equal(e->analysis_count, 7);
        for (int k = 0; k < 7; k++)
            if (k == 1) close_table(&e->analysis[k], &expected[k], 2);
            else same_table(&e->analysis[k], &expected[k]);
        assert_int_equal(e->analysis[0].value[5], part->users);
        if (!validation) tested = part->users;
        pm_result_destroy(&e);
    }
    pm_result_destroy(&r);
    remove_folder(run);
    return tested;
}

static void tables_are_those_of_the_host(void **state)
{
    check_run(*state, "link=score", PM_PREFERENCE_SCORE, 0.0009765625f, "unit=0.0009765625", 700, 8000);
    check_run(*state, "link=sigmoid", PM_PREFERENCE_SIGMOID, 0.001953125f, "unit=0.001953125", 300, 3000);
}

// More batches than item means wait on the device, the last of them short.
static void many_batches(void **state)
{
    const int64_t tested = check_run(*state, "link=score", PM_PREFERENCE_SCORE, 0x1p-15f, "unit=0.000030517578125", 17400, 174000);
    assert_true(tested > 32 * 500 && tested % 500 != 0);    // 32 batches of 500 wait
}

static void what_a_model_has_not(void **state)
{
    fixture *f = *state;
    const char *run = in_folder(f, "run"), *settings[] = { "unit=0.001", "link=none" };
    const pm_spec spec = spec_of(settings, 200, 2000);
    pm_result *r, *e;
    if (pm_train(f->ctx, &spec, run, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_int_equal(r->analysis_count, 0);
    must(f, pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run, .analysis = "all" }, &e));
    assert_int_equal(e->analysis_count, 5);
    assert_string_equal(e->analysis[0].name, "tails");
    pm_result_destroy(&e);
    assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run, .analysis = "tails,preference" }, &e), PM_ERR_ARG);
    assert_null(e);
    says(f, "the scores of by-hand are no preferences between 0 and 1");
    assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run, .analysis = "tail" }, &e), PM_ERR_ARG);
    must(f, pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run, .analysis = "popularity" }, &e));
    assert_int_equal(e->analysis_count, 2);
    pm_result_destroy(&e);
    must(f, pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &e));
    assert_int_equal(e->analysis_count, 0);
    pm_result_destroy(&e);
    pm_result_destroy(&r);
}

// Each likelihood of Mult-DAE, losses of DAE; the document has the tables.
static void likelihoods(void **state)
{
    static const struct { const char *model, *settings[3]; int64_t rows; } cases[] = {
        { "mult-dae", { "hidden=8", "latent=4", "likelihood=logistic" }, 6 },
        { "mult-dae", { "hidden=8", "latent=4", "likelihood=gaussian" }, 8 },
        { "mult-dae", { "hidden=8", "latent=4", "likelihood=multinomial" }, 0 },
        { "dae", { "latent=4", "activation=sig-sig", "loss=mil" }, 6 },
        { "dae", { "latent=4", "activation=tanh-lin", "loss=multinomial" }, 0 },
    };
    fixture *f = *state;
    for (int k = 0; k < PM_COUNT(cases); k++) {
        const char *run = in_folder(f, "run");
        pm_spec spec = small_spec(cases[k].model);
        pm_result *r, *e;
        char *json;
        spec.device = device_name;
        spec.settings = cases[k].settings;
        spec.setting_count = 3;
        if (pm_train(f->ctx, &spec, run, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
        const pm_status st = pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run, .analysis = "preference" }, &e);
        assert_int_equal(st, cases[k].rows ? PM_OK : PM_ERR_ARG);
        if (cases[k].rows) {
            double sum = 0;
            assert_int_equal(e->analysis[0].rows, cases[k].rows);
            for (int64_t i = 0; i < cases[k].rows; i++) sum += pm_analysis_at(&e->analysis[0], e->analysis[0].label[i], "percent");
            assert_true(fabs(sum - 100) < 1e-6);
            must(f, pm_result_json(f->ctx, e, &json));
            assert_non_null(strstr(json, "\"band\":\t\"[0.9, 1]\""));
            pm_result_destroy(&e);
        } else {
            says(f, cases[k].settings[2]);
        }
        pm_result_destroy(&r);
        remove_folder(run);
    }
}

// The run's items in their own numbers, whatever order other data bring them in.
static void other_data(void **state)
{
    fixture *f = *state;
    const char *run = in_folder(f, "run"), *csv = in_folder(f, "all.csv"), *settings[] = { "unit=0.001", "link=score" };
    pm_spec spec = spec_of(settings, 200, 2400);
    pm_interactions *all;
    pm_result *r, *a, *b;
    assert_int_equal(pm_data_synth(f->ctx, &spec.synth, &all), PM_OK);
    must(f, pm_data_write_csv(all, csv));
    spec.data = csv;
    if (pm_train(f->ctx, &spec, run, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    must(f, pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run, .analysis = "all" }, &a));
    must(f, pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run, .analysis = "all", .data = csv }, &b));
    for (int k = 0; k < a->analysis_count; k++) same_table(&a->analysis[k], &b->analysis[k]);
    pm_result_destroy(&r);
    pm_result_destroy(&a);
    pm_result_destroy(&b);
}

static bool device_opens(void)
{
    pm_ctx *ctx;
    pm_device *device;
    if (pm_ctx_create(NULL, &ctx) != PM_OK) return false;
    const bool opens = pm_device_open(ctx, &(pm_device_params){ .name = device_name }, &device) == PM_OK;
    if (opens) {
        pm_device_close(&device);
        pm_model_register(ctx, &by_hand);
    } else {
        fprintf(stderr, "%s\n", pm_ctx_message(ctx));
    }
    pm_ctx_destroy(&ctx);
    return opens;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(tables_are_those_of_the_host), DATA_TEST(many_batches), DATA_TEST(what_a_model_has_not), DATA_TEST(likelihoods),
        DATA_TEST(other_data),
    };
    device_name = argc > 1 ? argv[1] : host_device();
    if (!device_opens()) return getenv("PUMICE_NEED_DEVICE") ? 1 : 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
