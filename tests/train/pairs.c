// The models of single interactions, and cdae: what they learn, what they hold to, whom they can score.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include <math.h>

#include <pumice/state.h>

#include "train/session.h"

typedef struct trial {
    const char *model, *protocol;
    const char *settings[8];
    int64_t     epochs;
} trial;

static pm_spec spec_of(const trial *t)
{
    pm_spec spec = { .model = t->model, .device = host_device(), .seed = 5, .settings = t->settings, .epochs = t->epochs, .metrics = "recall_capped@20",
                     .synth = { .users = 400, .items = 200, .interactions = 8000, .clusters = 8 }, .split = { .protocol = t->protocol, .held_out = 60 } };
    while (t->settings[spec.setting_count]) spec.setting_count++;
    return spec;
}

static double metric_of(const trial *t, double *se)
{
    const pm_spec spec = spec_of(t);
    char message[512];
    pm_ctx *ctx;
    pm_result *r;
    if (train_until(&spec, NULL, -1, 2, &r, &ctx, message) != PM_OK) fail_msg("%s: %s", t->model, message);
    const double mean = r->metrics[0].mean;
    *se = r->metrics[0].se;
    pm_ctx_destroy(&ctx);
    return mean;
}

// Data of eight clusters: what is popular says little of what a user wants.
static void they_learn(void **state)
{
    (void)state;
    static const trial popular[] = { { "item-pop", "random", { NULL }, 0 }, { "item-pop", "strong", { NULL }, 0 } };
    static const trial trials[] = {
        { "bpr", "random", { "latent=16", "batch=500", "lr=0.02", "reg=0.003" }, 12 },
        { "bpr", "random", { "latent=16", "batch=500", "loss=hinge", "optimizer=adagrad", "lr=0.2", "reg=0", "init=0.1" }, 12 },
        { "cml", "random", { "latent=16", "batch=500", "margin=1", "negatives=10" }, 12 },
        { "cdae", "random", { "latent=24", "batch=50", "lr=0.01" }, 20 },
        { "cdae", "strong", { "latent=24", "batch=50", "lr=0.01" }, 20 },
        { "dmf", "strong", { "user_hidden=32", "item_hidden=32", "factors=16", "batch=500", "lr=0.002", "loss=pair" }, 10 },
        { "lfm", "random", { "latent=16", "factors=16", "batch=500", "lr=0.01", "deviation=0.3", "zeros=global" }, 40 },
    };
    double base[2], noise[2];
    for (int i = 0; i < 2; i++) base[i] = metric_of(&popular[i], &noise[i]);
    for (int i = 0; i < PM_COUNT(trials); i++) {
        const bool strong = strcmp(trials[i].protocol, "strong") == 0;
        double se;
        const double got = metric_of(&trials[i], &se);
        if (!(got > base[strong] + 3 * (se + noise[strong]))) fail_msg("%s (trial %d): %.4f, popularity %.4f ± %.4f", trials[i].model, i, got, base[strong], noise[strong] + se);
    }
}

