// Products on Vulkan: whichever kernel and configuration computes them, the same bits; split ones too. Runs on whatever driver
// VK_ICD_FILENAMES names; exit code 77 without one.
#include "vulkan_help.h"

#include <math.h>

#include "backend/vulkan/vk.h"

// All four transpositions of one shape, with rows that begin at whole vectors and with rows that do not.
typedef struct products {
    chain    c;
    uint32_t *data, *result;
} products;

static int matrix(chain *c, int64_t rows, int64_t cols, bool odd)
{
    const int i = chain_tensor(c, PM_F32, rows, cols + 8);    // room for the padding
    pm_operand *t = &c->tensor[i];
    t->cols = cols;
    t->stride = odd ? cols + 1 + cols % 2 : (cols + 3) / 4 * 4;
    t->offset += odd ? 12 : 0;
    return i;
}

static void make_products(pm_ctx *ctx, int64_t m, int64_t n, int64_t k, products *out)
{
    chain *c = &out->c;
    memset(out, 0, sizeof *out);
    for (int odd = 0; odd < 2; odd++) {
        const int a[] = { matrix(c, m, k, odd), matrix(c, k, m, odd) }, b[] = { matrix(c, k, n, odd), matrix(c, n, k, odd) };
        for (int t = 0; t < 4; t++) {
            const pm_arg flags[PM_MAX_PARAMS] = { { .flag = t & 1 }, { .flag = t >> 1 } };
            chain_op(ctx, c, PM_OP_MATMUL, (int[]){ a[t & 1], b[t >> 1], matrix(c, m, n, odd) }, flags);
        }
    }
    out->data = pm_alloc(ctx, (size_t)c->size);
    out->result = pm_alloc(ctx, (size_t)c->size);
    for (int64_t i = 0; i < c->size / 4; i++) ((float *)out->data)[i] = sinf((float)i * 1.7f);
}

static void set_switches(const char *matmul, const char *split, const char *limits)
{
    set_switch("PUMICE_VK_MATMUL", matmul);
    set_switch("PUMICE_VK_SPLIT", split);
    set_switch("PUMICE_VK_LIMITS", limits);
}

