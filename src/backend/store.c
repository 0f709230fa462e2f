#include "backend/store.h"

struct pm_store {
    pm_device  *device;
    pm_tensor **tensors;    // in the order they were added
    int         count, capacity;
    pm_buffer  *arena;
    int         arena_generation;
};

static void close_store(void *ptr)
{
    pm_store *s = ptr;
    const pm_backend *b = s->device->backend;
    b->wait(s->device);
    for (int i = 0; i < s->count; i++) b->buffer_destroy(s->tensors[i]->buffer);
    if (s->arena) b->buffer_destroy(s->arena);
    s->count = 0;
    s->arena = NULL;
}

pm_status pm_store_create(pm_device *device, pm_store **out)
{
    *out = pm_new(device, pm_store);
    PM_CHECK_ALLOC(*out);
    (*out)->device = device;
    pm_set_destructor(*out, close_store);
    return PM_OK;
}

void pm_store_destroy(pm_store **store)
{
    if (!store) return;
    pm_free(*store);
    *store = NULL;
}

pm_device *pm_store_device(const pm_store *store)
{
    return store->device;
}

static int index_of(const pm_store *store, const char *name)
{
    for (int i = 0; i < store->count; i++)
        if (pm_name_equal(store->tensors[i]->name, name)) return i;
    return -1;
}

pm_tensor *pm_store_tensor(const pm_store *store, const char *name)
{
    const int i = index_of(store, name);
    return i < 0 ? NULL : store->tensors[i];
}

static pm_status find(const pm_store *store, const char *name, pm_tensor **out)
{
    *out = pm_store_tensor(store, name);
    if (*out) return PM_OK;
    return pm_fail(store, PM_ERR_NOT_FOUND, "the store has no tensor \"%s\"", name);
}

pm_status pm_store_add(pm_store *store, const char *name, pm_dtype dtype, int64_t rows, int64_t cols)
{
    int64_t count;
    PM_REQUIRE(store, name && *name, PM_ERR_ARG, "a tensor needs a name");
    PM_REQUIRE(store, index_of(store, name) < 0, PM_ERR_ARG, "the store has a tensor \"%s\" already", name);
    PM_REQUIRE(store, dtype == PM_F32 || dtype == PM_U32, PM_ERR_DTYPE, "tensor \"%s\": the type is f32 or u32", name);
    PM_REQUIRE(store, rows > 0 && cols > 0, PM_ERR_ARG, "tensor \"%s\": [%" PRId64 ", %" PRId64 "] must be positive", name, rows, cols);
    PM_REQUIRE(store, pm_mul_size(rows, cols, &count) && count < INT64_C(1) << 32, PM_ERR_SHAPE,
               "tensor \"%s\": [%" PRId64 ", %" PRId64 "] has 2^32 elements or more", name, rows, cols);
    if (store->count == store->capacity) {
        const int capacity = store->capacity ? 2 * store->capacity : 32;
        PM_TRY(pm_grow_array(store, (void **)&store->tensors, capacity, sizeof *store->tensors));
        store->capacity = capacity;
    }
    pm_tensor *t = pm_new(store, pm_tensor);
    PM_CHECK_ALLOC(t);
    *t = (pm_tensor){ pm_strdup(t, name), dtype, rows, cols, NULL };
    pm_status st = t->name ? store->device->backend->buffer_create(store->device, count * pm_device_element(store->device, dtype), &t->buffer)
                           : PM_ERR_NOMEM;
    if (st != PM_OK) {
        pm_free(t);
        return st;
    }
    pm_move(t->buffer, store);    // so that it cannot go before us when the device closes
    store->tensors[store->count++] = t;
    return PM_OK;
}

pm_status pm_store_remove(pm_store *store, const char *name)
{
    const int at = index_of(store, name);
    PM_REQUIRE(store, at >= 0, PM_ERR_NOT_FOUND, "the store has no tensor \"%s\"", name);
    PM_TRY(store->device->backend->wait(store->device));
    store->device->backend->buffer_destroy(store->tensors[at]->buffer);
    pm_free(store->tensors[at]);
    for (int i = at + 1; i < store->count; i++) store->tensors[i - 1] = store->tensors[i];
    store->count--;
    return PM_OK;
}

