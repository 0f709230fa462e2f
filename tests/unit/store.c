// The store: names, shapes, rows, memory given back.
#define _DEFAULT_SOURCE
#include "train_help.h"

#include "backend/store.h"

typedef struct bench {
    pm_device *device;
    pm_store  *store;
} bench;

static bench open_bench(const fixture *f, const char *device, bool wide)
{
    bench b;
    assert_int_equal(pm_device_open(f->ctx, &(pm_device_params){ .name = device, .double_precision = wide }, &b.device), PM_OK);
    assert_int_equal(pm_store_create(b.device, &b.store), PM_OK);
    return b;
}

static void close_bench(bench *b)
{
    pm_store_destroy(&b->store);
    assert_null(b->store);
    uint64_t now, peak;
    pm_device_memory(b->device, &now, &peak);
    assert_int_equal(now, 0);    // whatever was made is given back
    pm_device_close(&b->device);
    assert_null(b->device);
}

static void names_and_shapes(void **state)
{
    fixture *f = *state;
    bench b = open_bench(f, "ref", false);
    pm_dtype dtype;
    int64_t rows, cols;
    assert_int_equal(pm_store_count(b.store), 0);
    char name[24];
    for (int i = 0; i < 70; i++) {    // more than it starts with room for
        snprintf(name, sizeof name, "tensor %d", i);
        assert_int_equal(pm_store_add(b.store, name, i % 2 ? PM_U32 : PM_F32, i + 1, 2), PM_OK);
    }
    assert_int_equal(pm_store_count(b.store), 70);
    assert_true(pm_store_find(b.store, "tensor 33", &dtype, &rows, &cols));
    assert_true(dtype == PM_U32 && rows == 34 && cols == 2);
    assert_true(pm_store_find(b.store, "tensor 0", NULL, NULL, NULL));
    assert_false(pm_store_find(b.store, "tensor", &dtype, &rows, &cols));
    assert_string_equal(pm_store_name(b.store, 69), "tensor 69");
    assert_null(pm_store_name(b.store, 70));
    assert_null(pm_store_name(b.store, -1));
    assert_int_equal(pm_store_remove(b.store, "tensor 5"), PM_OK);
    assert_int_equal(pm_store_remove(b.store, "tensor 5"), PM_ERR_NOT_FOUND);
    says(f, "tensor 5");
    assert_int_equal(pm_store_count(b.store), 69);
    assert_string_equal(pm_store_name(b.store, 4), "tensor 4");    // the others keep their order
    assert_string_equal(pm_store_name(b.store, 5), "tensor 6");
    assert_int_equal(pm_store_add(b.store, "tensor 5", PM_F32, 1, 1), PM_OK);    // the name is free again
    assert_string_equal(pm_store_name(b.store, 69), "tensor 5");
    assert_ptr_equal(pm_store_device(b.store), b.device);
    close_bench(&b);
}

static void what_is_refused(void **state)
{
    fixture *f = *state;
    bench b = open_bench(f, "ref", false);
    float x[6] = { 0 };
    assert_int_equal(pm_store_add(b.store, "a", PM_F32, 2, 3), PM_OK);
    assert_int_equal(pm_store_add(b.store, "a", PM_F32, 2, 3), PM_ERR_ARG);
    says(f, "\"a\"");
    assert_int_equal(pm_store_add(b.store, "", PM_F32, 2, 3), PM_ERR_ARG);
    assert_int_equal(pm_store_add(b.store, "b", PM_F32, 0, 3), PM_ERR_ARG);
    assert_int_equal(pm_store_add(b.store, "b", PM_F32, 2, -1), PM_ERR_ARG);
    assert_int_equal(pm_store_add(b.store, "b", PM_F32, INT64_C(1) << 16, INT64_C(1) << 16), PM_ERR_SHAPE);
    assert_int_equal(pm_store_add(b.store, "b", PM_F32, INT64_MAX, INT64_MAX), PM_ERR_SHAPE);
    assert_false(pm_store_find(b.store, "b", NULL, NULL, NULL));
    assert_int_equal(pm_store_read(b.store, "b", x), PM_ERR_NOT_FOUND);
    assert_int_equal(pm_store_write(b.store, "b", x), PM_ERR_NOT_FOUND);
    const struct { int64_t first, count; } beyond[] = { { 0, 3 }, { 2, 1 }, { -1, 1 }, { 0, -1 }, { INT64_MAX, 1 }, { 1, INT64_MAX } };
    for (int i = 0; i < PM_COUNT(beyond); i++) {
        assert_int_equal(pm_store_read_rows(b.store, "a", beyond[i].first, beyond[i].count, x), PM_ERR_ARG);
        assert_int_equal(pm_store_write_rows(b.store, "a", beyond[i].first, beyond[i].count, x), PM_ERR_ARG);
    }
    assert_int_equal(pm_store_read_rows(b.store, "a", 2, 0, x), PM_OK);
    assert_int_equal(pm_store_write_rows(b.store, "a", 2, 0, x), PM_OK);
    close_bench(&b);
}

