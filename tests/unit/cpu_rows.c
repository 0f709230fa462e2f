// How the cpu backend cuts its work must not show. Rows of exponentials: lengths about a block, more blocks than there is room for, the largest element
// first, last and far above the rest. Sparse products: tiles, panels, threads.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "backend/cpu/cpu.h"
#include "core/philox.h"

static pm_call call_of(pm_op op, const pm_view *views, int ins, const pm_cpu_isa *isa)
{
    return (pm_call){ .op = op, .in = views, .out = views + ins, .threads = 1, .isa = isa };
}

static double log_sum(const float *x, int64_t n)
{
    double max = x[0], sum = 0;
    for (int64_t j = 1; j < n; j++) max = fmax(max, x[j]);
    for (int64_t j = 0; j < n; j++) sum += exp(x[j] - max);
    return max + log(sum);
}

static void check(const float *x, int64_t n, const char *what)
{
    const pm_cpu_isa *isa[3];
    const int count = pm_cpu_isa_list(isa);
    const double total = log_sum(x, n);
    float *y = malloc(sizeof *y * (size_t)n), *in_place = malloc(sizeof *y * (size_t)n), *first = malloc(sizeof *y * (size_t)n);
    for (int i = 0; i < count; i++) {
        memcpy(in_place, x, sizeof *x * (size_t)n);
        const pm_view place = { in_place, PM_F32, 1, n, n };
        const pm_view logs[2] = { { (void *)x, PM_F32, 1, n, n }, { y, PM_F32, 1, n, n } }, shares[2] = { place, place };
        const pm_call log_call = call_of(PM_OP_LOG_SOFTMAX, logs, 1, isa[i]), share_call = call_of(PM_OP_SOFTMAX, shares, 1, isa[i]);
        assert_int_equal(pm_cpu_log_softmax(&log_call), PM_OK);
        assert_int_equal(pm_cpu_softmax(&share_call), PM_OK);
        if (i == 0) memcpy(first, in_place, sizeof *x * (size_t)n);
        assert_memory_equal(first, in_place, sizeof *x * (size_t)n);
        for (int64_t j = 0; j < n; j++) {
            const double right = x[j] - total, depth = fabs(right) + 4;
            if (!(fabs(y[j] - right) <= 0x1p-23 * depth) || !(fabs(in_place[j] - exp(right)) <= 0x1p-23 * depth * exp(right) + 0x1p-149))
                fail_msg("%s, %s, n = %d: element %d: %.9g for %.9g, %.9g for %.9g", isa[i]->name, what, (int)n, (int)j, (double)y[j], right,
                         (double)in_place[j], exp(right));
        }
    }
    free(y);
    free(in_place);
    free(first);
}

static void blocks_do_not_show(void **state)
{
    (void)state;
    static const int64_t lengths[] = { 1, 511, 1023, 1024, 1025, 2047, 20108, 262144, 262145, 700001 };
    float *x = malloc(sizeof *x * 700001);
    for (int k = 0; k < PM_COUNT(lengths); k++) {
        const int64_t n = lengths[k];
        for (int64_t j = 0; j < n; j++) x[j] = 10 * pm_unit_from_bits(pm_random_bits(3, 1, 0, 0, 0, (uint32_t)j)) - 5;
        check(x, n, "even");
        x[0] = 60;
        check(x, n, "first");
        x[0] = 0, x[n - 1] = 60;
        check(x, n, "last");
        x[n - 1] = 300;    // the rest of its block, and all the others, vanish
        check(x, n, "far above");
    }
    free(x);
}

static void what_is_no_number_reaches_all(void **state)
{
    (void)state;
    static const float bad[] = { NAN, -NAN, INFINITY };
    float x[3000], y[3000];
    const pm_cpu_isa *isa[3];
    const int count = pm_cpu_isa_list(isa);
    for (int k = 0; k < PM_COUNT(bad); k++)
        for (int at = 0; at < 3000; at += 1499) {
            for (int j = 0; j < 3000; j++) x[j] = (float)(j % 7);
            x[at] = bad[k];
            const pm_view views[2] = { { x, PM_F32, 1, 3000, 3000 }, { y, PM_F32, 1, 3000, 3000 } };
            const pm_call c = call_of(PM_OP_SOFTMAX, views, 1, isa[k % count]);
            assert_int_equal(pm_cpu_softmax(&c), PM_OK);
            for (int j = 0; j < 3000; j++) assert_true(isnan(y[j]));
        }
}

