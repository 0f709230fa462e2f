// All matrix products of a program at the speed of somebody else's.
#include <math.h>

#include "cli/bench/bench.h"

static const double SHORT = 0.002;    // seconds: below, the mean of several

typedef struct rival {
    pm_product size;
    int64_t    times;      // in the program
    pm_sgemm  *sgemm;      // NULL: by the ceiling
    int64_t    runs;
    double     seconds;
} rival;

struct pm_rivals {
    const pm_bench *b;
    rival          *list;
    int             count;
};

static bool same_size(const pm_product *a, const pm_product *b)
{
    return a->m == b->m && a->n == b->n && a->k == b->k && a->ta == b->ta && a->tb == b->tb;
}

static rival *find(const pm_rivals *r, const pm_product *size)
{
    for (int i = 0; i < r->count; i++)
        if (same_size(&r->list[i].size, size)) return &r->list[i];
    return NULL;
}

static pm_status add(pm_rivals *r, const pm_product *size)
{
    const pm_backend *backend = r->b->device->backend;
    rival *known = find(r, size);
    if (known) {
        known->times++;
        return PM_OK;
    }
    rival *one = &r->list[r->count++];
    *one = (rival){ .size = *size, .times = 1, .runs = 1, .seconds = NAN };
    const double flops = 2.0 * (double)size->m * (double)size->n * (double)size->k;
    if (r->b->ceilings.sgemm.rate > 0) one->seconds = flops / r->b->ceilings.sgemm.rate;
    if (!backend->sgemm_create) return PM_OK;
    PM_TRY(backend->sgemm_create(r->b->device, size, &one->sgemm));
    pm_move(one->sgemm, r);
    PM_TRY(backend->sgemm_run(one->sgemm, 1, &one->seconds));
    if (one->seconds < SHORT) one->runs = (int64_t)(SHORT / PM_MAX(one->seconds, 1e-6)) + 1;
    return PM_OK;
}

pm_status pm_rivals_create(const pm_bench *b, const pm_program *program, pm_rivals **out)
{
    *out = NULL;
    pm_rivals *r = pm_new(b->device, pm_rivals);
    PM_CHECK_ALLOC(r);
    r->b = b;
    const int count = pm_program_profile(program, NULL, 0);
    pm_program_op *ops = pm_new_array(r, pm_program_op, count);
    r->list = pm_new_array(r, rival, count);
    pm_status st = ops && r->list ? PM_OK : PM_ERR_NOMEM;
    if (st == PM_OK) pm_program_profile(program, ops, count);
    for (int i = 0; i < count && st == PM_OK; i++)
        if (ops[i].is_product) st = add(r, &ops[i].product);
    pm_free(ops);
    if (st == PM_OK) *out = r;
    else pm_free(r);
    return st;
}

pm_status pm_rivals_run(pm_rivals *rivals, double *seconds)
{
    *seconds = 0;
    for (int i = 0; i < rivals->count; i++) {
        rival *one = &rivals->list[i];
        if (one->sgemm) PM_TRY(rivals->b->device->backend->sgemm_run(one->sgemm, one->runs, &one->seconds));
        *seconds += (double)one->times * one->seconds;
    }
    return PM_OK;
}

double pm_rivals_seconds(const pm_rivals *rivals, const pm_product *size)
{
    const rival *one = find(rivals, size);
    return one ? one->seconds : NAN;
}
