// Reading. Nothing of the header is used before all of it has been checked.
#define _POSIX_C_SOURCE 200809L
#include "train/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/hash.h"
#include "train/json.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are written as they lie in memory: little-endian"
#endif

static const int64_t header_limit = 100 * 1000 * 1000;    // as the format has it
static const char hash_entry[] = "{\"__metadata__\":{\"hash\":\"";
enum { HASH_AT = 8 + sizeof hash_entry - 1, HASH_DIGITS = 16 };

struct pm_st_file {
    int      descriptor;
    char    *path;
    int64_t  size, data_start;
    uint64_t hash;
    pm_json *header;
    const cJSON *metadata;
    int           count;
    pm_st_tensor *tensors;            // by begin
    const pm_st_tensor **by_name;
};

static void close_descriptor(void *ptr)
{
    pm_st_file *f = ptr;
    if (f->descriptor >= 0) close(f->descriptor);
}

static pm_status read_at(const pm_st_file *f, int64_t at, void *data, int64_t size)
{
    for (int64_t done = 0; done < size;) {
        const ssize_t n =
            pread(f->descriptor, (char *)data + done, (size_t)PM_MIN(size - done, INT64_C(1) << 30), (off_t)(at + done));
        if (n < 0 && errno == EINTR) continue;
        PM_REQUIRE(f, n > 0, PM_ERR_IO, "%s: cannot read: %s", f->path, n < 0 ? strerror(errno) : "it got shorter");
        done += n;
    }
    return PM_OK;
}

static pm_status read_integers(const pm_st_file *f, const char *name, const cJSON *array, const char *what, int64_t lo,
                               int64_t pair[2])
{
    PM_REQUIRE(f, cJSON_IsArray(array) && cJSON_GetArraySize(array) == 2, PM_ERR_FORMAT,
               "%s: tensor '%.100s': its %s is not two numbers", f->path, name, what);
    for (int i = 0; i < 2; i++)
        PM_REQUIRE(f, pm_json_integer(cJSON_GetArrayItem(array, i), lo, INT64_C(1) << 53, &pair[i]), PM_ERR_FORMAT,
                   "%s: tensor '%.100s': its %s is not whole numbers from %" PRId64 " to 2^53", f->path, name, what, lo);
    return PM_OK;
}

static pm_status read_entry(const pm_st_file *f, const cJSON *entry, pm_st_tensor *t)
{
    const char *name = entry->string;
    PM_REQUIRE(f, cJSON_IsObject(entry) && cJSON_GetArraySize(entry) == 3, PM_ERR_FORMAT,
               "%s: tensor '%.100s': its entry is not dtype, shape and data_offsets", f->path, name);
    const char *dtype = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "dtype"));
    int64_t shape[2], offsets[2], size;
    PM_REQUIRE(f, dtype && (!strcmp(dtype, "F32") || !strcmp(dtype, "U32")), PM_ERR_FORMAT,
               "%s: tensor '%.100s': dtype '%.20s' is not F32 or U32", f->path, name, dtype ? dtype : "");
    PM_TRY(read_integers(f, name, cJSON_GetObjectItemCaseSensitive(entry, "shape"), "shape", 1, shape));
    PM_TRY(read_integers(f, name, cJSON_GetObjectItemCaseSensitive(entry, "data_offsets"), "data_offsets", 0, offsets));
    const bool fits = pm_mul_size(shape[0], shape[1], &size) && pm_mul_size(size, 4, &size);
    PM_REQUIRE(f, fits && offsets[0] <= offsets[1] && offsets[1] - offsets[0] == size, PM_ERR_FORMAT,
               "%s: tensor '%.100s': bytes %" PRId64 " to %" PRId64 " do not hold [%" PRId64 ", %" PRId64 "]", f->path, name,
               offsets[0], offsets[1], shape[0], shape[1]);
    *t = (pm_st_tensor){ name, dtype[0] == 'F' ? PM_F32 : PM_U32, shape[0], shape[1], offsets[0], offsets[1] };
    return PM_OK;
}

static int by_begin(const void *a, const void *b)
{
    const int64_t x = ((const pm_st_tensor *)a)->begin, y = ((const pm_st_tensor *)b)->begin;
    return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const pm_st_tensor *const *)a)->name, (*(const pm_st_tensor *const *)b)->name);
}

