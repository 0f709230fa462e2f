// Submission: bounded, at most two in flight; and what happens when the device is lost.
#include "backend/vulkan/vk.h"

pm_status pm_vk_submission_open(pm_vk_device *d)
{
    const VkCommandPoolCreateInfo pool = { .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                           .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT, .queueFamilyIndex = d->family };
    const VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
    PM_TRY(pm_vk_check(d, d->vk.vkCreateCommandPool(d->handle, &pool, NULL, &d->pool), "making a command pool"));
    const VkCommandBufferAllocateInfo one = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, .commandPool = d->pool,
                                              .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, .commandBufferCount = 1 };
    PM_TRY(pm_vk_check(d, d->vk.vkAllocateCommandBuffers(d->handle, &one, &d->transfer), "making a command buffer"));
    for (int i = 0; i < PM_VK_IN_FLIGHT; i++)
        PM_TRY(pm_vk_check(d, d->vk.vkCreateFence(d->handle, &fence, NULL, &d->slot[i].fence), "making a fence"));
    return PM_OK;
}

void pm_vk_submission_close(pm_vk_device *d)
{
    for (int i = 0; i < PM_VK_IN_FLIGHT; i++) d->vk.vkDestroyFence(d->handle, d->slot[i].fence, NULL);
    d->vk.vkDestroyCommandPool(d->handle, d->pool, NULL);
}

void pm_vk_full_barrier(pm_vk_device *d, VkCommandBuffer commands)
{
    const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
    const VkAccessFlags shader = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT,
                        transfer = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
    const VkMemoryBarrier barrier = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                      .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
                                      .dstAccessMask = shader | transfer };
    d->vk.vkCmdPipelineBarrier(commands, stages, stages, 0, 1, &barrier, 0, NULL, 0, NULL);
}

// What was written becomes visible to the host, for memory that it reads directly.
static void host_barrier(pm_vk_device *d, VkCommandBuffer commands)
{
    const VkMemoryBarrier barrier = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                      .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
                                      .dstAccessMask = VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT };
    d->vk.vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0,
                               1, &barrier, 0, NULL, 0, NULL);
}

pm_status pm_vk_alive(pm_vk_device *d)
{
    PM_REQUIRE(d, !d->lost, PM_ERR_DEVICE_LOST, "%s", d->lost);
    PM_REQUIRE(d, !d->instance->message[0], PM_ERR_INTERNAL, "Vulkan validation: %s", d->instance->message);
    return PM_OK;
}

static pm_status lose(pm_vk_device *d, const char *ops)
{
    d->lost = pm_sprintf(d, "%s (%s): the device was lost while running %s; a driver's watchdog or a fault of the hardware: "
                            "start again from the last checkpoint, with a smaller batch or a newer driver", d->base.info.id, d->base.info.name, ops);
    if (!d->lost) d->lost = "the device was lost";
    return pm_vk_alive(d);
}

static pm_status outcome(pm_vk_device *d, VkResult result, const char *ops)
{
    return result == VK_ERROR_DEVICE_LOST ? lose(d, ops) : pm_vk_check(d, result, ops);
}

static pm_status finish(pm_vk_device *d, pm_vk_slot *s)
{
    if (!s->busy) return PM_OK;
    s->busy = false;
    PM_TRY(outcome(d, d->vk.vkWaitForFences(d->handle, 1, &s->fence, VK_TRUE, UINT64_MAX), s->ops));
    return pm_vk_check(d, d->vk.vkResetFences(d->handle, 1, &s->fence), "resetting a fence");
}

pm_status pm_vk_submit(pm_vk_device *d, const VkCommandBuffer *commands, uint32_t count, const char *ops)
{
    pm_vk_slot *s = &d->slot[d->next_slot];
    PM_TRY(pm_vk_alive(d));
    PM_TRY(finish(d, s));
    const VkSubmitInfo info = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = count, .pCommandBuffers = commands };
    const bool lose_now = ++d->submissions == d->switches.lose_at;
    PM_TRY(outcome(d, lose_now ? VK_ERROR_DEVICE_LOST : d->vk.vkQueueSubmit(d->queue, 1, &info, s->fence), ops));
    s->busy = true;
    s->ops = ops;
    d->next_slot = (d->next_slot + 1) % PM_VK_IN_FLIGHT;
    return PM_OK;
}

// The oldest first, so that a loss names the right ops.
pm_status pm_vk_drain(pm_vk_device *d)
{
    pm_status st = PM_OK;
    for (int i = 0; i < PM_VK_IN_FLIGHT; i++) {
        const pm_status one = finish(d, &d->slot[(d->next_slot + i) % PM_VK_IN_FLIGHT]);
        if (st == PM_OK) st = one;
    }
    return st == PM_OK ? pm_vk_alive(d) : st;
}

pm_status pm_vk_wait(pm_device *device)
{
    return pm_vk_drain((pm_vk_device *)device);
}

pm_status pm_vk_transfer_begin(pm_vk_device *d)
{
    const VkCommandBufferBeginInfo begin = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                             .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT };
    PM_TRY(pm_vk_drain(d));
    PM_TRY(pm_vk_check(d, d->vk.vkBeginCommandBuffer(d->transfer, &begin), "recording a transfer"));
    pm_vk_full_barrier(d, d->transfer);
    return PM_OK;
}

pm_status pm_vk_transfer_finish(pm_vk_device *d, const char *what)
{
    host_barrier(d, d->transfer);
    PM_TRY(pm_vk_check(d, d->vk.vkEndCommandBuffer(d->transfer), what));
    PM_TRY(pm_vk_submit(d, &d->transfer, 1, what));
    return pm_vk_drain(d);
}
