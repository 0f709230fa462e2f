// Device memory: a few big blocks, cut into buffers. A buffer over half a block gets memory of its own.
#include "backend/vulkan/vk.h"

#include <stdio.h>

enum { STAGING_SIZE = 8 << 20, BLOCK_SIZE = 32 << 20 };

// A stretch of a block that is not in use; sorted by offset, never touching.
typedef struct gap {
    int64_t offset, size;
} gap;

struct pm_vk_block {
    VkDeviceMemory memory;
    int64_t        size;
    char          *data;
    gap           *gaps;
    int            gap_count, gap_capacity;
    pm_vk_block   *next;
};

static const VkBufferUsageFlags usage =
    VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;

// How much the driver, or the switch, would still give from the heap of a type; INT64_MAX where nobody says.
static int64_t free_memory(pm_vk_device *d, uint32_t type)
{
    int64_t left = d->switches.memory ? PM_MAX(d->switches.memory - d->allocated, 0) : INT64_MAX;
    if (!d->budget) return left;
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT };
    VkPhysicalDeviceMemoryProperties2 m = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, .pNext = &budget };
    vkGetPhysicalDeviceMemoryProperties2(d->physical, &m);
    const uint32_t heap = m.memoryProperties.memoryTypes[type].heapIndex;
    const int64_t most = (int64_t)budget.heapBudget[heap], used = (int64_t)budget.heapUsage[heap];
    return most > 0 ? PM_MIN(left, PM_MAX(most - used, 0)) : left;
}

static pm_status allocate(pm_vk_device *d, uint32_t type, int64_t size, VkDeviceMemory *out)
{
    const VkMemoryAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .allocationSize = (VkDeviceSize)size,
                                        .memoryTypeIndex = type };
    *out = VK_NULL_HANDLE;
    const pm_vk_switches *faults = &d->switches;
    d->allocations++;
    if (d->allocations == faults->fail_alloc || (faults->full_from && d->allocations >= faults->full_from)) return PM_ERR_DEVICE_MEMORY;
    if (size > free_memory(d, type)) return PM_ERR_DEVICE_MEMORY;    // a driver may accept it, and fail when it is used
    const VkResult result = d->vk.vkAllocateMemory(d->handle, &info, NULL, out);
    d->allocated += result == VK_SUCCESS ? size : 0;
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_TOO_MANY_OBJECTS) return PM_ERR_DEVICE_MEMORY;
    return pm_vk_check(d, result, "allocating memory");
}

static pm_status out_of_memory(pm_vk_device *d, int64_t size)
{
    const int64_t left = free_memory(d, d->memory_type);
    char free_text[48] = "";
    if (left != INT64_MAX) snprintf(free_text, sizeof free_text, ", %.1f MiB are free", (double)left / 1048576);
    return pm_fail(d, PM_ERR_DEVICE_MEMORY,
                   "%s (%s): out of device memory: no room for %.1f MiB more, %.1f MiB are in use%s; a smaller batch (--set batch=N) or another "
                   "device may fit", d->base.info.id, d->base.info.name, (double)size / 1048576, (double)d->base.memory_now / 1048576, free_text);
}

static pm_status create_handle(pm_vk_device *d, int64_t size, VkBuffer *out)
{
    const VkBufferCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = (VkDeviceSize)size, .usage = usage,
                                      .sharingMode = VK_SHARING_MODE_EXCLUSIVE };
    return pm_vk_check(d, d->vk.vkCreateBuffer(d->handle, &info, NULL, out), "making a buffer");
}

// The first type allowed by `bits` with all of `want`, UINT32_MAX without one.
static uint32_t find_type(pm_vk_device *d, uint32_t bits, VkMemoryPropertyFlags want)
{
    VkPhysicalDeviceMemoryProperties m;
    vkGetPhysicalDeviceMemoryProperties(d->physical, &m);
    for (uint32_t i = 0; i < m.memoryTypeCount; i++)
        if ((bits >> i & 1) && (m.memoryTypes[i].propertyFlags & want) == want) return i;
    return UINT32_MAX;
}