// The tensors must cover the data exactly, each byte once.
static pm_status check_cover(const pm_st_file *f)
{
    int64_t at = 0;
    for (int i = 0; i < f->count; i++) {
        const pm_st_tensor *t = &f->tensors[i];
        PM_REQUIRE(f, t->begin == at, PM_ERR_FORMAT,
                   "%s: tensor '%.100s' begins at byte %" PRId64 " of the data, %s %" PRId64, f->path, t->name, t->begin,
                   t->begin < at ? "within another that ends at" : "behind a gap from", at);
        at = t->end;
    }
    const int64_t have = f->size - f->data_start;
    PM_REQUIRE(f, at == have, PM_ERR_FORMAT, "%s: has %" PRId64 " bytes of data where its header says %" PRId64 "%s",
               f->path, have, at, have < at ? "; it was cut off" : "");
    return PM_OK;
}

static pm_status read_entries(pm_st_file *f)
{
    const int n = cJSON_GetArraySize(f->header->root);
    f->tensors = pm_new_array(f, pm_st_tensor, n);
    f->by_name = pm_new_array(f, const pm_st_tensor *, n);
    if (!f->tensors || !f->by_name) return PM_ERR_NOMEM;
    for (const cJSON *entry = f->header->root->child; entry; entry = entry->next) {
        if (strcmp(entry->string, "__metadata__") == 0) f->metadata = entry;
        else PM_TRY(read_entry(f, entry, &f->tensors[f->count++]));
    }
    PM_REQUIRE(f, !f->metadata || cJSON_IsObject(f->metadata), PM_ERR_FORMAT, "%s: its __metadata__ is not an object",
               f->path);
    for (const cJSON *m = f->metadata ? f->metadata->child : NULL; m; m = m->next)
        PM_REQUIRE(f, cJSON_IsString(m), PM_ERR_FORMAT, "%s: metadata '%.100s' is not a string", f->path, m->string);
    qsort(f->tensors, (size_t)f->count, sizeof *f->tensors, by_begin);
    for (int i = 0; i < f->count; i++) f->by_name[i] = &f->tensors[i];
    qsort(f->by_name, (size_t)f->count, sizeof *f->by_name, by_name);
    return check_cover(f);
}

// The hash of a file that pumice wrote: 16 lower-case digits, the very first entry.
static uint64_t claimed_hash(const char *header, int64_t length)
{
    const size_t prefix = sizeof hash_entry - 1;
    if ((size_t)length < prefix + HASH_DIGITS + 1 || memcmp(header, hash_entry, prefix) != 0 ||
        header[prefix + HASH_DIGITS] != '"')
        return 0;
    uint64_t hash = 0;
    for (int i = 0; i < HASH_DIGITS; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = memchr(digits, header[prefix + i], 16);
        if (!digit) return 0;
        hash = hash << 4 | (uint64_t)(digit - digits);
    }
    return hash;
}

static pm_status read_header(pm_st_file *f)
{
    unsigned char prefix[8];
    PM_REQUIRE(f, f->size >= 8, PM_ERR_FORMAT, "%s: is %" PRId64 " bytes long, too short for a safetensors file", f->path,
               f->size);
    PM_TRY(read_at(f, 0, prefix, 8));
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--) length = length << 8 | prefix[i];
    PM_REQUIRE(f, length <= (uint64_t)header_limit, PM_ERR_FORMAT,
               "%s: claims a header of %" PRIu64 " bytes, above the limit of %" PRId64 "; is it a safetensors file?",
               f->path, length, header_limit);
    PM_REQUIRE(f, length <= (uint64_t)f->size - 8, PM_ERR_FORMAT, "%s: claims a header of %" PRIu64 " bytes and is %" PRId64
               " bytes long; it was cut off", f->path, length, f->size);
    f->data_start = 8 + (int64_t)length;
    char *header = pm_alloc(f, (size_t)length + 1);
    PM_CHECK_ALLOC(header);
    PM_TRY(read_at(f, 8, header, (int64_t)length));
    PM_REQUIRE(f, header[0] == '{', PM_ERR_FORMAT, "%s: its header is not a JSON object", f->path);
    f->hash = claimed_hash(header, (int64_t)length);
    PM_TRY(pm_json_parse(f, f->path, header, (int64_t)length, &f->header));
    pm_free(header);
    return read_entries(f);
}

