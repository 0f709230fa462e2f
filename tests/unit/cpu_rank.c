// top_k of the cpu backend against a sort of the whole row, where its short cuts could go wrong: long rows and lists, ties, order, masks, bad values.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <pumice/state.h>

#include "backend/cpu/cpu.h"
#include "core/philox.h"

typedef float fill_fn(int64_t j, int64_t n, uint32_t bits);

static float spread_evenly(int64_t j, int64_t n, uint32_t bits) { return (void)j, (void)n, (float)bits * 0x1p-30f - 2.0f; }
static float all_equal(int64_t j, int64_t n, uint32_t bits) { return (void)j, (void)n, (void)bits, 1.5f; }
static float few_values(int64_t j, int64_t n, uint32_t bits) { return (void)j, (void)n, (float)(bits % 5) - 2.0f; }
static float ascending(int64_t j, int64_t n, uint32_t bits) { return (void)n, (void)bits, (float)j; }
static float descending(int64_t j, int64_t n, uint32_t bits) { return (void)bits, (float)(n - j); }
static float two_zeros(int64_t j, int64_t n, uint32_t bits) { return (void)j, (void)n, bits & 1 ? 0.0f : -0.0f; }
static float any_bits(int64_t j, int64_t n, uint32_t bits)
{
    float x;
    (void)j, (void)n;
    bits &= 0xBFFFFFFFu;    // below 2 in size: finite, and not masked
    memcpy(&x, &bits, sizeof x);
    return x;
}
static float mostly_masked(int64_t j, int64_t n, uint32_t bits) { return (void)j, bits % (uint32_t)n < 20 ? (float)bits : bits & 1 ? PM_MASKED : -3.3e38f; }
static float best_in_one_lane(int64_t j, int64_t n, uint32_t bits) { return (void)n, (j % 16 == 3 ? 1e6f : 0.0f) + (float)(bits >> 8); }

static const struct {
    const char *name;
    fill_fn    *fill;
} fills[] = {
    { "spread evenly", spread_evenly }, { "all equal", all_equal },         { "few values", few_values },
    { "ascending", ascending },         { "descending", descending },       { "two zeros", two_zeros },
    { "any bits", any_bits },           { "mostly masked", mostly_masked }, { "best in one lane", best_in_one_lane },
};

typedef struct lists {
    uint32_t *id;
    float    *score;
} lists;

static lists run(const pm_cpu_isa *isa, float *z, int64_t n, int64_t k)
{
    const lists l = { malloc(sizeof *l.id * (size_t)k), malloc(sizeof *l.score * (size_t)k) };
    const pm_view views[3] = { { z, PM_F32, 1, n, n }, { l.id, PM_U32, 1, k, k }, { l.score, PM_F32, 1, k, k } };
    const pm_call c = { .op = PM_OP_TOP_K, .in = views, .out = views + 1, .threads = 1, .isa = isa };
    assert_int_equal(pm_cpu_top_k(&c), PM_OK);
    return l;
}

static void drop(lists l)
{
    free(l.id);
    free(l.score);
}

// The whole row sorted; ref's selection would take hours for long lists.
static const float *sorted_row;

static int better_first(const void *a, const void *b)
{
    const uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    if (sorted_row[i] != sorted_row[j]) return sorted_row[i] > sorted_row[j] ? -1 : 1;
    return (i > j) - (i < j);
}

static uint32_t *sort_row(const float *z, int64_t n)
{
    uint32_t *id = malloc(sizeof *id * (size_t)n);
    for (int64_t j = 0; j < n; j++) id[j] = (uint32_t)j;
    sorted_row = z;
    qsort(id, (size_t)n, sizeof *id, better_first);
    return id;
}

static void check(float *z, int64_t n, int64_t k, const char *what)
{
    const pm_cpu_isa *isa[3];
    const int count = pm_cpu_isa_list(isa);
    uint32_t *want = sort_row(z, n);
    for (int i = 0; i < count; i++) {
        const lists got = run(isa[i], z, n, k);
        for (int64_t j = 0; j < k; j++) {
            const bool listed = z[want[j]] > PM_MASKED;
            const uint32_t id = listed ? want[j] : PM_ID_NONE;
            const float score = listed ? z[want[j]] : PM_MASKED;
            if (got.id[j] != id || got.score[j] != score)
                fail_msg("%s, %s, n = %d, k = %d: place %d is column %u (%g), not %u (%g)", isa[i]->name, what, (int)n, (int)k, (int)j, got.id[j],
                         (double)got.score[j], id, (double)score);
        }
        drop(got);
    }
    free(want);
}

static void fill_row(float *z, int64_t n, fill_fn *fill)
{
    for (int64_t j = 0; j < n; j++) z[j] = fill(j, n, pm_philox(7, (uint32_t)j, 0, 0, 0).v[0]);
}

static void lists_agree(void **state)
{
    (void)state;
    static const struct { int64_t n, k; } sizes[] = { { 1, 1 }, { 15, 4 }, { 16, 16 }, { 17, 17 }, { 255, 100 }, { 257, 257 }, { 1000, 10 },
                                                      { 3000, 1024 }, { 5000, 1025 }, { 4000, 4000 }, { 20108, 100 }, { 20108, 3000 },
                                                      { 70001, 50 }, { 140000, 2100 } };
    float *z = malloc(sizeof *z * 140000);
    for (int s = 0; s < PM_COUNT(sizes); s++)
        for (int f = 0; f < PM_COUNT(fills); f++) {
            fill_row(z, sizes[s].n, fills[f].fill);
            check(z, sizes[s].n, sizes[s].k, fills[f].name);
        }
    free(z);
}

static void a_bad_value_is_seen_anywhere(void **state)
{
    (void)state;
    static const float bad[] = { NAN, -NAN, INFINITY, -INFINITY };
    float z[600];
    const pm_cpu_isa *isa[3];
    const int count = pm_cpu_isa_list(isa);
    fill_row(z, 600, spread_evenly);
    for (int64_t n = 1; n <= 600; n += n < 40 ? 1 : 37)
        for (int64_t at = 0; at < n; at++) {
            const float was = z[at];
            z[at] = bad[at % PM_COUNT(bad)];
            const lists l = run(isa[at % count], z, n, 1);
            assert_int_equal(l.id[0], PM_ID_NAN);
            assert_true(l.score[0] == 0.0f);
            drop(l);
            z[at] = was;
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_agree),
        cmocka_unit_test(a_bad_value_is_seen_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
