// Autoencoders of ratings as a whole: their shapes, both ways to score what is known, ratings that are learned, and what goes wrong.
#define _DEFAULT_SOURCE
#include "train/rig_help.h"

enum { USERS = 60, ITEMS = 36 };

// Ratings from 1 to 5 of two kinds of users for two kinds of items; users differ in how high they rate.
static const char *ratings(const fixture *f)
{
    static char text[65536];
    size_t n = (size_t)snprintf(text, sizeof text, "user,item,rating\n");
    for (unsigned u = 0; u < USERS; u++)
        for (unsigned i = 0; i < ITEMS; i++) {
            const unsigned h = (unsigned)(pm_hash64(&(unsigned[2]){ u, i }, 8, 0) >> 20);
            if (h % 3 != 0) continue;
            n += (size_t)snprintf(text + n, sizeof text - n, "u%u,i%u,%u\n", u, i, 2 + 2 * (u % 2 == i % 2) + (u % 5 == 0));
        }
    return put(f, "ratings.csv", text, n);
}

static pm_spec spec_of(const fixture *f, const char *model, const char *const *settings)
{
    pm_spec spec = { .model = model, .device = host_device(), .seed = 1, .settings = settings, .data = ratings(f), .split = { .protocol = "rating" } };
    while (settings[spec.setting_count]) spec.setting_count++;
    return spec;
}

// ---- sessions ----

static rig open_rig_on(fixture *f, const char *device, const char *model, const char *const *settings)
{
    pm_spec spec = spec_of(f, model, settings);
    spec.device = device;
    return open_rig_of(f, &spec, false);
}

static rig open_rig(fixture *f, const char *model, const char *const *settings)
{
    return open_rig_on(f, host_device(), model, settings);
}

static void assert_shape(const rig *r, const char *name, int64_t rows, int64_t cols)
{
    int64_t m = 0, n = 0;
    assert_true(pm_store_find(r->s->store, name, NULL, &m, &n));
    if (m != rows || n != cols) fail_msg("%s is [%d, %d] instead of [%d, %d]", name, (int)m, (int)n, (int)rows, (int)cols);
}

// Shares of the input, rounded, at least one unit; numbers as they are. No parameter of a model of items has a row an item.
static void sizes(void **state)
{
    fixture *f = *state;
    rig r = open_rig(f, "uencoder", (const char *const[]){ "inner_size=1/1000", NULL });
    assert_shape(&r, "outer.encoder.w", ITEMS, 4);
    assert_shape(&r, "outer.decoder.w", ITEMS, 4);
    assert_shape(&r, "inner.encoder.w", 4, 1);
    pm_session_close(&r.s);
    r = open_rig(f, "vencoder", (const char *const[]){ "outer_size=1/8", "inner_size=3", NULL });
    assert_shape(&r, "outer.encoder.w", USERS, 8);
    assert_shape(&r, "inner.decoder.w", 3, 8);
    for (int i = 0; i < pm_net_param_count(r.s->net); i++) {
        int64_t rows = 0, cols = 0;
        pm_store_find(r.s->store, pm_net_param_name(r.s->net, i), NULL, &rows, &cols);
        assert_true(rows != ITEMS && cols != ITEMS);
    }
    pm_session_close(&r.s);
}

// Fan-in: weights lie within 1 / sqrt(n) on both sides and come near it.
static void first_weights(void **state)
{
    fixture *f = *state;
    rig r = open_rig(f, "uencoder", (const char *const[]){ "outer_size=16", NULL });
    float *w = pm_new_array(r.s, float, ITEMS * 16), least = 0, most = 0;
    must(f, pm_store_read(r.s->store, "outer.encoder.w", w));
    for (int i = 0; i < ITEMS * 16; i++) least = fminf(least, w[i]), most = fmaxf(most, w[i]);
    const float limit = 1 / sqrtf(ITEMS);
    assert_true(most <= limit && least >= -limit && most > 0.97f * limit && least < -0.97f * limit);
    pm_session_close(&r.s);
}

