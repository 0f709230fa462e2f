// Ratings on the scale of a model: from [lo, hi] to [-1, 1], less the means of users and items; and back.
#include "train/rating.h"

#include <math.h>

#include <pumice/state.h>

static const char *const names[PM_CENTER_TENSORS] = { "center.range", "center.user", "center.item", "center.seen" };

bool pm_predicts_ratings(const pm_config *config)
{
    return pm_config_model(config)->ratings && pm_config_text(config, "center");
}

bool pm_is_center(const char *name)
{
    for (int i = 0; i < PM_COUNT(names); i++)
        if (pm_name_equal(name, names[i])) return true;
    return false;
}

static double half_of(const pm_center *c)
{
    return c->hi > c->lo ? 0.5 * ((double)c->hi - (double)c->lo) : 1.0;    // one rating alone: 0 on the scale
}

static double middle_of(const pm_center *c)
{
    return 0.5 * ((double)c->lo + (double)c->hi);
}

static double scaled(const pm_center *c, float rating)
{
    return ((double)rating - middle_of(c)) / half_of(c);
}

static pm_status choose_range(pm_session *s, const pm_rating_params *p)
{
    const pm_csr *m = &s->split->train;
    pm_center *c = s->center;
    c->lo = c->hi = m->nnz ? m->val[0] : 0;
    for (int64_t e = 0; e < m->nnz; e++) {
        PM_REQUIRE(s, isfinite(m->val[e]), PM_ERR_DATA, "a training rating is %g", (double)m->val[e]);
        c->lo = fminf(c->lo, m->val[e]);
        c->hi = fmaxf(c->hi, m->val[e]);
    }
    if (p->has_range) {
        c->lo = (float)p->lo;
        c->hi = (float)p->hi;
    }
    return PM_OK;
}

// Means of the scaled training ratings; where there are none, the mean of all.
static pm_status measure(pm_session *s)
{
    const pm_csr *m = &s->split->train;
    pm_center *c = s->center;
    double *sum = pm_new_array(c, double, m->cols), all = 0;
    int64_t *count = pm_new_array(c, int64_t, m->cols);
    c->users = m->rows;
    c->items = m->cols;
    c->user = pm_new_array(c, float, PM_MAX(m->rows, 1));
    c->item = pm_new_array(c, float, PM_MAX(m->cols, 1));
    c->seen = pm_new_array(c, float, PM_MAX(m->cols, 1));
    if (!sum || !count || !c->user || !c->item || !c->seen) return PM_ERR_NOMEM;
    for (int64_t r = 0; r < m->rows; r++) {
        double own = 0;
        for (uint32_t e = m->indptr[r]; e < m->indptr[r + 1]; e++) {
            const double x = scaled(c, m->val[e]);
            own += x;
            sum[m->col[e]] += x;
            count[m->col[e]]++;
        }
        all += own;
        c->user[r] = m->indptr[r + 1] > m->indptr[r] ? (float)(own / (double)(m->indptr[r + 1] - m->indptr[r])) : 0;
    }
    c->mean = m->nnz ? (float)(all / (double)m->nnz) : 0;
    for (int64_t r = 0; r < m->rows; r++)
        if (m->indptr[r + 1] == m->indptr[r]) c->user[r] = c->mean;
    for (int64_t i = 0; i < m->cols; i++) {
        c->item[i] = count[i] ? (float)(sum[i] / (double)count[i]) : c->mean;
        c->seen[i] = count[i] > 0;
    }
    pm_free(sum);
    pm_free(count);
    return PM_OK;
}

static pm_status map_rows(pm_session *s)
{
    pm_center *c = s->center;
    const pm_split *split = s->split;
    const int64_t users = pm_ids_count(split->users);
    c->row_of = pm_new_array(c, uint32_t, PM_MAX(users, 1));
    PM_CHECK_ALLOC(c->row_of);
    for (int64_t u = 0; u < users; u++) c->row_of[u] = PM_ID_NONE;
    for (int64_t r = 0; r < PM_MIN(split->train.rows, c->users); r++) c->row_of[split->train_user[r]] = (uint32_t)r;
    return PM_OK;
}

