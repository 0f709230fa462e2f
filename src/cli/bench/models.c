// bench models: a training step of each model, its products beside somebody else's, and what is not products.
#include <math.h>
#include <stdio.h>

#include "cli/bench/bench.h"

static const double CHUNK_SECONDS = 0.1;    // of steps in a row, as training has them

// A step under measurement: samples of its time, and of each op's.
typedef struct step_samples {
    int            pass;      // of the model's
    pm_samples     step, products, others, host, rival, epoch;
    pm_program_op *ops;       // as last profiled
    pm_samples    *each;      // [ops]
    int            count;
    int64_t        chunk;
} step_samples;

// ---- measuring -----------------------------------------------------------------------------------------------------

static pm_status create_samples(const pm_session *s, step_samples *m)
{
    m->count = pm_program_profile(s->pass[m->pass].program, NULL, 0);
    m->ops = pm_new_array(s, pm_program_op, m->count);
    m->each = pm_new_array(s, pm_samples, m->count);
    return m->ops && m->each ? PM_OK : PM_ERR_NOMEM;
}

// Two chunks that are not counted: the first prepares, the second says how many steps a chunk takes.
static pm_status warm_up(pm_session *s, int pass, int64_t *at, int64_t *chunk)
{
    double seconds;
    PM_TRY(pm_workload_train(s, pass, at, 1, &seconds));
    PM_TRY(pm_workload_train(s, pass, at, 1, &seconds));
    *chunk = (int64_t)PM_MIN(ceil(CHUNK_SECONDS / PM_MAX(seconds, 1e-6)), PM_SLOTS);
    return PM_OK;
}

static void take_sample(const pm_session *s, double step, step_samples *m)
{
    double products = 0, others = 0;
    pm_program_profile(s->pass[m->pass].program, m->ops, m->count);
    for (int i = 0; i < m->count; i++) {
        *(m->ops[i].is_product ? &products : &others) += m->ops[i].seconds;
        pm_samples_add(&m->each[i], m->ops[i].seconds);
    }
    pm_samples_add(&m->step, step);
    pm_samples_add(&m->products, products);
    pm_samples_add(&m->others, others);
    pm_samples_add(&m->host, PM_MAX(step - products - others, 0));
}

// Whole epochs where they are short; else they follow from the step.
static pm_status measure_epoch(const pm_bench *b, pm_session *s, int64_t *at, step_samples *m)
{
    const double expected = (double)s->pass[m->pass].steps * pm_samples_spread(&m->step).median;
    const double began = pm_clock();
    while (expected < b->seconds && pm_bench_again(b, m->epoch.count, began)) {
        double seconds, sum = 0;
        for (int64_t left = s->pass[m->pass].steps, n; left; left -= n) {
            n = PM_MIN(left, PM_SLOTS);
            PM_TRY(pm_workload_train(s, m->pass, at, n, &seconds));
            sum += seconds * (double)n;
        }
        pm_samples_add(&m->epoch, sum);
    }
    for (int i = 0; !m->epoch.count && i < m->step.count; i++) m->epoch.of[i] = m->step.of[i] * (double)s->pass[m->pass].steps;
    if (!m->epoch.count) m->epoch.count = m->step.count;
    return PM_OK;
}

static pm_status measure_step(const pm_bench *b, pm_session *s, pm_rivals *rivals, step_samples *m)
{
    int64_t at = 0;
    double seconds;
    PM_TRY(warm_up(s, m->pass, &at, &m->chunk));
    for (const double began = pm_clock(); pm_bench_again(b, m->step.count, began);) {
        PM_REQUIRE(b->cli->ctx, !pm_ctx_cancelled(b->cli->ctx), PM_ERR_CANCELLED, "interrupted");
        PM_TRY(pm_workload_train(s, m->pass, &at, m->chunk, &seconds));
        take_sample(s, seconds, m);
        PM_TRY(pm_rivals_run(rivals, &seconds));
        pm_samples_add(&m->rival, seconds);
    }
    PM_TRY(pm_trace_program(b->trace, s->pass[m->pass].what.name, s->pass[m->pass].program));
    return measure_epoch(b, s, &at, m);
}

// ---- telling -------------------------------------------------------------------------------------------------------

typedef struct story {
    pm_bench         *b;
    const pm_session *s;
    step_samples     *m;
    pm_rivals        *rivals;
    char              title[96], shape[128];
    double            flops, product_bytes, bytes;    // of products, of products, of all else
} story;

