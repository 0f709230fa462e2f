// What goes wrong with Vulkan, and what must happen: no loader, no driver, no device, memory that runs out at every allocation, a
// device lost in the middle, switches that say nothing known.
#define _DEFAULT_SOURCE
#include "vulkan_help.h"
#include "spawn_help.h"

#include <sys/stat.h>

static const char *self;

static void small_chain(pm_ctx *ctx, chain *c)
{
    memset(c, 0, sizeof *c);
    const int x = chain_tensor(c, PM_F32, 32, 32), y = chain_tensor(c, PM_F32, 32, 32);
    chain_op(ctx, c, PM_OP_MATMUL, (int[]){ x, x, y }, NULL);
    chain_op(ctx, c, PM_OP_TANH, (int[]){ y, x }, NULL);
}

// ---- no loader, no driver ----

// Run again by loader_may_be_missing where no libvulkan can be loaded.
static int child_without_loader(void)
{
    pm_ctx *ctx;
    pm_device_info *list;
    pm_device *d;
    const char *note = NULL;
    int count;
    if (pm_ctx_create(NULL, &ctx) != PM_OK || pm_device_list(ctx, &list, &count, &note) != PM_OK) return 1;
    if (!note || !strstr(note, "no Vulkan loader") || !strstr(note, "apt install")) return 2;
    for (int i = 0; i < count; i++)
        if (pm_name_equal(list[i].backend, "vulkan")) return 3;
    if (pm_device_open(ctx, &(pm_device_params){ .name = "vulkan:0" }, &d) != PM_ERR_NO_DEVICE || d) return 4;
    if (!strstr(pm_ctx_message(ctx), "no Vulkan loader")) return 5;
    if (pm_device_open(ctx, &(pm_device_params){ .name = "ref" }, &d) != PM_OK) return 6;
    pm_ctx_destroy(&ctx);
    return 0;
}

// A file that is no library stands first in the search path.
static void loader_may_be_missing(void **state)
{
    (void)state;
    char folder[] = "/tmp/pumice-loader-XXXXXX", path[2][64];
    assert_non_null(mkdtemp(folder));
    static const char *const names[] = { "libvulkan.so.1", "libvulkan.so" };
    for (int i = 0; i < 2; i++) {
        snprintf(path[i], sizeof path[i], "%s/%s", folder, names[i]);
        FILE *f = fopen(path[i], "w");
        assert_non_null(f);
        fputs("this is not a library, and long enough that its header is read as one: it must be refused by the dynamic linker", f);
        fclose(f);
    }
    char *kept = getenv("LD_LIBRARY_PATH") ? strdup(getenv("LD_LIBRARY_PATH")) : NULL;
    setenv("LD_LIBRARY_PATH", folder, 1);
    const int code = spawn_and_wait(self, (const char *const[]){ self, "without-loader", NULL }, -1);
    if (kept) setenv("LD_LIBRARY_PATH", kept, 1);
    else unsetenv("LD_LIBRARY_PATH");
    free(kept);
    for (int i = 0; i < 2; i++) unlink(path[i]);
    rmdir(folder);
    assert_int_equal(code, 0);
}

static void drivers_may_be_missing(void **state)
{
    (void)state;
    static const char *const variables[] = { "VK_ICD_FILENAMES", "VK_DRIVER_FILES" };
    char *kept[2];
    for (int i = 0; i < 2; i++) {
        kept[i] = getenv(variables[i]) ? strdup(getenv(variables[i])) : NULL;
        setenv(variables[i], "/nonexistent/icd.json", 1);
    }
    pm_ctx *ctx = new_context();
    pm_device_info *list;
    pm_device *d;
    const char *note;
    int count;
    assert_int_equal(pm_device_list(ctx, &list, &count, &note), PM_OK);
    assert_non_null(note);
    assert_non_null(strstr(note, "found no driver"));
    for (int i = 0; i < count; i++) assert_string_not_equal(list[i].backend, "vulkan");
    assert_int_equal(pm_device_open(ctx, &(pm_device_params){ .name = "vulkan" }, &d), PM_ERR_NO_DEVICE);
    assert_non_null(strstr(pm_ctx_message(ctx), "found no driver"));
    for (int i = 0; i < 2; i++) {
        set_switch(variables[i], kept[i]);
        free(kept[i]);
    }
    pm_ctx_destroy(&ctx);
}

// ---- a device that cannot be made, memory that runs out, a device that goes ----

static void device_creation_may_fail(void **state)
{
    (void)state;
    pm_ctx *ctx = new_context();
    pm_device *d;
    assert_int_equal(open_with(ctx, "PUMICE_VK_FAULT", "create", &d), PM_ERR_NO_DEVICE);
    assert_null(d);
    assert_non_null(strstr(pm_ctx_message(ctx), "VK_ERROR_INITIALIZATION_FAILED"));
    pm_ctx_destroy(&ctx);
}

