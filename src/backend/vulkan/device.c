// Listing devices and opening one.
#include "backend/vulkan/vk.h"

#include <stdio.h>

extern const pm_backend pm_backend_vulkan;

// What is asked of a physical device before anything is made on it.
typedef struct facts {
    VkPhysicalDeviceProperties       properties;
    VkPhysicalDeviceDriverProperties driver;    // zero where the driver does not say
    VkPhysicalDeviceSubgroupProperties subgroup;
    VkPhysicalDeviceSubgroupSizeControlPropertiesEXT size_control;
    VkQueueFamilyProperties          queue;
    uint32_t                         family;
    bool                             compute, portability, full_subgroups, budget;
} facts;

const char *pm_vk_result_name(VkResult result)
{
    switch (result) {
    case VK_SUCCESS: return "VK_SUCCESS";
    case VK_ERROR_OUT_OF_HOST_MEMORY: return "VK_ERROR_OUT_OF_HOST_MEMORY";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
    case VK_ERROR_INITIALIZATION_FAILED: return "VK_ERROR_INITIALIZATION_FAILED";
    case VK_ERROR_DEVICE_LOST: return "VK_ERROR_DEVICE_LOST";
    case VK_ERROR_EXTENSION_NOT_PRESENT: return "VK_ERROR_EXTENSION_NOT_PRESENT";
    case VK_ERROR_FEATURE_NOT_PRESENT: return "VK_ERROR_FEATURE_NOT_PRESENT";
    case VK_ERROR_TOO_MANY_OBJECTS: return "VK_ERROR_TOO_MANY_OBJECTS";
    case VK_ERROR_FRAGMENTED_POOL: return "VK_ERROR_FRAGMENTED_POOL";
    case VK_ERROR_OUT_OF_POOL_MEMORY: return "VK_ERROR_OUT_OF_POOL_MEMORY";
    case VK_ERROR_INVALID_SHADER_NV: return "VK_ERROR_INVALID_SHADER_NV";
    case VK_TIMEOUT: return "VK_TIMEOUT";
    default: return "an unknown Vulkan error";
    }
}

static bool has_extension(VkPhysicalDevice physical, const char *name)
{
    VkExtensionProperties list[512];
    uint32_t count = PM_COUNT(list);
    vkEnumerateDeviceExtensionProperties(physical, NULL, &count, list);
    for (uint32_t i = 0; i < count; i++)
        if (pm_name_equal(list[i].extensionName, name)) return true;
    return false;
}

// A queue for compute alone before one that draws too: nothing else waits on it.
static void find_queue(VkPhysicalDevice physical, facts *f)
{
    VkQueueFamilyProperties list[32];
    uint32_t count = PM_COUNT(list);
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, list);
    for (uint32_t i = 0; i < count; i++) {
        if (!(list[i].queueFlags & VK_QUEUE_COMPUTE_BIT) || list[i].queueCount == 0) continue;
        if (f->compute && (list[i].queueFlags & VK_QUEUE_GRAPHICS_BIT)) continue;
        f->compute = true;
        f->family = i;
        f->queue = list[i];
    }
}

// Whether pipelines can ask for full subgroups of the size that the device reports: AMD's and Intel's compilers choose one otherwise.
static void learn_subgroups(VkPhysicalDevice physical, facts *f)
{
    f->size_control.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES_EXT;
    f->subgroup = (VkPhysicalDeviceSubgroupProperties){ .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES };
    VkPhysicalDeviceSubgroupSizeControlFeaturesEXT features = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT };
    VkPhysicalDeviceFeatures2 both = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &features };
    VkPhysicalDeviceProperties2 properties = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &f->subgroup };
    const bool control = has_extension(physical, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
    if (control) {
        f->subgroup.pNext = &f->size_control;
        vkGetPhysicalDeviceFeatures2(physical, &both);
    }
    vkGetPhysicalDeviceProperties2(physical, &properties);
    const uint32_t size = f->subgroup.subgroupSize;
    f->full_subgroups = features.subgroupSizeControl && features.computeFullSubgroups && size >= f->size_control.minSubgroupSize &&
                        size <= f->size_control.maxSubgroupSize &&
                        (f->size_control.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT);
}

static void learn(VkPhysicalDevice physical, facts *f)
{
    memset(f, 0, sizeof *f);
    vkGetPhysicalDeviceProperties(physical, &f->properties);
    find_queue(physical, f);
    if (f->properties.apiVersion < VK_API_VERSION_1_1) return;
    f->portability = has_extension(physical, "VK_KHR_portability_subset");
    f->budget = has_extension(physical, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
    f->driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
    VkPhysicalDeviceProperties2 both = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2 };
    if (f->properties.apiVersion >= VK_API_VERSION_1_2 || has_extension(physical, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME))
        both.pNext = &f->driver;
    vkGetPhysicalDeviceProperties2(physical, &both);
    learn_subgroups(physical, f);
}