static pm_bench_row row_of(const story *t, const char *what, const pm_samples *samples)
{
    pm_bench_row row = { .name = pm_sprintf(t->s, "%s: %s", t->title, what), .time = pm_samples_spread(samples), .host = NAN,
                         .by_device = !t->b->on_host, .ceiling = NAN };
    snprintf(row.shape, sizeof row.shape, "%s", t->shape);
    if (!row.name) row.name = what;
    return row;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && pm_name_equal(a, b));
}

// Every op in the order of running; those that read alike are numbered.
static void add_details(const story *t)
{
    for (int i = 0; i < t->m->count; i++) {
        const pm_program_op *op = &t->m->ops[i];
        char what[96];
        int before = 0;
        for (int k = 0; k < i; k++)
            before += same_text(t->m->ops[k].op, op->op) && same_text(t->m->ops[k].label, op->label) && same_text(t->m->ops[k].shape, op->shape);
        snprintf(what, sizeof what, "%s%s%s", op->op, op->label ? " " : "", op->label ? op->label : "");
        if (before) snprintf(what + strlen(what), sizeof what - strlen(what), " #%d", before + 1);
        pm_bench_row row = row_of(t, what, &t->m->each[i]);
        snprintf(row.shape, sizeof row.shape, "%s", op->shape);
        row.flops = op->flops;
        row.bytes = op->bytes;
        if (op->is_product) pm_bench_against_sgemm(t->b, &row, t->b->device->backend->sgemm_create ? pm_rivals_seconds(t->rivals, &op->product) : 0);
        else pm_bench_against_copy(t->b, &row);
        pm_bench_add(t->b, &row);
    }
}

static void add_rows(const story *t)
{
    const step_samples *m = t->m;
    const bool rival = t->b->device->backend->sgemm_create != NULL;
    pm_bench_row products = row_of(t, "products", &m->products), others = row_of(t, "other ops", &m->others), step = row_of(t, "step", &m->step),
                 host = row_of(t, "host work", &m->host), epoch = row_of(t, "epoch", &m->epoch);
    products.flops = t->flops;
    products.bytes = t->product_bytes;
    pm_bench_against_sgemm(t->b, &products, rival ? pm_samples_spread(&m->rival).median : 0);
    others.bytes = t->bytes;
    pm_bench_against_copy(t->b, &others);
    step.flops = t->flops;
    step.bytes = t->product_bytes + t->bytes;
    step.ceiling = products.ceiling + others.ceiling;
    step.against = "floors";
    step.by_device = host.by_device = epoch.by_device = false;
    pm_bench_add(t->b, &step);
    pm_bench_add(t->b, &products);
    pm_bench_add(t->b, &others);
    pm_bench_add(t->b, &host);
    pm_bench_add(t->b, &epoch);
    if (pm_cli_has(t->b->cli, "detail")) add_details(t);
}

static void add_facts(const story *t)
{
    const step_samples *m = t->m;
    const pm_session *s = t->s;
    const pm_program_stats stats = pm_program_get_stats(s->pass[m->pass].program);
    const pm_csr *train = &s->split->train;
    const double step = pm_samples_spread(&m->step).median, products = pm_samples_spread(&m->products).median;
    const double rival = pm_samples_spread(&m->rival).median, host = pm_samples_spread(&m->host).median / step;
    const double rest = (step - products) / rival;
    uint64_t now, peak;
    pm_device_memory(s->device, &now, &peak);
    pm_bench_note(t->b, "%s: %" PRId64 " users, %" PRId64 " items, %" PRId64 " interactions; %" PRId64 " steps an epoch, in chunks of %" PRId64,
                  t->title, train->rows, train->cols, train->nnz, s->pass[m->pass].steps, m->chunk);
    if (rival > 0)
        pm_bench_note(t->b, "  products reach %.2f of their ceiling; all else takes %.2f times what they take there, the whole step %.2f times",
                      rival / products, rest, step / rival);
    pm_bench_note(t->b, "  host work %.2f %% of a step; device memory %.1f MB at most; arena %.1f MB, %.3f of the lower bound", 100 * host,
                  (double)peak / 1e6, (double)stats.arena / 1e6, stats.live_peak ? (double)stats.arena / (double)stats.live_peak : 1.0);
    cJSON *f = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(t->b->facts, f)) cJSON_Delete(f);
    cJSON_AddStringToObject(f, "model", s->model->name);
    cJSON_AddStringToObject(f, "pass", s->pass[m->pass].what.name);
    pm_json_add_integer(f, "users", train->rows);
    pm_json_add_integer(f, "items", train->cols);
    pm_json_add_integer(f, "interactions", train->nnz);
    pm_json_add_integer(f, "batch", s->pass[m->pass].batch);
    pm_json_add_integer(f, "steps_per_epoch", s->pass[m->pass].steps);
    pm_json_add_integer(f, "chunk", m->chunk);
    pm_json_add_integer(f, "ops", stats.nodes);
    pm_json_add_real(f, "step_seconds", step);
    pm_json_add_real(f, "product_seconds", products);
    pm_json_add_real(f, "other_seconds", pm_samples_spread(&m->others).median);
    pm_json_add_real(f, "product_ceiling_seconds", rival > 0 ? rival : NAN);
    pm_json_add_real(f, "product_share", rival / products);
    pm_json_add_real(f, "rest_per_product_ceiling", rest);
    pm_json_add_real(f, "step_per_product_ceiling", step / rival);
    pm_json_add_real(f, "host_share", host);
    pm_json_add_real(f, "epoch_seconds", pm_samples_spread(&m->epoch).median);
    pm_json_add_integer(f, "peak_device_memory", (int64_t)peak);
    pm_json_add_integer(f, "arena", stats.arena);
    pm_json_add_integer(f, "arena_lower_bound", stats.live_peak);
}

