#include "op/suite.h"

#include <stdio.h>
#include <stdlib.h>

static void print_line(void *user, pm_log_level level, const char *line)
{
    (void)user, (void)level;
    fprintf(stderr, "%s\n", line);
}

static bool wanted(const suite *s, pm_op op)
{
    return !s->only || pm_name_equal(s->only, pm_op_name(op));
}

static const char *verdict_text(pm_verdict verdict)
{
    static const char *const texts[] = { "pass", "inherited from ref", "unsupported", "FAIL" };
    return texts[verdict];
}

static void print_proof(const suite *s, const pm_proof *p)
{
    const pm_op_info *info = &pm_op_table[p->op];
    printf("%-18s %-19s %3d cases", info->name, verdict_text(p->verdict), p->cases);
    if (p->unsupported) printf(", %d beyond the device's limits", p->unsupported);
    if (p->failed) printf(", %d wrong", p->failed);
    if (info->bound > 0 && !s->second) printf(", worst %.3g of %.3g", p->worst, (double)info->bound);
    if (p->failed || (info->bound > 0 && !s->second && p->where[0])) printf(": %s", p->where);
    printf("\n");
}

// An op that the device should have, and of which no case could be run, is a failure too.
static bool is_wrong(const pm_proof *p)
{
    return p->verdict == PM_VERDICT_FAIL || (p->verdict == PM_VERDICT_UNSUPPORTED && p->unsupported);
}

static pm_status run_proofs(suite *s, bool repeat)
{
    int inherited = 0, unsupported = 0;
    for (int op = 0; op < PM_OP_COUNT; op++) {
        if (!wanted(s, op)) continue;
        pm_proof p;
        PM_TRY(repeat ? pm_proof_repeat(s->device, s->second, op, &s->params, &p) : pm_proof_parity(s->device, op, &s->params, &p));
        print_proof(s, &p);
        s->ops++;
        s->failed += is_wrong(&p);
        inherited += p.verdict == PM_VERDICT_INHERITED;
        unsupported += p.verdict == PM_VERDICT_UNSUPPORTED;
    }
    printf("%d ops on %s: %d failed, %d inherited from ref, %d unsupported\n", s->ops, pm_device_get_info(s->device)->name, s->failed,
           inherited, unsupported);
    return PM_OK;
}

static pm_status run_gradients(suite *s)
{
    for (int op = 0; op < PM_OP_COUNT; op++) {
        if (!wanted(s, op) || !pm_op_table[op].grad) continue;
        int compared;
        double error;
        char where[400] = "";
        PM_TRY(suite_gradient(s, op, &compared, &error, where, sizeof where));
        const bool good = compared > 0 && error <= 4e-6;
        printf("%-18s %s %d derivatives, worst error %.2g: %s\n", pm_op_name(op), good ? "pass" : "FAIL", compared, error, where);
        s->ops++;
        s->failed += !good;
    }
    return PM_OK;
}

static pm_status run_known(suite *s)
{
    PM_TRY(suite_known(s, &s->ops, &s->failed));
    printf("%d known cases, %d failed\n", s->ops, s->failed);
    return PM_OK;
}

static int usage(void)
{
    fputs("usage: op_suite --device D --suite parity|repeat|gradient|known [--op NAME] [--limit FLOPS] [--seed N] [--cases N]\n", stderr);
    return 2;
}

static int missing_device(pm_ctx *ctx)
{
    const char *need = getenv("PUMICE_NEED_DEVICE");
    printf("no device: %s\n", pm_ctx_message(ctx));
    return need && need[0] == '1' ? 1 : 77;
}

// The cpu is compared over one and two threads, other devices with themselves.
static pm_status open_second(suite *s, const char *device, pm_ctx **ctx)
{
    s->second = s->device;
    if (!pm_name_equal(device, "cpu")) return PM_OK;
    PM_TRY(pm_ctx_create(&(pm_ctx_params){ .log = print_line, .log_level = PM_LOG_WARN, .threads = 2 }, ctx));
    return pm_device_open(*ctx, &(pm_device_params){ .name = device }, &s->second);
}

int main(int argc, char **argv)
{
    suite s = { .params = { .seed = 1 } };
    const char *device = NULL, *name = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--device") == 0) device = argv[i + 1];
        else if (strcmp(argv[i], "--suite") == 0) name = argv[i + 1];
        else if (strcmp(argv[i], "--op") == 0) s.only = argv[i + 1];
        else if (strcmp(argv[i], "--limit") == 0) s.params.limit = atof(argv[i + 1]);
        else if (strcmp(argv[i], "--seed") == 0) s.params.seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--cases") == 0) s.params.cases = atoi(argv[i + 1]);
        else return usage();
    }
    if (!device || !name || argc % 2 == 0) return usage();
    const bool gradient = strcmp(name, "gradient") == 0, repeat = strcmp(name, "repeat") == 0;
    pm_ctx *second = NULL;
    if (pm_ctx_create(&(pm_ctx_params){ .log = print_line, .log_level = PM_LOG_WARN, .threads = 1 }, &s.ctx) != PM_OK) return 1;
    if (pm_device_open(s.ctx, &(pm_device_params){ .name = device, .double_precision = gradient }, &s.device) != PM_OK) {
        const int code = missing_device(s.ctx);
        pm_ctx_destroy(&s.ctx);
        return code;
    }
    pm_status st = repeat ? open_second(&s, device, &second) : PM_OK;
    if (st != PM_OK) fprintf(stderr, "the second device cannot be opened\n");
    else if (strcmp(name, "parity") == 0 || repeat) st = run_proofs(&s, repeat);
    else if (gradient) st = run_gradients(&s);
    else if (strcmp(name, "known") == 0) st = run_known(&s);
    else st = PM_ERR_ARG, usage();
    if (st == PM_OK && s.ops == 0) fprintf(stderr, "no op is called \"%s\"\n", s.only ? s.only : "");
    if (second) pm_device_close(&s.second);
    pm_ctx_destroy(&second);
    pm_device_close(&s.device);
    pm_ctx_destroy(&s.ctx);
    return st != PM_OK || s.failed || s.ops == 0;
}
