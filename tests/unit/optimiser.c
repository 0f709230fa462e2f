// What is declared beside Adam: one clip factor for all gradients, limits on rows and columns after the update, statistics that no optimiser touches.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pumice/nn.h>
#include <pumice/state.h>

#include "core/core.h"

enum { R = 3, C = 4, N = R * C };

typedef struct fixture {
    pm_ctx    *ctx;
    pm_device *device;
    pm_store  *store;
    pm_graph  *g;
    pm_net    *net;
    float      slope[2][N];    // what the loss is linear in: its gradient to "m.w" and to "m.b"
} fixture;

static void open_fixture(fixture *f, float scale)
{
    assert_int_equal(pm_ctx_create(NULL, &f->ctx), PM_OK);
    assert_int_equal(pm_device_open(f->ctx, &(pm_device_params){ .name = "cpu" }, &f->device), PM_OK);
    assert_int_equal(pm_store_create(f->device, &f->store), PM_OK);
    assert_int_equal(pm_graph_create(f->store, &f->g), PM_OK);
    assert_int_equal(pm_net_create(f->g, 1, &f->net), PM_OK);
    for (int i = 0; i < N; i++) f->slope[0][i] = scale * (float)(i % 5 - 2), f->slope[1][i] = scale * (float)(i + 1);
    const float rate = 0.5f;
    assert_int_equal(pm_store_add(f->store, "slope.w", PM_F32, R, C), PM_OK);
    assert_int_equal(pm_store_add(f->store, "slope.b", PM_F32, 1, C), PM_OK);
    assert_int_equal(pm_store_add(f->store, "rate", PM_F32, 1, 1), PM_OK);
    assert_int_equal(pm_store_write(f->store, "slope.w", f->slope[0]), PM_OK);
    assert_int_equal(pm_store_write(f->store, "slope.b", f->slope[1]), PM_OK);
    assert_int_equal(pm_store_write(f->store, "rate", &rate), PM_OK);
}

static void close_fixture(fixture *f)
{
    pm_store_destroy(&f->store);
    pm_device_close(&f->device);
    pm_ctx_destroy(&f->ctx);
}

// Declares m.w, m.b and a statistic, and the loss slope.w · m.w + slope.b · m.b.
static void capture_loss(fixture *f)
{
    const pm_var w = pm_param(f->net, "m.w", R, C, (pm_init){ PM_INIT_CONSTANT, 2 });
    const pm_var b = pm_param(f->net, "m.b", 1, C, (pm_init){ PM_INIT_CONSTANT, -1 });
    pm_statistic(f->net, "m.seen", 1, C, (pm_init){ PM_INIT_CONSTANT, 7 });
    const pm_var loss[] = { pm_mul(f->g, w, pm_constant(f->g, "slope.w")), pm_mul(f->g, b, pm_constant(f->g, "slope.b")) };
    pm_backward(f->g, loss, 2);
}

static void run(fixture *f)
{
    pm_program *program;
    assert_int_equal(pm_graph_compile(&f->g, &program), PM_OK);
    assert_int_equal(pm_program_run(program, 1), PM_OK);
    pm_program_destroy(&program);
}

// Adam's first m is a tenth of what it was given.
static void check_given(fixture *f, const char *name, const float *slope, int count, double decay, double weight, double factor)
{
    float m[N];
    assert_int_equal(pm_store_read(f->store, name, m), PM_OK);
    for (int i = 0; i < count; i++) {
        const double want = 0.1 * factor * ((double)slope[i] + decay * weight);
        assert_true(fabs((double)m[i] - want) <= 1e-6 * fabs(want) + 1e-9);
    }
}

