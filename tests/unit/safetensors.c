// The safetensors files: round trip, the bytes as another program sees them, every kind of damage, full disks, no memory.
#define _DEFAULT_SOURCE
#include "train_help.h"

#include "core/file.h"
#include "core/hash.h"
#include "train/safetensors.h"

static const float weights[6] = { 1, -2, 3.5f, -0.0f, 1e-30f, 6 };
static const uint32_t steps[3] = { 7, UINT32_MAX, 0 };

static pm_status write_small(const void *parent, const char *path, uint64_t *hash)
{
    pm_st_writer *w;
    PM_TRY(pm_st_writer_create(parent, path, &w));
    pm_status st = pm_st_writer_meta(w, "model", "mult-vae");
    if (st == PM_OK) st = pm_st_writer_meta(w, "a \"quoted\" ключ", "line\nbreak \\ ü");
    if (st == PM_OK) st = pm_st_writer_declare(w, "w é", PM_F32, 3, 2);
    if (st == PM_OK) st = pm_st_writer_declare(w, "steps", PM_U32, 1, 3);
    if (st == PM_OK) st = pm_st_writer_rows(w, "w é", 2, weights);
    if (st == PM_OK) st = pm_st_writer_rows(w, "w é", 1, weights + 4);
    if (st == PM_OK) st = pm_st_writer_rows(w, "steps", 1, steps);
    if (st == PM_OK) return pm_st_writer_finish(&w, hash);
    pm_st_writer_discard(&w);
    return st;
}

static void round_trip(void **state)
{
    fixture *f = *state;
    uint64_t hash, again;
    const char *path = in_folder(f, "a.safetensors");
    must(f, write_small(f->ctx, path, &hash));
    pm_st_file *file;
    must(f, pm_st_open(f->ctx, path, &file));
    must(f, pm_st_verify(file));
    assert_true(pm_st_hash(file) == hash);
    assert_int_equal(pm_st_count(file), 2);
    assert_string_equal(pm_st_at(file, 0)->name, "w é");
    assert_null(pm_st_at(file, 2));
    const pm_st_tensor *t = pm_st_find(file, "steps");
    assert_true(t && t->dtype == PM_U32 && t->rows == 1 && t->cols == 3);
    assert_null(pm_st_find(file, "step"));
    assert_string_equal(pm_st_meta(file, "a \"quoted\" ключ"), "line\nbreak \\ ü");
    assert_null(pm_st_meta(file, "Model"));
    float row[4];
    must(f, pm_st_read_rows(file, "w é", 1, 2, row));
    assert_memory_equal(row, weights + 2, sizeof row);
    uint32_t u[3];
    must(f, pm_st_read_rows(file, "steps", 0, 1, u));
    assert_memory_equal(u, steps, sizeof u);
    assert_int_equal(pm_st_read_rows(file, "w é", 2, 2, row), PM_ERR_ARG);
    assert_int_equal(pm_st_read_rows(file, "w é", -1, 1, row), PM_ERR_ARG);
    assert_int_equal(pm_st_read_rows(file, "w", 0, 1, row), PM_ERR_NOT_FOUND);
    pm_st_close(&file);

    const char *other = in_folder(f, "b.safetensors");
    must(f, write_small(f->ctx, other, &again));
    size_t na, nb;
    char *a = slurp(path, &na), *b = slurp(other, &nb);
    assert_true(hash == again && na == nb && memcmp(a, b, na) == 0);
    assert_int_equal((na - 36) % 8, 0);
    assert_memory_equal(a + na - 36, weights, 24);
    free(a);
    free(b);
    pm_st_writer *w;
    must(f, pm_st_writer_create(f->ctx, path, &w));
    must(f, pm_st_writer_finish(&w, NULL));
    must(f, pm_st_open(f->ctx, path, &file));
    must(f, pm_st_verify(file));
    assert_int_equal(pm_st_count(file), 0);
    assert_null(pm_st_find(file, "w"));
    pm_st_close(&file);
}

