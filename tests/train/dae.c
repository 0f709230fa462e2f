// The denoising autoencoder as a whole: its length in steps, its presets, what it learns, and the settings that it refuses.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_in_steps),
        cmocka_unit_test(presets_are_legal),
        cmocka_unit_test(refuses),
        cmocka_unit_test(learns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
