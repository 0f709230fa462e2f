// Schedules of several phases and passes: what a part does not train keeps its bits, a phase begins with the best of the one before,
// validation goes by the phase's scores, a pass that solves sees every row once, and a stop anywhere costs nothing.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include <math.h>

#include "train/safetensors.h"
#include "train/trainer.h"

static const pm_hyper hypers[] = {
    { "latent", PM_HYPER_INTEGER, "4", 1, 100, NULL, "hidden units", NULL },
    { "hidden", PM_HYPER_INTEGER, "8", 1, 100, NULL, "not used", NULL },
    { "epochs", PM_HYPER_INTEGER, "4", 1, 1e6, NULL, "passes over the training rows", NULL },
    { "batch", PM_HYPER_INTEGER, "20", 1, 65536, NULL, "rows a step", NULL },
    { "lr", PM_HYPER_NUMBER, "0.01", 0, 10, NULL, "learning rate of Adam", NULL },
    { "second", PM_HYPER_FLAG, "on", 0, 1, NULL, "whether there is a second phase", NULL },
    { "word", PM_HYPER_CHOICE, "far.", 0, 0, "far.|fat.", "what it trains", NULL },
    { .name = NULL },
};

static pm_var head(pm_build *b, const char *name)
{
    return pm_dense(b->net, pm_dense_sparse(b->net, &b->x, "encoder", pm_config_integer(b->config, "latent"), PM_TANH), name, b->items, PM_LINEAR);
}

static pm_var score(pm_build *b)
{
    return head(b, b->scorer ? "far" : "near");
}

static void loss(pm_build *b)
{
    const bool far = b->pass == 2 && b->part == 0;
    pm_add_loss(b, far ? "far" : "near", pm_loss_logistic(b->g, b->x.ptr, b->x.col, b->x.val, head(b, far ? "far" : "near"), b->row_weight, NULL));
}

// How many users have each item.
static void solve(pm_build *b)
{
    const pm_var seen = pm_statistic(b->net, "seen", b->items, 1, (pm_init){ PM_INIT_ZERO, 0 });
    const pm_var count = pm_spmm(b->g, b->x.ptr, b->x.col, b->x.val, pm_fill(b->g, b->users, 1, 1));
    pm_put_rows(b->g, count, b->state, seen);
    pm_add_loss(b, "count", count);
}

static int passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)users, (void)items;
    out[0] = (pm_pass){ .name = "near" };
    out[1] = (pm_pass){ .name = "count", .axis = PM_AXIS_ITEMS, .in_order = true, .solve = true, .batch = 7 };
    out[2] = (pm_pass){ .name = "far", .parts = 2, .trains = { pm_config_text(config, "word"), "near." } };
    return 3;
}

static int phases(const pm_config *config, pm_phase *out)
{
    out[0] = (pm_phase){ .name = "first", .count = 2 };
    out[1] = (pm_phase){ .name = "second", .first = 2, .from_best = true, .epochs = 3, .scorer = 1 };
    return pm_config_flag(config, "second") ? 2 : 1;
}

static const pm_model two_heads = { .name = "two-heads", .title = "Two heads on one encoder", .hypers = hypers, .passes = passes, .phases = phases,
                                    .loss = loss, .score = score, .solve = solve };

// Scores every item by how many users have it as far as is known then: counted before scoring, by a pass over the items. Nothing is trained but a constant.
static const pm_hyper counting_hypers[] = {
    { "epochs", PM_HYPER_INTEGER, "1", 1, 1e6, NULL, "passes", NULL },
    { .name = NULL },
};

static int counting_passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)config, (void)users, (void)items;
    out[0] = (pm_pass){ .name = "constant", .axis = PM_AXIS_STEPS, .solve = true, .total = 1 };
    out[1] = (pm_pass){ .name = "count", .axis = PM_AXIS_ITEMS, .in_order = true, .solve = true, .scoring = true, .batch = 7 };
    return 2;
}

static pm_var one(pm_build *b)
{
    return pm_param(b->net, "one", 1, 1, (pm_init){ PM_INIT_CONSTANT, 1 });
}

static void count_or_keep(pm_build *b)
{
    if (b->pass == 0) {
        pm_add_loss(b, "one", pm_copy(b->g, one(b)));
        return;
    }
    const pm_var users = pm_broadcast_row(b->g, one(b), b->users);
    pm_put_rows(b->g, pm_spmm(b->g, b->x.ptr, b->x.col, b->x.val, users), b->state, pm_encoding(b, "seen", b->items, 1));
}

static pm_var counted(pm_build *b)
{
    return pm_broadcast_row(b->g, pm_reshape(b->g, pm_encoding(b, "seen", b->items, 1), 1, b->items), b->x.rows);
}

static pm_var counted_at(pm_build *b, pm_var id)
{
    return pm_take_cols(b->g, pm_add(b->g, counted(b), pm_fill(b->g, b->x.rows, b->items, 0.5f)), id);    // half an item more, to be told apart
}