// A batch that names every row of a wide w often goes by w's rows and stripes of columns; the bits are those of row after row.
static void tiles_do_not_show(void **state)
{
    (void)state;
    float *scratch = malloc(sizeof *scratch * 3 * PM_CALL_SCRATCH);
    assert_non_null(scratch);
    enum { BATCH = 300, ITEMS = 700, WIDTH = 257, EVERY = 19 };
    static uint32_t ptr[BATCH + 1], col[BATCH * ITEMS / EVERY + BATCH];
    static float val[BATCH * ITEMS / EVERY + BATCH], w[ITEMS * WIDTH], plain[BATCH * WIDTH], tiled[BATCH * WIDTH];
    uint32_t n = 0;
    for (uint32_t b = 0; b < BATCH; b++) {
        for (uint32_t i = b % EVERY; i < ITEMS && b % 7; i += EVERY) {
            col[n] = i;
            val[n++] = (float)(1 + (b + i) % 5);
        }
        ptr[b + 1] = n;
    }
    assert_true(n >= 8 * ITEMS);
    for (uint32_t k = 0; k < ITEMS * WIDTH; k++) w[k] = pm_unit_from_bits(pm_random_bits(3, 1, 0, 0, 1, k)) - 0.5f;
    pm_view views[] = { { ptr, PM_U32, 1, BATCH + 1, BATCH + 1 }, { col, PM_U32, 1, n, n }, { val, PM_F32, 1, n, n }, { w, PM_F32, ITEMS, WIDTH, WIDTH },
                        { plain, PM_F32, BATCH, WIDTH, WIDTH } };
    const pm_cpu_isa *isa[3];
    const int count = pm_cpu_isa_list(isa);
    for (int i = 0; i < count; i++)
        for (int threads = 1; threads < 4; threads++) {
            pm_call call = call_of(PM_OP_SPMM, views, 4, isa[i]);
            views[4].data = plain;
            isa[i]->spmm(&call, 0, 0, BATCH);
            views[4].data = tiled;
            memset(tiled, 0xff, sizeof tiled);
            call.threads = threads;
            call.scratch = scratch;
            assert_int_equal(pm_cpu_spmm(&call), PM_OK);
            assert_memory_equal(plain, tiled, sizeof plain);
        }
    free(scratch);
}

// A batch for the tests of its transpose: more room than entries, so that much lies past the last one.
enum { BATCH = 90, ITEMS = 450, ROOM = 1 << 17 };
static uint32_t batch_ptr[BATCH + 1], batch_col[ROOM], tptr[ITEMS + 1], trow[ROOM], tpos[ROOM];

static uint32_t make_batch(void)
{
    uint32_t n = 0;
    for (uint32_t b = 0; b < BATCH; b++) {
        for (uint32_t i = b % 5; i < ITEMS && b % 7; i += 1 + (b + i) % 3 * (i > 40))    // low columns are in all rows, some in none
            if (i / 4 % 3) batch_col[n++] = i;
        batch_ptr[b + 1] = n;
    }
    return n;
}

static void transpose(int threads)
{
    pm_view views[] = { { batch_ptr, PM_U32, 1, BATCH + 1, BATCH + 1 }, { batch_col, PM_U32, 1, ROOM, ROOM }, { tptr, PM_U32, 1, ITEMS + 1, ITEMS + 1 },
                        { trow, PM_U32, 1, ROOM, ROOM }, { tpos, PM_U32, 1, ROOM, ROOM } };
    pm_call call = call_of(PM_OP_CSR_TRANSPOSE, views, 2, NULL);
    call.threads = threads;
    memset(tptr, 0xff, sizeof tptr);
    memset(trow, 0xff, sizeof trow);
    memset(tpos, 0xff, sizeof tpos);
    assert_int_equal(pm_cpu_csr_transpose(&call), PM_OK);
}

