// Reference kernels of the losses over target sets. Rows are read to their end before their gradient is written, which may lie over the
// logits; a row of weight 0 is written as zeros without a look at its logits.
#include "op/target_set.h"
#include "ref.h"

// A row of a batch beside its logits; cells are asked for in ascending columns.
typedef struct target_row {
    const pm_call *c;
    int64_t        b, at, end;
    double         weight;
    uint32_t       stream, threshold;
} target_row;

// What a cell adds: its term, the slope of it, and what each error is measured in.
typedef struct cell {
    double term, slope, term_scale, slope_scale;
} cell;

static target_row row_of(const pm_call *c, int64_t b, uint32_t size, uint32_t stream)
{
    const uint32_t from = pm_get_u32(&c->in[0], 0, b), to = pm_get_u32(&c->in[0], 0, b + 1);
    return (target_row){ c, b, from, to, pm_get(&c->in[4], b, 0), stream, pm_target_threshold(size, to - from, (uint32_t)c->in[3].cols) };
}

static bool sampled(const target_row *r, int64_t i)
{
    const pm_view *state = &r->c->in[5];
    const uint32_t bits = pm_random_bits(pm_ref_seed(state), r->stream, 0, pm_get_u32(state, 0, PM_STATE_STEP), (uint32_t)r->b, (uint32_t)i);
    return bits >> 8 < r->threshold;
}

// The entry at column i, 0 where there is none; taken: whether the column is in the target set.
static double entry_at(target_row *r, int64_t i, bool *taken)
{
    const pm_view *col = &r->c->in[1], *val = &r->c->in[2];
    const bool known = r->at < r->end && pm_get_u32(col, 0, r->at) == i;
    const double x = known ? pm_get(val, 0, r->at++) : 0;
    *taken = x != 0 || sampled(r, i);
    return x;
}

static void zero_row(const pm_call *c, int64_t b)
{
    pm_put(c, 0, &c->out[0], b, 0, 0, 0);
    for (int64_t j = 0; j < c->out[1].cols; j++) pm_put(c, 1, &c->out[1], b, j, 0, 0);
}

// ---- losses of one cell each ----

typedef cell cell_loss(const void *params, double z, double x);

static void point_row(target_row r, const void *params, cell_loss *loss_of)
{
    double loss = 0, scale = 0;
    for (int64_t i = 0; i < r.c->in[3].cols; i++) {
        bool taken;
        const double x = entry_at(&r, i, &taken);
        const cell k = taken ? loss_of(params, pm_get(&r.c->in[3], r.b, i), x) : (cell){ 0 };
        loss += k.term;
        scale += k.term_scale;
        pm_put(r.c, 1, &r.c->out[1], r.b, i, r.weight * k.slope, r.weight * k.slope_scale);
    }
    pm_put(r.c, 0, &r.c->out[0], r.b, 0, r.weight * loss, r.weight * scale);
}

static pm_status point_loss(const pm_call *c, uint32_t size, uint32_t stream, cell_loss *loss_of)
{
    for (int64_t b = 0; b < c->in[3].rows; b++) {
        const target_row r = row_of(c, b, size, stream);
        if (r.weight == 0) zero_row(c, b);
        else point_row(r, c->params, loss_of);
    }
    return PM_OK;
}

static cell square_cell(const void *params, double z, double x)
{
    const pm_loss_square_params *q = params;
    const double p = pm_ref_sigmoid_of(z), rest = pm_ref_sigmoid_of(-z), c = x > 0 ? (q->a + 1) / 2 : 0.5, off = x > 0 ? -rest : p;
    const double term = c * off * off, slope = 2 * c * off * p * rest;
    return (cell){ term, slope, term, fabs(slope) };
}

pm_status pm_ref_loss_square(const pm_call *c)
{
    const pm_loss_square_params *q = c->params;
    return point_loss(c, q->size, q->stream, square_cell);
}

static cell cross_entropy_cell(const void *params, double z, double x)
{
    const pm_loss_cross_entropy_params *q = params;
    const double v = fmin(fmax(z, -q->bound), q->bound), inside = v == z;
    const double term = x > 0 ? q->a * pm_ref_softplus_of(-v) : pm_ref_softplus_of(v);
    const double slope = inside * (x > 0 ? -q->a * pm_ref_sigmoid_of(-z) : pm_ref_sigmoid_of(z));
    return (cell){ term, slope, term, fabs(slope) };
}

pm_status pm_ref_loss_cross_entropy(const pm_call *c)
{
    const pm_loss_cross_entropy_params *q = c->params;
    return point_loss(c, q->size, q->stream, cross_entropy_cell);
}

// (1 − p)^g for z turned round, p^g else: exp(−g · softplus(−z)). An error of the exponent is one of the value times that.
static cell power_cell(double z, double g)
{
    const double depth = g * pm_ref_softplus_of(-z), term = exp(-depth), slope = g * term * pm_ref_sigmoid_of(-z);
    return (cell){ term, slope, term * (1 + depth), slope * (1 + depth) };
}

