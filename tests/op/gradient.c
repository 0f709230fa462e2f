// Gradients: what pm_backward appends, run on ref in double, against central differences of the reference kernel.
#include <math.h>
#include <stdio.h>

#include "backend/host.h"
#include "graph/graph.h"
#include "core/philox.h"
#include "op/suite.h"

enum { SAMPLES = 16 };    // partial derivatives an operand and case
static const double FINE = 1e-6;    // an error that asks for a shorter step

static pm_kernel *const reference[PM_OP_COUNT] = {
#define PM_OP(name, NAME, ...) [PM_OP_##NAME] = pm_ref_##name,
#include <pumice/ops.def>
#undef PM_OP
};

typedef struct trial {
    const pm_case      *c;
    const pm_signature *sig;
    bool                trained[PM_MAX_OPERANDS];
    double             *input[PM_MAX_OPERANDS];     // f32 inputs, dense, in double
    double             *output[PM_MAX_OPERANDS];
    uint32_t           *words;                      // room for a u32 output, not looked at
    float              *weight;                     // of each element of output 0 in the loss
} trial;

// Entries of sparse operands and weights (f32+) are data: the fused losses and spmm do not differentiate to them.
static bool is_trained(const pm_case *c, int o)
{
    const pm_signature *s = &pm_op_table[c->op].sig;
    const pm_operand_sig *q = &s->operand[o];
    if (c->operand[o].dtype != PM_F32 || q->domain != PM_ANY) return false;
    for (int i = 0; i < s->ins; i++)
        if (s->operand[i].domain == PM_OFFSETS && q->rows.symbol < 0 && q->cols.symbol == s->operand[i].bound) return false;
    return true;
}

static pm_status trial_make(void *parent, const pm_case *c, trial *t)
{
    *t = (trial){ .c = c, .sig = &pm_op_table[c->op].sig };
    pm_rng rng = { .key = c->seed, .stream = 77, .row = (uint32_t)c->index };
    int64_t largest = 0;
    for (int o = 0; o < t->sig->ins + t->sig->outs; o++) {
        const pm_operand *p = &c->operand[o];
        largest = PM_MAX(largest, p->rows * p->cols);
        double **data = o < t->sig->ins ? &t->input[o] : &t->output[o];
        *data = pm_new_array(parent, double, p->rows * p->cols);
        PM_CHECK_ALLOC(*data);
        t->trained[o] = o < t->sig->ins && is_trained(c, o);
        for (int64_t i = 0; i < p->rows && o < t->sig->ins && p->dtype == PM_F32; i++)
            for (int64_t j = 0; j < p->cols; j++) {
                float x;
                memcpy(&x, pm_case_at(c, o, i, j), 4);
                t->input[o][i * p->cols + j] = x;
            }
    }
    t->words = pm_new_array(parent, uint32_t, largest);
    t->weight = pm_new_array(parent, float, largest);
    if (!t->words || !t->weight) return PM_ERR_NOMEM;
    for (int64_t i = 0; i < largest; i++) t->weight[i] = (float)(pm_rng_unit(&rng) * 2 - 1);
    return PM_OK;
}

// The loss: the sum of output 0, weighted or not.
static double loss_of(trial *t, bool weighted)
{
    pm_view views[PM_MAX_OPERANDS] = { { 0 } };
    for (int o = 0; o < t->sig->ins + t->sig->outs; o++) {
        const pm_operand *p = &t->c->operand[o];
        if (p->dtype == PM_F32) views[o] = (pm_view){ o < t->sig->ins ? t->input[o] : t->output[o], PM_F64, p->rows, p->cols, p->cols };
        else if (o < t->sig->ins) views[o] = (pm_view){ pm_case_at(t->c, o, 0, 0), PM_U32, p->rows, p->cols, p->stride };
        else views[o] = (pm_view){ t->words, PM_U32, p->rows, p->cols, p->cols };
    }
    const pm_call call = { .op = t->c->op, .in = views, .out = views + t->sig->ins, .dims = &t->c->dims, .params = &t->c->params, .threads = 1 };
    reference[t->c->op](&call);
    double loss = 0;
    const pm_operand *y = &t->c->operand[t->sig->ins];
    for (int64_t i = 0; i < y->rows * y->cols; i++) loss += t->output[t->sig->ins][i] * (weighted ? (double)t->weight[i] : 1);
    return loss;
}

static pm_status write_operand(pm_store *store, const trial *t, int o, const char *name)
{
    const pm_operand *p = &t->c->operand[o];
    uint32_t *dense = pm_new_array(store, uint32_t, p->rows * p->cols);
    PM_CHECK_ALLOC(dense);
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t j = 0; j < p->cols; j++) dense[i * p->cols + j] = *pm_case_at(t->c, o, i, j);
    PM_TRY(pm_store_add(store, name, p->dtype, p->rows, p->cols));
    PM_TRY(pm_store_write(store, name, dense));
    pm_free(dense);
    return PM_OK;
}

