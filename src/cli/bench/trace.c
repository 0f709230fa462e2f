// A Chrome trace: the "X" events of the Trace Event Format, times in microseconds.
#include <stdio.h>

#include "cli/bench/bench.h"
#include "core/file.h"

struct pm_trace {
    pm_file *file;
    pm_json *json;
    cJSON   *events;
    int      tracks;
    double   now;    // seconds: where the track ends
};

pm_status pm_trace_create(const void *parent, const char *path, pm_trace **out)
{
    *out = NULL;
    pm_trace *t = pm_new(parent, pm_trace);
    PM_CHECK_ALLOC(t);
    pm_status st = pm_file_create(t, path, &t->file);
    if (st == PM_OK) st = pm_json_create(t, &t->json);
    t->events = st == PM_OK ? cJSON_AddArrayToObject(t->json->root, "traceEvents") : NULL;
    if (st == PM_OK && !t->events) st = pm_fail(parent, PM_ERR_NOMEM, "no memory for the trace");
    if (st == PM_OK) *out = t;
    else pm_free(t);
    return st;
}

static cJSON *add_event(pm_trace *t, const char *name, const char *phase)
{
    cJSON *event = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(t->events, event)) cJSON_Delete(event);
    cJSON_AddStringToObject(event, "name", name);
    cJSON_AddStringToObject(event, "ph", phase);
    cJSON_AddNumberToObject(event, "pid", t->tracks);
    cJSON_AddNumberToObject(event, "tid", 1);
    return event;
}

void pm_trace_track(pm_trace *t, const char *name)
{
    if (!t) return;
    t->tracks++;
    t->now = 0;
    cJSON *args = cJSON_AddObjectToObject(add_event(t, "process_name", "M"), "args");
    cJSON_AddStringToObject(args, "name", name);
}

static void add_op(pm_trace *t, const char *program, const pm_program_op *op)
{
    cJSON *event = add_event(t, op->op, "X");
    cJSON_AddStringToObject(event, "cat", op->is_product ? "product" : "op");
    pm_json_add_real(event, "ts", 1e6 * (t->now + op->start));
    pm_json_add_real(event, "dur", 1e6 * op->seconds);
    cJSON *args = cJSON_AddObjectToObject(event, "args");
    cJSON_AddStringToObject(args, "program", program);
    if (op->label) cJSON_AddStringToObject(args, "label", op->label);
    cJSON_AddStringToObject(args, "shape", op->shape);
    if (op->is_product) {
        cJSON_AddBoolToObject(args, "ta", op->product.ta);
        cJSON_AddBoolToObject(args, "tb", op->product.tb);
    }
    pm_json_add_real(args, "flops", op->flops);
    pm_json_add_real(args, "bytes", op->bytes);
    pm_json_add_real(args, "GFLOP/s", op->flops / op->seconds / 1e9);
    pm_json_add_real(args, "GB/s", op->bytes / op->seconds / 1e9);
}

pm_status pm_trace_program(pm_trace *t, const char *name, const pm_program *program)
{
    if (!t) return PM_OK;
    const int count = pm_program_profile(program, NULL, 0);
    pm_program_op *ops = pm_new_array(t, pm_program_op, count);
    PM_CHECK_ALLOC(ops);
    pm_program_profile(program, ops, count);
    for (int i = 0; i < count; i++) add_op(t, name, &ops[i]);
    if (count) t->now += ops[count - 1].start + ops[count - 1].seconds;
    pm_free(ops);
    return PM_OK;
}

pm_status pm_trace_finish(pm_trace **trace)
{
    pm_trace *t = *trace;
    char *text;
    *trace = NULL;
    cJSON_AddStringToObject(t->json->root, "displayTimeUnit", "ms");
    pm_status st = pm_json_print(t, t->json, false, &text);
    if (st == PM_OK) st = pm_file_write(t->file, text, strlen(text));
    if (st == PM_OK) st = pm_file_commit(&t->file);
    pm_free(t);
    return st;
}