static const pm_model counting = { .name = "counting", .title = "Counts", .hypers = counting_hypers, .passes = counting_passes, .solve = count_or_keep,
                                   .score = counted };
static const pm_model counting_at = { .name = "counting-at", .title = "Counts, of chosen items", .hypers = counting_hypers, .passes = counting_passes,
                                      .solve = count_or_keep, .score = counted, .score_at = counted_at };

static pm_spec spec_of(const char *settings[8], const char *more)
{
    pm_spec spec = small_spec("two-heads");
    for (int i = 0; i < spec.setting_count; i++) settings[i] = spec.settings[i];
    settings[spec.setting_count] = more;
    spec.settings = settings;
    spec.setting_count += more != NULL;
    return spec;
}

static int64_t read_best(const fixture *f, const char *run, const char *name, float *values, int64_t most)
{
    pm_st_file *file;
    assert_int_equal(pm_st_open(f->ctx, in_folder(f, pm_sprintf(f->ctx, "%s/best.safetensors", run)), &file), PM_OK);
    const pm_st_tensor *t = pm_st_find(file, name);
    assert_non_null(t);
    assert_in_range(t->rows * t->cols, 1, most);
    assert_int_equal(pm_st_read_rows(file, name, 0, t->rows, values), PM_OK);
    const int64_t count = t->rows * t->cols;
    pm_st_close(&file);
    return count;
}

static void frozen_parameters_keep_their_bits(void **state)
{
    const fixture *f = *state;
    enum { ENCODER = 60 * 4, HEAD = 4 * 60 };
    static float encoder[2][ENCODER], near[2][HEAD], far[2][HEAD];
    const char *settings[8], *runs[] = { "one", "two" };
    for (int i = 0; i < 2; i++) {
        pm_spec spec = spec_of(settings, i ? "second=on" : "second=off");
        spec.epochs = 12;
        spec.settings = (const char *[]){ settings[0], settings[1], settings[2], "lr=0.3", settings[4] };    // the last epoch is not the best
        train_whole(&spec, in_folder(f, runs[i]));
        read_best(f, runs[i], "encoder.w", encoder[i], ENCODER);
        read_best(f, runs[i], "near.w", near[i], HEAD);
        read_best(f, runs[i], "far.w", far[i], HEAD);
    }
    assert_memory_equal(encoder[0], encoder[1], sizeof encoder[0]);
    assert_memory_not_equal(near[0], near[1], sizeof near[0]);
    assert_memory_not_equal(far[0], far[1], sizeof far[0]);
}

static void a_solving_pass_sees_every_row(void **state)
{
    const fixture *f = *state;
    float seen[60];
    uint32_t popularity[60];
    const char *settings[8];
    const pm_spec spec = spec_of(settings, NULL);
    pm_ctx *ctx;
    pm_result *r;
    char message[512];
    if (train_until(&spec, in_folder(f, "run"), -1, 1, &r, &ctx, message) != PM_OK) fail_msg("%s", message);
    const int64_t count = read_best(f, "run", "seen", seen, 60);
    assert_int_equal(count, r->split->train.cols);
    pm_popularity(&r->split->train, popularity);
    for (int i = 0; i < count; i++) assert_true(seen[i] == (float)popularity[i]);
    assert_int_equal(r->epoch_count, 4 + 3);
    assert_int_equal(r->loss_count, 3);
    assert_true(r->epoch_log[0].loss[0] > 0 && r->epoch_log[0].loss[1] > 0 && isnan(r->epoch_log[0].loss[2]));
    assert_true(r->epoch_log[5].loss[0] > 0 && isnan(r->epoch_log[5].loss[1]) && r->epoch_log[5].loss[2] > 0);
    const int64_t users = (r->split->train.rows + 19) / 20, items = (count + 6) / 7;
    assert_int_equal(r->steps, 4 * (users + items) + 3 * users);
    pm_ctx_destroy(&ctx);
}

static void stopped_anywhere(void **state)
{
    const fixture *f = *state;
    for (int refit = 0; refit < 2; refit++) {
        const char *settings[8];
        char message[512], when[64];
        pm_spec spec = spec_of(settings, NULL);
        spec.refit = refit;
        spec.epochs = 2;
        const char *whole = in_folder(f, refit ? "whole2" : "whole"), *run = in_folder(f, refit ? "run2" : "run");
        train_whole(&spec, whole);
        int stops = 0;
        for (int at = 0;; at += 1 + at % 3) {
            pm_status st = train_until(&spec, run, at, 1, NULL, NULL, message);
            const bool stopped = st == PM_ERR_CANCELLED;
            if (stopped) st = train_until(NULL, run, -1, 1, NULL, NULL, message);
            snprintf(when, sizeof when, "refit %d, stopped at report %d", refit, at);
            if (st != PM_OK) fail_msg("%s: %s", when, message);
            assert_same_run(whole, run, when);
            remove_folder(run);
            if (!stopped) break;
            stops++;
        }
        assert_true(stops > 4);
    }
}

