// Programs: recorded once, replayed. A program is a list of segments, each a command buffer of bounded time that begins with a
// full barrier; inside, a barrier stands only where a dispatch binds bytes that an earlier one wrote, or writes what one bound.
#include "backend/vulkan/vk.h"

#include <stdio.h>

typedef struct segment {
    VkCommandBuffer commands;
    double          seconds;
    char           *ops;    // their names, for messages
} segment;

struct pm_program_impl {
    pm_vk_device    *device;
    VkDescriptorPool descriptors;
    VkQueryPool      queries;    // one after each node, then one at the start of each segment
    int             *first;      // the segment each node begins in
    segment         *segments;
    int              segment_count, nodes;
    bool             ran;
    pm_buffer       *scratch;    // of its dispatches, one after the other; NULL when none needs any
    pm_program_impl *next;
};

// What has been touched since the last barrier.
typedef struct recorder {
    pm_vk_device    *d;
    pm_program_impl *program;
    VkDescriptorSet *sets;
    pm_vk_binding   *touched;
    int              touched_count, touched_capacity;
    bool             open, rehearsal;
    int              node;       // last one begun
    int              queries;    // how many there are
    char             ops[512];
} recorder;

static bool collides(const pm_vk_binding *a, const pm_vk_binding *b)
{
    return (a->write || b->write) && a->buffer == b->buffer && a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

static void barrier(recorder *r)
{
    const VkMemoryBarrier b = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
                                .dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT };
    r->d->vk.vkCmdPipelineBarrier(r->program->segments[r->program->segment_count - 1].commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                  VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &b, 0, NULL, 0, NULL);
    r->touched_count = 0;
    r->d->barriers += !r->rehearsal;
}

static pm_status order(recorder *r, const pm_vk_dispatch *q)
{
    for (int i = 0; i < q->bindings; i++)
        for (int k = 0; k < r->touched_count; k++)
            if (collides(&q->binding[i], &r->touched[k])) barrier(r);    // empties the list
    if (r->touched_count + q->bindings > r->touched_capacity) {
        PM_TRY(pm_grow_array(r->program, (void **)&r->touched, 2 * r->touched_capacity + PM_VK_MAX_BINDINGS, sizeof *r->touched));
        r->touched_capacity = 2 * r->touched_capacity + PM_VK_MAX_BINDINGS;
    }
    for (int i = 0; i < q->bindings; i++) r->touched[r->touched_count++] = q->binding[i];
    return PM_OK;
}

static void stamp(recorder *r, VkCommandBuffer commands, int query)
{
    if (r->program->queries && !r->rehearsal) r->d->vk.vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, r->program->queries, (uint32_t)query);
}

static pm_status begin_segment(recorder *r)
{
    pm_vk_device *d = r->d;
    pm_program_impl *p = r->program;
    PM_TRY(pm_grow_array(p, (void **)&p->segments, p->segment_count + 1, sizeof *p->segments));
    segment *s = &p->segments[p->segment_count];
    *s = (segment){ 0 };
    const VkCommandBufferAllocateInfo one = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, .commandPool = d->pool,
                                              .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, .commandBufferCount = 1 };
    PM_TRY(pm_vk_check(d, d->vk.vkAllocateCommandBuffers(d->handle, &one, &s->commands), "making a command buffer"));
    p->segment_count++;
    const VkCommandBufferBeginInfo begin = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                             .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT };
    PM_TRY(pm_vk_check(d, d->vk.vkBeginCommandBuffer(s->commands, &begin), "recording"));
    pm_vk_full_barrier(d, s->commands);
    if (p->segment_count == 1 && p->queries) d->vk.vkCmdResetQueryPool(s->commands, p->queries, 0, (uint32_t)r->queries);
    stamp(r, s->commands, p->nodes + p->segment_count - 1);
    r->touched_count = 0;
    r->open = true;
    r->ops[0] = 0;
    r->node = -1;
    return PM_OK;
}