static pm_session *open_session(pm_ctx *ctx, const trial *t, pm_split **split, pm_config **config)
{
    const pm_model *model;
    pm_interactions *data;
    pm_session *s;
    const pm_synth_params synth = { .users = 90, .items = 50, .interactions = 1500, .clusters = 3, .seed = 2 };
    assert_int_equal(pm_model_find(ctx, t->model, &model), PM_OK);
    assert_int_equal(pm_config_create(ctx, model, config), PM_OK);
    for (int i = 0; t->settings[i]; i++) assert_int_equal(pm_config_assign(*config, t->settings[i]), PM_OK);
    assert_int_equal(pm_data_synth(ctx, &synth, &data), PM_OK);
    assert_int_equal(pm_data_split(ctx, data, &(pm_split_params){ .protocol = t->protocol, .seed = 2, .held_out = 20 }, split), PM_OK);
    const pm_session_params params = { .split = *split, .config = *config, .device = host_device(), .seed = 9 };
    assert_int_equal(pm_session_open(ctx, &params, &s), PM_OK);
    if (pm_session_prepare_training(s) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
    return s;
}

// Runs a step, as training does.
static void step(pm_session *s, int64_t t)
{
    const pm_progress_state at = { .config = s->config, .step = t, .steps_per_epoch = s->pass[0].steps };
    const int64_t row = t % s->pass[0].steps * s->pass[0].batch;
    assert_int_equal(pm_session_write_schedule(s, 0, &at, 1), PM_OK);
    assert_int_equal(pm_session_run(s, 0, &(pm_position){ .step = t, .row = row }, 1), PM_OK);
}

// Every user and item lies in the ball after every step.
static void factors_stay_in_the_ball(void **state)
{
    (void)state;
    static const trial t = { "cml", "random", { "latent=7", "batch=100", "radius=0.8", "lr=0.3", "negatives=5" }, 0 };
    static const char *const names[] = { "user.factors", "item.factors" };
    pm_ctx *ctx;
    pm_split *split;
    pm_config *config;
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    pm_session *s = open_session(ctx, &t, &split, &config);
    int touched[2] = { 0 };
    for (int64_t k = 0; k < 15; k++) {
        step(s, k);
        for (int n = 0; n < 2; n++) {
            int64_t rows, cols;
            assert_true(pm_store_find(s->store, names[n], NULL, &rows, &cols));
            float *values = pm_new_array(ctx, float, rows * cols);
            assert_int_equal(pm_store_read(s->store, names[n], values), PM_OK);
            double most = 0;
            for (int64_t i = 0; i < rows; i++) {
                double squares = 0;
                for (int64_t j = 0; j < cols; j++) squares += (double)values[i * cols + j] * (double)values[i * cols + j];
                most = fmax(most, sqrt(squares));
            }
            if (!(most <= 0.8 * (1 + 1e-6))) fail_msg("step %d: the longest of %s is %.9g", (int)k, names[n], most);
            touched[n] += most > 0.8 * (1 - 1e-5);
            pm_free(values);
        }
    }
    assert_true(touched[0] > 5 && touched[1] > 5);    // else the ball would hold nothing back
    pm_session_close(&s);
    pm_ctx_destroy(&ctx);
}

// Without a penalty AdaGrad leaves the users alone that a batch has no interaction of.
static void only_rows_of_the_batch_move(void **state)
{
    (void)state;
    static const trial t = { "bpr", "random", { "latent=4", "batch=10", "reg=0", "optimizer=adagrad", "negatives=2" }, 0 };
    pm_ctx *ctx;
    pm_split *split;
    pm_config *config;
    float before[90 * 4], after[90 * 4];
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    pm_session *s = open_session(ctx, &t, &split, &config);
    assert_true(split->train.rows * 4 <= PM_COUNT(before));
    assert_int_equal(pm_store_read(s->store, "user.factors", before), PM_OK);
    step(s, 0);
    assert_int_equal(pm_store_read(s->store, "user.factors", after), PM_OK);
    int moved = 0;
    for (int64_t u = 0; u < split->train.rows; u++) moved += memcmp(before + u * 4, after + u * 4, 4 * sizeof *before) != 0;
    assert_in_range(moved, 3, 10);
    pm_session_close(&s);
    pm_ctx_destroy(&ctx);
}

// ---- who can be scored ----

static void users_by_id_are_refused_under_strong(void **state)
{
    (void)state;
    static const char *const models[] = { "bpr", "cml", "lfm" };
    for (int i = 0; i < PM_COUNT(models); i++) {
        const trial t = { models[i], "strong", { NULL }, 1 };
        const pm_spec spec = spec_of(&t);
        char message[512];
        assert_int_equal(train_until(&spec, NULL, -1, 1, NULL, NULL, message), PM_ERR_ARG);
        if (!strstr(message, models[i]) || !strstr(message, "by id") || !strstr(message, "--protocol random")) fail_msg("%s", message);
    }
}

// The scores of the first held-out user after a few steps of training.
static void scores_of_new_user(const char *fold_steps, const char *fold_lr, float *scores, uint32_t *known, int *known_count)
{
    const trial t = { "cdae", "strong", { "latent=6", "batch=20", "output=linear", "decay=0", "lr=0.02", fold_steps, fold_lr }, 0 };
    pm_ctx *ctx;
    pm_split *split;
    pm_config *config;
    pm_evaluator *e;
    const uint32_t *ids;
    const float *listed;
    int64_t depth;
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    pm_session *s = open_session(ctx, &t, &split, &config);
    const pm_evaluator_params all = { .part = &split->valid, .name = "valid", .depth = split->train.cols };
    assert_int_equal(pm_evaluator_create(s, &all, &e), PM_OK);
    for (int64_t k = 0; k < 60; k++) step(s, k);
    assert_int_equal(pm_evaluator_lists(e, &ids, &listed, &depth), PM_OK);
    for (int64_t i = 0; i < split->train.cols; i++) scores[i] = NAN;
    for (int64_t k = 0; k < depth && ids[k] < (uint32_t)split->train.cols; k++) scores[ids[k]] = listed[k];
    *known_count = 0;
    for (uint32_t k = split->valid.input.indptr[0]; k < split->valid.input.indptr[1]; k++) known[(*known_count)++] = split->valid.input.col[k];
    pm_session_close(&s);
    pm_ctx_destroy(&ctx);
}

// A new user's factor is fitted: it changes the scores, and settles.
static void a_new_user_is_fitted(void **state)
{
    (void)state;
    static float none[64], few[64], many[64], more[64];
    uint32_t known[64];
    int count;
    scores_of_new_user("fold_steps=0", "fold_lr=0.05", none, known, &count);
    scores_of_new_user("fold_steps=5", "fold_lr=0.05", few, known, &count);
    scores_of_new_user("fold_steps=400", "fold_lr=0.02", many, known, &count);
    scores_of_new_user("fold_steps=800", "fold_lr=0.02", more, known, &count);
    double moved = 0, settled = 0, apart = 0;
    int listed = 0;
    for (int i = 0; i < 50; i++) {
        if (isnan(none[i])) continue;
        listed++;
        moved += fabs((double)none[i] - (double)few[i]);
        apart += fabs((double)none[i] - (double)many[i]);
        settled += fabs((double)many[i] - (double)more[i]);
    }
    assert_true(count > 0 && listed > 10);
    if (!(moved > 0.01 * listed && settled < 0.05 * apart)) fail_msg("moved %g, fitted %g, still moving %g over %d items", moved, apart, settled, listed);
}

// ---- odd data ----

// A user with all items, items that one user alone has (so that a split leaves some unrated), and users with one.
static void a_user_with_all_items_and_items_of_nobody(void **state)
{
    const fixture *f = *state;
    const char *path = in_folder(f, "odd.csv");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 30; i++) fprintf(file, "all,i%d\n", i);
    for (int u = 0; u < 25; u++)
        for (int k = 0; k < 1 + u % 4; k++) fprintf(file, "u%d,i%d\n", u, (u * 3 + k) % 12);
    fclose(file);
    static const char *const models[] = { "bpr", "cml", "cdae" }, *const ways[] = { "uniform", "popular" };
    for (int i = 0; i < 5; i++) {
        char sampling[32], message[512];
        snprintf(sampling, sizeof sampling, "sampling=%s", ways[i % 2]);
        const char *settings[] = { "latent=4", "batch=16", sampling };
        pm_ctx *ctx;
        pm_result *r;
        const pm_spec spec = { .model = models[i / 2], .data = path, .read = { .columns = "1,2" }, .device = host_device(), .settings = settings, .setting_count = i < 4 ? 3 : 2,
                               .epochs = 3, .metrics = "ndcg@5", .split = { .protocol = "random" } };
        if (train_until(&spec, NULL, -1, 1, &r, &ctx, message) != PM_OK) fail_msg("%s, %s: %s", spec.model, sampling, message);
        assert_true(isfinite(r->metrics[0].mean) && r->epoch_count == 3);
        pm_ctx_destroy(&ctx);
    }
}

