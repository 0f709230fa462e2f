// Compressed rows from triples by two stable counting sorts (by column, then by row), so that columns ascend and repeats
// lie side by side in the order they came.
#include "data/internal.h"

#include <stdlib.h>

static pm_status csr_alloc(const void *parent, int64_t rows, int64_t cols, int64_t nnz, bool with_time, pm_csr *out)
{
    *out = (pm_csr){ .rows = rows, .cols = cols, .nnz = nnz };
    out->indptr = pm_new_array(parent, uint32_t, rows + 1);
    out->col = pm_new_array(parent, uint32_t, nnz);
    out->val = pm_new_array(parent, float, nnz);
    out->time = with_time ? pm_new_array(parent, int64_t, nnz) : NULL;
    const bool ok = out->indptr && out->col && out->val && (out->time || !with_time);
    if (!ok) pm_csr_free(out);
    return ok ? PM_OK : PM_ERR_NOMEM;
}

void pm_csr_free(pm_csr *csr)
{
    pm_free(csr->indptr);
    pm_free(csr->col);
    pm_free(csr->val);
    pm_free(csr->time);
    *csr = (pm_csr){ 0 };
}

// order[k] = the k-th entry of `in_order` (NULL: 0, 1, …) when sorted stably by key. start: [keys + 1] zeroed scratch.
static void counting_sort(const uint32_t *key, const uint32_t *in_order, int64_t count, int64_t keys, uint32_t *start,
                          uint32_t *order)
{
    for (int64_t i = 0; i < count; i++) start[key[i] + 1]++;
    for (int64_t k = 0; k < keys; k++) start[k + 1] += start[k];
    for (int64_t i = 0; i < count; i++) {
        const uint32_t e = in_order ? in_order[i] : (uint32_t)i;
        order[start[key[e]]++] = e;
    }
}

static pm_status sorted_order(const void *scratch, int64_t rows, int64_t cols, int64_t count, const uint32_t *row,
                              const uint32_t *col, uint32_t **out)
{
    uint32_t *by_col = pm_new_array(scratch, uint32_t, count), *by_row = pm_new_array(scratch, uint32_t, count);
    uint32_t *col_start = pm_new_array(scratch, uint32_t, cols + 1), *row_start = pm_new_array(scratch, uint32_t, rows + 1);
    if (!by_col || !by_row || !col_start || !row_start) return PM_ERR_NOMEM;
    counting_sort(col, NULL, count, cols, col_start, by_col);
    counting_sort(row, by_col, count, rows, row_start, by_row);
    *out = by_row;
    return PM_OK;
}

static pm_status build(const void *parent, const void *scratch, int64_t rows, int64_t cols, int64_t count,
                       const uint32_t *row, const uint32_t *col, const float *val, const int64_t *time, pm_csr *out,
                       int64_t *duplicates)
{
    uint32_t *order = NULL;
    PM_TRY(sorted_order(scratch, rows, cols, count, row, col, &order));
    int64_t kept = 0;
    for (int64_t k = 0; k < count; k++) {
        const bool repeat = k > 0 && row[order[k]] == row[order[k - 1]] && col[order[k]] == col[order[k - 1]];
        if (!repeat) order[kept++] = order[k];    // kept <= k, and a repeat's group is led by the one kept
    }
    PM_TRY(csr_alloc(parent, rows, cols, kept, time != NULL, out));
    for (int64_t k = 0; k < kept; k++) {
        const uint32_t e = order[k];
        out->indptr[row[e] + 1]++;
        out->col[k] = col[e];
        out->val[k] = val ? val[e] : 1.0f;
        if (time) out->time[k] = time[e];
    }
    for (int64_t r = 0; r < rows; r++) out->indptr[r + 1] += out->indptr[r];
    if (duplicates) *duplicates = count - kept;
    return PM_OK;
}

