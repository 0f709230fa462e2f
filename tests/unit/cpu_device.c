// The cpu device: what it says of itself, and that neither the instruction set nor the number of threads shows in its results, but for
// products by our own kernel, whose sums are known.
#define _POSIX_C_SOURCE 200809L    // setenv
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <pumice/cpu.h>

#include "backend/blas.h"
#include "backend/cpu/cpu.h"
#include "backend/proof.h"

static pm_device *open_cpu(const char *isa, int threads)
{
    pm_ctx *ctx;
    pm_device *device;
    setenv("PUMICE_CPU_ISA", isa, 1);
    assert_int_equal(pm_ctx_create(&(pm_ctx_params){ .threads = threads }, &ctx), PM_OK);
    if (pm_device_open(ctx, &(pm_device_params){ .name = "cpu" }, &device) != PM_OK) pm_ctx_destroy(&ctx);
    unsetenv("PUMICE_CPU_ISA");
    return ctx ? device : NULL;
}

static void close_cpu(pm_device *device)
{
    pm_ctx *ctx = pm_ctx_of(device);
    pm_device_close(&device);
    pm_ctx_destroy(&ctx);
}

static const pm_cpu_isa *find_isa(const char *name)
{
    const pm_cpu_isa *list[3];
    for (int i = pm_cpu_isa_list(list) - 1; i >= 0; i--)
        if (strcmp(list[i]->name, name) == 0) return list[i];
    return NULL;
}

static bool is_own_product(const char *isa, int op)
{
    return find_isa(isa)->product && (op == PM_OP_MATMUL || op == PM_OP_AFFINE || op == PM_OP_MATMUL_ADAM);
}

static void same_bits(void **state)
{
    (void)state;
    static const char *const wider[] = { "avx2", "avx512" };
    pm_device *baseline = open_cpu("baseline", 1);
    assert_non_null(baseline);
    int failed = 0;
    for (int i = 0; i < PM_COUNT(wider); i++) {
        pm_device *device = open_cpu(wider[i], 2);
        if (!device) {
            printf("%s: not on this processor\n", wider[i]);
            continue;
        }
        for (int op = 0; op < PM_OP_COUNT; op++) {
            if (is_own_product(wider[i], op)) continue;    // products_are_known_sums
            pm_proof proof;
            assert_int_equal(pm_proof_repeat(baseline, device, (pm_op)op, &(pm_proof_params){ .seed = 3, .limit = 3e5 }, &proof), PM_OK);
            if (proof.verdict != PM_VERDICT_FAIL) continue;
            printf("%s, 2 threads: %s: %s\n", wider[i], pm_op_name((pm_op)op), proof.where);
            failed++;
        }
        close_cpu(device);
    }
    close_cpu(baseline);
    assert_int_equal(failed, 0);
}

// ---- products ----

typedef struct product {
    int64_t m, n, k, depth;    // depth: terms of a sum; sums are added
    bool    ta, tb;
} product;

static float sum_of(const product *p, const pm_view *a, const pm_view *b, int64_t i, int64_t j)
{
    float total = 0;
    for (int64_t from = 0; from < p->k; from += p->depth) {
        float sum = 0;
        for (int64_t t = from; t < PM_MIN(from + p->depth, p->k); t++)
            sum = fmaf(p->ta ? pm_row(a, t)[i] : pm_row(a, i)[t], p->tb ? pm_row(b, j)[t] : pm_row(b, t)[j], sum);
        total = from ? total + sum : sum;
    }
    return total;
}

static pm_view make_view(int64_t rows, int64_t cols, int64_t gap)
{
    const pm_view v = { aligned_alloc(64, ((size_t)(rows * (cols + gap)) * sizeof(float) + 63) / 64 * 64), PM_F32, rows, cols, cols + gap };
    for (int64_t i = 0; i < rows * v.stride; i++) ((float *)v.data)[i] = (float)(i * 7919 % 2003) / 1001.0f - 1.0f;
    return v;
}

static void check_product(const pm_cpu_isa *isa, const product *p, int threads)
{
    pm_view v[3] = { p->ta ? make_view(p->k, p->m, 3) : make_view(p->m, p->k, 3), p->tb ? make_view(p->n, p->k, 5) : make_view(p->k, p->n, 5),
                     make_view(p->m, p->n, 1) };
    const pm_matmul_params q = { .ta = p->ta, .tb = p->tb };
    float *scratch = aligned_alloc(64, sizeof(float) * PM_CALL_SCRATCH * (size_t)threads);
    const float after = pm_row(&v[2], 0)[p->n];
    const pm_call c = { .op = PM_OP_MATMUL, .in = v, .out = v + 2, .params = &q, .threads = threads, .isa = isa, .scratch = scratch };
    assert_int_equal(pm_cpu_matmul(&c), PM_OK);
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++)
            if (pm_row(&v[2], i)[j] != sum_of(p, &v[0], &v[1], i, j))
                fail_msg("%lld x %lld x %lld: y[%lld,%lld]", (long long)p->m, (long long)p->k, (long long)p->n, (long long)i, (long long)j);
    assert_true(pm_row(&v[2], 0)[p->n] == after);
    for (int i = 0; i < 3; i++) free(v[i].data);
    free(scratch);
}

