#include "backend/cases.h"

#include <math.h>
#include <stdio.h>

#include <pumice/state.h>

#include "core/philox.h"

// 128 and 1000 for kernels that take four elements at a time.
static const int awkward[] = { 1, 3, 31, 33, 127, 128, 129, 257, 1000 };
enum { LENGTHS = 9, GUARD_WORDS = 64 };

typedef struct maker {
    pm_case              *c;
    const pm_op_info     *info;
    const pm_signature   *sig;
    const pm_case_params *params;
    uint32_t              step;    // of the places and strides of views
    pm_rng                rng;
} maker;

static uint32_t below(maker *m, int64_t n)
{
    return n > 1 ? pm_rng_below(&m->rng, (uint32_t)n) : 0;
}

static bool chance(maker *m, int one_in)
{
    return below(m, one_in) == 0;
}

static int flag_count(const pm_signature *s)
{
    int n = 0;
    for (int i = 0; i < s->params; i++) n += s->param[i].kind == PM_PARAM_FLAG;
    return n;
}

// Indices before the flags change: every symbol with every length.
static int base_count(const pm_signature *s)
{
    return PM_MAX(LENGTHS * s->symbols, 32);
}

int pm_case_count(pm_op op)
{
    return base_count(&pm_op_table[op].sig) << flag_count(&pm_op_table[op].sig);
}

// ---- lengths -------------------------------------------------------------------------------------------------------

static const pm_param_sig *dim_param(const pm_signature *s, int symbol)
{
    for (int i = 0; i < s->params; i++)
        if (s->param[i].kind == PM_PARAM_DIM && s->param[i].symbol == symbol) return &s->param[i];
    return NULL;
}

// Symbols bound by a relation follow the free ones.
static char relation_of(const pm_signature *s, int symbol)
{
    const pm_param_sig *q = dim_param(s, symbol);
    return q ? q->relation : 0;
}

static void relate(const pm_signature *s, const int64_t *wish, pm_dims *lengths)
{
    for (int i = 0; i < s->symbols; i++) {
        const pm_param_sig *q = dim_param(s, i);
        lengths->of[i] = wish[i];
        if (!q || !q->relation) continue;
        const int64_t a = wish[q->relation_to[0]];
        lengths->of[i] = q->relation == '<'   ? PM_MIN(wish[i], a)
                         : q->relation == '>' ? a + (wish[i] <= 33 ? wish[i] - 1 : 7)
                                              : a * wish[q->relation_to[1]];
    }
}

// What a case costs the reference: arithmetic, memory, and the passes that a row's selection takes.
static double cost(pm_op op, const pm_dims *lengths)
{
    const pm_signature *s = &pm_op_table[op].sig;
    double total = pm_op_flops(op, lengths), outputs = 0, longest = 0;
    for (int i = 0; i < s->ins + s->outs + s->temps; i++) {
        const double n = (double)pm_dim_length(&s->operand[i].rows, lengths) * (double)pm_dim_length(&s->operand[i].cols, lengths);
        total += n;
        if (i >= s->ins) outputs += n;
    }
    for (int i = 0; i < s->symbols; i++) longest = PM_MAX(longest, (double)lengths->of[i]);
    return total + (pm_op_table[op].klass == PM_CLASS_ROWS ? outputs * longest / 16 : 0);
}

static int64_t next_lower(int64_t length)
{
    for (int i = LENGTHS - 1; i >= 0; i--)
        if (awkward[i] < length) return awkward[i];
    return 1;
}

static void draw_lengths(maker *m)
{
    const pm_signature *s = m->sig;
    const int base = m->c->index % base_count(s), forced = s->symbols ? base % s->symbols : 0;
    const double limit = m->params->limit > 0 ? m->params->limit : 2e6;
    int64_t wish[PM_MAX_SYMBOLS] = { 0 };
    for (int i = 0; i < s->symbols && m->params->lengths; i++) m->c->lengths.of[i] = m->params->lengths[i];
    if (m->params->lengths) return;
    for (int i = 0; i < s->symbols; i++) wish[i] = m->params->plain ? 1000 : awkward[below(m, LENGTHS)];
    if (s->symbols && !m->params->plain) wish[forced] = awkward[base / s->symbols % LENGTHS];
    for (relate(s, wish, &m->c->lengths); cost(m->c->op, &m->c->lengths) > limit; relate(s, wish, &m->c->lengths)) {
        int largest = -1;
        for (int i = 0; i < s->symbols; i++)
            if (i != forced && relation_of(s, i) != '=' && wish[i] > 1 && (largest < 0 || wish[i] > wish[largest])) largest = i;
        if (largest < 0) largest = forced;
        if (wish[largest] == 1) return;
        wish[largest] = next_lower(wish[largest]);
    }
}