static void find_problem(const facts *f, char *text, size_t size)
{
    const VkPhysicalDeviceLimits *l = &f->properties.limits;
    const struct {
        const char *name;
        int64_t     has, needs;
    } limits[] = {
        { "maxComputeWorkGroupInvocations", l->maxComputeWorkGroupInvocations, 128 },
        { "maxComputeWorkGroupSize", l->maxComputeWorkGroupSize[0], 128 },
        { "maxComputeSharedMemorySize", l->maxComputeSharedMemorySize, 16384 },
        { "maxPerStageDescriptorStorageBuffers", l->maxPerStageDescriptorStorageBuffers, PM_VK_MAX_BINDINGS },
        { "maxDescriptorSetStorageBuffers", l->maxDescriptorSetStorageBuffers, PM_VK_MAX_BINDINGS },
        { "maxPushConstantsSize", l->maxPushConstantsSize, 4 * PM_VK_PUSH_WORDS },
        { "maxStorageBufferRange", l->maxStorageBufferRange, 1 << 27 },
    };
    if (f->properties.apiVersion < VK_API_VERSION_1_1) {
        snprintf(text, size, "it offers Vulkan 1.0 and 1.1 is needed; a newer driver may help");
    } else if (!f->compute) {
        snprintf(text, size, "it has no compute queue");
    } else {
        for (int i = 0; i < PM_COUNT(limits); i++)
            if (limits[i].has < limits[i].needs) {
                snprintf(text, size, "its %s is %" PRId64 " and %" PRId64 " is needed", limits[i].name, limits[i].has, limits[i].needs);
                return;
            }
    }
}

static void describe(int index, VkPhysicalDevice physical, const facts *f, pm_device_info *out)
{
    static const pm_device_type types[] = { PM_DEVICE_VIRTUAL, PM_DEVICE_INTEGRATED, PM_DEVICE_DISCRETE, PM_DEVICE_VIRTUAL,
                                            PM_DEVICE_SOFTWARE };
    const VkPhysicalDeviceProperties *p = &f->properties;
    *out = (pm_device_info){ .type = (unsigned)p->deviceType < PM_COUNT(types) ? types[p->deviceType] : PM_DEVICE_VIRTUAL };
    snprintf(out->id, sizeof out->id, "vulkan:%d", index);
    snprintf(out->backend, sizeof out->backend, "vulkan");
    snprintf(out->name, sizeof out->name, "%s", p->deviceName);
    if (f->driver.driverName[0]) snprintf(out->driver, sizeof out->driver, "%.100s %.140s", f->driver.driverName, f->driver.driverInfo);
    else snprintf(out->driver, sizeof out->driver, "driver 0x%x of vendor 0x%x", p->driverVersion, p->vendorID);
    VkPhysicalDeviceMemoryProperties memory;
    vkGetPhysicalDeviceMemoryProperties(physical, &memory);
    for (uint32_t i = 0; i < memory.memoryHeapCount; i++)
        if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) out->memory = PM_MAX(out->memory, memory.memoryHeaps[i].size);
    find_problem(f, out->problem, sizeof out->problem);
}

pm_status pm_vk_list(pm_ctx *ctx, pm_device_info *list, int capacity, int *count, const char **note)
{
    *count = 0;
    pm_vk_switches switches;
    pm_vk_instance *instance;
    const char *said;
    PM_TRY(pm_vk_read_switches(ctx, &switches));
    PM_TRY(pm_vk_instance_create(ctx, &switches, &instance, &said));
    if (said) *note = said;
    if (!instance) return PM_OK;
    for (uint32_t i = 0; i < instance->count && *count < capacity; i++) {
        facts f;
        learn(instance->physical[i], &f);
        describe((int)i, instance->physical[i], &f, &list[*count]);
        if (switches.memory) list[*count].memory = (uint64_t)switches.memory;    // as if that were all there is
        ++*count;
    }
    pm_free(instance);
    return PM_OK;
}

static void close_device(void *ptr)
{
    pm_vk_device *d = ptr;
    if (!d->handle) return;
    d->vk.vkDeviceWaitIdle(d->handle);
    while (d->programs) pm_vk_program_destroy(d->programs);
    if (d->tune) pm_vk_tuned_close(d);
    pm_vk_pipelines_close(d);
    pm_vk_memory_close(d);
    pm_vk_submission_close(d);
    d->vk.vkDestroyDevice(d->handle, NULL);
    d->handle = NULL;
}

