// Writing: the header is known before the first byte of data, but for the hash, whose digits are patched in at the end.
#include "train/safetensors.h"

#include <errno.h>
#include <stdio.h>

#include "core/file.h"
#include "core/hash.h"
#include "data/fields.h"
#include "train/json.h"

struct pm_st_writer {
    pm_file *file;
    char    *path;
    pm_json *header;
    cJSON   *metadata;    // within header
    int      count, capacity, current;
    pm_st_tensor *tensors;
    int64_t  written;     // bytes of data
    int64_t  digits;      // where the hash stands in the file
    bool     started;
    pm_hash  hash;
};

static const char zeros[] = "0000000000000000";

static pm_status create(pm_st_writer *w, const char *path)
{
    w->path = pm_strdup(w, path);
    PM_CHECK_ALLOC(w->path);
    PM_TRY(pm_json_create(w, &w->header));
    w->metadata = cJSON_AddObjectToObject(w->header->root, "__metadata__");
    if (!w->metadata || !cJSON_AddStringToObject(w->metadata, "hash", zeros))
        return pm_fail(w, PM_ERR_NOMEM, "%s: no memory", path);
    return pm_file_create(w, path, &w->file);
}

pm_status pm_st_writer_create(const void *parent, const char *path, pm_st_writer **out)
{
    *out = NULL;
    pm_st_writer *w = pm_new(parent, pm_st_writer);
    PM_CHECK_ALLOC(w);
    const pm_status st = create(w, path);
    if (st == PM_OK) *out = w;
    else pm_free(w);
    return st;
}

static pm_status check_name(const pm_st_writer *w, const cJSON *object, const char *name)
{
    PM_REQUIRE(w, !w->started, PM_ERR_ARG, "%s: '%s' comes after data was written", w->path, name);
    PM_REQUIRE(w, *name && pm_is_utf8(name, strlen(name)), PM_ERR_ARG, "%s: a name that is empty or not UTF-8", w->path);
    PM_REQUIRE(w, !cJSON_GetObjectItemCaseSensitive(object, name), PM_ERR_ARG, "%s: '%s' is there already", w->path, name);
    return PM_OK;
}

pm_status pm_st_writer_meta(pm_st_writer *w, const char *key, const char *value)
{
    PM_TRY(check_name(w, w->metadata, key));
    PM_REQUIRE(w, pm_is_utf8(value, strlen(value)), PM_ERR_ARG, "%s: the value of '%s' is not UTF-8", w->path, key);
    if (!cJSON_AddStringToObject(w->metadata, key, value)) return pm_fail(w, PM_ERR_NOMEM, "%s: no memory", w->path);
    return PM_OK;
}

// Adds the header's entry of a tensor: {"dtype":"F32","shape":[r,c],"data_offsets":[b,e]}.
static bool add_entry(cJSON *root, const pm_st_tensor *t)
{
    char shape[64], offsets[64];
    snprintf(shape, sizeof shape, "[%" PRId64 ",%" PRId64 "]", t->rows, t->cols);
    snprintf(offsets, sizeof offsets, "[%" PRId64 ",%" PRId64 "]", t->begin, t->end);
    cJSON *entry = cJSON_AddObjectToObject(root, t->name);
    return entry && cJSON_AddStringToObject(entry, "dtype", t->dtype == PM_F32 ? "F32" : "U32") &&
           cJSON_AddRawToObject(entry, "shape", shape) && cJSON_AddRawToObject(entry, "data_offsets", offsets);
}