static pm_status open_file(pm_st_file *f, const char *path)
{
    struct stat s;
    f->path = pm_strdup(f, path);
    PM_CHECK_ALLOC(f->path);
    f->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);    // a pipe must not block us
    PM_REQUIRE(f, f->descriptor >= 0 && fstat(f->descriptor, &s) == 0, PM_ERR_IO, "%s: cannot open: %s", path,
               strerror(errno));
    PM_REQUIRE(f, S_ISREG(s.st_mode), PM_ERR_IO, "%s: is not a plain file", path);
    f->size = s.st_size;
    return read_header(f);
}

pm_status pm_st_open(const void *parent, const char *path, pm_st_file **out)
{
    *out = NULL;
    pm_st_file *f = pm_new(parent, pm_st_file);
    PM_CHECK_ALLOC(f);
    f->descriptor = -1;
    pm_set_destructor(f, close_descriptor);
    const pm_status st = open_file(f, path);
    if (st == PM_OK) *out = f;
    else pm_free(f);
    return st;
}

void pm_st_close(pm_st_file **file)
{
    pm_free(*file);
    *file = NULL;
}

pm_status pm_st_verify(pm_st_file *f)
{
    enum { PIECE = 1 << 20 };    // the digits of the hash lie in the first
    PM_REQUIRE(f, f->hash, PM_ERR_FORMAT, "%s: has no hash; pumice did not write it", f->path);
    char *piece = pm_alloc(f, (size_t)PM_MIN(f->size, PIECE));
    PM_CHECK_ALLOC(piece);
    pm_hash hash;
    pm_hash_start(&hash);
    pm_status st = PM_OK;
    for (int64_t at = 0; at < f->size && st == PM_OK; at += PIECE) {
        const int64_t n = PM_MIN(f->size - at, PIECE);
        st = read_at(f, at, piece, n);
        if (at == 0) memset(piece + HASH_AT, '0', HASH_DIGITS);
        if (st == PM_OK) pm_hash_add(&hash, piece, (size_t)n);
    }
    pm_free(piece);
    if (st != PM_OK) return st;
    const uint64_t found = pm_hash_end(&hash);
    PM_REQUIRE(f, found == f->hash, PM_ERR_FORMAT,
               "%s: is damaged: its hash is %016" PRIx64 ", not the %016" PRIx64 " it claims", f->path, found, f->hash);
    return PM_OK;
}

uint64_t pm_st_hash(const pm_st_file *file)
{
    return file->hash;
}

int pm_st_count(const pm_st_file *file)
{
    return file->count;
}

const pm_st_tensor *pm_st_at(const pm_st_file *file, int index)
{
    return index < 0 || index >= file->count ? NULL : &file->tensors[index];
}

const pm_st_tensor *pm_st_find(const pm_st_file *file, const char *name)
{
    const pm_st_tensor key = { .name = name }, *wanted = &key;
    const pm_st_tensor **found =
        file->count ? bsearch(&wanted, file->by_name, (size_t)file->count, sizeof *file->by_name, by_name) : NULL;
    return found ? *found : NULL;
}

const char *pm_st_meta(const pm_st_file *file, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(file->metadata, key));
}

const char *pm_st_meta_at(const pm_st_file *file, int index, const char **value)
{
    const cJSON *entry = cJSON_GetArrayItem(file->metadata, index);
    *value = entry ? cJSON_GetStringValue(entry) : NULL;
    return entry ? entry->string : NULL;
}

pm_status pm_st_read_rows(pm_st_file *f, const char *name, int64_t first, int64_t count, void *data)
{
    const pm_st_tensor *t = pm_st_find(f, name);
    PM_REQUIRE(f, t, PM_ERR_NOT_FOUND, "%s: has no tensor '%s'", f->path, name);
    PM_REQUIRE(f, first >= 0 && count >= 0 && first <= t->rows && count <= t->rows - first, PM_ERR_ARG,
               "%s: rows %" PRId64 " and %" PRId64 " more of '%s', which has %" PRId64, f->path, first, count, name,
               t->rows);
    return read_at(f, f->data_start + t->begin + first * t->cols * 4, data, count * t->cols * 4);
}
