// A matrix product on any device, checked against three loops: matmul [DEVICE [N]], such as `matmul vulkan 512`.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <pumice/graph.h>

// Largest |y − a·b| in units of 2⁻²⁴ · Σ|a·b|, the rounding of a single step.
static double worst_error(const float *a, const float *b, const float *y, int n)
{
    double worst = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            double sum = 0, scale = 0;
            for (int k = 0; k < n; k++) {
                sum += (double)a[i * n + k] * b[k * n + j];
                scale += fabs((double)a[i * n + k] * b[k * n + j]);
            }
            worst = fmax(worst, fabs(y[i * n + j] - sum) / (scale * 0x1p-24));
        }
    }
    return worst;
}

static pm_status multiply(pm_store *store, const float *a, const float *b, float *y, int n)
{
    pm_status status;
    if ((status = pm_store_add(store, "a", PM_F32, n, n)) != PM_OK || (status = pm_store_add(store, "b", PM_F32, n, n)) != PM_OK ||
        (status = pm_store_write(store, "a", a)) != PM_OK || (status = pm_store_write(store, "b", b)) != PM_OK)
        return status;

    pm_graph   *g;
    pm_program *program;
    if ((status = pm_graph_create(store, &g)) != PM_OK) return status;
    pm_output(g, pm_matmul(g, pm_use(g, "a"), pm_use(g, "b"), false, false), "y");
    if ((status = pm_graph_compile(&g, &program)) != PM_OK) return status;    // says what was wrong with the graph, too

    status = pm_program_run(program, 1);
    if (status == PM_OK) status = pm_store_read(store, "y", y);
    pm_program_destroy(&program);
    return status;
}

int main(int argc, char **argv)
{
    const int n = argc > 2 ? atoi(argv[2]) : 256;
    if (n < 1 || n > 4096) return fprintf(stderr, "usage: matmul [DEVICE [N]], N from 1 to 4096\n"), 2;
    float *a = malloc(sizeof(float) * n * n), *b = malloc(sizeof(float) * n * n), *y = malloc(sizeof(float) * n * n);
    if (!a || !b || !y) return fprintf(stderr, "out of memory\n"), 1;
    for (int i = 0; i < n * n; i++) {
        a[i] = (float)rand() / (float)RAND_MAX - 0.5f;
        b[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    }

    pm_ctx *ctx;
    if (pm_ctx_create(NULL, &ctx) != PM_OK) return fprintf(stderr, "out of memory\n"), 1;
    pm_device *device = NULL;
    pm_store  *store = NULL;
    pm_status  status = pm_device_open(ctx, &(pm_device_params){ .name = argc > 1 ? argv[1] : "auto" }, &device);
    if (status == PM_OK) status = pm_store_create(device, &store);
    if (status == PM_OK) status = multiply(store, a, b, y, n);

    double error = INFINITY;
    if (status != PM_OK) {
        fprintf(stderr, "%s: %s\n", pm_status_name(status), pm_ctx_message(ctx));
    } else {
        error = worst_error(a, b, y, n);
        printf("%d x %d on %s: largest error %.2f of %.2f allowed\n", n, n, pm_device_get_info(device)->name, error, 2 * sqrt(n));
    }
    pm_store_destroy(&store);
    pm_device_close(&device);
    pm_ctx_destroy(&ctx);
    free(a), free(b), free(y);
    return error <= 2 * sqrt(n) ? 0 : 1;
}
