// What training costs beside arithmetic: no allocation between two looks at the clock, an arena near what is live at once, and no more
// memory on the device than the README promises. usage: train_work [DEVICE]
#define _DEFAULT_SOURCE
#include "train_help.h"

#include "train/session.h"

static const char *device = "cpu";

// ---- allocations ---------------------------------------------------------------------------------------------------

typedef struct watch {
    char    what[64];    // the epoch of the last report
    int64_t before;      // allocations up to then
    int     chunks;
    int64_t worst;       // allocations during a chunk
} watch;

static void look(void *user, const pm_progress *p)
{
    watch *w = user;
    if (strcmp(w->what, p->what) == 0) {
        w->chunks++;
        w->worst = PM_MAX(w->worst, memory.count - w->before);
    }
    snprintf(w->what, sizeof w->what, "%s", p->what);
    w->before = memory.count;
}

static bool goes_over_entries(pm_ctx *ctx, const pm_model *model)
{
    pm_config *config;
    pm_pass passes[PM_MAX_PASSES] = { { .axis = PM_AXIS_USERS } };
    assert_int_equal(pm_config_create(ctx, model, &config), PM_OK);
    if (model->passes) model->passes(config, 100, 100, passes);
    pm_free(config);
    return passes[0].axis == PM_AXIS_ENTRIES;
}

static void steps_do_not_allocate(void **state)
{
    (void)state;
    const pm_allocator allocator = { failing_alloc, failing_release, NULL };
    for (int i = 0; i < pm_model_count(); i++) {
        const pm_model *model = pm_model_at(i);
        if (!model->loss) continue;
        watch w = { .worst = 0 };
        pm_ctx *ctx;
        pm_result *r;
        memory = (failing){ .at = -1 };
        assert_int_equal(pm_ctx_create(&(pm_ctx_params){ .allocator = &allocator, .progress = look, .progress_user = &w }, &ctx), PM_OK);
        const char *const settings[] = { goes_over_entries(ctx, model) ? "batch=500" : "batch=20", "epochs=2" };
        const pm_spec spec = { .model = model->name, .settings = settings, .setting_count = PM_COUNT(settings), .device = device,
                               .synth = { .users = 400, .items = 120, .interactions = 6000 },
                               .split = { .protocol = model->by_id ? "random" : "strong" } };
        if (pm_train(ctx, &spec, NULL, &r) != PM_OK) fail_msg("%s: %s", model->name, pm_ctx_message(ctx));
        printf("%s: %d chunks of steps, %d allocations in the worst\n", model->name, w.chunks, (int)w.worst);
        assert_true(w.chunks >= 4);
        assert_int_equal(w.worst, 0);
        pm_ctx_destroy(&ctx);
        assert_int_equal(memory.live, 0);
    }
}

// ---- memory --------------------------------------------------------------------------------------------------------

static void check_arena(const char *model, const char *what, pm_program_stats s)
{
    printf("%s, %s: arena %.1f MB, live at once %.1f MB\n", model, what, (double)s.arena / 1e6, (double)s.live_peak / 1e6);
    if (s.arena > s.live_peak + s.live_peak / 10)
        fail_msg("%s, %s: an arena of %.1f MB for %.1f MB", model, what, (double)s.arena / 1e6, (double)s.live_peak / 1e6);
}

static void check_model(pm_ctx *ctx, const pm_model *model, const pm_split *split)
{
    pm_config *config;
    pm_session *s;
    pm_metric_set *set;
    pm_evaluator *e;
    assert_int_equal(pm_config_create(ctx, model, &config), PM_OK);
    assert_int_equal(pm_session_open(ctx, &(pm_session_params){ .split = split, .config = config, .device = device }, &s), PM_OK);
    if (pm_session_prepare_training(s) != PM_OK) fail_msg("%s: %s", model->name, pm_ctx_message(ctx));
    assert_int_equal(pm_metric_set_parse(s, split->valid.sampled ? "hr@10" : "ndcg@100", &set), PM_OK);
    assert_int_equal(pm_evaluator_create(s, &(pm_evaluator_params){ .part = &split->valid, .name = "valid", .set = set }, &e), PM_OK);
    for (int i = 0; i < s->pass_count; i++) check_arena(model->name, s->pass[i].what.name, pm_program_get_stats(s->pass[i].program));
    check_arena(model->name, "scoring", pm_evaluator_stats(e));
    uint64_t now, peak;
    pm_device_memory(s->device, &now, &peak);
    printf("%s: %.1f MB on the device\n", model->name, (double)peak / 1e6);
    assert_true(now == peak);    // nothing comes and goes while a session is built
    pm_session_close(&s);
}

// As wide as ML-20M, with fewer users: what is planned depends on items and batch. Models that only solve keep matrices of items by items:
// a tenth of that.
static void arenas_are_near_the_bound(void **state)
{
    static const char *const protocols[] = { "strong", "random", "leave-one-out" };
    const fixture *f = *state;
    for (int k = 0; k < 2 * PM_COUNT(protocols); k++) {
        const char *protocol = protocols[k / 2];
        const bool solving = k % 2;
        const pm_spec spec = { .synth = { .users = 2000, .items = solving ? 2011 : 20108, .interactions = 200000 },
                               .split = { .protocol = protocol, .negatives = 100 } };
        pm_split *split;
        assert_int_equal(pm_spec_load(f->ctx, &spec, &split), PM_OK);
        for (int i = 0; i < pm_model_count(); i++) {
            const pm_model *model = pm_model_at(i);
            const bool strong = strcmp(protocol, "strong") == 0, random = strcmp(protocol, "random") == 0;
            if ((model->loss == NULL) == solving && (model->by_id ? !strong : !random)) check_model(f->ctx, model, split);
        }
        pm_free(split);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_do_not_allocate),
        cmocka_unit_test_setup_teardown(arenas_are_near_the_bound, set_up, tear_down),
    };
    if (argc > 1) device = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
