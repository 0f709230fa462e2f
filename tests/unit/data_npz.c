// SciPy's .npz: every dtype, every way to be broken, companions.
#define _POSIX_C_SOURCE 200809L
#include "npz_help.h"

#include <math.h>

static npz *fresh(void)
{
    static npz z;
    memset(&z, 0, sizeof z);
    return &z;
}

static void check_sample(fixture *f, const char *path)
{
    pm_interactions *in = must_read(f, (pm_read_params){ .path = path });
    assert_int_equal(in->count, 3);
    assert_int_equal(pm_ids_count(in->users), 3);
    assert_int_equal(pm_ids_count(in->items), 4);
    assert_string_equal(pm_ids_name(in->items, 3), "3");
    static const uint32_t user[] = { 0, 0, 2 }, item[] = { 1, 3, 0 };
    static const float value[] = { 1, 2, 3 };
    assert_memory_equal(in->user, user, sizeof user);
    assert_memory_equal(in->item, item, sizeof item);
    assert_memory_equal(in->value, value, sizeof value);
    assert_null(in->time);
    pm_free(in);
}

static void reads_every_kind(void **state)
{
    fixture *f = *state;
    static const int64_t i64[] = { 1, 3, 0 }, p64[] = { 0, 2, 2, 3 }, d64[] = { 1, 2, 3 };
    static const double f64[] = { 1, 2, 3 };
    static const uint8_t u8[] = { 1, 2, 3 };
    static const int16_t d16[] = { 3, 4 };
    for (int k = 0; k < 4; k++) {
        npz *z = fresh();
        z->deflate = k & 1;
        z->zip64 = k & 2;
        check_sample(f, put(f, "a.npz", z->bytes, npz_sample(z, NULL, NULL, NULL, NULL, 0)));
    }
    const struct { const char *name, *dtype, *shape; const void *data; size_t size; } other[] = {
        { "indices.npy", "<i8", "(3,)", i64, sizeof i64 },  { "indptr.npy", "<i8", "(4,)", p64, sizeof p64 },
        { "data.npy", "<f8", "(3,)", f64, sizeof f64 },     { "data.npy", "<i8", "(3,)", d64, sizeof d64 },
        { "data.npy", "|u1", "( 3 ,)", u8, sizeof u8 },     { "shape.npy", "<i2", "(2,)", d16, sizeof d16 },
        { "format.npy", "<U3", "()", "c\0\0\0s\0\0\0r\0\0\0", 12 },
    };
    for (int k = 0; k < PM_COUNT(other); k++) {
        npz *z = fresh();
        check_sample(f, put(f, "a.npz", z->bytes,
                            npz_sample(z, other[k].name, other[k].dtype, other[k].shape, other[k].data, other[k].size)));
    }
}

