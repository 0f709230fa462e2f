// The training step of a model, a few steps at a time on request, so that other programs can be timed in turn with it.
//
//     stepper DEVICE DATA MODEL [NAME=VALUE]…
//
// DATA is a file that pumice reads, or USERS,ITEMS,INTERACTIONS of the synthetic generator; every user is trained on. Answers with a
// line of JSON once it is ready, then one for each line on standard input:
//     steps N    trains N steps as pumice train does: schedule, state, program, losses read back. Seconds and losses of each step
//     order N    the rows of the next N steps, without training
//     profile    the ops of a step with the seconds that each took in the last turn; products with their size. Host: what the last turn
//                took a step beyond its ops
// Threads are OMP_NUM_THREADS, else one a core.
#include <stdio.h>
#include <stdlib.h>

#include <pumice/state.h>

#include "core/philox.h"
#include "op/feistel.h"
#include "train/session.h"

typedef struct stepper {
    pm_ctx           *ctx;
    pm_config        *config;
    pm_split          split;
    pm_session       *session;
    pm_progress_state at;
    int64_t           epoch, position;
    double            read, opened, ready;    // seconds on the clock
    double            last;                   // seconds a step of the last chunk
} stepper;

static pm_status load(stepper *s, const char *data)
{
    pm_interactions *all;
    long long users, items, interactions;
    if (sscanf(data, "%lld,%lld,%lld", &users, &items, &interactions) == 3)
        PM_TRY(pm_data_synth(s->ctx, &(pm_synth_params){ users, items, interactions, (int)PM_MIN(40, items), 0, false }, &all));
    else PM_TRY(pm_data_read(s->ctx, &(pm_read_params){ .path = data }, &all));
    s->split = (pm_split){ .protocol = "all", .users = all->users, .items = all->items, .interactions = all->count };
    PM_TRY(pm_csr_build(s->ctx, pm_ids_count(all->users), pm_ids_count(all->items), all->count, all->user, all->item, all->value, NULL,
                        &s->split.train, NULL));
    s->read = pm_clock();
    return PM_OK;
}

static pm_status configure(stepper *s, const char *name, char **settings, int count)
{
    const pm_model *model;
    PM_TRY(pm_model_find(s->ctx, name, &model));
    PM_REQUIRE(s->ctx, model->loss, PM_ERR_ARG, "%s does not train in steps", name);
    PM_TRY(pm_config_create(s->ctx, model, &s->config));
    for (int i = 0; i < count; i++) PM_TRY(pm_config_assign(s->config, settings[i]));
    return PM_OK;
}

static pm_status open_session(stepper *s, const char *device)
{
    const pm_session_params params = { .split = &s->split, .config = s->config, .device = device };
    PM_TRY(pm_session_open(s->ctx, &params, &s->session));
    s->opened = pm_clock();
    PM_TRY(pm_session_prepare_training(s->session));
    s->at = (pm_progress_state){ .config = s->config, .steps_per_epoch = s->session->pass[0].steps };
    s->ready = pm_clock();
    return PM_OK;
}

static void print_ready(const stepper *s, double start)
{
    const pm_session *session = s->session;
    const pm_program_stats stats = pm_program_get_stats(session->pass[0].program);
    const pm_device_info *info = pm_device_get_info(session->device);
    uint64_t now, peak;
    pm_device_memory(session->device, &now, &peak);
    printf("{\"device\":\"%s\",\"name\":\"%s\",\"profile\":\"%s\",\"threads\":%d,\"rows\":%" PRId64 ",\"items\":%" PRId64 ",\"entries\":%" PRId64,
           info->id, info->name, pm_device_profile(session->device), pm_ctx_threads(s->ctx), s->split.train.rows, s->split.train.cols,
           s->split.train.nnz);
    printf(",\"batch\":%" PRId64 ",\"steps_per_epoch\":%" PRId64 ",\"nodes\":%d,\"flops\":%.17g,\"arena\":%" PRId64 ",\"arena_bound\":%" PRId64,
           session->pass[0].batch, session->pass[0].steps, stats.nodes, stats.flops, stats.arena, stats.live_peak);
    printf(",\"memory\":%" PRIu64 ",\"peak_memory\":%" PRIu64 ",\"read_seconds\":%.6f,\"open_seconds\":%.6f,\"prepare_seconds\":%.6f}\n", now, peak,
           s->read - start, s->opened - s->read, s->ready - s->opened);
    fflush(stdout);
}

static pm_status print_losses(stepper *s, int64_t n)
{
    pm_session *session = s->session;
    for (int i = 0; i < session->loss_count; i++) {
        char name[64];
        float values[PM_SLOTS];
        snprintf(name, sizeof name, "log.%s", session->loss_name[i]);
        PM_TRY(pm_store_read_rows(session->store, name, 0, n, values));
        printf("%s\"%s\":[", i ? "," : "{", session->loss_name[i]);
        for (int64_t k = 0; k < n; k++) printf("%s%.9g", k ? "," : "", (double)values[k]);
        printf("]");
    }
    printf("}");
    return PM_OK;
}

