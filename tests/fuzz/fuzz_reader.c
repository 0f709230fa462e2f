// Every reader, on anything. The first byte chooses the reader and whether bad lines are skipped; for formats of several
// files the rest is cut at bytes 0x1E (record separator), a file each.
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include <pumice/data.h>

#include "fuzz.h"

enum { SEPARATOR = 0x1E, FORMATS = 11, SKIP = 0x80, MOST_FILES = 12, MOST_IDS = 100000 };
enum { AUTO, CSV, TSV, MOVIELENS, NPZ, NCF, SPLIT, PARTS, LIGHTGCN, MTX, JESTER };

static const char *const names[FORMATS][MOST_FILES] = {
    { "x.data" },
    { "x.data" },
    { "x.data" },
    { "x.data" },
    { "Rtrain.npz", "Rvalid.npz", "Rtest.npz", "Rtime.npz" },
    { "x.train.rating", "x.test.rating", "x.test.negative" },
    { "split.json", "users.tsv", "items.tsv", "train.tsv", "valid_input.tsv", "valid_target.tsv", "test_input.tsv",
      "test_target.tsv", "valid_candidates.tsv", "test_candidates.tsv" },
    { "train.csv", "valid.csv", "test.csv" },
    { "train.txt", "valid.txt", "test.txt" },
    { "train.mtx", "valid.mtx", "test.mtx" },
    { "x.data" },
};
static const char *const formats[FORMATS] = { NULL, "csv", "tsv", "movielens", "npz", "ncf", "split", NULL, "lightgcn", "mtx", "jester" };

static char folder[64];

static void remove_files(void)
{
    for (int f = 0; f < FORMATS; f++) {
        for (int k = 0; k < MOST_FILES && names[f][k]; k++) {
            char path[256];
            snprintf(path, sizeof path, "%s/%s", folder, names[f][k]);
            unlink(path);
        }
    }
}

static void remove_folder(void)
{
    remove_files();
    rmdir(folder);
}

static void write_file(const char *name, const uint8_t *data, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size) abort();
    fclose(f);
}

// npz files hold any byte, so only the first is given.
static void write_files(int format, const uint8_t *data, size_t size)
{
    for (int k = 0; k < MOST_FILES && names[format][k]; k++) {
        const uint8_t *stop = format >= NCF && size ? memchr(data, SEPARATOR, size) : NULL;
        const size_t length = stop ? (size_t)(stop - data) : size;
        write_file(names[format][k], data, length);
        if (!stop) return;
        data += length + 1;
        size -= length + 1;
    }
}

static void check(const pm_interactions *in)
{
    for (int64_t i = 0; i < in->count; i++)
        if (in->user[i] >= pm_ids_count(in->users) || in->item[i] >= pm_ids_count(in->items) ||
            in->value[i] - in->value[i] != 0.0f)
            abort();
}

static void use(pm_ctx *ctx, const pm_interactions *in)
{
    static const char *const protocols[] = { "strong", "random", "temporal", "user-temporal", "leave-one-out", "files" };
    pm_interactions *kept;
    pm_data_statistics statistics;
    check(in);
    pm_data_stat(in, &statistics);
    if (pm_data_filter(ctx, in, &(pm_filter_params){ .has_min_rating = true, .min_rating = -1.0, .binarize = true },
                       &kept) != PM_OK)
        return;
    check(kept);
    for (size_t p = 0; p < sizeof protocols / sizeof *protocols; p++) {
        pm_split *split;
        if (pm_data_split(ctx, kept, &(pm_split_params){ .protocol = protocols[p], .seed = 1, .negatives = 3 }, &split) ==
            PM_OK)
            pm_split_hash(split);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    if (!folder[0]) {
        strcpy(folder, "/tmp/pumice-fuzz-XXXXXX");
        if (!mkdtemp(folder)) abort();
        atexit(remove_folder);
    }
    const int format = (data[0] & ~SKIP) % FORMATS;
    remove_files();
    write_files(format, data + 1, size - 1);
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, names[format][0]);
    pm_ctx *ctx;
    if (pm_ctx_create(NULL, &ctx) != PM_OK) abort();
    pm_interactions *in;
    const pm_read_params params = {
        .path = path, .format = formats[format], .skip_bad_lines = data[0] & SKIP, .max_ids = MOST_IDS
    };
    const pm_status st = pm_data_read(ctx, &params, &in);
    if ((st == PM_OK) != (in != NULL) || (st != PM_OK && !*pm_ctx_message(ctx))) abort();
    if (in) use(ctx, in);
    pm_ctx_destroy(&ctx);
    return 0;
}

