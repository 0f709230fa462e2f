// Row kernels of the Vulkan backend on rows longer than the op suites have: several stretches of marks, lists that run full, every
// variant of loads and folds. The reference decides.
#include "vulkan_help.h"

#include <math.h>

#include <pumice/state.h>

#include "core/philox.h"

enum { ROWS = 4, ENTRIES = 900 };

static pm_ctx    *ctx;
static pm_device *ref;
static int64_t    longest = 70000;    // columns of a row; it must fit a binding whole

static float noise(uint32_t i)
{
    return (float)(pm_philox(1, i, 2, 3, 4).v[0] >> 8) / 8388608.0f - 1.0f;
}

static void run_on(pm_device *d, const chain *c, const void *data, void *result)
{
    if (chain_run(c, d, data, 1, result) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
}

// ---- top_k ---------------------------------------------------------------------------------------------------------

typedef float filler(uint32_t row, uint32_t col);

static float random_scores(uint32_t row, uint32_t col)
{
    return noise(row * 100003 + col);
}

static float ascending(uint32_t row, uint32_t col)    // the list runs full again and again
{
    return (float)col + (float)row;
}

static float descending(uint32_t row, uint32_t col)
{
    return -(float)col * (float)(row + 1);
}

static float tied(uint32_t row, uint32_t col)
{
    return row == 0 ? 1.0f : floorf(3 * noise(row * 7919 + col));
}

static float masked(uint32_t row, uint32_t col)    // from none to nearly all; -0 and 0 tie
{
    return noise(row + 8 * col) < 0.6f * (float)row - 1 ? PM_MASKED : col % 3 ? -0.0f : 0.0f;
}

static float broken(uint32_t row, uint32_t col)
{
    return row % 2 && col == 901 * row ? (row > 2 ? NAN : -INFINITY) : noise(col);
}

static void check_top_k(pm_device *d, filler *fill, int64_t cols, int64_t k)
{
    chain c = { 0 };
    const int z = chain_tensor(&c, PM_F32, ROWS, cols), id = chain_tensor(&c, PM_U32, ROWS, k), score = chain_tensor(&c, PM_F32, ROWS, k);
    chain_op(ctx, &c, PM_OP_TOP_K, (int[]){ z, id, score }, (pm_arg[]){ { .dim = k } });
    float *data = pm_alloc(ctx, (size_t)c.size);
    uint32_t *want = pm_alloc(ctx, (size_t)c.size), *got = pm_alloc(ctx, (size_t)c.size);
    for (uint32_t i = 0; i < ROWS; i++)
        for (uint32_t j = 0; j < cols; j++) data[i * cols + j] = fill(i, j);
    run_on(ref, &c, data, want);
    run_on(d, &c, data, got);
    const int64_t from = c.tensor[id].offset / 4;
    for (int64_t i = 0; i < ROWS * k; i++)
        if (want[from + i] != got[from + i])
            fail_msg("top %d of %d: place %d of row %d holds %u, not %u", (int)k, (int)cols, (int)(i % k), (int)(i / k), got[from + i], want[from + i]);
    const int64_t scores = c.tensor[score].offset / 4;
    for (int64_t i = 0; i < ROWS * k; i++) assert_true(((float *)want)[scores + i] == ((float *)got)[scores + i]);
    pm_free(data);
    pm_free(want);
    pm_free(got);
}

static void top_k_is_exact_on(pm_device *d)
{
    static filler *const fills[] = { random_scores, ascending, descending, tied, masked, broken };
    static const int64_t shapes[][2] = { { 6000, 100 }, { 5001, 1 }, { 4100, 512 }, { 4103, 1500 }, { 2051, 130 }, { 1024, 100 } };
    for (int f = 0; f < PM_COUNT(fills); f++)
        for (int s = 0; s < PM_COUNT(shapes); s++) check_top_k(d, fills[f], shapes[s][0], shapes[s][1]);
    check_top_k(d, random_scores, longest, 100);
}

// ---- beside a sparse row -------------------------------------------------------------------------------------------

typedef struct sparse {
    chain c;
    int   ptr, col, val, z, rw, loss, dz;
    char *data, *want, *got;
} sparse;

// Rows with no entry, with many, and one that is dead and full of NaN.
static void make_sparse(sparse *s, int64_t items, bool together)
{
    memset(s, 0, sizeof *s);
    s->ptr = chain_tensor(&s->c, PM_U32, 1, ROWS + 1);
    s->col = chain_tensor(&s->c, PM_U32, 1, ENTRIES);
    s->val = chain_tensor(&s->c, PM_F32, 1, ENTRIES);
    s->z = chain_tensor(&s->c, PM_F32, ROWS, items);
    s->rw = chain_tensor(&s->c, PM_F32, ROWS, 1);
    s->loss = chain_tensor(&s->c, PM_F32, ROWS, 1);
    s->dz = together ? s->z : chain_tensor(&s->c, PM_F32, ROWS, items);
    s->data = pm_alloc(ctx, (size_t)s->c.size);
    s->want = pm_alloc(ctx, (size_t)s->c.size);
    s->got = pm_alloc(ctx, (size_t)s->c.size);
    uint32_t *ptr = (uint32_t *)(s->data + s->c.tensor[s->ptr].offset), *col = (uint32_t *)(s->data + s->c.tensor[s->col].offset);
    float *val = (float *)(s->data + s->c.tensor[s->val].offset), *z = (float *)(s->data + s->c.tensor[s->z].offset),
          *rw = (float *)(s->data + s->c.tensor[s->rw].offset);
    static const uint32_t ends[ROWS] = { 0, 400, 500, ENTRIES };
    for (int b = 0; b < ROWS; b++) {
        const uint32_t from = ptr[b], to = ptr[b + 1] = ends[b];
        for (uint32_t e = from; e < to; e++) {
            col[e] = (uint32_t)((e - from + 1) * items / (to - from)) - 1;
            val[e] = (float)(e % 3);
        }
        rw[b] = b == 2 ? 0 : 0.5f + (float)b;
        for (int64_t i = 0; i < items; i++) z[b * items + i] = b == 2 ? NAN : b == 3 ? (float)i * 0.01f : 3 * noise((uint32_t)(b * items + i));
    }
}

static void free_sparse(sparse *s)
{
    pm_free(s->data);
    pm_free(s->want);
    pm_free(s->got);
}

static void compare_floats(const sparse *s, int tensor, double relative, const char *what)
{
    const pm_operand *o = &s->c.tensor[tensor];
    const float *want = (float *)(s->want + o->offset), *got = (float *)(s->got + o->offset);
    double largest = 0;
    for (int64_t i = 0; i < o->rows * o->cols; i++) largest = fmax(largest, fabs(want[i]));
    for (int64_t i = 0; i < o->rows * o->cols; i++)
        if (!(fabs((double)got[i] - want[i]) <= relative * largest))
            fail_msg("%s[%d, %d] is %.9g, not %.9g", what, (int)(i / o->cols), (int)(i % o->cols), (double)got[i], (double)want[i]);
}

static void check_loss(pm_device *d, pm_op op, int64_t items, bool together)
{
    sparse s;
    make_sparse(&s, items, together);
    chain_op(ctx, &s.c, op, (int[]){ s.ptr, s.col, s.val, s.z, s.rw, s.loss, s.dz }, (pm_arg[]){ { .number = 2 }, { .number = 0.5f } });
    run_on(ref, &s.c, s.data, s.want);
    run_on(d, &s.c, s.data, s.got);
    compare_floats(&s, s.loss, 1e-5, pm_op_name(op));
    compare_floats(&s, s.dz, 1e-5, pm_op_name(op));
    free_sparse(&s);
}

static void check_mask(pm_device *d, int64_t items, bool together)
{
    sparse s;
    make_sparse(&s, items, together);
    chain_op(ctx, &s.c, PM_OP_MASK_ROWS, (int[]){ s.ptr, s.col, s.z, s.dz }, NULL);
    run_on(ref, &s.c, s.data, s.want);
    run_on(d, &s.c, s.data, s.got);
    assert_memory_equal(s.want, s.got, (size_t)s.c.size);
    free_sparse(&s);
}

static void sparse_rows_are_right_on(pm_device *d)
{
    static const pm_op losses[] = { PM_OP_LOSS_MULTINOMIAL, PM_OP_LOSS_GAUSSIAN, PM_OP_LOSS_LOGISTIC };
    for (int together = 0; together < 2; together++)
        for (int64_t items = longest - 1; items <= longest; items++) {
            for (int i = 0; i < PM_COUNT(losses); i++) check_loss(d, losses[i], items, together);
            check_mask(d, items, together);
        }
}

// ---- every variant -------------------------------------------------------------------------------------------------

static void on_each(void (*check)(pm_device *))
{
    static const char *const disabled[] = { NULL, "subgroup", "vectors", "subgroup,vectors" };
    for (int i = 0; i < PM_COUNT(disabled); i++) {
        pm_device *d = open_device(ctx, "PUMICE_VK_DISABLE", disabled[i]);
        check(d);
        pm_device_close(&d);
    }
    static const char *const limits[] = { "min", "gpu" };
    for (int i = 0; i < PM_COUNT(limits); i++) {
        pm_device *d = open_device(ctx, "PUMICE_VK_LIMITS", limits[i]);
        check(d);
        pm_device_close(&d);
    }
}

static void top_k_is_exact(void **state)
{
    (void)state;
    on_each(top_k_is_exact_on);
}

static void sparse_rows_are_right(void **state)
{
    (void)state;
    on_each(sparse_rows_are_right_on);
}

static void the_profile_names_the_folds(void **state)
{
    (void)state;
    pm_device *d = open_device(ctx, "PUMICE_VK_DISABLE", "subgroup");
    assert_non_null(strstr(pm_device_profile(d), "folds shared"));
    pm_device_close(&d);
}

int main(void)
{
    const int absent = without_device();
    if (absent) return absent;
    const char *limits = getenv("PUMICE_VK_LIMITS");
    if (limits && strstr(limits, "range=64K")) longest = 16000;
    ctx = new_context();
    if (pm_device_open(ctx, &(pm_device_params){ .name = "ref" }, &ref) != PM_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(top_k_is_exact), cmocka_unit_test(sparse_rows_are_right), cmocka_unit_test(the_profile_names_the_folds),
    };
    const int failed = cmocka_run_group_tests_name("vulkan_rows", tests, NULL, NULL);
    pm_ctx_destroy(&ctx);
    return failed;
}