static void refuses_what_is_broken(void **state)
{
    fixture *f = *state;
    static const float bad_values[] = { 1, NAN, 3 };
    static const int32_t four[] = { 0, 2, 1, 3 }, far[] = { 1, 4, 0 }, negative[] = { 1, -1, 0 }, late[] = { 1, 2, 2, 3 };
    static const int64_t wide[] = { 3, (int64_t)1 << 40 }, none[] = { 0, 4 }, two[] = { 2, 4 };
    static const float values[] = { 1, 2, 3 };
    const struct { const char *name, *dtype, *shape; const void *data; size_t size; const char *message;
    } bad[] = {
        { "data.npy", "<f4", "(1152921504606846976,)", values, 12,
          "claims 1152921504606846976 entries of 4 bytes, but 12 bytes are there" },
        { "data.npy", "<f4", "(99999999999999999999,)", values, 12, "not a one-dimensional array" },
        { "data.npy", "<f4", "(3, 1)", values, 12, "not a one-dimensional array" },
        { "data.npy", ">f4", "(3,)", values, 12, "element type" },
        { "data.npy", "<f2", "(3,)", values, 6, "element type" },
        { "data.npy", "<f4", "(2,)", values, 8, "indices.npy has 3 entries and data.npy 2" },
        { "data.npy", "<f4", "(3,)", bad_values, 12, "data.npy: entry 1 (row 0, column 3) is not finite: nan" },
        { "data.npy", NULL, NULL, NULL, 0, "there is no member data.npy" },
        { "indptr.npy", "<i4", "(4,)", four, 16, "indptr.npy: entry 2 is 1, where 2 to 3 was expected" },
        { "indptr.npy", "<i4", "(4,)", late, 16, "indptr.npy: entry 0 is 1" },
        { "indptr.npy", "<i4", "(3,)", four, 12, "row ends" },
        { "indptr.npy", "<f4", "(4,)", four, 16, "indptr.npy: entry 0" },
        { "indices.npy", "<i4", "(3,)", far, 12, "entry 1 names column 4 of 4" },
        { "indices.npy", "<i4", "(3,)", negative, 12, "entry 1 names column -1 of 4" },
        { "shape.npy", "<i8", "(2,)", wide, 16, "for 3 entries; drop empty rows and columns" },
        { "shape.npy", "<i8", "(2,)", none, 16, "not two positive numbers" },
        { "shape.npy", "<i8", "(2,)", two, 16, "3 row ends for 2 rows" },
        { "format.npy", "|S3", "()", "coo", 3, "format 'coo'; convert it with .tocsr()" },
    };
    for (int k = 0; k < PM_COUNT(bad); k++) {
        npz *z = fresh();
        const size_t size = npz_sample(z, bad[k].name, bad[k].dtype, bad[k].shape, bad[k].data, bad[k].size);
        must_fail(f, (pm_read_params){ .path = put(f, "a.npz", z->bytes, size) }, PM_ERR_DATA, bad[k].message);
    }
    must_fail(f, (pm_read_params){ .path = put_text(f, "a.npz", "1,2\n"), .format = "npz" }, PM_ERR_DATA, "not an npz file");
}

static void refuses_truncated_and_damaged(void **state)
{
    fixture *f = *state;
    npz *z = fresh();
    z->deflate = true;
    const size_t size = npz_sample(z, NULL, NULL, NULL, NULL, 0);
    for (size_t cut = 4; cut < size; cut += 13) {
        const pm_read_params p = { .path = put(f, "a.npz", z->bytes, cut), .format = "npz" };
        must_fail(f, p, PM_ERR_DATA, "truncated or damaged");
    }
    int refused = 0, flips = 0;
    for (size_t at = 30; at < size; at += 7, flips++) {    // no flip may crash; nearly all must be noticed
        unsigned char copy[8192];
        memcpy(copy, z->bytes, size);
        copy[at] ^= 0xff;
        pm_interactions *in;
        refused += pm_data_read(f->ctx, &(pm_read_params){ .path = put(f, "a.npz", copy, size), .format = "npz" }, &in) ==
                   PM_ERR_DATA;
        pm_free(in);
    }
    assert_true(refused > flips / 2);
    z = fresh();
    z->deflate = true;
    z->claim = UINT32_MAX - 1;    // 4 GiB out of a hundred bytes
    must_fail(f, (pm_read_params){ .path = put(f, "a.npz", z->bytes, npz_sample(z, NULL, NULL, NULL, NULL, 0)) },
              PM_ERR_DATA, "larger than its packed bytes can hold");
}

