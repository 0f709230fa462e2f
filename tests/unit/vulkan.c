// The Vulkan backend below its ops: memory, order inside and across submissions, windows, devices side by side, the cache on
// disk. Runs on whatever driver VK_ICD_FILENAMES names; exit code 77 without one.
#include "vulkan_help.h"

#include <math.h>
#include <sys/stat.h>

#include <pumice/state.h>

#include "backend/proof.h"
#include "backend/vulkan/vk.h"
#include "core/file.h"

static void fill_words(uint32_t *data, int64_t count, uint32_t seed)
{
    for (int64_t i = 0; i < count; i++) data[i] = seed += 2654435761u;
}

// ---- memory --------------------------------------------------------------------------------------------------------

static void check_memory(pm_ctx *ctx, const char *disable)
{
    enum { BUFFERS = 40 };
    pm_device *d = open_device(ctx, "PUMICE_VK_DISABLE", disable);
    const pm_backend *b = d->backend;
    pm_buffer *buffers[BUFFERS] = { NULL };
    uint64_t before, now, peak;
    pm_device_memory(d, &before, &peak);
    // Sizes from empty to over a staging buffer and over half a block; freed and made again out of order.
    static uint32_t data[10 << 18], back[10 << 18];
    for (int round = 0; round < 2; round++)
        for (int i = round; i < BUFFERS; i += round + 1) {
            const int64_t words = i == 7 ? 10 << 18 : (int64_t)i * i * i / 2;
            b->buffer_destroy(buffers[i]);
            assert_int_equal(b->buffer_create(d, words * 4, &buffers[i]), PM_OK);
            assert_int_equal(b->download(buffers[i], 0, back, words * 4), PM_OK);
            for (int64_t k = 0; k < words; k++) assert_int_equal(back[k], 0);
            fill_words(data, words, (uint32_t)i);
            assert_int_equal(b->upload(buffers[i], 0, data, words * 4), PM_OK);
        }
    for (int i = 0; i < BUFFERS; i++) {
        const int64_t words = buffers[i]->size / 4;
        fill_words(data, words, (uint32_t)i);
        assert_int_equal(b->download(buffers[i], 0, back, words * 4), PM_OK);
        assert_memory_equal(data, back, (size_t)words * 4);
        if (words < 3) continue;
        assert_int_equal(b->upload(buffers[i], 4, (uint32_t[]){ 42 }, 4), PM_OK);
        assert_int_equal(b->download(buffers[i], 0, back, 12), PM_OK);
        assert_int_equal(back[0], data[0]);
        assert_int_equal(back[1], 42);
        assert_int_equal(back[2], data[2]);
    }
    pm_device_memory(d, &now, &peak);
    assert_true(now > before && peak >= now);
    for (int i = 0; i < BUFFERS; i++) b->buffer_destroy(buffers[i]);
    pm_device_memory(d, &now, &peak);
    assert_int_equal(now, before);
    assert_int_equal(b->wait(d), PM_OK);
    pm_device_close(&d);
}

static void memory_holds_what_it_is_given(void **state)
{
    (void)state;
    pm_ctx *ctx = new_context();
    check_memory(ctx, NULL);
    check_memory(ctx, "mapping");
    pm_ctx_destroy(&ctx);
}

// ---- order ---------------------------------------------------------------------------------------------------------

// Each op needs the one before; x feeds back into itself from run to run, and the step state turns.
static void make_chain(pm_ctx *ctx, chain *c, float **data)
{
    memset(c, 0, sizeof *c);
    const int x = chain_tensor(c, PM_F32, 64, 48), w = chain_tensor(c, PM_F32, 48, 48), y = chain_tensor(c, PM_F32, 64, 48),
              z = chain_tensor(c, PM_F32, 64, 48), s = chain_tensor(c, PM_F32, 64, 1), u = chain_tensor(c, PM_F32, 64, 48),
              r = chain_tensor(c, PM_F32, 1, 48), state = chain_tensor(c, PM_U32, 1, PM_STATE_COUNT),
              log = chain_tensor(c, PM_F32, 8, 48);
    chain_op(ctx, c, PM_OP_MATMUL, (int[]){ x, w, y }, NULL);
    chain_op(ctx, c, PM_OP_TANH, (int[]){ y, y }, NULL);
    chain_op(ctx, c, PM_OP_SOFTMAX, (int[]){ y, z }, NULL);
    chain_op(ctx, c, PM_OP_ROW_SUM, (int[]){ y, s }, NULL);
    chain_op(ctx, c, PM_OP_MUL_COL, (int[]){ z, s, u }, NULL);
    chain_op(ctx, c, PM_OP_ADD, (int[]){ u, y, x }, NULL);
    chain_op(ctx, c, PM_OP_COL_SUM, (int[]){ x, r }, NULL);
    chain_op(ctx, c, PM_OP_ADD_ROW, (int[]){ w, r, w }, NULL);
    chain_op(ctx, c, PM_OP_TANH, (int[]){ w, w }, NULL);
    chain_op(ctx, c, PM_OP_LOG_ROW, (int[]){ r, state, log }, NULL);
    chain_op(ctx, c, PM_OP_TICK, (int[]){ state }, NULL);
    *data = pm_alloc(ctx, (size_t)c->size);
    assert_non_null(*data);
    for (int64_t i = 0; i < c->tensor[y].offset / 4; i++) (*data)[i] = (float)sin((double)i) * 0.3f;
    uint32_t *words = (uint32_t *)*data + c->tensor[state].offset / 4;
    words[3] = words[5] = 64, words[4] = 1000;
}