static void a_misspelt_word_is_said(void **state)
{
    const fixture *f = *state;
    const char *settings[8];
    char message[512];
    const pm_spec spec = spec_of(settings, "word=fat.");
    assert_int_equal(train_until(&spec, in_folder(f, "run"), -1, 1, NULL, NULL, message), PM_ERR_ARG);
    assert_non_null(strstr(message, "pass far trains \"fat.\""));
}

// Of training, and of the rows that the users of the pairs have at test time, with what validation had to find.
static void encodings_are_of_what_is_known(void **state)
{
    const fixture *f = *state;
    for (int at = 0; at < 2; at++) {
        const char *run = in_folder(f, at ? "at" : "all"), *csv = in_folder(f, "pairs.csv");
        pm_spec spec = { .model = at ? "counting-at" : "counting", .device = host_device(), .seed = 3, .metrics = "hr@10,ndcg@10",
                         .synth = { .users = 40, .items = 30, .interactions = 300, .clusters = 4 }, .split = { .protocol = "leave-one-out", .negatives = 5 } };
        char message[512];
        pm_ctx *ctx;
        pm_result *r;
        if (train_until(&spec, run, -1, 1, &r, &ctx, message) != PM_OK) fail_msg("%s", message);
        const pm_split *s = r->split;
        uint32_t popularity[64];
        pm_popularity(&s->train, popularity);
        const uint32_t user = s->test.user[3];
        int64_t v = 0;
        while (s->valid.user[v] != user) v++;
        const uint32_t held = s->valid.target.col[s->valid.target.indptr[v]];
        FILE *file = fopen(csv, "w");
        assert_non_null(file);
        for (int64_t i = 0; i < s->train.cols; i++) fprintf(file, "%s,%s\n", pm_ids_name(s->users, user), pm_ids_name(s->items, i));
        fclose(file);
        pm_prediction *p;
        int64_t count;
        const pm_predict_params params = { .run = run, .pairs = { .path = csv } };
        if (pm_predict(f->ctx, &params, &p, &count) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
        assert_int_equal(count, s->train.cols);
        for (int64_t i = 0; i < count; i++) {
            const double want = popularity[i] + (i == held) + (at ? 0.5 : 0);
            if (p[i].score != want) fail_msg("item %d is %g, not %g", (int)i, p[i].score, want);
        }
        pm_recommendation *list;
        const pm_recommend_params asked = { .run = run, .items = (const char *[]){ pm_ids_name(s->items, 0) }, .item_count = 1, .top = 30 };
        if (pm_recommend(f->ctx, &asked, &list, &count) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
        for (int64_t i = 0; i < count; i++) assert_true(list[i].score == popularity[pm_ids_find(s->items, list[i].item)]);
        pm_ctx_destroy(&ctx);
    }
}

// What a failing test or a program in a hurry does. The sanitizers look on.
static void a_context_takes_an_open_session_along(void **state)
{
    (void)state;
    const pm_spec spec = small_spec("mult-dae");
    pm_ctx *ctx;
    pm_spec whole;
    pm_split *split;
    pm_config *config;
    pm_session *s;
    pm_evaluator *e;
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    assert_int_equal(pm_spec_complete(ctx, &spec, &whole), PM_OK);
    assert_int_equal(pm_spec_load(ctx, &whole, &split), PM_OK);
    assert_int_equal(pm_spec_config(ctx, &whole, &config), PM_OK);
    assert_int_equal(pm_session_open(ctx, &(pm_session_params){ .split = split, .config = config, .device = host_device(), .seed = 1 }, &s), PM_OK);
    assert_int_equal(pm_session_prepare_training(s), PM_OK);
    assert_int_equal(pm_evaluator_create(s, &(pm_evaluator_params){ .part = &split->valid, .name = "valid", .depth = 3 }, &e), PM_OK);
    pm_ctx_destroy(&ctx);
    assert_null(ctx);
}

int main(void)
{
    pm_ctx *ctx;
    if (pm_ctx_create(NULL, &ctx) != PM_OK || pm_model_register(ctx, &two_heads) != PM_OK || pm_model_register(ctx, &counting) != PM_OK ||
        pm_model_register(ctx, &counting_at) != PM_OK)
        return 1;
    pm_ctx_destroy(&ctx);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frozen_parameters_keep_their_bits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_solving_pass_sees_every_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopped_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(encodings_are_of_what_is_known, set_up, tear_down),
        cmocka_unit_test(a_context_takes_an_open_session_along),
        cmocka_unit_test_setup_teardown(a_misspelt_word_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("train.passes", tests, NULL, NULL);
}