static pm_status run_with(pm_ctx *ctx, const char *fault)
{
    pm_device *d;
    chain c;
    float data[2][2048] = { { 0 } };
    small_chain(ctx, &c);
    pm_status st = open_with(ctx, "PUMICE_VK_FAULT", fault, &d);
    if (st == PM_OK) st = chain_run(&c, d, data[0], 2, data[1]);
    if (st == PM_OK) st = d->backend->wait(d);
    pm_device_close(&d);
    return st;
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    int failed = 0;
    set_switch("PUMICE_VK_DISABLE", "mapping");
    for (int n = 1;; n++) {
        pm_ctx *ctx = new_context();
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d", n);
        const pm_status st = run_with(ctx, fault);
        if (st != PM_OK) {
            failed++;
            assert_int_equal(st, PM_ERR_DEVICE_MEMORY);
            assert_non_null(strstr(pm_ctx_message(ctx), "--set batch"));
        }
        pm_ctx_destroy(&ctx);
        if (st == PM_OK && n > 6) break;    // a small block is tried where a big one failed: not every n is an end
        assert_true(n < 50);
    }
    set_switch("PUMICE_VK_DISABLE", NULL);
    assert_true(failed >= 2);
}

static void buffers_that_cannot_be_are_refused(void **state)
{
    (void)state;
    pm_ctx *ctx = new_context();
    pm_device *d = open_device(ctx, "PUMICE_VK_FAULT", "alloc:2");
    pm_buffer *small, *large;
    assert_int_equal(d->backend->buffer_create(d, 1000, &small), PM_OK);    // from the first block
    assert_int_equal(d->backend->buffer_create(d, 64 << 20, &large), PM_ERR_DEVICE_MEMORY);
    assert_null(large);
    assert_non_null(strstr(pm_ctx_message(ctx), "64.0 MiB more"));
    assert_int_equal(d->backend->buffer_create(d, 64 << 20, &large), PM_OK);    // the device goes on
    pm_ctx_destroy(&ctx);
}

// A driver that says what is free is asked before anything is allocated.
static void the_message_says_what_is_free(void **state)
{
    (void)state;
    pm_ctx *ctx = new_context();
    pm_device *d = open_device(ctx, "PUMICE_VK_LIMITS", "memory=80M");
    pm_buffer *first, *second;
    assert_int_equal(d->backend->buffer_create(d, 30 << 20, &first), PM_OK);
    assert_int_equal(d->backend->buffer_create(d, 70 << 20, &second), PM_ERR_DEVICE_MEMORY);
    const char *at = strstr(pm_ctx_message(ctx), "no room for 70.0 MiB more, 30.0 MiB are in use, ");
    assert_non_null(at);
    assert_non_null(strstr(at, "MiB are free; a smaller batch"));
    d->backend->buffer_destroy(first);
    assert_int_equal(d->backend->buffer_create(d, 30 << 20, &second), PM_OK);
    pm_ctx_destroy(&ctx);
}

static void a_lost_device_stays_lost(void **state)
{
    (void)state;
    pm_ctx *ctx = new_context();
    pm_device *d = open_device(ctx, "PUMICE_VK_FAULT", "lost:6");
    chain c;
    float data[2048] = { 0 };
    small_chain(ctx, &c);
    pm_buffer *buffer, *other;
    pm_program_impl *program, *second;
    pm_status st = chain_prepare(&c, d, data, &buffer, &program);
    for (int i = 0; i < 6 && st == PM_OK; i++) st = d->backend->run(program, 1);
    assert_int_equal(st, PM_ERR_DEVICE_LOST);
    assert_non_null(strstr(pm_ctx_message(ctx), "matmul (chain), tanh (chain)"));
    assert_int_equal(d->backend->run(program, 1), PM_ERR_DEVICE_LOST);
    assert_int_equal(d->backend->wait(d), PM_ERR_DEVICE_LOST);
    assert_int_equal(d->backend->upload(buffer, 0, data, 16), PM_ERR_DEVICE_LOST);
    assert_int_equal(d->backend->download(buffer, 0, data, 16), PM_ERR_DEVICE_LOST);
    assert_int_equal(chain_prepare(&c, d, data, &other, &second), PM_ERR_DEVICE_LOST);
    assert_non_null(strstr(pm_ctx_message(ctx), "was lost while running"));
    pm_device_close(&d);
    assert_int_equal(run_with(ctx, NULL), PM_OK);    // a fresh one works
    pm_ctx_destroy(&ctx);
}

static void unknown_switches_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = { { "PUMICE_VK_LIMITS", "tiny" },      { "PUMICE_VK_LIMITS", "range=12" },
                                            { "PUMICE_VK_DISABLE", "mapping,x" }, { "PUMICE_VK_FAULT", "lost:" },
                                            { "PUMICE_VK_FAULT", "alloc:0" },     { "PUMICE_VK_MATMUL", "fast" },
                                            { "PUMICE_VK_VALIDATION", "all" } };
    for (int i = 0; i < PM_COUNT(cases); i++) {
        pm_ctx *ctx = new_context();
        pm_device *d;
        assert_int_equal(open_with(ctx, cases[i][0], cases[i][1], &d), PM_ERR_ARG);
        assert_non_null(strstr(pm_ctx_message(ctx), cases[i][0]));
        pm_ctx_destroy(&ctx);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && pm_name_equal(argv[1], "without-loader")) return child_without_loader();
    self = argv[0];
    const int absent = without_device();
    if (absent) return absent;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loader_may_be_missing),       cmocka_unit_test(drivers_may_be_missing),
        cmocka_unit_test(device_creation_may_fail),    cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(buffers_that_cannot_be_are_refused), cmocka_unit_test(the_message_says_what_is_free), cmocka_unit_test(a_lost_device_stays_lost),
        cmocka_unit_test(unknown_switches_are_refused),
    };
    return cmocka_run_group_tests_name("vulkan_faults", tests, NULL, NULL);
}