// ---- parameters ----------------------------------------------------------------------------------------------------

static void draw_args(maker *m)
{
    const pm_signature *s = m->sig;
    int flags = m->c->index / base_count(s);
    snprintf(m->c->stream, sizeof m->c->stream, "case.%d", m->c->index);
    for (int i = 0; i < s->params; i++) {
        const pm_param_sig *q = &s->param[i];
        pm_arg *a = &m->c->args[i];
        switch (q->kind) {
        case PM_PARAM_FLOAT:
            a->number = chance(m, 5) ? q->hi : q->lo + (q->hi - q->lo) * (float)pm_rng_unit(&m->rng);
            break;
        case PM_PARAM_U32: {
            const int64_t hi = q->hi_minus[0] < 0 ? (int64_t)q->hi
                                                  : m->c->lengths.of[q->hi_minus[0]] - m->c->lengths.of[q->hi_minus[1]];
            a->word = (uint32_t)q->lo + below(m, hi - (int64_t)q->lo + 1);
            break;
        }
        case PM_PARAM_FLAG:
            a->flag = flags & 1;
            flags >>= 1;
            break;
        case PM_PARAM_STREAM: a->stream = m->c->stream; break;
        case PM_PARAM_DIM: a->dim = m->c->lengths.of[q->symbol]; break;
        }
    }
    m->c->params = pm_params_pack(m->c->op, m->c->args);
}

// ---- memory --------------------------------------------------------------------------------------------------------

static void shape_operand(maker *m, int i)
{
    const pm_operand_sig *o = &m->sig->operand[i];
    pm_operand *p = &m->c->operand[i];
    const bool swap = o->transpose >= 0 && m->c->args[o->transpose].flag;
    p->rows = pm_dim_length(swap ? &o->cols : &o->rows, &m->c->lengths);
    p->cols = pm_dim_length(swap ? &o->rows : &o->cols, &m->c->lengths);
    p->stride = p->cols + (m->c->strided ? m->step * below(m, 8) : 0);
    p->dtype = o->dtype;
}

// The input whose memory output i takes in this case; −1.
static int alias_of(const maker *m, int i)
{
    return m->c->in_place && i >= m->sig->ins ? m->sig->operand[i].alias : -1;
}

static pm_status lay_out(maker *m)
{
    pm_case *c = m->c;
    const int total = m->sig->ins + m->sig->outs + m->sig->temps;
    const bool any_f32 = chance(m, 2);
    for (int i = 0; i < total; i++) {
        shape_operand(m, i);
        if (m->sig->operand[i].any32) c->operand[i].dtype = any_f32 ? PM_F32 : PM_U32;
        if (alias_of(m, i) >= 0) c->operand[i] = c->operand[alias_of(m, i)];
    }
    for (int i = 0; i < total; i++) {
        pm_operand *p = &c->operand[i];
        if (alias_of(m, i) >= 0) continue;
        p->buffer = c->together ? 0 : i;
        const int64_t start = c->words[p->buffer] + GUARD_WORDS;    // whole tensors start at multiples of 256 bytes
        p->offset = 4 * (start + (c->strided ? m->step * below(m, 64) : 0));
        const int64_t end = p->offset / 4 + p->rows * p->stride + GUARD_WORDS;
        c->words[p->buffer] = (end + 63) / 64 * 64;
        c->images = PM_MAX(c->images, p->buffer + 1);
    }
    for (int i = 0; i < total; i++)
        if (alias_of(m, i) >= 0) c->operand[i] = c->operand[alias_of(m, i)];
    for (int b = 0; b < c->images; b++) {
        c->words[b] = PM_MAX(c->words[b], 64);    // the slot of an alias
        c->image[b] = pm_new_array(c, uint32_t, c->words[b]);
        PM_CHECK_ALLOC(c->image[b]);
        for (int64_t k = 0; k < c->words[b]; k++) c->image[b][k] = PM_CASE_GUARD;
    }
    return PM_OK;
}

// ---- values --------------------------------------------------------------------------------------------------------