static pm_status choose_types(pm_vk_device *d)
{
    const VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
                                host = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    VkBuffer probe;
    VkMemoryRequirements needs;
    PM_TRY(create_handle(d, 65536, &probe));
    d->vk.vkGetBufferMemoryRequirements(d->handle, probe, &needs);
    d->vk.vkDestroyBuffer(d->handle, probe, NULL);
    const uint32_t bits = needs.memoryTypeBits;
    const bool shared = d->base.info.type == PM_DEVICE_SOFTWARE || d->base.info.type == PM_DEVICE_INTEGRATED;
    d->upload_type = find_type(d, bits, host);
    d->read_type = find_type(d, bits, host | cached);
    if (d->read_type == UINT32_MAX) d->read_type = d->upload_type;
    d->memory_type = shared && !d->switches.no_mapping ? find_type(d, bits, local | host | cached) : UINT32_MAX;
    d->mapped = d->memory_type != UINT32_MAX;
    if (!d->mapped) d->memory_type = find_type(d, bits, local);
    if (d->memory_type == UINT32_MAX) d->memory_type = find_type(d, bits, 0);
    PM_REQUIRE(d, d->memory_type != UINT32_MAX && d->upload_type != UINT32_MAX, PM_ERR_UNSUPPORTED,
               "%s (%s): the driver has no memory type for storage buffers", d->base.info.id, d->base.info.name);
    return PM_OK;
}

static pm_status create_staging(pm_vk_device *d, uint32_t type, pm_vk_staging *s)
{
    VkMemoryRequirements needs;
    void *data;
    PM_TRY(create_handle(d, STAGING_SIZE, &s->handle));
    d->vk.vkGetBufferMemoryRequirements(d->handle, s->handle, &needs);
    const pm_status st = allocate(d, type, (int64_t)needs.size, &s->memory);
    if (st != PM_OK) return st == PM_ERR_DEVICE_MEMORY ? out_of_memory(d, (int64_t)needs.size) : st;
    PM_TRY(pm_vk_check(d, d->vk.vkBindBufferMemory(d->handle, s->handle, s->memory, 0), "binding memory"));
    PM_TRY(pm_vk_check(d, d->vk.vkMapMemory(d->handle, s->memory, 0, VK_WHOLE_SIZE, 0, &data), "mapping memory"));
    s->data = data;
    return PM_OK;
}

static void destroy_staging(pm_vk_device *d, pm_vk_staging *s)
{
    d->vk.vkDestroyBuffer(d->handle, s->handle, NULL);
    d->vk.vkFreeMemory(d->handle, s->memory, NULL);
    *s = (pm_vk_staging){ 0 };
}

pm_status pm_vk_memory_open(pm_vk_device *d)
{
    pm_buffer *nothing;
    PM_TRY(choose_types(d));
    if (!d->mapped) {
        PM_TRY(create_staging(d, d->upload_type, &d->upload));
        PM_TRY(create_staging(d, d->read_type, &d->read));
    }
    PM_TRY(pm_vk_buffer_create(&d->base, 256, &nothing));
    d->nothing = (pm_vk_buffer *)nothing;
    return PM_OK;
}

static void destroy_block(pm_vk_device *d, pm_vk_block *b)
{
    pm_vk_block **at = &d->blocks;
    while (*at && *at != b) at = &(*at)->next;
    if (*at) *at = b->next;
    d->vk.vkFreeMemory(d->handle, b->memory, NULL);
    d->allocated -= b->size;
    pm_free(b);
}

void pm_vk_memory_close(pm_vk_device *d)
{
    while (d->buffers) pm_vk_buffer_destroy(&d->buffers->base);
    while (d->blocks) destroy_block(d, d->blocks);
    destroy_staging(d, &d->upload);
    destroy_staging(d, &d->read);
}

static pm_status create_block(pm_vk_device *d, int64_t size, pm_vk_block **out)
{
    *out = NULL;
    pm_vk_block *b = pm_new(d, pm_vk_block);
    PM_CHECK_ALLOC(b);
    b->size = size;
    pm_status st = pm_grow_array(b, (void **)&b->gaps, b->gap_capacity = 16, sizeof *b->gaps);
    if (st == PM_OK) st = allocate(d, d->memory_type, size, &b->memory);
    void *data = NULL;
    if (st == PM_OK && d->mapped)
        st = pm_vk_check(d, d->vk.vkMapMemory(d->handle, b->memory, 0, VK_WHOLE_SIZE, 0, &data), "mapping memory");
    if (st != PM_OK) {
        d->vk.vkFreeMemory(d->handle, b->memory, NULL);
        pm_free(b);
        return st;
    }
    b->data = data;
    b->gaps[0] = (gap){ 0, size };
    b->gap_count = 1;
    b->next = d->blocks;
    d->blocks = b;
    *out = b;
    return PM_OK;
}