static void clipped_together(void **state)
{
    (void)state;
    for (int large = 0; large < 2; large++) {
        fixture f;
        open_fixture(&f, large ? 1.0f : 1e-3f);
        capture_loss(&f);
        const float decay[] = { large ? 0.5f : 0, 0, 0 };
        double squares = 0;
        for (int i = 0; i < N; i++) squares += pow((double)f.slope[0][i] + (double)decay[0] * 2, 2);
        for (int i = 0; i < C; i++) squares += pow((double)f.slope[1][i], 2);
        const double factor = sqrt(squares) > 1 ? 1 / sqrt(squares) : 1;
        assert_true((factor < 1) == large);
        const pm_var clip = pm_clip_gradients(f.net, (const bool[]){ true, true, true }, decay, 1), rate = pm_constant(f.g, "rate");
        for (int i = 0; i < 2; i++) pm_adam_step(f.net, pm_net_param_name(f.net, i), rate, &(pm_optimiser_adam){ .decay = decay[i], .factor = &clip });
        run(&f);
        check_given(&f, "m.w.adam.m", f.slope[0], N, (double)decay[0], 2, factor);
        check_given(&f, "m.b.adam.m", f.slope[1], C, 0, -1, factor);
        close_fixture(&f);
    }
}

// Two steps of AdaGrad and of gradient descent with momentum, worked out beside; a clipped gradient is the clipped one's.
static void others_than_adam(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        fixture f;
        float w[N], kept[N];
        open_fixture(&f, 1);
        capture_loss(&f);
        const bool sgd = k & 1;
        const pm_var half = pm_fill(f.g, 1, 1, 0.5f);
        const pm_optimiser o = { .kind = sgd ? PM_SGD : PM_ADAGRAD, .decay = 0.25f, .momentum = 0.5f, .factor = k & 2 ? &half : NULL };
        pm_optimiser_step(f.net, "m.w", pm_constant(f.g, "rate"), &o);
        pm_program *program;
        assert_int_equal(pm_graph_compile(&f.g, &program), PM_OK);
        assert_int_equal(pm_program_run(program, 2), PM_OK);
        assert_int_equal(pm_store_read(f.store, "m.w", w), PM_OK);
        assert_int_equal(pm_store_read(f.store, sgd ? "m.w.sgd.m" : "m.w.adagrad.sum", kept), PM_OK);
        for (int i = 0; i < N; i++) {
            double x = 2, memory = 0;
            for (int t = 0; t < 2; t++) {
                const double g = ((double)f.slope[0][i] + 0.25 * x) * (k & 2 ? 0.5 : 1);
                memory = sgd ? 0.5 * memory + g : memory + g * g;
                x -= 0.5 * (sgd ? memory : g / sqrt(memory));
            }
            assert_true(fabs((double)w[i] - x) < 1e-5 && fabs((double)kept[i] - memory) < 1e-4);
        }
        pm_program_destroy(&program);
        close_fixture(&f);
    }
}

// Rows wait where they decay and nothing limits them, in the graph that says so and in no other.
static void what_may_wait(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, 1);
    capture_loss(&f);
    pm_param(f.net, "n.w", R, C, (pm_init){ PM_INIT_ZERO, 0 });
    pm_net_max_norm(f.net, "n.w", 1, false);
    assert_true(pm_net_may_wait(f.net, "m.w") && !pm_net_may_wait(f.net, "m.b") && !pm_net_may_wait(f.net, "n.w"));
    assert_true(!pm_net_may_wait(f.net, "m.seen") && !pm_net_may_wait(f.net, "o"));
    pm_net_wait(f.net, "m.w", &(pm_wait){ .met = { 3 }, .missed = { 4 }, .seen = "rows" });
    const pm_wait *how = pm_net_param_wait(f.net, 0);
    assert_true(how && how->met.id == 3 && how->missed.id == 4 && strcmp(how->seen, "rows") == 0);
    assert_true(!pm_net_param_wait(f.net, 1) && !pm_net_param_wait(f.net, 9));
    pm_net_max_norm(f.net, "m.w", 1, false);
    assert_int_equal(pm_graph_status(f.g), PM_ERR_ARG);
    if (!strstr(pm_ctx_message(f.ctx), "max-norm of m.w: its rows wait")) fail_msg("%s", pm_ctx_message(f.ctx));
    pm_graph_destroy(&f.g);
    assert_int_equal(pm_graph_create(f.store, &f.g), PM_OK);
    assert_int_equal(pm_net_capture(f.net, f.g), PM_OK);
    assert_null(pm_net_param_wait(f.net, 0));
    pm_graph_destroy(&f.g);
    close_fixture(&f);
}

