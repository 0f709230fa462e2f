// The cpu backend: its kernel table, what it says about the machine, and its registry entry.
#include "backend/cpu/cpu.h"

#include <stdio.h>

#include <cblas.h>
#include <pumice/cpu.h>

#include "backend/blas.h"

#define PICK_own(name) pm_cpu_##name
#define PICK_ref(name) pm_ref_##name
#define PM_OP(name, NAME, klass, sig, cpu, ...) [PM_OP_##NAME] = PICK_##cpu(name),
static pm_kernel *const cpu_kernels[PM_OP_COUNT] = {
#include <pumice/ops.def>
};
#undef PM_OP

extern const pm_backend pm_backend_cpu;

// The processor's own name, where the system tells it.
static void processor_name(char *name, size_t size)
{
    snprintf(name, size, "CPU");
    FILE *f = fopen("/proc/cpuinfo", "r");
    if (!f) return;
    char line[512];
    while (fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        const char *text = colon + 1 + strspn(colon + 1, " \t");
        snprintf(name, size, "%.*s", (int)strcspn(text, "\n"), text);
        break;
    }
    fclose(f);
}

static void describe_driver(const pm_cpu_isa *isa, char *text, size_t size)
{
    char version[64];
    pm_blas_version(version, sizeof version);
    const char *remedy = pm_cpu_coretype_remedy();
    snprintf(text, size, "OpenBLAS %s (core type %s%s%s%s), %s", version, pm_blas_core(),
             remedy ? ", leaves AVX-512 unused: set OPENBLAS_CORETYPE=" : "", remedy ? remedy : "", remedy ? " before starting" : "",
             isa->name);
}

static pm_status cpu_list(pm_ctx *ctx, pm_device_info *list, int capacity, int *count, const char **note)
{
    (void)note;
    *count = capacity > 0;
    if (!*count) return PM_OK;
    const pm_cpu_isa *isa;
    pm_device_info *info = &list[0];
    *info = (pm_device_info){ .id = "cpu", .backend = "cpu", .type = PM_DEVICE_CPU };
    processor_name(info->name, sizeof info->name);
    if (pm_cpu_isa_choose(ctx, &isa) == PM_OK) describe_driver(isa, info->driver, sizeof info->driver);
    else snprintf(info->problem, sizeof info->problem, "%s", pm_ctx_message(ctx));
    return PM_OK;
}

static pm_status cpu_open(pm_ctx *ctx, int index, const pm_device_params *params, pm_device **out)
{
    (void)index;
    *out = NULL;
    const pm_cpu_isa *isa;
    PM_TRY(pm_cpu_isa_choose(ctx, &isa));
    // Matrix products are cut by us: threaded OpenBLAS gives other bits for another number of threads.
    openblas_set_num_threads(1);
    const char *remedy = pm_cpu_coretype_remedy();
    if (remedy)
        pm_log(ctx, PM_LOG_WARN, "OpenBLAS took this processor for a %s and leaves its AVX-512 unused; the matrix products left to it "
               "run about twice as fast with OPENBLAS_CORETYPE=%s set before starting", pm_blas_core(), remedy);
    pm_host_device *d;
    PM_TRY(pm_host_open(ctx, &pm_backend_cpu, cpu_kernels, params, &d));
    d->isa = isa;
    d->scratch = pm_new_array(d, float, (int64_t)d->threads * PM_CALL_SCRATCH);
    d->base.profile = pm_sprintf(d, "cpu %s%s, %s, core type %s", isa->name, isa->product ? " with its own products" : "", pm_blas_config(),
                                 pm_blas_core());
    if (!d->scratch || !d->base.profile) {
        pm_free(d);
        return PM_ERR_NOMEM;
    }
    *out = &d->base;
    return PM_OK;
}

const pm_backend pm_backend_cpu = {
    .name = "cpu",
    .list = cpu_list,
    .open = cpu_open,
    .sgemm_create = pm_cpu_sgemm_create,
    .sgemm_run = pm_cpu_sgemm_run,
    PM_HOST_FUNCTIONS,
};
