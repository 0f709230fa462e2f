// The reference backend: complete, naive, in double. It is the specification the others are held against.
#include "backend/host.h"

#include <stdio.h>

static pm_kernel *const ref_kernels[PM_OP_COUNT] = {
#define PM_OP(name, NAME, ...) [PM_OP_##NAME] = pm_ref_##name,
#include <pumice/ops.def>
#undef PM_OP
};

static pm_status ref_list(pm_ctx *ctx, pm_device_info *list, int capacity, int *count, const char **note)
{
    (void)ctx, (void)note;
    *count = capacity > 0;
    if (!*count) return PM_OK;
    list[0] = (pm_device_info){ .id = "ref", .backend = "ref", .name = "reference, one thread", .driver = "plain C", .type = PM_DEVICE_CPU };
    return PM_OK;
}

extern const pm_backend pm_backend_ref;

static pm_status ref_open(pm_ctx *ctx, int index, const pm_device_params *params, pm_device **out)
{
    (void)index;
    *out = NULL;
    pm_host_device *d;
    PM_TRY(pm_host_open(ctx, &pm_backend_ref, ref_kernels, params, &d));
    d->threads = 1;
    d->base.profile = params->double_precision ? "ref f64" : "ref";
    *out = &d->base;
    return PM_OK;
}

const pm_backend pm_backend_ref = {
    .name = "ref",
    .list = ref_list,
    .open = ref_open,
    PM_HOST_FUNCTIONS,
};