// Known entries alone, and a dense product: the same losses and parameters but for rounding.
static void both_ways_agree(void **state)
{
    fixture *f = *state;
    static const char *const models[] = { "uencoder", "vencoder", "v-autorec" };
    for (int m = 0; m < PM_COUNT(models); m++) {
        float *values[2][32] = { { NULL } }, losses[2][4];
        int64_t sizes_of[32] = { 0 };
        rig r[2];
        for (int dense = 0; dense < 2; dense++) {
            r[dense] = open_rig(f, models[m], (const char *const[]){ dense ? "dense_above=0" : "dense_above=1", "batch=7", NULL });
            run_steps(f, &r[dense], r[dense].s->pass_count - 1, 0, 4);
            must(f, pm_store_read_rows(r[dense].s->store, "log.loss", 0, 4, losses[dense]));
            for (int i = 0; i < pm_net_param_count(r[dense].s->net); i++) {
                int64_t rows = 0, cols = 0;
                pm_store_find(r[dense].s->store, pm_net_param_name(r[dense].s->net, i), NULL, &rows, &cols);
                sizes_of[i] = rows * cols;
                values[dense][i] = pm_new_array(r[dense].s, float, rows * cols);
                must(f, pm_store_read(r[dense].s->store, pm_net_param_name(r[dense].s->net, i), values[dense][i]));
            }
        }
        for (int k = 0; k < 4; k++) assert_true(losses[0][k] > 0 && fabsf(losses[0][k] - losses[1][k]) <= 1e-5f * losses[0][k]);
        for (int i = 0; sizes_of[i]; i++)
            for (int64_t k = 0; k < sizes_of[i]; k++)
                if (!(fabsf(values[0][i][k] - values[1][i][k]) <= 1e-5f)) fail_msg("%s: parameter %d [%d]: %g and %g", models[m], i, (int)k, (double)values[0][i][k], (double)values[1][i][k]);
        pm_session_close(&r[0].s);
        pm_session_close(&r[1].s);
    }
}

// ---- rows that wait ----

// Gradient descent with momentum and decay, or Adam without, three epochs with falling rates of a batch a row: where rows wait weights and moments come to what
// they do where all are moved in each step, and in the second epoch they had to wait for it. In the first pass, whose optimiser goes on in the last one.
static void waiting_changes_nothing_on(fixture *f, const char *device, const char *model, bool adam)
{
    static const char *const moments[2][2] = { { "outer.encoder.w.sgd.m", "outer.decoder.w.sgd.m" }, { "outer.encoder.w.adam.m", "outer.decoder.w.adam.v" } };
    static const char *const names[2][2] = { { "train.sgd.seen", "train_t.sgd.seen" }, { "train.adam.seen", "train_t.adam.seen" } };
    const char *seen = names[adam][model[0] != 'u'];
    rig r[2];
    for (int dense = 0; dense < 2; dense++) {
        r[dense] = open_rig_on(f, device, model, (const char *const[]){ dense ? "dense_above=0" : "dense_above=1", "batch=1", "outer_size=5", "inner_size=4",
                                                                        "outer_lr_decay=0.5", "lr_decay=0.5", adam ? "outer_decay=0" : "outer_decay=0.2", adam ? "decay=0" : "decay=0.3",
                                                                        adam ? "optimizer=adam" : "optimizer=sgd", NULL });
        for (int pass = 0; pass < 3; pass += 2)
            for (int epoch = 0; epoch < 3; epoch++) run_steps(f, &r[dense], pass, epoch, r[dense].s->pass[pass].steps - (pass > 0));
    }
    assert_true(r[0].s->pass[0].catch_up && !r[1].s->pass[0].catch_up && !r[0].s->pass[1].catch_up);
    assert_false(pm_store_find(r[1].s->store, seen, NULL, NULL, NULL));
    int64_t n;
    assert_int_equal(rows_that_count(f, &r[0], seen, &n), 0);
    for (int i = 0; i < 2; i++) assert_near(f, &r[0], &r[1], moments[adam][i]);
    for (int i = 0; i < pm_net_param_count(r[0].s->net); i++) assert_near(f, &r[0], &r[1], pm_net_param_name(r[0].s->net, i));
    must(f, pm_session_run(r[0].s, 0, &(pm_position){ .step = 0 }, 2));
    const int64_t met = rows_that_count(f, &r[0], seen, &n);
    assert_true(met > 0 && met < n - n / 4);
    pm_session_close(&r[0].s);
    pm_session_close(&r[1].s);
}

static const char *vulkan;    // the device that was asked for

static void waiting_changes_nothing(void **state)
{
    const char *const devices[] = { vulkan ? vulkan : "ref", vulkan ? NULL : host_device() };
    for (int d = 0; d < 2 && devices[d]; d++) {
        waiting_changes_nothing_on(*state, devices[d], "uencoder", false);
        waiting_changes_nothing_on(*state, devices[d], "uencoder", true);
        if (vulkan) continue;
        waiting_changes_nothing_on(*state, devices[d], "vencoder", false);
        waiting_changes_nothing_on(*state, devices[d], "vencoder", true);
    }
}

