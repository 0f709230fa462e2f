// What a backend offers: memory and programs. How ops are dispatched is its own affair. Callers above have checked
// everything (shapes, dtypes, ranges); a backend checks nothing but its device's limits.
// Buffers and prepared programs are objects of the tree (pm_new), born under the device; who asked for them may move them under itself.
#ifndef PM_BACKEND_H
#define PM_BACKEND_H

#include <pumice/device.h>

#include "op/op.h"

typedef struct pm_buffer pm_buffer;      // memory on a device; a backend's own struct begins with this one
typedef struct pm_program_impl pm_program_impl;    // a prepared plan, opaque
typedef struct pm_sgemm pm_sgemm;    // somebody else's matrix product, opaque

struct pm_buffer {
    pm_device *device;
    int64_t    size;    // bytes
};

// One operand of a node: a matrix of 4-byte (F64: 8-byte) elements inside a buffer. Offsets of whole tensors are multiples of 256 bytes;
// views may start anywhere.
typedef struct pm_operand {
    int      buffer;    // index into pm_plan.buffers
    int64_t  offset;    // bytes
    int64_t  rows, cols, stride;    // stride in elements, at least cols
    pm_dtype dtype;
} pm_operand;

// One op of a program. Operands in signature order: inputs, outputs, scratch.
typedef struct pm_plan_node {
    pm_op       op;
    pm_operand  operand[PM_MAX_OPERANDS];
    pm_dims     dims;
    pm_params   params;
    const char *label;    // the name of the noise node or layer, for traces and messages; may be NULL
} pm_plan_node;

// A program before a backend has seen it. Nodes run in order: each sees what the earlier ones wrote.
typedef struct pm_plan {
    pm_plan_node *nodes;
    int           count;
    pm_buffer   **buffers;    // borrowed; the caller keeps them alive while the program lives
    int           buffer_count;
} pm_plan;

typedef struct pm_backend {
    const char *name;
    // Appends the devices it finds; on trouble sets *note (hangs from ctx) and returns PM_OK.
    pm_status (*list)(pm_ctx *ctx, pm_device_info *list, int capacity, int *count, const char **note);
    // Opens its device number `index` of list. The device hangs from ctx; its destructor closes it.
    pm_status (*open)(pm_ctx *ctx, int index, const pm_device_params *params, pm_device **out);

    // Memory, zeroed. Buffers hang from the device until destroyed.
    pm_status (*buffer_create)(pm_device *device, int64_t size, pm_buffer **out);
    void      (*buffer_destroy)(pm_buffer *buffer);    // after the work in flight that uses it
    // Both wait for submitted work first and are complete on return. Sizes are multiples of 4.
    pm_status (*upload)(pm_buffer *buffer, int64_t offset, const void *data, int64_t size);
    pm_status (*download)(pm_buffer *buffer, int64_t offset, void *data, int64_t size);

    // Makes a plan runnable: pipelines, descriptors, recorded commands. The plan is borrowed for the call only.
    pm_status (*prepare)(pm_device *device, const pm_plan *plan, pm_program_impl **out);
    void      (*program_destroy)(pm_program_impl *program);
    // Runs it n times; may return before it is done. Order of calls is order of effects.
    pm_status (*run)(pm_program_impl *program, int64_t n);
    pm_status (*wait)(pm_device *device);
    // Where not NULL: seconds that each node took, by the device's clock, and, where starts is not NULL, when it began after the first
    // one did. On hosts the mean over the runs of the last call of `run`, elsewhere its last run. false when the device has no clock.
    bool (*node_seconds)(pm_program_impl *program, double *seconds, double *starts);

    // Where not NULL: the fastest f32 matrix product that somebody else wrote for this device, to hold ours against: made once for a
    // size, then run `runs` times in a row; *seconds of one. It hangs from the device; pm_free ends it.
    pm_status (*sgemm_create)(pm_device *device, const pm_product *size, pm_sgemm **out);
    pm_status (*sgemm_run)(pm_sgemm *sgemm, int64_t runs, double *seconds);
    // Where not NULL: f32 operations a second of the device's arithmetic alone, a multiply-add being two. Takes about 50 milliseconds of
    // a GPU, less than a second of a software driver.
    pm_status (*peak_flops)(pm_device *device, double *flops);
} pm_backend;

// The head of every backend's device struct.
struct pm_device {
    const pm_backend *backend;
    pm_device_info    info;
    const char       *profile;
    bool              double_precision;
    uint64_t          memory_now, memory_peak;    // kept by the backend
};

// Bytes of one element of a dtype as the device stores it.
static inline int64_t pm_device_element(const pm_device *device, pm_dtype dtype)
{
    return dtype == PM_F32 && device->double_precision ? 8 : 4;
}

// The dtype a device stores: F32 becomes F64 on a double precision device.
static inline pm_dtype pm_device_dtype(const pm_device *device, pm_dtype dtype)
{
    return dtype == PM_F32 && device->double_precision ? PM_F64 : dtype;
}

// Backends of this build, `ref` first; NULL ends it.
extern const pm_backend *const pm_backends[];

#endif
