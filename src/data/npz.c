// SciPy CSR matrices, a row a user: Rtrain.npz with Rvalid.npz, Rtest.npz and Rtime.npz, which holds times in the same
// cells.
#include "data/internal.h"
#include "data/zip.h"

#include <math.h>

typedef struct matrix {
    pm_zip     *zip;
    const char *path;
    int64_t     rows, cols;
    pm_npy      data, indices, indptr;
} matrix;

// Empty rows and columns have ids too, so their number must be in proportion to the file.
enum { FREE_IDS = 1000000, IDS_PER_ENTRY = 64 };

static bool is_numeric(const pm_npy *a)
{
    return a->kind != 'S' && a->kind != 'U';
}

static pm_status check_format(matrix *m)
{
    pm_npy format;
    PM_TRY(pm_zip_npy(m->zip, "format.npy", &format));
    char text[8] = "";
    const int step = format.kind == 'U' ? 4 : 1;
    for (int k = 0; k * step < format.width && k < 7 && !is_numeric(&format) && format.count == 1; k++)
        text[k] = format.data[k * step];
    char shown[PM_SHOWN];
    PM_REQUIRE(m->zip, pm_name_equal(text, "csr"), PM_ERR_DATA,
               "%s: the matrix is in format %s; convert it with .tocsr() before saving", m->path,
               pm_shown(shown, text, strlen(text)));
    return PM_OK;
}

static pm_status check_shape(matrix *m)
{
    pm_npy shape;
    PM_TRY(pm_zip_npy(m->zip, "shape.npy", &shape));
    const bool read = shape.count == 2 && pm_npy_integer(&shape, 0, &m->rows) && pm_npy_integer(&shape, 1, &m->cols);
    PM_REQUIRE(m->zip, read && m->rows > 0 && m->cols > 0, PM_ERR_DATA,
               "%s: shape.npy: the shape is not two positive numbers; the file is damaged: make it again", m->path);
    PM_REQUIRE(m->zip, m->rows == m->indptr.count - 1, PM_ERR_DATA,
               "%s: indptr.npy: %" PRId64 " row ends for %" PRId64 " rows; the file is damaged: make it again", m->path,
               m->indptr.count - 1, m->rows);
    const int64_t most = PM_MAX(FREE_IDS, IDS_PER_ENTRY * PM_MIN(m->data.count, INT32_MAX));
    PM_REQUIRE(m->zip, m->rows <= most && m->cols <= most, PM_ERR_DATA,
               "%s: shape.npy: a shape of %" PRId64 " x %" PRId64 " for %" PRId64 " entries; drop empty rows and columns",
               m->path, m->rows, m->cols, m->data.count);
    return PM_OK;
}

static pm_status check_rows(matrix *m)
{
    int64_t before = 0, end = 0;
    for (int64_t r = 0; r <= m->rows; r++) {
        const bool ok = pm_npy_integer(&m->indptr, r, &end) && end >= before && end <= m->data.count && (r > 0 || end == 0);
        PM_REQUIRE(m->zip, ok, PM_ERR_DATA,
                   "%s: indptr.npy: entry %" PRId64 " is %" PRId64 ", where %" PRId64 " to %" PRId64
                   " was expected; the file is damaged: make it again",
                   m->path, r, end, before, r ? m->data.count : 0);
        before = end;
    }
    PM_REQUIRE(m->zip, end == m->data.count, PM_ERR_DATA,
               "%s: indptr.npy ends at %" PRId64 " of %" PRId64 " entries; the file is damaged: make it again", m->path, end,
               m->data.count);
    return PM_OK;
}

static pm_status open_matrix(const void *parent, const char *path, matrix *m)
{
    *m = (matrix){ .path = path };
    PM_TRY(pm_zip_open(parent, path, &m->zip));
    PM_TRY(check_format(m));
    PM_TRY(pm_zip_npy(m->zip, "data.npy", &m->data));
    PM_TRY(pm_zip_npy(m->zip, "indices.npy", &m->indices));
    PM_TRY(pm_zip_npy(m->zip, "indptr.npy", &m->indptr));
    PM_REQUIRE(m->zip, is_numeric(&m->data) && m->indices.count == m->data.count, PM_ERR_DATA,
               "%s: indices.npy has %" PRId64 " entries and data.npy %" PRId64 "; the file is damaged: make it again", path,
               m->indices.count, m->data.count);
    PM_TRY(check_shape(m));
    return check_rows(m);
}