static void tell(pm_bench *b, const pm_session *s, pm_rivals *rivals, step_samples *m)
{
    story t = { .b = b, .s = s, .m = m, .rivals = rivals };
    snprintf(t.title, sizeof t.title, s->pass_count > 1 ? "%s/%s" : "%s", s->model->name, s->pass[m->pass].what.name);
    snprintf(t.shape, sizeof t.shape, "batch=%" PRId64 " I=%" PRId64 " U=%" PRId64 " Z=%" PRId64, s->pass[m->pass].batch, s->split->train.cols,
             s->split->train.rows, s->split->train.nnz);
    for (int i = 0; i < m->count; i++) {
        t.flops += m->ops[i].is_product ? m->ops[i].flops : 0;
        t.product_bytes += m->ops[i].is_product ? m->ops[i].bytes : 0;
        t.bytes += m->ops[i].is_product ? 0 : m->ops[i].bytes;
    }
    add_rows(&t);
    add_facts(&t);
}

// ---- the command ---------------------------------------------------------------------------------------------------

static pm_status bench_pass(pm_bench *b, pm_session *s, int pass)
{
    step_samples m = { .pass = pass, .chunk = 1 };
    pm_rivals *rivals = NULL;
    PM_TRY(create_samples(s, &m));
    PM_TRY(pm_rivals_create(b, s->pass[pass].program, &rivals));
    const pm_status st = measure_step(b, s, rivals, &m);
    if (st == PM_OK) tell(b, s, rivals, &m);
    pm_free(rivals);
    return st;
}

static pm_status bench_session(pm_bench *b, const pm_workload *w, pm_session *s)
{
    (void)w;
    for (int i = 0; i < s->pass_count; i++) PM_TRY(bench_pass(b, s, i));
    return PM_OK;
}

static pm_status bench_models(pm_bench *b)
{
    return pm_workload_each(b, bench_session);
}

static pm_status run_models(pm_cli *cli)
{
    return pm_bench_run(cli, "models", bench_models);
}

static const pm_option_group models_group = { "Report", (const pm_option[]){
    PM_FLAG("detail", 0, "also a row for each op of the step"),
    { 0 } } };

const pm_cli_command pm_cli_bench_models = {
    .name = "bench models", .operands = "[OPTION]…",
    .summary = "Times the step and epoch of each model's passes, its products beside the best known here, and all else.",
    .text = "Products are all ops that multiply matrices, whatever they do besides; their share is of OpenBLAS on all threads at the same sizes "
            "(on a GPU of its peak), measured in turns with the steps. The share of all else is of copying the bytes that must move; that of a step "
            "is of both together. Host work is what a step takes beyond the device's time.",
    .examples = "bench models\nbench models --model mult-vae --preset ml-20m --detail\nbench models --device vulkan --trace step.json",
    .computes = true, .hypers = true, .run = run_models,
    .groups = (const pm_option_group *const[]){ &models_group, &pm_group_workload, &pm_group_bench, &pm_group_read, &pm_group_filter,
                                                &pm_group_split, &pm_group_device, &pm_group_common, NULL },
};