static float draw_f32(maker *m)
{
    const double u = pm_rng_unit(&m->rng), v = pm_rng_unit(&m->rng);
    const double sign = v < 0.5 ? -1 : 1, normal = sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
    switch (m->c->regime) {
    case PM_REGIME_COARSE:
        if (m->info->bound == 0 && u < 0.1) return PM_MASKED;
        return (float)(floor(normal * 2) / 2);
    case PM_REGIME_LARGE: return (float)(sign * (5000 + 15000 * u));
    case PM_REGIME_TINY: return (float)(sign * 1e-12 * (0.5 + u));
    default: return (float)normal;
    }
}

static void fill_f32(maker *m, int o, bool nonnegative)
{
    const pm_operand *p = &m->c->operand[o];
    const bool zeros = nonnegative && p->rows * p->cols > 1;
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t j = 0; j < p->cols; j++) {
            float x = draw_f32(m);
            if (nonnegative) x = zeros && chance(m, 4) ? 0 : fabsf(x) > 1e38f ? 1 : fabsf(x);
            memcpy(pm_case_at(m->c, o, i, j), &x, 4);
        }
}

// Diagonally dominant, so that what is solved with it is well conditioned.
static void fill_definite(maker *m, int o)
{
    const pm_operand *p = &m->c->operand[o];
    const double unit = m->c->regime == PM_REGIME_TINY ? 1e-24 : 1;
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t j = 0; j <= i; j++) {
            const double u = 2 * pm_rng_unit(&m->rng) - 1;
            const float x = (float)(unit * (i == j ? (double)p->rows + u : u));
            memcpy(pm_case_at(m->c, o, i, j), &x, 4);
            memcpy(pm_case_at(m->c, o, j, i), &x, 4);
        }
}

// Counts are exact as f32 up to 2²⁴; some are larger.
static void fill_u32(maker *m, int o, int64_t bound)
{
    const pm_operand *p = &m->c->operand[o];
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t j = 0; j < p->cols; j++)
            *pm_case_at(m->c, o, i, j) = bound >= 0 ? below(m, bound) : pm_rng_bits(&m->rng) >> (chance(m, 8) ? 0 : 8);
}

// 0, 1, one less than all, all, or any.
static uint32_t draw_live(maker *m, int64_t n)
{
    const uint32_t kind = m->params->plain ? 3 : below(m, 5);
    const int64_t any = below(m, n + 1);
    const int64_t v = kind == 0 ? 0 : kind == 1 ? 1 : kind == 2 ? n - 1 : kind == 3 ? n : any;
    return (uint32_t)PM_MIN(v, n);
}

static void fill_live(maker *m, int o, int64_t n)
{
    for (int64_t i = 0; i < m->c->operand[o].rows; i++) *pm_case_at(m->c, o, i, 0) = draw_live(m, n);
}

static void fill_state(maker *m, int o)
{
    uint32_t *s = pm_case_at(m->c, o, 0, 0);
    for (int i = 0; i < PM_STATE_COUNT; i++) s[i] = 0;
    int64_t batch = awkward[below(m, LENGTHS)];
    for (int i = 0; i < m->sig->symbols; i++)
        if (m->sig->symbol[i] == 'B') batch = m->c->lengths.of[i];
    s[PM_STATE_STEP] = pm_rng_bits(&m->rng) >> 8;
    s[PM_STATE_EPOCH] = below(m, 100);
    s[PM_STATE_TOTAL] = (uint32_t)(awkward[below(m, LENGTHS)] + below(m, 2));
    s[PM_STATE_POSITION] = chance(m, 2) ? 0 : below(m, s[PM_STATE_TOTAL]);
    s[PM_STATE_BATCH] = (uint32_t)batch;
    s[PM_STATE_LIVE] = PM_MIN(draw_live(m, batch), s[PM_STATE_TOTAL] - s[PM_STATE_POSITION]);
    s[PM_STATE_SLOT] = below(m, 5000);
    s[PM_STATE_PHASE] = below(m, 3);
    s[PM_STATE_SEED_LO] = pm_rng_bits(&m->rng);
    s[PM_STATE_SEED_HI] = pm_rng_bits(&m->rng);
}

static bool lies_along(const pm_operand_sig *o, int symbol)
{
    return o->rows.symbol < 0 && o->cols.symbol == symbol && o->cols.add == 0;
}