static uint64_t slow_hash(const unsigned char *data, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < (size + 7) / 8 + 2; i++) {
        uint64_t w = i == (size + 7) / 8 ? size : 0;
        for (size_t k = 0; k < 8; k++)
            if (8 * i + k < size) w |= (uint64_t)data[8 * i + k] << 8 * k;
        h = (h ^ w) * 0x9E3779B185EBCA87u;
        h ^= h >> 29;
    }
    return h;
}

static void hash_is_the_same_in_pieces(void **state)
{
    (void)state;
    unsigned char data[67];
    for (int i = 0; i < 67; i++) data[i] = (unsigned char)(i * 37 + 200);
    for (size_t size = 0; size <= 67; size++) {
        for (size_t piece = 1; piece <= 19; piece++) {
            pm_hash h;
            pm_hash_start(&h);
            for (size_t at = 0; at < size; at += piece) pm_hash_add(&h, data + at, PM_MIN(piece, size - at));
            assert_true(pm_hash_end(&h) == slow_hash(data, size));
        }
    }
    // Two flipped sign bits must not cancel.
    const uint64_t before = slow_hash(data, 64);
    data[7] ^= 0x80, data[15] ^= 0x80;
    assert_true(slow_hash(data, 64) != before);
}

static void writer_checks_its_caller(void **state)
{
    fixture *f = *state;
    const char *path = in_folder(f, "a.safetensors");
    must(f, write_small(f->ctx, path, NULL));
    pm_st_writer *w;
    must(f, pm_st_writer_create(f->ctx, path, &w));
    must(f, pm_st_writer_declare(w, "x", PM_F32, 2, 2));
    must(f, pm_st_writer_declare(w, "y", PM_F32, 1, 1));
    assert_int_equal(pm_st_writer_declare(w, "x", PM_F32, 2, 2), PM_ERR_ARG);
    assert_int_equal(pm_st_writer_declare(w, "__metadata__", PM_F32, 2, 2), PM_ERR_ARG);
    assert_int_equal(pm_st_writer_declare(w, "z", PM_F32, 0, 2), PM_ERR_SHAPE);
    assert_int_equal(pm_st_writer_declare(w, "z", PM_F32, INT64_MAX / 2, 3), PM_ERR_SHAPE);
    assert_int_equal(pm_st_writer_declare(w, "z", PM_F64, 1, 1), PM_ERR_DTYPE);
    assert_int_equal(pm_st_writer_declare(w, "", PM_F32, 1, 1), PM_ERR_ARG);
    assert_int_equal(pm_st_writer_meta(w, "hash", "1"), PM_ERR_ARG);
    assert_int_equal(pm_st_writer_meta(w, "k", "\xff"), PM_ERR_ARG);
    assert_int_equal(pm_st_writer_rows(w, "y", 1, weights), PM_ERR_ARG);
    says(f, "'x' is due");
    assert_int_equal(pm_st_writer_rows(w, "x", 3, weights), PM_ERR_ARG);
    must(f, pm_st_writer_rows(w, "x", 2, weights));
    assert_int_equal(pm_st_writer_meta(w, "late", "1"), PM_ERR_ARG);
    assert_int_equal(pm_st_writer_finish(&w, NULL), PM_ERR_ARG);
    says(f, "'y' are missing");
    assert_null(w);
    pm_st_file *file;    // what was there is still there
    must(f, pm_st_open(f->ctx, path, &file));
    must(f, pm_st_verify(file));
    assert_non_null(pm_st_find(file, "steps"));
    assert_false(pm_file_exists(in_folder(f, "a.safetensors.tmp")));
}

static pm_status open_and_verify(pm_ctx *ctx, const char *path)
{
    pm_st_file *file;
    PM_TRY(pm_st_open(ctx, path, &file));
    const pm_status st = pm_st_verify(file);
    pm_st_close(&file);
    return st;
}

