// What `ref` and `cpu` share: memory on the heap, a program as an array of kernel calls.
#ifndef PM_HOST_H
#define PM_HOST_H

#include "backend/backend.h"
#include "backend/call.h"

// Every op has a ref kernel; cpu declares its own beside them. A forgotten kernel is a link error.
#define PM_OP(name, ...) pm_kernel pm_ref_##name;
#include <pumice/ops.def>
#undef PM_OP

typedef struct pm_host_device {
    pm_device         base;
    pm_kernel *const *kernels;    // [PM_OP_COUNT]
    const void       *isa;        // handed to kernels
    float            *scratch;    // likewise; NULL where no kernel wants it
    int               threads;
} pm_host_device;

// A device over a kernel table; the backend fills in what is its own afterwards.
pm_status pm_host_open(pm_ctx *ctx, const pm_backend *backend, pm_kernel *const *kernels, const pm_device_params *params,
                       pm_host_device **out);

pm_status pm_host_buffer_create(pm_device *device, int64_t size, pm_buffer **out);
void      pm_host_buffer_destroy(pm_buffer *buffer);
pm_status pm_host_upload(pm_buffer *buffer, int64_t offset, const void *data, int64_t size);
pm_status pm_host_download(pm_buffer *buffer, int64_t offset, void *data, int64_t size);
pm_status pm_host_prepare(pm_device *device, const pm_plan *plan, pm_program_impl **out);
void      pm_host_program_destroy(pm_program_impl *program);
pm_status pm_host_run(pm_program_impl *program, int64_t n);
pm_status pm_host_wait(pm_device *device);
bool      pm_host_node_seconds(pm_program_impl *program, double *seconds, double *starts);
char     *pm_host_buffer_data(pm_buffer *buffer);

// The part of a pm_backend that both have alike.
#define PM_HOST_FUNCTIONS                                                                                                       \
    .buffer_create = pm_host_buffer_create, .buffer_destroy = pm_host_buffer_destroy, .upload = pm_host_upload,                  \
    .download = pm_host_download, .prepare = pm_host_prepare, .program_destroy = pm_host_program_destroy, .run = pm_host_run,    \
    .wait = pm_host_wait, .node_seconds = pm_host_node_seconds

#endif