static pm_status insert_gap(pm_vk_block *b, int at, gap g)
{
    if (b->gap_count == b->gap_capacity) {
        PM_TRY(pm_grow_array(b, (void **)&b->gaps, 2 * b->gap_capacity, sizeof *b->gaps));
        b->gap_capacity *= 2;
    }
    memmove(&b->gaps[at + 1], &b->gaps[at], sizeof *b->gaps * (size_t)(b->gap_count - at));
    b->gaps[at] = g;
    b->gap_count++;
    return PM_OK;
}

static void remove_gap(pm_vk_block *b, int at)
{
    b->gap_count--;
    memmove(&b->gaps[at], &b->gaps[at + 1], sizeof *b->gaps * (size_t)(b->gap_count - at));
}

// First fit. False when the block has no place.
static bool take(pm_vk_block *b, int64_t size, int64_t align, int64_t *offset)
{
    for (int i = 0; i < b->gap_count; i++) {
        const gap g = b->gaps[i];
        const int64_t start = (g.offset + align - 1) / align * align, end = start + size;
        if (end > g.offset + g.size) continue;
        if (start > g.offset && insert_gap(b, i, (gap){ g.offset, start - g.offset }) != PM_OK) return false;
        if (start > g.offset) i++;
        b->gaps[i] = (gap){ end, g.offset + g.size - end };
        if (b->gaps[i].size == 0) remove_gap(b, i);
        *offset = start;
        return true;
    }
    return false;
}

static void give(pm_vk_device *d, pm_vk_block *b, int64_t offset, int64_t size)
{
    int i = 0;
    while (i < b->gap_count && b->gaps[i].offset < offset) i++;
    if (insert_gap(b, i, (gap){ offset, size }) != PM_OK) return;    // the stretch is lost until the block goes
    if (i + 1 < b->gap_count && b->gaps[i].offset + b->gaps[i].size == b->gaps[i + 1].offset) {
        b->gaps[i].size += b->gaps[i + 1].size;
        remove_gap(b, i + 1);
    }
    if (i > 0 && b->gaps[i - 1].offset + b->gaps[i - 1].size == b->gaps[i].offset) {
        b->gaps[i - 1].size += b->gaps[i].size;
        remove_gap(b, i);
    }
    if (b->gap_count == 1 && b->gaps[0].size == b->size) destroy_block(d, b);
}

static pm_status place(pm_vk_device *d, pm_vk_buffer *b, int64_t size, int64_t align)
{
    b->size = size;
    for (b->block = d->blocks; b->block; b->block = b->block->next)
        if (take(b->block, size, align, &b->offset)) return PM_OK;
    pm_status st = create_block(d, size > BLOCK_SIZE / 2 ? size : BLOCK_SIZE, &b->block);
    if (st == PM_ERR_DEVICE_MEMORY && size <= BLOCK_SIZE / 2) st = create_block(d, size, &b->block);    // what is needed may still fit
    if (st != PM_OK) return st == PM_ERR_DEVICE_MEMORY ? out_of_memory(d, size) : st;
    return take(b->block, size, align, &b->offset) ? PM_OK : PM_ERR_NOMEM;
}

static pm_status zero(pm_vk_device *d, pm_vk_buffer *b)
{
    if (b->data) {
        memset(b->data, 0, (size_t)b->size);
        return PM_OK;
    }
    PM_TRY(pm_vk_transfer_begin(d));
    d->vk.vkCmdFillBuffer(d->transfer, b->handle, 0, VK_WHOLE_SIZE, 0);
    return pm_vk_transfer_finish(d, "clearing a buffer");
}

