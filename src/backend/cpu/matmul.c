// Matrix products: single-threaded OpenBLAS inside pieces of the result. The cut depends on the shape alone; so do the bits.
#include "backend/cpu/cpu.h"

#include <cblas.h>

// Pieces of 512 × 512 ran as fast as threaded OpenBLAS on the shapes of Mult-VAE; PIECES of them keep a many-core machine
// busy where the result is small and the sum long. Edges at multiples of 16 suit the widest micro-kernel.
// A product below ALONE multiplications takes less time than waiting for a second thread may.
enum { LARGEST = 512, SMALLEST = 64, PIECES = 8, EDGE = 16, ALONE = 1 << 22 };

typedef struct product {
    const pm_call *call;
    int64_t        m, n, k;
    int64_t        piece_rows, piece_cols, across;    // across: pieces side by side
    bool           ta, tb;
} product;

static int64_t piece_of(int64_t length, int64_t parts)
{
    const int64_t piece = (length + parts - 1) / parts;
    return (piece + EDGE - 1) / EDGE * EDGE;
}

static void cut(product *p)
{
    int64_t down = (p->m + LARGEST - 1) / LARGEST, across = (p->n + LARGEST - 1) / LARGEST;
    while (down * across < PIECES) {
        const int64_t rows = p->m / down, cols = p->n / across;
        if (PM_MAX(rows, cols) < 2 * SMALLEST) break;
        if (rows > cols) down *= 2;
        else across *= 2;
    }
    p->piece_rows = piece_of(p->m, down);
    p->piece_cols = piece_of(p->n, across);
    p->across = (p->n + p->piece_cols - 1) / p->piece_cols;
}

// One row may have any stride; BLAS wants it in an int and at least as long as the row.
static int leading(const pm_view *v)
{
    return (int)(v->rows > 1 ? v->stride : PM_MAX(v->cols, 1));
}

static void run_pieces(void *arg, int64_t begin, int64_t end)
{
    const product *p = arg;
    const pm_view *a = &p->call->in[0], *b = &p->call->in[1], *y = &p->call->out[0];
    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t i = piece / p->across * p->piece_rows, j = piece % p->across * p->piece_cols;
        const float *pa = p->ta ? pm_row(a, 0) + i : pm_row(a, i), *pb = p->tb ? pm_row(b, j) : pm_row(b, 0) + j;
        cblas_sgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans,
                    (int)PM_MIN(p->piece_rows, p->m - i), (int)PM_MIN(p->piece_cols, p->n - j), (int)p->k, 1.0f, pa, leading(a), pb,
                    leading(b), 0.0f, pm_row(y, i) + j, leading(y));
    }
}

pm_status pm_cpu_matmul(const pm_call *c)
{
    const pm_matmul_params *q = c->params;
    const pm_view *y = &c->out[0];
    product p = { .call = c, .m = y->rows, .n = y->cols, .k = q->ta ? c->in[0].rows : c->in[0].cols, .ta = q->ta, .tb = q->tb };
    if (p.m == 0 || p.n == 0) return PM_OK;
    if (p.k == 0) {
        for (int64_t i = 0; i < p.m; i++) memset(pm_row(y, i), 0, sizeof(float) * (size_t)p.n);
        return PM_OK;
    }
    cut(&p);
    const int64_t down = (p.m + p.piece_rows - 1) / p.piece_rows;
    const int threads = (double)p.m * (double)p.n * (double)p.k < ALONE ? 1 : c->threads;
    pm_parallel_for(threads, down * p.across, 1, run_pieces, &p);
    return PM_OK;
}