// One upload and one submission, within an epoch: what pumice train does between two looks at the clock.
static pm_status chunk(stepper *s, int64_t n)
{
    pm_session *session = s->session;
    const int64_t total = session->pass[0].total;
    const double start = pm_clock();
    PM_TRY(pm_session_write_schedule(session, 0, &s->at, n));
    PM_TRY(pm_session_run(session, 0, &(pm_position){ s->at.step, s->epoch, s->position, 0 }, n));
    const int64_t position = s->position + n * session->pass[0].batch;
    if (position >= total) PM_TRY(pm_session_end_pass(session, 0, &s->at, total));
    printf("{\"steps\":%" PRId64 ",\"losses\":", n);
    PM_TRY(print_losses(s, n));    // reading waits for the work
    const double seconds = pm_clock() - start;
    s->last = seconds / (double)n;
    printf(",\"seconds\":%.9f}", seconds);
    s->at.step += n;
    s->position = position;
    if (s->position >= total) {
        s->position = 0;
        s->at.epoch = ++s->epoch;
    }
    return PM_OK;
}

static pm_status steps(stepper *s, int64_t n)
{
    PM_REQUIRE(s->ctx, n > 0, PM_ERR_ARG, "steps: a number of 1 or more");
    printf("[");
    for (bool first = true; n > 0; first = false) {
        const pm_session_pass *p = &s->session->pass[0];
        const int64_t left = (p->total - s->position + p->batch - 1) / p->batch;
        const int64_t here = PM_MIN(PM_MIN(n, left), PM_SLOTS);
        if (!first) printf(",");
        PM_TRY(chunk(s, here));
        n -= here;
    }
    printf("]\n");
    return PM_OK;
}

static void order(const stepper *s, int64_t n)
{
    const int64_t total = s->session->pass[0].total, batch = s->session->pass[0].batch;
    int64_t epoch = s->epoch, position = s->position;
    printf("[");
    for (int64_t k = 0; k < n; k++) {
        const pm_feistel f = pm_feistel_make(s->session->seed, pm_stream_of_name("epoch"), 0, (uint32_t)epoch, (uint32_t)total);
        printf(k ? ",[" : "[");
        for (int64_t i = position; i < PM_MIN(position + batch, total); i++)
            printf(i > position ? ",%u" : "%u", pm_feistel_at(&f, (uint32_t)i));
        printf("]");
        position += batch;
        if (position >= total) {
            position = 0;
            epoch++;
        }
    }
    printf("]\n");
}

static void print_op(const pm_program_op *op, bool first)
{
    printf("%s{\"op\":\"%s\",\"label\":\"%s\",\"shape\":\"%s\",\"seconds\":%.9f", first ? "" : ",", op->op, op->label ? op->label : "", op->shape,
           op->seconds);
    const pm_product *p = &op->product;
    if (op->is_product)
        printf(",\"m\":%" PRId64 ",\"n\":%" PRId64 ",\"k\":%" PRId64 ",\"ta\":%s,\"tb\":%s", p->m, p->n, p->k, p->ta ? "true" : "false",
               p->tb ? "true" : "false");
    printf("}");
}

static pm_status profile(const stepper *s)
{
    uint64_t now, peak;
    double sum = 0;
    const int count = pm_program_profile(s->session->pass[0].program, NULL, 0);
    pm_program_op *ops = pm_new_array(s->ctx, pm_program_op, count);
    PM_CHECK_ALLOC(ops);
    pm_program_profile(s->session->pass[0].program, ops, count);
    pm_device_memory(s->session->device, &now, &peak);
    printf("{\"ops\":[");
    for (int i = 0; i < count; i++) {
        print_op(&ops[i], i == 0);
        sum += ops[i].seconds;
    }
    printf("],\"step\":%.9f,\"host\":%.9f,\"peak_memory\":%" PRIu64 "}\n", s->last, s->last - sum, peak);
    pm_free(ops);
    return PM_OK;
}

static pm_status serve(stepper *s)
{
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        long long n;
        if (sscanf(line, "steps %lld", &n) == 1) PM_TRY(steps(s, n));
        else if (sscanf(line, "order %lld", &n) == 1) order(s, n);
        else if (strncmp(line, "profile", 7) == 0) PM_TRY(profile(s));
        else return pm_fail(s->ctx, PM_ERR_ARG, "\"%.*s\" is neither steps N, order N nor profile", (int)strcspn(line, "\n"), line);
        fflush(stdout);
    }
    return PM_OK;
}

static pm_status run(stepper *s, int argc, char **argv)
{
    const double start = pm_clock();
    PM_REQUIRE(s->ctx, argc >= 4, PM_ERR_ARG, "usage: stepper DEVICE DATA MODEL [NAME=VALUE]…");
    PM_TRY(configure(s, argv[3], argv + 4, argc - 4));
    PM_TRY(load(s, argv[2]));
    PM_TRY(open_session(s, argv[1]));
    print_ready(s, start);
    return serve(s);
}

static void log_line(void *user, pm_log_level level, const char *line)
{
    (void)user;
    if (level <= PM_LOG_WARN) fprintf(stderr, "stepper: %s\n", line);
}

int main(int argc, char **argv)
{
    stepper s = { 0 };
    if (pm_ctx_create(&(pm_ctx_params){ .log = log_line, .log_level = PM_LOG_WARN }, &s.ctx) != PM_OK) return 1;
    const pm_status st = run(&s, argc, argv);
    pm_session_close(&s.session);
    pm_ctx_destroy(&s.ctx);
    return st == PM_OK ? 0 : 1;
}