static pm_status fill_in(pm_vk_device *d, pm_vk_buffer *b, int64_t size)
{
    VkMemoryRequirements needs;
    PM_TRY(create_handle(d, (PM_MAX(size, 16) + 15) / 16 * 16, &b->handle));
    d->vk.vkGetBufferMemoryRequirements(d->handle, b->handle, &needs);
    PM_TRY(place(d, b, (int64_t)needs.size, (int64_t)needs.alignment));
    PM_TRY(pm_vk_check(d, d->vk.vkBindBufferMemory(d->handle, b->handle, b->block->memory, (VkDeviceSize)b->offset), "binding memory"));
    if (b->block->data) b->data = b->block->data + b->offset;
    return zero(d, b);
}

static void release(pm_vk_device *d, pm_vk_buffer *b)
{
    d->vk.vkDestroyBuffer(d->handle, b->handle, NULL);
    if (b->block) give(d, b->block, b->offset, b->size);
    pm_free(b);
}

pm_status pm_vk_buffer_create(pm_device *device, int64_t size, pm_buffer **out)
{
    pm_vk_device *d = (pm_vk_device *)device;
    *out = NULL;
    PM_TRY(pm_vk_alive(d));
    pm_vk_buffer *b = pm_new(d, pm_vk_buffer);
    PM_CHECK_ALLOC(b);
    b->base = (pm_buffer){ device, size };
    const pm_status st = fill_in(d, b, size);
    if (st != PM_OK) {
        release(d, b);
        return st;
    }
    b->next = d->buffers;
    d->buffers = b;
    device->memory_now += (uint64_t)size;
    device->memory_peak = PM_MAX(device->memory_peak, device->memory_now);
    *out = &b->base;
    return PM_OK;
}

void pm_vk_buffer_destroy(pm_buffer *buffer)
{
    if (!buffer) return;
    pm_vk_device *d = (pm_vk_device *)buffer->device;
    pm_vk_buffer *b = (pm_vk_buffer *)buffer, **at = &d->buffers;
    pm_vk_drain(d);    // a failure is kept and comes back from the next call
    while (*at && *at != b) at = &(*at)->next;
    if (*at) *at = b->next;
    d->base.memory_now -= (uint64_t)buffer->size;
    release(d, b);
}

pm_status pm_vk_upload(pm_buffer *buffer, int64_t offset, const void *data, int64_t size)
{
    pm_vk_device *d = (pm_vk_device *)buffer->device;
    pm_vk_buffer *b = (pm_vk_buffer *)buffer;
    d->transfers++;
    PM_TRY(pm_vk_drain(d));
    if (b->data) {
        memcpy(b->data + offset, data, (size_t)size);
        return PM_OK;
    }
    for (int64_t done = 0; done < size; done += STAGING_SIZE) {
        const int64_t part = PM_MIN(size - done, STAGING_SIZE);
        const VkBufferCopy copy = { .dstOffset = (VkDeviceSize)(offset + done), .size = (VkDeviceSize)part };
        memcpy(d->upload.data, (const char *)data + done, (size_t)part);
        PM_TRY(pm_vk_transfer_begin(d));
        d->vk.vkCmdCopyBuffer(d->transfer, d->upload.handle, b->handle, 1, &copy);
        PM_TRY(pm_vk_transfer_finish(d, "uploading"));
    }
    return PM_OK;
}

pm_status pm_vk_download(pm_buffer *buffer, int64_t offset, void *data, int64_t size)
{
    pm_vk_device *d = (pm_vk_device *)buffer->device;
    pm_vk_buffer *b = (pm_vk_buffer *)buffer;
    d->transfers++;
    PM_TRY(pm_vk_drain(d));
    if (b->data) {
        memcpy(data, b->data + offset, (size_t)size);
        return PM_OK;
    }
    for (int64_t done = 0; done < size; done += STAGING_SIZE) {
        const int64_t part = PM_MIN(size - done, STAGING_SIZE);
        const VkBufferCopy copy = { .srcOffset = (VkDeviceSize)(offset + done), .size = (VkDeviceSize)part };
        PM_TRY(pm_vk_transfer_begin(d));
        d->vk.vkCmdCopyBuffer(d->transfer, b->handle, d->read.handle, 1, &copy);
        PM_TRY(pm_vk_transfer_finish(d, "reading back"));
        memcpy((char *)data + done, d->read.data, (size_t)part);
    }
    return PM_OK;
}
