// Choosing and opening a device by name.
#define _DEFAULT_SOURCE    // sysconf of physical memory
#include "backend/backend.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_DEVICES = 64 };

#define PM_BACKEND(name) extern const pm_backend pm_backend_##name;
#include <pumice_backends.def>
#undef PM_BACKEND

const pm_backend *const pm_backends[] = {
#define PM_BACKEND(name) &pm_backend_##name,
#include <pumice_backends.def>
#undef PM_BACKEND
    NULL
};

// Lists the devices of one backend, or of all when only is NULL: opening "cpu" must not wake the GPU drivers.
static pm_status list_devices(pm_ctx *ctx, const pm_backend *only, pm_device_info **list, int *count, const char **note)
{
    *list = pm_new_array(ctx, pm_device_info, MAX_DEVICES);
    *count = 0;
    *note = NULL;
    PM_CHECK_ALLOC(*list);
    for (int b = 0; pm_backends[b]; b++) {
        if (only && pm_backends[b] != only) continue;
        int found = 0;
        const char *said = NULL;
        PM_TRY(pm_backends[b]->list(ctx, *list + *count, MAX_DEVICES - *count, &found, &said));
        *count += found;
        if (said) *note = said;
    }
    return PM_OK;
}

pm_status pm_device_list(pm_ctx *ctx, pm_device_info **list, int *count, const char **note)
{
    return list_devices(ctx, NULL, list, count, note);
}

// The backend of a device string: what stands before its colon. NULL for auto and unknown names.
static const pm_backend *backend_of(const char *name)
{
    const size_t n = strcspn(name, ":");
    for (int b = 0; pm_backends[b]; b++)
        if (strlen(pm_backends[b]->name) == n && strncmp(pm_backends[b]->name, name, n) == 0) return pm_backends[b];
    return NULL;
}

static bool contains_ignoring_case(const char *text, const char *part)
{
    const size_t n = strlen(part);
    for (; *text; text++) {
        size_t i = 0;
        while (i < n && text[i] && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i])) i++;
        if (i == n) return true;
    }
    return n == 0;
}

static int type_rank(pm_device_type type)
{
    return type == PM_DEVICE_DISCRETE ? 0 : type == PM_DEVICE_INTEGRATED ? 1 : type == PM_DEVICE_VIRTUAL ? 2 : 9;
}

// The best usable GPU, NULL when there is none; software drivers never.
static const pm_device_info *best_gpu(const pm_device_info *list, int count)
{
    const pm_device_info *best = NULL;
    for (int i = 0; i < count; i++) {
        const pm_device_info *d = &list[i];
        if (d->problem[0] || type_rank(d->type) > 2) continue;
        if (!best || type_rank(d->type) < type_rank(best->type) ||
            (type_rank(d->type) == type_rank(best->type) && d->memory > best->memory))
            best = d;
    }
    return best;
}

// Lists all there is: what was asked for may have looked at one backend only.
static pm_status no_device(pm_ctx *ctx, const char *name)
{
    pm_device_info *list;
    const char *note;
    char known[512] = "";
    int count;
    PM_TRY(pm_device_list(ctx, &list, &count, &note));
    for (int i = 0; i < count; i++) {
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", list[i].id);
    }
    pm_free(list);
    return pm_fail(ctx, PM_ERR_NO_DEVICE, "no device \"%s\"; there are: %s%s%s", name, known, note ? "; " : "", note ? note : "");
}

static pm_status find_device(pm_ctx *ctx, const char *name, const pm_device_info *list, int count, const pm_device_info **out)
{
    *out = NULL;
    if (pm_name_equal(name, "auto")) {
        *out = best_gpu(list, count);
        for (int i = 0; !*out && i < count; i++)
            if (pm_name_equal(list[i].id, "cpu")) *out = &list[i];
        if (!*out && count) *out = &list[0];
        return *out ? PM_OK : no_device(ctx, name);
    }
    const char *colon = strchr(name, ':');
    if (!colon && pm_name_equal(name, "vulkan")) {    // the best GPU; else what there is, since it was named
        *out = best_gpu(list, count);
        for (int i = 0; !*out && i < count; i++)
            if (pm_name_equal(list[i].backend, "vulkan")) *out = &list[i];
        return *out ? PM_OK : no_device(ctx, name);
    }
    int matches = 0;
    for (int i = 0; i < count; i++) {
        const bool part = colon && !isdigit((unsigned char)colon[1]) && strncmp(list[i].backend, name, (size_t)(colon - name)) == 0 &&
                          contains_ignoring_case(list[i].name, colon + 1);
        if (!pm_name_equal(list[i].id, name) && !part) continue;
        *out = &list[i];
        matches++;
    }
    if (matches == 0) return no_device(ctx, name);
    PM_REQUIRE(ctx, matches == 1, PM_ERR_NO_DEVICE, "\"%s\" fits %d devices; name one by its number, see pumice devices", name, matches);
    return PM_OK;
}

pm_status pm_device_open(pm_ctx *ctx, const pm_device_params *params, pm_device **out)
{
    *out = NULL;
    pm_device_info *list;
    const pm_device_info *chosen;
    const char *note;
    int count;
    const char *name = params && params->name ? params->name : "auto";
    const pm_device_params fixed = { .name = name, .double_precision = params && params->double_precision };
    PM_TRY(list_devices(ctx, backend_of(name), &list, &count, &note));
    pm_status st = find_device(ctx, name, list, count, &chosen);
    if (st == PM_OK && chosen->problem[0])
        st = pm_fail(ctx, PM_ERR_UNSUPPORTED, "%s (%s) cannot be used: %s", chosen->id, chosen->name, chosen->problem);
    if (st == PM_OK && fixed.double_precision && !pm_name_equal(chosen->backend, "ref"))
        st = pm_fail(ctx, PM_ERR_UNSUPPORTED, "%s: double precision is for the ref device alone", chosen->id);
    if (st == PM_OK) {
        const char *colon = strchr(chosen->id, ':');
        st = backend_of(chosen->backend)->open(ctx, colon ? atoi(colon + 1) : 0, &fixed, out);
        if (st == PM_OK) (*out)->info = *chosen;
    }
    pm_free(list);
    return st;
}

void pm_device_close(pm_device **device)
{
    if (!device) return;
    pm_free(*device);
    *device = NULL;
}

const pm_device_info *pm_device_get_info(const pm_device *device)
{
    return &device->info;
}

const char *pm_device_profile(const pm_device *device)
{
    return device->profile;
}

uint64_t pm_device_capacity(const pm_device *device)
{
    if (device->info.memory) return device->info.memory;
    const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

void pm_device_memory(const pm_device *device, uint64_t *now, uint64_t *peak)
{
    *now = device->memory_now;
    *peak = device->memory_peak;
}