static pm_status create_device(pm_vk_device *d, const facts *f)
{
    const float priority = 1;
    const char *extensions[3];
    uint32_t extension_count = 0;
    if (f->portability) extensions[extension_count++] = "VK_KHR_portability_subset";
    if (f->budget) extensions[extension_count++] = VK_EXT_MEMORY_BUDGET_EXTENSION_NAME;
    if (f->full_subgroups) extensions[extension_count++] = VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME;
    const VkPhysicalDeviceSubgroupSizeControlFeaturesEXT sizes = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT,
                                                                   .subgroupSizeControl = VK_TRUE, .computeFullSubgroups = VK_TRUE };
    const VkDeviceQueueCreateInfo queue = { .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueFamilyIndex = f->family,
                                            .queueCount = 1, .pQueuePriorities = &priority };
    const VkDeviceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                      .pNext = f->full_subgroups ? &sizes : NULL, .queueCreateInfoCount = 1, .pQueueCreateInfos = &queue,
                                      .enabledExtensionCount = extension_count, .ppEnabledExtensionNames = extensions };
    const VkResult result = d->switches.fail_create ? VK_ERROR_INITIALIZATION_FAILED : vkCreateDevice(d->physical, &info, NULL, &d->handle);
    PM_REQUIRE(d, result == VK_SUCCESS, PM_ERR_NO_DEVICE,
               "%s (%s): the driver, %s, cannot open the device (%s); see whether vulkaninfo can, update the driver, or use another device",
               d->base.info.id, d->base.info.name, d->base.info.driver, pm_vk_result_name(result));
    volkLoadDeviceTable(&d->vk, d->handle);
    d->family = f->family;
    d->budget = f->budget;
    d->vk.vkGetDeviceQueue(d->handle, f->family, 0, &d->queue);
    return PM_OK;
}

// What of the device is used. The guessed speeds only bound how much is submitted at once.
static void choose(pm_vk_device *d, const facts *f)
{
    const VkPhysicalDeviceLimits *l = &f->properties.limits;
    const bool software = d->base.info.type == PM_DEVICE_SOFTWARE, small = d->switches.min_limits;
    const bool swiftshader = f->driver.driverID == VK_DRIVER_ID_GOOGLE_SWIFTSHADER;
    const uint32_t most = PM_MIN(l->maxComputeWorkGroupInvocations, l->maxComputeWorkGroupSize[0]);
    const bool few = software && !d->switches.gpu_limits;    // a software driver pays for each invocation at a barrier
    d->limits.local_size = !small && !few && most >= 256 ? 256 : 128;
    d->limits.row_size = few ? 32 : most >= 512 ? 512 : d->limits.local_size;
    d->limits.slices = few && !small ? 1 : 8;
    d->limits.one_size = few ? 32 : d->limits.local_size;
    if (small) d->limits.row_size = d->limits.one_size = d->limits.local_size;
    d->limits.invocations = small ? 128 : most;
    d->limits.shared = small ? 16384 : l->maxComputeSharedMemorySize;
    d->limits.groups = PM_MIN(l->maxComputeWorkGroupCount[0], 65535);
    d->limits.range = small ? 1 << 27 : l->maxStorageBufferRange;
    d->limits.align = small ? 256 : PM_MAX((int64_t)l->minStorageBufferOffsetAlignment, 16);
    const VkSubgroupFeatureFlags folds = VK_SUBGROUP_FEATURE_BASIC_BIT | VK_SUBGROUP_FEATURE_ARITHMETIC_BIT;
    const bool able = (f->subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) && (f->subgroup.supportedOperations & folds) == folds;
    d->subgroup = able && !small && !d->switches.no_subgroup ? f->subgroup.subgroupSize : 0;
    d->full_subgroups = f->full_subgroups && d->limits.row_size <= f->size_control.maxComputeWorkgroupSubgroups * d->subgroup;
    if (d->switches.range) d->limits.range = PM_MIN(d->limits.range, d->switches.range);
    d->limits.seconds = d->switches.time ? 1e-6 * (double)d->switches.time : 0.1;    // far below any watchdog, and Ctrl-C answers at once
    d->timestamps = !d->switches.no_timestamps && f->queue.timestampValidBits > 0 && l->timestampPeriod > 0;
    d->tick_seconds = 1e-9 * l->timestampPeriod;
    d->matmul = swiftshader ? PM_VK_PLAIN : software || d->switches.no_tiles ? PM_VK_BLOCK : PM_VK_TILE;
    if (d->switches.matmul) d->matmul = (pm_vk_matmul)(d->switches.matmul - 1);
    d->tune = d->matmul == PM_VK_TILE && !d->switches.tile && (d->switches.tune ? d->switches.tune > 0 : !software);
    d->split = d->switches.split ? PM_MAX(d->switches.split, 0) : software ? 0 : PM_VK_LEAST_PART;
    d->flops = swiftshader ? 4e8 : software ? 2e9 : d->base.info.type == PM_DEVICE_DISCRETE ? 1e12 : 1e11;
    d->bandwidth = swiftshader ? 3e8 : software ? 1e9 : d->base.info.type == PM_DEVICE_DISCRETE ? 5e10 : 1e10;
}

