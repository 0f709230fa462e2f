#include "graph/plan.h"

#include <stdlib.h>

enum { ALIGN = 256 };

static int operand_count(const pm_graph_node *n)
{
    const pm_signature *s = &pm_op_table[n->op].sig;
    return s->ins + s->outs + s->temps;
}

static bool is_written(const pm_graph_node *n, int operand)
{
    const pm_signature *s = &pm_op_table[n->op].sig;
    return operand >= s->ins || s->operand[operand].inout;
}

// Dead code goes: a node lives when it writes a store tensor or something that a living node reads later.
static void find_alive(const pm_graph *g, bool *needed, bool *alive)
{
    for (int i = g->node_count - 1; i >= 0; i--) {
        const pm_graph_node *n = &g->nodes[i];
        if (n->op < 0) continue;
        for (int k = 0; k < operand_count(n); k++) {
            const int32_t root = pm_value_root(g, n->operand[k]);
            if (is_written(n, k) && (needed[root] || g->values[root].tensor)) alive[i] = true;
        }
        for (int k = 0; alive[i] && k < pm_op_table[n->op].sig.ins; k++) needed[pm_value_root(g, n->operand[k])] = true;
    }
}

pm_status pm_plan_alive(const void *parent, const pm_graph *g, bool *alive)
{
    bool *needed = pm_new_array(parent, bool, g->value_count);
    PM_CHECK_ALLOC(needed);
    find_alive(g, needed, alive);
    pm_free(needed);
    return PM_OK;
}

static void find_lifetimes(const pm_graph *g, const bool *alive, pm_lifetime *life)
{
    const pm_device *device = pm_store_device(g->store);
    for (int i = 0; i < g->value_count; i++) life[i] = (pm_lifetime){ .first = -1, .last = -1, .slot = i };
    for (int i = 0; i < g->node_count; i++) {
        if (!alive[i]) continue;
        for (int k = 0; k < operand_count(&g->nodes[i]); k++) {
            const int32_t root = pm_value_root(g, g->nodes[i].operand[k]);
            const pm_value *v = &g->values[root];
            if (v->tensor) continue;
            const int64_t size = v->rows * v->cols * pm_device_element(device, v->dtype);
            life[root].size = (size + ALIGN - 1) / ALIGN * ALIGN;
            if (life[root].first < 0) life[root].first = i;
            life[root].last = i;
        }
    }
}

// The input whose place output `k` of node `at` may take: an arena value of the same size, whole, read here for the last time, and by
// this operand alone.
static int32_t place_to_reuse(const pm_graph *g, const pm_lifetime *life, int at, int k)
{
    const pm_graph_node *n = &g->nodes[at];
    const pm_operand_sig *o = &pm_op_table[n->op].sig.operand[k];
    if (o->alias < 0) return -1;
    const int32_t from = n->operand[o->alias], to = n->operand[k];
    if (g->values[from].base >= 0 || g->values[from].tensor || g->values[to].tensor) return -1;
    if (life[from].size != life[to].size || life[from].last != at) return -1;
    for (int i = 0; i < operand_count(n); i++)
        if (i != o->alias && pm_value_root(g, n->operand[i]) == from) return -1;
    return from;
}

static void share_places(const pm_graph *g, const bool *alive, pm_lifetime *life)
{
    for (int i = 0; i < g->node_count; i++) {
        if (!alive[i]) continue;
        const pm_signature *s = &pm_op_table[g->nodes[i].op].sig;
        for (int k = s->ins; k < s->ins + s->outs; k++) {
            const int32_t from = place_to_reuse(g, life, i, k);
            if (from < 0) continue;
            const int32_t to = g->nodes[i].operand[k], slot = life[from].slot;
            life[to].slot = slot;
            life[slot].last = PM_MAX(life[slot].last, life[to].last);
        }
    }
}

typedef struct slot_order {
    int32_t id;
    int64_t size;
} slot_order;

static int larger_first(const void *a, const void *b)
{
    const slot_order *x = a, *y = b;
    if (x->size != y->size) return x->size < y->size ? 1 : -1;
    return x->id < y->id ? -1 : 1;
}

static bool overlap(const pm_lifetime *a, const pm_lifetime *b)
{
    return a->first <= b->last && b->first <= a->last;
}

// Largest first, each at the lowest offset free during its life: near the lower bound on graphs like ours.
static int64_t place_slots(pm_lifetime *life, slot_order *order, int count)
{
    int64_t arena = 0;
    qsort(order, (size_t)count, sizeof *order, larger_first);
    for (int i = 0; i < count; i++) {
        pm_lifetime *mine = &life[order[i].id];
        bool moved = true;
        for (mine->offset = 0; moved;) {
            moved = false;
            for (int j = 0; j < i; j++) {
                const pm_lifetime *other = &life[order[j].id];
                if (!overlap(mine, other) || mine->offset >= other->offset + other->size ||
                    other->offset >= mine->offset + mine->size)
                    continue;
                mine->offset = other->offset + other->size;
                moved = true;
            }
        }
        arena = PM_MAX(arena, mine->offset + mine->size);
    }
    return arena;
}

static int64_t lower_bound(const pm_lifetime *life, const slot_order *order, int count, int nodes)
{
    int64_t peak = 0;
    for (int n = 0; n < nodes; n++) {
        int64_t sum = 0;
        for (int i = 0; i < count; i++)
            if (life[order[i].id].first <= n && n <= life[order[i].id].last) sum += order[i].size;
        peak = PM_MAX(peak, sum);
    }
    return peak;
}

pm_status pm_plan_memory(const void *parent, const pm_graph *g, pm_memory_plan **out)
{
    *out = NULL;
    pm_memory_plan *p = pm_new(parent, pm_memory_plan);
    PM_CHECK_ALLOC(p);
    p->alive = pm_new_array(p, bool, g->node_count);
    p->life = pm_new_array(p, pm_lifetime, g->value_count);
    slot_order *order = pm_new_array(p, slot_order, g->value_count);
    if (!p->alive || !p->life || !order || pm_plan_alive(p, g, p->alive) != PM_OK) {
        pm_free(p);
        return PM_ERR_NOMEM;
    }
    find_lifetimes(g, p->alive, p->life);
    share_places(g, p->alive, p->life);
    int count = 0;
    for (int i = 0; i < g->value_count; i++)
        if (p->life[i].first >= 0 && p->life[i].slot == i) order[count++] = (slot_order){ i, p->life[i].size };
    p->arena = place_slots(p->life, order, count);
    p->live_peak = lower_bound(p->life, order, count, g->node_count);
    pm_free(order);
    *out = p;
    return PM_OK;
}