// ---- the corpus ----------------------------------------------------------------------------------------------------

static void give(fuzz_seed_fn fn, void *user, int format, const void *data, size_t size)
{
    uint8_t *input = malloc(size + 1);
    input[0] = (uint8_t)format;
    memcpy(input + 1, data, size);
    fn(user, input, size + 1);
    free(input);
}

static void give_text(fuzz_seed_fn fn, void *user, int format, const char *text)
{
    give(fn, user, format, text, strlen(text));
    give(fn, user, format | SKIP, text, strlen(text));
}

static const char table[] =
    "user,item,rating,timestamp\na,1,5,1\na,2,4,2\na,3,3,3\nb,1,2,4\nb,\"2, \"\"x\"\"\",1,5\nb,3,5,6.5\nc,1,-1e-3,7\n";

static void give_packed(fuzz_seed_fn fn, void *user)
{
    uint8_t packed[1024];
    const size_t n = ZSTD_compress(packed, sizeof packed, table, sizeof table - 1, 3);
    give(fn, user, AUTO, packed, n);
    z_stream z = { 0 };
    deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (uint8_t *)(uintptr_t)table, z.avail_in = sizeof table - 1;
    z.next_out = packed, z.avail_out = sizeof packed;
    deflate(&z, Z_FINISH);
    give(fn, user, AUTO, packed, z.total_out);
    deflateEnd(&z);
}

static size_t zip_member(uint8_t *zip, size_t at, uint8_t *dir, size_t *dir_size, const char *name, const char *header,
                         const void *data, size_t size)
{
    const size_t n = strlen(name), length = strlen(header), whole = 10 + length + size;
    uint8_t *local = zip + at, *body = local + 30 + n, *entry = dir + *dir_size;
    memset(local, 0, 30);
    memcpy(local, "PK\3\4", 4);
    local[26] = (uint8_t)n;
    memcpy(local + 30, name, n);
    memcpy(body, "\x93NUMPY\1\0", 8);
    body[8] = (uint8_t)length, body[9] = 0;
    memcpy(body + 10, header, length);
    memcpy(body + 10 + length, data, size);
    const uint32_t crc = (uint32_t)crc32(crc32(0, NULL, 0), body, (uInt)whole);
    memset(entry, 0, 46);
    memcpy(entry, "PK\1\2", 4);
    for (int b = 0; b < 4; b++) {
        entry[16 + b] = (uint8_t)(crc >> 8 * b);
        entry[20 + b] = entry[24 + b] = (uint8_t)(whole >> 8 * b);
        entry[42 + b] = (uint8_t)(at >> 8 * b);
    }
    entry[28] = (uint8_t)n;
    memcpy(entry + 46, name, n);
    *dir_size += 46 + n;
    return at + 30 + n + whole;
}

static void give_npz(fuzz_seed_fn fn, void *user, const char *data_header)
{
    static const int32_t indices[] = { 1, 3, 0 }, indptr[] = { 0, 2, 2, 3 };
    static const int64_t shape[] = { 3, 4 };
    static const float values[] = { 1, 2, 3 };
    uint8_t zip[4096], dir[1024];
    size_t dir_size = 0, n = 0;
    n = zip_member(zip, n, dir, &dir_size, "indices.npy", "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }\n",
                   indices, sizeof indices);
    n = zip_member(zip, n, dir, &dir_size, "indptr.npy", "{'descr': '<i4', 'fortran_order': False, 'shape': (4,), }\n",
                   indptr, sizeof indptr);
    n = zip_member(zip, n, dir, &dir_size, "format.npy", "{'descr': '|S3', 'fortran_order': False, 'shape': (), }\n", "csr",
                   3);
    n = zip_member(zip, n, dir, &dir_size, "shape.npy", "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n", shape,
                   sizeof shape);
    n = zip_member(zip, n, dir, &dir_size, "data.npy", data_header, values, sizeof values);
    memcpy(zip + n, dir, dir_size);
    uint8_t *end = zip + n + dir_size;
    memset(end, 0, 22);
    memcpy(end, "PK\5\6", 4);
    end[10] = 5;
    for (int b = 0; b < 4; b++) end[12 + b] = (uint8_t)(dir_size >> 8 * b), end[16 + b] = (uint8_t)(n >> 8 * b);
    give(fn, user, NPZ, zip, n + dir_size + 22);
}