static void reads_companions(void **state)
{
    fixture *f = *state;
    static const int32_t valid_col[] = { 2, 3, 1 }, valid_ptr[] = { 0, 1, 1, 3 };
    static const double times[] = { 11.5, 12, 13, 14, 15, 16 };
    static const int32_t all_col[] = { 1, 3, 2, 0, 3, 1 }, all_ptr[] = { 0, 3, 3, 6 };
    npz *z = fresh();
    put(f, "Rtrain.npz", z->bytes, npz_sample(z, NULL, NULL, NULL, NULL, 0));
    z = fresh();
    npz_array(z, "indices.npy", "<i4", "(3,)", valid_col, sizeof valid_col);
    npz_array(z, "indptr.npy", "<i4", "(4,)", valid_ptr, sizeof valid_ptr);
    npz_array(z, "data.npy", "<f4", "(3,)", (const float[]){ 1, 1, 1 }, 12);
    npz_array(z, "format.npy", "|S3", "()", "csr", 3);
    npz_array(z, "shape.npy", "<i8", "(2,)", (const int64_t[]){ 3, 4 }, 16);
    const size_t size = npz_finish(z);
    put(f, "Rvalid.npz", z->bytes, size);
    put(f, "Rtest.npz", z->bytes, size);
    pm_interactions *in = must_read(f, (pm_read_params){ .path = f->folder });
    pm_split *s;
    // The test part repeats the validation part: everything in it is known by then.
    assert_int_equal(pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "files" }, &s), PM_ERR_DATA);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "the test part is empty"));
    z = fresh();
    npz_array(z, "indices.npy", "<i4", "(6,)", all_col, sizeof all_col);
    npz_array(z, "indptr.npy", "<i4", "(4,)", all_ptr, sizeof all_ptr);
    npz_array(z, "data.npy", "<f8", "(6,)", times, sizeof times);
    npz_array(z, "format.npy", "|S3", "()", "csr", 3);
    npz_array(z, "shape.npy", "<i8", "(2,)", (const int64_t[]){ 3, 4 }, 16);
    put(f, "Rtime.npz", z->bytes, npz_finish(z));
    in = must_read(f, (pm_read_params){ .path = in_folder(f, "Rtrain.npz") });
    assert_non_null(in->time);
    assert_int_equal(in->time[0], 11);
    assert_int_equal(in->time[2], 14);
    assert_int_equal(in->companions->valid.target.time[2], 16);
    z = fresh();
    put(f, "Rtest.npz", z->bytes, npz_sample(z, "shape.npy", "<i8", "(2,)", (const int64_t[]){ 3, 5 }, 16));
    must_fail(f, (pm_read_params){ .path = f->folder }, PM_ERR_DATA, "Rtest.npz: a shape of 3 x 5 where");
}

static void splits_the_real_one(void **state)
{
    fixture *f = *state;
    const char *path = real_data("ml-1m-nce-plrec");
    if (!path) return;
    pm_interactions *in = must_read(f, (pm_read_params){ .path = path });
    assert_int_equal(pm_ids_count(in->users), 6038);
    assert_int_equal(pm_ids_count(in->items), 3533);
    assert_int_equal(in->count, 289149);
    pm_split *s;
    must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "files" }, &s));
    assert_int_equal(s->train.nnz, 289149);
    assert_int_equal(s->valid.target.nnz, 116263);
    assert_int_equal(s->test.target.nnz, 169869);
    assert_int_equal(s->valid.users, 6037);
    assert_int_equal(s->test.users, 6035);
    assert_int_equal(s->test.repeated_targets, 0);
    for (int64_t r = 0; r < s->valid.users; r++) {    // nothing known is later than what is to be found
        int64_t known = INT64_MIN, found = INT64_MAX;
        for (uint32_t e = s->valid.input.indptr[r]; e < s->valid.input.indptr[r + 1]; e++)
            known = PM_MAX(known, s->valid.input.time[e]);
        for (uint32_t e = s->valid.target.indptr[r]; e < s->valid.target.indptr[r + 1]; e++)
            found = PM_MIN(found, s->valid.target.time[e]);
        assert_true(known <= found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(reads_every_kind), DATA_TEST(refuses_what_is_broken), DATA_TEST(refuses_truncated_and_damaged),
        DATA_TEST(reads_companions), DATA_TEST(splits_the_real_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
