// bench eval: scoring every item for the users of the test part, beside the products in it and beside training on as many users.
#include <math.h>
#include <stdio.h>

#include "cli/bench/bench.h"

static const char METRICS[] = "ndcg@100,recall_capped@20,recall_capped@50";    // lists of 100

// An evaluation under measurement. Sums are over all its batches.
typedef struct eval_samples {
    pm_samples     all, products, ranking, others, host, rival, training;
    pm_program_op *ops;
    int            count;
    double         batches;
} eval_samples;

// ---- measuring -----------------------------------------------------------------------------------------------------

static pm_status run_once(pm_bench *b, pm_session *s, pm_evaluator *e, double *seconds)
{
    pm_metrics *metrics;
    const double before = pm_clock();
    PM_REQUIRE(b->cli->ctx, !pm_ctx_cancelled(b->cli->ctx), PM_ERR_CANCELLED, "interrupted");
    PM_TRY(pm_evaluator_run(e, s, &metrics));
    *seconds = pm_clock() - before;
    pm_metrics_destroy(&metrics);
    return PM_OK;
}

static void take_sample(const pm_program *program, double seconds, eval_samples *m)
{
    double products = 0, ranking = 0, others = 0;
    pm_program_profile(program, m->ops, m->count);
    for (int i = 0; i < m->count; i++) {
        double *sum = m->ops[i].is_product ? &products : pm_name_equal(m->ops[i].op, "top_k") ? &ranking : &others;
        *sum += m->ops[i].seconds * m->batches;
    }
    pm_samples_add(&m->all, seconds);
    pm_samples_add(&m->products, products);
    pm_samples_add(&m->ranking, ranking);
    pm_samples_add(&m->others, others);
    pm_samples_add(&m->host, PM_MAX(seconds - products - ranking - others, 0));
}

// A few steps of each pass: the time of an epoch on as many users.
static pm_status time_training(pm_session *s, int64_t at[PM_MAX_PASSES], double users, double *seconds)
{
    *seconds = 0;
    for (int i = 0; i < s->pass_count; i++) {
        double step;
        PM_TRY(pm_workload_train(s, i, &at[i], 1, &step));    // warms again what evaluation drove out of the caches
        PM_TRY(pm_workload_train(s, i, &at[i], PM_MIN(3, s->pass[i].steps), &step));
        *seconds += step * (double)s->pass[i].total / (double)s->pass[i].batch * users / (double)s->split->train.rows;
    }
    return PM_OK;
}

// Evaluation, the products in it at somebody else's speed, and training on as many users, in turns.
static pm_status measure(pm_bench *b, pm_session *s, pm_evaluator *e, pm_rivals *rivals, eval_samples *m)
{
    const double users = (double)pm_evaluator_part(e)->users;
    int64_t at[PM_MAX_PASSES] = { 0 };
    double seconds;
    PM_TRY(time_training(s, at, users, &seconds));
    PM_TRY(run_once(b, s, e, &seconds));
    for (const double began = pm_clock(); pm_bench_again(b, m->all.count, began);) {
        PM_TRY(run_once(b, s, e, &seconds));
        take_sample(pm_evaluator_program(e), seconds, m);
        PM_TRY(time_training(s, at, users, &seconds));
        pm_samples_add(&m->training, seconds);
        PM_TRY(pm_rivals_run(rivals, &seconds));
        pm_samples_add(&m->rival, seconds * m->batches);
    }
    return pm_trace_program(b->trace, "a batch of evaluation", pm_evaluator_program(e));
}

// ---- telling -------------------------------------------------------------------------------------------------------

static void sum_ops(const eval_samples *m, pm_bench_row *products, pm_bench_row *ranking, pm_bench_row *others)
{
    for (int i = 0; i < m->count; i++) {
        pm_bench_row *row = m->ops[i].is_product ? products : pm_name_equal(m->ops[i].op, "top_k") ? ranking : others;
        row->bytes += m->ops[i].bytes * m->batches;
        if (m->ops[i].is_product) row->flops += m->ops[i].flops * m->batches;
    }
}

static pm_bench_row row_of(const pm_bench *b, const pm_session *s, const char *what, const char *shape, const pm_samples *samples)
{
    pm_bench_row row = { .name = pm_sprintf(s, "%s: %s", s->model->name, what), .time = pm_samples_spread(samples), .host = NAN,
                         .by_device = !b->on_host, .ceiling = NAN };
    snprintf(row.shape, sizeof row.shape, "%s", shape);
    if (!row.name) row.name = what;
    return row;
}