// A batch that meets row 1 of three, which has missed so many steps, and a table of powers.
static pm_var meet_one_row(const fixture *f, uint32_t missed, int64_t rows, int64_t cols, const float *power)
{
    assert_int_equal(pm_store_add(f->store, "met", PM_U32, 1, R + 1), PM_OK);
    assert_int_equal(pm_store_add(f->store, "missed", PM_U32, R, 1), PM_OK);
    assert_int_equal(pm_store_add(f->store, "power", PM_F32, rows, cols), PM_OK);
    assert_int_equal(pm_store_write(f->store, "met", (const uint32_t[]){ 0, 0, 1, 1 }), PM_OK);
    assert_int_equal(pm_store_write(f->store, "missed", (const uint32_t[]){ 0, missed, 0 }), PM_OK);
    assert_int_equal(pm_store_write(f->store, "power", power), PM_OK);
    return pm_constant(f->g, "met");
}

// A step on the rows that a batch meets, row 1 of three, once it has leapt over two steps; the others stay.
static void met_rows_alone(void **state)
{
    (void)state;
    fixture f;
    float w[N];
    open_fixture(&f, 1);
    capture_loss(&f);
    const float power[] = { 0.75f, -0.25f, 0.5f, 0.5f, 0.4375f, -0.3125f, 0.625f, 0.125f };
    const pm_var met = meet_one_row(&f, 2, 2, 4, power);
    pm_sgd_catch_up(f.net, "m.w", pm_constant(f.g, "missed"), pm_constant(f.g, "power"));
    pm_optimiser_step(f.net, "m.w", pm_constant(f.g, "rate"), &(pm_optimiser){ .kind = PM_SGD, .decay = 0.5f, .momentum = 0.5f, .met = &met });
    run(&f);
    assert_int_equal(pm_store_read(f.store, "m.w", w), PM_OK);
    for (int i = 0; i < N; i++) {
        const float weight = 0.875f, m = 1.25f, step = 0.5f * m + f.slope[0][i] + 0.5f * weight;    // of (2, 0)
        assert_true(fabsf(w[i] - (i / C == 1 ? weight - 0.5f * step : 2)) < 1e-6f);
    }
    close_fixture(&f);
}

// The same of Adam: moments of 0 that leap stay so.
static void met_rows_alone_of_adam(void **state)
{
    (void)state;
    fixture f;
    float w[N];
    open_fixture(&f, 1);
    capture_loss(&f);
    assert_int_equal(pm_store_add(f.store, "state", PM_U32, 1, PM_STATE_COUNT), PM_OK);
    const pm_var met = meet_one_row(&f, 1, 1, 3, (const float[]){ 0.9f, 0.999f, 0.9995f });
    pm_adam_catch_up(f.net, "m.w", pm_constant(f.g, "missed"), pm_constant(f.g, "state"), pm_constant(f.g, "rate"), pm_constant(f.g, "power"));
    pm_optimiser_step(f.net, "m.w", pm_constant(f.g, "rate"), &(pm_optimiser){ .kind = PM_ADAM, .met = &met });
    run(&f);
    assert_int_equal(pm_store_read(f.store, "m.w", w), PM_OK);
    for (int i = 0; i < N; i++) {
        const double g = (double)f.slope[0][i], by = 0.5 * (1 - (double)0.9f) * g / (sqrt((1 - (double)0.999f) * g * g) + 1e-8);
        assert_true(fabs((double)w[i] - (i / C == 1 ? 2 - by : 2)) < 1e-5);
    }
    close_fixture(&f);
}

