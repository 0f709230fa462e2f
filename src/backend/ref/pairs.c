// Reference kernels of pair batches: interactions, negatives, embedding tables, losses.
#include "op/negatives.h"
#include "ref.h"

static int64_t at(const pm_view *v, int64_t i, int64_t j)
{
    return pm_get_u32(v, i, j);
}

// The last row that begins at or before entry e.
static int64_t row_of(const pm_view *indptr, int64_t e)
{
    int64_t r = 0;
    for (int64_t k = 1; k + 1 < indptr->cols; k++)
        if (at(indptr, 0, k) <= e) r = k;
    return r;
}

pm_status pm_ref_csr_entries(const pm_call *c)
{
    const pm_view *entry = &c->in[3];
    for (int64_t b = 0; b < entry->cols; b++) {
        const int64_t e = at(entry, 0, b);
        pm_set(&c->out[0], b, 0, (double)row_of(&c->in[0], e));
        pm_set(&c->out[1], b, 0, (double)at(&c->in[1], 0, e));
        pm_put(c, 2, &c->out[2], b, 0, pm_get(&c->in[2], 0, e), 0);
    }
    return PM_OK;
}

pm_status pm_ref_draw_negatives(const pm_call *c)
{
    const pm_draw_negatives_params *p = c->params;
    const pm_view *indptr = &c->in[0], *row = &c->in[2], *state = &c->in[5], *id = &c->out[0];
    const uint32_t *col = pm_row_u32(&c->in[1], 0);
    const pm_negatives draws = { .col = col, .entries = pm_get_u32(indptr, 0, indptr->cols - 1), .items = (uint32_t)c->dims->of[2],    // Z, U, I, B, S
                                 .seed = pm_ref_seed(state), .step = p->once ? 0 : pm_get_u32(state, 0, PM_STATE_STEP), .stream = p->stream,
                                 .popular = p->popular };
    for (int64_t b = 0; b < id->rows; b++) {
        const uint32_t from = pm_get_u32(indptr, 0, at(row, b, 0)), to = pm_get_u32(indptr, 0, at(row, b, 0) + 1);
        pm_set(id, b, 0, (double)at(&c->in[3], b, 0));
        for (uint32_t s = 1, key = pm_get_u32(&c->in[4], b, 0); s < (uint32_t)id->cols; s++)
            pm_set(id, b, s, pm_negative(&draws, col + from, to - from, key, s, pm_random_bits(draws.seed, draws.stream, 0, draws.step, key, s)));
    }
    return PM_OK;
}

pm_status pm_ref_draw_zeros(const pm_call *c)
{
    const pm_draw_zeros_params *p = c->params;
    const pm_view *state = &c->in[5];
    const uint32_t *indptr = pm_row_u32(&c->in[0], 0), users = (uint32_t)c->in[0].cols - 1;
    const pm_negatives draws = { .col = pm_row_u32(&c->in[1], 0), .items = (uint32_t)c->dims->of[2], .seed = pm_ref_seed(state),    // Z, U, I, B, S
                                 .step = p->once ? 0 : pm_get_u32(state, 0, PM_STATE_STEP), .stream = p->stream };
    for (int64_t b = 0; b < c->out[0].rows; b++) {
        pm_set(&c->out[0], b, 0, (double)at(&c->in[2], b, 0));
        pm_set(&c->out[1], b, 0, (double)at(&c->in[3], b, 0));
        for (uint32_t s = 1, user = 0; s < (uint32_t)c->out[0].cols; s++) {
            pm_set(&c->out[1], b, s, pm_zero_cell(&draws, indptr, users, pm_get_u32(&c->in[4], b, 0), s, &user));
            pm_set(&c->out[0], b, s, user);
        }
    }
    return PM_OK;
}