// On every host device, and in double, where f32 goes in and comes out and u32 stays as it is.
static void values_come_back(void **state)
{
    fixture *f = *state;
    static const struct { const char *device; bool wide; } kinds[] = { { "ref", false }, { "ref", true }, { "cpu", false } };
    for (int k = 0; k < PM_COUNT(kinds); k++) {
        pm_device *probe;
        if (pm_device_open(f->ctx, &(pm_device_params){ .name = kinds[k].device }, &probe) != PM_OK) continue;
        pm_device_close(&probe);
        bench b = open_bench(f, kinds[k].device, kinds[k].wide);
        float x[15], y[15];
        uint32_t n[4] = { 0, 1, 0x80000000u, 0xFFFFFFFFu }, m[4];
        for (int i = 0; i < 15; i++) x[i] = (float)i / 7 - 1;
        x[3] = -0.0f;
        x[4] = 1e-42f;    // subnormal
        assert_int_equal(pm_store_add(b.store, "x", PM_F32, 5, 3), PM_OK);
        assert_int_equal(pm_store_add(b.store, "n", PM_U32, 1, 4), PM_OK);
        assert_int_equal(pm_store_read(b.store, "x", y), PM_OK);
        for (int i = 0; i < 15; i++) assert_true(y[i] == 0);    // zeros at first
        assert_int_equal(pm_store_write(b.store, "x", x), PM_OK);
        assert_int_equal(pm_store_write(b.store, "n", n), PM_OK);
        assert_int_equal(pm_store_read(b.store, "x", y), PM_OK);
        assert_int_equal(pm_store_read(b.store, "n", m), PM_OK);
        assert_memory_equal(x, y, sizeof x);
        assert_memory_equal(n, m, sizeof n);
        const float rows[6] = { 10, 11, 12, 13, 14, 15 };
        assert_int_equal(pm_store_write_rows(b.store, "x", 2, 2, rows), PM_OK);
        memcpy(x + 6, rows, sizeof rows);
        assert_int_equal(pm_store_read_rows(b.store, "x", 1, 4, y), PM_OK);
        assert_memory_equal(x + 3, y, 12 * sizeof *x);
        close_bench(&b);
    }
}

static void the_arena_only_grows(void **state)
{
    bench b = open_bench(*state, "ref", false);
    int first, second, third;
    assert_null(pm_store_arena(b.store, &first));
    assert_int_equal(pm_store_reserve_arena(b.store, 1000), PM_OK);
    const pm_buffer *arena = pm_store_arena(b.store, &first);
    assert_true(arena && arena->size >= 1000);
    assert_int_equal(pm_store_reserve_arena(b.store, 500), PM_OK);
    assert_ptr_equal(pm_store_arena(b.store, &second), arena);
    assert_int_equal(first, second);
    assert_int_equal(pm_store_reserve_arena(b.store, 5000), PM_OK);
    assert_true(pm_store_arena(b.store, &third)->size >= 5000);
    assert_true(third != second);
    close_bench(&b);
}

// A device may be closed with a store on it, a store with a program: nothing is left behind.
static pm_status fill_a_store(pm_ctx *ctx, fixture *f)
{
    (void)f;
    pm_device *device;
    pm_store *store;
    float x[8] = { 0 };
    PM_TRY(pm_device_open(ctx, &(pm_device_params){ .name = "ref", .double_precision = true }, &device));
    PM_TRY(pm_store_create(device, &store));
    char name[24];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "t%d", i);
        const int before = pm_store_count(store);
        const pm_status st = pm_store_add(store, name, PM_F32, 2, 4);
        assert_int_equal(pm_store_count(store), before + (st == PM_OK));
        assert_int_equal(pm_store_find(store, name, NULL, NULL, NULL), st == PM_OK);
        PM_TRY(st);
    }
    PM_TRY(pm_store_write(store, "t3", x));
    PM_TRY(pm_store_read(store, "t4", x));
    PM_TRY(pm_store_reserve_arena(store, 300));
    PM_TRY(pm_store_reserve_arena(store, 3000));
    return pm_store_remove(store, "t7");
}

static void memory_runs_out(void **state)
{
    fail_every_allocation(fill_a_store, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_and_shapes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_arena_only_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_runs_out, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("unit.store", tests, NULL, NULL);
}