static void chains_run_in_order(void **state)
{
    (void)state;
    pm_ctx *ctx = new_context();
    chain c;
    float *data;
    make_chain(ctx, &c, &data);
    pm_device *ref, *vulkan = open_device(ctx, "PUMICE_VK_DISABLE", NULL), *single = open_device(ctx, "PUMICE_VK_DISABLE", "batching,mapping");
    assert_int_equal(pm_device_open(ctx, &(pm_device_params){ .name = "ref" }, &ref), PM_OK);
    float *want = pm_alloc(ctx, (size_t)c.size), *got = pm_alloc(ctx, (size_t)c.size), *again = pm_alloc(ctx, (size_t)c.size);
    assert_int_equal(chain_run(&c, ref, data, 3, want), PM_OK);
    assert_int_equal(chain_run(&c, vulkan, data, 3, got), PM_OK);
    for (int64_t i = 0; i < c.tensor[7].offset / 4; i++) assert_true(fabsf(got[i] - want[i]) < 1e-4f);
    assert_memory_equal(&got[c.tensor[7].offset / 4], &want[c.tensor[7].offset / 4], 64);
    // Many runs in few submissions and one at a time: the same bits.
    assert_int_equal(chain_run(&c, vulkan, data, 200, got), PM_OK);
    if (chain_run(&c, single, data, 200, again) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
    assert_memory_equal(got, again, (size_t)c.size);
    assert_int_equal(((uint32_t *)got)[c.tensor[7].offset / 4], 200);
    pm_ctx_destroy(&ctx);
}

static void node_times_are_positive(void **state)
{
    (void)state;
    pm_ctx *ctx = new_context();
    chain c;
    float *data;
    make_chain(ctx, &c, &data);
    pm_device *d = open_device(ctx, "PUMICE_VK_DISABLE", NULL), *off = open_device(ctx, "PUMICE_VK_DISABLE", "timestamps");
    double seconds[CHAIN_NODES], starts[CHAIN_NODES], sum = 0;
    pm_buffer *buffer;
    pm_program_impl *program;
    assert_int_equal(chain_prepare(&c, d, data, &buffer, &program), PM_OK);
    assert_false(d->backend->node_seconds(program, seconds, NULL));    // not run yet
    assert_int_equal(d->backend->run(program, 2), PM_OK);
    if (d->backend->node_seconds(program, seconds, starts)) {    // a driver may have no clock
        for (int i = 0; i < c.nodes; i++) {
            assert_true(seconds[i] >= 0 && seconds[i] < 10);
            assert_true(starts[i] >= (i ? starts[i - 1] + seconds[i - 1] * 0.999 : 0));
            sum += seconds[i];
        }
        assert_true(sum > 0);
    }
    assert_int_equal(chain_prepare(&c, off, data, &buffer, &program), PM_OK);
    assert_int_equal(off->backend->run(program, 1), PM_OK);
    assert_false(off->backend->node_seconds(program, seconds, NULL));
    pm_ctx_destroy(&ctx);    // with programs and buffers alive
}

// ---- what a replay does besides computing ----------------------------------------------------------------------------

static void a_replay_only_submits(void **state)
{
    (void)state;
    pm_ctx *ctx = new_context();
    chain c;
    float *data;
    make_chain(ctx, &c, &data);
    pm_device *d = open_device(ctx, "PUMICE_VK_DISABLE", NULL);
    const pm_vk_device *v = (pm_vk_device *)d;
    pm_buffer *buffer;
    pm_program_impl *program;
    assert_int_equal(chain_prepare(&c, d, data, &buffer, &program), PM_OK);
    const pm_vk_device before = *v;
    assert_true(before.updates > 0 && before.transfers > 0 && before.barriers > 0);
    for (int i = 0; i < 100; i++) assert_int_equal(d->backend->run(program, 1), PM_OK);
    assert_int_equal(d->backend->wait(d), PM_OK);
    assert_int_equal(v->submissions, before.submissions + 100);
    assert_int_equal(v->allocations, before.allocations);
    assert_int_equal(v->updates, before.updates);
    assert_int_equal(v->transfers, before.transfers);
    assert_int_equal(v->barriers, before.barriers);
    assert_int_equal(v->pipeline_count, before.pipeline_count);
    assert_int_equal(d->backend->run(program, 100), PM_OK);    // many steps a submission
    assert_true(v->submissions < before.submissions + 200);
    pm_ctx_destroy(&ctx);
}

// Of two chains side by side, each link needs the one before it alone: a barrier a pair.
static void independent_ops_overlap(void **state)
{
    (void)state;
    enum { LINKS = 5 };
    pm_ctx *ctx = new_context();
    chain c = { 0 };
    int a = chain_tensor(&c, PM_F32, 30, 30), b = chain_tensor(&c, PM_F32, 30, 30);
    for (int i = 0; i < LINKS; i++) {
        const int next_a = chain_tensor(&c, PM_F32, 30, 30), next_b = chain_tensor(&c, PM_F32, 30, 30);
        chain_op(ctx, &c, PM_OP_TANH, (int[]){ a, next_a }, NULL);
        chain_op(ctx, &c, PM_OP_SIGMOID, (int[]){ b, next_b }, NULL);
        a = next_a;
        b = next_b;
    }
    pm_device *d = open_device(ctx, "PUMICE_VK_DISABLE", NULL);
    const int64_t before = ((pm_vk_device *)d)->barriers;
    pm_buffer *buffer;
    pm_program_impl *program;
    void *data = pm_alloc(ctx, (size_t)c.size);
    assert_int_equal(chain_prepare(&c, d, data, &buffer, &program), PM_OK);
    assert_int_equal(((pm_vk_device *)d)->barriers - before, LINKS - 1);
    pm_ctx_destroy(&ctx);
}

// ---- windows -------------------------------------------------------------------------------------------------------

// The same bits on a device like the smallest, and on one that is smaller still.
static void compare_limits(const char *limits)
{
    static const pm_op ops[] = { PM_OP_MATMUL, PM_OP_COL_SUM, PM_OP_CSR_ROWS_TAKE, PM_OP_SPMM, PM_OP_CSR_COL_COUNT, PM_OP_GATHER_ROWS,
                                 PM_OP_ADD, PM_OP_SOFTMAX, PM_OP_TOP_K, PM_OP_ADAM, PM_OP_LOSS_MULTINOMIAL, PM_OP_MASK_ROWS, PM_OP_PUT_ROWS };
    pm_ctx *ctx = new_context();
    pm_device *whole = open_device(ctx, "PUMICE_VK_LIMITS", "min"), *cut = open_device(ctx, "PUMICE_VK_LIMITS", limits);
    for (int i = 0; i < PM_COUNT(ops); i++) {
        pm_proof proof;
        const pm_proof_params params = { .seed = 5, .limit = 5e4, .cases = 20 };
        if (pm_proof_repeat(whole, cut, ops[i], &params, &proof) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
        if (proof.verdict != PM_VERDICT_PASS) fail_msg("%s: %s", pm_op_name(ops[i]), proof.where);
        if (proof.cases <= proof.unsupported) fail_msg("%s: no case fits", pm_op_name(ops[i]));
    }
    pm_ctx_destroy(&ctx);
}

// Visiting operands in windows and rows in pieces leaves every bit as it is.
static void windows_leave_the_bits(void **state)
{
    (void)state;
    compare_limits("min,range=16K");
}

// So does cutting ops and programs into submissions of 20 microseconds.
static void short_submissions_leave_the_bits(void **state)
{
    (void)state;
    compare_limits("min,time=20");
    pm_ctx *ctx = new_context();
    chain c;
    float *data;
    make_chain(ctx, &c, &data);
    pm_device *whole = open_device(ctx, "PUMICE_VK_LIMITS", "min"), *cut = open_device(ctx, "PUMICE_VK_LIMITS", "min,time=20");
    float *want = pm_alloc(ctx, (size_t)c.size), *got = pm_alloc(ctx, (size_t)c.size);
    assert_int_equal(chain_run(&c, whole, data, 20, want), PM_OK);
    if (chain_run(&c, cut, data, 20, got) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
    assert_memory_equal(want, got, (size_t)c.size);
    pm_ctx_destroy(&ctx);
}

// An operand that cannot be visited in parts is refused with its name and the limit.
static void what_cannot_be_cut_is_refused(void **state)
{
    (void)state;
    pm_ctx *ctx = new_context();
    pm_device *d = open_device(ctx, "PUMICE_VK_LIMITS", "min,range=16K");
    chain c = { 0 };
    const int x = chain_tensor(&c, PM_F32, 4, 8000), y = chain_tensor(&c, PM_F32, 4, 8000);
    chain_op(ctx, &c, PM_OP_SIGMOID, (int[]){ x, y }, NULL);
    void *data = pm_alloc(ctx, (size_t)c.size);
    pm_buffer *buffer;
    pm_program_impl *program;
    assert_int_equal(chain_prepare(&c, d, data, &buffer, &program), PM_ERR_UNSUPPORTED);
    assert_null(program);
    assert_non_null(strstr(pm_ctx_message(ctx), "sigmoid: operand x [4, 8000]"));
    assert_non_null(strstr(pm_ctx_message(ctx), "maxStorageBufferRange = 16384"));
    pm_ctx_destroy(&ctx);
}

// ---- variants ------------------------------------------------------------------------------------------------------

static void every_matmul_gives_the_same_bits(void **state)
{
    (void)state;
    pm_ctx *ctx = new_context();
    pm_device *tile = open_device(ctx, "PUMICE_VK_MATMUL", "tile"), *block = open_device(ctx, "PUMICE_VK_MATMUL", "block"),
              *plain = open_device(ctx, "PUMICE_VK_MATMUL", "plain");
    pm_device *const others[] = { block, plain };
    for (int i = 0; i < PM_COUNT(others); i++) {
        pm_proof proof;
        assert_int_equal(pm_proof_repeat(tile, others[i], PM_OP_MATMUL, &(pm_proof_params){ .seed = 3, .limit = 2e5, .cases = 48 }, &proof), PM_OK);
        if (proof.verdict != PM_VERDICT_PASS) fail_msg("%s", proof.where);
    }
    assert_non_null(strstr(pm_device_profile(tile), "matmul tile"));
    pm_ctx_destroy(&ctx);
}

// ---- the cache on disk ---------------------------------------------------------------------------------------------

static char *find_cache(pm_ctx *ctx, const char *folder)
{
    char *command = pm_sprintf(ctx, "ls %s/pumice/vulkan-*.bin 2>/dev/null", folder), line[512] = "";
    FILE *f = popen(command, "r");
    if (!fgets(line, sizeof line, f)) line[0] = 0;
    pclose(f);
    line[strcspn(line, "\n")] = 0;
    return line[0] ? pm_strdup(ctx, line) : NULL;
}

static void open_run_close(pm_ctx *ctx)
{
    chain c;
    float *data;
    make_chain(ctx, &c, &data);
    pm_device *d = open_device(ctx, "PUMICE_VK_LIMITS", NULL);
    if (chain_run(&c, d, data, 1, data) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
    pm_device_close(&d);
}

static void write_text(const char *path, const char *mode, const char *text)
{
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void the_cache_is_disposable(void **state)
{
    (void)state;
    char folder[] = "/tmp/pumice-cache-XXXXXX";
    assert_non_null(mkdtemp(folder));
    pm_ctx *ctx = new_context();
    char *kept = getenv("XDG_CACHE_HOME") ? strdup(getenv("XDG_CACHE_HOME")) : NULL;
    setenv("XDG_CACHE_HOME", folder, 1);
    setenv("PUMICE_CACHE", "off", 1);
    open_run_close(ctx);
    assert_null(find_cache(ctx, folder));
    unsetenv("PUMICE_CACHE");
    open_run_close(ctx);
    char *path = find_cache(ctx, folder);
    assert_non_null(path);
    open_run_close(ctx);    // from the cache
    write_text(path, "r+b", "damaged beyond recognition");
    open_run_close(ctx);
    write_text(path, "wb", "PMVKC001");    // truncated inside the header
    open_run_close(ctx);
    assert_int_equal(unlink(path), 0);
    open_run_close(ctx);
    assert_non_null(find_cache(ctx, folder));
    char *pumice = pm_sprintf(ctx, "%s/pumice", folder);    // a folder that cannot be written costs nothing but time
    char *clear = pm_sprintf(ctx, "rm -rf %s", pumice);
    assert_int_equal(system(clear), 0);
    write_text(pumice, "wb", "in the way");
    open_run_close(ctx);
    unlink(pumice);
    rmdir(folder);
    set_switch("XDG_CACHE_HOME", kept);
    free(kept);
    pm_ctx_destroy(&ctx);
}

int main(void)
{
    const int absent = without_device();
    if (absent) return absent;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_holds_what_it_is_given),
        cmocka_unit_test(chains_run_in_order),
        cmocka_unit_test(node_times_are_positive),
        cmocka_unit_test(a_replay_only_submits),
        cmocka_unit_test(independent_ops_overlap),
        cmocka_unit_test(windows_leave_the_bits),
        cmocka_unit_test(short_submissions_leave_the_bits),
        cmocka_unit_test(what_cannot_be_cut_is_refused),
        cmocka_unit_test(every_matmul_gives_the_same_bits),
        cmocka_unit_test(the_cache_is_disposable),
    };
    return cmocka_run_group_tests_name("vulkan", tests, NULL, NULL);
}