static cell missing_cell(double z, double a, uint32_t gamma)
{
    const double t = tanh(z / 2), top = a * pow(4, -(double)gamma), power = pow(t, 2.0 * gamma - 1);
    const double term = top * power * t, slope = top * 4 * gamma * power * pm_ref_sigmoid_of(z) * pm_ref_sigmoid_of(-z);
    return (cell){ term, slope, 2 * gamma * term, 2 * gamma * fabs(slope) };
}

static cell mil_cell(const void *params, double z, double x)
{
    const pm_loss_mil_params *q = params;
    if (x == 0) return missing_cell(z, q->A, q->gmi);
    if (x < 0) return power_cell(z, q->gn);
    cell k = power_cell(-z, q->gp);
    k.slope = -k.slope;
    return k;
}

pm_status pm_ref_loss_mil(const pm_call *c)
{
    const pm_loss_mil_params *q = c->params;
    return point_loss(c, q->size, q->stream, mil_cell);
}

// ---- pairs ----

// One pair: its term, and s = −dl/d(difference of p, or of z where nothing is clipped), never negative.
static cell pair_cell(const pm_loss_pair_params *q, double zi, double zj)
{
    if (!q->clipped) {
        const double u = zi - zj, off = pm_ref_sigmoid_of(-u), term = q->cross ? pm_ref_softplus_of(-u) : off * off;
        const double s = q->cross ? off : 2 * off * off * pm_ref_sigmoid_of(u);
        return (cell){ term, s, term + s * fabs(u), s * (1 + 2 * fabs(u)) };
    }
    const double pi = pm_ref_sigmoid_of(zi), pj = pm_ref_sigmoid_of(zj), d = pi - pj, eps = q->eps, at = fmin(fmax(d, eps), 1 - eps);
    const double size = pi + pj, wide = 32 * 0x1p-24 * (1 + size);
    const double term = q->cross ? -log(at) : (1 - at) * (1 - at), s = at != d ? 0 : q->cross ? 1 / d : 2 * (1 - d);
    // rounding may put a difference on the other side of its limit, where the slope jumps: no error there is too large
    const bool open = fabs(d - eps) <= wide || fabs(d - (1 - eps)) <= wide;
    return (cell){ term, s, fabs(term) + size * (q->cross ? 1 / at : 2) + (1 + size) * (q->cross ? 1 / at : 1),
                   open ? INFINITY : at != d ? 0 : q->cross ? s + size / (d * d) : 2 * (1 + size) };
}

// What the slope of p does to that of a pair.
static double link_slope(const pm_loss_pair_params *q, double z)
{
    return q->clipped ? pm_ref_sigmoid_of(z) * pm_ref_sigmoid_of(-z) : 1;
}

static void add_pair(cell *sum, cell k)
{
    sum->term += k.term;
    sum->slope += k.slope;
    sum->term_scale += k.term_scale;
    sum->slope_scale += k.slope_scale;
}

// Everything of column i: summed over the sampled columns where it is liked, over the liked ones where it is sampled.
static cell pairs_of(const target_row *r, const pm_loss_pair_params *q, int64_t i, bool liked)
{
    const pm_view *z = &r->c->in[3];
    const double v = pm_get(z, r->b, i);
    cell sum = { 0 };
    int64_t e = r->at;
    for (int64_t j = 0; liked && j < z->cols; j++) {
        const bool known = e < r->end && pm_get_u32(&r->c->in[1], 0, e) == j, other = known && pm_get(&r->c->in[2], 0, e) > 0;
        e += known;
        if (!other && sampled(r, j)) add_pair(&sum, pair_cell(q, v, pm_get(z, r->b, j)));
    }
    for (; !liked && e < r->end; e++)
        if (pm_get(&r->c->in[2], 0, e) > 0) add_pair(&sum, pair_cell(q, pm_get(z, r->b, pm_get_u32(&r->c->in[1], 0, e)), v));
    const double link = (liked ? -1 : 1) * link_slope(q, v);
    sum.slope *= link;
    sum.slope_scale = link == 0 ? 0 : sum.slope_scale * fabs(link);
    return sum;
}

static void pair_row(const target_row *r, const pm_loss_pair_params *q)
{
    target_row at = *r;
    double loss = 0, scale = 0;
    for (int64_t i = 0; i < r->c->in[3].cols; i++) {
        bool taken;
        const bool liked = entry_at(&at, i, &taken) > 0;
        const cell k = taken ? pairs_of(r, q, i, liked) : (cell){ 0 };
        if (liked) loss += k.term, scale += k.term_scale;
        pm_put(r->c, 1, &r->c->out[1], r->b, i, r->weight * k.slope, r->weight * k.slope_scale);
    }
    pm_put(r->c, 0, &r->c->out[0], r->b, 0, r->weight * loss, r->weight * scale);
}

pm_status pm_ref_loss_pair(const pm_call *c)
{
    const pm_loss_pair_params *q = c->params;
    for (int64_t b = 0; b < c->in[3].rows; b++) {
        const target_row r = row_of(c, b, q->size, q->stream);
        if (r.weight == 0) zero_row(c, b);
        else pair_row(&r, q);
    }
    return PM_OK;
}
