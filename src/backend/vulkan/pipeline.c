// Layouts, pipelines, and their cache on disk: only what a program uses is created. The cache file is disposable.
#include "backend/vulkan/vk.h"

#include "core/parallel.h"

#define PICK_own(name) &pm_vk_shader_##name
#define PICK_none(name) NULL
static const pm_vk_shader *const shaders[PM_OP_COUNT] = {
#define PM_OP(name, NAME, klass, signature, cpu, vulkan, ...) [PM_OP_##NAME] = PICK_##vulkan(name),
#include <pumice/ops.def>
#undef PM_OP
};

// The variants of a product, in the order of pm_vk_matmul, then the fold of its parts.
#define VARIANTS_EACH(name, NAME)
#define VARIANTS_ROWS(name, NAME)
#define VARIANTS_COLS(name, NAME)
#define VARIANTS_ONE(name, NAME)
#define VARIANTS_MATMUL(name, NAME) [PM_OP_##NAME] = { &pm_vk_shader_##name, &pm_vk_shader_##name##_block, &pm_vk_shader_##name##_plain, \
                                                    &pm_vk_shader_##name##_fold },
static const pm_vk_shader *const products[PM_OP_COUNT][4] = {
#define PM_OP(name, NAME, klass, ...) VARIANTS_##klass(name, NAME)
#include <pumice/ops.def>
#undef PM_OP
};

static const pm_vk_shader *const all_shaders[] = {
#define PM_SHADER(name) &pm_vk_shader_##name,
#include <shaders.def>
#undef PM_SHADER
};

const pm_vk_shader *pm_vk_shader_of(const pm_vk_device *d, pm_op op)
{
    return pm_op_table[op].klass == PM_CLASS_MATMUL ? products[op][d->matmul] : shaders[op];
}

const pm_vk_shader *pm_vk_fold_of(pm_op op)
{
    return products[op][3];
}

const pm_vk_shader *pm_vk_shader_named(const char *name)
{
    for (int i = 0; i < PM_COUNT(all_shaders); i++)
        if (pm_name_equal(all_shaders[i]->name, name)) return all_shaders[i];
    return NULL;
}

int pm_vk_binding_count(pm_op op)
{
    const pm_op_info *info = &pm_op_table[op];
    return info->sig.ins + info->sig.outs + info->sig.temps + (info->klass == PM_CLASS_MATMUL);
}

uint64_t pm_vk_shader_set(void)
{
    uint64_t h = 0;
    for (int i = 0; i < PM_COUNT(all_shaders); i++) h = pm_hash64(&all_shaders[i]->hash, sizeof h, h);
    return h;
}

// ---- the cache ----

static pm_status open_cache(pm_vk_device *d)
{
    pm_vk_cache *c = &d->pipeline_file;
    pm_vk_cache_open(d, "vulkan", pm_vk_cache_key(d), c);
    VkPipelineCacheCreateInfo info = { .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO, .initialDataSize = c->size, .pInitialData = c->data };
    VkResult result = d->vk.vkCreatePipelineCache(d->handle, &info, NULL, &d->cache);
    if (result != VK_SUCCESS && c->data) {    // a driver may refuse what it once gave
        info.initialDataSize = 0;
        result = d->vk.vkCreatePipelineCache(d->handle, &info, NULL, &d->cache);
    }
    pm_free(c->file);
    c->file = NULL;
    return pm_vk_check(d, result, "making a pipeline cache");
}

static void save_cache(pm_vk_device *d)
{
    size_t size = 0;
    if (!d->cache_grew || d->vk.vkGetPipelineCacheData(d->handle, d->cache, &size, NULL) != VK_SUCCESS || size == 0) return;
    char *data = pm_alloc(d, size);
    if (data && d->vk.vkGetPipelineCacheData(d->handle, d->cache, &size, data) == VK_SUCCESS) pm_vk_cache_save(d, &d->pipeline_file, data, size);
    pm_free(data);
}

// ---- layouts and pipelines ----

static pm_status create_layout(pm_vk_device *d, uint32_t bindings)
{
    VkDescriptorSetLayoutBinding list[PM_VK_MAX_BINDINGS];
    for (uint32_t i = 0; i < bindings; i++)
        list[i] = (VkDescriptorSetLayoutBinding){ .binding = i, .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, .descriptorCount = 1,
                                                  .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT };
    const VkDescriptorSetLayoutCreateInfo set = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, .bindingCount = bindings,
                                                  .pBindings = list };
    PM_TRY(pm_vk_check(d, d->vk.vkCreateDescriptorSetLayout(d->handle, &set, NULL, &d->set_layout[bindings]), "making a set layout"));
    const VkPushConstantRange push = { VK_SHADER_STAGE_COMPUTE_BIT, 0, 4 * PM_VK_PUSH_WORDS };
    const VkPipelineLayoutCreateInfo info = { .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, .setLayoutCount = 1,
                                              .pSetLayouts = &d->set_layout[bindings], .pushConstantRangeCount = 1,
                                              .pPushConstantRanges = &push };
    return pm_vk_check(d, d->vk.vkCreatePipelineLayout(d->handle, &info, NULL, &d->layout[bindings]), "making a pipeline layout");
}

pm_status pm_vk_pipelines_open(pm_vk_device *d)
{
    for (uint32_t i = 1; i <= PM_VK_MAX_BINDINGS; i++) PM_TRY(create_layout(d, i));
    return open_cache(d);
}