pm_status pm_ref_distinct(const pm_call *c)
{
    const pm_view *id = &c->in[0], *place = &c->out[0], *list = &c->out[1];
    const int64_t n = at(&c->in[1], 0, 0);
    int64_t next = 0, count = 0, past = -1;
    for (int64_t d = 0; d < list->cols; d++) pm_set(list, 0, d, 0);
    for (int64_t b = 0; b < id->rows; b++)
        for (int64_t s = 0; s < id->cols; s++) pm_set(place, b, s, 0);
    while (next != INT64_MAX) {    // the least index above the one before
        next = INT64_MAX;
        for (int64_t b = 0; b < n; b++)
            for (int64_t s = 0; s < id->cols; s++) next = at(id, b, s) > past ? PM_MIN(next, at(id, b, s)) : next;
        for (int64_t b = 0; b < n; b++)
            for (int64_t s = 0; s < id->cols; s++)
                if (at(id, b, s) == next) pm_set(place, b, s, (double)count);
        if (next != INT64_MAX) pm_set(list, 0, count++, (double)next);
        past = next;
    }
    pm_set(&c->out[2], 0, 0, (double)count);
    pm_set(&c->out[3], 0, 0, (double)(n * id->cols));
    return PM_OK;
}

pm_status pm_ref_index_transpose(const pm_call *c)
{
    const pm_view *id = &c->in[0];
    const int64_t live = at(&c->in[1], 0, 0), room = c->out[1].cols;
    int64_t place = 0;
    for (int64_t e = 0; e < room; e++) {
        pm_set(&c->out[1], 0, e, 0);
        pm_set(&c->out[2], 0, e, 0);
    }
    for (int64_t i = 0; i + 1 < c->out[0].cols; i++) {
        pm_set(&c->out[0], 0, i, (double)place);
        for (int64_t e = 0; e < PM_MIN(live * id->cols, room); e++) {
            if (at(id, e / id->cols, e % id->cols) != i) continue;
            pm_set(&c->out[1], 0, place, (double)(e / id->cols));
            pm_set(&c->out[2], 0, place, (double)e);
            place++;
        }
    }
    pm_set(&c->out[0], 0, c->out[0].cols - 1, (double)place);
    return PM_OK;
}

pm_status pm_ref_embed(const pm_call *c)
{
    const int64_t live = at(&c->in[2], 0, 0);
    for (int64_t b = 0; b < c->out[0].rows; b++)
        for (int64_t j = 0; j < c->out[0].cols; j++) pm_put(c, 0, &c->out[0], b, j, b < live ? pm_get(&c->in[0], at(&c->in[1], b, 0), j) : 0, 0);
    return PM_OK;
}

pm_status pm_ref_pick_scores(const pm_call *c)
{
    const pm_pick_scores_params *p = c->params;
    const pm_view *u = &c->in[0], *v = &c->in[1], *id = &c->in[2];
    const int64_t live = at(&c->in[3], 0, 0);
    for (int64_t b = 0; b < id->rows; b++)
        for (int64_t s = 0; s < id->cols; s++) {
            pm_ref_sum sum = { 0, 0 };
            for (int64_t h = 0; h < u->cols && b < live; h++) {
                const double x = pm_get(u, b, h), y = pm_get(v, at(id, b, s), h), size = fabs(x) + fabs(y);
                sum.value += p->distance ? (x - y) * (x - y) : x * y;
                sum.scale += p->distance ? size * size : fabs(x * y);
            }
            pm_put(c, 0, &c->out[0], b, s, sum.value, sum.scale);
        }
    return PM_OK;
}

pm_status pm_ref_pick_sum(const pm_call *c)
{
    const pm_pick_sum_params *p = c->params;
    const pm_view *w = &c->in[0], *u = &c->in[1], *v = &c->in[2], *id = &c->in[3];
    const int64_t live = at(&c->in[4], 0, 0);
    for (int64_t b = 0; b < u->rows; b++)
        for (int64_t h = 0; h < u->cols; h++) {
            pm_ref_sum sum = { 0, 0 };
            for (int64_t s = 0; s < id->cols && b < live; s++) {
                const double by = pm_get(w, b, s), x = pm_get(u, b, h), y = pm_get(v, at(id, b, s), h);
                sum.value += p->distance ? 2 * by * (x - y) : by * y;
                sum.scale += p->distance ? 2 * fabs(by) * (fabs(x) + fabs(y)) : fabs(by * y);
            }
            pm_put(c, 0, &c->out[0], b, h, sum.value, sum.scale);
        }
    return PM_OK;
}

