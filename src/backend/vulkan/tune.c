// The search for the tile of a product: at its first use on a device the configurations that fit are timed on numbers of the same shape.
// What gives other bits than the default does is never taken. Found ones are kept in the user's cache.
#include "backend/vulkan/vk.h"

#include <math.h>

// What a search holds on the device. Operands lie in buffers of their own: a, b, the default's result, the candidate's.
enum { A, B, WANT, GOT, BUFFERS };

typedef struct search {
    pm_vk_device *d;
    pm_vk_tuned   key;
    pm_plan_node  node;
    pm_buffer    *buffer[BUFFERS], *flag;
    double        spent;    // seconds of the device
} search;

enum { FILLED = 262139 };    // words that are uploaded and then repeated; no multiple of any row

static bool is_wide(const pm_operand *o)
{
    return o->offset % 16 == 0 && o->stride % 4 == 0;
}

static pm_vk_tuned key_of(const pm_plan_node *node)
{
    pm_product size;
    pm_op_product(node->op, &node->dims, &node->params, &size);
    return (pm_vk_tuned){ .m = size.m, .n = size.n, .k = size.k,
                          .flags = size.ta + 2u * size.tb + 4u * is_wide(&node->operand[0]) + 8u * is_wide(&node->operand[1]) };
}

static const pm_vk_tuned *find(const pm_vk_device *d, const pm_vk_tuned *key)
{
    for (int i = 0; i < d->tuned_count; i++) {
        const pm_vk_tuned *t = &d->tuned[i];
        if (t->m == key->m && t->n == key->n && t->k == key->k && t->flags == key->flags) return t;
    }
    return NULL;
}

static pm_status keep(pm_vk_device *d, const pm_vk_tuned *found)
{
    if (d->tuned_count == d->tuned_capacity) {
        PM_TRY(pm_grow_array(d, (void **)&d->tuned, PM_MAX(2 * d->tuned_capacity, 32), sizeof *d->tuned));
        d->tuned_capacity = PM_MAX(2 * d->tuned_capacity, 32);
    }
    d->tuned[d->tuned_count++] = *found;
    return PM_OK;
}

// ---- on disk ----

void pm_vk_tuned_open(pm_vk_device *d)
{
    uint64_t key = pm_hash64(pm_vk_tiles, sizeof pm_vk_tiles, pm_vk_cache_key(d));
    key = pm_hash64(&d->split, sizeof d->split, key);
    key = pm_hash64(&d->limits.shared, 4, key);
    key = pm_hash64(&d->switches.no_vectors, 1, key);
    pm_vk_cache *c = &d->tuned_file;
    pm_vk_cache_open(d, "tiles", key, c);
    for (size_t at = 0; at + sizeof(pm_vk_tuned) <= c->size; at += sizeof(pm_vk_tuned)) {
        pm_vk_tuned t;
        memcpy(&t, c->data + at, sizeof t);
        if (t.tile < PM_VK_TILES && pm_vk_tile_fits(d, &pm_vk_tiles[t.tile]) && keep(d, &t) != PM_OK) break;
    }
    pm_free(c->file);
    c->file = NULL;
}

void pm_vk_tuned_close(pm_vk_device *d)
{
    if (d->tuned_grew) pm_vk_cache_save(d, &d->tuned_file, d->tuned, sizeof *d->tuned * (size_t)d->tuned_count);
}

// ---- the search ----

static pm_operand operand(int buffer, int64_t rows, int64_t cols, bool wide)
{
    return (pm_operand){ .buffer = buffer, .rows = rows, .cols = cols, .stride = wide ? (cols + 3) / 4 * 4 : cols | 1, .dtype = PM_F32 };
}

static int64_t bytes_of(const pm_operand *o)
{
    return o->rows * o->stride * 4;
}

// The bare product of the same shape.
static void shape_node(search *s)
{
    const pm_vk_tuned *q = &s->key;
    const bool ta = q->flags & 1, tb = q->flags & 2;
    s->node = (pm_plan_node){ .op = PM_OP_MATMUL, .dims = { .of = { q->m, q->k, q->n } }, .params = { .word = { ta, tb } }, .label = "search" };
    s->node.operand[0] = operand(A, ta ? q->k : q->m, ta ? q->m : q->k, q->flags & 4);
    s->node.operand[1] = operand(B, tb ? q->n : q->k, tb ? q->k : q->n, q->flags & 8);
    s->node.operand[2] = operand(WANT, q->m, q->n, true);
}

