// A program: a plan bound to the store's tensors and arena, prepared by the backend when it first runs.
#include "graph/plan.h"

struct pm_program {
    pm_store         *store;
    pm_plan           plan;
    pm_tensor       **tensors;    // [plan.buffer_count]; NULL for the arena, which is buffer 0
    pm_program_impl  *impl;
    int               generation;    // of the arena that impl was prepared for
    pm_program_stats  stats;
};

static void close_program(void *ptr)
{
    pm_program *p = ptr;
    if (p->impl) pm_store_device(p->store)->backend->program_destroy(p->impl);
    p->impl = NULL;
}

static int buffer_index(pm_program *p, pm_tensor *t)
{
    for (int i = 1; i < p->plan.buffer_count; i++)
        if (p->tensors[i] == t) return i;
    p->tensors[p->plan.buffer_count] = t;
    return p->plan.buffer_count++;
}

static pm_operand bind_operand(pm_program *p, const pm_graph *g, const pm_memory_plan *m, int32_t id)
{
    const pm_device *device = pm_store_device(g->store);
    const pm_value *v = &g->values[id];
    const int32_t root_id = pm_value_root(g, id);
    const pm_value *root = &g->values[root_id];
    const int64_t element = pm_device_element(device, v->dtype);
    const int64_t start = root->tensor ? 0 : m->life[m->life[root_id].slot].offset;
    return (pm_operand){
        .buffer = root->tensor ? buffer_index(p, root->tensor) : 0,
        .offset = start + (v->base >= 0 ? (v->r0 * root->cols + v->c0) * element : 0),
        .rows = v->rows,
        .cols = v->cols,
        .stride = root->cols,
        .dtype = pm_device_dtype(device, v->dtype),
    };
}

static pm_status bind_node(pm_program *p, const pm_graph *g, const pm_memory_plan *m, const pm_graph_node *n)
{
    const pm_signature *s = &pm_op_table[n->op].sig;
    pm_plan_node *out = &p->plan.nodes[p->plan.count++];
    *out = (pm_plan_node){ .op = (pm_op)n->op, .dims = n->dims, .params = pm_params_pack((pm_op)n->op, n->args) };
    for (int k = 0; k < s->ins + s->outs + s->temps; k++) out->operand[k] = bind_operand(p, g, m, n->operand[k]);
    if (n->label) {
        out->label = pm_strdup(p, n->label);
        PM_CHECK_ALLOC(out->label);
    }
    p->stats.flops += pm_op_flops(out->op, &out->dims);
    p->stats.bytes += pm_op_bytes(out->op, &out->dims);
    return PM_OK;
}

static pm_status build(pm_program *p, pm_graph *g)
{
    pm_memory_plan *m;
    PM_TRY(pm_graph_fuse(g));
    PM_TRY(pm_plan_memory(p, g, &m));
    int count = 0, tensors = 1;
    for (int i = 0; i < g->node_count; i++) count += m->alive[i];
    for (int i = 0; i < g->value_count; i++) tensors += g->values[i].tensor != NULL;
    p->plan.nodes = pm_new_array(p, pm_plan_node, count);
    p->plan.buffers = pm_new_array(p, pm_buffer *, tensors);
    p->tensors = pm_new_array(p, pm_tensor *, tensors);
    if (!p->plan.nodes || !p->plan.buffers || !p->tensors) return PM_ERR_NOMEM;
    p->plan.buffer_count = 1;
    for (int i = 0; i < g->node_count; i++)
        if (m->alive[i]) PM_TRY(bind_node(p, g, m, &g->nodes[i]));
    p->stats.nodes = count;
    p->stats.arena = m->arena;
    p->stats.live_peak = m->live_peak;
    pm_free(m);
    return pm_store_reserve_arena(p->store, p->stats.arena);
}

pm_status pm_program_create(pm_graph *g, pm_program **out)
{
    *out = NULL;
    pm_program *p = pm_new(g->store, pm_program);
    PM_CHECK_ALLOC(p);
    p->store = g->store;
    pm_set_destructor(p, close_program);
    const pm_status st = build(p, g);
    if (st != PM_OK) {
        pm_free(p);
        return st;
    }
    *out = p;
    return PM_OK;
}

static pm_status prepare(pm_program *p)
{
    int generation;
    pm_device *device = pm_store_device(p->store);
    pm_buffer *arena = pm_store_arena(p->store, &generation);
    PM_REQUIRE(p, arena, PM_ERR_DEVICE_MEMORY, "the scratch arena of %" PRId64 " bytes could not be had", p->stats.arena);
    if (p->impl && p->generation == generation) return PM_OK;
    close_program(p);
    p->plan.buffers[0] = arena;
    for (int i = 1; i < p->plan.buffer_count; i++) p->plan.buffers[i] = p->tensors[i]->buffer;
    PM_TRY(device->backend->prepare(device, &p->plan, &p->impl));
    pm_move(p->impl, p);
    p->generation = generation;
    return PM_OK;
}

pm_status pm_program_run(pm_program *program, int64_t n)
{
    PM_REQUIRE(program, n >= 0, PM_ERR_ARG, "a program cannot run %" PRId64 " times", n);
    PM_TRY(prepare(program));
    return pm_store_device(program->store)->backend->run(program->impl, n);
}

void pm_program_destroy(pm_program **program)
{
    if (!program) return;
    pm_free(*program);
    *program = NULL;
}

pm_program_stats pm_program_get_stats(const pm_program *program)
{
    return program->stats;
}

static void describe_op(const pm_plan_node *n, pm_program_op *out)
{
    *out = (pm_program_op){ .op = pm_op_name(n->op), .label = n->label, .flops = pm_op_flops(n->op, &n->dims),
                            .bytes = pm_op_bytes(n->op, &n->dims) };
    out->is_product = pm_op_product(n->op, &n->dims, &n->params, &out->product);
    pm_op_describe(n->op, &n->dims, out->shape, sizeof out->shape - 6);
    if (out->is_product && out->product.ta) strcat(out->shape, " ta");
    if (out->is_product && out->product.tb) strcat(out->shape, " tb");
}

int pm_program_profile(const pm_program *program, pm_program_op *ops, int capacity)
{
    const pm_plan *plan = &program->plan;
    const pm_backend *backend = pm_store_device(program->store)->backend;
    double *seconds = pm_new_array(program, double, 2 * (int64_t)plan->count), *starts = seconds ? seconds + plan->count : NULL;
    const bool timed = seconds && program->impl && backend->node_seconds && backend->node_seconds(program->impl, seconds, starts);
    for (int i = 0; i < plan->count && i < capacity; i++) {
        describe_op(&plan->nodes[i], &ops[i]);
        ops[i].seconds = timed ? seconds[i] : 0;
        ops[i].start = timed ? starts[i] : 0;
    }
    pm_free(seconds);
    return plan->count;
}