static void add_rows(pm_bench *b, const pm_session *s, const pm_evaluator *e, const eval_samples *m)
{
    char shape[128];
    snprintf(shape, sizeof shape, "users=%" PRId64 " I=%" PRId64 " top=%" PRId64, pm_evaluator_part(e)->users, s->split->train.cols,
             pm_evaluator_depth(e));
    pm_bench_row all = row_of(b, s, "evaluation", shape, &m->all), products = row_of(b, s, "products", shape, &m->products),
                 ranking = row_of(b, s, "top-k", shape, &m->ranking), others = row_of(b, s, "other ops", shape, &m->others),
                 host = row_of(b, s, "lists, metrics", shape, &m->host),
                 training = row_of(b, s, "training on as many", shape, &m->training);
    sum_ops(m, &products, &ranking, &others);
    pm_bench_against_sgemm(b, &products, b->device->backend->sgemm_create ? pm_samples_spread(&m->rival).median : 0);
    pm_bench_against_copy(b, &ranking);
    pm_bench_against_copy(b, &others);
    all.flops = products.flops;
    all.bytes = products.bytes + ranking.bytes + others.bytes;
    all.ceiling = products.ceiling + ranking.ceiling + others.ceiling;
    all.against = "floors";
    all.by_device = host.by_device = training.by_device = false;
    const pm_bench_row *const rows[] = { &all, &products, &ranking, &others, &host, &training };
    for (int i = 0; i < PM_COUNT(rows); i++) pm_bench_add(b, rows[i]);
}

static void add_facts(pm_bench *b, const pm_session *s, const pm_evaluator *e, const eval_samples *m)
{
    const int64_t users = pm_evaluator_part(e)->users;
    const double all = pm_samples_spread(&m->all).median, rival = pm_samples_spread(&m->rival).median;
    const double training = pm_samples_spread(&m->training).median, ranking = pm_samples_spread(&m->ranking).median;
    pm_bench_note(b, "%s: %" PRId64 " users in %.4g s, %.2f of an epoch's training on as many; top-k %.2f of it", s->model->name, users, all,
                  all / training, ranking / all);
    if (rival > 0) pm_bench_note(b, "  %.2f times what its products take at their ceiling", all / rival);
    cJSON *f = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(b->facts, f)) cJSON_Delete(f);
    cJSON_AddStringToObject(f, "model", s->model->name);
    pm_json_add_integer(f, "users", users);
    pm_json_add_integer(f, "items", s->split->train.cols);
    pm_json_add_integer(f, "top", pm_evaluator_depth(e));
    pm_json_add_integer(f, "ops", m->count);
    pm_json_add_real(f, "seconds", all);
    pm_json_add_real(f, "top_k_seconds", ranking);
    pm_json_add_real(f, "metric_seconds", pm_samples_spread(&m->host).median);
    pm_json_add_real(f, "training_seconds", training);
    pm_json_add_real(f, "product_ceiling_seconds", rival > 0 ? rival : NAN);
    pm_json_add_real(f, "per_product_ceiling", all / rival);
    pm_json_add_real(f, "per_training", all / training);
}

// ---- the command ---------------------------------------------------------------------------------------------------

static pm_status bench_evaluator(pm_bench *b, pm_session *s, pm_evaluator *e)
{
    eval_samples m = { .batches = (double)pm_evaluator_batches(e) };
    pm_rivals *rivals;
    m.count = pm_program_profile(pm_evaluator_program(e), NULL, 0);
    m.ops = pm_new_array(s, pm_program_op, m.count);
    PM_CHECK_ALLOC(m.ops);
    PM_TRY(pm_rivals_create(b, pm_evaluator_program(e), &rivals));
    const pm_status st = measure(b, s, e, rivals, &m);
    pm_free(rivals);
    PM_TRY(st);
    add_rows(b, s, e, &m);
    add_facts(b, s, e, &m);
    return PM_OK;
}

static pm_status bench_session(pm_bench *b, const pm_workload *w, pm_session *s)
{
    const pm_split *split = w->split;
    pm_metric_set *set;
    pm_evaluator *e;
    const char *metrics = pm_cli_text(b->cli, "metrics");
    PM_TRY(pm_metric_set_parse(s, metrics ? metrics : METRICS, &set));
    const pm_evaluator_params params = { .part = split->test.users ? &split->test : &split->valid, .name = "test", .set = set };
    PM_TRY(pm_evaluator_create(s, &params, &e));
    return bench_evaluator(b, s, e);
}

static pm_status bench_eval(pm_bench *b)
{
    return pm_workload_each(b, bench_session);
}

static pm_status run_eval(pm_cli *cli)
{
    return pm_bench_run(cli, "eval", bench_eval);
}

static const pm_option_group eval_group = { "Evaluation", (const pm_option[]){
    PM_TEXT("metrics", 'm', "LIST", "what is computed of the lists, which are as long as it takes. Default: ndcg@100,recall_capped@20,recall_capped@50"),
    { 0 } } };

const pm_cli_command pm_cli_bench_eval = {
    .name = "bench eval", .operands = "[OPTION]…",
    .summary = "Times full-catalogue evaluation (scores, mask, top k, metrics) beside its products and beside training.",
    .text = "The users are those of the test part: --held-out N makes them N. Training on as many users is the time of steps by their number over the "
            "batch.",
    .examples = "bench eval\nbench eval --model mult-vae --preset ml-20m --device vulkan", .computes = true, .hypers = true, .run = run_eval,
    .groups = (const pm_option_group *const[]){ &pm_group_workload, &eval_group, &pm_group_bench, &pm_group_read, &pm_group_filter, &pm_group_split,
                                                &pm_group_device, &pm_group_common, NULL },
};
