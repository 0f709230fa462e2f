#include "backend/proof.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "backend/host.h"

static pm_kernel *const reference[PM_OP_COUNT] = {
#define PM_OP(name, NAME, ...) [PM_OP_##NAME] = pm_ref_##name,
#include <pumice/ops.def>
#undef PM_OP
};

static const double unit = 1.0 / 16777216.0;

// ---- running a case ------------------------------------------------------------------------------------------------

typedef struct job {
    pm_device       *device;
    pm_buffer       *buffers[PM_MAX_OPERANDS];
    pm_program_impl *program;
} job;

static void job_end(job *j)
{
    if (j->program) j->device->backend->program_destroy(j->program);
    for (int b = 0; b < PM_MAX_OPERANDS; b++)
        if (j->buffers[b]) j->device->backend->buffer_destroy(j->buffers[b]);
}

static pm_status job_begin(job *j, pm_device *device, const pm_case *c)
{
    *j = (job){ .device = device };
    for (int b = 0; b < c->images; b++) {
        PM_TRY(device->backend->buffer_create(device, c->words[b] * 4, &j->buffers[b]));
        PM_TRY(device->backend->upload(j->buffers[b], 0, c->image[b], c->words[b] * 4));
    }
    pm_plan_node node = { .op = c->op, .dims = c->dims, .params = c->params, .label = "proof" };
    memcpy(node.operand, c->operand, sizeof node.operand);
    const pm_plan plan = { .nodes = &node, .count = 1, .buffers = j->buffers, .buffer_count = c->images };
    return device->backend->prepare(device, &plan, &j->program);
}

pm_status pm_proof_run(const void *parent, pm_device *device, const pm_case *c, uint32_t **results)
{
    job j;
    pm_status st = job_begin(&j, device, c);
    if (st == PM_OK) st = device->backend->run(j.program, 1);
    if (st == PM_OK) st = device->backend->wait(device);
    for (int b = 0; b < c->images && st == PM_OK; b++) {
        results[b] = pm_new_array(parent, uint32_t, c->words[b]);
        st = results[b] ? device->backend->download(j.buffers[b], 0, results[b], c->words[b] * 4) : PM_ERR_NOMEM;
    }
    job_end(&j);
    return st;
}

// ---- the reference -------------------------------------------------------------------------------------------------

// Outputs of the reference, dense: declared outputs first, then in-out operands.
typedef struct oracle {
    int      count, operand[PM_MAX_OPERANDS];
    pm_view  view[PM_MAX_OPERANDS];
    double  *scale[PM_MAX_OPERANDS];
} oracle;

static pm_dtype oracle_dtype(const pm_case *c, int o)
{
    return pm_op_table[c->op].sig.operand[o].any32 || c->operand[o].dtype == PM_U32 ? PM_U32 : PM_F64;
}

static pm_status oracle_output(void *parent, const pm_case *c, int o, oracle *r)
{
    const pm_operand *p = &c->operand[o];
    const int k = r->count++;
    r->operand[k] = o;
    r->view[k] = (pm_view){ .dtype = oracle_dtype(c, o), .rows = p->rows, .cols = p->cols, .stride = p->cols };
    r->view[k].data = pm_alloc_array(parent, p->rows * p->cols, r->view[k].dtype == PM_F64 ? 8 : 4);
    r->scale[k] = pm_new_array(parent, double, p->rows * p->cols);
    return r->view[k].data && r->scale[k] ? PM_OK : PM_ERR_NOMEM;
}

static pm_view input_view(const pm_case *c, int o)
{
    const pm_operand *p = &c->operand[o];
    const pm_dtype dtype = pm_op_table[c->op].sig.operand[o].any32 ? PM_U32 : p->dtype;
    return (pm_view){ pm_case_at(c, o, 0, 0), dtype, p->rows, p->cols, p->stride };
}

// Scratch is no output of an oracle: reference kernels use none.
static pm_status ask_oracle(void *parent, const pm_case *c, oracle *r)
{
    const pm_signature *s = &pm_op_table[c->op].sig;
    pm_view views[PM_MAX_OPERANDS] = { { 0 } };
    for (int o = s->ins; o < s->ins + s->outs; o++) {
        PM_TRY(oracle_output(parent, c, o, r));
        views[o] = r->view[r->count - 1];
    }
    for (int o = 0; o < s->ins; o++) {
        views[o] = input_view(c, o);
        if (!s->operand[o].inout) continue;
        PM_TRY(oracle_output(parent, c, o, r));
        const pm_view *copy = &r->view[r->count - 1];
        for (int64_t i = 0; i < copy->rows; i++)
            for (int64_t j = 0; j < copy->cols; j++) pm_set(copy, i, j, pm_get(&views[o], i, j));
        views[o] = *copy;
    }
    const pm_call call = { .op = c->op, .in = views, .out = views + s->ins, .dims = &c->dims, .params = &c->params, .threads = 1,
                           .scale = r->scale };
    return reference[c->op](&call);
}

// ---- judging -------------------------------------------------------------------------------------------------------

