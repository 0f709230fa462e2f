// A parameter's initial values: what the formula says of the random words, however many threads make them.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <pumice/nn.h>

#include "core/core.h"
#include "core/philox.h"

enum { ROWS = 700, COLS = 301 };    // several pieces, the last one short

// The initial values of one parameter "w"; the caller frees them.
static float *values_of(pm_init init, int threads)
{
    pm_ctx *ctx;
    pm_device *device;
    pm_store *store;
    pm_graph *g;
    pm_net *net;
    assert_int_equal(pm_ctx_create(&(pm_ctx_params){ .threads = threads }, &ctx), PM_OK);
    assert_int_equal(pm_device_open(ctx, &(pm_device_params){ .name = "ref" }, &device), PM_OK);
    assert_int_equal(pm_store_create(device, &store), PM_OK);
    assert_int_equal(pm_graph_create(store, &g), PM_OK);
    assert_int_equal(pm_net_create(g, 11, &net), PM_OK);
    pm_param(net, "w", ROWS, COLS, init);
    assert_int_equal(pm_graph_status(g), PM_OK);
    float *values = malloc(sizeof *values * ROWS * COLS);
    assert_int_equal(pm_store_read(store, "w", values), PM_OK);
    pm_graph_destroy(&g);
    pm_store_destroy(&store);
    pm_device_close(&device);
    pm_ctx_destroy(&ctx);
    return values;
}

static double word(int64_t i)
{
    return pm_open_unit_from_bits(pm_philox(11, (uint32_t)(i / 4), 0, 0, pm_stream_of_name("w") * 256).v[i % 4]);
}

static void threads_do_not_show(void **state)
{
    (void)state;
    static const pm_init inits[] = { { PM_INIT_GLOROT, 0 }, { PM_INIT_NORMAL, 0.1f }, { PM_INIT_TRUNCATED, 0.1f }, { PM_INIT_ZERO, 0 } };
    for (int k = 0; k < PM_COUNT(inits); k++) {
        float *one = values_of(inits[k], 1), *three = values_of(inits[k], 3);
        assert_memory_equal(one, three, sizeof *one * ROWS * COLS);
        free(one);
        free(three);
    }
}

static void values_follow_the_formula(void **state)
{
    (void)state;
    float *uniform = values_of((pm_init){ PM_INIT_GLOROT, 0 }, 2), *normal = values_of((pm_init){ PM_INIT_NORMAL, 0.1f }, 2);
    for (int64_t i = 0; i < ROWS * COLS; i += 101) {
        const double radius = sqrt(-2 * log(word(2 * i))), angle = 2 * acos(-1) * word(2 * i + 1);
        assert_true(fabs(uniform[i] - sqrt(6.0 / (ROWS + COLS)) * (2 * word(i) - 1)) < 1e-8);
        assert_true(fabs(normal[i] - (double)0.1f * radius * cos(angle)) < 1e-7);
    }
    free(uniform);
    free(normal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_show),
        cmocka_unit_test(values_follow_the_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