// A search must not be what runs a device out of memory.
static bool has_room(const search *s)
{
    const pm_device *device = &s->d->base;
    int64_t sum = 0;
    for (int i = 0; i < 3; i++) {
        const int64_t size = bytes_of(&s->node.operand[i]);
        if (size > s->d->limits.range) return false;
        sum += i == 2 ? 2 * size : size;
    }
    return device->memory_now + 2 * (uint64_t)sum < device->info.memory / 2;
}

static uint32_t noise(uint32_t i)
{
    i = (i ^ i >> 16) * 0x45d9f3bu;
    i = (i ^ i >> 16) * 0x45d9f3bu;
    return i ^ i >> 16;
}

// Numbers between −1 and 1, so that another order of sums would show.
static pm_status fill(pm_vk_device *d, pm_buffer *buffer, uint32_t seed)
{
    const int64_t words = PM_MIN(buffer->size / 4, FILLED);
    float *data = pm_new_array(d, float, words);
    PM_CHECK_ALLOC(data);
    for (int64_t i = 0; i < words; i++) data[i] = (float)noise(seed + (uint32_t)i) * 0x1p-31f - 1.0f;
    pm_status st = pm_vk_upload(buffer, 0, data, words * 4);
    pm_free(data);
    if (st == PM_OK && words * 4 < buffer->size) st = pm_vk_transfer_begin(d);
    if (st != PM_OK || words * 4 >= buffer->size) return st;
    const VkBuffer handle = ((pm_vk_buffer *)buffer)->handle;
    for (int64_t done = words * 4; done < buffer->size; done *= 2) {
        const VkBufferCopy copy = { .dstOffset = (VkDeviceSize)done, .size = (VkDeviceSize)PM_MIN(done, buffer->size - done) };
        d->vk.vkCmdCopyBuffer(d->transfer, handle, handle, 1, &copy);
        pm_vk_full_barrier(d, d->transfer);
    }
    return pm_vk_transfer_finish(d, "searching tiles");
}

// Every word NaN: what a candidate leaves out is seen.
static pm_status spoil(pm_vk_device *d, pm_buffer *buffer)
{
    PM_TRY(pm_vk_transfer_begin(d));
    d->vk.vkCmdFillBuffer(d->transfer, ((pm_vk_buffer *)buffer)->handle, 0, VK_WHOLE_SIZE, UINT32_MAX);
    return pm_vk_transfer_finish(d, "searching tiles");
}

static pm_status set_up(search *s)
{
    const pm_operand *o = s->node.operand;
    const int64_t sizes[BUFFERS] = { bytes_of(&o[0]), bytes_of(&o[1]), bytes_of(&o[2]), bytes_of(&o[2]) };
    for (int i = 0; i < BUFFERS; i++) PM_TRY(pm_vk_buffer_create(&s->d->base, sizes[i], &s->buffer[i]));
    PM_TRY(pm_vk_buffer_create(&s->d->base, 4, &s->flag));
    PM_TRY(fill(s->d, s->buffer[A], 1));
    return fill(s->d, s->buffer[B], 1u << 30);
}

static pm_status same_bits(search *s, bool *same)
{
    pm_vk_direct q = { .variant = { .shader = pm_vk_shader_named("differ"), .constant = { s->d->limits.local_size } }, .bindings = 3,
                       .buffer = { s->buffer[WANT], s->buffer[GOT], s->flag }, .push = { (uint32_t)(s->buffer[GOT]->size / 4) },
                       .groups = (uint32_t)PM_MIN(s->buffer[GOT]->size / 4 / s->d->limits.local_size + 1, 1024) };
    uint32_t flag = 0;
    double seconds;
    PM_TRY(pm_vk_upload(s->flag, 0, &flag, 4));
    PM_TRY(pm_vk_run_direct(s->d, &q, &seconds));
    PM_TRY(pm_vk_download(s->flag, 0, &flag, 4));
    *same = !flag;
    return PM_OK;
}

static pm_status time_program(search *s, pm_program_impl *program, double *best)
{
    enum { RUNS = 4 };
    const double enough = 4e-3;
    double sum = 0;
    for (int i = 0; i < RUNS && sum < enough; i++) {
        double seconds = 0;
        const double before = pm_clock();
        PM_TRY(pm_vk_run(program, 1));
        PM_TRY(pm_vk_wait(&s->d->base));
        if (!pm_vk_node_seconds(program, &seconds, NULL) || seconds <= 0) seconds = pm_clock() - before;
        *best = PM_MIN(*best, seconds);
        sum += seconds;
    }
    s->spent += sum;
    return PM_OK;
}