void pm_vk_pipelines_close(pm_vk_device *d)
{
    if (d->cache) save_cache(d);
    for (int i = 0; i < d->pipeline_count; i++) d->vk.vkDestroyPipeline(d->handle, d->pipelines[i].handle, NULL);
    d->vk.vkDestroyPipelineCache(d->handle, d->cache, NULL);
    for (int i = 0; i <= PM_VK_MAX_BINDINGS; i++) {
        d->vk.vkDestroyPipelineLayout(d->handle, d->layout[i], NULL);
        d->vk.vkDestroyDescriptorSetLayout(d->handle, d->set_layout[i], NULL);
    }
}

// Called from several threads: the cache is synchronised by the driver, and nothing here fails aloud.
static VkResult create_pipeline(pm_vk_device *d, const pm_vk_variant *v, uint32_t bindings, VkPipeline *out)
{
    const VkShaderModuleCreateInfo module_info = { .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = v->shader->size,
                                                   .pCode = v->shader->code };
    VkShaderModule module;
    VkResult result = d->vk.vkCreateShaderModule(d->handle, &module_info, NULL, &module);
    if (result != VK_SUCCESS) return result;
    VkSpecializationMapEntry entries[PM_VK_CONSTANTS];
    for (uint32_t i = 0; i < PM_VK_CONSTANTS; i++) entries[i] = (VkSpecializationMapEntry){ i, 4 * i, 4 };
    const VkSpecializationInfo constants = { PM_VK_CONSTANTS, entries, sizeof v->constant, v->constant };
    const VkPipelineShaderStageRequiredSubgroupSizeCreateInfoEXT size = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO_EXT, .requiredSubgroupSize = v->subgroup };
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO, .pNext = v->subgroup ? &size : NULL,
                   .flags = v->subgroup ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT_EXT : 0,
                   .stage = VK_SHADER_STAGE_COMPUTE_BIT, .module = module, .pName = "main", .pSpecializationInfo = &constants },
        .layout = d->layout[bindings],
    };
    result = d->vk.vkCreateComputePipelines(d->handle, d->cache, 1, &info, NULL, out);
    d->vk.vkDestroyShaderModule(d->handle, module, NULL);
    return result;
}

typedef struct creation {
    pm_vk_device *d;
    int           first;
} creation;

static void create_range(void *arg, int64_t begin, int64_t end)
{
    const creation *c = arg;
    for (int64_t i = begin; i < end; i++) {
        pm_vk_pipeline_entry *e = &c->d->pipelines[c->first + i];
        e->result = create_pipeline(c->d, &e->variant, e->bindings, &e->handle);
    }
}

static pm_vk_pipeline_entry *find_pipeline(pm_vk_device *d, const pm_vk_variant *v)
{
    for (int i = 0; i < d->pipeline_count; i++)
        if (memcmp(&d->pipelines[i].variant, v, sizeof *v) == 0) return &d->pipelines[i];
    return NULL;
}

static pm_status want_pipeline(pm_vk_device *d, const pm_vk_variant *v, uint32_t bindings)
{
    if (find_pipeline(d, v)) return PM_OK;
    if (d->pipeline_count == d->pipeline_capacity) {
        PM_TRY(pm_grow_array(d, (void **)&d->pipelines, PM_MAX(2 * d->pipeline_capacity, 64), sizeof *d->pipelines));
        d->pipeline_capacity = PM_MAX(2 * d->pipeline_capacity, 64);
    }
    d->pipelines[d->pipeline_count++] = (pm_vk_pipeline_entry){ .variant = *v, .bindings = bindings };
    return PM_OK;
}

// Those from `first` on; where one fails, they all go.
static pm_status create_from(pm_vk_device *d, int first)
{
    const creation c = { d, first };
    const int count = d->pipeline_count - first;
    const pm_vk_pipeline_entry *e = d->pipelines + first, *failed = NULL;
    pm_parallel_for(PM_MIN(pm_ctx_threads(pm_ctx_of(d)), PM_MAX(count, 1)), count, 1, create_range, (void *)&c);
    for (int i = 0; i < count && !failed; i++)
        if (e[i].result != VK_SUCCESS) failed = &e[i];
    d->cache_grew = d->cache_grew || count > 0;
    if (!failed) return PM_OK;
    for (int i = 0; i < count; i++) d->vk.vkDestroyPipeline(d->handle, e[i].handle, NULL);
    d->pipeline_count = first;
    return pm_vk_check(d, failed->result, failed->variant.shader->name);
}

pm_status pm_vk_pipelines_create(pm_vk_device *d, const pm_vk_dispatches *all)
{
    const int first = d->pipeline_count;
    for (int i = 0; i < all->count; i++) {
        const pm_status st = want_pipeline(d, &all->list[i].variant, (uint32_t)all->list[i].bindings);
        if (st == PM_OK) continue;
        d->pipeline_count = first;
        return st;
    }
    return create_from(d, first);
}

pm_status pm_vk_pipeline(pm_vk_device *d, const pm_vk_variant *variant, uint32_t bindings, VkPipeline *out)
{
    const int first = d->pipeline_count;
    *out = VK_NULL_HANDLE;
    PM_TRY(want_pipeline(d, variant, bindings));
    PM_TRY(create_from(d, first));
    *out = find_pipeline(d, variant)->handle;
    return PM_OK;
}
