// The loader, an instance, the validation layer.
#define _POSIX_C_SOURCE 200809L
#include "backend/vulkan/vk.h"

#include <pthread.h>
#include <stdio.h>

#define LAYER "VK_LAYER_KHRONOS_validation"

static const char no_loader[] = "no Vulkan loader (libvulkan.so.1): install it, on Debian with apt install libvulkan1 "
                                "mesa-vulkan-drivers, to use a GPU";
static const char no_driver[] = "the Vulkan loader found no driver: install the GPU's (mesa-vulkan-drivers for AMD and Intel, the vendor's "
                                "for NVIDIA); in a container, pass the device nodes (/dev/dri) and the vendor's ICD manifest in";

static pthread_mutex_t loader_lock = PTHREAD_MUTEX_INITIALIZER;

static bool load(void)
{
    static bool tried, loaded;
    pthread_mutex_lock(&loader_lock);
    if (!tried) loaded = volkInitialize() == VK_SUCCESS && volkGetInstanceVersion() >= VK_API_VERSION_1_1;
    tried = true;
    pthread_mutex_unlock(&loader_lock);
    return loaded;
}

static VKAPI_ATTR VkBool32 VKAPI_CALL hear(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT types,
                                           const VkDebugUtilsMessengerCallbackDataEXT *data, void *user)
{
    (void)severity, (void)types;
    pm_vk_instance *instance = user;
    if (!instance->message[0]) snprintf(instance->message, sizeof instance->message, "%s", data->pMessage);
    return VK_FALSE;
}

static void destroy_instance(void *ptr)
{
    pm_vk_instance *i = ptr;
    if (i->messenger) {
        const PFN_vkDestroyDebugUtilsMessengerEXT destroy =
            (PFN_vkDestroyDebugUtilsMessengerEXT)vkGetInstanceProcAddr(i->handle, "vkDestroyDebugUtilsMessengerEXT");
        destroy(i->handle, i->messenger, NULL);
    }
    if (i->handle) vkDestroyInstance(i->handle, NULL);
}

static bool has_extension(const char *layer, const char *name)
{
    VkExtensionProperties list[256];
    uint32_t count = PM_COUNT(list);
    vkEnumerateInstanceExtensionProperties(layer, &count, list);
    for (uint32_t i = 0; i < count; i++)
        if (pm_name_equal(list[i].extensionName, name)) return true;
    return false;
}

static bool has_layer(void)
{
    VkLayerProperties list[64];
    uint32_t count = PM_COUNT(list);
    vkEnumerateInstanceLayerProperties(&count, list);
    for (uint32_t i = 0; i < count; i++)
        if (pm_name_equal(list[i].layerName, LAYER)) return true;
    return false;
}

static VkResult create(pm_vk_instance *instance, const pm_vk_switches *s)
{
    const char *extensions[4], *const layers[] = { LAYER };
    uint32_t extension_count = 0;
    const bool portable = has_extension(NULL, VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME);
    if (portable) extensions[extension_count++] = VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME;
    if (s->core) {
        extensions[extension_count++] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
        extensions[extension_count++] = VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME;
    }
    VkValidationFeatureEnableEXT enables[3];
    uint32_t enable_count = 0;
    if (s->sync) enables[enable_count++] = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
    if (s->gpu) {
        enables[enable_count++] = VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT;
        enables[enable_count++] = VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_RESERVE_BINDING_SLOT_EXT;
    }
    VkDebugUtilsMessengerCreateInfoEXT messenger = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
        .pfnUserCallback = hear,
        .pUserData = instance,
    };
    const VkValidationFeaturesEXT features = { .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT, .pNext = &messenger,
                                               .enabledValidationFeatureCount = enable_count, .pEnabledValidationFeatures = enables };
    const VkApplicationInfo app = { .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .pApplicationName = "pumice", .pEngineName = "pumice",
                                    .apiVersion = VK_API_VERSION_1_1 };
    const VkInstanceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pNext = s->core ? &features : NULL,
        .flags = portable ? VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR : 0,
        .pApplicationInfo = &app,
        .enabledLayerCount = s->core,
        .ppEnabledLayerNames = layers,
        .enabledExtensionCount = extension_count,
        .ppEnabledExtensionNames = extensions,
    };
    const VkResult result = vkCreateInstance(&info, NULL, &instance->handle);
    if (result != VK_SUCCESS) return result;
    pthread_mutex_lock(&loader_lock);
    volkLoadInstanceOnly(instance->handle);
    pthread_mutex_unlock(&loader_lock);
    if (!s->core) return VK_SUCCESS;
    const PFN_vkCreateDebugUtilsMessengerEXT make =
        (PFN_vkCreateDebugUtilsMessengerEXT)vkGetInstanceProcAddr(instance->handle, "vkCreateDebugUtilsMessengerEXT");
    return make(instance->handle, &messenger, NULL, &instance->messenger);
}

pm_status pm_vk_instance_create(const void *parent, const pm_vk_switches *switches, pm_vk_instance **out, const char **note)
{
    *out = NULL;
    *note = no_loader;
    if (!load()) return PM_OK;
    PM_REQUIRE(parent, !switches->core || (has_layer() && has_extension(LAYER, VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME)),
               PM_ERR_UNSUPPORTED, "PUMICE_VK_VALIDATION: %s is not installed; on Debian, apt install vulkan-validationlayers", LAYER);
    pm_vk_instance *instance = pm_new(parent, pm_vk_instance);
    PM_CHECK_ALLOC(instance);
    pm_set_destructor(instance, destroy_instance);
    *note = no_driver;
    instance->count = PM_VK_MAX_DEVICES;
    if (create(instance, switches) != VK_SUCCESS ||
        vkEnumeratePhysicalDevices(instance->handle, &instance->count, instance->physical) < 0 || instance->count == 0) {
        pm_free(instance);
        return PM_OK;
    }
    *note = NULL;
    *out = instance;
    return PM_OK;
}
