#include "model/suite.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static void print_line(void *user, pm_log_level level, const char *line)
{
    (void)user, (void)level;
    fprintf(stderr, "%s\n", line);
}

void suite_say(suite *s, bool good, const char *format, ...)
{
    va_list args;
    s->ran++;
    s->failed += !good;
    printf("%s ", good ? "pass" : "FAIL");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

static pm_status prove_model(suite *s, const pm_model *model, const char *setting)
{
    pm_model_proof p;
    PM_TRY(pm_model_prove(s->ctx, s->device, model, setting, s->seed, s->steps, &p));
    suite_say(s, p.passed, "%-10s %-24s worst of %.0f: loss %.3g, gradient %.3g, parameters after %" PRId64 " steps %.3g, scores %.3g; %s", model->name,
              setting, PM_MODEL_BOUND, p.loss, p.gradient, s->steps, p.parameter, p.score, p.where);
    return PM_OK;
}

typedef pm_status model_test(suite *s, const pm_model *model, const char *setting);

// Every registered model, every choice of its choices; with PUMICE_TEST_VARIANTS=first as it comes.
static pm_status each_model(suite *s, model_test *test)
{
    char setting[160];
    const char *limit = getenv("PUMICE_TEST_VARIANTS");
    const int most = limit && strcmp(limit, "first") == 0 ? 1 : INT_MAX;
    for (int i = 0; i < pm_model_count(); i++) {
        const pm_model *model = pm_model_at(i);
        if (s->only && strcmp(s->only, model->name) != 0) continue;
        for (int k = 0; k < most && pm_model_variant(model, k, setting, sizeof setting); k++) PM_TRY(test(s, model, setting));
    }
    return PM_OK;
}

static void doctor_row(void *user, const pm_doctor_row *row)
{
    suite *s = user;
    // what the doctor says must follow from its own figures
    const bool honest = row->passed ? row->error <= row->bound : row->note != NULL;
    suite_say(s, row->passed && honest, "%-32s %9.3g of %5.0f %9.3g s %s%s", row->what, row->error, row->bound, row->seconds,
              row->inherited ? "inherited " : "", row->note ? row->note : "");
}

static pm_status run_doctor(suite *s)
{
    int failures = -1;
    PM_TRY(pm_doctor(s->ctx, s->device, doctor_row, s, &failures));
    PM_REQUIRE(s->ctx, failures == s->failed, PM_ERR_INTERNAL, "the doctor counts %d failures, its rows %d", failures, s->failed);
    return PM_OK;
}

static int usage(void)
{
    fputs("usage: model_suite --device D --suite parity|gradient|repeat|overfit|doctor [--model NAME] [--steps N] [--seed N]\n", stderr);
    return 2;
}

static bool has_device(pm_ctx *ctx, const char *name)
{
    pm_device *device;
    if (pm_device_open(ctx, &(pm_device_params){ .name = name }, &device) != PM_OK) return false;
    pm_device_close(&device);
    return true;
}

int main(int argc, char **argv)
{
    suite s = { .seed = 1, .steps = 10 };
    const char *name = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--device") == 0) s.device = argv[i + 1];
        else if (strcmp(argv[i], "--suite") == 0) name = argv[i + 1];
        else if (strcmp(argv[i], "--model") == 0) s.only = argv[i + 1];
        else if (strcmp(argv[i], "--steps") == 0) s.steps = atoll(argv[i + 1]);
        else if (strcmp(argv[i], "--seed") == 0) s.seed = strtoull(argv[i + 1], NULL, 10);
        else return usage();
    }
    if (!s.device || !name || argc % 2 == 0) return usage();
    const pm_ctx_params params = { .log = print_line, .log_level = PM_LOG_WARN, .threads = 1 };
    if (pm_ctx_create(&params, &s.ctx) != PM_OK) return 1;
    if (!has_device(s.ctx, s.device)) {
        const char *need = getenv("PUMICE_NEED_DEVICE");
        printf("no device: %s\n", pm_ctx_message(s.ctx));
        pm_ctx_destroy(&s.ctx);
        return need && need[0] == '1' ? 1 : 77;
    }
    pm_status st = PM_ERR_ARG;
    if (strcmp(name, "parity") == 0) st = each_model(&s, prove_model);
    else if (strcmp(name, "gradient") == 0) st = each_model(&s, suite_gradient);
    else if (strcmp(name, "repeat") == 0) st = suite_repeat(&s);
    else if (strcmp(name, "overfit") == 0) st = suite_overfit(&s);
    else if (strcmp(name, "doctor") == 0) st = run_doctor(&s);
    else usage();
    printf("%d ran on %s, %d failed\n", s.ran, s.device, s.failed);
    pm_ctx_destroy(&s.ctx);
    return st != PM_OK || s.failed || s.ran == 0;
}