// Builds and runs the graph of the loss with `passes` backward passes; gradients land in the store as g0, g1, …
static pm_status run_graph(pm_store *store, const trial *t, bool weighted, int passes)
{
    pm_graph *g;
    pm_program *program;
    char name[16];
    pm_var in[PM_MAX_OPERANDS] = { { -1 } }, out[PM_MAX_OPERANDS] = { { -1 } };
    PM_TRY(pm_graph_create(store, &g));
    for (int o = 0; o < t->sig->ins; o++) {
        snprintf(name, sizeof name, "in%d", o);
        in[o] = t->trained[o] ? pm_use(g, name) : pm_constant(g, name);
    }
    pm_graph_op(g, t->c->op, in, t->c->args, out);
    const pm_var loss = weighted ? pm_mul(g, out[0], pm_constant(g, "weight")) : out[0];
    for (int pass = 0; pass < passes; pass++) pm_backward(g, &loss, 1);
    for (int o = 0; o < t->sig->ins; o++) {
        snprintf(name, sizeof name, "g%d", o);
        if (t->trained[o]) pm_output(g, pm_gradient(g, in[o]), name);
    }
    PM_TRY(pm_graph_compile(&g, &program));
    const pm_status st = pm_program_run(program, 1);
    pm_program_destroy(&program);
    return st;
}

typedef struct tally {
    int    compared;
    double worst;
    char  *where;
    size_t size;
} tally;

// The central difference of element k of operand o with step h.
static double difference(trial *t, int o, int64_t k, double h, bool weighted)
{
    const double x = t->input[o][k];
    t->input[o][k] = x + h;
    const double above = loss_of(t, weighted);
    t->input[o][k] = x - h;
    const double below = loss_of(t, weighted);
    t->input[o][k] = x;
    return (above - below) / (2 * h);
}

static void compare(trial *t, int o, const float *analytic, bool weighted, int passes, tally *y)
{
    const pm_operand *p = &t->c->operand[o];
    const int64_t n = p->rows * p->cols, stride = PM_MAX(1, n / SAMPLES);
    for (int64_t k = t->c->index % stride; k < n; k += stride) {
        double numeric = 0, error = INFINITY;
        for (int fine = 0; fine < 2 && !(error <= FINE); fine++) {    // a steep curve, or a kink nearby: a shorter step decides
            numeric = passes * difference(t, o, k, fine ? 1e-6 : 1e-4, weighted);
            error = fabs((double)analytic[k] - numeric) / (1 + fabs(numeric));
            if (isnan(error)) error = INFINITY;
        }
        y->compared++;
        if (error <= y->worst && y->where[0]) continue;
        char shape[256];
        pm_case_describe(t->c, shape, sizeof shape);
        snprintf(y->where, y->size, "d/d%s[%" PRId64 "] is %.9g, differences give %.9g; %s%s; %s", t->sig->operand[o].name, k,
                 (double)analytic[k], numeric, weighted ? "weighted" : "plain sum", passes > 1 ? ", two passes" : "", shape);
        y->worst = PM_MAX(y->worst, error);
    }
}

static pm_status compare_all(pm_store *store, trial *t, bool weighted, int passes, tally *y)
{
    PM_TRY(run_graph(store, t, weighted, passes));
    for (int o = 0; o < t->sig->ins; o++) {
        if (!t->trained[o]) continue;
        const pm_operand *p = &t->c->operand[o];
        char name[16];
        snprintf(name, sizeof name, "g%d", o);
        float *analytic = pm_new_array(store, float, p->rows * p->cols);
        PM_CHECK_ALLOC(analytic);
        PM_TRY(pm_store_read(store, name, analytic));
        compare(t, o, analytic, weighted, passes, y);
        pm_free(analytic);
    }
    return PM_OK;
}

static pm_status try_case(suite *s, const pm_case *c, tally *y)
{
    pm_store *store;
    trial t;
    char name[16];
    PM_TRY(pm_store_create(s->device, &store));
    PM_TRY(trial_make(store, c, &t));
    for (int o = 0; o < t.sig->ins; o++) {
        snprintf(name, sizeof name, "in%d", o);
        PM_TRY(write_operand(store, &t, o, name));
    }
    const pm_operand *out = &c->operand[t.sig->ins];
    PM_TRY(pm_store_add(store, "weight", PM_F32, out->rows, out->cols));
    PM_TRY(pm_store_write(store, "weight", t.weight));
    PM_TRY(compare_all(store, &t, true, 1, y));
    PM_TRY(compare_all(store, &t, false, 1, y));
    PM_TRY(compare_all(store, &t, true, 2, y));
    pm_store_destroy(&store);
    return PM_OK;
}

pm_status suite_gradient(suite *s, pm_op op, int *compared, double *error, char *where, size_t size)
{
    tally y = { .where = where, .size = size };
    const pm_case_params draw = { .seed = s->params.seed, .limit = s->params.limit > 0 ? s->params.limit : 20000 };
    for (int i = 0; i < pm_case_count(op); i++) {
        pm_case *c;
        PM_TRY(pm_case_make(s->ctx, op, i, &draw, &c));
        bool any = false;
        for (int o = 0; o < pm_op_table[op].sig.ins; o++) any |= is_trained(c, o);
        // differences need smooth values: no ties at a kink, no saturation
        const pm_status st = any && c->regime == PM_REGIME_NORMAL && !c->poisoned ? try_case(s, c, &y) : PM_OK;
        pm_free(c);
        PM_TRY(st);
    }
    *compared = y.compared;
    *error = y.worst;
    return PM_OK;
}
