// The AutoRec family as a whole: what each mode trains and what it leaves alone, the border between its phases, what it learns, what it refuses.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include <math.h>

#include "train/safetensors.h"
#include "train/session.h"

static const char *const family[] = { "autorec", "ohns-autorec", "ns-autorec", "nce-autorec" };
static const char *const modes[] = { "mode=joint", "mode=alternating", "mode=limited-fine-tune", "mode=full-fine-tune" };

static pm_spec spec_of(const char *model, const char *const *settings, int count, int64_t epochs)
{
    pm_spec spec = small_spec(model);
    spec.settings = settings;
    spec.setting_count = count;
    spec.epochs = epochs;
    return spec;
}

// ---- which parameters a pass trains --------------------------------------------------------------------------------

typedef struct rig {
    pm_config   *config;
    pm_split    *split;
    pm_session  *s;
    pm_snapshot *before, *after;
} rig;

static void open_rig(fixture *f, const char *model, const char *mode, rig *r)
{
    const pm_model *m;
    const char *settings[] = { "latent=8", "batch=20", "lr=0.01", mode };
    pm_spec spec = spec_of(model, settings, 0, 1);
    spec.split.protocol = "strong";
    must(f, pm_spec_load(f->ctx, &spec, &r->split));
    must(f, pm_model_find(f->ctx, model, &m));
    must(f, pm_config_create(f->ctx, m, &r->config));
    for (int i = 0; i < PM_COUNT(settings); i++) must(f, pm_config_assign(r->config, settings[i]));
    must(f, pm_session_open(f->ctx, &(pm_session_params){ .split = r->split, .config = r->config, .device = host_device(), .seed = 1 }, &r->s));
    must(f, pm_session_prepare_training(r->s));
    must(f, pm_snapshot_create(r->s, r->s, &r->before));
    must(f, pm_snapshot_create(r->s, r->s, &r->after));
}

// Three steps of a pass; every parameter whose name begins with a word of `trained` moves, all others keep their bits.
static void check_pass(fixture *f, rig *r, int pass, const char *trained)
{
    const pm_pass words = { .trains = { trained } };
    const pm_progress_state at = { .config = r->config, .steps_per_epoch = 5 };
    must(f, pm_snapshot_take(r->before, r->s));
    must(f, pm_session_write_schedule(r->s, pass, &at, 3));
    must(f, pm_session_run(r->s, pass, &(pm_position){ .step = 0 }, 3));
    must(f, pm_snapshot_take(r->after, r->s));
    assert_true(pm_net_param_count(r->s->net) == 6);
    for (int i = 0; i < 6; i++) {
        const char *name = pm_net_param_name(r->s->net, i);
        int64_t rows = 0, cols = 0;
        assert_true(pm_store_find(r->s->store, name, NULL, &rows, &cols));
        const bool moved = memcmp(r->before->values[i], r->after->values[i], (size_t)(rows * cols) * 4) != 0;
        if (moved != pm_pass_trains(&words, 0, name)) fail_msg("%s: pass %d %s %s", r->s->model->name, pass, moved ? "moves" : "leaves", name);
    }
}

static void modes_train_what_they_declare(void **state)
{
    fixture *f = *state;
    for (int m = 0; m < 2; m++) {
        const char *model = m ? "nce-autorec" : "ns-autorec", *embedding = m ? "encoder. nce." : "encoder. ns.";
        for (int k = 0; k < PM_COUNT(modes); k++) {
            rig r;
            open_rig(f, model, modes[k], &r);
            assert_int_equal(r.s->pass_count, k < 2 ? 1 : 2);
            assert_int_equal(r.s->phase_count, k < 2 ? 1 : 2);
            check_pass(f, &r, 0, k < 2 ? NULL : embedding);
            if (k >= 2) check_pass(f, &r, 1, k == 2 ? "mse." : "encoder. mse.");
            if (k == 1) {
                const pm_pass *p = &r.s->pass[0].what;
                assert_true(p->parts == 2 && pm_pass_trains(p, 0, "encoder.w") && pm_pass_trains(p, 1, "encoder.w"));
                assert_true(!pm_pass_trains(p, 0, "mse.w") && pm_pass_trains(p, 1, "mse.w") && !pm_pass_trains(p, 1, m ? "nce.w" : "ns.w"));
            }
            pm_session_close(&r.s);
        }
    }
}

// ---- phases --------------------------------------------------------------------------------------------------------