bool pm_store_find(const pm_store *store, const char *name, pm_dtype *dtype, int64_t *rows, int64_t *cols)
{
    const pm_tensor *t = pm_store_tensor(store, name);
    if (!t) return false;
    if (dtype) *dtype = t->dtype;
    if (rows) *rows = t->rows;
    if (cols) *cols = t->cols;
    return true;
}

int pm_store_count(const pm_store *store)
{
    return store->count;
}

const char *pm_store_name(const pm_store *store, int index)
{
    return index >= 0 && index < store->count ? store->tensors[index]->name : NULL;
}

static pm_status row_range(const pm_store *store, const pm_tensor *t, int64_t first, int64_t count)
{
    PM_REQUIRE(store, first >= 0 && count >= 0 && count <= t->rows - first, PM_ERR_ARG,
               "tensor \"%s\" has %" PRId64 " rows; %" PRId64 " from row %" PRId64 " on do not fit", t->name, t->rows, count, first);
    return PM_OK;
}

pm_status pm_store_write_rows(pm_store *store, const char *name, int64_t first, int64_t count, const void *data)
{
    pm_tensor *t;
    PM_TRY(find(store, name, &t));
    PM_TRY(row_range(store, t, first, count));
    const pm_backend *b = store->device->backend;
    const int64_t n = count * t->cols;
    if (pm_device_dtype(store->device, t->dtype) != PM_F64)
        return n ? b->upload(t->buffer, first * t->cols * 4, data, n * 4) : PM_OK;
    double *wide = pm_new_array(store, double, n);
    PM_CHECK_ALLOC(wide);
    for (int64_t i = 0; i < n; i++) wide[i] = ((const float *)data)[i];
    const pm_status st = b->upload(t->buffer, first * t->cols * 8, wide, n * 8);
    pm_free(wide);
    return st;
}

pm_status pm_store_read_rows(pm_store *store, const char *name, int64_t first, int64_t count, void *data)
{
    pm_tensor *t;
    PM_TRY(find(store, name, &t));
    PM_TRY(row_range(store, t, first, count));
    const pm_backend *b = store->device->backend;
    const int64_t n = count * t->cols;
    if (pm_device_dtype(store->device, t->dtype) != PM_F64)
        return n ? b->download(t->buffer, first * t->cols * 4, data, n * 4) : b->wait(store->device);
    double *wide = pm_new_array(store, double, n);
    PM_CHECK_ALLOC(wide);
    const pm_status st = b->download(t->buffer, first * t->cols * 8, wide, n * 8);
    for (int64_t i = 0; i < n; i++) ((float *)data)[i] = (float)wide[i];
    pm_free(wide);
    return st;
}

pm_status pm_store_write(pm_store *store, const char *name, const void *data)
{
    pm_tensor *t;
    PM_TRY(find(store, name, &t));
    return pm_store_write_rows(store, name, 0, t->rows, data);
}

pm_status pm_store_read(pm_store *store, const char *name, void *data)
{
    pm_tensor *t;
    PM_TRY(find(store, name, &t));
    return pm_store_read_rows(store, name, 0, t->rows, data);
}

pm_status pm_store_reserve_arena(pm_store *store, int64_t size)
{
    if (store->arena && store->arena->size >= size) return PM_OK;
    const pm_backend *b = store->device->backend;
    if (store->arena) {
        PM_TRY(b->wait(store->device));
        b->buffer_destroy(store->arena);    // first, so that both need not fit at once
        store->arena = NULL;
    }
    store->arena_generation++;
    PM_TRY(b->buffer_create(store->device, PM_MAX(size, 256), &store->arena));
    pm_move(store->arena, store);
    return PM_OK;
}

pm_buffer *pm_store_arena(const pm_store *store, int *generation)
{
    *generation = store->arena_generation;
    return store->arena;
}
