// From a node to dispatches. Most nodes are one. An operand larger than a binding may be is visited in pieces: by rows of the
// output, by windows in ascending order where its signature has ~, or, in a matmul, by columns of the output. A node that would
// run too long is cut by rows of the output too.
#include "backend/vulkan/vk.h"

#include <math.h>

// How a dispatch reaches into an operand.
typedef enum reach { WHOLE, BY_ROW, BY_WINDOW, BY_COL } reach;

// An operand as units of which a range is bound: rows, or the elements of a single row.
typedef struct units {
    reach   reach;
    int64_t count, stride, width;    // bytes from one to the next, and of one
} units;

typedef struct cutter {
    pm_vk_device       *d;
    const pm_plan      *plan;
    const pm_plan_node *node;
    const pm_op_info   *info;
    const pm_vk_shader *shader;
    pm_vk_variant       variant, fold;    // of a product: adds its parts
    int                 index, operands;
    bool                product;    // of class MATMUL
    int64_t             part, parts;    // of a product: how much of K is one sum
    units               operand[PM_MAX_OPERANDS];
    int64_t             rows, cols, window, across;    // of the output: rows, columns; length of the windowed dimension; of a product: K and N
    int64_t             row_piece, window_piece, col_piece;
    double              seconds;                       // all dispatches together
} cutter;

static int64_t up(int64_t n, int64_t by)
{
    return (n + by - 1) / by;
}

static int symbol_of(const pm_signature *s, char letter)
{
    for (int i = 0; i < s->symbols; i++)
        if (s->symbol[i] == letter) return i;
    return -1;
}

// The operand whose rows and columns the grid covers.
static int reference(const cutter *c)
{
    const pm_signature *s = &c->info->sig;
    for (int i = 0; c->shader->over[0] && i < c->operands; i++)
        if (pm_name_equal(s->operand[i].name, c->shader->over)) return i;
    for (int i = 0; s->outs == 0 && i < s->ins; i++)
        if (s->operand[i].inout) return i;
    return s->ins;
}

// Whether an operand is stored transposed.
static bool flipped(const cutter *c, int i)
{
    const pm_signature *s = &c->info->sig;
    int word = 0;
    for (int q = 0; q < s->operand[i].transpose; q++) word += s->param[q].kind != PM_PARAM_DIM;
    return s->operand[i].transpose >= 0 && c->node->params.word[word];
}

// A product's a [M, K] and b [K, N] come first; what else is there has rows M, or is a row over N, or is bound as it is.
static reach product_reach(const cutter *c, int i)
{
    const pm_operand_sig *o = &c->info->sig.operand[i], *a = &c->info->sig.operand[0], *b = &c->info->sig.operand[1];
    if (i == 0) return flipped(c, i) ? BY_WINDOW : BY_ROW;
    if (i == 1) return flipped(c, i) ? BY_COL : BY_WINDOW;
    if (o->rows.symbol == a->rows.symbol) return BY_ROW;
    return pm_single_row(o) && o->cols.symbol == b->cols.symbol ? BY_COL : WHOLE;
}

static reach reach_of(const cutter *c, int i, int row_symbol)
{
    const pm_operand_sig *o = &c->info->sig.operand[i];
    if (c->product) return product_reach(c, i);
    if (o->windowed) return BY_WINDOW;
    return row_symbol >= 0 && o->rows.symbol == row_symbol && o->rows.add == 0 && o->rows.div == 1 ? BY_ROW : WHOLE;
}

static units units_of(const cutter *c, int i, int row_symbol)
{
    const pm_operand *o = &c->node->operand[i];
    const pm_operand_sig *sig = &c->info->sig.operand[i];
    units u = { .reach = reach_of(c, i, row_symbol) };
    if (o->rows == 0 || o->cols == 0) return u;
    if (u.reach == WHOLE) {
        u.count = 1;
        u.stride = u.width = ((o->rows - 1) * o->stride + o->cols) * 4;
    } else if (pm_single_row(sig)) {
        u.count = o->cols;
        u.stride = u.width = 4;
    } else {
        u.count = o->rows;
        u.stride = o->stride * 4;
        u.width = o->cols * 4;
    }
    return u;
}

// How many units fit a binding wherever they begin; all of them when they do from the first on.
static int64_t fitting(const cutter *c, int i)
{
    const units *u = &c->operand[i];
    const pm_vk_limits *l = &c->d->limits;
    if (u->count == 0) return INT64_MAX;
    if (c->node->operand[i].offset % l->align + (u->count - 1) * u->stride + u->width <= l->range) return INT64_MAX;
    const int64_t room = l->range - l->align - u->width;
    return room < 0 ? 0 : room / u->stride + 1;
}

