// The denoising autoencoder as a whole: its length in steps, its presets, what it learns, and the settings that it refuses.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include "train/session.h"

static pm_spec spec_of(const char *const *settings, int count, int64_t epochs)
{
    pm_spec spec = small_spec("dae");
    spec.settings = settings;
    spec.setting_count = count;
    spec.epochs = epochs;
    return spec;
}

static void train(const pm_spec *spec, pm_result **result, pm_ctx **ctx)
{
    char message[512];
    if (train_until(spec, NULL, -1, 1, result, ctx, message) != PM_OK) fail_msg("%s", message);
}

// 92 training users are five steps an epoch.
static void length_in_steps(void **state)
{
    (void)state;
    static const char *const settings[] = { "latent=4", "batch=20", "iterations=13" };
    static const struct { int64_t epochs_option, steps, epochs; } cases[] = { { 0, 13, 3 }, { 2, 10, 2 } };
    for (int i = 0; i < PM_COUNT(cases); i++) {
        pm_ctx *ctx;
        pm_result *r;
        const pm_spec spec = spec_of(settings, PM_COUNT(settings), cases[i].epochs_option);
        train(&spec, &r, &ctx);
        assert_int_equal(r->steps, cases[i].steps);
        assert_int_equal(r->epochs, cases[i].epochs);
        pm_result_destroy(&r);
        pm_ctx_destroy(&ctx);
    }
}

static void presets_are_legal(void **state)
{
    (void)state;
    const pm_model *model;
    pm_ctx *ctx;
    int count = 0;
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    assert_int_equal(pm_model_find(ctx, "dae", &model), PM_OK);
    for (const pm_preset *p = model->presets; p->name; p++, count++) {
        pm_config *config;
        assert_int_equal(pm_config_create(ctx, model, &config), PM_OK);
        assert_int_equal(pm_config_preset(config, p->name), PM_OK);
        assert_int_equal(model->check(config, 1000), PM_OK);
        assert_int_equal(pm_config_integer(config, "iterations"), 120000);
    }
    assert_int_equal(count, 7);
    pm_ctx_destroy(&ctx);
}

// Each with the word that its message must have.
static void refuses(void **state)
{
    (void)state;
    static const struct { const char *setting[2], *word; } cases[] = {
        { { "gamma_mi=16" }, "from 1 to 15" },
        { { "gamma_mi=0" }, "from 1 to 15" },
        { { "gamma_mi=2.5" }, "whole number" },
        { { "gamma_plus=0" }, "gamma_plus" },
        { { "a_mi=0" }, "a_mi" },
        { { "a_mi=-5" }, "a_mi" },
        { { "a_mi=nan" }, "a_mi" },
        { { "target_factor=0" }, "target_factor" },
        { { "target_factor=-3" }, "target_factor" },
        { { "epsilon=0.5" }, "epsilon" },
        { { "alpha_enc=-1" }, "alpha_enc" },
        { { "activation=tanh-lin" }, "sig decoder" },
        { { "loss=multinomial" }, "must be linear" },
        { { "loss=multinomial activation=tanh-lin", "target=mean" }, "all items" },
        { { "target=mean loss=cross-entropy", "confidence=2" }, "equation 4" },
    };
    for (int i = 0; i < PM_COUNT(cases); i++) {
        char copy[160], message[512];
        const char *settings[8];
        int n = 0;
        snprintf(copy, sizeof copy, "%s %s", cases[i].setting[0], cases[i].setting[1] ? cases[i].setting[1] : "");
        for (char *at = strtok(copy, " "); at; at = strtok(NULL, " ")) settings[n++] = at;
        const pm_spec spec = spec_of(settings, n, 1);
        const pm_status st = train_until(&spec, NULL, -1, 1, NULL, NULL, message);
        if (st != PM_ERR_ARG || (!strstr(message, cases[i].word))) fail_msg("%s: status %d: %s", cases[i].setting[0], st, message);
    }
}

static double final_loss(const char *const *settings, int count, int64_t epochs, double *first)
{
    pm_ctx *ctx;
    pm_result *r;
    const pm_spec spec = spec_of(settings, count, epochs);
    train(&spec, &r, &ctx);
    const double loss = r->epoch_log[r->epoch_count - 1].loss[0];
    *first = r->epoch_log[0].loss[0];
    pm_result_destroy(&r);
    pm_ctx_destroy(&ctx);
    return loss;
}

// Whatever the loss, training lowers it; sampled sets of a large factor are all items, to the last bit.
static void learns(void **state)
{
    (void)state;
    static const char *const losses[] = { "loss=mil", "loss=square", "loss=cross-entropy", "loss=pair-square", "loss=pair-cross-entropy" };
    for (int i = 0; i < PM_COUNT(losses); i++) {
        const char *settings[] = { losses[i], "latent=8", "batch=20", "lr=0.02", "clip=0", "batch_norm=on", "target_factor=100", "target=all" };
        double first[2], last[2];
        for (int k = 0; k < 2; k++) {
            settings[7] = k ? "target=median" : "target=all";
            last[k] = final_loss(settings, PM_COUNT(settings), 20, &first[k]);
        }
        if (!(last[0] < 0.9 * first[0])) fail_msg("%s went from %g to %g", losses[i], first[0], last[0]);
        assert_true(first[0] == first[1] && last[0] == last[1]);
    }
}

