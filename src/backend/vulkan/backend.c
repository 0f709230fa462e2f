// The Vulkan backend: programs are recorded once and replayed.
#include "backend/vulkan/vk.h"

extern const pm_backend pm_backend_vulkan;

const pm_backend pm_backend_vulkan = {
    .name = "vulkan",
    .list = pm_vk_list,
    .open = pm_vk_open,
    .buffer_create = pm_vk_buffer_create,
    .buffer_destroy = pm_vk_buffer_destroy,
    .upload = pm_vk_upload,
    .download = pm_vk_download,
    .prepare = pm_vk_prepare,
    .program_destroy = pm_vk_program_destroy,
    .run = pm_vk_run,
    .wait = pm_vk_wait,
    .node_seconds = pm_vk_node_seconds,
    .peak_flops = pm_vk_peak_flops,
};