// Sums of a product that wait in scratch, of each row and column: those of its parts, or, between windows, where it has no output.
static int64_t waiting(const cutter *c)
{
    return c->parts > 1 ? c->parts : c->info->sig.outs || c->window_piece >= c->window ? 0 : 1;
}

// Scratch fits a binding too; pieces are whole tiles and steps where they can be.
static void fit_product(cutter *c)
{
    const int64_t sums = waiting(c) ? c->d->limits.range / 4 / waiting(c) : INT64_MAX;
    c->col_piece = PM_MIN(c->col_piece, sums);
    c->row_piece = PM_MIN(c->row_piece, PM_MAX(sums / c->col_piece, 1));
    if (c->row_piece > 128 && c->row_piece < c->rows) c->row_piece -= c->row_piece % 128;
    if (c->window_piece > 32 && c->window_piece < c->window) c->window_piece -= c->window_piece % 32;
}

// How many rows there is scratch for.
static int64_t slots(const cutter *c)
{
    const pm_signature *s = &c->info->sig;
    const int64_t *of = c->node->dims.of;
    if (!c->shader->slots) return INT64_MAX;
    return PM_MAX(PM_MIN(of[symbol_of(s, c->shader->slots)] / PM_MAX(of[symbol_of(s, c->shader->slot_size)], 1), (int64_t)c->d->limits.groups), 1);
}

static pm_status choose_pieces(cutter *c)
{
    c->row_piece = c->window_piece = c->col_piece = INT64_MAX;
    const bool by_row = !c->shader->items && c->shader->passes < 2 && c->info->klass != PM_CLASS_ONE;
    for (int i = 0; i < c->operands; i++) {
        const int64_t fit = fitting(c, i);
        const reach how = c->operand[i].reach;
        int64_t *most = how == BY_ROW && by_row ? &c->row_piece : how == BY_WINDOW ? &c->window_piece : how == BY_COL ? &c->col_piece : NULL;
        if (most && fit >= (how == BY_WINDOW ? PM_MAX(c->shader->chunk, 1) : 1)) {
            *most = PM_MIN(*most, fit);
            continue;
        }
        PM_REQUIRE(c->d, fit == INT64_MAX, PM_ERR_UNSUPPORTED,
                   "%s (%s): %s: operand %s [%" PRId64 ", %" PRId64 "] is larger than a storage buffer may be there (maxStorageBufferRange = %" PRId64
                   " bytes) and this op cannot visit it in parts", c->d->base.info.id, c->d->base.info.name, c->info->name,
                   c->info->sig.operand[i].name, c->node->operand[i].rows, c->node->operand[i].cols, c->d->limits.range);
    }
    const double parts = ceil(c->seconds / c->d->limits.seconds);
    if (by_row && parts > 1) c->row_piece = PM_MIN(c->row_piece, PM_MAX((int64_t)((double)c->rows / parts), 1));
    c->row_piece = PM_MIN(c->row_piece, PM_MIN(slots(c), PM_MAX(c->rows, 1)));
    if (c->shader->chunk && c->window_piece < c->window) c->window_piece -= c->window_piece % c->shader->chunk;
    c->window_piece = PM_MIN(c->window_piece, PM_MAX(c->window, 1));
    c->col_piece = PM_MIN(c->col_piece, PM_MAX(c->across, 1));
    if (c->product) fit_product(c);
    return PM_OK;
}

static int64_t product_groups(const cutter *c, int64_t rows, int64_t across, const pm_vk_variant *v)
{
    const int64_t local = v->constant[0];
    if (v == &c->fold || c->d->matmul == PM_VK_PLAIN) return up(rows * across, local);
    if (c->d->matmul == PM_VK_BLOCK) return up(up(rows, 8) * up(across, 8) * c->parts, local);
    return up(rows, v->constant[PM_VK_CONSTANT_BM]) * up(across, v->constant[PM_VK_CONSTANT_BN]) * c->parts;
}

static uint32_t groups_of(const cutter *c, int64_t rows, int64_t across, const pm_vk_variant *v)
{
    const int64_t local = v->constant[0], width = v->width;
    const pm_signature *s = &c->info->sig;
    int64_t groups = 1;
    if (c->shader->items) {
        groups = up(c->node->dims.of[symbol_of(s, c->shader->items)], local);
    } else {
        switch (c->info->klass) {
        case PM_CLASS_EACH: groups = up(rows * (c->cols / width), local); break;
        case PM_CLASS_ROWS: groups = c->shader->each ? up(rows * (c->cols / width), local) : rows; break;
        case PM_CLASS_COLS: groups = up(c->cols / width, c->shader->chunk ? local / c->d->limits.slices : local); break;
        case PM_CLASS_ONE: break;
        case PM_CLASS_MATMUL: groups = product_groups(c, rows, across, v); break;
        }
    }
    return (uint32_t)PM_MAX(PM_MIN(groups, (int64_t)c->d->limits.groups), 1);
}