static void damage_is_refused(void **state)
{
    fixture *f = *state;
    size_t n;
    must(f, write_small(f->ctx, in_folder(f, "a"), NULL));
    char *data = slurp(in_folder(f, "a"), &n);
    pm_st_file *file;
    for (size_t cut = 0; cut < n; cut++) {
        const char *path = put(f, "cut", data, cut);
        assert_int_equal(pm_st_open(f->ctx, path, &file), PM_ERR_FORMAT);
        assert_null(file);
        says(f, path);
    }
    char *longer = calloc(1, n + 1);
    memcpy(longer, data, n);
    assert_int_equal(pm_st_open(f->ctx, put(f, "longer", longer, n + 1), &file), PM_ERR_FORMAT);
    free(longer);
    for (size_t i = 0; i < n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            data[i] ^= (char)(1 << bit);
            if (open_and_verify(f->ctx, put(f, "flip", data, n)) != PM_ERR_FORMAT)
                fail_msg("bit %d of byte %d", bit, (int)i);
            data[i] ^= (char)(1 << bit);
        }
    }
    must(f, open_and_verify(f->ctx, put(f, "whole", data, n)));
    free(data);
    assert_int_equal(pm_st_open(f->ctx, in_folder(f, "none"), &file), PM_ERR_IO);
    assert_int_equal(pm_st_open(f->ctx, f->folder, &file), PM_ERR_IO);
}

#define E(dtype, shape, offsets) "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
static const struct hostile {
    const char *header;
    int         data;    // bytes
    const char *part;    // of the message
} hostile[] = {
    { "", 0, "not a JSON object" },
    { " {}", 0, "not a JSON object" },
    { "[]", 0, "not a JSON object" },
    { "{} x", 0, "after the end" },
    { "{", 0, "not valid JSON" },
    { "{\"a\":" E("F32", "[1,1]", "[0,4]") ",}", 4, "not valid JSON" },
    { "{\"a\":" E("F32", "[1,1]", "[0,4]") ",\"a\":" E("F32", "[1,1]", "[4,8]") "}", 8, "twice" },
    { "{\"a\":" E("F32", "[1,1]", "[0,4]") ",\"\\u0061\":" E("F32", "[1,1]", "[4,8]") "}", 8, "twice" },
    { "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "twice" },
    { "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]}}", 4, "twice" },
    { "{\"a\\u0000b\":" E("F32", "[1,1]", "[0,4]") "}", 4, "zero character" },
    { "{\"a\":" E("F32", "[1,1]", "[0,8]") "}", 8, "do not hold" },
    { "{\"a\":" E("F32", "[1,1]", "[4,0]") "}", 4, "do not hold" },
    { "{\"a\":" E("F32", "[1,1]", "[-4,0]") "}", 4, "whole numbers" },
    { "{\"a\":" E("F32", "[-1,-1]", "[0,4]") "}", 4, "whole numbers" },
    { "{\"a\":" E("F32", "[0,1]", "[0,0]") "}", 0, "whole numbers" },
    { "{\"a\":" E("F32", "[1.5,1]", "[0,6]") "}", 6, "whole numbers" },
    { "{\"a\":" E("F32", "[1e400,1]", "[0,4]") "}", 4, "whole numbers" },
    { "{\"a\":" E("F32", "[18446744073709551617,1]", "[0,4]") "}", 4, "whole numbers" },
    { "{\"a\":" E("F32", "[4294967296,4294967297]", "[0,4]") "}", 4, "do not hold" },
    { "{\"a\":" E("F32", "[9007199254740992,9007199254740992]", "[0,0]") "}", 0, "do not hold" },
    { "{\"a\":" E("F32", "[1,1]", "[0,4]") "}", 0, "cut off" },
    { "{\"a\":" E("F32", "[1,1]", "[0,4]") "}", 8, "8 bytes of data where its header says 4" },
    { "{\"a\":" E("F32", "[1,1]", "[4,8]") "}", 8, "behind a gap" },
    { "{\"a\":" E("F32", "[1,1]", "[0,4]") ",\"b\":" E("F32", "[1,1]", "[8,12]") "}", 12, "behind a gap" },
    { "{\"a\":" E("F32", "[1,2]", "[0,8]") ",\"b\":" E("F32", "[1,2]", "[4,12]") "}", 12, "within another" },
    { "{\"a\":" E("F32", "[1,1]", "[0,4]") ",\"b\":" E("F32", "[1,1]", "[0,4]") "}", 4, "within another" },
    { "{\"a\":" E("F32", "[1,1]", "[9007199254740988,9007199254740992]") "}", 4, "behind a gap" },
    { "{\"a\":" E("F16", "[1,2]", "[0,4]") "}", 4, "not F32 or U32" },
    { "{\"a\":{\"dtype\":7,\"shape\":[1,1],\"data_offsets\":[0,4]}}", 4, "not F32 or U32" },
    { "{\"a\":" E("F32", "[1]", "[0,4]") "}", 4, "two numbers" },
    { "{\"a\":" E("F32", "[1,1,1]", "[0,4]") "}", 4, "two numbers" },
    { "{\"a\":" E("F32", "\"11\"", "[0,4]") "}", 4, "two numbers" },
    { "{\"a\":" E("F32", "[\"1\",1]", "[0,4]") "}", 4, "whole numbers" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1]}}", 4, "not dtype, shape and data_offsets" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1],\"x\":[0,4]}}", 4, "two numbers" },
    { "{\"a\":[1,2,3]}", 0, "not dtype, shape and data_offsets" },
    { "{\"__metadata__\":[]}", 0, "not an object" },
    { "{\"__metadata__\":{\"k\":1}}", 0, "not a string" },
    { "{\"__metadata__\":{\"k\":{\"j\":\"v\"}}}", 0, "not a string" },
    { "{\"a\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}", 0, "too deeply" },
    { "{\"a\xff\":1}", 0, "not UTF-8" },
    { "{\"a\nb\":1}", 0, "control character" },
};