pm_status pm_csr_build(const void *parent, int64_t rows, int64_t cols, int64_t count, const uint32_t *row,
                       const uint32_t *col, const float *val, const int64_t *time, pm_csr *out, int64_t *duplicates)
{
    *out = (pm_csr){ 0 };
    PM_REQUIRE(parent, rows >= 0 && cols >= 0 && rows < UINT32_MAX && cols < UINT32_MAX && count >= 0 && count < UINT32_MAX,
               PM_ERR_ARG, "csr: %" PRId64 " entries of [%" PRId64 ", %" PRId64 "] do not fit into 32-bit indices", count,
               rows, cols);
    for (int64_t i = 0; i < count; i++)
        PM_REQUIRE(parent, row[i] < rows && col[i] < cols, PM_ERR_ARG,
                   "csr: entry %" PRId64 " at (%u, %u) lies outside [%" PRId64 ", %" PRId64 "]", i, row[i], col[i], rows,
                   cols);
    char *scratch = pm_new(parent, char);
    PM_CHECK_ALLOC(scratch);
    const pm_status st = build(parent, scratch, rows, cols, count, row, col, val, time, out, duplicates);
    pm_free(scratch);
    return st;
}

pm_status pm_csr_transposed(const void *parent, const pm_csr *in, pm_csr *out)
{
    PM_TRY(csr_alloc(parent, in->cols, in->rows, in->nnz, in->time != NULL, out));
    uint32_t *next = pm_new_array(parent, uint32_t, in->cols + 1);
    if (!next) {
        pm_csr_free(out);
        return PM_ERR_NOMEM;
    }
    for (int64_t e = 0; e < in->nnz; e++) out->indptr[in->col[e] + 1]++;
    for (int64_t c = 0; c < in->cols; c++) out->indptr[c + 1] += out->indptr[c];
    memcpy(next, out->indptr, (size_t)in->cols * sizeof *next);
    for (int64_t r = 0; r < in->rows; r++) {
        for (uint32_t e = in->indptr[r]; e < in->indptr[r + 1]; e++) {
            const uint32_t to = next[in->col[e]]++;
            out->col[to] = (uint32_t)r;
            out->val[to] = in->val[e];
            if (in->time) out->time[to] = in->time[e];
        }
    }
    pm_free(next);
    return PM_OK;
}

int64_t pm_csr_find(const pm_csr *csr, int64_t row, uint32_t col)
{
    uint32_t low = csr->indptr[row], high = csr->indptr[row + 1];
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (csr->col[middle] < col) low = middle + 1;
        else high = middle;
    }
    return low < csr->indptr[row + 1] && csr->col[low] == col ? (int64_t)low : -1;
}

pm_status pm_csr_take_rows(const void *parent, const pm_csr *in, const uint32_t *rows, int64_t count, pm_csr *out)
{
    int64_t nnz = 0;
    for (int64_t r = 0; r < count; r++) nnz += in->indptr[rows[r] + 1] - in->indptr[rows[r]];
    PM_TRY(csr_alloc(parent, count, in->cols, nnz, in->time != NULL, out));
    for (int64_t r = 0; r < count; r++) {
        const uint32_t from = in->indptr[rows[r]], n = in->indptr[rows[r] + 1] - from, to = out->indptr[r];
        out->indptr[r + 1] = to + n;
        if (n == 0) continue;
        memcpy(out->col + to, in->col + from, n * sizeof *in->col);
        memcpy(out->val + to, in->val + from, n * sizeof *in->val);
        if (in->time) memcpy(out->time + to, in->time + from, n * sizeof *in->time);
    }
    return PM_OK;
}

pm_status pm_csr_of_list(const void *parent, const pm_list *list, int64_t rows, int64_t cols, pm_csr *out)
{
    return pm_csr_build(parent, rows, cols, list->count, list->user, list->item, list->value,
                        list->has_time ? list->time : NULL, out, NULL);
}

static int longer_first(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x < y) - (x > y);
}

int64_t pm_csr_longest_rows(const void *object, const pm_csr *m, int64_t rows)
{
    uint32_t *lengths = pm_new_array(object, uint32_t, PM_MAX(m->rows, 1));
    if (!lengths) return -1;
    for (int64_t i = 0; i < m->rows; i++) lengths[i] = m->indptr[i + 1] - m->indptr[i];
    qsort(lengths, (size_t)m->rows, sizeof *lengths, longer_first);
    int64_t sum = 0;
    for (int64_t i = 0; i < m->rows && i < rows; i++) sum += lengths[i];
    pm_free(lengths);
    return PM_MAX(sum, 1);
}