// Seconds of one run; infinite when its bits are not the default's.
static pm_status try_tile(search *s, int tile, bool first, double *seconds)
{
    const pm_plan plan = { .nodes = &s->node, .count = 1, .buffers = s->buffer, .buffer_count = BUFFERS };
    pm_program_impl *program = NULL;
    bool same = true;
    *seconds = INFINITY;
    s->node.operand[2].buffer = first ? WANT : GOT;
    PM_TRY(spoil(s->d, s->buffer[s->node.operand[2].buffer]));
    s->d->trial = tile + 1;
    pm_status st = pm_vk_prepare(&s->d->base, &plan, &program);
    s->d->trial = 0;
    if (st == PM_OK) st = time_program(s, program, seconds);
    if (st == PM_OK && s->d->switches.wrong_tile == tile + 1) {    // a test: fast, and nothing is right
        *seconds = 0;
        st = spoil(s->d, s->buffer[GOT]);
    }
    if (st == PM_OK && !first) st = same_bits(s, &same);
    if (!same) {
        pm_log(s->d, PM_LOG_WARN, "%s (%s): tile:%d gives other bits than the default for a product of %" PRId64 " x %" PRId64 " x %" PRId64
               "; it is not used", s->d->base.info.id, s->d->base.info.name, tile + 1, s->key.m, s->key.n, s->key.k);
        *seconds = INFINITY;
    }
    pm_vk_program_destroy(program);
    return st;
}

// The share of a configuration's work that lies beyond the edges.
static double waste(const search *s, int tile)
{
    const double m = (double)s->key.m / pm_vk_tiles[tile].bm, n = (double)s->key.n / pm_vk_tiles[tile].bn;
    return ceil(m) * ceil(n) / (m * n);
}

// Stops where the next candidate might take the search beyond what a shape may cost. The default runs twice, so that it does not pay
// for a device that was asleep.
static pm_status search_all(search *s, int fallback)
{
    const double budget = 0.045;
    double best, least = INFINITY;
    PM_TRY(try_tile(s, fallback, true, &best));
    if (s->spent < 0.01) PM_TRY(try_tile(s, fallback, true, &best));
    for (int i = 0; i < PM_VK_TILES; i++)
        if (pm_vk_tile_fits(s->d, &pm_vk_tiles[i])) least = PM_MIN(least, waste(s, i));
    s->key.tile = (uint32_t)fallback;
    const double plain = best;
    for (int i = 0; i < PM_VK_TILES; i++) {
        double seconds;
        if (i == fallback || !pm_vk_tile_fits(s->d, &pm_vk_tiles[i]) || waste(s, i) > 2 * least) continue;
        if (s->spent + 2 * best + 4e-3 > budget) break;
        PM_TRY(try_tile(s, i, false, &seconds));
        if (seconds >= best) continue;
        best = seconds;
        s->key.tile = (uint32_t)i;
    }
    pm_log(s->d, PM_LOG_DEBUG, "%s: product %" PRId64 " x %" PRId64 " x %" PRId64 ", flags %u: tile:%u takes %.3g ms, the default tile:%d %.3g ms",
           s->d->base.info.id, s->key.m, s->key.n, s->key.k, s->key.flags, s->key.tile + 1, 1e3 * best, fallback + 1, 1e3 * plain);
    return PM_OK;
}

pm_status pm_vk_tune(pm_vk_device *d, const pm_plan_node *node, int fallback, int *out)
{
    search s = { .d = d, .key = key_of(node) };
    const pm_vk_tuned *known = find(d, &s.key);
    *out = known ? (int)known->tile : fallback;
    if (known) return PM_OK;
    shape_node(&s);
    if (!has_room(&s)) return PM_OK;
    pm_status st = set_up(&s);
    if (st == PM_OK) st = search_all(&s, fallback);
    pm_vk_buffer_destroy(s.flag);
    for (int i = 0; i < BUFFERS; i++) pm_vk_buffer_destroy(s.buffer[i]);
    if (st == PM_ERR_DEVICE_MEMORY) return PM_OK;    // the default needs none
    PM_TRY(st);
    *out = (int)s.key.tile;
    d->tuned_grew = true;
    return keep(d, &s.key);
}
