// The proof engine itself: kernels with planted faults must be found out, and a right one must pass.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "backend/host.h"
#include "backend/proof.h"

enum { FAULT_NONE, FAULT_VALUE, FAULT_UNWRITTEN, FAULT_GUARD, FAULT_GAP, FAULT_INPUT, FAULT_NAN, FAULT_UNSTEADY };

static int fault, calls;

// y = x · alpha, with a fault in one element.
static pm_status faulty_scale(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    const int64_t i = y->rows / 2, j = y->cols - 1;
    const float last = pm_row(y, i)[j];
    pm_ref_scale(c);
    float *at = &pm_row(y, i)[j];
    calls++;
    switch (fault) {
    case FAULT_VALUE: *at = *at * 1.000001f + 1e-20f; break;
    case FAULT_UNWRITTEN: *at = last; break;
    case FAULT_GUARD: pm_row(y, y->rows - 1)[y->cols + 8] = 0; break;
    case FAULT_GAP: pm_row(y, 0)[-1] = 0; break;
    case FAULT_INPUT: pm_row(&c->in[0], 0)[0] = 7; break;
    case FAULT_NAN: *at = (float)NAN; break;
    case FAULT_UNSTEADY: *at += calls % 2 ? 1e-3f : 0; break;
    default: break;
    }
    return PM_OK;
}

// top_k with equal scores by higher column.
static pm_status faulty_top_k(const pm_call *c)
{
    pm_ref_top_k(c);
    if (fault != FAULT_VALUE) return PM_OK;
    const pm_view *id = &c->out[0], *score = &c->out[1];
    for (int64_t b = 0; b < id->rows; b++)
        for (int64_t k = 0; k + 1 < id->cols; k++) {
            uint32_t *row = pm_row_u32(id, b);
            if (pm_get(score, b, k) != pm_get(score, b, k + 1) || row[k] > row[k + 1]) continue;
            const uint32_t swap = row[k];
            row[k] = row[k + 1];
            row[k + 1] = swap;
        }
    return PM_OK;
}

static pm_kernel *kernels[PM_OP_COUNT] = {
#define PM_OP(name, NAME, ...) [PM_OP_##NAME] = pm_ref_##name,
#include <pumice/ops.def>
#undef PM_OP
};

static pm_device *open_faulty(pm_ctx *ctx)
{
    pm_device *device;
    assert_int_equal(pm_device_open(ctx, &(pm_device_params){ .name = "ref" }, &device), PM_OK);
    kernels[PM_OP_SCALE] = faulty_scale;
    kernels[PM_OP_TOP_K] = faulty_top_k;
    ((pm_host_device *)device)->kernels = kernels;
    return device;
}

static pm_proof prove(pm_device *device, pm_op op, bool repeat)
{
    pm_proof p;
    const pm_proof_params params = { .seed = 3, .limit = 20000 };
    assert_int_equal(repeat ? pm_proof_repeat(device, device, op, &params, &p) : pm_proof_parity(device, op, &params, &p), PM_OK);
    return p;
}

static void faults_are_found(void **state)
{
    (void)state;
    pm_ctx *ctx;
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    pm_device *device = open_faulty(ctx);
    for (fault = FAULT_VALUE; fault <= FAULT_UNSTEADY; fault++) {
        const pm_proof p = prove(device, PM_OP_SCALE, fault == FAULT_UNSTEADY);
        assert_int_equal(p.verdict, PM_VERDICT_FAIL);
        assert_true(p.worst > pm_op_table[PM_OP_SCALE].bound);
        assert_true(p.where[0] != 0);
    }
    fault = FAULT_VALUE;
    assert_int_equal(prove(device, PM_OP_TOP_K, false).verdict, PM_VERDICT_FAIL);
    fault = FAULT_NONE;
    assert_int_equal(prove(device, PM_OP_SCALE, false).verdict, PM_VERDICT_PASS);
    assert_int_equal(prove(device, PM_OP_TOP_K, false).verdict, PM_VERDICT_PASS);
    assert_int_equal(prove(device, PM_OP_SCALE, true).verdict, PM_VERDICT_PASS);
    pm_device_close(&device);
    pm_ctx_destroy(&ctx);
}

// Every length, flag, live count and regime comes up, the same ones each time.
static void cases_cover_the_awkward(void **state)
{
    (void)state;
    pm_ctx *ctx;
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    int lengths[4] = { 0 }, flags[4] = { 0 }, regimes[4] = { 0 }, strided = 0, in_place = 0;
    for (int i = 0; i < pm_case_count(PM_OP_MATMUL); i++) {
        pm_case *c, *again;
        assert_int_equal(pm_case_make(ctx, PM_OP_MATMUL, i, &(pm_case_params){ .seed = 1 }, &c), PM_OK);
        assert_int_equal(pm_case_make(ctx, PM_OP_MATMUL, i, &(pm_case_params){ .seed = 1 }, &again), PM_OK);
        for (int b = 0; b < c->images; b++) assert_memory_equal(c->image[b], again->image[b], (size_t)c->words[b] * 4);
        assert_true(pm_op_flops(PM_OP_MATMUL, &c->lengths) <= 2e6);
        for (int s = 0; s < 3; s++) {
            lengths[0] += c->lengths.of[s] == 1;
            lengths[1] += c->lengths.of[s] == 33;
            lengths[2] += c->lengths.of[s] == 257;
            lengths[3] += c->lengths.of[s] == 1000;
        }
        flags[c->args[0].flag + 2 * c->args[1].flag]++;
        regimes[c->regime]++;
        strided += c->strided;
        in_place += c->in_place;
        pm_free(again);
        pm_free(c);
    }
    for (int k = 0; k < 4; k++) assert_true(lengths[k] >= 12 && flags[k] >= 24 && regimes[k] >= 4);
    assert_true(strided > 20 && in_place > 20);
    pm_ctx_destroy(&ctx);
}

static void speed_is_measured(void **state)
{
    (void)state;
    pm_ctx *ctx;
    pm_device *device;
    pm_proof_speed_result r;
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    assert_int_equal(pm_device_open(ctx, &(pm_device_params){ .name = "ref" }, &device), PM_OK);
    assert_int_equal(pm_proof_speed(device, PM_OP_MATMUL, 1e6, 0.001, &r), PM_OK);
    assert_true(r.seconds > 0 && r.flops > 1e4 && r.flops <= 1e6 && r.bytes > 0);
    pm_device_close(&device);
    pm_ctx_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_found),
        cmocka_unit_test(cases_cover_the_awkward),
        cmocka_unit_test(speed_is_measured),
    };
    return cmocka_run_group_tests_name("proof", tests, NULL, NULL);
}