pm_status pm_center_create(pm_session *s)
{
    const pm_config *config = s->config;
    if (!pm_predicts_ratings(config)) return PM_OK;
    pm_center *c = s->center = pm_new(s, pm_center);
    PM_CHECK_ALLOC(c);
    const bool both = pm_config_is(config, "center", "both");
    c->by_user = both || pm_config_is(config, "center", "user");
    c->by_item = both || pm_config_is(config, "center", "item");
    c->by_mean = both ? -1 : pm_config_is(config, "center", "global") ? 1 : 0;
    return PM_OK;
}

// [rows, 1] of each tensor, in the order of `names`; range: lo, hi, mean.
static pm_status add_tensor(pm_session *s, int i, int64_t rows, const float *values)
{
    PM_TRY(pm_store_add(s->store, names[i], PM_F32, PM_MAX(rows, 1), 1));
    return pm_store_write(s->store, names[i], values);
}

pm_status pm_center_measure(pm_session *s, const pm_rating_params *params)
{
    pm_center *c = s->center;
    if (!c) return PM_OK;
    PM_TRY(choose_range(s, params));
    PM_TRY(measure(s));
    PM_TRY(map_rows(s));
    if (!params->has_range)
        pm_log(s, PM_LOG_INFO, "ratings go from %g to %g in the training part, which is taken for their range; --rating-range declares another", (double)c->lo,
               (double)c->hi);
    if (c->lo == c->hi) pm_log(s, PM_LOG_WARN, "every training rating is %g: there is nothing to learn from them", (double)c->lo);
    const float range[3] = { c->lo, c->hi, c->mean };
    PM_TRY(add_tensor(s, 0, 3, range));
    PM_TRY(add_tensor(s, 1, c->users, c->user));
    PM_TRY(add_tensor(s, 2, c->items, c->item));
    return add_tensor(s, 3, c->items, c->seen);
}

const char *pm_center_tensor(const pm_session *s, int i, int64_t *rows)
{
    if (!s->center || i < 0 || i >= PM_CENTER_TENSORS) return NULL;
    *rows = PM_MAX(i == 0 ? 3 : i == 1 ? s->center->users : s->center->items, 1);
    return names[i];
}

pm_status pm_center_set(pm_session *s, int i, int64_t rows, const float *values)
{
    pm_center *c = s->center;
    float **to[PM_CENTER_TENSORS] = { NULL, &c->user, &c->item, &c->seen };
    if (i == 0) {
        PM_REQUIRE(s, rows == 3 && isfinite(values[0]) && isfinite(values[1]) && isfinite(values[2]), PM_ERR_FORMAT, "the range of ratings that the run kept is damaged");
        c->lo = values[0];
        c->hi = values[1];
        c->mean = values[2];
        return PM_OK;
    }
    *to[i] = pm_new_array(c, float, rows);
    PM_CHECK_ALLOC(*to[i]);
    memcpy(*to[i], values, (size_t)rows * sizeof *values);
    if (i == 1) c->users = rows;
    else c->items = rows;
    return i == 1 ? map_rows(s) : PM_OK;
}

pm_status pm_center_extend(pm_session *s)
{
    pm_center *c = s->center;
    const pm_csr *m = &s->split->train;
    if (!c || c->items == m->cols) return PM_OK;
    const int64_t old = c->items, all = m->cols;
    double *sum = pm_new_array(c, double, all);
    int64_t *count = pm_new_array(c, int64_t, all);
    float *item = pm_new_array(c, float, all), *seen = pm_new_array(c, float, all);
    if (!sum || !count || !item || !seen) return PM_ERR_NOMEM;
    for (int64_t e = 0; e < m->nnz; e++) {
        sum[m->col[e]] += scaled(c, m->val[e]);
        count[m->col[e]]++;
    }
    for (int64_t i = 0; i < all; i++) {
        item[i] = i < old ? c->item[i] : count[i] ? (float)(sum[i] / (double)count[i]) : c->mean;
        seen[i] = i < old ? c->seen[i] : count[i] > 0;
    }
    c->item = item;
    c->seen = seen;
    c->items = all;
    return PM_OK;
}

