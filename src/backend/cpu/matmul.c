// Matrix products: our own kernel by stripes of the result, or single-threaded OpenBLAS inside pieces of it. The cut depends on the
// shape alone; so do the bits.
// What follows a product is done to each piece while it is in the cache.
#include "backend/cpu/cpu.h"

#include <cblas.h>

// Pieces of 512 × 512 ran as fast as threaded OpenBLAS on the shapes of Mult-VAE; PIECES of them keep a many-core machine
// busy where the result is small and the sum long. Edges at multiples of 16 suit the widest micro-kernel.
// A product below ALONE multiplications takes less time than waiting for a second thread may.
enum { LARGEST = 512, SMALLEST = 64, PIECES = 8, EDGE = 16, ALONE = 1 << 22 };
_Static_assert(LARGEST * LARGEST <= PM_CALL_SCRATCH, "a piece fits a thread's scratch");

typedef struct product {
    const pm_call *call;
    int64_t        m, n, k;
    int64_t        piece_rows, piece_cols, across;    // across: pieces side by side
    bool           ta, tb;
} product;

// The piece [rows, cols] of the result at (i, j).
typedef struct piece {
    int64_t i, j, rows, cols;
} piece;

typedef void piece_fn(const product *p, const piece *at);

typedef struct work {
    product   product;
    piece_fn *run;
} work;

static int64_t piece_of(int64_t length, int64_t parts)
{
    const int64_t part = (length + parts - 1) / parts;
    return (part + EDGE - 1) / EDGE * EDGE;
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

// A view of a piece of an operand of the result's shape.
static pm_view part_of(const pm_view *v, const piece *at)
{
    return (pm_view){ pm_row(v, at->i) + at->j, v->dtype, at->rows, at->cols, v->stride };
}

// out = beta · out + alpha · the piece of a · b.
static void multiply_into(const product *p, const piece *at, float alpha, float beta, const pm_view *out)
{
    const pm_view *a = &p->call->in[0], *b = &p->call->in[1];
    const float *pa = p->ta ? pm_row(a, 0) + at->i : pm_row(a, at->i), *pb = p->tb ? pm_row(b, at->j) : pm_row(b, 0) + at->j;
    if (p->k > 0)
        cblas_sgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans, (int)at->rows, (int)at->cols,
                    (int)p->k, alpha, pa, leading(a), pb, leading(b), beta, pm_row(out, 0), leading(out));
    else if (beta == 0)
        for (int64_t i = 0; i < out->rows; i++) memset(pm_row(out, i), 0, sizeof(float) * (size_t)out->cols);
}

static void multiply(const product *p, const piece *at, float beta, const pm_view *out)
{
    multiply_into(p, at, 1.0f, beta, out);
}

static void run_pieces(void *arg, int64_t begin, int64_t end)
{
    const work *w = arg;
    const product *p = &w->product;
    for (int64_t n = begin; n < end; n++) {
        const int64_t i = n / p->across * p->piece_rows, j = n % p->across * p->piece_cols;
        const piece at = { i, j, PM_MIN(p->piece_rows, p->m - i), PM_MIN(p->piece_cols, p->n - j) };
        w->run(p, &at);
    }
}

// The product of operands 0 and 1, piece by piece.
static pm_status each_piece(const pm_call *c, bool ta, bool tb, piece_fn *run)
{
    const pm_view *a = &c->in[0], *b = &c->in[1];
    work w = { .run = run, .product = { .call = c, .m = ta ? a->cols : a->rows, .n = tb ? b->rows : b->cols, .k = ta ? a->rows : a->cols,
                                        .ta = ta, .tb = tb } };
    product *p = &w.product;
    if (p->m == 0 || p->n == 0) return PM_OK;
    cut(p);
    const int64_t down = (p->m + p->piece_rows - 1) / p->piece_rows;
    const int threads = (double)p->m * (double)p->n * (double)p->k < ALONE ? 1 : c->threads;
    pm_parallel_for(threads, down * p->across, 1, run_pieces, &w);
    return PM_OK;
}

// ---- by our own kernel ----

// Columns of a stripe: its part of b shall stay in the second-level cache, WORTH rows and COLUMNS pay for laying it out, and longer
// sums than DEEPEST are OpenBLAS's.
enum { STRIPE = 256, COLUMNS = 32, CACHED = 1 << 17, WORTH = 48, DEEPEST = 2048 };
_Static_assert(CACHED + 12 * DEEPEST <= PM_CALL_SCRATCH, "a stripe and a few rows fit a thread's scratch");

typedef struct stripes {
    const pm_call *call;
    pm_cpu_body   *body;
    int64_t        n, width, across;
} stripes;

static void run_stripes(void *arg, int64_t begin, int64_t end)
{
    const stripes *s = arg;
    for (int64_t p = begin; p < end; p++) {
        const int64_t lo = p % s->across * s->width;
        s->body(s->call, p / s->across * PM_PRODUCT_ROWS, lo, PM_MIN(lo + s->width, s->n));
    }
}

