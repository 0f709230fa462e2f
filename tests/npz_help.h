// Makes .npz files: a zip of .npy members, stored or deflated, honest or not.
#ifndef NPZ_HELP_H
#define NPZ_HELP_H

#include "data_help.h"

typedef struct npz {
    unsigned char bytes[1 << 16];
    size_t        size;
    unsigned char directory[4096];
    size_t        directory_size;
    int           entries;
    bool          deflate, zip64;
    uint32_t      claim;    // 0, or what the directory says each member unpacks to
} npz;

static inline void put_little(unsigned char *to, uint64_t value, int bytes)
{
    for (int b = 0; b < bytes; b++) to[b] = (unsigned char)(value >> (8 * b));
}

static inline size_t raw_deflate(const void *data, size_t size, unsigned char *out, size_t capacity)
{
    z_stream z = { 0 };
    deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (unsigned char *)data, z.avail_in = (unsigned)size;
    z.next_out = out, z.avail_out = (unsigned)capacity;
    deflate(&z, Z_FINISH);
    const size_t n = z.total_out;
    deflateEnd(&z);
    return n;
}

static inline void npz_add(npz *z, const char *name, const void *data, size_t size)
{
    const size_t n = strlen(name), offset = z->size;
    unsigned char *local = z->bytes + offset, *entry = z->directory + z->directory_size;
    const uLong crc = crc32(crc32(0, NULL, 0), data, (uInt)size);
    memset(local, 0, 30);
    memcpy(local, "PK\3\4", 4);
    put_little(local + 8, z->deflate ? 8 : 0, 2);
    put_little(local + 26, n, 2);
    memcpy(local + 30, name, n);
    size_t packed = size;
    if (z->deflate) packed = raw_deflate(data, size, local + 30 + n, sizeof z->bytes - offset - 30 - n);
    else memcpy(local + 30 + n, data, size);
    z->size += 30 + n + packed;
    memset(entry, 0, 46);
    memcpy(entry, "PK\1\2", 4);
    put_little(entry + 10, z->deflate ? 8 : 0, 2);
    put_little(entry + 16, crc, 4);
    put_little(entry + 20, z->zip64 ? UINT32_MAX : packed, 4);
    put_little(entry + 24, z->zip64 ? UINT32_MAX : z->claim ? z->claim : size, 4);
    put_little(entry + 28, n, 2);
    put_little(entry + 30, z->zip64 ? 20 : 0, 2);
    put_little(entry + 42, offset, 4);
    memcpy(entry + 46, name, n);
    if (z->zip64) {
        put_little(entry + 46 + n, 1, 2);
        put_little(entry + 46 + n + 2, 16, 2);
        put_little(entry + 46 + n + 4, size, 8);
        put_little(entry + 46 + n + 12, packed, 8);
    }
    z->directory_size += 46 + n + (z->zip64 ? 20 : 0);
    z->entries++;
}

static inline void npz_array(npz *z, const char *name, const char *dtype, const char *shape, const void *data, size_t size)
{
    unsigned char npy[8192];
    char header[256];
    int n = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", dtype, shape);
    while ((10 + n + 1) % 64) header[n++] = ' ';
    header[n++] = '\n';
    memcpy(npy, "\x93NUMPY\1\0", 8);
    put_little(npy + 8, (uint64_t)n, 2);
    memcpy(npy + 10, header, (size_t)n);
    memcpy(npy + 10 + n, data, size);
    npz_add(z, name, npy, 10 + (size_t)n + size);
}

static inline size_t npz_finish(npz *z)
{
    unsigned char *end = z->bytes + z->size + z->directory_size;
    memcpy(z->bytes + z->size, z->directory, z->directory_size);
    memset(end, 0, 22);
    memcpy(end, "PK\5\6", 4);
    put_little(end + 10, (uint64_t)z->entries, 2);
    put_little(end + 12, z->directory_size, 4);
    put_little(end + 16, z->size, 4);
    return z->size + z->directory_size + 22;
}

// [3, 4] with entries (0,1) (0,3) (2,0): int32 indices, float32 data; `change` replaces one array by another, as text.
static inline size_t npz_sample(npz *z, const char *change, const char *dtype, const char *shape, const void *data,
                                size_t size)
{
    static const int32_t indices[] = { 1, 3, 0 }, indptr[] = { 0, 2, 2, 3 };
    static const float values[] = { 1, 2, 3 };
    static const int64_t dims[] = { 3, 4 };
    const struct { const char *name, *dtype, *shape; const void *data; size_t size; } arrays[] = {
        { "indices.npy", "<i4", "(3,)", indices, sizeof indices }, { "indptr.npy", "<i4", "(4,)", indptr, sizeof indptr },
        { "format.npy", "|S3", "()", "csr", 3 },                   { "shape.npy", "<i8", "(2,)", dims, sizeof dims },
        { "data.npy", "<f4", "(3,)", values, sizeof values },
    };
    for (int a = 0; a < PM_COUNT(arrays); a++) {
        if (!change || strcmp(change, arrays[a].name) != 0)
            npz_array(z, arrays[a].name, arrays[a].dtype, arrays[a].shape, arrays[a].data, arrays[a].size);
        else if (dtype) npz_array(z, change, dtype, shape, data, size);
    }
    return npz_finish(z);
}

#endif
