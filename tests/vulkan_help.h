// What the tests of the Vulkan backend share: devices opened under switches, and programs of a few ops over one buffer.
#ifndef PM_TEST_VULKAN_HELP_H
#define PM_TEST_VULKAN_HELP_H

#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "backend/backend.h"

// Switches hold while a device is opened; NULL unsets.
static inline void set_switch(const char *name, const char *value)
{
    if (value) setenv(name, value, 1);
    else unsetenv(name);
}

static inline pm_status open_with(pm_ctx *ctx, const char *variable, const char *value, pm_device **out)
{
    const char *before = getenv(variable);
    char *kept = before ? strdup(before) : NULL;
    set_switch(variable, value);
    const pm_status st = pm_device_open(ctx, &(pm_device_params){ .name = "vulkan" }, out);
    set_switch(variable, kept);
    free(kept);
    return st;
}

static inline pm_ctx *new_context(void)
{
    pm_ctx *ctx;
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    return ctx;
}

static inline pm_device *open_device(pm_ctx *ctx, const char *variable, const char *value)
{
    pm_device *device;
    const pm_status st = open_with(ctx, variable, value, &device);
    if (st != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
    return device;
}

// 0 when there is a device; else what main returns: 77, skipped, or 1 where PUMICE_NEED_DEVICE says that there has to be one.
static inline int without_device(void)
{
    pm_ctx *ctx = new_context();
    pm_device *d;
    const bool there = open_with(ctx, "PUMICE_VK_FAULT", NULL, &d) == PM_OK;
    if (!there) fprintf(stderr, "no device: %s\n", pm_ctx_message(ctx));
    pm_ctx_destroy(&ctx);
    return there ? 0 : getenv("PUMICE_NEED_DEVICE") ? 1 : 77;
}

// A chain of ops over matrices of one buffer, in places of its own each.
enum { CHAIN_TENSORS = 16, CHAIN_NODES = 32 };
typedef struct chain {
    pm_operand   tensor[CHAIN_TENSORS];
    pm_plan_node node[CHAIN_NODES];
    int          tensors, nodes;
    int64_t      size;
} chain;

static inline int chain_tensor(chain *c, pm_dtype dtype, int64_t rows, int64_t cols)
{
    c->tensor[c->tensors] = (pm_operand){ .offset = c->size, .rows = rows, .cols = cols, .stride = cols, .dtype = dtype };
    c->size += (rows * cols * 4 + 255) / 256 * 256;
    return c->tensors++;
}

// tensors: as in the signature, inputs, outputs, scratch.
static inline void chain_op(pm_ctx *ctx, chain *c, pm_op op, const int *tensors, const pm_arg *args)
{
    static const pm_arg none[PM_MAX_PARAMS];
    const pm_signature *s = &pm_op_table[op].sig;
    pm_plan_node *n = &c->node[c->nodes++];
    pm_shape shapes[PM_MAX_OPERANDS];
    pm_dtype dtypes[PM_MAX_OPERANDS];
    *n = (pm_plan_node){ .op = op, .label = "chain", .params = pm_params_pack(op, args ? args : none) };
    for (int i = 0; i < s->ins + s->outs + s->temps; i++) {
        n->operand[i] = c->tensor[tensors[i]];
        shapes[i] = (pm_shape){ n->operand[i].rows, n->operand[i].cols };
        dtypes[i] = n->operand[i].dtype;
    }
    if (pm_op_bind(ctx, op, shapes, dtypes, args ? args : none, &n->dims) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
}

static inline pm_status chain_prepare(const chain *c, pm_device *device, const void *data, pm_buffer **buffer, pm_program_impl **program)
{
    *buffer = NULL;
    *program = NULL;
    PM_TRY(device->backend->buffer_create(device, c->size, buffer));
    PM_TRY(device->backend->upload(*buffer, 0, data, c->size));
    const pm_plan plan = { .nodes = (pm_plan_node *)c->node, .count = c->nodes, .buffers = buffer, .buffer_count = 1 };
    return device->backend->prepare(device, &plan, program);
}

// Runs it n times from `data`, gives the buffer back in `result`, frees everything.
static inline pm_status chain_run(const chain *c, pm_device *device, const void *data, int64_t n, void *result)
{
    pm_buffer *buffer;
    pm_program_impl *program;
    pm_status st = chain_prepare(c, device, data, &buffer, &program);
    if (st == PM_OK) st = device->backend->run(program, n);
    if (st == PM_OK) st = device->backend->wait(device);
    if (st == PM_OK) st = device->backend->download(buffer, 0, result, c->size);
    device->backend->program_destroy(program);
    device->backend->buffer_destroy(buffer);
    return st;
}

#endif
