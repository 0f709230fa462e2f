// Tables of which a step visits the rows alone that its batch meets: they come to what they do where each step moves all.
#define _DEFAULT_SOURCE
#include "train/rig_help.h"

static const char *vulkan;    // the device that was asked for

static rig open_tables(fixture *f, const char *device, const char *model, const char *batch, bool eager)
{
    const char *const settings[] = { strcmp(model, "bpr") == 0 ? "latent=4" : "factors=4", "negatives=1", batch, "init=0.3", "lr=0.01" };
    const pm_spec spec = { .model = model, .device = device, .seed = 3, .settings = settings, .setting_count = PM_COUNT(settings),
                           .synth = { .users = 120, .items = 80, .interactions = 1200, .clusters = 4 }, .split = { .protocol = "leave-one-out", .negatives = 20 } };
    return open_rig_of(f, &spec, eager);
}

static const char *beside(const char *param, const char *suffix)
{
    static char name[64];
    snprintf(name, sizeof name, "%s%s", param, suffix);
    return name;
}

// Three epochs, the last of them cut off: weights and the optimiser's state are the same at their ends, and a few steps on most rows wait again.
static void waiting_changes_nothing_on(fixture *f, const char *device, const char *model)
{
    static const char *const tables[] = { "user.gmf", "item.gmf", "user.mlp", "item.mlp", "user.factors", "item.factors" };
    rig r[2];
    for (int eager = 0; eager < 2; eager++) {
        r[eager] = open_tables(f, device, model, "batch=4", eager);
        const int64_t steps = r[eager].s->pass[0].steps;
        assert_true(steps > 200);
        for (int epoch = 0; epoch < 3; epoch++) run_steps(f, &r[eager], 0, epoch, epoch < 2 ? steps : steps / 3);
    }
    assert_true(r[0].s->pass[0].catch_up && !r[1].s->pass[0].catch_up);
    for (int i = 0; i < pm_net_param_count(r[0].s->net); i++) {
        const char *name = pm_net_param_name(r[0].s->net, i);
        assert_near(f, &r[0], &r[1], name);
        for (int k = 0; k < 2; k++) assert_near(f, &r[0], &r[1], beside(name, k ? ".adam.v" : ".adam.m"));
    }
    must(f, pm_session_run(r[0].s, 0, &(pm_position){ .step = 0 }, 2));
    for (int i = 0; i < PM_COUNT(tables); i++) {
        int64_t n;
        const char *seen = beside(tables[i], ".adam.seen");
        if (!pm_store_find(r[0].s->store, tables[i], NULL, NULL, NULL)) continue;    // the model has no such table
        assert_false(pm_store_find(r[1].s->store, seen, NULL, NULL, NULL));
        if (strcmp(model, "neumf") == 0 && strcmp(tables[i], "user.mlp") == 0) {    // its rows are those of user.gmf, and counted there
            assert_false(pm_store_find(r[0].s->store, seen, NULL, NULL, NULL));
            continue;
        }
        const int64_t met = rows_that_count(f, &r[0], seen, &n);
        assert_true(met > 0 && met <= 16 && n >= 80);    // two steps of four users, and of as many items and their negatives
    }
    pm_session_close(&r[0].s);
    pm_session_close(&r[1].s);
}

static void waiting_changes_nothing(void **state)
{
    static const char *const models[] = { "gmf", "mlp", "neumf", "bpr" };
    const char *const devices[] = { vulkan ? vulkan : "ref", vulkan ? NULL : host_device() };
    for (int d = 0; d < 2 && devices[d]; d++)
        for (int m = 0; m < PM_COUNT(models); m++) waiting_changes_nothing_on(*state, devices[d], models[m]);
}

// A batch of 15 users of 120 and 30 items of 80 lets users wait and no item; one of 16 lets none wait.
static void few_rows_alone_wait(void **state)
{
    fixture *f = *state;
    static const char *const seen[] = { "user.gmf.adam.seen", "item.gmf.adam.seen" };
    for (int one_more = 0; one_more < 2; one_more++) {
        rig r = open_tables(f, host_device(), "gmf", one_more ? "batch=16" : "batch=15", false);
        assert_true((r.s->pass[0].catch_up != NULL) == !one_more);
        assert_true(pm_store_find(r.s->store, seen[0], NULL, NULL, NULL) == !one_more && !pm_store_find(r.s->store, seen[1], NULL, NULL, NULL));
        pm_session_close(&r.s);
    }
}

// A weight that no gradient reaches in the second epoch, by a leap to each of its steps, against the steps themselves in double.
static void leaps_of_adam(void **state)
{
    fixture *f = *state;
    rig r = open_tables(f, host_device(), "gmf", "batch=4", false);
    int64_t steps, n;
    pm_progress_state at = { .config = r.config, .steps_per_epoch = r.s->pass[0].steps, .epoch = 1 };
    must(f, pm_waiting_write(r.s, 0, &at));
    const float *rate = values_of(f, &r, "rows.rates.0", &steps), *power = values_of(f, &r, "rows.power", &n);
    assert_true(steps == at.steps_per_epoch && n == 3 * steps && steps > 200);
    double w = 0, m = 0.25, v = 1e-3, sum = 0;
    const double root = sqrt(v);
    for (int64_t k = 0; k < steps; k++) {
        const double real = pm_adam_rate(0.01, 0.9, 0.999, steps + k + 1);
        assert_true(fabs((double)rate[k] - real) <= 1e-7 * real);
        m *= 0.9;
        v *= 0.999;
        w -= real * m / (sqrt(v) + 1e-8);
        sum += (double)rate[k] * (double)power[3 * k] / (root * (double)power[3 * k + 2] + 1e-8);
        assert_true(fabs(-0.25 * sum - w) <= 1e-6 * fabs(w));
        assert_true(fabs(0.25 * (double)power[3 * k] - m) <= 1e-7 * m + 0.25e-9);
        assert_true(fabs(1e-3 * (double)power[3 * k + 1] - v) <= 1e-6 * v);
    }
    assert_true(power[3 * (steps - 1)] == 0 && m > 0);    // nothing is left of it, next to what it was
    pm_session_close(&r.s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(waiting_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(few_rows_alone_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaps_of_adam, set_up, tear_down),
    };
    vulkan = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests_name("train.waiting", tests, NULL, NULL);
}