static void presets_are_legal(void **state)
{
    (void)state;
    static const char *const models[] = { "bpr", "cml", "cdae", "dmf", "lfm" };
    pm_ctx *ctx;
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    for (int i = 0; i < PM_COUNT(models); i++) {
        const pm_model *model;
        assert_int_equal(pm_model_find(ctx, models[i], &model), PM_OK);
        for (const pm_preset *p = model->presets; p->name; p++) {
            pm_config *config;
            assert_int_equal(pm_config_create(ctx, model, &config), PM_OK);
            assert_int_equal(pm_config_preset(config, p->name), PM_OK);
            if (model->check) assert_int_equal(model->check(config, 1000), PM_OK);
        }
    }
    const pm_model *cdae;
    pm_config *config;
    assert_int_equal(pm_model_find(ctx, "cdae", &cdae), PM_OK);
    assert_int_equal(pm_config_create(ctx, cdae, &config), PM_OK);
    assert_int_equal(pm_config_assign(config, "loss=logistic"), PM_OK);
    assert_int_equal(cdae->check(config, 100), PM_ERR_ARG);
    assert_non_null(strstr(pm_ctx_message(ctx), "output=linear"));
    pm_ctx_destroy(&ctx);
}

// ---- towers ----

static void towers_refuse_what_makes_no_sense(void **state)
{
    (void)state;
    static const char *const wrong[][3] = { { "loss=pair", "zeros=global", "zeros=user" }, { "depth=3", "user_hidden=512", "user_hidden" } };
    for (int i = 0; i < PM_COUNT(wrong); i++) {
        const pm_model *dmf;
        pm_config *config;
        pm_ctx *ctx;
        assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
        assert_int_equal(pm_model_find(ctx, "dmf", &dmf), PM_OK);
        assert_int_equal(pm_config_create(ctx, dmf, &config), PM_OK);
        for (int k = 0; k < 2; k++) assert_int_equal(pm_config_assign(config, wrong[i][k]), PM_OK);
        assert_int_equal(dmf->check(config, 100), PM_ERR_ARG);
        if (!strstr(pm_ctx_message(ctx), wrong[i][2])) fail_msg("%s", pm_ctx_message(ctx));
        pm_ctx_destroy(&ctx);
    }
}

