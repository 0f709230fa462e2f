// Reference kernels of negative sampling with counts.
#include "op/count_draws.h"
#include "ref.h"

typedef struct drawing {
    const pm_call               *c;
    const pm_draw_counts_params *p;
    uint64_t                     seed;
    uint32_t                     step, row, items;
} drawing;

static uint32_t word_of(const drawing *d, uint32_t attempt, uint32_t col)
{
    return pm_random_bits(d->seed, d->p->stream, attempt, d->step, d->row, col);
}

// A row of independent Poisson counts; their sum.
static uint32_t draw_poissons(const drawing *d, uint32_t attempt)
{
    const pm_view *ptr = &d->c->in[0], *s = &d->c->out[0];
    const uint32_t *table = pm_row_u32(&d->c->in[1], 0);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < d->items; i++) {
        const uint32_t from = pm_get_u32(ptr, 0, i), to = pm_get_u32(ptr, 0, i + 1);
        const uint32_t count = pm_count_reached(table + from, to - from, word_of(d, attempt, i));
        pm_set(s, d->row, i, count);
        sum += count;
    }
    return sum;
}

static void draw_singles(const drawing *d, uint32_t count)
{
    const pm_view *accept = &d->c->in[2], *alias = &d->c->in[3], *s = &d->c->out[0];
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t i = pm_count_item(d->items, word_of(d, PM_COUNT_SINGLE, 2 * k));
        const uint32_t item = word_of(d, PM_COUNT_SINGLE, 2 * k + 1) < pm_get_u32(accept, 0, i) ? i : pm_get_u32(alias, 0, i);
        pm_set(s, d->row, item, pm_get_u32(s, d->row, item) + 1.0);
    }
}

pm_status pm_ref_draw_counts(const pm_call *c)
{
    const pm_draw_counts_params *p = c->params;
    const pm_view *state = &c->in[4], *s = &c->out[0];
    drawing d = { .c = c, .p = p, .seed = pm_ref_seed(state), .step = pm_get_u32(state, 0, PM_STATE_STEP), .items = (uint32_t)s->cols };
    for (int64_t b = 0; b < s->rows; b++) {
        uint32_t sum = UINT32_MAX;
        d.row = (uint32_t)b;
        for (uint32_t attempt = 0; p->many && attempt < PM_COUNT_ATTEMPTS && sum > p->draws; attempt++) sum = draw_poissons(&d, attempt);
        if (sum > p->draws) {
            sum = 0;
            for (int64_t i = 0; i < s->cols; i++) pm_set(s, b, i, 0);
        }
        draw_singles(&d, p->draws - sum);
    }
    return PM_OK;
}

// The term of a clipped logit, its slope, and what each error is measured in.
typedef struct side {
    double term, slope, term_scale, slope_scale;
} side;

static side side_of(const pm_loss_counts_params *p, double z, double sign)
{
    const double v = sign * fmin(fmax(z, -p->bound), p->bound), inside = fabs(z) <= p->bound;
    if (!p->logistic) return (side){ v, sign * inside, fabs(v), inside };
    const double term = pm_ref_softplus_of(v), slope = inside * pm_ref_sigmoid_of(v);
    return (side){ term, sign * slope, term, slope };
}

pm_status pm_ref_loss_counts(const pm_call *c)
{
    const pm_loss_counts_params *p = c->params;
    const pm_view *ptr = &c->in[0], *col = &c->in[1], *val = &c->in[2], *z = &c->in[3], *s = &c->in[4];
    for (int64_t b = 0; b < z->rows; b++) {
        const double weight = pm_get(&c->in[5], b, 0);
        const uint32_t from = pm_get_u32(ptr, 0, b), to = pm_get_u32(ptr, 0, b + 1);
        double k = 0, loss = 0, scale = 0;
        for (uint32_t e = from; e < to; e++) k += pm_get(val, 0, e) / p->draws;
        uint32_t e = from;
        for (int64_t i = 0; i < z->cols; i++) {
            const bool known = e < to && pm_get_u32(col, 0, e) == i;
            const double x = known ? pm_get(val, 0, e++) : 0, y = k * pm_get_u32(s, b, i), v = weight != 0 ? pm_get(z, b, i) : 0;
            const side pos = side_of(p, v, -1), neg = side_of(p, v, 1);
            loss += x * pos.term + y * neg.term;
            scale += x * pos.term_scale + y * neg.term_scale;
            pm_put(c, 1, &c->out[1], b, i, weight * (x * pos.slope + y * neg.slope), weight * (x * pos.slope_scale + y * neg.slope_scale));
        }
        pm_put(c, 0, &c->out[0], b, 0, weight * loss, weight * scale);
    }
    return PM_OK;
}
