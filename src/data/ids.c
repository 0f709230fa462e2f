// Id maps: one blob of zero-terminated names, their offsets, and an open-addressing table.
#include "data/internal.h"

#include <stdio.h>

typedef struct slot {
    uint32_t hash, index1;    // index + 1; 0: free
} slot;

struct pm_ids {
    int64_t   count, capacity;
    uint64_t *offset;    // [capacity] into blob
    char     *blob;
    uint64_t  blob_size, blob_capacity;
    uint64_t  slots;    // a power of two, at least twice the count
    slot     *table;
};

static uint32_t hash_name(const char *name, size_t length)
{
    const uint64_t h = pm_hash64(name, length, 0);
    return (uint32_t)(h ^ (h >> 32));
}

pm_status pm_ids_create(const void *parent, pm_ids **out)
{
    *out = NULL;
    pm_ids *ids = pm_new(parent, pm_ids);
    PM_CHECK_ALLOC(ids);
    ids->slots = 64;
    ids->table = pm_new_array(ids, slot, 64);
    if (!ids->table) {
        pm_free(ids);
        return PM_ERR_NOMEM;
    }
    *out = ids;
    return PM_OK;
}

int64_t pm_ids_count(const pm_ids *ids)
{
    return ids->count;
}

const char *pm_ids_name(const pm_ids *ids, int64_t index)
{
    return index < 0 || index >= ids->count ? NULL : ids->blob + ids->offset[index];
}

// The slot that holds the name, or the free one where it belongs.
static slot *probe(const pm_ids *ids, const char *name, size_t length, uint32_t hash)
{
    for (uint64_t i = hash;; i++) {
        slot *s = &ids->table[i & (ids->slots - 1)];
        if (s->index1 == 0) return s;
        if (s->hash != hash) continue;
        const char *known = ids->blob + ids->offset[s->index1 - 1];
        if (strncmp(known, name, length) == 0 && known[length] == 0) return s;
    }
}

int64_t pm_ids_find_n(const pm_ids *ids, const char *name, size_t length)
{
    return (int64_t)probe(ids, name, length, hash_name(name, length))->index1 - 1;
}

int64_t pm_ids_find(const pm_ids *ids, const char *name)
{
    return pm_ids_find_n(ids, name, strlen(name));
}

static pm_status grow_table(pm_ids *ids)
{
    slot *table = pm_new_array(ids, slot, (int64_t)ids->slots * 2);
    PM_CHECK_ALLOC(table);
    const uint64_t mask = ids->slots * 2 - 1;
    for (uint64_t i = 0; i < ids->slots; i++) {
        if (ids->table[i].index1 == 0) continue;
        uint64_t to = ids->table[i].hash;
        while (table[to & mask].index1) to++;
        table[to & mask] = ids->table[i];
    }
    pm_free(ids->table);
    ids->table = table;
    ids->slots *= 2;
    return PM_OK;
}

static pm_status make_room(pm_ids *ids, size_t length)
{
    if (ids->count == ids->capacity) {
        const int64_t capacity = PM_MAX(64, ids->capacity * 2);
        PM_TRY(pm_grow_array(ids, (void **)&ids->offset, capacity, sizeof *ids->offset));
        ids->capacity = capacity;
    }
    if (ids->blob_size + length + 1 > ids->blob_capacity) {
        const uint64_t capacity = PM_MAX(ids->blob_capacity * 2, ids->blob_size + length + 1024);
        PM_TRY(pm_grow_array(ids, (void **)&ids->blob, (int64_t)capacity, 1));
        ids->blob_capacity = capacity;
    }
    if ((uint64_t)ids->count * 2 >= ids->slots) PM_TRY(grow_table(ids));
    return PM_OK;
}

pm_status pm_ids_add(pm_ids *ids, const char *name, size_t length, uint32_t *index)
{
    const uint32_t hash = hash_name(name, length);
    slot *s = probe(ids, name, length, hash);
    if (s->index1) {
        *index = s->index1 - 1;
        return PM_OK;
    }
    PM_REQUIRE(ids, !memchr(name, 0, length), PM_ERR_ARG, "ids: a name with a zero byte inside");
    PM_REQUIRE(ids, ids->count < UINT32_MAX - 1, PM_ERR_DATA, "ids: more than %u distinct names", UINT32_MAX - 1);
    PM_TRY(make_room(ids, length));
    s = probe(ids, name, length, hash);    // the table may have moved
    memcpy(ids->blob + ids->blob_size, name, length);
    ids->blob[ids->blob_size + length] = 0;
    ids->offset[ids->count] = ids->blob_size;
    ids->blob_size += length + 1;
    *s = (slot){ hash, (uint32_t)++ids->count };
    *index = s->index1 - 1;
    return PM_OK;
}

pm_status pm_ids_subset(const void *parent, const pm_ids *ids, const uint8_t *keep, uint32_t *remap, pm_ids **out)
{
    pm_ids *made;
    *out = NULL;
    PM_TRY(pm_ids_create(parent, &made));
    for (int64_t i = 0; i < ids->count; i++) {
        uint32_t index = UINT32_MAX;
        if (!keep || keep[i]) {
            const char *name = ids->blob + ids->offset[i];
            const pm_status st = pm_ids_add(made, name, strlen(name), &index);
            if (st != PM_OK) {
                pm_free(made);
                return st;
            }
        }
        if (remap) remap[i] = index;
    }
    *out = made;
    return PM_OK;
}

pm_status pm_ids_copy(const void *parent, const pm_ids *ids, pm_ids **out)
{
    return pm_ids_subset(parent, ids, NULL, NULL, out);
}

pm_status pm_ids_numbers(const void *parent, int64_t count, pm_ids **out)
{
    pm_ids *made;
    *out = NULL;
    PM_TRY(pm_ids_create(parent, &made));
    for (int64_t i = 0; i < count; i++) {
        char name[24];
        uint32_t index;
        const int length = snprintf(name, sizeof name, "%" PRId64, i);
        const pm_status st = pm_ids_add(made, name, (size_t)length, &index);
        if (st != PM_OK) {
            pm_free(made);
            return st;
        }
    }
    *out = made;
    return PM_OK;
}