pm_status pm_st_writer_declare(pm_st_writer *w, const char *name, pm_dtype dtype, int64_t rows, int64_t cols)
{
    PM_TRY(check_name(w, w->header->root, name));
    PM_REQUIRE(w, dtype == PM_F32 || dtype == PM_U32, PM_ERR_DTYPE, "%s: '%s' is neither f32 nor u32", w->path, name);
    pm_st_tensor t = { .dtype = dtype, .rows = rows, .cols = cols, .begin = w->count ? w->tensors[w->count - 1].end : 0 };
    int64_t size;
    const bool fits = rows > 0 && cols > 0 && pm_mul_size(rows, cols, &size) && pm_mul_size(size, 4, &size) &&
                      pm_add_size(t.begin, size, &t.end);
    PM_REQUIRE(w, fits && t.end < INT64_C(1) << 53, PM_ERR_SHAPE, "%s: '%s' cannot be [%" PRId64 ", %" PRId64 "]", w->path,
               name, rows, cols);
    if (w->count == w->capacity) {
        const int capacity = PM_MAX(32, w->capacity * 2);
        PM_TRY(pm_grow_array(w, (void **)&w->tensors, capacity, sizeof *w->tensors));
        w->capacity = capacity;
    }
    t.name = pm_strdup(w, name);
    PM_CHECK_ALLOC(t.name);
    if (!add_entry(w->header->root, &t)) return pm_fail(w, PM_ERR_NOMEM, "%s: no memory", w->path);
    w->tensors[w->count++] = t;
    return PM_OK;
}

static pm_status put(pm_st_writer *w, const void *data, size_t size)
{
    pm_hash_add(&w->hash, data, size);
    return pm_file_write(w->file, data, size);
}

static pm_status start(pm_st_writer *w)
{
    char *text;
    PM_TRY(pm_json_print(w, w->header, false, &text));
    const int64_t length = (int64_t)strlen(text),
                  padded = (length + 7) / 8 * 8;    // data begin on 8 bytes, as the format asks
    unsigned char prefix[8];
    for (int i = 0; i < 8; i++) prefix[i] = (unsigned char)((uint64_t)padded >> 8 * i);
    w->started = true;
    w->digits = 8 + (strstr(text, zeros) - text);    // the first entry of all
    pm_hash_start(&w->hash);
    PM_TRY(put(w, prefix, 8));
    PM_TRY(put(w, text, (size_t)length));
    PM_TRY(put(w, "        ", (size_t)(padded - length)));
    pm_free(text);
    return PM_OK;
}

pm_status pm_st_writer_rows(pm_st_writer *w, const char *name, int64_t count, const void *data)
{
    if (!w->started) PM_TRY(start(w));
    const pm_st_tensor *t = w->current < w->count ? &w->tensors[w->current] : NULL;
    PM_REQUIRE(w, t && strcmp(name, t->name) == 0, PM_ERR_ARG, "%s: rows of '%s' where %s%s%s is due", w->path, name,
               t ? "'" : "", t ? t->name : "nothing", t ? "'" : "");
    PM_REQUIRE(w, count >= 0 && count <= (t->end - w->written) / (t->cols * 4), PM_ERR_ARG,
               "%s: %" PRId64 " rows more than '%s' has", w->path, count, name);
    PM_TRY(put(w, data, (size_t)(count * t->cols * 4)));
    w->written += count * t->cols * 4;
    if (w->written == t->end) w->current++;
    return PM_OK;
}

static pm_status finish(pm_st_writer *w, uint64_t *hash)
{
    if (!w->started) PM_TRY(start(w));
    PM_REQUIRE(w, w->current == w->count, PM_ERR_ARG, "%s: rows of '%s' are missing", w->path, w->tensors[w->current].name);
    const uint64_t h = pm_hash_end(&w->hash);
    char digits[17];
    snprintf(digits, sizeof digits, "%016" PRIx64, h);
    PM_REQUIRE(w, fseek(pm_file_stream(w->file), (long)w->digits, SEEK_SET) == 0, PM_ERR_IO,    // it flushes first
               "%s: cannot write: %s; free some space and try again", w->path, strerror(errno));
    PM_TRY(pm_file_write(w->file, digits, 16));
    PM_TRY(pm_file_commit(&w->file));
    if (hash) *hash = h;
    return PM_OK;
}

pm_status pm_st_writer_finish(pm_st_writer **writer, uint64_t *hash)
{
    const pm_status st = finish(*writer, hash);
    pm_st_writer_discard(writer);
    return st;
}

void pm_st_writer_discard(pm_st_writer **writer)
{
    pm_free(*writer);    // the unfinished file hangs from it
    *writer = NULL;
}