static float *read_best(fixture *f, const char *run, const char *tensor, int64_t *count)
{
    char path[400];
    pm_st_file *file;
    snprintf(path, sizeof path, "%s/best.safetensors", run);
    must(f, pm_st_open(f->ctx, path, &file));
    const pm_st_tensor *t = pm_st_find(file, tensor);
    assert_non_null(t);
    *count = t->rows * t->cols;
    float *values = calloc((size_t)*count, 4);
    must(f, pm_st_read_rows(file, tensor, 0, t->rows, values));
    pm_st_close(&file);
    return values;
}

static bool same_tensor(fixture *f, const char *a, const char *b, const char *name)
{
    int64_t n, m;
    float *x = read_best(f, a, name, &n), *y = read_best(f, b, name, &m);
    const bool same = n == m && memcmp(x, y, (size_t)n * 4) == 0;
    free(x);
    free(y);
    return same;
}

// The first phase of NS-AutoRec is OHNS-AutoRec, step for step. Limited fine-tuning ends with the encoder of its best epoch, whose later ones were worse;
// full fine-tuning moves on from there.
static void second_phase_begins_with_the_best_encoder(void **state)
{
    fixture *f = *state;
    const char *settings[] = { "latent=8", "batch=20", "lr=0.05", "ns_loss=logistic", "mode=limited-fine-tune" };
    pm_spec spec = spec_of("ohns-autorec", settings, 4, 12);
    const char *one = in_folder(f, "one"), *limited = in_folder(f, "limited"), *full = in_folder(f, "full");
    pm_ctx *ctx;
    pm_result *r;
    char message[512];
    spec.patience = 2;
    if (train_until(&spec, one, -1, 1, &r, &ctx, message) != PM_OK) fail_msg("%s", message);
    assert_true(r->best_epoch < r->epochs);    // else this test shows little
    const int64_t embed_epochs = r->epochs;
    pm_ctx_destroy(&ctx);
    spec.model = "ns-autorec";
    spec.setting_count = 5;
    if (train_until(&spec, limited, -1, 1, &r, &ctx, message) != PM_OK) fail_msg("%s", message);
    assert_int_equal(r->epoch_log[embed_epochs - 1].phase, 0);
    assert_int_equal(r->epoch_log[embed_epochs].phase, 1);
    pm_ctx_destroy(&ctx);
    settings[4] = "mode=full-fine-tune";
    train_whole(&spec, full);
    assert_true(same_tensor(f, one, limited, "encoder.w") && same_tensor(f, one, limited, "encoder.b") && same_tensor(f, one, limited, "ns.w"));
    assert_true(!same_tensor(f, one, full, "encoder.w") && same_tensor(f, one, full, "ns.w"));
    assert_true(!same_tensor(f, limited, full, "mse.w"));
}

// Stopped at each report and gone on with, across the border of the phases.
static void resumes_to_the_same_bits(void **state)
{
    fixture *f = *state;
    static const char *const variants[][2] = { { "ns-autorec", "mode=full-fine-tune" }, { "nce-autorec", "mode=limited-fine-tune" }, { "ns-autorec", "mode=alternating" } };
    for (int i = 0; i < PM_COUNT(variants); i++) {
        const char *settings[] = { "latent=8", "batch=20", "lr=0.02", "corruption=0.2", variants[i][1] };
        pm_spec spec = spec_of(variants[i][0], settings, PM_COUNT(settings), 3);
        char message[512];
        const char *whole = in_folder(f, "whole"), *run = in_folder(f, "run");
        pm_status st = PM_ERR_CANCELLED;
        spec.refit = i == 0;
        spec.split = (pm_split_params){ .protocol = "random" };
        train_whole(&spec, whole);
        int at = 0;
        for (; st == PM_ERR_CANCELLED; at += 2) {
            st = train_until(&spec, run, at, 1, NULL, NULL, message);
            for (int k = 0; st == PM_ERR_CANCELLED && k < 40; k++) st = train_until(NULL, run, 3, 1, NULL, NULL, message);
            if (st != PM_OK) fail_msg("%s", message);
            assert_same_run(whole, run, variants[i][1]);
            remove_folder(run);
            if (at < 12) st = PM_ERR_CANCELLED;    // on to the next place to stop at
        }
        remove_folder(whole);
    }
}

// ---- learning ------------------------------------------------------------------------------------------------------

