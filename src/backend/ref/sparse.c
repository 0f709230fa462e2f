// Reference kernels of the sparse group.
#include "ref.h"

static int64_t at(const pm_view *v, int64_t j)
{
    return pm_get_u32(v, 0, j);
}

static void clear(const pm_view *v)
{
    for (int64_t i = 0; i < v->rows; i++)
        for (int64_t j = 0; j < v->cols; j++) pm_set(v, i, j, 0);
}

pm_status pm_ref_csr_rows_ptr(const pm_call *c)
{
    const pm_view *indptr = &c->in[0], *rows = &c->in[1];
    const int64_t live = at(&c->in[2], 0);
    uint32_t sum = 0;
    for (int64_t b = 0; b < rows->cols; b++) {
        pm_set(&c->out[0], 0, b, sum);
        if (b < live) sum += (uint32_t)(at(indptr, at(rows, b) + 1) - at(indptr, at(rows, b)));
    }
    pm_set(&c->out[0], 0, rows->cols, sum);
    return PM_OK;
}

pm_status pm_ref_csr_rows_take(const pm_call *c)
{
    const pm_view *indptr = &c->in[0], *col = &c->in[1], *val = &c->in[2], *rows = &c->in[3], *ptr = &c->in[4];
    clear(&c->out[0]);
    clear(&c->out[1]);
    for (int64_t b = 0; b < rows->cols; b++) {
        const int64_t from = at(indptr, at(rows, b)), to = at(ptr, b);
        const int64_t length = PM_MIN(at(indptr, at(rows, b) + 1) - from, at(ptr, b + 1) - to);
        for (int64_t e = 0; e < length; e++) {
            pm_set(&c->out[0], 0, to + e, (double)at(col, from + e));
            pm_put(c, 1, &c->out[1], 0, to + e, pm_get(val, 0, from + e), 0);
        }
    }
    return PM_OK;
}

pm_status pm_ref_csr_normalize(const pm_call *c)
{
    const pm_view *ptr = &c->in[0], *val = &c->in[1];
    clear(&c->out[0]);
    for (int64_t b = 0; b + 1 < ptr->cols; b++) {
        double sum = 0;
        for (int64_t e = at(ptr, b); e < at(ptr, b + 1); e++) sum += pm_get(val, 0, e) * pm_get(val, 0, e);
        for (int64_t e = at(ptr, b); e < at(ptr, b + 1) && sum > 0; e++) {
            const double y = pm_get(val, 0, e) / sqrt(sum);
            pm_put(c, 0, &c->out[0], 0, e, y, fabs(y));
        }
    }
    return PM_OK;
}

pm_status pm_ref_csr_center(const pm_call *c)
{
    const pm_view *ptr = &c->in[0], *val = &c->in[1];
    clear(&c->out[0]);
    for (int64_t b = 0; b + 1 < ptr->cols; b++) {
        const int64_t from = at(ptr, b), to = at(ptr, b + 1);
        const double first = from < to ? pm_get(val, 0, from) : 0;
        double sum = 0, size = 0;
        for (int64_t e = from; e < to; e++) {
            sum += pm_get(val, 0, e) - first;
            size += fabs(pm_get(val, 0, e)) + fabs(first);
        }
        const double n = (double)(to - from), mean = from < to ? first + sum / n : 0, scale = from < to ? fabs(first) + size / n : 0;
        pm_put(c, 1, &c->out[1], b, 0, mean, scale);
        for (int64_t e = from; e < to; e++) pm_put(c, 0, &c->out[0], 0, e, pm_get(val, 0, e) - mean, fabs(pm_get(val, 0, e)) + scale);
    }
    return PM_OK;
}

pm_status pm_ref_csr_dropout(const pm_call *c)
{
    const pm_csr_dropout_params *p = c->params;
    const pm_view *ptr = &c->in[0], *col = &c->in[1], *val = &c->in[2], *state = &c->in[3];
    const uint32_t step = pm_get_u32(state, 0, PM_STATE_STEP);
    clear(&c->out[0]);
    for (int64_t b = 0; b + 1 < ptr->cols; b++)
        for (int64_t e = at(ptr, b); e < at(ptr, b + 1); e++) {
            const uint32_t bits = pm_random_bits(pm_ref_seed(state), p->stream, 0, step, (uint32_t)b, (uint32_t)at(col, e));
            const double y = pm_unit_from_bits(bits) < p->keep ? pm_get(val, 0, e) / p->keep : 0;
            pm_put(c, 0, &c->out[0], 0, e, y, fabs(y));
        }
    return PM_OK;
}