static void their_state_is_known(void **state)
{
    (void)state;
    static const char *const known[] = { "a.w.adam.m", "a.w.adam.v", "a.w.adam.seen", "b.adagrad.sum", "c.sgd.m", "d.sgd.seen" }, *const others[] = { "a.w", "adam.w", "log.adam.m.x", ".sgd.m" };
    for (int i = 0; i < PM_COUNT(known); i++) assert_true(pm_is_optimiser_state(known[i]));
    for (int i = 0; i < PM_COUNT(others); i++) assert_false(pm_is_optimiser_state(others[i]));
    assert_true(pm_optimiser_rate(PM_SGD, 0.1, 3) == 0.1 && pm_optimiser_rate(PM_ADAGRAD, 0.1, 3) == 0.1);
    assert_true(pm_optimiser_rate(PM_ADAM, 0.1, 3) == pm_adam_rate(0.1, 0.9, 0.999, 3));
}

// Every row, or column, of 2s is longer than 1 after the update; those that the update leaves alone are too.
static void limited_after_the_update(void **state)
{
    (void)state;
    for (int columns = 0; columns < 2; columns++) {
        fixture f;
        float w[N];
        open_fixture(&f, 1e-30f);
        capture_loss(&f);
        pm_net_max_norm(f.net, "m.w", 1, columns);
        for (int i = 0; i < 2; i++) {
            pm_adam_step(f.net, pm_net_param_name(f.net, i), pm_constant(f.g, "rate"), &(pm_optimiser_adam){ 0 });
            pm_net_constrain(f.net, i);
        }
        run(&f);
        assert_int_equal(pm_store_read(f.store, "m.w", w), PM_OK);
        for (int k = 0; k < (columns ? C : R); k++) {
            double squares = 0;
            for (int i = 0; i < (columns ? R : C); i++) squares += pow((double)w[columns ? i * C + k : k * C + i], 2);
            assert_true(fabs(squares - 1) < 1e-6);
        }
        assert_int_equal(pm_store_read(f.store, "m.b", w), PM_OK);
        assert_true(fabsf(w[0] + 1) < 1e-6f);    // no limit was set for it
        close_fixture(&f);
    }
}

static void statistics_are_kept_but_not_trained(void **state)
{
    (void)state;
    fixture f;
    float seen[C];
    open_fixture(&f, 1);
    capture_loss(&f);
    assert_int_equal(pm_net_param_count(f.net), 3);
    assert_true(pm_net_param_trained(f.net, 0) && pm_net_param_trained(f.net, 1) && !pm_net_param_trained(f.net, 2));
    assert_true(pm_net_param_decays(f.net, 0) && !pm_net_param_decays(f.net, 1) && !pm_net_param_decays(f.net, 2));
    pm_average(f.g, pm_constant(f.g, "m.seen"), pm_constant(f.g, "slope.b"), 0.5f);
    run(&f);
    assert_int_equal(pm_store_read(f.store, "m.seen", seen), PM_OK);
    assert_true(seen[0] == 4 && seen[3] == 5.5f);
    assert_int_equal(pm_net_reset(f.net), PM_OK);
    assert_int_equal(pm_store_read(f.store, "m.seen", seen), PM_OK);
    assert_true(seen[0] == 7 && seen[3] == 7);
    close_fixture(&f);
}

static void a_limit_needs_a_parameter_and_a_number(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        fixture f;
        pm_program *program;
        open_fixture(&f, 1);
        capture_loss(&f);
        pm_net_max_norm(f.net, k ? "m.w" : "m.q", k ? NAN : 1, false);
        assert_int_equal(pm_graph_compile(&f.g, &program), k ? PM_ERR_ARG : PM_ERR_NOT_FOUND);
        close_fixture(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clipped_together),
        cmocka_unit_test(others_than_adam),
        cmocka_unit_test(what_may_wait),
        cmocka_unit_test(met_rows_alone),
        cmocka_unit_test(met_rows_alone_of_adam),
        cmocka_unit_test(their_state_is_known),
        cmocka_unit_test(limited_after_the_update),
        cmocka_unit_test(statistics_are_kept_but_not_trained),
        cmocka_unit_test(a_limit_needs_a_parameter_and_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