// Error in units of 2⁻²⁴ · scale; infinite when one is a number and the other is not.
static double error_of(float y, double ref, double scale, bool exact)
{
    if (isnan(ref)) return isnan(y) ? 0 : INFINITY;
    if (exact) return (double)y == (double)(float)ref ? 0 : INFINITY;
    if (fabs(ref) >= FLT_MAX * (1 - unit)) return fabs((double)y) >= FLT_MAX * (1 - 16 * unit) && (y > 0) == (ref > 0) ? 0 : INFINITY;
    if (!isfinite(y)) return INFINITY;
    if (!isfinite(scale)) return 0;
    return fabs((double)y - ref) / (unit * PM_MAX(scale, 0x1p-100));
}

// Notes the first failure, else the worst element so far.
static void note(pm_proof *p, const pm_case *c, double error, double bound, const char *what)
{
    const bool failed = !(error <= bound);
    if (p->failed ? true : !failed && error <= p->worst && p->where[0]) {
        p->worst = PM_MAX(p->worst, error);
        return;
    }
    char shape[320];
    pm_case_describe(c, shape, sizeof shape);
    snprintf(p->where, sizeof p->where, "%s; %s", what, shape);
    p->worst = PM_MAX(p->worst, error);
}

// Compares one output; true when it is within the bound.
static bool judge_output(pm_proof *p, const pm_case *c, const oracle *r, int k, uint32_t *const *results)
{
    const pm_op_info *info = &pm_op_table[c->op];
    const int o = r->operand[k];
    const pm_operand *q = &c->operand[o];
    const double growth = info->growth >= 0 ? sqrt((double)PM_MAX(c->lengths.of[info->growth], 1)) : 1;
    double worst = -1;
    int64_t wi = 0, wj = 0;
    for (int64_t i = 0; i < q->rows; i++)
        for (int64_t j = 0; j < q->cols; j++) {
            const uint32_t word = results[q->buffer][q->offset / 4 + i * q->stride + j];
            float y;
            memcpy(&y, &word, 4);
            const double error = r->view[k].dtype == PM_U32
                                     ? (word == pm_get_u32(&r->view[k], i, j) ? 0 : INFINITY)
                                     : error_of(y, pm_get(&r->view[k], i, j), r->scale[k][i * q->cols + j], info->bound == 0) / growth;
            if (error > worst) worst = error, wi = i, wj = j;
        }
    if (worst < 0) return true;
    const uint32_t word = results[q->buffer][q->offset / 4 + wi * q->stride + wj];
    float y;
    memcpy(&y, &word, 4);
    char what[256];
    const char *name = info->sig.operand[o].name;
    if (r->view[k].dtype == PM_U32)
        snprintf(what, sizeof what, "%s[%" PRId64 ",%" PRId64 "] is %" PRIu32 ", ref has %" PRIu32, name, wi, wj, word,
                 pm_get_u32(&r->view[k], wi, wj));
    else
        snprintf(what, sizeof what, "%s[%" PRId64 ",%" PRId64 "] is %.9g, ref has %.9g (scale %.3g)", name, wi, wj, (double)y,
                 pm_get(&r->view[k], wi, wj), r->scale[k][wi * q->cols + wj]);
    note(p, c, worst, info->bound, what);
    return worst <= info->bound;
}

// Marks what the op may write: outputs, in-out operands, scratch.
static pm_status mark_writable(void *parent, const pm_case *c, uint8_t **marks)
{
    const pm_signature *s = &pm_op_table[c->op].sig;
    for (int b = 0; b < c->images; b++) {
        marks[b] = pm_new_array(parent, uint8_t, c->words[b]);
        PM_CHECK_ALLOC(marks[b]);
    }
    for (int o = 0; o < s->ins + s->outs + s->temps; o++) {
        const pm_operand *p = &c->operand[o];
        if (o < s->ins && !s->operand[o].inout) continue;
        for (int64_t i = 0; i < p->rows; i++) memset(marks[p->buffer] + p->offset / 4 + i * p->stride, 1, (size_t)p->cols);
    }
    return PM_OK;
}

// Everything else must be as it was; true when it is.
static bool judge_rest(pm_proof *p, const pm_case *c, uint8_t *const *marks, uint32_t *const *results)
{
    for (int b = 0; b < c->images; b++)
        for (int64_t k = 0; k < c->words[b]; k++) {
            if (marks[b][k] || results[b][k] == c->image[b][k]) continue;
            char what[128];
            snprintf(what, sizeof what, "%s at word %" PRId64 " of buffer %d was changed from %08" PRIx32 " to %08" PRIx32,
                     c->image[b][k] == PM_CASE_GUARD ? "a guard" : "an input", k, b, c->image[b][k], results[b][k]);
            note(p, c, INFINITY, 0, what);
            return false;
        }
    return true;
}

static pm_status parity_case(void *parent, pm_device *device, const pm_case *c, pm_proof *out)
{
    uint32_t *results[PM_MAX_OPERANDS] = { 0 };
    uint8_t *marks[PM_MAX_OPERANDS] = { 0 };
    oracle r = { 0 };
    PM_TRY(pm_proof_run(parent, device, c, results));
    PM_TRY(ask_oracle(parent, c, &r));
    PM_TRY(mark_writable(parent, c, marks));
    bool good = judge_rest(out, c, marks, results);
    if (!good) out->failed++;
    for (int k = 0; k < r.count; k++)
        if (!judge_output(out, c, &r, k, results) && good) {
            good = false;
            out->failed++;
        }
    out->cases++;
    return PM_OK;
}