// How long a row under offsets into symbol may be: its columns are distinct.
static int64_t row_cap(const maker *m, int symbol)
{
    int64_t cap = INT64_MAX;
    for (int i = 0; i < m->sig->ins; i++) {
        const pm_operand_sig *o = &m->sig->operand[i];
        if (o->domain == PM_INDEX && lies_along(o, symbol)) cap = PM_MIN(cap, m->c->lengths.of[o->bound]);
    }
    return cap;
}

// Empty rows now and then, in some cases all rows from somewhere on, in a few all.
static void fill_offsets(maker *m, int o, int symbol)
{
    const int64_t rows = m->c->operand[o].cols - 1, cap = row_cap(m, symbol), room = m->c->lengths.of[symbol];
    const bool plain = m->params->plain;
    const int64_t live = plain ? rows : chance(m, 16) ? 0 : chance(m, 4) ? (int64_t)below(m, rows + 1) : rows;
    const int64_t mean = PM_MAX(1, 2 * room / PM_MAX(live, 1));
    int64_t at = 0;
    for (int64_t i = 0; i < rows; i++) {
        *pm_case_at(m->c, o, 0, i) = (uint32_t)at;
        if (i >= live || (!plain && chance(m, 4))) continue;
        int64_t length = (int64_t)below(m, mean) + 1;
        if (!plain && chance(m, 8)) length = room - at;
        at += PM_MIN(PM_MIN(length, cap), room - at);
    }
    *pm_case_at(m->c, o, 0, rows) = (uint32_t)at;
}

// Distinct ascending columns in each row (selection sampling), zero past the last row.
static void fill_columns(maker *m, int o, int offsets, int64_t bound)
{
    const int64_t rows = m->c->operand[offsets].cols - 1, length = m->c->operand[o].cols;
    for (int64_t i = 0; i < rows; i++) {
        const int64_t begin = *pm_case_at(m->c, offsets, 0, i), end = *pm_case_at(m->c, offsets, 0, i + 1);
        int64_t e = begin;
        for (int64_t col = 0; col < bound && e < end; col++)
            if ((int64_t)below(m, bound - col) < end - e) *pm_case_at(m->c, o, 0, e++) = (uint32_t)col;
    }
    for (int64_t e = *pm_case_at(m->c, offsets, 0, rows); e < length; e++) *pm_case_at(m->c, o, 0, e) = 0;
}

// The offsets operand that rules entries along the columns of o; −1.
static int offsets_over(const pm_signature *s, const pm_operand_sig *o)
{
    for (int i = 0; i < s->ins; i++)
        if (s->operand[i].domain == PM_OFFSETS && lies_along(o, s->operand[i].bound)) return i;
    return -1;
}

static void fill_input(maker *m, int i)
{
    const pm_operand_sig *o = &m->sig->operand[i];
    const int64_t bound = o->bound >= 0 ? m->c->lengths.of[o->bound] : -1;
    const int offsets = offsets_over(m->sig, o);
    switch (o->domain) {
    case PM_STATE: fill_state(m, i); return;
    case PM_LIVE: fill_live(m, i, bound); return;
    case PM_OFFSETS: fill_offsets(m, i, o->bound); return;
    case PM_INDEX:
        if (offsets >= 0) fill_columns(m, i, offsets, bound);
        else fill_u32(m, i, bound);
        return;
    case PM_COUNTED: fill_u32(m, i, 100); return;
    default: break;
    }
    if (m->c->operand[i].dtype == PM_U32) fill_u32(m, i, -1);
    else if (o->domain == PM_DEFINITE) fill_definite(m, i);
    else fill_f32(m, i, o->domain == PM_NONNEGATIVE);
    if (offsets < 0) return;
    for (int64_t e = *pm_case_at(m->c, offsets, 0, m->c->operand[offsets].cols - 1); e < m->c->operand[i].cols; e++)
        *pm_case_at(m->c, i, 0, e) = 0;    // entries past the last row are zero
}