// The piece of the work one dispatch does.
typedef struct piece {
    int64_t row, row_end, window, window_end, col, col_end;
} piece;

// Binds units [from, to) of an operand; its `_off` word is such that indices count from the operand's first element, wrapping
// round below zero where the binding begins after it.
static void bind(const cutter *c, int i, const piece *p, pm_vk_binding *out, uint32_t *offset_word)
{
    const pm_operand *o = &c->node->operand[i];
    const units *u = &c->operand[i];
    const pm_signature *s = &c->info->sig;
    int64_t from = u->reach == BY_ROW ? p->row : u->reach == BY_WINDOW ? p->window : u->reach == BY_COL ? p->col : 0;
    int64_t to = u->reach == BY_ROW ? p->row_end : u->reach == BY_WINDOW ? p->window_end : u->reach == BY_COL ? p->col_end : u->count;
    if (from >= to || u->count == 0) {
        *out = (pm_vk_binding){ .buffer = c->d->nothing->handle, .size = 256 };
        return;
    }
    const bool across = c->product && u->reach != BY_COL && !pm_single_row(&s->operand[i]) &&
                        s->operand[i].cols.symbol == s->operand[1].cols.symbol;
    const int64_t shift = across ? p->col * 4 : 0;
    const int64_t base = o->offset + shift + from * u->stride, aligned = base - base % c->d->limits.align;
    const int64_t end = o->offset + (to - 1) * u->stride + u->width;
    *out = (pm_vk_binding){ .buffer = ((pm_vk_buffer *)c->plan->buffers[o->buffer])->handle, .offset = aligned, .size = end - aligned,
                            .write = i >= s->ins || s->operand[i].inout };
    const int64_t skipped = u->reach == BY_COL ? 0 : from;    // a cut by columns counts from its own first
    *offset_word = (uint32_t)((base - aligned) / 4) - (uint32_t)(skipped * (u->stride / 4));
}

// The binding of a product's scratch. Where it needs none, what the dispatch writes anyway stands in: validation takes a binding that a
// shader may write for written.
static void bind_scratch(const cutter *c, const piece *p, pm_vk_binding *bindings, int64_t *most)
{
    const int64_t size = waiting(c) * (p->row_end - p->row) * (p->col_end - p->col) * 4;
    pm_vk_binding *out = &bindings[c->operands];
    *out = (pm_vk_binding){ .size = size, .write = true };
    for (int i = 0; !size && i < c->operands; i++)
        if (i >= c->info->sig.ins || c->info->sig.operand[i].inout) *out = bindings[i];
    *most = PM_MAX(*most, size);
}

// 1 where the op has no such dimension.
static double share(int64_t from, int64_t to, int64_t whole)
{
    return whole > 0 ? (double)(to - from) / (double)whole : 1;
}

static double seconds_of(const cutter *c, const piece *p, const pm_vk_variant *v)
{
    const double rows = (double)(p->row_end - p->row), cols = (double)(p->col_end - p->col);
    if (v == &c->fold) return rows * cols * 4 * (double)(c->parts + 1) / c->d->bandwidth + 5e-6;
    return c->seconds * share(p->row, p->row_end, c->rows) * share(p->window, p->window_end, c->window) *
           share(p->col, p->col_end, c->across) + 5e-6;
}

