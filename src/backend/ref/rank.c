// Reference kernels of the ranking group.
#include "ref.h"

pm_status pm_ref_mask_rows(const pm_call *c)
{
    const pm_view *ptr = &c->in[0], *col = &c->in[1], *z = &c->in[2], *y = &c->out[0];
    for (int64_t b = 0; b < z->rows; b++) {
        for (int64_t i = 0; i < z->cols; i++) pm_put(c, 0, y, b, i, pm_get(z, b, i), 0);
        for (int64_t e = pm_get_u32(ptr, 0, b); e < pm_get_u32(ptr, 0, b + 1); e++)
            pm_put(c, 0, y, b, pm_get_u32(col, 0, e), PM_MASKED, 0);
    }
    return PM_OK;
}

static bool row_is_finite(const pm_view *z, int64_t b, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        if (!isfinite(pm_get(z, b, j))) return false;
    return true;
}

// Selection, one pass a place: the best column that comes after the last one chosen. −1 when all that is left is masked.
static int64_t next_best(const pm_view *z, int64_t b, int64_t last)
{
    int64_t best = -1;
    for (int64_t j = 0; j < z->cols; j++) {
        const double s = pm_get(z, b, j);
        if (s <= PM_MASKED) continue;
        if (last >= 0 && (s > pm_get(z, b, last) || (s == pm_get(z, b, last) && j <= last))) continue;
        if (best < 0 || s > pm_get(z, b, best)) best = j;
    }
    return best;
}

pm_status pm_ref_top_k(const pm_call *c)
{
    const pm_view *z = &c->in[0], *id = &c->out[0], *score = &c->out[1];
    for (int64_t b = 0; b < z->rows; b++) {
        const bool good = row_is_finite(z, b, z->cols);
        bool more = good;
        int64_t last = -1;
        for (int64_t k = 0; k < id->cols; k++) {
            if (more) last = next_best(z, b, last);
            more = more && last >= 0;
            pm_set(id, b, k, more ? (double)last : good ? PM_ID_NONE : PM_ID_NAN);
            pm_put(c, 1, score, b, k, more ? pm_get(z, b, last) : good ? PM_MASKED : 0, 0);
        }
    }
    return PM_OK;
}

pm_status pm_ref_count_reaching(const pm_call *c)
{
    const pm_view *x = &c->in[0], *edge = &c->in[1], *n = &c->out[0];
    for (int64_t b = 0; b < x->rows; b++) {
        const bool good = row_is_finite(x, b, x->cols);
        for (int64_t k = 0; k < n->cols; k++) {
            uint32_t count = 0;
            for (int64_t j = 0; j < x->cols; j++) count += pm_get(x, b, j) >= pm_get(edge, 0, k);
            pm_set(n, b, k, good ? count : PM_ID_NAN);
        }
    }
    return PM_OK;
}

pm_status pm_ref_take_cols(const pm_call *c)
{
    const pm_view *y = &c->out[0];
    for (int64_t i = 0; i < y->rows; i++)
        for (int64_t k = 0; k < y->cols; k++) pm_put(c, 0, y, i, k, pm_get(&c->in[0], i, pm_get_u32(&c->in[1], i, k)), 0);
    return PM_OK;
}

pm_status pm_ref_rank_target(const pm_call *c)
{
    const pm_view *s = &c->in[0];
    for (int64_t b = 0; b < s->rows; b++) {
        const int64_t count = pm_get_u32(&c->in[1], b, 0);
        uint32_t above = 0, tied = 0;
        for (int64_t j = 1; j < count; j++) {
            above += pm_get(s, b, j) > pm_get(s, b, 0);
            tied += pm_get(s, b, j) == pm_get(s, b, 0);
        }
        const bool good = row_is_finite(s, b, count);
        pm_set(&c->out[0], b, 0, good ? above : PM_ID_NAN);
        pm_set(&c->out[1], b, 0, good ? tied : PM_ID_NAN);
    }
    return PM_OK;
}