pm_status pm_ref_spmm_t_away(const pm_call *c)
{
    const pm_view *tptr = &c->in[0], *trow = &c->in[1], *tpos = &c->in[2], *val = &c->in[3], *u = &c->in[4], *w = &c->in[5];
    for (int64_t i = 0; i < w->rows; i++)
        for (int64_t h = 0; h < w->cols; h++) {
            pm_ref_sum sum = { 0, 0 };
            for (int64_t f = at(tptr, 0, i); f < at(tptr, 0, i + 1); f++) {
                const double by = 2 * pm_get(val, 0, at(tpos, 0, f)), x = pm_get(w, i, h), y = pm_get(u, at(trow, 0, f), h);
                sum.value += by * (x - y);
                sum.scale += fabs(by) * (fabs(x) + fabs(y));
            }
            pm_put(c, 0, &c->out[0], i, h, sum.value, sum.scale);
        }
    return PM_OK;
}

// ---- losses ----

// A row of weight 0 is not looked at.
static bool is_dead(const pm_call *c, int64_t b)
{
    if (pm_get(&c->in[1], b, 0) != 0) return false;
    pm_put(c, 0, &c->out[0], b, 0, 0, 0);
    for (int64_t s = 0; s < c->out[1].cols; s++) pm_put(c, 1, &c->out[1], b, s, 0, 0);
    return true;
}

static void bpr_row(const pm_call *c, int64_t b)
{
    const pm_view *z = &c->in[0], *dz = &c->out[1];
    const double by = pm_get(&c->in[1], b, 0) / (double)(z->cols - 1), first = pm_get(z, b, 0);
    double loss = 0, scale = 0, sum = 0, sum_scale = 0;
    for (int64_t s = 1; s < z->cols; s++) {
        const double other = pm_get(z, b, s), d = other - first, p = pm_ref_sigmoid_of(d), off = (1 - p) * (fabs(first) + fabs(other)) + 1;
        loss += pm_ref_softplus_of(d);
        scale += pm_ref_softplus_of(d) + p * (fabs(first) + fabs(other));
        sum += p;
        sum_scale += p * off;
        pm_put(c, 1, dz, b, s, by * p, by * p * off);
    }
    pm_put(c, 0, &c->out[0], b, 0, by * loss, by * scale);
    pm_put(c, 1, dz, b, 0, -by * sum, by * sum_scale);
}

pm_status pm_ref_loss_bpr(const pm_call *c)
{
    for (int64_t b = 0; b < c->in[0].rows; b++)
        if (!is_dead(c, b)) bpr_row(c, b);
    return PM_OK;
}

static void log_row(const pm_call *c, int64_t b)
{
    const pm_view *z = &c->in[0];
    const double by = pm_get(&c->in[1], b, 0) / (double)z->cols;
    double loss = 0;
    for (int64_t s = 0; s < z->cols; s++) {
        const double sign = s ? 1 : -1, wrong = sign * pm_get(z, b, s), p = pm_ref_sigmoid_of(wrong);
        loss += pm_ref_softplus_of(wrong);
        pm_put(c, 1, &c->out[1], b, s, sign * by * p, by * p);
    }
    pm_put(c, 0, &c->out[0], b, 0, by * loss, by * loss);
}

pm_status pm_ref_loss_log(const pm_call *c)
{
    for (int64_t b = 0; b < c->in[0].rows; b++)
        if (!is_dead(c, b)) log_row(c, b);
    return PM_OK;
}