// Every element is one sum of ascending terms, each fused with its addition; where b is transposed, the sum of such sums of 512.
static void products_are_known_sums(void **state)
{
    (void)state;
    static const product products[] = {
        { 48, 32, 1, 1, false, false },   { 60, 65, 33, 33, false, false },    { 61, 290, 129, 129, false, false }, { 59, 97, 300, 300, true, false },
        { 48, 33, 2048, 2048, true, false }, { 49, 47, 17, 512, false, true }, { 254, 33, 530, 512, false, true },  { 50, 65, 1030, 512, true, true },
    };
    const pm_cpu_isa *isa = find_isa("avx512");
    if (!isa || !isa->product) skip();
    for (int i = 0; i < PM_COUNT(products); i++)
        for (int threads = 1; threads <= 2; threads++) check_product(isa, &products[i], threads);
}

// What ours is held against must be the whole product on all threads, and must leave OpenBLAS as it was for ours.
static void openblas_alone(void **state)
{
    (void)state;
    pm_device *device = open_cpu("baseline", 2);
    pm_sgemm *s;
    double seconds = 0, longer = 0;
    assert_int_equal(device->backend->sgemm_create(device, &(pm_product){ 64, 96, 160, true, false }, &s), PM_OK);
    assert_int_equal(device->backend->sgemm_run(s, 3, &seconds), PM_OK);
    assert_int_equal(pm_blas_threads(), 1);
    assert_true(seconds > 0);
    assert_int_equal(device->backend->sgemm_run(s, 0, &seconds), PM_ERR_ARG);
    pm_free(s);
    assert_int_equal(device->backend->sgemm_create(device, &(pm_product){ 640, 960, 1600, false, true }, &s), PM_OK);
    assert_int_equal(device->backend->sgemm_run(s, 1, &longer), PM_OK);
    assert_true(longer > seconds);
    pm_free(s);
    assert_int_equal(device->backend->sgemm_create(device, &(pm_product){ 0, 960, 1600, false, true }, &s), PM_ERR_SHAPE);
    close_cpu(device);
}

// Small cases run on one thread whatever is asked for, so these are large.
static void same_bits_on_more_threads(void **state)
{
    (void)state;
    pm_device *one = open_cpu("", 1), *three = open_cpu("", 3);
    assert_non_null(one);
    assert_non_null(three);
    for (int op = 0; op < PM_OP_COUNT; op++) {
        pm_case *c;
        uint32_t *first[PM_MAX_OPERANDS], *second[PM_MAX_OPERANDS];
        assert_int_equal(pm_case_make(one, (pm_op)op, 0, &(pm_case_params){ .seed = 5, .limit = 3e7, .plain = true }, &c), PM_OK);
        assert_int_equal(pm_proof_run(c, one, c, first), PM_OK);
        for (int again = 0; again < 4; again++) {    // threads may come too late to take a part
            assert_int_equal(pm_proof_run(c, three, c, second), PM_OK);
            for (int i = 0; i < c->images; i++)
                if (memcmp(first[i], second[i], 4 * (size_t)c->words[i]) != 0) fail_msg("%s: image %d", pm_op_name((pm_op)op), i);
        }
        pm_free(c);
    }
    close_cpu(one);
    close_cpu(three);
}

static void unknown_set_is_refused(void **state)
{
    (void)state;
    pm_ctx *ctx;
    pm_device *device;
    setenv("PUMICE_CPU_ISA", "avx3", 1);
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    assert_int_equal(pm_device_open(ctx, &(pm_device_params){ .name = "cpu" }, &device), PM_ERR_UNSUPPORTED);
    unsetenv("PUMICE_CPU_ISA");
    assert_null(device);
    assert_non_null(strstr(pm_ctx_message(ctx), "avx3"));
    assert_non_null(strstr(pm_ctx_message(ctx), "baseline"));
    pm_ctx_destroy(&ctx);
}

static void says_what_it_is(void **state)
{
    (void)state;
    pm_device *device = open_cpu("baseline", 1);
    assert_non_null(device);
    const pm_device_info *info = pm_device_get_info(device);
    assert_non_null(strstr(info->driver, "OpenBLAS"));
    assert_non_null(strstr(info->driver, pm_blas_core()));
    assert_non_null(strstr(pm_device_profile(device), "baseline"));
    assert_true(info->name[0]);
    close_cpu(device);
}

static void remedy_only_where_it_helps(void **state)
{
    (void)state;
    const char *config = "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY Zen MAX_THREADS=64";
    assert_string_equal(pm_blas_remedy(true, "Zen", config, NULL), "SkylakeX");
    assert_string_equal(pm_blas_remedy(true, "Haswell", config, ""), "SkylakeX");
    assert_null(pm_blas_remedy(true, "Zen", config, "Haswell"));    // somebody chose
    assert_null(pm_blas_remedy(true, "Cooperlake", config, NULL));
    assert_null(pm_blas_remedy(false, "Zen", config, NULL));
    assert_null(pm_blas_remedy(true, "Zen", "OpenBLAS 0.3.21 Zen", NULL));    // built for one core type: the variable is not read
    assert_null(pm_blas_remedy(true, "", "", NULL));
}

int main(void)
{
    if (!PUMICE_HAVE_CPU) return 77;
    setenv("VK_ICD_FILENAMES", "none.json", 1);    // errors list all devices: drivers take time, and leak
    setenv("VK_DRIVER_FILES", "none.json", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openblas_alone),
        cmocka_unit_test(same_bits),
        cmocka_unit_test(products_are_known_sums),
        cmocka_unit_test(same_bits_on_more_threads),
        cmocka_unit_test(unknown_set_is_refused),
        cmocka_unit_test(says_what_it_is),
        cmocka_unit_test(remedy_only_where_it_helps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