// Weights that no gradient reaches, by leaps of any length, against the steps themselves in double.
static void powers(void **state)
{
    fixture *f = *state;
    rig r = open_rig(f, "uencoder", (const char *const[]){ "dense_above=1", "batch=1", "outer_lr=0.3", "outer_decay=0.5", "momentum=0.9", NULL });
    int64_t n;
    must(f, pm_waiting_write(r.s, 0, &(pm_progress_state){ .config = r.config }));
    const float *p = values_of(f, &r, "rows.power", &n);
    double w[2] = { 1, 0 }, m[2] = { 0, 1 };
    assert_int_equal(n, 4 * r.s->pass[0].steps);
    for (int64_t k = 0; k < n / 4; k++)
        for (int j = 0; j < 2; j++) {
            m[j] = (double)0.9f * m[j] + 0.5 * w[j];
            w[j] -= (double)0.3f * m[j];
            assert_true(p[4 * k + j] == (float)w[j] && p[4 * k + 2 + j] == (float)m[j]);
        }
    pm_session_close(&r.s);
}

// ---- whole runs ----

// What each phase minimises goes down; the last begins far below where the first began.
static void phases_learn(void **state)
{
    fixture *f = *state;
    static const char *const models[] = { "uencoder", "vencoder" };
    for (int m = 0; m < PM_COUNT(models); m++) {
        pm_spec spec = spec_of(f, models[m], (const char *const[]){ "batch=5", "outer_epochs=8", "inner_epochs=3", "inner_lr=0.01", "outer_size=8", "inner_size=6", NULL });
        pm_result *r;
        spec.epochs = 6;
        must(f, pm_train(f->ctx, &spec, NULL, &r));
        const pm_epoch_log *log = r->epoch_log;
        assert_int_equal(r->epoch_count, 17);
        assert_true(log[0].phase == 0 && log[8].phase == 1 && log[11].phase == 2);
        assert_true(log[7].loss[0] < 0.3 * log[0].loss[0] && log[10].loss[1] < 0.5 * log[8].loss[1] && log[11].loss[2] < 0.3 * log[0].loss[0]);
        assert_true(isnan(log[0].loss[1]) && isnan(log[8].loss[0]) && isnan(log[11].loss[1]));
        assert_true(strcmp(r->metrics[0].name, "rmse") == 0 && r->metrics[0].mean < 0.7);    // means alone leave 1
        pm_result_destroy(&r);
    }
}

static void refused(const fixture *f, const char *model, const char *const *settings, pm_status want, const char *word)
{
    char message[512];
    const pm_spec spec = spec_of(f, model, settings);
    const char *run = in_folder(f, "refused");
    const pm_status st = train_until(&spec, run, -1, 1, NULL, NULL, message);
    if (st != want || !strstr(message, word)) fail_msg("%s: status %d: %s", word, (int)st, message);
    remove_folder(run);
}

static void what_cannot_be(void **state)
{
    const fixture *f = *state;
    refused(f, "uencoder", (const char *const[]){ "mask=0.6", "salt=0.3", "gauss=0.2", NULL }, PM_ERR_ARG, "mask + salt + gauss = 1.1");
    refused(f, "vencoder", (const char *const[]){ "outer_mask=1", NULL }, PM_ERR_ARG, "outer_mask + outer_salt + outer_gauss = 1.05");
    refused(f, "vencoder", (const char *const[]){ "inner_salt=0.3", NULL }, PM_ERR_ARG, "inner_mask + inner_salt + inner_gauss = 1.1");
    refused(f, "uencoder", (const char *const[]){ "outer_size=1/0", NULL }, PM_ERR_ARG, "outer_size");
    refused(f, "uencoder", (const char *const[]){ "outer_size=1/", NULL }, PM_ERR_ARG, "outer_size");
    refused(f, "uencoder", (const char *const[]){ "layers=2", "output=linear", "outer_lr=9", NULL }, PM_ERR_NUMERIC, "try a tenth of outer_lr");
    refused(f, "uencoder", (const char *const[]){ "layers=2", "batch=5", "outer_lr=9", NULL }, PM_ERR_NUMERIC, "scores of 0 throughout");
    refused(f, "vencoder", (const char *const[]){ "batch=5", "outer_lr=9", NULL }, PM_ERR_NUMERIC, "training diverged: loss outer");
    refused(f, "u-autorec", (const char *const[]){ "batch=5", "lr=3", "latent=20", NULL }, PM_ERR_NUMERIC, "try a tenth of lr");
}