static pm_status end_segment(recorder *r)
{
    pm_vk_device *d = r->d;
    if (!r->open) return PM_OK;
    segment *s = &r->program->segments[r->program->segment_count - 1];
    const VkMemoryBarrier host = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
                                   .dstAccessMask = VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT };
    if (d->mapped)
        d->vk.vkCmdPipelineBarrier(s->commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &host, 0, NULL, 0, NULL);
    r->open = false;
    s->ops = pm_strdup(r->program, r->ops);
    PM_CHECK_ALLOC(s->ops);
    return pm_vk_check(d, d->vk.vkEndCommandBuffer(s->commands), "recording");
}

// Ends a segment. In a rehearsal all lie in one command buffer, parted as they are in the queue.
static pm_status next_segment(recorder *r)
{
    if (!r->rehearsal) return end_segment(r);
    segment *s = &r->program->segments[r->program->segment_count - 1];
    pm_vk_full_barrier(r->d, s->commands);
    s->seconds = 0;
    r->touched_count = 0;
    return PM_OK;
}

// "gather_rows, matmul (encoder), …", as far as there is room.
static void name_node(recorder *r, const pm_plan_node *node)
{
    const size_t used = strlen(r->ops), room = sizeof r->ops - used;
    const char *op = pm_op_table[node->op].name;
    if (room < 80) {
        if (room > 8 && r->ops[used - 1] != '.') snprintf(r->ops + used, room, ", ...");
        return;
    }
    if (node->label) snprintf(r->ops + used, room, "%s%s (%.40s)", used ? ", " : "", op, node->label);
    else snprintf(r->ops + used, room, "%s%s", used ? ", " : "", op);
}

static void write_set(recorder *r, const pm_vk_dispatch *q, VkDescriptorSet set)
{
    VkDescriptorBufferInfo buffers[PM_VK_MAX_BINDINGS];
    VkWriteDescriptorSet writes[PM_VK_MAX_BINDINGS];
    for (int i = 0; i < q->bindings; i++) {
        buffers[i] = (VkDescriptorBufferInfo){ q->binding[i].buffer, (VkDeviceSize)q->binding[i].offset, (VkDeviceSize)q->binding[i].size };
        writes[i] = (VkWriteDescriptorSet){ .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, .dstSet = set, .dstBinding = (uint32_t)i,
                                            .descriptorCount = 1, .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                            .pBufferInfo = &buffers[i] };
    }
    r->d->updates++;
    r->d->vk.vkUpdateDescriptorSets(r->d->handle, (uint32_t)q->bindings, writes, 0, NULL);
}

static pm_status record(recorder *r, const pm_plan *plan, const pm_vk_dispatch *q, VkDescriptorSet set)
{
    pm_vk_device *d = r->d;
    VkPipeline pipeline;
    PM_TRY(pm_vk_pipeline(d, &q->variant, (uint32_t)q->bindings, &pipeline));
    segment *s = r->open ? &r->program->segments[r->program->segment_count - 1] : NULL;
    if (s && s->seconds + q->seconds > d->limits.seconds) {
        PM_TRY(next_segment(r));
        s = r->rehearsal ? s : NULL;
    }
    if (!s) PM_TRY(begin_segment(r));
    s = &r->program->segments[r->program->segment_count - 1];
    s->seconds += q->seconds;
    if (r->node != q->node) name_node(r, &plan->nodes[q->node]);
    r->node = q->node;
    PM_TRY(order(r, q));
    VkPipelineLayout layout = d->layout[q->bindings];
    if (!r->rehearsal) write_set(r, q, set);
    d->vk.vkCmdBindPipeline(s->commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    d->vk.vkCmdBindDescriptorSets(s->commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, NULL);
    uint32_t push[PM_VK_PUSH_WORDS];
    memcpy(push, q->push, sizeof push);
    for (int pass = 0; pass < q->passes; pass++) {
        push[q->words - 1] = (uint32_t)pass;
        if (pass > 0) {
            barrier(r);
            PM_TRY(order(r, q));
        }
        d->vk.vkCmdPushConstants(s->commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4 * (uint32_t)q->words, push);
        d->vk.vkCmdDispatch(s->commands, q->groups, 1, 1);
    }
    return PM_OK;
}

static pm_status create_sets(recorder *r, const pm_vk_dispatches *all)
{
    pm_vk_device *d = r->d;
    uint32_t bindings = 0;
    for (int i = 0; i < all->count; i++) bindings += (uint32_t)all->list[i].bindings;
    if (all->count == 0) return PM_OK;
    const VkDescriptorPoolSize size = { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, bindings };
    const VkDescriptorPoolCreateInfo pool = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, .maxSets = (uint32_t)all->count,
                                              .poolSizeCount = 1, .pPoolSizes = &size };
    PM_TRY(pm_vk_check(d, d->vk.vkCreateDescriptorPool(d->handle, &pool, NULL, &r->program->descriptors), "making descriptors"));
    r->sets = pm_new_array(r->program, VkDescriptorSet, all->count);
    PM_CHECK_ALLOC(r->sets);
    for (int i = 0; i < all->count; i++) {
        const VkDescriptorSetAllocateInfo one = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                                  .descriptorPool = r->program->descriptors, .descriptorSetCount = 1,
                                                  .pSetLayouts = &d->set_layout[all->list[i].bindings] };
        PM_TRY(pm_vk_check(d, d->vk.vkAllocateDescriptorSets(d->handle, &one, &r->sets[i]), "making descriptors"));
    }
    return PM_OK;
}