static pm_status emit(cutter *c, const piece *p, const pm_vk_variant *v, pm_vk_dispatches *out)
{
    if (out->count == out->capacity) {
        PM_TRY(pm_grow_array(c->d, (void **)&out->list, PM_MAX(2 * out->capacity, 64), sizeof *out->list));
        out->capacity = PM_MAX(2 * out->capacity, 64);
    }
    const pm_signature *s = &c->info->sig;
    pm_vk_dispatch *q = &out->list[out->count++];
    *q = (pm_vk_dispatch){ .node = c->index, .variant = *v, .bindings = pm_vk_binding_count(c->node->op),
                           .passes = PM_MAX(c->shader->passes, 1), .seconds = seconds_of(c, p, v),
                           .groups = groups_of(c, p->row_end - p->row, p->col_end - p->col, v) };
    int n = 0;
    for (int i = 0; i < c->operands; i++) {
        bind(c, i, p, &q->binding[i], &q->push[n++]);
        if (!pm_single_row(&s->operand[i])) q->push[n++] = (uint32_t)c->node->operand[i].stride;
    }
    if (c->product) bind_scratch(c, p, q->binding, &out->scratch);
    for (int i = 0; i < s->symbols; i++)
        q->push[n++] = (uint32_t)(c->product && i == s->operand[1].cols.symbol ? p->col_end - p->col : c->node->dims.of[i]);
    for (int i = 0, word = 0; i < s->params; i++)
        if (s->param[i].kind != PM_PARAM_DIM) q->push[n++] = c->node->params.word[word++];
    const int64_t range[] = { p->row, p->row_end, p->window, p->window_end };
    for (int i = 0; i < PM_COUNT(range); i++) q->push[n++] = (uint32_t)range[i];
    if (c->product) q->push[n++] = (uint32_t)c->part;
    if (c->product) q->push[n++] = (uint32_t)p->col;
    q->words = n + 1;
    return PM_OK;
}

static void measure(cutter *c)
{
    const pm_signature *s = &c->info->sig;
    const pm_operand_sig *o = &s->operand[reference(c)];
    const pm_dims *dims = &c->node->dims;
    const int row_symbol = c->product ? s->operand[0].rows.symbol : c->shader->rows ? symbol_of(s, c->shader->rows) : o->rows.symbol;
    c->rows = row_symbol >= 0 ? dims->of[row_symbol] : 1;
    c->cols = pm_dim_length(&o->cols, dims);
    c->window = c->product ? dims->of[s->operand[0].cols.symbol] : s->window >= 0 ? dims->of[s->window] : 0;
    c->across = c->product ? dims->of[s->operand[1].cols.symbol] : 0;
    c->part = c->product ? pm_vk_part(c->d, c->rows, c->across, c->window) : 0;
    c->parts = c->part ? up(c->window, c->part) : 1;
    for (int i = 0; i < c->operands; i++) c->operand[i] = units_of(c, i, row_symbol);
    c->seconds = pm_op_flops(c->node->op, dims) / c->d->flops + pm_op_bytes(c->node->op, dims) / c->d->bandwidth;
}

pm_status pm_vk_cut(pm_vk_device *d, const pm_plan *plan, int n, pm_vk_dispatches *out)
{
    const pm_plan_node *node = &plan->nodes[n];
    const pm_op_info *info = &pm_op_table[node->op];
    cutter c = { .d = d, .plan = plan, .node = node, .info = info, .shader = pm_vk_shader_of(d, node->op), .index = n,
                 .operands = info->sig.ins + info->sig.outs + info->sig.temps, .product = info->klass == PM_CLASS_MATMUL };
    PM_REQUIRE(d, c.shader, PM_ERR_UNSUPPORTED, "%s: the vulkan backend has no shader for %s; use the cpu device", d->base.info.id, info->name);
    PM_REQUIRE(d, pm_vk_binding_count(node->op) <= PM_VK_MAX_BINDINGS, PM_ERR_UNSUPPORTED,
               "%s: %s has %d operands and a shader stage may bind %d", d->base.info.id, info->name, pm_vk_binding_count(node->op),
               PM_VK_MAX_BINDINGS);
    const int64_t longest = c.shader->most ? node->dims.of[symbol_of(&info->sig, c.shader->most)] : 0;
    PM_REQUIRE(d, longest <= c.shader->most_length, PM_ERR_UNSUPPORTED, "%s: the shader of %s has room for %c up to %d, not %" PRId64
               "; use the cpu device", d->base.info.id, info->name, c.shader->most, c.shader->most_length, longest);
    measure(&c);
    pm_vk_choose(d, node, c.cols, &c.variant);
    if (c.product) PM_TRY(pm_vk_choose_product(d, node, c.parts, &c.variant, &c.fold));
    PM_TRY(choose_pieces(&c));
    piece p;
    for (p.col = 0; p.col == 0 || p.col < c.across; p.col += c.col_piece)
        for (p.row = 0; p.row == 0 || p.row < c.rows; p.row += c.row_piece) {
            p.col_end = PM_MIN(p.col + c.col_piece, c.across);
            p.row_end = PM_MIN(p.row + c.row_piece, c.rows);
            for (p.window = 0; p.window == 0 || p.window < c.window; p.window = p.window_end) {
                p.window_end = PM_MIN(p.window + c.window_piece, c.window);
                PM_TRY(emit(&c, &p, &c.variant, out));
                if (c.window == 0) break;
            }
            if (c.parts > 1) PM_TRY(emit(&c, &p, &c.fold, out));
        }
    return PM_OK;
}
