// A zip file by its central directory: stored and deflated members, 64-bit sizes where NumPy writes them.
#include "data/zip.h"

#include <zlib.h>

#include "core/file.h"

enum { END_SIZE = 22, ENTRY_SIZE = 46, LOCAL_SIZE = 30, MOST_COMMENT = 65535, MOST_DEFLATE_RATIO = 1032 };
static const int64_t largest_file = (int64_t)1 << 36;

struct pm_zip {
    char          *path;
    unsigned char *data;
    int64_t        size;
    int64_t        directory, directory_size;
    int            entries;
};

typedef struct member {
    int      method;
    uint32_t crc;
    uint64_t packed, unpacked, offset;
} member;

static uint64_t little(const unsigned char *p, int bytes)
{
    uint64_t v = 0;
    for (int b = bytes - 1; b >= 0; b--) v = v << 8 | p[b];
    return v;
}

static pm_status damaged(pm_zip *z, const char *name, const char *reason)
{
    return pm_fail(z, PM_ERR_DATA, "%s: %s%s%s; the file is truncated or damaged: fetch or make it again", z->path, name,
                   *name ? ": " : "", reason);
}

static pm_status find_directory(pm_zip *z)
{
    const int64_t last = z->size - END_SIZE;
    if (last < 0 || memcmp(z->data, "PK", 2) != 0) return damaged(z, "", "not an npz file, which is a zip file");
    for (int64_t at = last; at >= 0 && at >= last - MOST_COMMENT; at--) {
        if (memcmp(z->data + at, "PK\5\6", 4) != 0) continue;
        z->entries = (int)little(z->data + at + 10, 2);
        z->directory_size = (int64_t)little(z->data + at + 12, 4);
        z->directory = (int64_t)little(z->data + at + 16, 4);
        if (z->directory + z->directory_size > at) return damaged(z, "", "the zip directory lies outside the file");
        return PM_OK;
    }
    return damaged(z, "", "there is no zip directory at the end");
}

pm_status pm_zip_open(const void *parent, const char *path, pm_zip **out)
{
    *out = NULL;
    pm_zip *z = pm_new(parent, pm_zip);
    PM_CHECK_ALLOC(z);
    char *data = NULL;
    z->path = pm_strdup(z, path);
    pm_status st = z->path ? pm_file_read(z, path, largest_file, &data, &z->size) : PM_ERR_NOMEM;
    z->data = (unsigned char *)data;
    if (st == PM_OK) st = find_directory(z);
    if (st != PM_OK) {
        pm_free(z);
        return st;
    }
    *out = z;
    return PM_OK;
}

// Sizes of 2³² − 1 stand in the extra field 1, those alone and in this order.
static bool read_zip64(const unsigned char *extra, uint64_t length, member *m)
{
    uint64_t *const fields[3] = { &m->unpacked, &m->packed, &m->offset };
    while (length >= 4) {
        const uint64_t id = little(extra, 2), n = little(extra + 2, 2);
        if (n > length - 4) return false;
        if (id == 1) {
            uint64_t at = 0;
            for (int k = 0; k < 3; k++) {
                if (*fields[k] != UINT32_MAX) continue;
                if (at + 8 > n) return false;
                *fields[k] = little(extra + 4 + at, 8);
                at += 8;
            }
            return true;
        }
        extra += 4 + n;
        length -= 4 + n;
    }
    return true;
}

static pm_status find_member(pm_zip *z, const char *name, member *m, bool *found)
{
    const unsigned char *p = z->data + z->directory, *const end = p + z->directory_size;
    *found = false;
    for (int e = 0; e < z->entries; e++) {
        if (end - p < ENTRY_SIZE || memcmp(p, "PK\1\2", 4) != 0) return damaged(z, "", "the zip directory is cut short");
        const uint64_t name_length = little(p + 28, 2), extra_length = little(p + 30, 2), comment = little(p + 32, 2);
        if ((uint64_t)(end - p - ENTRY_SIZE) < name_length + extra_length + comment)
            return damaged(z, "", "the zip directory is cut short");
        if (name_length == strlen(name) && memcmp(p + ENTRY_SIZE, name, name_length) == 0) {
            *m = (member){ .method = (int)little(p + 10, 2), .crc = (uint32_t)little(p + 16, 4), .packed = little(p + 20, 4),
                           .unpacked = little(p + 24, 4), .offset = little(p + 42, 4) };
            if (little(p + 8, 2) & 1) return damaged(z, name, "encrypted");
            if (!read_zip64(p + ENTRY_SIZE + name_length, extra_length, m)) return damaged(z, name, "a damaged 64-bit size");
            *found = true;
            return PM_OK;
        }
        p += ENTRY_SIZE + name_length + extra_length + comment;
    }
    return PM_OK;
}