pm_status pm_ref_csr_transpose(const pm_call *c)
{
    const pm_view *ptr = &c->in[0], *col = &c->in[1];
    int64_t place = 0;
    clear(&c->out[1]);
    clear(&c->out[2]);
    for (int64_t i = 0; i + 1 < c->out[0].cols; i++) {
        pm_set(&c->out[0], 0, i, (double)place);
        for (int64_t b = 0; b + 1 < ptr->cols; b++)
            for (int64_t e = at(ptr, b); e < at(ptr, b + 1); e++) {
                if (at(col, e) != i) continue;
                pm_set(&c->out[1], 0, place, (double)b);
                pm_set(&c->out[2], 0, place, (double)e);
                place++;
            }
    }
    pm_set(&c->out[0], 0, c->out[0].cols - 1, (double)place);
    return PM_OK;
}

// Row b of the batch times column h of w.
static pm_ref_sum sparse_product(const pm_call *c, int64_t b, int64_t h)
{
    const pm_view *ptr = &c->in[0], *col = &c->in[1], *val = &c->in[2], *w = &c->in[3];
    pm_ref_sum sum = { 0, 0 };
    for (int64_t e = at(ptr, b); e < at(ptr, b + 1); e++) {
        const double product = pm_get(val, 0, e) * pm_get(w, at(col, e), h);
        sum.value += product;
        sum.scale += fabs(product);
    }
    return sum;
}

pm_status pm_ref_spmm(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t b = 0; b < y->rows; b++)
        for (int64_t h = 0; h < y->cols; h++) {
            const pm_ref_sum sum = sparse_product(c, b, h);
            pm_put(c, 0, y, b, h, sum.value, sum.scale);
        }
    return PM_OK;
}

pm_status pm_ref_spmm_affine(const pm_call *c)
{
    const pm_spmm_affine_params *p = c->params;
    const pm_view *y = &c->out[0];
    for (int64_t b = 0; b < y->rows; b++)
        for (int64_t h = 0; h < y->cols; h++) {
            const pm_ref_sum sum = sparse_product(c, b, h);
            const double bias = pm_get(&c->in[4], 0, h), z = sum.value + bias;
            pm_put(c, 0, y, b, h, pm_ref_activation(p->act, z), pm_ref_activation_scale(p->act, z, sum.scale + fabs(bias)));
        }
    return PM_OK;
}

pm_status pm_ref_spmm_t(const pm_call *c)
{
    const pm_view *tptr = &c->in[0], *trow = &c->in[1], *tpos = &c->in[2], *val = &c->in[3], *dy = &c->in[4], *dw = &c->out[0];
    for (int64_t i = 0; i < dw->rows; i++)
        for (int64_t h = 0; h < dw->cols; h++) {
            double sum = 0, scale = 0;
            for (int64_t f = at(tptr, i); f < at(tptr, i + 1); f++) {
                const double product = pm_get(val, 0, at(tpos, f)) * pm_get(dy, at(trow, f), h);
                sum += product;
                scale += fabs(product);
            }
            pm_put(c, 0, dw, i, h, sum, scale);
        }
    return PM_OK;
}

pm_status pm_ref_sddmm(const pm_call *c)
{
    const pm_view *ptr = &c->in[0], *col = &c->in[1], *a = &c->in[2], *w = &c->in[3];
    clear(&c->out[0]);
    for (int64_t b = 0; b < a->rows; b++)
        for (int64_t e = at(ptr, b); e < at(ptr, b + 1); e++) {
            const double bias = pm_get(&c->in[4], 0, at(col, e));
            pm_ref_sum sum = { bias, fabs(bias) };
            for (int64_t h = 0; h < a->cols; h++) {
                const double product = pm_get(a, b, h) * pm_get(w, at(col, e), h);
                sum.value += product;
                sum.scale += fabs(product);
            }
            pm_put(c, 0, &c->out[0], 0, e, sum.value, sum.scale);
        }
    return PM_OK;
}

pm_status pm_ref_csr_spread(const pm_call *c)
{
    const pm_view *ptr = &c->in[0], *col = &c->in[1], *val = &c->in[2];
    clear(&c->out[0]);
    for (int64_t b = 0; b < c->out[0].rows; b++)
        for (int64_t e = at(ptr, b); e < at(ptr, b + 1); e++) pm_put(c, 0, &c->out[0], b, at(col, e), pm_get(val, 0, e), 0);
    return PM_OK;
}

pm_status pm_ref_csr_col_count(const pm_call *c)
{
    const pm_view *col = &c->in[0], *y = &c->out[0];
    clear(y);
    for (int64_t e = 0; e < col->cols; e++) pm_set(y, 0, at(col, e), (double)at(y, at(col, e)) + 1);
    return PM_OK;
}

pm_status pm_ref_gather_rows(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t b = 0; b < y->rows; b++)
        for (int64_t j = 0; j < y->cols; j++) pm_put(c, 0, y, b, j, pm_get(&c->in[0], at(&c->in[1], b), j), 0);
    return PM_OK;
}