static void threads_transpose_as_one(void **state)
{
    (void)state;
    const uint32_t n = make_batch();
    for (int threads = 1; threads < 5; threads++) {
        transpose(threads);
        assert_int_equal(tptr[0], 0);
        assert_int_equal(tptr[ITEMS], n);
        for (uint32_t i = 0; i < ITEMS; i++) {
            assert_true(tptr[i] <= tptr[i + 1]);
            for (uint32_t f = tptr[i]; f < tptr[i + 1]; f++) {
                assert_int_equal(batch_col[tpos[f]], i);
                assert_in_range(tpos[f], batch_ptr[trow[f]], batch_ptr[trow[f] + 1] - 1);
                assert_true(f == tptr[i] || trow[f] > trow[f - 1]);
            }
        }
        for (uint32_t f = n; f < ROOM; f++) assert_true(trow[f] == 0 && tpos[f] == 0);
    }
}

// Adam of a sparse product whose gradient stays in registers: the bits of the two ops, for rows of whole panels and of parts of one.
static void panels_do_not_show(void **state)
{
    (void)state;
    enum { WIDEST = 300 };
    static float tval[ROOM], dy[BATCH * WIDEST], first[3][ITEMS * WIDEST], w[3][ITEMS * WIDEST], apart[3][ITEMS * WIDEST], g[ITEMS * WIDEST], rate = 0.01f;
    static uint32_t straight[ROOM];
    const pm_adam_params adam = { .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .decay = 0.01f };
    const pm_spmm_t_adam_params both = { .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .decay = 0.01f };
    const uint32_t n = make_batch();
    transpose(1);
    for (uint32_t f = 0; f < ROOM; f++) tval[f] = f < n ? (float)(1 + f % 5) : 0.0f, straight[f] = f < n ? f : 0;
    for (uint32_t k = 0; k < BATCH * WIDEST; k++) dy[k] = pm_unit_from_bits(pm_random_bits(3, 1, 0, 0, 2, k)) - 0.5f;
    for (uint32_t a = 0; a < 3; a++)
        for (uint32_t k = 0; k < ITEMS * WIDEST; k++) first[a][k] = pm_unit_from_bits(pm_random_bits(3, 1, 0, 0, a, k));
    const pm_cpu_isa *isa[3];
    const int count = pm_cpu_isa_list(isa);
    for (int i = 0; i < count; i++)
        for (int64_t h = 31; h <= WIDEST; h += h < 257 ? 113 : 43) {    // 31, 144, 257, 300
            pm_view views[8] = { { tptr, PM_U32, 1, ITEMS + 1, ITEMS + 1 }, { trow, PM_U32, 1, ROOM, ROOM }, { straight, PM_U32, 1, ROOM, ROOM },
                                 { tval, PM_F32, 1, ROOM, ROOM }, { dy, PM_F32, BATCH, h, WIDEST }, { g, PM_F32, ITEMS, h, h } };
            pm_call call = call_of(PM_OP_SPMM_T, views, 5, isa[i]);
            assert_int_equal(pm_cpu_spmm_t(&call), PM_OK);
            memcpy(apart, first, sizeof first);
            for (int k = 0; k < 3; k++) views[k] = (pm_view){ apart[k], PM_F32, ITEMS, h, h };
            views[3] = (pm_view){ g, PM_F32, ITEMS, h, h };
            views[4] = (pm_view){ &rate, PM_F32, 1, 1, 1 };
            call = call_of(PM_OP_ADAM, views, 5, isa[i]);
            call.params = &adam;
            assert_int_equal(pm_cpu_adam(&call), PM_OK);
            for (int threads = 1; threads < 4; threads++) {
                memcpy(w, first, sizeof first);
                const pm_view fused[8] = { { tptr, PM_U32, 1, ITEMS + 1, ITEMS + 1 }, { trow, PM_U32, 1, ROOM, ROOM }, { tval, PM_F32, 1, ROOM, ROOM },
                                           { dy, PM_F32, BATCH, h, WIDEST }, { w[0], PM_F32, ITEMS, h, h }, { w[1], PM_F32, ITEMS, h, h },
                                           { w[2], PM_F32, ITEMS, h, h }, { &rate, PM_F32, 1, 1, 1 } };
                call = call_of(PM_OP_SPMM_T_ADAM, fused, 8, isa[i]);
                call.params = &both;
                call.threads = threads;
                assert_int_equal(pm_cpu_spmm_t_adam(&call), PM_OK);
                assert_memory_equal(w, apart, sizeof w);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_do_not_show),
        cmocka_unit_test(threads_transpose_as_one),
        cmocka_unit_test(panels_do_not_show),
        cmocka_unit_test(blocks_do_not_show),
        cmocka_unit_test(what_is_no_number_reaches_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