static pm_status record_all(recorder *r, const pm_plan *plan, const pm_vk_dispatches *all)
{
    pm_vk_device *d = r->d;
    pm_program_impl *p = r->program;
    const VkQueryPoolCreateInfo queries = { .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO, .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                            .queryCount = (uint32_t)(plan->count + all->count) };    // a segment has a dispatch
    r->queries = plan->count + all->count;
    p->first = pm_new_array(p, int, plan->count);
    PM_CHECK_ALLOC(p->first);
    if (d->timestamps && all->count) PM_TRY(pm_vk_check(d, d->vk.vkCreateQueryPool(d->handle, &queries, NULL, &p->queries), "making queries"));
    PM_TRY(create_sets(r, all));
    for (int i = 0; i < all->count; i++) {
        PM_TRY(record(r, plan, &all->list[i], r->sets[i]));
        if (i == 0 || all->list[i - 1].node != all->list[i].node) p->first[all->list[i].node] = p->segment_count - 1;
        if (i + 1 == all->count || all->list[i + 1].node != all->list[i].node)
            stamp(r, p->segments[p->segment_count - 1].commands, all->list[i].node);
    }
    return end_segment(r);
}

// Records the whole program twice in one command buffer that is never submitted: synchronisation validation looks inside command
// buffers, and so sees what one segment and one run leave to the next.
static pm_status rehearse(recorder *r, const pm_plan *plan, const pm_vk_dispatches *all)
{
    pm_program_impl *p = r->program;
    const int count = p->segment_count;
    pm_status st = PM_OK;
    r->rehearsal = true;
    for (int i = 0; i < 2 * all->count && st == PM_OK; i++) {
        if (i == all->count) st = next_segment(r);
        if (st == PM_OK) st = record(r, plan, &all->list[i % all->count], r->sets[i % all->count]);
    }
    if (st == PM_OK) st = end_segment(r);
    if (p->segment_count > count) r->d->vk.vkFreeCommandBuffers(r->d->handle, r->d->pool, 1, &p->segments[--p->segment_count].commands);
    return st;
}

static pm_status create_scratch(pm_program_impl *p, pm_vk_dispatches *all)
{
    if (all->scratch) PM_TRY(pm_vk_buffer_create(&p->device->base, all->scratch, &p->scratch));
    for (int i = 0; p->scratch && i < all->count; i++)
        for (int k = 0; k < all->list[i].bindings; k++)
            if (!all->list[i].binding[k].buffer) all->list[i].binding[k].buffer = ((pm_vk_buffer *)p->scratch)->handle;
    return PM_OK;
}

