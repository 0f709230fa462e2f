// pm_doctor: every op, then a few training steps of every model, on a device and on `ref`.
#include <stdio.h>

#include "backend/proof.h"
#include "train/modelproof.h"

enum { STEPS = 3 };    // over the small data set's epoch, its short last batch included

typedef struct doctor {
    pm_ctx       *ctx;
    pm_device    *device;
    const char   *name;
    pm_doctor_fn  each;
    void         *user;
    int           failures;
    bool          itself;    // the device is ref
} doctor;

static const char *const compared_with_itself = "ref compared with itself in double";

static void report(doctor *d, pm_doctor_row row)
{
    d->failures += !row.passed;
    if (d->itself && row.passed) {
        row.inherited = true;
        row.note = compared_with_itself;
    }
    if (d->each) d->each(d->user, &row);
}

// What stops the whole examination; other failures are a finding about one row.
static bool is_fatal(pm_status st)
{
    return st == PM_ERR_CANCELLED || st == PM_ERR_NOMEM || st == PM_ERR_DEVICE_LOST || st == PM_ERR_INTERNAL;
}

// Flops of a case: a software driver does a few GFLOP a second at best.
static double parity_limit(const pm_device_info *info)
{
    return info->type == PM_DEVICE_SOFTWARE ? 3e5 : 2e6;
}

static double speed_limit(const pm_device_info *info)
{
    if (pm_name_equal(info->backend, "ref") || info->type == PM_DEVICE_SOFTWARE) return 1e6;
    return pm_name_equal(info->backend, "cpu") ? 1e8 : 1e9;
}

static pm_status examine_op(doctor *d, pm_op op)
{
    char what[64];
    pm_proof p = { 0 };
    pm_proof_speed_result speed = { 0 };
    const pm_device_info *info = pm_device_get_info(d->device);
    snprintf(what, sizeof what, "op %s", pm_op_name(op));
    pm_status st = pm_proof_parity(d->device, op, &(pm_proof_params){ .seed = 1, .limit = parity_limit(info) }, &p);
    if (st == PM_OK && p.cases) st = pm_proof_speed(d->device, op, speed_limit(info), 0.005, &speed);
    pm_doctor_row row = { .what = what, .error = p.worst, .bound = pm_op_table[op].bound, .seconds = speed.seconds };
    row.inherited = p.verdict == PM_VERDICT_INHERITED;
    row.passed = st == PM_OK && p.verdict != PM_VERDICT_FAIL;
    if (st != PM_OK) {
        row.note = pm_ctx_message(d->ctx);
    } else if (p.verdict == PM_VERDICT_UNSUPPORTED) {
        row.passed = p.unsupported == 0;
        row.note = row.passed ? "the device has no kernel for it" : "every case is beyond the device's limits";
    } else if (!row.passed) {
        row.note = p.where;
    }
    report(d, row);
    return is_fatal(st) ? st : PM_OK;
}

static pm_status examine_model(doctor *d, const pm_model *model, const char *setting)
{
    char what[224];
    pm_model_proof p;
    snprintf(what, sizeof what, "model %s%s%s", model->name, *setting ? " " : "", setting);
    const pm_status st = pm_model_prove(d->ctx, d->name, model, setting, 1, STEPS, &p);
    pm_doctor_row row = { .what = what, .error = p.error, .bound = PM_MODEL_BOUND, .seconds = p.seconds, .passed = p.passed };
    if (st != PM_OK) row.note = pm_ctx_message(d->ctx);
    else if (!row.passed) row.note = p.where;
    report(d, row);
    return is_fatal(st) ? st : PM_OK;
}

static pm_status examine(doctor *d)
{
    const pm_device_params open = { .name = d->name };
    PM_TRY(pm_device_open(d->ctx, &open, &d->device));
    const pm_device_info *info = pm_device_get_info(d->device);
    d->itself = pm_name_equal(info->backend, "ref");
    const int models = pm_model_count(), work = PM_OP_COUNT + models;
    const double began = pm_clock();
    for (int i = 0; i < work; i++) {
        pm_report_progress(d->ctx, &(pm_progress){ "doctor", i < PM_OP_COUNT ? "ops" : "models", NULL, i, work, pm_clock() - began });
        PM_REQUIRE(d->ctx, !pm_ctx_cancelled(d->ctx), PM_ERR_CANCELLED, "interrupted");
        if (i < PM_OP_COUNT) {
            PM_TRY(examine_op(d, (pm_op)i));
            continue;
        }
        const pm_model *model = pm_model_at(i - PM_OP_COUNT);
        char setting[160];
        for (int k = 0; pm_model_variant(model, k, setting, sizeof setting); k++) PM_TRY(examine_model(d, model, setting));
    }
    return PM_OK;
}

pm_status pm_doctor(pm_ctx *ctx, const char *device, pm_doctor_fn each, void *user, int *failures)
{
    doctor d = { .ctx = ctx, .name = device, .each = each, .user = user };
    const pm_status st = examine(&d);
    pm_device_close(&d.device);
    if (failures) *failures = d.failures;
    return st;
}