static const char *put_header(fixture *f, uint64_t length, const char *header, size_t size, size_t data)
{
    char *bytes = calloc(1, 8 + size + data);
    for (int i = 0; i < 8; i++) bytes[i] = (char)(length >> 8 * i);
    memcpy(bytes + 8, header, size);
    const char *path = put(f, "hostile", bytes, 8 + size + data);
    free(bytes);
    return path;
}

static void hostile_headers_are_refused(void **state)
{
    fixture *f = *state;
    pm_st_file *file;
    for (int i = 0; i < PM_COUNT(hostile); i++) {
        const struct hostile *h = &hostile[i];
        const char *path = put_header(f, strlen(h->header), h->header, strlen(h->header), (size_t)h->data);
        if (pm_st_open(f->ctx, path, &file) != PM_ERR_FORMAT) fail_msg("opened: %s", h->header);
        assert_null(file);
        says(f, h->part);
        says(f, path);
    }
    static const uint64_t lengths[] = { 3, 100000000, 100000001, INT64_MAX, UINT64_MAX - 7, UINT64_MAX };
    for (int i = 0; i < PM_COUNT(lengths); i++)
        assert_int_equal(pm_st_open(f->ctx, put_header(f, lengths[i], "{}", 2, 0), &file), PM_ERR_FORMAT);
    // Memory that a short text could claim: a million nested or listed values.
    const size_t n = 3000000;
    char *many = malloc(n);
    memset(many, '[', n);
    many[0] = '{';
    assert_int_equal(pm_st_open(f->ctx, put_header(f, n, many, n, 0), &file), PM_ERR_FORMAT);
    for (size_t i = 1; i < n; i++) many[i] = i % 2 ? '0' : ',';
    assert_int_equal(pm_st_open(f->ctx, put_header(f, n, many, n, 0), &file), PM_ERR_FORMAT);
    says(f, "million");
    free(many);
    // What is unusual but right: another order, spaces, no metadata; such a file has no hash to verify.
    const char *odd = "{ \"b\" : " E("U32", "[ 1 , 1 ]", "[4,8]") ", \"a\":" E("F32", "[1,1]", "[0,4]") " } \n ";
    must(f, pm_st_open(f->ctx, put_header(f, strlen(odd), odd, strlen(odd), 8), &file));
    assert_string_equal(pm_st_at(file, 0)->name, "a");
    assert_null(pm_st_meta(file, "k"));
    assert_int_equal(pm_st_verify(file), PM_ERR_FORMAT);
    says(f, "has no hash");
}

