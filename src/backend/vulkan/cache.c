// Files of the user's cache: what was learnt of this device, driver and build. Each is disposable, and failing to keep one costs time at
// the next start, nothing else.
#include "backend/vulkan/vk.h"

#include <stdlib.h>

#include "core/file.h"

typedef struct cache_header {
    char     magic[8];
    uint64_t key, size, hash;
} cache_header;

static const char magic[8] = { 'P', 'M', 'V', 'K', 'C', '0', '0', '1' };

// $XDG_CACHE_HOME/pumice or ~/.cache/pumice; NULL without either.
static char *cache_folder(const void *parent)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (xdg && xdg[0] == '/') return pm_sprintf(parent, "%s/pumice", xdg);
    return home && home[0] == '/' ? pm_sprintf(parent, "%s/.cache/pumice", home) : NULL;
}

uint64_t pm_vk_cache_key(pm_vk_device *d)
{
    VkPhysicalDeviceIDProperties id = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES };
    VkPhysicalDeviceProperties2 p = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &id };
    vkGetPhysicalDeviceProperties2(d->physical, &p);
    const uint64_t shader_set = pm_vk_shader_set();
    uint64_t h = pm_hash64(id.deviceUUID, sizeof id.deviceUUID, 0);
    h = pm_hash64(id.driverUUID, sizeof id.driverUUID, h);
    h = pm_hash64(&p.properties.driverVersion, 4, h);
    h = pm_hash64(p.properties.pipelineCacheUUID, VK_UUID_SIZE, h);
    h = pm_hash64(&d->limits.local_size, 4, h);
    h = pm_hash64(&d->limits.row_size, 4, h);
    return pm_hash64(&shader_set, sizeof shader_set, h);
}

void pm_vk_cache_open(pm_vk_device *d, const char *kind, uint64_t key, pm_vk_cache *c)
{
    char *folder = d->switches.no_cache ? NULL : cache_folder(d);
    *c = (pm_vk_cache){ .key = key };
    if (!folder) return;
    c->path = pm_sprintf(d, "%s/%s-%016" PRIx64 ".bin", folder, kind, key);
    pm_free(folder);
    int64_t length;
    cache_header h;
    if (!c->path || !pm_file_exists(c->path) || pm_file_read(d, c->path, 1 << 28, &c->file, &length) != PM_OK) return;
    if ((size_t)length < sizeof h) return;
    memcpy(&h, c->file, sizeof h);
    const char *payload = c->file + sizeof h;
    const uint64_t rest = (uint64_t)length - sizeof h;
    if (memcmp(h.magic, magic, 8) != 0 || h.key != key || h.size != rest || h.hash != pm_hash64(payload, (size_t)rest, 0)) {
        pm_log(d, PM_LOG_DEBUG, "%s: is no cache of this device and build; it is made again", c->path);
        return;
    }
    c->data = payload;
    c->size = (size_t)rest;
}

void pm_vk_cache_save(pm_vk_device *d, const pm_vk_cache *c, const void *data, size_t size)
{
    char *folder = c->path && !d->lost ? cache_folder(d) : NULL;
    pm_file *f = NULL;
    if (!folder || pm_make_folder(d, folder) != PM_OK || pm_file_create(d, c->path, &f) != PM_OK) return;
    cache_header h = { .key = c->key, .size = size, .hash = pm_hash64(data, size, 0) };
    memcpy(h.magic, magic, 8);
    if (pm_file_write(f, &h, sizeof h) == PM_OK && pm_file_write(f, data, size) == PM_OK) pm_file_commit(&f);
    else pm_file_discard(&f);
}