static pm_status inflate_member(pm_zip *z, const char *name, const unsigned char *packed, const member *m, unsigned char *to)
{
    z_stream s = { .next_in = (unsigned char *)packed, .next_out = to };
    if (inflateInit2(&s, -15) != Z_OK) return pm_fail(z, PM_ERR_NOMEM, "%s: no memory to unpack %s", z->path, name);
    uint64_t in_left = m->packed, out_left = m->unpacked;
    int code = Z_OK;
    while (code == Z_OK) {    // zlib counts in 32 bits
        const unsigned in_now = (unsigned)PM_MIN(in_left, 1u << 30), out_now = (unsigned)PM_MIN(out_left, 1u << 30);
        s.avail_in = in_now;
        s.avail_out = out_now;
        code = inflate(&s, Z_NO_FLUSH);
        in_left -= in_now - s.avail_in;
        out_left -= out_now - s.avail_out;
        if (in_now == s.avail_in && out_now == s.avail_out) break;
    }
    inflateEnd(&s);
    return code == Z_STREAM_END && out_left == 0
               ? PM_OK
               : damaged(z, name, "the deflate stream does not give what the directory says");
}

static pm_status unpack(pm_zip *z, const char *name, const member *m, char **out)
{
    const uint64_t size = (uint64_t)z->size;
    if (size < LOCAL_SIZE || m->offset > size - LOCAL_SIZE || memcmp(z->data + m->offset, "PK\3\4", 4) != 0)
        return damaged(z, name, "its place lies outside the file");
    const uint64_t begin =
        m->offset + LOCAL_SIZE + little(z->data + m->offset + 26, 2) + little(z->data + m->offset + 28, 2);
    if (begin > size || m->packed > size - begin) return damaged(z, name, "it goes on behind the end of the file");
    if (m->method != 0 && m->method != 8) return damaged(z, name, "packed neither by store nor by deflate");
    const bool fits = m->method == 0 ? m->unpacked == m->packed : m->unpacked / MOST_DEFLATE_RATIO <= m->packed;
    if (!fits) return damaged(z, name, "it claims to be larger than its packed bytes can hold");
    *out = pm_alloc(z, (size_t)m->unpacked);
    PM_CHECK_ALLOC(*out);
    if (m->method == 0) memcpy(*out, z->data + begin, (size_t)m->unpacked);
    else PM_TRY(inflate_member(z, name, z->data + begin, m, (unsigned char *)*out));
    uLong crc = crc32(0, NULL, 0);
    for (uint64_t at = 0; at < m->unpacked; at += 1u << 30)
        crc = crc32(crc, (const unsigned char *)*out + at, (uInt)PM_MIN(m->unpacked - at, 1u << 30));
    return crc == m->crc ? PM_OK : damaged(z, name, "the checksum differs");
}

// The text behind 'key': in a header such as {'descr': '<f4', 'fortran_order': False, 'shape': (3,), }.
static const char *value_of(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (!at) return NULL;
    at += strlen(key);
    while (*at == ':' || *at == ' ') at++;
    return at;
}

static bool parse_shape(const char *s, int64_t *count)
{
    if (!s || *s++ != '(') return false;
    *count = 1;
    for (int dims = 0;; dims++) {
        while (*s == ' ' || *s == ',') s++;
        if (*s == ')') return true;
        if (*s < '0' || *s > '9' || dims == 1) return false;
        int64_t n = 0;
        for (; *s >= '0' && *s <= '9'; s++)
            if (!pm_mul_size(n, 10, &n) || !pm_add_size(n, *s - '0', &n)) return false;
        *count = n;
    }
}