static pm_status write_large(pm_ctx *ctx, const char *path)
{
    static const float block[1024];
    pm_st_writer *w;
    PM_TRY(pm_st_writer_create(ctx, path, &w));
    pm_status st = pm_st_writer_declare(w, "block", PM_F32, 16, 1024);
    for (int i = 0; i < 16 && st == PM_OK; i++) st = pm_st_writer_rows(w, "block", 1, block);
    if (st == PM_OK) return pm_st_writer_finish(&w, NULL);
    pm_st_writer_discard(&w);
    return st;
}

static void full_disk_keeps_the_old_file(void **state)
{
    fixture *f = *state;
    char path[256];
    strcpy(path, in_folder(f, "a"));    // in_folder's own buffers go round
    must(f, write_small(f->ctx, path, NULL));
    static const rlim_t limits[] = { 0, 1, 100, 4096, 5000, 40000, 65536 };
    for (int i = 0; i < PM_COUNT(limits); i++) {
        limit_files(limits[i]);
        const pm_status st = write_large(f->ctx, path);
        limit_files(RLIM_INFINITY);
        assert_int_equal(st, PM_ERR_IO);
        says(f, "free some space");
        must(f, open_and_verify(f->ctx, path));
        assert_false(pm_file_exists(in_folder(f, "a.tmp")));
    }
    must(f, write_large(f->ctx, path));
    must(f, open_and_verify(f->ctx, path));
}

static pm_status write_and_read(pm_ctx *ctx, fixture *f)
{
    PM_TRY(write_small(ctx, in_folder(f, "a"), NULL));
    return open_and_verify(ctx, in_folder(f, "a"));
}

static void memory_runs_out(void **state)
{
    fail_every_allocation(write_and_read, *state);
    assert_int_equal(open_and_verify(((fixture *)*state)->ctx, in_folder(*state, "a")), PM_OK);
}

// Another program's view: Python's standard library alone, by the description of the format.
static const char python[] =
    "import json, struct, sys\n"
    "b = open(sys.argv[1], 'rb').read()\n"
    "n, = struct.unpack('<Q', b[:8])\n"
    "assert n % 8 == 0\n"
    "h = json.loads(b[8:8 + n].decode('utf-8'))\n"
    "m = h.pop('__metadata__')\n"
    "assert list(m)[0] == 'hash' and m['model'] == 'mult-vae', m\n"
    "assert m['a \"quoted\" \\u043a\\u043b\\u044e\\u0447'] == 'line\\nbreak \\\\ \\u00fc', m\n"
    "d = {}\n"
    "for k, t in h.items():\n"
    "    a, e = t['data_offsets']\n"
    "    r, c = t['shape']\n"
    "    v = struct.unpack('<%d%s' % (r * c, {'F32': 'f', 'U32': 'I'}[t['dtype']]), b[8 + n + a:8 + n + e])\n"
    "    d[k] = [list(v[i * c:i * c + c]) for i in range(r)]\n"
    "assert d['steps'] == [[7, 4294967295, 0]], d\n"
    "assert d['w \\u00e9'][:2] == [[1, -2], [3.5, 0]] and d['w \\u00e9'][2][1] == 6, d\n"
    "assert 8 + n + max(t['data_offsets'][1] for t in h.values()) == len(b)\n";

static void python_reads_it(void **state)
{
    fixture *f = *state;
    if (system("python3 -c 'import json, struct' 2>/dev/null") != 0) {
        print_message("skipped: no python3\n");
        skip();
    }
    char command[600];
    must(f, write_small(f->ctx, in_folder(f, "a"), NULL));
    put_text(f, "read.py", python);
    snprintf(command, sizeof command, "python3 %s/read.py %s/a", f->folder, f->folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(round_trip),
        cmocka_unit_test(hash_is_the_same_in_pieces),
        DATA_TEST(writer_checks_its_caller),
        DATA_TEST(damage_is_refused),
        DATA_TEST(hostile_headers_are_refused),
        DATA_TEST(full_disk_keeps_the_old_file),
        DATA_TEST(memory_runs_out),
        DATA_TEST(python_reads_it),
    };
    return cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
}