// Targets of nce are shares of the largest rating.
static void ratings_below_zero_are_refused(void **state)
{
    const fixture *f = *state;
    const char *path = in_folder(f, "ratings.tsv");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int u = 0; u < 6; u++)
        for (int i = 0; i < 5; i++) fprintf(file, "u%d\ti%d\t%d\n", u, (u + i) % 8, i - 2);
    fclose(file);
    static const char *const settings[] = { "user_hidden=4", "item_hidden=4", "factors=3", "loss=nce" };
    const pm_spec spec = { .model = "dmf", .data = path, .read = { .columns = "1,2,3" }, .device = host_device(), .settings = settings, .setting_count = 4, .epochs = 1,
                           .metrics = "ndcg@5", .split = { .protocol = "random" } };
    char message[512];
    assert_int_equal(train_until(&spec, NULL, -1, 1, NULL, NULL, message), PM_ERR_DATA);
    if (!strstr(message, "--binarize")) fail_msg("%s", message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_learn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(factors_stay_in_the_ball, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_rows_of_the_batch_move, set_up, tear_down),
        cmocka_unit_test_setup_teardown(users_by_id_are_refused_under_strong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_user_is_fitted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_user_with_all_items_and_items_of_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(presets_are_legal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(towers_refuse_what_makes_no_sense, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ratings_below_zero_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("train.pairs", tests, NULL, NULL);
}