static pm_status set_up(pm_vk_device *d, int index)
{
    facts f;
    const char *note;
    PM_TRY(pm_vk_read_switches(d, &d->switches));
    PM_TRY(pm_vk_instance_create(d, &d->switches, &d->instance, &note));
    PM_REQUIRE(d, d->instance && (uint32_t)index < d->instance->count, PM_ERR_NO_DEVICE, "vulkan:%d: %s", index,
               note ? note : "there is no such device any more");
    d->physical = d->instance->physical[index];
    learn(d->physical, &f);
    describe(index, d->physical, &f, &d->base.info);
    PM_REQUIRE(d, !d->base.info.problem[0], PM_ERR_UNSUPPORTED, "%s (%s) cannot be used: %s", d->base.info.id, d->base.info.name,
               d->base.info.problem);
    PM_TRY(create_device(d, &f));
    choose(d, &f);
    PM_REQUIRE(d, !d->switches.tile || pm_vk_tile_fits(d, &pm_vk_tiles[d->switches.tile - 1]), PM_ERR_UNSUPPORTED,
               "PUMICE_VK_MATMUL: tile:%d wants %u invocations and %u bytes of shared memory; %s (%s) offers %u and %u", d->switches.tile,
               pm_vk_tile_invocations(&pm_vk_tiles[d->switches.tile - 1]), pm_vk_tile_shared(&pm_vk_tiles[d->switches.tile - 1]),
               d->base.info.id, d->base.info.name, d->limits.invocations, d->limits.shared);
    char folds[32] = "shared";
    if (d->subgroup) snprintf(folds, sizeof folds, "subgroup %u%s", d->subgroup, d->full_subgroups ? " full" : "");
    static const char *const matmuls[] = { "tile", "block", "plain" };
    d->base.profile = pm_sprintf(d, "vulkan %s, %s, version 0x%x, workgroup %u and %u, folds %s, matmul %s, split %" PRId64 ", shaders %016" PRIx64, d->base.info.name,
                                 d->base.info.driver, f.properties.driverVersion, d->limits.local_size, d->limits.row_size, folds, matmuls[d->matmul],
                                 d->split, pm_vk_shader_set());
    PM_CHECK_ALLOC(d->base.profile);
    PM_TRY(pm_vk_submission_open(d));
    PM_TRY(pm_vk_memory_open(d));
    PM_TRY(pm_vk_pipelines_open(d));
    if (d->tune) pm_vk_tuned_open(d);
    return PM_OK;
}

pm_status pm_vk_open(pm_ctx *ctx, int index, const pm_device_params *params, pm_device **out)
{
    (void)params;
    *out = NULL;
    pm_vk_device *d = pm_new(ctx, pm_vk_device);
    PM_CHECK_ALLOC(d);
    d->base.backend = &pm_backend_vulkan;
    pm_set_destructor(d, close_device);
    const pm_status st = set_up(d, index);
    if (st != PM_OK) {
        pm_free(d);
        return st;
    }
    *out = &d->base;
    return PM_OK;
}

pm_status pm_vk_check(pm_vk_device *d, VkResult result, const char *what)
{
    if (result == VK_SUCCESS) return PM_OK;
    const char *id = d->base.info.id, *name = d->base.info.name;
    if (result == VK_ERROR_OUT_OF_HOST_MEMORY) return pm_fail(d, PM_ERR_NOMEM, "%s (%s): %s: the driver is out of host memory", id, name, what);
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_TOO_MANY_OBJECTS)
        return pm_fail(d, PM_ERR_DEVICE_MEMORY,
                       "%s (%s): %s: out of device memory (%s), %" PRIu64 " MiB are in use; a smaller batch (--set batch=N) or another device may fit",
                       id, name, what, pm_vk_result_name(result), d->base.memory_now >> 20);
    if (result == VK_ERROR_DEVICE_LOST) return PM_ERR_DEVICE_LOST;
    return pm_fail(d, PM_ERR_INTERNAL, "%s (%s): %s: %s", id, name, what, pm_vk_result_name(result));
}
