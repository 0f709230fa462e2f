// A shader that is no op, run on its own: for what the backend measures of the device.
#include "backend/vulkan/vk.h"

typedef struct run {
    VkDescriptorPool pool;
    VkDescriptorSet  set;
    VkQueryPool      queries;    // null where the device has no clock
} run;

static pm_status make_set(pm_vk_device *d, const pm_vk_direct *q, run *r)
{
    const VkDescriptorPoolSize size = { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, (uint32_t)q->bindings };
    const VkDescriptorPoolCreateInfo pool = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, .maxSets = 1, .poolSizeCount = 1,
                                              .pPoolSizes = &size };
    PM_TRY(pm_vk_check(d, d->vk.vkCreateDescriptorPool(d->handle, &pool, NULL, &r->pool), "making descriptors"));
    const VkDescriptorSetAllocateInfo one = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, .descriptorPool = r->pool,
                                              .descriptorSetCount = 1, .pSetLayouts = &d->set_layout[q->bindings] };
    PM_TRY(pm_vk_check(d, d->vk.vkAllocateDescriptorSets(d->handle, &one, &r->set), "making descriptors"));
    for (int i = 0; i < q->bindings; i++) {
        const pm_vk_buffer *b = (const pm_vk_buffer *)q->buffer[i];
        const VkDescriptorBufferInfo buffer = { b->handle, (VkDeviceSize)q->offset[i], VK_WHOLE_SIZE };
        const VkWriteDescriptorSet write = { .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, .dstSet = r->set, .dstBinding = (uint32_t)i,
                                             .descriptorCount = 1, .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, .pBufferInfo = &buffer };
        d->vk.vkUpdateDescriptorSets(d->handle, 1, &write, 0, NULL);
    }
    const VkQueryPoolCreateInfo queries = { .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO, .queryType = VK_QUERY_TYPE_TIMESTAMP, .queryCount = 2 };
    return d->timestamps ? pm_vk_check(d, d->vk.vkCreateQueryPool(d->handle, &queries, NULL, &r->queries), "making queries") : PM_OK;
}

static void stamp(pm_vk_device *d, const run *r, uint32_t query)
{
    if (r->queries) d->vk.vkCmdWriteTimestamp(d->transfer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, r->queries, query);
}

static pm_status submit(pm_vk_device *d, const pm_vk_direct *q, const run *r, VkPipeline pipeline, double *seconds)
{
    PM_TRY(pm_vk_transfer_begin(d));
    if (r->queries) d->vk.vkCmdResetQueryPool(d->transfer, r->queries, 0, 2);
    stamp(d, r, 0);
    d->vk.vkCmdBindPipeline(d->transfer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    d->vk.vkCmdBindDescriptorSets(d->transfer, VK_PIPELINE_BIND_POINT_COMPUTE, d->layout[q->bindings], 0, 1, &r->set, 0, NULL);
    d->vk.vkCmdPushConstants(d->transfer, d->layout[q->bindings], VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof q->push, q->push);
    d->vk.vkCmdDispatch(d->transfer, q->groups, 1, 1);
    stamp(d, r, 1);
    const double before = pm_clock();
    PM_TRY(pm_vk_transfer_finish(d, q->variant.shader->name));
    *seconds = pm_clock() - before;
    uint64_t ticks[2];
    if (r->queries && d->vk.vkGetQueryPoolResults(d->handle, r->queries, 0, 2, sizeof ticks, ticks, sizeof *ticks, VK_QUERY_RESULT_64_BIT) ==
                          VK_SUCCESS && ticks[1] > ticks[0])
        *seconds = (double)(ticks[1] - ticks[0]) * d->tick_seconds;
    return PM_OK;
}

pm_status pm_vk_run_direct(pm_vk_device *d, const pm_vk_direct *q, double *seconds)
{
    VkPipeline pipeline;
    run r = { 0 };
    PM_TRY(pm_vk_pipeline(d, &q->variant, (uint32_t)q->bindings, &pipeline));
    pm_status st = make_set(d, q, &r);
    if (st == PM_OK) st = submit(d, q, &r, pipeline, seconds);
    d->vk.vkDestroyQueryPool(d->handle, r.queries, NULL);
    d->vk.vkDestroyDescriptorPool(d->handle, r.pool, NULL);
    return st;
}

// ---- the device's peak ----

// Rounds are doubled until a run takes a tenth of what one may take, so that no watchdog fires; then about 50 milliseconds are measured.
pm_status pm_vk_peak_flops(pm_device *device, double *flops)
{
    enum { FLOPS_A_ROUND = 256, RUNS = 5, MOST_ROUNDS = 1 << 24 };
    pm_vk_device *d = (pm_vk_device *)device;
    const bool software = device->info.type == PM_DEVICE_SOFTWARE;
    const double run_seconds = PM_MIN(0.01, 0.1 * d->limits.seconds);
    const uint32_t groups = PM_MIN(software ? 64u : 4096u, d->limits.groups), local = software ? 32 : d->limits.local_size;
    pm_buffer *out;
    *flops = 0;
    PM_TRY(pm_vk_buffer_create(device, (int64_t)groups * local * 4, &out));
    pm_vk_direct q = { .variant = { .shader = pm_vk_shader_named("peak"), .constant = { local } }, .buffer = { out }, .bindings = 1,
                       .groups = groups };
    const float factor = 0.999f, term = 0.5f;
    memcpy(&q.push[1], &factor, 4);
    memcpy(&q.push[2], &term, 4);
    double seconds = 0, best = 0;
    pm_status st = PM_OK;
    for (q.push[0] = 1; st == PM_OK && q.push[0] < MOST_ROUNDS; q.push[0] *= 2) {
        st = pm_vk_run_direct(d, &q, &seconds);
        if (seconds >= run_seconds) break;
    }
    for (int i = 0; st == PM_OK && i < RUNS; i++) {
        st = pm_vk_run_direct(d, &q, &seconds);
        if (seconds > 0) best = PM_MAX(best, (double)groups * local * q.push[0] * FLOPS_A_ROUND / seconds);
    }
    pm_vk_buffer_destroy(out);
    *flops = best;
    return st;
}