static pm_status repeat_case(void *parent, pm_device *first, pm_device *second, const pm_case *c, pm_proof *out)
{
    uint32_t *a[PM_MAX_OPERANDS] = { 0 }, *b[PM_MAX_OPERANDS] = { 0 };
    const pm_signature *s = &pm_op_table[c->op].sig;
    PM_TRY(pm_proof_run(parent, first, c, a));
    PM_TRY(pm_proof_run(parent, second, c, b));
    out->cases++;
    for (int o = 0; o < s->ins + s->outs; o++) {
        const pm_operand *p = &c->operand[o];
        for (int64_t i = 0; i < p->rows; i++)
            for (int64_t j = 0; j < p->cols; j++) {
                const int64_t at = p->offset / 4 + i * p->stride + j;
                if (a[p->buffer][at] == b[p->buffer][at]) continue;
                char what[128];
                snprintf(what, sizeof what, "%s[%" PRId64 ",%" PRId64 "] is %08" PRIx32 " once and %08" PRIx32 " the next time",
                         s->operand[o].name, i, j, a[p->buffer][at], b[p->buffer][at]);
                note(out, c, INFINITY, 0, what);
                out->failed++;
                return PM_OK;
            }
    }
    return PM_OK;
}

static bool inherited(const pm_device *device, pm_op op)
{
    return pm_name_equal(device->info.backend, "cpu") && !pm_op_table[op].cpu_own;
}

static bool missing(const pm_device *device, pm_op op)
{
    return pm_name_equal(device->info.backend, "vulkan") && !pm_op_table[op].vulkan;
}

// Both suites: each case in memory of its own. second: NULL for parity.
static pm_status prove(pm_device *device, pm_device *second, pm_op op, const pm_proof_params *params, pm_proof *out)
{
    *out = (pm_proof){ .op = op, .verdict = PM_VERDICT_UNSUPPORTED };
    const int cases = missing(device, op) ? 0 : params->cases > 0 ? params->cases : pm_case_count(op);
    const pm_case_params draw = { .seed = params->seed, .limit = params->limit };
    for (int i = 0; i < cases; i++) {
        pm_case *c;
        PM_TRY(pm_case_make(device, op, i, &draw, &c));
        pm_status st = second ? repeat_case(c, device, second, c, out) : parity_case(c, device, c, out);
        pm_free(c);
        if (st == PM_ERR_UNSUPPORTED) out->unsupported++;
        else PM_TRY(st);
        PM_REQUIRE(device, !pm_ctx_cancelled(pm_ctx_of(device)), PM_ERR_CANCELLED, "stopped while proving %s", pm_op_name(op));
    }
    if (out->cases) out->verdict = out->failed ? PM_VERDICT_FAIL : inherited(device, op) ? PM_VERDICT_INHERITED : PM_VERDICT_PASS;
    return PM_OK;
}

pm_status pm_proof_parity(pm_device *device, pm_op op, const pm_proof_params *params, pm_proof *out)
{
    return prove(device, NULL, op, params, out);
}

pm_status pm_proof_repeat(pm_device *first, pm_device *second, pm_op op, const pm_proof_params *params, pm_proof *out)
{
    return prove(first, second, op, params, out);
}

// ---- timing --------------------------------------------------------------------------------------------------------

static pm_status time_job(job *j, double min_seconds, double *seconds)
{
    const pm_backend *b = j->device->backend;
    PM_TRY(b->run(j->program, 1));    // first runs compile and touch memory
    PM_TRY(b->wait(j->device));
    for (int64_t n = 1;; n *= 4) {
        const double before = pm_clock();
        PM_TRY(b->run(j->program, n));
        PM_TRY(b->wait(j->device));
        const double took = pm_clock() - before;
        *seconds = took / (double)n;
        if (took >= min_seconds || n > (1 << 20)) return PM_OK;
    }
}

pm_status pm_proof_speed(pm_device *device, pm_op op, double limit, double min_seconds, pm_proof_speed_result *out)
{
    *out = (pm_proof_speed_result){ 0 };
    PM_REQUIRE(device, !missing(device, op), PM_ERR_UNSUPPORTED, "%s has no kernel on %s", pm_op_name(op), device->info.id);
    const pm_case_params draw = { .seed = 1, .limit = limit, .plain = true };
    pm_case *c;
    PM_TRY(pm_case_make(device, op, 0, &draw, &c));
    job j;
    pm_status st = job_begin(&j, device, c);
    if (st == PM_OK) st = time_job(&j, min_seconds, &out->seconds);
    job_end(&j);
    out->flops = pm_op_flops(op, &c->lengths);
    out->bytes = pm_op_bytes(op, &c->lengths);
    pm_case_describe(c, out->shape, sizeof out->shape);
    pm_free(c);
    return st;
}
