#include "train/arrivals.h"

typedef struct extension {
    pm_split    *s;
    pm_arrivals *a;
    uint32_t    *row_of;    // [users] of the training matrix, plus 1; 0: none
    int64_t      rows;      // of it, new ones included
} extension;

// The numbers of interactions that are new; ids are added.
static pm_status number(const extension *x, const pm_interactions *in, const uint32_t *old_row, int64_t old_users)
{
    pm_split *s = x->s;
    pm_arrivals *a = x->a;
    const int64_t users = pm_ids_count(s->users), items = pm_ids_count(s->items);
    for (int64_t n = 0; n < in->count; n++) {
        const char *user = pm_ids_name(in->users, in->user[n]), *item = pm_ids_name(in->items, in->item[n]);
        uint32_t u, i;
        PM_TRY(pm_ids_add(s->users, user, strlen(user), &u));
        PM_TRY(pm_ids_add(s->items, item, strlen(item), &i));
        if (u < old_users && old_row[u] && i < s->train.cols && pm_csr_find(&s->train, old_row[u] - 1, i) >= 0) {
            a->known++;
            continue;
        }
        a->user[a->count] = u;
        a->item[a->count] = i;
        a->value[a->count++] = in->value[n];
    }
    a->new_users = pm_ids_count(s->users) - users;
    a->new_items = pm_ids_count(s->items) - items;
    return PM_OK;
}

// m with the arrivals of the users that have a row (row_of: plus 1); `rows` rows.
static pm_status extend_matrix(const extension *x, const uint32_t *row_of, int64_t rows, pm_csr *m)
{
    const pm_arrivals *a = x->a;
    const int64_t most = PM_MAX(m->nnz + a->count, 1);
    uint32_t *row = pm_new_array(x->s, uint32_t, most), *col = pm_new_array(x->s, uint32_t, most);
    float *val = pm_new_array(x->s, float, most);
    if (!row || !col || !val) return PM_ERR_NOMEM;
    int64_t n = 0;
    for (int64_t r = 0; r < m->rows; r++)
        for (uint32_t e = m->indptr[r]; e < m->indptr[r + 1]; e++, n++) {
            row[n] = (uint32_t)r;
            col[n] = m->col[e];
            val[n] = m->val[e];
        }
    for (int64_t k = 0; k < a->count; k++) {
        if (!row_of[a->user[k]]) continue;
        row[n] = row_of[a->user[k]] - 1;
        col[n] = a->item[k];
        val[n++] = a->value[k];
    }
    pm_csr_free(m);
    const pm_status st = pm_csr_build(x->s, rows, pm_ids_count(x->s->items), n, row, col, val, NULL, m, NULL);
    pm_free(row);
    pm_free(col);
    pm_free(val);
    return st;
}

// Rows for the users who had none, in order of arrival.
static pm_status extend_training(extension *x)
{
    pm_split *s = x->s;
    uint32_t *user = pm_new_array(s, uint32_t, PM_MAX(s->train.rows + x->a->count, 1));
    PM_CHECK_ALLOC(user);
    memcpy(user, s->train_user, sizeof *user * (size_t)s->train.rows);
    x->rows = s->train.rows;
    for (int64_t k = 0; k < x->a->count; k++) {
        const uint32_t u = x->a->user[k];
        if (x->row_of[u]) continue;
        user[x->rows++] = u;
        x->row_of[u] = (uint32_t)x->rows;
    }
    s->train_user = user;
    s->interactions += x->a->count;
    return extend_matrix(x, x->row_of, x->rows, &s->train);
}

static pm_status extend_part(const extension *x, pm_eval_part *p)
{
    uint32_t *row_of = pm_new_array(x->s, uint32_t, PM_MAX(pm_ids_count(x->s->users), 1));
    PM_CHECK_ALLOC(row_of);
    for (int64_t r = 0; r < p->users; r++) row_of[p->user[r]] = (uint32_t)r + 1;
    for (int64_t k = 0; k < x->a->count && p->users; k++) {
        const uint32_t row = row_of[x->a->user[k]];
        x->a->awaited += row && x->a->item[k] < p->target.cols && pm_csr_find(&p->target, row - 1, x->a->item[k]) >= 0;
    }
    const pm_status st = p->users ? extend_matrix(x, row_of, p->users, &p->input) : PM_OK;
    p->input.cols = p->target.cols = pm_ids_count(x->s->items);
    pm_free(row_of);
    return st;
}

pm_status pm_split_extend(pm_split *s, const pm_interactions *in, pm_arrivals *a)
{
    const int64_t old_users = pm_ids_count(s->users), most = old_users + in->count;
    *a = (pm_arrivals){ .user = pm_new_array(s, uint32_t, PM_MAX(in->count, 1)), .item = pm_new_array(s, uint32_t, PM_MAX(in->count, 1)),
                        .value = pm_new_array(s, float, PM_MAX(in->count, 1)) };
    extension x = { s, a, pm_new_array(s, uint32_t, PM_MAX(most, 1)), 0 };
    if (!a->user || !a->item || !a->value || !x.row_of) return PM_ERR_NOMEM;
    for (int64_t r = 0; r < s->train.rows; r++) x.row_of[s->train_user[r]] = (uint32_t)r + 1;
    PM_TRY(number(&x, in, x.row_of, old_users));
    PM_TRY(extend_part(&x, &s->valid));
    PM_TRY(extend_part(&x, &s->test));
    PM_TRY(extend_training(&x));
    s->below.cols = s->train.cols;
    pm_free(x.row_of);
    return PM_OK;
}