void pm_center_forget_users(pm_session *s)
{
    if (s->center) s->center->users = 0;
}

// A user's mean: of the training ratings, of a stranger's known ones, else of all.
static double user_mean(const pm_session *s, uint32_t user, const pm_csr *m, int64_t row, bool *seen)
{
    const pm_center *c = s->center;
    const bool of_data = c->users && user < pm_ids_count(s->split->users);
    const uint32_t at = of_data ? c->row_of[user] : PM_ID_NONE;
    *seen = true;
    if (at != PM_ID_NONE) return c->user[at];
    const int64_t n = (int64_t)m->indptr[row + 1] - m->indptr[row];
    *seen = n > 0 && (s->split->held_out_users || !of_data || s->split->train.rows == 0);
    if (!*seen) return c->mean;
    double sum = 0;
    for (uint32_t e = m->indptr[row]; e < m->indptr[row + 1]; e++) sum += scaled(c, m->val[e]);
    return sum / (double)n;
}

static double item_part(const pm_center *c, uint32_t item)
{
    return (c->by_item ? (double)c->item[item] : 0) + c->by_mean * (double)c->mean;
}

pm_status pm_center_apply(const pm_session *s, const void *parent, const pm_csr *m, const uint32_t *user, pm_csr *out)
{
    const pm_center *c = s->center;
    PM_REQUIRE(s, c->items == m->cols, PM_ERR_FORMAT, "the run kept the means of %" PRId64 " items, and there are %" PRId64, c->items, m->cols);
    *out = *m;
    out->val = pm_new_array(parent, float, PM_MAX(m->nnz, 1));
    PM_CHECK_ALLOC(out->val);
    bool seen;
    for (int64_t r = 0; r < m->rows; r++) {
        const double own = c->by_user ? user_mean(s, user[r], m, r, &seen) : 0;
        for (uint32_t e = m->indptr[r]; e < m->indptr[r + 1]; e++) out->val[e] = (float)(scaled(c, m->val[e]) - own - item_part(c, m->col[e]));
    }
    return PM_OK;
}

float pm_center_base(const pm_session *s)
{
    const pm_center *c = s->center;
    return c->by_user || c->by_item || c->by_mean ? 0 : c->mean;
}

float pm_center_scale(const pm_session *s)
{
    return (float)half_of(s->center);
}

pm_status pm_center_items(pm_session *s, bool *unseen)
{
    static const char shift[] = "center.shift", known[] = "center.known";
    const pm_center *c = s->center;
    *unseen = false;
    for (int64_t i = 0; i < c->items; i++) *unseen = *unseen || c->seen[i] == 0;
    if (pm_store_find(s->store, shift, NULL, NULL, NULL)) return PM_OK;
    float *value = pm_new_array(s, float, c->items);
    PM_CHECK_ALLOC(value);
    for (int64_t i = 0; i < c->items; i++) value[i] = (float)(middle_of(c) + half_of(c) * (item_part(c, (uint32_t)i) + (double)pm_center_base(s)));
    PM_TRY(pm_store_add(s->store, shift, PM_F32, c->items, 1));
    PM_TRY(pm_store_write(s->store, shift, value));
    pm_free(value);
    PM_TRY(pm_store_add(s->store, known, PM_F32, c->items, 1));
    return pm_store_write(s->store, known, c->seen);
}

void pm_center_users(const pm_session *s, const pm_csr *m, const uint32_t *user, float *shift, float *known, bool *unseen)
{
    const pm_center *c = s->center;
    bool seen;
    *unseen = false;
    for (int64_t r = 0; r < m->rows; r++) {
        const double mean = user_mean(s, user[r], m, r, &seen);
        shift[r] = c->by_user ? (float)(half_of(c) * mean) : 0;
        known[r] = seen;
        *unseen = *unseen || !seen;
    }
}

float pm_center_clip(const pm_session *s, float rating)
{
    return fminf(fmaxf(rating, s->center->lo), s->center->hi);
}