// By how much a pair violates the margin, in single precision: what is compared.
static float violation(double first, double other, float margin)
{
    const float apart = (float)(first - other);
    return (float)((double)margin - (double)apart);
}

static void hinge_row(const pm_call *c, int64_t b)
{
    const pm_loss_hinge_params *p = c->params;
    const pm_view *z = &c->in[0], *dz = &c->out[1];
    const int64_t pairs = z->cols - 1;
    const double first = pm_get(z, b, 0);
    int64_t violated = 0, worst = 0;
    float most = 0;
    for (int64_t s = 1; s <= pairs; s++) {
        const float by = violation(first, pm_get(z, b, s), p->margin);
        violated += by > 0;
        if (by > most) worst = s, most = by;
    }
    const double rank = p->items ? log(1 + floor((double)p->items * (double)violated / (double)pairs)) : 1;
    const double weight = pm_get(&c->in[1], b, 0) * rank / (p->closest ? 1 : (double)pairs);
    double loss = 0, scale = 0, sum = 0;
    for (int64_t s = 1; s <= pairs; s++) {
        const double other = pm_get(z, b, s);
        const bool counts = p->closest ? s == worst : violation(first, other, p->margin) > 0;
        loss += counts ? p->margin - (first - other) : 0;
        scale += counts ? fabs(first) + fabs(other) + p->margin : 0;
        sum += counts;
        pm_put(c, 1, dz, b, s, counts ? weight : 0, counts ? weight : 0);
    }
    pm_put(c, 0, &c->out[0], b, 0, weight * loss, weight * scale);
    pm_put(c, 1, dz, b, 0, -weight * sum, weight * sum);
}

pm_status pm_ref_loss_hinge(const pm_call *c)
{
    for (int64_t b = 0; b < c->in[0].rows; b++)
        if (!is_dead(c, b)) hinge_row(c, b);
    return PM_OK;
}

// Loss and gradient of one score, the scales beside them.
static void match_cell(const pm_loss_match_params *p, double z, double t, pm_ref_sum *loss, pm_ref_sum *gradient)
{
    if (p->square) {
        *loss = (pm_ref_sum){ (t - z) * (t - z), (fabs(t) + fabs(z)) * (fabs(t) + fabs(z)) };
        *gradient = (pm_ref_sum){ 2 * (z - t), 2 * (fabs(t) + fabs(z)) };
        return;
    }
    const double mu = p->mu, most = 1.0f - p->mu, v = z < mu ? mu : z > most ? most : z, a = t == 0 ? 0 : -t * log(v), b = -(1 - t) * log(1 - v);
    *loss = (pm_ref_sum){ a + b, fabs(a) + fabs(b) + fabs(t) + fabs(1 - t) };
    *gradient = (pm_ref_sum){ 0, 0 };
    if (z > mu && z < most) *gradient = (pm_ref_sum){ (1 - t) / (1 - v) - t / v, fabs(1 - t) / (1 - v) + fabs(t) / v };
}

pm_status pm_ref_loss_match(const pm_call *c)
{
    const pm_loss_match_params *p = c->params;
    const pm_view *z = &c->in[0];
    for (int64_t b = 0; b < z->rows; b++) {
        const double rw = pm_get(&c->in[2], b, 0);
        pm_ref_sum sum = { 0, 0 };
        for (int64_t s = 0; s < z->cols; s++) {
            pm_ref_sum loss = { 0, 0 }, gradient = { 0, 0 };
            const double t = rw != 0 ? pm_get(&c->in[1], b, s) : 0, w = t != 0 ? 1 : p->w0;
            if (rw != 0) match_cell(p, pm_get(z, b, s), t, &loss, &gradient);    // a row of weight 0 is not looked at
            sum.value += w * loss.value;
            sum.scale += w * loss.scale;
            pm_put(c, 1, &c->out[1], b, s, rw * w * gradient.value, rw * w * gradient.scale);
        }
        pm_put(c, 0, &c->out[0], b, 0, rw * sum.value, rw * sum.scale);
    }
    return PM_OK;
}