static pm_device *open_matmul(pm_ctx *ctx, const char *matmul, const char *split, const char *limits)
{
    pm_device *d;
    set_switches(matmul, split, limits);
    const pm_status st = pm_device_open(ctx, &(pm_device_params){ .name = "vulkan" }, &d);
    if (st != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
    set_switches(NULL, NULL, NULL);
    return d;
}

// Odd ones, less than a tile, several tiles and steps with a rest, nothing.
static const int64_t shapes[][3] = { { 130, 69, 45 }, { 1, 300, 33 }, { 257, 2, 70 }, { 7, 5, 3 }, { 64, 64, 64 }, { 31, 140, 1 }, { 5, 6, 0 } };

static void run_products(pm_ctx *ctx, pm_device *d, products *p)
{
    if (chain_run(&p->c, d, p->data, 1, p->result) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
}

static void compare_kernels(const char *split, const char *limits)
{
    pm_ctx *ctx = new_context();
    products want[PM_COUNT(shapes)], got;
    pm_device *plain = open_matmul(ctx, "plain", split, NULL);
    const pm_vk_device *facts = (const pm_vk_device *)plain;
    int compared = 0;
    for (int s = 0; s < PM_COUNT(shapes); s++) {
        make_products(ctx, shapes[s][0], shapes[s][1], shapes[s][2], &want[s]);
        run_products(ctx, plain, &want[s]);
    }
    for (int t = -1; t < PM_VK_TILES; t++) {
        char name[16] = "block";
        if (t >= 0) snprintf(name, sizeof name, "tile:%d", t + 1);
        if (t >= 0 && (!pm_vk_tile_fits(facts, &pm_vk_tiles[t]) || (limits && pm_vk_tile_shared(&pm_vk_tiles[t]) > 12000))) continue;
        pm_device *d = open_matmul(ctx, name, split, limits);
        for (int s = 0; s < PM_COUNT(shapes); s++) {
            got = want[s];
            got.result = pm_alloc(ctx, (size_t)got.c.size);
            run_products(ctx, d, &got);
            for (int64_t i = 0; i < got.c.size / 4; i++)
                if (got.result[i] != want[s].result[i])
                    fail_msg("%s, %d x %d x %d: word %d is %x, plain gives %x", name, (int)shapes[s][0], (int)shapes[s][1], (int)shapes[s][2],
                             (int)i, got.result[i], want[s].result[i]);
            pm_free(got.result);
        }
        compared++;
        pm_device_close(&d);
    }
    assert_true(compared >= 3);
    pm_ctx_destroy(&ctx);
}

static void every_configuration_gives_the_same_bits(void **state)
{
    (void)state;
    compare_kernels("off", NULL);
}

static void so_does_every_one_of_a_split_product(void **state)
{
    (void)state;
    compare_kernels("16", NULL);
}

// Bindings of 16 KiB: windows over K, pieces of rows and columns, of whole and of split products.
static void so_do_pieces(void **state)
{
    (void)state;
    compare_kernels("off", "min,range=16K");
    compare_kernels("16", "min,range=16K");
}

// Whole vectors, threads and halves: what the kernel takes for granted of a configuration.
static void configurations_are_sound(void **state)
{
    (void)state;
    int smallest = 0;
    for (int i = 0; i < PM_VK_TILES; i++) {
        const pm_vk_tile *t = &pm_vk_tiles[i];
        const uint32_t n = pm_vk_tile_invocations(t), lanes_x = t->bn / t->tn, lanes_y = t->bm / t->tm;
        assert_true(t->tm % 4 == 0 && t->tn % 4 == 0 && t->bk % 4 == 0);
        assert_true(lanes_x % 8 == 0 && lanes_y % 4 == 0 && lanes_x * t->tn == t->bn && lanes_y * t->tm == t->bm);
        assert_int_equal(t->bm * t->bk / 4 % n, 0);
        assert_int_equal(t->bn * t->bk / 4 % n, 0);
        assert_true(lanes_y * t->bn * 4 <= pm_vk_tile_shared(t));    // sums on their way out
        assert_true(n == 64 || n == 128 || n == 256);
        smallest += n <= 128 && pm_vk_tile_shared(t) <= 16384;
    }
    assert_true(smallest >= 3);    // the smallest device has a choice
}

// A split product is the ascending sum of its parts, each a product of its own; its scratch is counted, and given back.
static void a_split_product_is_the_sum_of_its_parts(void **state)
{
    (void)state;
    enum { M = 9, N = 70, K = 2000, PARTS = 3, PART = 672 };
    pm_ctx *ctx = new_context();
    pm_device *split = open_matmul(ctx, "tile:10", "on", NULL), *whole = open_matmul(ctx, "tile:10", "off", NULL);
    assert_int_equal(pm_vk_part((pm_vk_device *)split, M, N, K), PART);
    assert_int_equal(pm_vk_part((pm_vk_device *)whole, M, N, K), K);
    chain c = { 0 };
    const int a = chain_tensor(&c, PM_F32, M, K), b = chain_tensor(&c, PM_F32, K, N), y = chain_tensor(&c, PM_F32, M, N);
    chain parts = c;
    chain_op(ctx, &c, PM_OP_MATMUL, (int[]){ a, b, y }, NULL);
    chain_op(ctx, &c, PM_OP_MATMUL, (int[]){ a, b, y }, NULL);    // once more, over the same scratch
    int part[PARTS];
    for (int i = 0; i < PARTS; i++) {
        const int64_t from = i * PART, length = PM_MIN(PART, K - from);
        pm_operand *pa = &parts.tensor[parts.tensors++], *pb = &parts.tensor[parts.tensors++];
        *pa = parts.tensor[a];
        *pb = parts.tensor[b];
        pa->offset += from * 4;
        pa->cols = length;
        pb->offset += from * N * 4;
        pb->rows = length;
        part[i] = chain_tensor(&parts, PM_F32, M, N);
        chain_op(ctx, &parts, PM_OP_MATMUL, (int[]){ (int)(pa - parts.tensor), (int)(pb - parts.tensor), part[i] }, NULL);
    }
    float *data = pm_alloc(ctx, (size_t)parts.size), *got = pm_alloc(ctx, (size_t)parts.size), *plain = pm_alloc(ctx, (size_t)c.size),
          *sums = pm_alloc(ctx, (size_t)parts.size);
    for (int64_t i = 0; i < parts.tensor[y].offset / 4; i++) data[i] = sinf((float)i * 1.7f);
    uint64_t before, now, peak;
    pm_device_memory(split, &before, &peak);
    pm_buffer *buffer;
    pm_program_impl *program;
    assert_int_equal(chain_prepare(&c, split, data, &buffer, &program), PM_OK);
    pm_device_memory(split, &now, &peak);
    assert_int_equal(now - before, c.size + PARTS * M * N * 4);
    assert_int_equal(split->backend->run(program, 2), PM_OK);
    assert_int_equal(split->backend->download(buffer, 0, got, c.size), PM_OK);
    split->backend->program_destroy(program);
    split->backend->buffer_destroy(buffer);
    pm_device_memory(split, &now, &peak);
    assert_int_equal(now, before);
    assert_int_equal(chain_run(&c, whole, data, 1, plain), PM_OK);
    assert_int_equal(chain_run(&parts, whole, data, 1, sums), PM_OK);
    int differ = 0;
    for (int i = 0; i < M * N; i++) {
        float sum = sums[parts.tensor[part[0]].offset / 4 + i];
        for (int k = 1; k < PARTS; k++) sum += sums[parts.tensor[part[k]].offset / 4 + i];
        const float one = got[c.tensor[y].offset / 4 + i], other = plain[c.tensor[y].offset / 4 + i];
        assert_memory_equal(&one, &sum, 4);
        assert_true(fabsf(one - other) < 1e-2f);
        differ += one != other;
    }
    assert_true(differ > 0);    // else nothing was split
    pm_ctx_destroy(&ctx);
}

// A submission holds no more than it may, whatever its ops are.
static void submissions_are_bounded(void **state)
{
    (void)state;
    pm_ctx *ctx = new_context();
    pm_device *d = open_matmul(ctx, NULL, NULL, "time=2000");
    chain c = { 0 };
    const int x = chain_tensor(&c, PM_F32, 1000, 1000), y = chain_tensor(&c, PM_F32, 1000, 1000);
    for (int i = 0; i < CHAIN_NODES; i++) chain_op(ctx, &c, PM_OP_ADD, (int[]){ x, y, y }, NULL);
    void *data = pm_alloc(ctx, (size_t)c.size);
    const int64_t before = ((pm_vk_device *)d)->submissions;
    const double seconds = CHAIN_NODES * 12e6 / ((pm_vk_device *)d)->bandwidth;    // as the device guesses
    assert_int_equal(chain_run(&c, d, data, 1, data), PM_OK);
    assert_true((double)(((pm_vk_device *)d)->submissions - before) >= seconds / 2000e-6);
    pm_ctx_destroy(&ctx);
}

// A number that a product of plain code can hold, in bounded time and with all memory given back.
static void the_peak_is_above_what_products_reach(void **state)
{
    (void)state;
    enum { SIZE = 256 };
    pm_ctx *ctx = new_context();
    pm_device *d = open_matmul(ctx, NULL, NULL, NULL);
    uint64_t before, now, peak;
    pm_device_memory(d, &before, &peak);
    double flops, seconds[1];
    const double start = pm_clock();
    if (d->backend->peak_flops(d, &flops) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
    assert_true(pm_clock() - start < 20);    // a second where nothing watches
    pm_device_memory(d, &now, &peak);
    assert_int_equal(now, before);
    chain c = { 0 };
    const int a = chain_tensor(&c, PM_F32, SIZE, SIZE), b = chain_tensor(&c, PM_F32, SIZE, SIZE), y = chain_tensor(&c, PM_F32, SIZE, SIZE);
    chain_op(ctx, &c, PM_OP_MATMUL, (int[]){ a, b, y }, NULL);
    void *data = pm_alloc(ctx, (size_t)c.size);
    pm_buffer *buffer;
    pm_program_impl *program;
    assert_int_equal(chain_prepare(&c, d, data, &buffer, &program), PM_OK);
    assert_int_equal(d->backend->run(program, 1), PM_OK);
    if (d->backend->node_seconds(program, seconds, NULL) && seconds[0] > 0) assert_true(flops > 2.0 * SIZE * SIZE * SIZE / seconds[0]);
    assert_true(flops > 1e7 && flops < 1e15);
    pm_ctx_destroy(&ctx);
}

// ---- the search for a tile -----------------------------------------------------------------------------------------

static pm_device *open_tuned(pm_ctx *ctx, const char *tune)
{
    set_switch("PUMICE_TUNE", tune);
    pm_device *d = open_matmul(ctx, "tile", "off", "min");    // four configurations
    set_switch("PUMICE_TUNE", NULL);
    return d;
}

// A driver that compiles a tile for seconds and keeps nothing is not asked to do so a dozen times.
static void skip_slow_compilers(void)
{
    const char *drivers = getenv("VK_ICD_FILENAMES");
    if (drivers && strstr(drivers, "swiftshader")) skip();
}

static char *find_file(pm_ctx *ctx, const char *folder)
{
    char *command = pm_sprintf(ctx, "ls %s/pumice/tiles-*.bin 2>/dev/null", folder), line[512] = "";
    FILE *f = popen(command, "r");
    if (!fgets(line, sizeof line, f)) line[0] = 0;
    pclose(f);
    line[strcspn(line, "\n")] = 0;
    return line[0] ? pm_strdup(ctx, line) : NULL;
}

// Runs the products and says how many searches the device knows of; before, how many it knew at opening.
static int search_products(pm_ctx *ctx, const char *tune, const products *want, int *before)
{
    products got = *want;
    pm_device *d = open_tuned(ctx, tune);
    const pm_vk_device *facts = (const pm_vk_device *)d;
    uint64_t memory, after, peak;
    *before = facts->tuned_count;
    got.result = pm_alloc(ctx, (size_t)got.c.size);
    pm_device_memory(d, &memory, &peak);
    run_products(ctx, d, &got);
    pm_device_memory(d, &after, &peak);
    assert_int_equal(memory, after);
    assert_memory_equal(got.result, want->result, (size_t)got.c.size);
    const int known = facts->tuned_count;
    pm_device_close(&d);
    return known;
}

// Eight products that differ in how their operands lie are eight searches, kept on disk, and none changes a bit.
static void a_search_is_kept_and_disposable(void **state)
{
    (void)state;
    skip_slow_compilers();
    char folder[] = "/tmp/pumice-tiles-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *kept = getenv("XDG_CACHE_HOME") ? strdup(getenv("XDG_CACHE_HOME")) : NULL;
    setenv("XDG_CACHE_HOME", folder, 1);
    pm_ctx *ctx = new_context();
    products p;
    int before;
    make_products(ctx, 130, 69, 45, &p);
    run_products(ctx, open_matmul(ctx, "plain", "off", NULL), &p);
    assert_int_equal(search_products(ctx, "off", &p, &before), 0);
    assert_int_equal(search_products(ctx, NULL, &p, &before), 0);    // a software driver
    assert_null(find_file(ctx, folder));
    assert_int_equal(search_products(ctx, "on", &p, &before), 8);
    assert_int_equal(before, 0);
    char *path = find_file(ctx, folder);
    assert_non_null(path);
    assert_int_equal(search_products(ctx, "on", &p, &before), 8);
    assert_int_equal(before, 8);
    for (int damage = 0; damage < 3; damage++) {    // inside a search, inside the header, nothing left
        FILE *f = fopen(path, damage == 0 ? "r+b" : "wb");
        assert_non_null(f);
        if (damage == 0) fseek(f, 70, SEEK_SET);
        if (damage < 2) fputs("damaged", f);
        fclose(f);
        assert_int_equal(search_products(ctx, "on", &p, &before), 8);
        assert_int_equal(before, 0);
    }
    set_switch("PUMICE_CACHE", "off");
    assert_int_equal(search_products(ctx, "on", &p, &before), 8);
    assert_int_equal(before, 0);
    set_switch("PUMICE_CACHE", NULL);
    pm_free(p.data);
    pm_ctx_destroy(&ctx);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    set_switch("XDG_CACHE_HOME", kept);
    free(kept);
}

// A tile that is fastest but gives other bits is never taken.
static void wrong_bits_are_not_taken(void **state)
{
    (void)state;
    skip_slow_compilers();
    pm_ctx *ctx = new_context();
    products p;
    make_products(ctx, 130, 69, 45, &p);
    run_products(ctx, open_matmul(ctx, "plain", "off", NULL), &p);
    set_switch("PUMICE_CACHE", "off");
    for (int wrong = 9; wrong <= PM_VK_TILES; wrong++) {
        char fault[32];
        int before;
        snprintf(fault, sizeof fault, "tile:%d", wrong);
        set_switch("PUMICE_VK_FAULT", fault);
        pm_device *d = open_tuned(ctx, "on");
        set_switch("PUMICE_VK_FAULT", NULL);
        const pm_vk_device *facts = (const pm_vk_device *)d;
        products got = p;
        got.result = pm_alloc(ctx, (size_t)got.c.size);
        run_products(ctx, d, &got);
        assert_memory_equal(got.result, p.result, (size_t)p.c.size);
        const int usual = pm_vk_tile_default(facts, 130, 69, 1);
        assert_int_equal(facts->tuned_count, 8);
        for (before = 0; before < facts->tuned_count && usual != wrong - 1; before++)
            assert_int_not_equal(facts->tuned[before].tile, wrong - 1);
        pm_device_close(&d);
    }
    set_switch("PUMICE_CACHE", NULL);
    pm_ctx_destroy(&ctx);
}

static void switches_are_checked(void **state)
{
    (void)state;
    pm_ctx *ctx = new_context();
    static const char *const bad[][2] = { { "PUMICE_VK_MATMUL", "tile:0" }, { "PUMICE_VK_MATMUL", "tile:99" }, { "PUMICE_VK_SPLIT", "maybe" },
                                          { "PUMICE_TUNE", "often" } };
    for (int i = 0; i < PM_COUNT(bad); i++) {
        pm_device *d;
        assert_int_equal(open_with(ctx, bad[i][0], bad[i][1], &d), PM_ERR_ARG);
        assert_non_null(strstr(pm_ctx_message(ctx), bad[i][1]));
    }
    pm_device *d;
    set_switches("tile:1", NULL, "min");
    assert_int_equal(pm_device_open(ctx, &(pm_device_params){ .name = "vulkan" }, &d), PM_ERR_UNSUPPORTED);
    set_switches(NULL, NULL, NULL);
    assert_non_null(strstr(pm_ctx_message(ctx), "wants 256 invocations and 33792 bytes"));
    pm_ctx_destroy(&ctx);
}

int main(void)
{
    const int absent = without_device();
    if (absent) return absent;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_are_sound),
        cmocka_unit_test(every_configuration_gives_the_same_bits),
        cmocka_unit_test(so_does_every_one_of_a_split_product),
        cmocka_unit_test(so_do_pieces),
        cmocka_unit_test(a_split_product_is_the_sum_of_its_parts),
        cmocka_unit_test(submissions_are_bounded),
        cmocka_unit_test(the_peak_is_above_what_products_reach),
        cmocka_unit_test(a_search_is_kept_and_disposable),
        cmocka_unit_test(wrong_bits_are_not_taken),
        cmocka_unit_test(switches_are_checked),
    };
    return cmocka_run_group_tests_name("vulkan_matmul", tests, NULL, NULL);
}