static pm_status list_matrix(const void *parent, const matrix *m, pm_list *list)
{
    PM_TRY(pm_list_reserve(parent, list, PM_MAX(m->data.count, 1)));
    int64_t begin = 0, end = 0, col = -1;
    for (int64_t r = 0; r < m->rows; r++, begin = end) {
        pm_npy_integer(&m->indptr, r + 1, &end);
        for (int64_t e = begin; e < end; e++) {
            const double value = pm_npy_number(&m->data, e);
            PM_REQUIRE(m->zip, pm_npy_integer(&m->indices, e, &col) && col >= 0 && col < m->cols, PM_ERR_DATA,
                       "%s: indices.npy: entry %" PRId64 " names column %" PRId64 " of %" PRId64
                       "; the file is damaged: make it again",
                       m->path, e, col, m->cols);
            PM_REQUIRE(m->zip, isfinite((float)value), PM_ERR_DATA,
                       "%s: data.npy: entry %" PRId64 " (row %" PRId64 ", column %" PRId64 ") is not finite: %g; remove it",
                       m->path, e, r, col, value);
            PM_TRY(pm_list_add(parent, list, (uint32_t)r, (uint32_t)col, (float)value, 0));
        }
    }
    return PM_OK;
}

// Opens a companion of the training matrix; *out stays empty when there is none.
static pm_status open_companion(pm_reader *reader, const matrix *train, const char *name, matrix *out)
{
    char *path;
    *out = (matrix){ 0 };
    PM_TRY(pm_companion_path(reader->out, train->path, "Rtrain.", name, &path));
    if (!path) return PM_OK;
    PM_TRY(open_matrix(reader->out, path, out));
    PM_REQUIRE(reader->out, out->rows == train->rows && out->cols == train->cols, PM_ERR_DATA,
               "%s: a shape of %" PRId64 " x %" PRId64 " where %s has %" PRId64 " x %" PRId64
               "; both must be of the same data",
               path, out->rows, out->cols, train->path, train->rows, train->cols);
    return PM_OK;
}

static pm_status read_part(pm_reader *reader, const matrix *train, const char *name, pm_given_part *part)
{
    matrix m;
    PM_TRY(open_companion(reader, train, name, &m));
    if (!m.zip) return PM_OK;
    part->present = true;
    PM_TRY(list_matrix(reader->out, &m, &part->target));
    pm_free(m.zip);
    return PM_OK;
}

// Looks up the time of each entry in `place`, the matrix of all times.
static pm_status set_times(const matrix *times, const pm_csr *place, pm_list *list, const char *path)
{
    for (int64_t i = 0; i < list->count; i++) {
        const int64_t at = pm_csr_find(place, list->user[i], list->item[i]);
        PM_REQUIRE(times->zip, at >= 0, PM_ERR_DATA, "%s: no time for row %u, column %u of %s; each entry needs one",
                   times->path, list->user[i], list->item[i], path);
        list->time[i] = place->time[at];
    }
    list->has_time = true;
    return PM_OK;
}

static pm_status read_times(pm_reader *reader, const matrix *train, pm_list *train_list)
{
    matrix m;
    pm_list list = { 0 };
    pm_csr place;
    pm_companions *c = reader->out->companions;
    PM_TRY(open_companion(reader, train, "Rtime.", &m));
    if (!m.zip) return PM_OK;
    PM_TRY(list_matrix(m.zip, &m, &list));
    for (int64_t i = 0; i < list.count; i++) {
        const double t = pm_npy_number(&m.data, i);
        PM_REQUIRE(m.zip, t > -9.2e18 && t < 9.2e18, PM_ERR_DATA,
                   "%s: data.npy: entry %" PRId64 " is no number of seconds: %g", m.path, i, t);
        list.time[i] = (int64_t)t;
    }
    list.has_time = true;
    PM_TRY(pm_csr_of_list(m.zip, &list, m.rows, m.cols, &place));
    PM_TRY(set_times(&m, &place, train_list, train->path));
    PM_TRY(set_times(&m, &place, &c->valid.target, "Rvalid.npz"));
    PM_TRY(set_times(&m, &place, &c->test.target, "Rtest.npz"));
    pm_free(m.zip);
    return PM_OK;
}

static pm_status replace_ids(pm_reader *reader, int64_t count, pm_ids **ids)
{
    PM_REQUIRE(reader->out, count <= reader->max_ids, PM_ERR_DATA, "%s: more than %" PRId64 " rows or columns",
               reader->params->path, reader->max_ids);
    pm_free(*ids);
    *ids = NULL;
    return pm_ids_numbers(reader->out, count, ids);
}

pm_status pm_read_npz(pm_reader *reader, const char *train_path, pm_list *train)
{
    matrix m;
    pm_interactions *out = reader->out;
    PM_TRY(open_matrix(out, train_path, &m));
    PM_TRY(list_matrix(out, &m, train));
    PM_TRY(replace_ids(reader, m.rows, &out->users));
    PM_TRY(replace_ids(reader, m.cols, &out->items));
    pm_companions *c = out->companions = pm_new(out, pm_companions);
    PM_CHECK_ALLOC(c);
    c->kind = "npz";
    PM_TRY(read_part(reader, &m, "Rvalid.", &c->valid));
    PM_TRY(read_part(reader, &m, "Rtest.", &c->test));
    PM_TRY(read_times(reader, &m, train));
    pm_free(m.zip);
    if (!c->valid.present && !c->test.present) {
        pm_free(c);
        out->companions = NULL;
    }
    return PM_OK;
}