static void learns(void **state)
{
    (void)state;
    for (int i = 0; i < PM_COUNT(family); i++)
        for (int k = 0; k < (i < 2 ? 1 : PM_COUNT(modes)); k++) {
            const char *settings[] = { "latent=16", "batch=20", "lr=0.02", "l2=1e-4", modes[k] };
            const pm_spec spec = spec_of(family[i], settings, i < 2 ? 4 : 5, 12);
            char message[512];
            pm_ctx *ctx;
            pm_result *r;
            if (train_until(&spec, NULL, -1, 1, &r, &ctx, message) != PM_OK) fail_msg("%s %s: %s", family[i], modes[k], message);
            for (int l = 0; l < PM_MAX_LOSSES; l++) {
                double first = NAN, last = NAN;
                for (int e = 0; e < r->epoch_count; e++) {
                    const double loss = r->epoch_log[e].loss[l];
                    if (isnan(first)) first = loss;
                    if (!isnan(loss)) last = loss;
                }
                if (!isnan(first) && last != 0 && !(last < first)) fail_msg("%s %s: loss %d goes from %g to %g", family[i], modes[k], l, first, last);
            }
            assert_true(r->validation_count > 0 && r->validation[0].mean > 0.1);
            pm_ctx_destroy(&ctx);
        }
}

// ---- what goes wrong -----------------------------------------------------------------------------------------------

static void expect_refusal(const char *model, const char *const *settings, int count, pm_status status, const char *word)
{
    char message[512];
    const pm_spec spec = spec_of(model, settings, count, 300);
    const pm_status st = train_until(&spec, NULL, -1, 1, NULL, NULL, message);
    if (st != status || !strstr(message, word)) fail_msg("%s %s: status %d: %s", model, settings[count - 1], st, message);
}

static void refuses(void **state)
{
    (void)state;
    for (int i = 1; i < 3; i++) {
        expect_refusal(family[i], (const char *[]){ "negatives=0" }, 1, PM_ERR_ARG, "from 1 to 1e+07");
        expect_refusal(family[i], (const char *[]){ "negatives=-5" }, 1, PM_ERR_ARG, "from 1 to 1e+07");
        expect_refusal(family[i], (const char *[]){ "ns_bound=0", "l2=0" }, 2, PM_ERR_ARG, "l2 (lambda) and ns_bound are 0");
        expect_refusal(family[i], (const char *[]){ "corruption=1.5" }, 1, PM_ERR_ARG, "corruption");
        // Nothing holds these scores: every step makes them larger.
        expect_refusal(family[i], (const char *[]){ "ns_bound=0", "l2=1e-9", "lr=0.1", "latent=16", "batch=20" }, 5, PM_ERR_NUMERIC, "ns_loss = linear");
    }
    expect_refusal("nce-autorec", (const char *[]){ "mode=both" }, 1, PM_ERR_ARG, "joint|alternating");
}

// Items that only one user ever had, and that one in the test part; users who have all items; an input emptied by corruption. All of it trains.
static void odd_data_trains(void **state)
{
    fixture *f = *state;
    char text[4096] = "";
    size_t n = 0;
    for (int u = 0; u < 24; u++)
        for (int i = 0; i < (u < 4 ? 10 : 9); i++)
            if (u < 4 || i == 8 || (u + i) % 3) n += (size_t)snprintf(text + n, sizeof text - n, "u%d,i%d,5,%d\n", u, i, u < 4 ? (i * 7 + u * 3) % 10 : i);
    const char *data = put_text(f, "odd.csv", text);
    static const char *const protocols[] = { "leave-one-out", "strong" };
    for (int i = 0; i < PM_COUNT(family); i++)
        for (int k = 0; k < 2; k++) {
            const char *settings[] = { "latent=4", "batch=7", k ? "corruption=1" : "corruption=0" };
            pm_spec spec = spec_of(family[i], settings, PM_COUNT(settings), 2);
            char message[512];
            spec.data = data;
            spec.split = (pm_split_params){ .protocol = protocols[k], .negatives = k ? 0 : 2, .held_out = k ? 3 : 0 };
            spec.metrics = k ? "recall@2" : "hr@2";
            spec.select = spec.metrics;
            const pm_status st = train_until(&spec, NULL, -1, 1, NULL, NULL, message);
            if (st != PM_OK) fail_msg("%s, %s: %s", family[i], protocols[k], message);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(modes_train_what_they_declare, set_up, tear_down),
        cmocka_unit_test_setup_teardown(second_phase_begins_with_the_best_encoder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(resumes_to_the_same_bits, set_up, tear_down),
        cmocka_unit_test(learns),
        cmocka_unit_test(refuses),
        cmocka_unit_test_setup_teardown(odd_data_trains, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
