// The order of an epoch is a bijection for every size, differs by key, and looks unlike the identity.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "op/feistel.h"

static void check_bijection(uint32_t n, uint32_t epoch)
{
    const pm_feistel f = pm_feistel_make(42, 7, 0, epoch, n);
    unsigned char *seen = calloc(n, 1);
    assert_non_null(seen);
    for (uint32_t x = 0; x < n; x++) {
        const uint32_t y = pm_feistel_at(&f, x);
        assert_true(y < n);
        assert_int_equal(seen[y]++, 0);
    }
    free(seen);
}

static void bijection_for_every_size(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 300; n++)
        for (uint32_t epoch = 0; epoch < 4; epoch++) check_bijection(n, epoch);
    static const uint32_t sizes[] = { 1023, 1024, 1025, 6040, 65535, 65536, 65537, 136677 };
    for (int i = 0; i < 8; i++) check_bijection(sizes[i], (uint32_t)i);
}

static void largest_sizes_stay_inside(void **state)
{
    (void)state;
    const pm_feistel f = pm_feistel_make(1, 2, 3, 4, 0xFFFFFFFFu);
    for (uint32_t x = 0; x < 1000; x++) assert_true(pm_feistel_at(&f, x * 4294967u) < 0xFFFFFFFFu);
}

// Of a random permutation: one fixed point on average; no correlation of position and image, or of neighbours.
static void unlike_the_identity(void **state)
{
    (void)state;
    enum { N = 6040, EPOCHS = 50 };
    double fixed = 0, with_place = 0, with_neighbour = 0;
    const double mean = (N - 1) / 2.0, variance = ((double)N * N - 1) / 12;
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        const pm_feistel f = pm_feistel_make(2024, 99, 0, epoch, N);
        for (uint32_t x = 0; x < N; x++) {
            const double y = pm_feistel_at(&f, x);
            fixed += y == x;
            with_place += (x - mean) * (y - mean);
            with_neighbour += (y - mean) * (pm_feistel_at(&f, (x + 1) % N) - mean);
        }
    }
    const double spread = 1 / sqrt((double)N * EPOCHS);    // of a correlation of independent numbers
    assert_true(fabs(fixed - EPOCHS) < 5 * sqrt((double)EPOCHS));
    assert_true(fabs(with_place / (variance * N * EPOCHS)) < 5 * spread);
    assert_true(fabs(with_neighbour / (variance * N * EPOCHS)) < 5 * spread);
}

static void small_orders_are_all_reached_evenly(void **state)
{
    (void)state;
    int count[27] = { 0 }, kinds = 0;
    for (uint32_t epoch = 0; epoch < 6000; epoch++) {
        const pm_feistel f = pm_feistel_make(5, 1, 0, epoch, 3);
        count[pm_feistel_at(&f, 0) * 9 + pm_feistel_at(&f, 1) * 3 + pm_feistel_at(&f, 2)]++;
    }
    for (int i = 0; i < 27; i++) {
        kinds += count[i] > 0;
        assert_true(count[i] == 0 || (count[i] > 700 && count[i] < 1300));
    }
    assert_int_equal(kinds, 6);
}

static void the_key_matters(void **state)
{
    (void)state;
    const pm_feistel base = pm_feistel_make(1, 1, 0, 0, 1000);
    const pm_feistel others[] = { pm_feistel_make(2, 1, 0, 0, 1000), pm_feistel_make(1, 2, 0, 0, 1000),
                                  pm_feistel_make(1, 1, 1, 0, 1000), pm_feistel_make(1, 1, 0, 1, 1000) };
    for (int k = 0; k < 4; k++) {
        int same = 0;
        for (uint32_t x = 0; x < 1000; x++) same += pm_feistel_at(&base, x) == pm_feistel_at(&others[k], x);
        assert_true(same < 10);
    }
}

static void open_units_are_exact(void **state)
{
    (void)state;
    assert_true(pm_open_unit_f32(0) == 0x1p-24f);
    assert_true(pm_open_unit_f32(0xFFFFFFFFu) == 1.0f - 0x1p-24f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bijection_for_every_size),
        cmocka_unit_test(largest_sizes_stay_inside),
        cmocka_unit_test(unlike_the_identity),
        cmocka_unit_test(small_orders_are_all_reached_evenly),
        cmocka_unit_test(the_key_matters),
        cmocka_unit_test(open_units_are_exact),
    };
    return cmocka_run_group_tests_name("feistel", tests, NULL, NULL);
}