// A weight a row, of which some are 0: what such rows hold must not matter.
static void poison_dead_rows(maker *m)
{
    const pm_signature *s = m->sig;
    for (int w = 0; w < s->ins; w++) {
        const pm_operand_sig *o = &s->operand[w];
        if (o->domain != PM_NONNEGATIVE || o->rows.symbol < 0 || o->cols.symbol >= 0) continue;
        for (int x = 0; x < s->ins; x++) {
            const pm_operand_sig *q = &s->operand[x];
            if (x == w || q->dtype != PM_F32 || q->domain != PM_ANY || q->rows.symbol != o->rows.symbol) continue;
            for (int64_t i = 0; i < m->c->operand[x].rows; i++)
                for (int64_t j = 0; j < m->c->operand[x].cols && *pm_case_at(m->c, w, i, 0) == 0; j++)
                    *pm_case_at(m->c, x, i, j) = PM_CASE_GUARD;
        }
    }
}

// Weights and factors of 10⁴ each make systems that single precision cannot solve, whatever the kernel.
static bool has_definite(const pm_signature *s)
{
    for (int i = 0; i < s->ins; i++)
        if (s->operand[i].domain == PM_DEFINITE) return true;
    return false;
}

static pm_status bind(maker *m)
{
    pm_shape shapes[PM_MAX_OPERANDS];
    pm_dtype dtypes[PM_MAX_OPERANDS];
    for (int i = 0; i < m->sig->ins; i++) {
        shapes[i] = (pm_shape){ m->c->operand[i].rows, m->c->operand[i].cols };
        dtypes[i] = m->c->operand[i].dtype;
    }
    return pm_op_bind(m->c, m->c->op, shapes, dtypes, m->c->args, &m->c->dims);
}

pm_status pm_case_make(const void *parent, pm_op op, int index, const pm_case_params *params, pm_case **out)
{
    *out = NULL;
    pm_case *c = pm_new(parent, pm_case);
    PM_CHECK_ALLOC(c);
    const pm_op_info *info = &pm_op_table[op];
    maker m = { .c = c, .info = info, .sig = &info->sig, .params = params,
                .rng = { .key = params->seed, .stream = pm_stream_of_name(info->name), .row = (uint32_t)index } };
    c->op = op;
    c->index = index;
    c->seed = params->seed;
    const uint32_t draw = pm_rng_bits(&m.rng);
    if (!params->plain) {
        c->regime = draw % 8 < 4 ? PM_REGIME_NORMAL : draw % 8 < 6 ? PM_REGIME_COARSE : draw % 8 < 7 ? PM_REGIME_LARGE : PM_REGIME_TINY;
        if (c->regime == PM_REGIME_LARGE && has_definite(m.sig)) c->regime = PM_REGIME_NORMAL;
        c->strided = draw >> 8 & 1;
        c->in_place = draw >> 9 & 1;
        c->together = draw >> 10 & 1;
        c->poisoned = draw >> 11 & 1;
        m.step = draw >> 12 & 1 ? 4 : 1;
    }
    draw_lengths(&m);
    draw_args(&m);
    pm_status st = lay_out(&m);
    for (int i = 0; i < m.sig->ins && st == PM_OK; i++) fill_input(&m, i);
    if (st == PM_OK && c->poisoned) poison_dead_rows(&m);
    if (st == PM_OK) st = bind(&m);
    if (st != PM_OK) {
        pm_free(c);
        return st;
    }
    *out = c;
    return PM_OK;
}

void pm_case_describe(const pm_case *c, char *text, size_t size)
{
    static const char *const regimes[] = { "normal", "coarse", "large", "tiny" };
    const pm_signature *s = &pm_op_table[c->op].sig;
    size_t n = 0;
    text[0] = 0;
    for (int i = 0; i < s->symbols && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%c=%" PRId64, i ? " " : "", s->symbol[i], c->lengths.of[i]);
    for (int i = 0; i < s->params && n < size; i++) {
        const pm_param_sig *q = &s->param[i];
        if (q->kind == PM_PARAM_FLAG && c->args[i].flag) n += (size_t)snprintf(text + n, size - n, " %s", q->name);
        if (q->kind == PM_PARAM_FLOAT) n += (size_t)snprintf(text + n, size - n, " %s=%.9g", q->name, (double)c->args[i].number);
        if (q->kind == PM_PARAM_U32) n += (size_t)snprintf(text + n, size - n, " %s=%" PRIu32, q->name, c->args[i].word);
    }
    if (n < size)
        snprintf(text + n, size - n, ", %s%s%s%s%s; seed %" PRIu64 " case %d", regimes[c->regime], c->strided ? ", strided" : "",
                 c->in_place ? ", in place" : "", c->together ? ", one buffer" : "", c->poisoned ? ", NaN in dead rows" : "", c->seed,
                 c->index);
}