pm_status pm_vk_prepare(pm_device *device, const pm_plan *plan, pm_program_impl **out)
{
    pm_vk_device *d = (pm_vk_device *)device;
    *out = NULL;
    PM_TRY(pm_vk_alive(d));
    pm_program_impl *p = pm_new(d, pm_program_impl);
    PM_CHECK_ALLOC(p);
    p->device = d;
    p->nodes = plan->count;
    p->next = d->programs;
    d->programs = p;
    pm_vk_dispatches all = { 0 };
    recorder r = { .d = d, .program = p, .node = -1 };
    pm_status st = PM_OK;
    for (int n = 0; st == PM_OK && n < plan->count; n++) st = pm_vk_cut(d, plan, n, &all);
    if (st == PM_OK) st = create_scratch(p, &all);
    if (st == PM_OK) st = pm_vk_pipelines_create(d, &all);
    if (st == PM_OK) st = record_all(&r, plan, &all);
    if (st == PM_OK && d->switches.sync) st = rehearse(&r, plan, &all);
    pm_free(all.list);
    pm_free(r.sets);
    pm_free(r.touched);
    if (st != PM_OK) {
        pm_vk_program_destroy(p);
        return st;
    }
    *out = p;
    return PM_OK;
}

void pm_vk_program_destroy(pm_program_impl *program)
{
    if (!program) return;
    pm_vk_device *d = program->device;
    pm_program_impl **at = &d->programs;
    pm_vk_drain(d);    // a failure is kept and comes back from the next call
    while (*at && *at != program) at = &(*at)->next;
    if (*at) *at = program->next;
    for (int i = 0; i < program->segment_count; i++) d->vk.vkFreeCommandBuffers(d->handle, d->pool, 1, &program->segments[i].commands);
    d->vk.vkDestroyDescriptorPool(d->handle, program->descriptors, NULL);
    d->vk.vkDestroyQueryPool(d->handle, program->queries, NULL);
    pm_vk_buffer_destroy(program->scratch);
    pm_free(program);
}

// A program much shorter than a submission may be is submitted several times at once.
pm_status pm_vk_run(pm_program_impl *program, int64_t n)
{
    enum { MOST = 64 };
    pm_vk_device *d = program->device;
    PM_TRY(pm_vk_alive(d));
    program->ran = program->ran || n > 0;
    if (program->segment_count != 1) {
        for (int64_t i = 0; i < n; i++)
            for (int k = 0; k < program->segment_count; k++)
                PM_TRY(pm_vk_submit(d, &program->segments[k].commands, 1, program->segments[k].ops));
        return PM_OK;
    }
    VkCommandBuffer copies[MOST];
    const segment *s = &program->segments[0];
    const int64_t fit = (int64_t)(d->limits.seconds / s->seconds), most = d->switches.no_batching ? 1 : PM_MAX(PM_MIN(fit, MOST), 1);
    for (int i = 0; i < MOST; i++) copies[i] = s->commands;
    for (int64_t left = n; left > 0; left -= PM_MIN(left, most)) PM_TRY(pm_vk_submit(d, copies, (uint32_t)PM_MIN(left, most), s->ops));
    return PM_OK;
}

// A node begins where the one before it ended, or where its segment did: the time between two submissions is nobody's.
bool pm_vk_node_seconds(pm_program_impl *program, double *seconds, double *starts)
{
    pm_vk_device *d = program->device;
    const int n = program->nodes + program->segment_count;
    if (!program->queries || !program->ran || pm_vk_drain(d) != PM_OK) return false;
    uint64_t *ticks = pm_new_array(program, uint64_t, n);
    const bool good = ticks && d->vk.vkGetQueryPoolResults(d->handle, program->queries, 0, (uint32_t)n, sizeof *ticks * (size_t)n, ticks,
                                                           sizeof *ticks, VK_QUERY_RESULT_64_BIT) == VK_SUCCESS;
    for (int i = 0; good && i < program->nodes; i++) {
        const uint64_t first = ticks[program->nodes], opened = ticks[program->nodes + program->first[i]];
        const uint64_t begun = i && ticks[i - 1] > opened ? ticks[i - 1] : opened;
        seconds[i] = ticks[i] > begun ? (double)(ticks[i] - begun) * d->tick_seconds : 0;
        if (starts) starts[i] = begun > first ? (double)(begun - first) * d->tick_seconds : 0;
    }
    pm_free(ticks);
    return good;
}