// The product of operands 0 and 1 by stripes of columns, all rows long or PM_PRODUCT_ROWS, cut by the shape alone; false: it is OpenBLAS's.
static bool each_stripe(const pm_call *c, bool ta, bool tb, pm_cpu_body *body)
{
    const pm_view *a = &c->in[0], *b = &c->in[1];
    const int64_t m = ta ? a->cols : a->rows, n = tb ? b->rows : b->cols, k = ta ? a->rows : a->cols;
    if (!body || k == 0 || (!tb && k > DEEPEST) || m < WORTH || n < COLUMNS) return false;
    const int64_t down = tb ? (m + PM_PRODUCT_ROWS - 1) / PM_PRODUCT_ROWS : 1, parts = (PIECES + down - 1) / down;
    const int64_t most = tb ? STRIPE : PM_MIN(STRIPE, CACHED / k / COLUMNS * COLUMNS);
    const int64_t even = ((n + parts - 1) / parts + COLUMNS - 1) / COLUMNS * COLUMNS;
    stripes s = { c, body, n, PM_MIN(most, even), 0 };
    s.across = (n + s.width - 1) / s.width;
    pm_parallel_for((double)m * (double)n * (double)k < ALONE ? 1 : c->threads, down * s.across, 1, run_stripes, &s);
    return true;
}

// ---- the ops ----

static void plain_piece(const product *p, const piece *at)
{
    const pm_view y = part_of(&p->call->out[0], at);
    multiply(p, at, 0.0f, &y);
}

pm_status pm_cpu_matmul(const pm_call *c)
{
    const pm_matmul_params *q = c->params;
    if (each_stripe(c, q->ta, q->tb, q->tb ? pm_isa_of(c)->product_rows : pm_isa_of(c)->product)) return PM_OK;
    return each_piece(c, q->ta, q->tb, plain_piece);
}

// The sum begins with the bias, which costs nothing: BLAS would begin with zeros.
static void affine_piece(const product *p, const piece *at)
{
    const pm_affine_params *q = p->call->params;
    const pm_view y = part_of(&p->call->out[0], at);
    for (int64_t i = 0; i < at->rows; i++)
        memcpy(pm_row(&y, i), pm_row(&p->call->in[2], 0) + at->j, sizeof(float) * (size_t)at->cols);
    multiply(p, at, 1.0f, &y);
    pm_cpu_body *finish = pm_cpu_activation(pm_isa_of(p->call), q->act);
    const pm_call sub = { .in = &y, .out = &y };
    for (int64_t i = 0; finish && i < at->rows; i++) finish(&sub, i, 0, at->cols);
}

pm_status pm_cpu_affine(const pm_call *c)
{
    const pm_affine_params *q = c->params;
    if (each_stripe(c, q->ta, q->tb, q->tb ? NULL : pm_isa_of(c)->product_affine)) return PM_OK;
    return each_piece(c, q->ta, q->tb, affine_piece);
}

static void adam_piece(const product *p, const piece *at)
{
    const pm_call *c = p->call;
    const pm_matmul_adam_params *q = c->params;
    const pm_adam_params params = { q->beta1, q->beta2, q->eps, q->decay };
    const pm_view g = { c->scratch + (int64_t)pm_thread_index() * PM_CALL_SCRATCH, PM_F32, at->rows, at->cols, at->cols };
    const pm_view in[] = { part_of(&c->in[2], at), part_of(&c->in[3], at), part_of(&c->in[4], at), g, c->in[5] };
    const pm_call sub = { .in = in, .params = &params };
    multiply(p, at, 0.0f, &g);
    for (int64_t i = 0; i < at->rows; i++) pm_isa_of(c)->adam(&sub, i, 0, at->cols);
}

pm_status pm_cpu_matmul_adam(const pm_call *c)
{
    const pm_matmul_adam_params *q = c->params;
    if (each_stripe(c, q->ta, q->tb, q->tb ? NULL : pm_isa_of(c)->product_adam)) return PM_OK;
    return each_piece(c, q->ta, q->tb, adam_piece);
}

// Of a lower triangle: pieces above the diagonal are left, one that it crosses is made aside.
static void add_piece(const product *p, const piece *at)
{
    const pm_call *c = p->call;
    const pm_matmul_add_params *q = c->params;
    const pm_view y = part_of(&c->in[2], at);
    if (!q->lower || at->j + at->cols - 1 <= at->i) {
        multiply_into(p, at, q->alpha, 1.0f, &y);
        return;
    }
    if (at->j > at->i + at->rows - 1) return;
    const pm_view aside = { c->scratch + (int64_t)pm_thread_index() * PM_CALL_SCRATCH, PM_F32, at->rows, at->cols, at->cols };
    multiply_into(p, at, q->alpha, 0.0f, &aside);
    for (int64_t i = 0; i < at->rows; i++)
        for (int64_t j = 0; j < at->cols && at->j + j <= at->i + i; j++) pm_row(&y, i)[j] += pm_row(&aside, i)[j];
}

pm_status pm_cpu_matmul_add(const pm_call *c)
{
    const pm_matmul_add_params *q = c->params;
    return each_piece(c, q->ta, q->tb, add_piece);
}
