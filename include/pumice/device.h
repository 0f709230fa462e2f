// Devices: what computes. A device is opened from a string and outlives every store and program made on it.
#ifndef PUMICE_DEVICE_H
#define PUMICE_DEVICE_H

#include <pumice/ctx.h>

PM_API_BEGIN

typedef struct pm_device pm_device;

typedef enum pm_device_type { PM_DEVICE_CPU, PM_DEVICE_DISCRETE, PM_DEVICE_INTEGRATED, PM_DEVICE_VIRTUAL, PM_DEVICE_SOFTWARE } pm_device_type;

typedef struct pm_device_info {
    char           id[32];          // what opens it: "cpu", "ref", "vulkan:0"
    char           backend[16];     // "cpu", "ref", "vulkan"
    char           name[256];       // "AMD Radeon RX 7800 XT (RADV NAVI32)"
    char           driver[256];     // driver or library with its version
    pm_device_type type;
    uint64_t       memory;          // bytes of device-local memory; 0: the host's
    char           problem[256];    // why it cannot be used; "" when it can
} pm_device_info;

// Lists what this build and machine offer, `ref` and `cpu` first. *list hangs from ctx. A loader or driver that is missing is
// no error: `*note` then says what is missing and what to install, else it is NULL.
pm_status pm_device_list(pm_ctx *ctx, pm_device_info **list, int *count, const char **note);

typedef struct pm_device_params {
    const char *name;    // NULL or "auto": the fastest discrete, else integrated GPU, else cpu. "cpu", "ref", "vulkan",
                         // "vulkan:N", "vulkan:NAME-PART". A software Vulkan driver only when named so
    bool double_precision;    // ref only: f32 tensors are kept and computed in double, to check gradients
} pm_device_params;

// Opens a device. There is never a silent fall-back: a named device that cannot be used is an error that says why.
// Errors    PM_ERR_NO_DEVICE, PM_ERR_UNSUPPORTED naming the missing limit, PM_ERR_DEVICE_MEMORY
pm_status pm_device_open(pm_ctx *ctx, const pm_device_params *params, pm_device **out);
void      pm_device_close(pm_device **device);    // everything made on it must be gone

const pm_device_info *pm_device_get_info(const pm_device *device);

// The numerics profile: equal profiles and equal seeds give equal bits. One line of text.
const char *pm_device_profile(const pm_device *device);

// Bytes of memory the device has in all: its own, or what the host has where it computes in that; 0: not known.
uint64_t pm_device_capacity(const pm_device *device);

// Bytes of device memory held now, and the most ever held.
void pm_device_memory(const pm_device *device, uint64_t *now, uint64_t *peak);

PM_API_END
#endif