static bool parse_dtype(const char *d, pm_npy *out)
{
    if (!d || *d++ != '\'') return false;
    if (*d != '<' && *d != '|' && *d != '=') return false;    // little-endian
    out->kind = *++d;
    if (!strchr("fiubSU", out->kind) || !out->kind) return false;
    out->width = 0;
    for (d++; *d >= '0' && *d <= '9' && out->width < 1000; d++) out->width = out->width * 10 + (*d - '0');
    if (*d != '\'') return false;
    if (out->kind == 'U') out->width *= 4;
    if (out->kind == 'S' || out->kind == 'U') return true;
    if (out->kind == 'f') return out->width == 4 || out->width == 8;
    return out->width == 1 || (out->kind != 'b' && (out->width == 2 || out->width == 4 || out->width == 8));
}

static pm_status parse_npy(pm_zip *z, const char *name, const char *data, uint64_t size, pm_npy *out)
{
    const unsigned char *p = (const unsigned char *)data;
    if (size < 12 || memcmp(p, "\x93NUMPY", 6) != 0) return damaged(z, name, "not a NumPy array");
    const uint64_t head = p[6] == 1 ? 10 : 12, length = little(p + 8, p[6] == 1 ? 2 : 4);
    if (length > size - head) return damaged(z, name, "the array's header is cut short");
    char header[512];
    PM_REQUIRE(z, length < sizeof header, PM_ERR_DATA,
               "%s: %s: an array header of %llu bytes; save it with scipy.sparse.save_npz", z->path, name,
               (unsigned long long)length);
    memcpy(header, data + head, length);
    header[length] = 0;
    int64_t bytes;
    PM_REQUIRE(z, parse_dtype(value_of(header, "'descr'"), out), PM_ERR_DATA,
               "%s: %s: an element type that is not read here: %.60s; save it as float32 or int32", z->path, name, header);
    PM_REQUIRE(z, parse_shape(value_of(header, "'shape'"), &out->count), PM_ERR_DATA,
               "%s: %s: not a one-dimensional array: %.80s", z->path, name, header);
    out->data = data + head + length;
    const bool fits = pm_mul_size(out->count, out->width, &bytes) && (uint64_t)bytes == size - head - length;
    PM_REQUIRE(z, fits, PM_ERR_DATA,
               "%s: %s: the header claims %" PRId64
               " entries of %d bytes, but %llu bytes are there; the file is damaged: make it again",
               z->path, name, out->count, out->width, (unsigned long long)(size - head - length));
    return PM_OK;
}

pm_status pm_zip_npy(pm_zip *z, const char *name, pm_npy *out)
{
    member m;
    bool found;
    char *data = NULL;
    *out = (pm_npy){ 0 };
    PM_TRY(find_member(z, name, &m, &found));
    PM_REQUIRE(z, found, PM_ERR_DATA, "%s: there is no member %s; save the matrix with scipy.sparse.save_npz in CSR form",
               z->path, name);
    PM_TRY(unpack(z, name, &m, &data));
    return parse_npy(z, name, data, m.unpacked, out);
}

double pm_npy_number(const pm_npy *a, int64_t index)
{
    const unsigned char *p = (const unsigned char *)a->data + index * a->width;
    const uint64_t bits = little(p, a->width);
    if (a->kind == 'f' && a->width == 4) {
        const uint32_t low = (uint32_t)bits;
        float f;
        memcpy(&f, &low, sizeof f);
        return f;
    }
    if (a->kind == 'f') {
        double d;
        memcpy(&d, &bits, sizeof d);
        return d;
    }
    if (a->kind != 'i') return (double)bits;
    const int spare = 64 - 8 * a->width;
    return (double)((int64_t)(bits << spare) >> spare);
}

bool pm_npy_integer(const pm_npy *a, int64_t index, int64_t *out)
{
    if (a->kind != 'i' && a->kind != 'u') return false;
    const uint64_t bits = little((const unsigned char *)a->data + index * a->width, a->width);
    const int spare = 64 - 8 * a->width;
    if (a->kind == 'u' && bits > INT64_MAX) return false;
    *out = a->kind == 'u' ? (int64_t)bits : (int64_t)(bits << spare) >> spare;
    return true;
}