// Twenty users like seven or eight items, rate one 3 and one 1.
static const char *rated_file(const fixture *f)
{
    char text[8192] = "";
    size_t n = 0;
    for (int u = 0; u < 20; u++)
        for (int i = 0; i < 10; i++) n += (size_t)snprintf(text + n, sizeof text - n, "u%d,i%d,%d\n", u, (u + i) % 12, i == 9 ? 1 : i == 8 ? 3 : 5);
    return put_text(f, "rated.csv", text);
}

static const char *const disliking[] = { "latent=4", "batch=7", "dislike_below=2", "gamma_minus=2" };

static pm_spec rated_spec(const fixture *f)
{
    pm_spec spec = spec_of(disliking, PM_COUNT(disliking), 2);
    spec.data = rated_file(f);
    spec.filter = (pm_filter_params){ .has_min_rating = true, .min_rating = 4 };
    spec.split = (pm_split_params){ .protocol = "random" };
    return spec;
}

// Each training row has its likes as 1 and its dislike as -1; a 3 is missing. The split of other models is the same.
static void dislikes_reach_the_model(void **state)
{
    fixture *f = *state;
    pm_split *split, *other;
    pm_config *config;
    const pm_model *model;
    pm_session *s;
    pm_spec spec = rated_spec(f);
    must(f, pm_spec_load(f->ctx, &spec, &split));
    spec.model = "mult-dae";
    must(f, pm_spec_load(f->ctx, &spec, &other));
    assert_int_equal(pm_split_hash(split), pm_split_hash(other));
    assert_int_equal(other->below.nnz, 0);
    must(f, pm_model_find(f->ctx, "dae", &model));
    must(f, pm_config_create(f->ctx, model, &config));
    for (int i = 0; i < PM_COUNT(disliking); i++) must(f, pm_config_assign(config, disliking[i]));
    must(f, pm_session_open(f->ctx, &(pm_session_params){ .split = split, .config = config, .device = host_device(), .seed = 1 }, &s));
    must(f, pm_session_prepare_training(s));
    float val[400];
    uint32_t ptr[21], col[400];
    const int64_t nnz = split->train.nnz + 20;
    int64_t rows, cols;
    assert_true(pm_store_find(s->store, "train.val", NULL, &rows, &cols) && cols == nnz);
    must(f, pm_store_read(s->store, "train.val", val));
    must(f, pm_store_read(s->store, "train.col", col));
    must(f, pm_store_read(s->store, "train.ptr", ptr));
    for (int64_t u = 0; u < 20; u++) {
        char disliked[16];
        int count = 0;
        snprintf(disliked, sizeof disliked, "i%d", (int)(u + 9) % 12);
        for (uint32_t e = ptr[u]; e < ptr[u + 1]; e++) {
            const bool here = strcmp(pm_ids_name(split->items, col[e]), disliked) == 0;
            count += here;
            assert_true(val[e] == (here ? -1 : 1));
        }
        assert_int_equal(count, 1);
    }
    pm_session_close(&s);
}

// What was disliked is never recommended, and a run with dislikes can be used again.
static void dislikes_are_not_recommended(void **state)
{
    fixture *f = *state;
    pm_result *r;
    pm_recommendation *list;
    int64_t count;
    const pm_spec spec = rated_spec(f);
    const char *run = in_folder(f, "run");
    must(f, pm_train(f->ctx, &spec, run, &r));
    pm_result_destroy(&r);
    must(f, pm_recommend(f->ctx, &(pm_recommend_params){ .run = run, .user = "u3", .top = 12 }, &list, &count));
    assert_true(count >= 3);
    for (int64_t i = 0; i < count; i++) assert_string_not_equal(list[i].item, "i0");
    must(f, pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &r));
    pm_result_destroy(&r);
}

static void dislikes_are_refused(void **state)
{
    fixture *f = *state;
    static const struct { const char *setting; double min_rating; const char *protocol, *word; pm_status status; } cases[] = {
        { "dislike_below=4.5", 4, "random", "above what is liked (--min-rating 4)", PM_ERR_ARG },
        { "dislike_below=2", 0, "random", "--min-rating", PM_ERR_ARG },
        { "dislike_below=2", 4, "leave-one-out", "--protocol leave-one-out", PM_ERR_ARG },
        { "dislike_below=1", 4, "random", "no training user rated", PM_ERR_DATA },
        { "loss=square", 4, "random", "loss = mil", PM_ERR_ARG },
        { "input=counts", 4, "random", "no count", PM_ERR_ARG },
    };
    for (int i = 0; i < PM_COUNT(cases); i++) {
        char message[512];
        const char *settings[] = { "latent=4", "dislike_below=2", cases[i].setting };
        pm_spec spec = rated_spec(f);
        spec.settings = settings;
        spec.setting_count = PM_COUNT(settings);
        spec.filter = (pm_filter_params){ .has_min_rating = cases[i].min_rating > 0, .min_rating = cases[i].min_rating };
        spec.split.protocol = cases[i].protocol;
        if (i == 2) spec.metrics = spec.select = "ndcg@10";
        const pm_status st = train_until(&spec, NULL, -1, 1, NULL, NULL, message);
        if (st != cases[i].status || !strstr(message, cases[i].word)) fail_msg("%s: status %d: %s", cases[i].setting, st, message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_in_steps),
        cmocka_unit_test(presets_are_legal),
        cmocka_unit_test(refuses),
        cmocka_unit_test(learns),
        cmocka_unit_test_setup_teardown(dislikes_reach_the_model, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dislikes_are_not_recommended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dislikes_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
