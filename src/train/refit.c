// Splits made from splits: training once more on train + validation; a part in the item numbers of another run.
#include "train/trainer.h"

// Entries of a CSR, row by row, appended to triples with rows renumbered.
typedef struct triples {
    uint32_t *row, *col;
    float    *val;
    int64_t   count;
} triples;

static void append_row(triples *t, uint32_t row, const pm_csr *m, int64_t r)
{
    for (uint32_t e = m->indptr[r]; e < m->indptr[r + 1]; e++) {
        t->row[t->count] = row;
        t->col[t->count] = m->col[e];
        t->val[t->count++] = m->val[e];
    }
}

static pm_status make_triples(const void *parent, int64_t capacity, triples *t)
{
    *t = (triples){ pm_new_array(parent, uint32_t, capacity), pm_new_array(parent, uint32_t, capacity), pm_new_array(parent, float, capacity), 0 };
    return t->row && t->col && t->val ? PM_OK : PM_ERR_NOMEM;
}

static pm_status build(const void *parent, const triples *t, int64_t rows, int64_t cols, pm_csr *out)
{
    int64_t duplicates;
    return pm_csr_build(parent, rows, cols, t->count, t->row, t->col, t->val, NULL, out, &duplicates);
}

pm_status pm_split_refit(const void *parent, const pm_split *split, pm_split **out)
{
    *out = NULL;
    pm_split *s = pm_new(parent, pm_split);
    PM_CHECK_ALLOC(s);
    *s = *split;
    const int64_t known = pm_ids_count(split->users);
    uint32_t *row_of = pm_new_array(s, uint32_t, known);    // 1 + the training row of each user, 0: none yet
    s->train_user = pm_new_array(s, uint32_t, split->train.rows + split->valid.users);
    triples t;
    PM_CHECK_ALLOC(row_of);
    PM_CHECK_ALLOC(s->train_user);
    PM_TRY(make_triples(s, split->train.nnz + split->valid.input.nnz + split->valid.target.nnz, &t));
    uint32_t rows = 0;
    for (int64_t r = 0; r < split->train.rows; r++) {
        s->train_user[rows] = split->train_user[r];
        row_of[split->train_user[r]] = ++rows;
        append_row(&t, rows - 1, &split->train, r);
    }
    for (int64_t r = 0; r < split->valid.users; r++) {
        const uint32_t user = split->valid.user[r];
        if (!row_of[user]) {    // held out of training: the known items come along
            s->train_user[rows] = user;
            row_of[user] = ++rows;
            append_row(&t, rows - 1, &split->valid.input, r);
        }
        append_row(&t, row_of[user] - 1, &split->valid.target, r);
    }
    PM_TRY(build(s, &t, rows, split->train.cols, &s->train));
    s->valid = (pm_eval_part){ 0 };
    pm_free(t.row);
    pm_free(t.col);
    pm_free(t.val);
    pm_free(row_of);
    *out = s;
    return PM_OK;
}

pm_status pm_matrix_remap(const void *parent, const pm_csr *in, const pm_ids *from, const pm_ids *to, pm_csr *out, int64_t *dropped)
{
    triples t;
    PM_TRY(make_triples(parent, in->nnz, &t));
    for (int64_t r = 0; r < in->rows; r++)
        for (uint32_t e = in->indptr[r]; e < in->indptr[r + 1]; e++) {
            const int64_t item = pm_ids_find(to, pm_ids_name(from, in->col[e]));
            if (item < 0) {
                ++*dropped;
                continue;
            }
            t.row[t.count] = (uint32_t)r;
            t.col[t.count] = (uint32_t)item;
            t.val[t.count++] = in->val[e];
        }
    return build(parent, &t, in->rows, pm_ids_count(to), out);
}

pm_status pm_part_remap(const void *parent, const pm_split *split, const pm_eval_part *part, const pm_ids *items, pm_eval_part *out,
                        int64_t *dropped)
{
    *out = *part;
    PM_TRY(pm_matrix_remap(parent, &part->input, split->items, items, &out->input, dropped));
    PM_TRY(pm_matrix_remap(parent, &part->target, split->items, items, &out->target, dropped));
    if (!part->sampled) return PM_OK;
    out->candidate_ptr = pm_new_array(parent, uint32_t, part->users + 1);
    out->candidate = pm_new_array(parent, uint32_t, part->candidate_ptr[part->users]);
    PM_CHECK_ALLOC(out->candidate_ptr);
    PM_CHECK_ALLOC(out->candidate);
    uint32_t n = 0;
    for (int64_t u = 0; u < part->users; u++) {
        for (uint32_t c = part->candidate_ptr[u]; c < part->candidate_ptr[u + 1]; c++) {
            const int64_t item = pm_ids_find(items, pm_ids_name(split->items, part->candidate[c]));
            PM_REQUIRE(parent, item >= 0 || c != part->candidate_ptr[u], PM_ERR_DATA, "the target of user \"%s\" is no item of the run",
                       pm_ids_name(split->users, part->user[u]));
            if (item >= 0) out->candidate[n++] = (uint32_t)item;
            else ++*dropped;
        }
        out->candidate_ptr[u + 1] = n;
    }
    return PM_OK;
}