// A rate that the second half of training cannot bear: caught, named, and what was trained before it stays of use.
static void the_last_good_state_is_kept_of(const fixture *f, const char *const *settings, const char *word)
{
    char message[512];
    const pm_spec spec = spec_of(f, "vencoder", settings);
    const char *run = in_folder(f, "run");
    assert_int_equal(train_until(&spec, run, -1, 1, NULL, NULL, message), PM_ERR_NUMERIC);
    if (!strstr(message, "training diverged: loss loss") || !strstr(message, "try a tenth of lr") || !strstr(message, word)) fail_msg("%s", message);
    assert_tidy(run);
    pm_result *r;
    if (pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_true(r->metric_count > 0 && isfinite(r->metrics[0].mean));
    remove_folder(run);
}

static void the_last_good_state_is_kept(void **state)
{
    the_last_good_state_is_kept_of(*state, (const char *const[]){ "output=linear", "outer_epochs=2", "inner_epochs=1", "lr=9", NULL }, "loss loss is");
    the_last_good_state_is_kept_of(*state, (const char *const[]){ "batch=5", "outer_epochs=2", "inner_epochs=1", "lr=9", NULL }, "scores of 0 throughout");
}

// Scores that stay at 0, for want of a rate, cost what is said of nothing, noise and its weights included; that is no divergence.
static void nothing_learnt_is_no_divergence(void **state)
{
    fixture *f = *state;
    static const char *const models[] = { "uencoder", "vencoder", "v-autorec" };
    for (int m = 0; m < PM_COUNT(models); m++) {
        rig r = open_rig(f, models[m], m < 2 ? (const char *const[]){ "layers=2", "outer_alpha=3", "outer_size=4", NULL } : (const char *const[]){ "latent=4", NULL });
        const char *name = m < 2 ? "outer" : "loss";
        const pm_session_pass *p = &r.s->pass[0];
        float *zeros = pm_new_array(r.s, float, (m == 0 ? ITEMS : USERS) * 4), *logged = pm_new_array(r.s, float, PM_SLOTS);
        double mean = 0;
        must(f, pm_store_write(r.s->store, "outer.decoder.w", zeros));
        must(f, pm_session_write_schedule(r.s, 0, &(pm_progress_state){ .config = r.config, .steps_per_epoch = p->steps }, p->steps));
        must(f, pm_store_write_rows(r.s->store, "schedule", 0, p->steps, zeros));
        must(f, pm_session_run(r.s, 0, &(pm_position){ .step = 0 }, p->steps));
        must(f, pm_store_read_rows(r.s->store, m < 2 ? "log.outer" : "log.loss", 0, p->steps, logged));
        for (int64_t k = 0; k < p->steps; k++) mean += (double)logged[k] / (double)p->steps;
        const double want = r.s->model->nothing(r.config, name, r.s->squares / (double)p->total);
        if (!(fabs(mean / want - 1) < 0.15)) fail_msg("%s: %g, not %g", models[m], mean, want);
        assert_true(r.s->model->nothing(r.config, "inner", 1) == 0);
        pm_session_close(&r.s);
    }
}

// First steps that go too far and come back are none either: the loss is falling.
static void overshooting_is_no_divergence(void **state)
{
    fixture *f = *state;
    const char *const settings[] = { "lr=0.01", "latent=500", "batch=20", NULL };
    pm_spec spec = spec_of(f, "u-autorec", settings);
    pm_result *r;
    rig rated = open_rig(f, "u-autorec", settings);
    spec.epochs = 4;
    if (pm_train(f->ctx, &spec, NULL, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    const double nothing = rated.s->model->nothing(rated.config, "loss", rated.s->squares / USERS);
    if (!(r->epoch_log[0].loss[0] > 2 * nothing && r->epoch_log[3].loss[0] < 0.5 * r->epoch_log[0].loss[0]))
        fail_msg("%g, then %g, %g, %g of %g", r->epoch_log[0].loss[0], r->epoch_log[1].loss[0], r->epoch_log[2].loss[0], r->epoch_log[3].loss[0], nothing);
    pm_session_close(&rated.s);
    pm_result_destroy(&r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest on_vulkan[] = { cmocka_unit_test_setup_teardown(waiting_changes_nothing, set_up, tear_down) };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(waiting_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(powers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sizes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(first_weights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(both_ways_agree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(phases_learn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_good_state_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(overshooting_is_no_divergence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_learnt_is_no_divergence, set_up, tear_down),
    };
    vulkan = argc > 1 ? argv[1] : NULL;
    if (vulkan) return cmocka_run_group_tests_name("train.sdae", on_vulkan, NULL, NULL);
    return cmocka_run_group_tests_name("train.sdae", tests, NULL, NULL);
}