void fuzz_corpus(fuzz_seed_fn fn, void *user)
{
    static const char *const texts[] = {
        table,
        "",
        "\n\n",
        "\xEF\xBB\xBF",
        "1::2::3::4\n1::3::nan::5\n2::2::inf::6\n",
        "1\t2\t3\t4\r\n1\t3\t4\t5\r\n",
        "1 2 5.0 10\n 1  3 4 11 \n",
        "\"a;b\";\"c\";\"0\"\n\"a\"x;y;1\n",
        "a,b,1e999\na,b,1e-999\na,c,-0.0000000000000000000000000000001\n",
        "a,b,1,2001-01-01\na,b,1,1e18\n",
        "who,what,how\n1,2,3\n",
        ",,,\n",
        "::::::\n",
        "1,2,3,4,5,6,7,8,9\n",
        "a,\xff\xfe,1\n\x01\x02",
        "\x1f\x8b\x08",
        "\x28\xb5\x2f\xfd\x00",
        "PK\3\4",
        "PK\5\6",
    };
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
        for (int format = AUTO; format <= MOVIELENS; format++) give_text(fn, user, format, texts[t]);
    give_packed(fn, user);
    give_npz(fn, user, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n");
    give_npz(fn, user, "{'descr': '<f4', 'fortran_order': False, 'shape': (1152921504606846976,), }\n");
    give_text(fn, user, NCF,
              "0\t0\t5\t10\n0\t1\t5\t30\n0\t2\t5\t20\n1\t0\t3\t1\n1\t3\t3\t2\n\x1E"
              "0\t3\t5\t40\n1\t1\t5\t9\n\x1E(0,3)\t4\t5\t3\t4\n(1,1)\t5\t6\n");
    give_text(fn, user, PARTS, "user,item\na,1\na,2\nb,1\n\x1Euser,item\nb,2\n\x1Euser,item\na,3\na,1\nb,4\nc,1\n");
    give_text(fn, user, LIGHTGCN, "0 1 2 3\n1\t1 4 \n\n2\n\x1E" "0 4\n\x1E" "1 2 5\n3\n");
    give_text(fn, user, MTX,
              "%%MatrixMarket matrix coordinate real general\n% a comment\n3 4 5\n1 1 5\n1 2 -3.5\n2 2 4e0\n3 1 1\n3 4 2\n\x1E"
              "%%MatrixMarket matrix coordinate pattern general\n3 4 1\n1 3\n\x1E"
              "%%matrixmarket matrix coordinate integer general\n\n3 4 2\n1 4 1\n2 1 2\n");
    give_text(fn, user, MTX, "%%MatrixMarket matrix coordinate real general\n9999999999 9007199254740993 1\n0 1e300 nan\n");
    give_text(fn, user, MTX, "%%MatrixMarket matrix array real general\n1 1\n");
    give_text(fn, user, JESTER, "3,1.5,99,-10,10\n0,99,99,99,99\n1,99,99,99.0,.5\r\n2,0,-0,99,99\n\n4,1,2,3,4");
    give_text(fn, user, JESTER, "1\t99\t5\n2\t3\t11\n9,9\n");
    give_text(fn, user, SPLIT,
              "{\"format\":\"pumice-split\",\"version\":1,\"seed\":\"3\",\"held_out_users\":false,\"interactions\":6,"
              "\"valid\":{\"candidates\":true},\"test\":{\"candidates\":true}}\x1E"
              "user\trole\na\ttrain\nb\ttrain\n\x1Eitem\n1\n2\n3\n4\n\x1E"
              "user\titem\trating\na\t1\t1\nb\t2\t1\n\x1Euser\titem\trating\na\t1\t1\n\x1Euser\titem\trating\na\t2\t1\n\x1E"
              "user\titem\trating\na\t1\t1\na\t2\t1\n\x1Euser\titem\trating\na\t3\t1\n\x1Euser\titem\na\t2\na\t3\n\x1Euser\t"
              "item\na\t3\na\t4\n");
}
