#include "backend/host.h"

typedef struct host_buffer {
    pm_buffer base;
    char     *data;
} host_buffer;

struct pm_program_impl {
    pm_host_device *device;
    pm_call        *calls;
    pm_view        *views;
    pm_params      *params;
    pm_dims        *dims;
    double         *seconds;    // of each call, over the runs of the last pm_host_run
    int64_t         runs;
    int             count;
};

pm_status pm_host_open(pm_ctx *ctx, const pm_backend *backend, pm_kernel *const *kernels, const pm_device_params *params,
                       pm_host_device **out)
{
    *out = pm_new(ctx, pm_host_device);
    PM_CHECK_ALLOC(*out);
    (*out)->base.backend = backend;
    (*out)->base.double_precision = params->double_precision;
    (*out)->kernels = kernels;
    (*out)->threads = pm_ctx_threads(ctx);
    return PM_OK;
}

static void count_memory(pm_device *device, int64_t change)
{
    device->memory_now += (uint64_t)change;
    device->memory_peak = PM_MAX(device->memory_peak, device->memory_now);
}

pm_status pm_host_buffer_create(pm_device *device, int64_t size, pm_buffer **out)
{
    *out = NULL;
    host_buffer *b = pm_new(device, host_buffer);
    PM_CHECK_ALLOC(b);
    b->base = (pm_buffer){ device, size };
    b->data = pm_alloc_shared(b, (size_t)PM_MAX(size, 1));
    if (!b->data) {
        pm_free(b);
        return PM_ERR_NOMEM;
    }
    count_memory(device, size);
    *out = &b->base;
    return PM_OK;
}

void pm_host_buffer_destroy(pm_buffer *buffer)
{
    if (!buffer) return;
    count_memory(buffer->device, -buffer->size);
    pm_free(buffer);
}

char *pm_host_buffer_data(pm_buffer *buffer)
{
    return ((host_buffer *)buffer)->data;
}

pm_status pm_host_upload(pm_buffer *buffer, int64_t offset, const void *data, int64_t size)
{
    memcpy(pm_host_buffer_data(buffer) + offset, data, (size_t)size);
    return PM_OK;
}

pm_status pm_host_download(pm_buffer *buffer, int64_t offset, void *data, int64_t size)
{
    memcpy(data, pm_host_buffer_data(buffer) + offset, (size_t)size);
    return PM_OK;
}

static void fill_call(pm_program_impl *p, const pm_plan *plan, int n)
{
    const pm_plan_node *node = &plan->nodes[n];
    const pm_signature *s = &pm_op_table[node->op].sig;
    pm_view *views = &p->views[n * PM_MAX_OPERANDS];
    for (int i = 0; i < s->ins + s->outs + s->temps; i++) {
        const pm_operand *o = &node->operand[i];
        views[i] = (pm_view){ pm_host_buffer_data(plan->buffers[o->buffer]) + o->offset, o->dtype, o->rows, o->cols, o->stride };
    }
    p->params[n] = node->params;
    p->dims[n] = node->dims;
    p->calls[n] = (pm_call){ .op = node->op, .in = views, .out = views + s->ins, .dims = &p->dims[n], .params = &p->params[n],
                             .threads = p->device->threads, .isa = p->device->isa, .scratch = p->device->scratch };
}

pm_status pm_host_prepare(pm_device *device, const pm_plan *plan, pm_program_impl **out)
{
    *out = NULL;
    pm_program_impl *p = pm_new(device, pm_program_impl);
    PM_CHECK_ALLOC(p);
    p->device = (pm_host_device *)device;
    p->count = plan->count;
    p->calls = pm_new_array(p, pm_call, plan->count);
    p->views = pm_new_array(p, pm_view, (int64_t)plan->count * PM_MAX_OPERANDS);
    p->params = pm_new_array(p, pm_params, plan->count);
    p->dims = pm_new_array(p, pm_dims, plan->count);
    p->seconds = pm_new_array(p, double, plan->count);
    if (!p->calls || !p->views || !p->params || !p->dims || !p->seconds) {
        pm_free(p);
        return PM_ERR_NOMEM;
    }
    for (int n = 0; n < plan->count; n++) fill_call(p, plan, n);
    *out = p;
    return PM_OK;
}

void pm_host_program_destroy(pm_program_impl *program)
{
    pm_free(program);
}

pm_status pm_host_run(pm_program_impl *program, int64_t n)
{
    if (n > 0) memset(program->seconds, 0, sizeof *program->seconds * (size_t)program->count);
    if (n > 0) program->runs = n;
    for (int64_t step = 0; step < n; step++) {
        double before = pm_clock();
        for (int i = 0; i < program->count; i++) {
            PM_TRY(program->device->kernels[program->calls[i].op](&program->calls[i]));
            const double now = pm_clock();
            program->seconds[i] += now - before;
            before = now;
        }
    }
    return PM_OK;
}

pm_status pm_host_wait(pm_device *device)
{
    (void)device;
    return PM_OK;
}

bool pm_host_node_seconds(pm_program_impl *program, double *seconds, double *starts)
{
    double at = 0;
    if (!program->runs) return false;
    for (int i = 0; i < program->count; i++) {
        seconds[i] = program->seconds[i] / (double)program->runs;
        if (starts) starts[i] = at;
        at += seconds[i];
    }
    return true;
}
