// Text readers: every delimiter, headers, packing, and what is wrong with bad lines.
#define _POSIX_C_SOURCE 200809L
#include "data_help.h"
#include "data/source.h"

static void assert_entry(const pm_interactions *in, int64_t i, const char *user, const char *item, float value, int64_t time)
{
    assert_string_equal(pm_ids_name(in->users, in->user[i]), user);
    assert_string_equal(pm_ids_name(in->items, in->item[i]), item);
    assert_true(in->value[i] == value);
    assert_true((in->time ? in->time[i] : 0) == time);
}

static void reads_every_delimiter(void **state)
{
    fixture *f = *state;
    static const char *const texts[] = {
        "1::10::5::978300760\n2::20::3.5::978300761\n",
        "1\t10\t5\t978300760\n2\t20\t3.5\t978300761",
        "1,10,5,978300760\r\n2,20,3.5,978300761.9\r\n",
        "1;10;5;978300760\n\n2;20;35e-1;978300761\n\n",
        "1 10 5.0 978300760 \n2  20 3.50  978300761\n",
        "\357\273\2771,10,5,978300760\n2,20,+3.5, 978300761 \n",
        "userId,movieId,rating,timestamp\n1,10,5,978300760\n2,20,3.5,978300761\n",
        "rating\ttimestamp\titem_id:token\tuser_id:token\n5\t978300760\t10\t1\n3.5\t978300761\t20\t2\n",
        ("\"User-ID\";\"ISBN\";\"Book-Rating\";\"ts\"\n\"1\";\"10\";\"5\";\"978300760\"\n\"2\";\"20\";\"3.5\";"
         "\"978300761\"\n"),
    };
    for (int t = 0; t < PM_COUNT(texts); t++) {
        const char *path = put_text(f, "x.data", texts[t]);
        pm_interactions *in = must_read(f, (pm_read_params){ .path = path });
        assert_int_equal(in->count, 2);
        assert_entry(in, 0, "1", "10", 5.0f, 978300760);
        assert_entry(in, 1, "2", "20", 3.5f, 978300761);
        pm_free(in);
    }
}

static void reads_without_rating_or_time(void **state)
{
    fixture *f = *state;
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", "uid,sid\nx,y\n") });
    assert_int_equal(in->count, 1);
    assert_null(in->time);
    assert_entry(in, 0, "x", "y", 1.0f, 0);
    in = must_read(f, (pm_read_params){ .path = put_text(f, "b.csv", "x,y,4\nx,z,3") });
    assert_int_equal(in->count, 2);
    assert_null(in->time);
}

static void chooses_columns(void **state)
{
    fixture *f = *state;
    const char *path = put_text(f, "a.csv", "when,who,what,how\n7,ann,tea,2\n");
    pm_interactions *in = must_read(f, (pm_read_params){ .path = path, .columns = "who,what,how,when" });
    assert_entry(in, 0, "ann", "tea", 2.0f, 7);
    in = must_read(f, (pm_read_params){ .path = path, .columns = "2,3,4" });
    assert_int_equal(in->count, 1);
    assert_null(in->time);
    in = must_read(f, (pm_read_params){ .path = put_text(f, "b.csv", "7,1,2,3,9\n8,2,2,3,9\n"), .columns = "2,3" });
    assert_int_equal(in->count, 2);
    assert_entry(in, 1, "2", "2", 1.0f, 0);
    path = in_folder(f, "a.csv");
    must_fail(f, (pm_read_params){ .path = path, .columns = "who,thing" }, PM_ERR_DATA,
              "a.csv:1: no column 'thing' in the header; it has: when, who");
    must_fail(f, (pm_read_params){ .path = path, .columns = "1,9" }, PM_ERR_DATA, "no column 9: the line has 4");
    must_fail(f, (pm_read_params){ .path = path, .columns = "1" }, PM_ERR_ARG, "at least user,item");
    must_fail(f, (pm_read_params){ .path = path, .columns = "1,2,3,4,5" }, PM_ERR_ARG, "at most four");
    must_fail(f, (pm_read_params){ .path = path, .columns = "1,,3" }, PM_ERR_ARG, "empty");
    must_fail(f, (pm_read_params){ .path = path }, PM_ERR_DATA, ":1: ");
    must_fail(f, (pm_read_params){ .path = path, .format = "cvs" }, PM_ERR_ARG, "did you mean 'csv'");
}

static void keeps_ids_as_they_are(void **state)
{
    fixture *f = *state;
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv",
        "user,item\nzo\xC3\xAB de vries,\"a, \"\"b\"\"\"\n zo ,\xE6\xBC\xA2\xE5\xAD\x97\n01,1\n1,01\n") });
    assert_int_equal(in->count, 4);
    assert_entry(in, 0, "zo\xC3\xAB de vries", "a, \"b\"", 1.0f, 0);
    assert_entry(in, 1, " zo ", "\xE6\xBC\xA2\xE5\xAD\x97", 1.0f, 0);
    assert_int_equal(pm_ids_count(in->users), 4);
    assert_int_equal(pm_ids_find(in->users, "01"), 2);
    assert_int_equal(pm_ids_find(in->users, "2"), -1);
    assert_null(pm_ids_name(in->users, 4));
    assert_null(pm_ids_name(in->users, -1));
}

static void keeps_the_first_of_duplicates(void **state)
{
    fixture *f = *state;
    pm_interactions *in =
        must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", "1,7,5\n2,7,4\n1,7,3\n1,8,2\n2,7,1\n1,7,1\n") });
    assert_int_equal(in->count, 3);
    assert_int_equal(in->duplicates, 3);
    assert_entry(in, 0, "1", "7", 5.0f, 0);
    assert_entry(in, 1, "2", "7", 4.0f, 0);
    assert_entry(in, 2, "1", "8", 2.0f, 0);
}

static const struct bad {
    const char *line, *message;
} bad_lines[] = {
    { "5::6", ":2: wrong column count: 2 where the first line has 4" },
    { "5", ":2: wrong column count: 1" },
    { "1::2::3::4::5", ":2: wrong column count: 5" },
    { "1::2::nan::4", ":2: the rating is not finite: 'nan'" },
    { "1::2::-Infinity::4", ":2: the rating is not finite: '-Infinity'" },
    { "1::2::1e39::4", ":2: the rating is not finite: '1e39'" },
    { "1::2::five::4", ":2: the rating is not a number: 'five'" },
    { "1::2::::4", ":2: the rating is not a number: ''" },
    { "1::2::5x::4", ":2: the rating is not a number: '5x'" },
    { "1::2::0x10::4", ":2: the rating is not a number: '0x10'" },
    { "1::2::3::2001-01-01", ":2: the time is not a number of seconds: '2001-01-01'" },
    { "1::2::3::nan", ":2: the time is not a number of seconds: 'nan'" },
    { "1::2::3::1e30", ":2: the time is not a number of seconds: '1e30'" },
    { "::2::3::4", ":2: the user is empty" },
    { "1::::3::4", ":2: the item is empty" },
    { "1::caf\xE9::3::4", ":2: the item is not UTF-8: 'caf?'" },
    { "1::2\x01::3::4", ":2: not text: '1::2\\x01::3::4'" },
};

static void names_file_line_value(void **state)
{
    fixture *f = *state;
    for (int b = 0; b < PM_COUNT(bad_lines); b++) {
        char text[256];
        snprintf(text, sizeof text, "1::1::5::1\n%s\n9::9::1::9\n", bad_lines[b].line);
        const char *path = put_text(f, "r.dat", text);
        must_fail(f, (pm_read_params){ .path = path }, PM_ERR_DATA, bad_lines[b].message);
        must_fail(f, (pm_read_params){ .path = path }, PM_ERR_DATA, "r.dat:2");
        f->warnings = 0;
        pm_interactions *in = must_read(f, (pm_read_params){ .path = path, .skip_bad_lines = true });
        assert_int_equal(in->count, 2);
        assert_int_equal(in->skipped_lines, 1);
        assert_int_equal(f->warnings, 2);    // the line, and the sum
        assert_int_equal(pm_ids_count(in->users), 2);
        assert_int_equal(pm_ids_count(in->items), 2);
    }
}

static void refuses_what_is_no_table(void **state)
{
    fixture *f = *state;
    must_fail(f, (pm_read_params){ .path = put_text(f, "e.csv", "") }, PM_ERR_DATA, "e.csv:1: the file is empty");
    must_fail(f, (pm_read_params){ .path = put_text(f, "e.csv", "\n\n") }, PM_ERR_DATA, "the file is empty");
    must_fail(f, (pm_read_params){ .path = put_text(f, "e.csv", "user,item\n") }, PM_ERR_DATA, "no usable interactions");
    must_fail(f, (pm_read_params){ .path = put_text(f, "e.csv", "justoneword\n") }, PM_ERR_DATA,
              "e.csv:1: wrong column count: 1");
    must_fail(f, (pm_read_params){ .path = put_text(f, "e.csv", "1,2,3,4,5\n") }, PM_ERR_DATA, "--columns");
    must_fail(f, (pm_read_params){ .path = put_text(f, "e.csv", "who,what,stars\n1,2,3\n") }, PM_ERR_DATA,
              "header without a known user");
    must_fail(f, (pm_read_params){ .path = put_text(f, "e.csv", "1,\"2,3\n") }, PM_ERR_DATA,
              "e.csv:1: malformed line: a quote is not closed");
    must_fail(f, (pm_read_params){ .path = put_text(f, "e.csv", "1,\"2\"x,3\n") }, PM_ERR_DATA, "malformed line");
    must_fail(f,
              (pm_read_params){ .path = put(f, "e.bin",
                                            "\x7f"
                                            "ELF\0\0\1\2,\n\n",
                                            11) },
              PM_ERR_DATA, "e.bin:1: not text");
    must_fail(f, (pm_read_params){ .path = in_folder(f, "missing") }, PM_ERR_IO, "missing: cannot open");
    must_fail(f, (pm_read_params){ .path = f->folder }, PM_ERR_DATA, "no known data file");
    must_fail(f, (pm_read_params){ .path = "" }, PM_ERR_ARG, "no path");
    must_fail(f, (pm_read_params){ .path = put_text(f, "e.csv", "1,2,x\n2,3,y\n"), .skip_bad_lines = true }, PM_ERR_DATA,
              "no usable interactions (2 bad");
}

static void limits_lines_and_ids(void **state)
{
    fixture *f = *state;
    const size_t size = PM_LINE_LIMIT + 100;
    char *text = malloc(size + 64);
    memcpy(text, "1,2\n", 4);
    memset(text + 4, 'a', size);
    strcpy(text + 4 + size, "\n3,4\n");
    const char *path = put_text(f, "long.csv", text);
    must_fail(f, (pm_read_params){ .path = path }, PM_ERR_DATA, "long.csv:2: the line is longer than 1048576 bytes: 'aaaa");
    pm_interactions *in = must_read(f, (pm_read_params){ .path = path, .skip_bad_lines = true });
    assert_int_equal(in->count, 2);
    assert_entry(in, 1, "3", "4", 1.0f, 0);
    free(text);
    path = put_text(f, "many.csv", "1,1\n2,1\n3,1\n3,2\n");
    must_fail(f, (pm_read_params){ .path = path, .max_ids = 2 }, PM_ERR_DATA,
              "many.csv:3: more than 2 distinct users, at '3'");
    pm_free(must_read(f, (pm_read_params){ .path = path, .max_ids = 3 }));
}

static void unpacks_gzip_and_zstd(void **state)
{
    fixture *f = *state;
    enum { LINES = 20000, TEXT = LINES * 16 };
    char *text = malloc(TEXT);
    unsigned char *packed = malloc(TEXT);
    size_t n = 0;
    for (int i = 0; i < LINES; i++) n += (size_t)sprintf(text + n, "%d,%d,%d\n", i % 997, i, i % 5 + 1);
    for (int kind = 0; kind < 2; kind++) {
        size_t size = kind ? zstd_bytes(text, n, packed, TEXT) : gzip_bytes(text, n, packed, TEXT);
        pm_interactions *in = must_read(f, (pm_read_params){ .path = put(f, "p.csv", packed, size) });
        assert_int_equal(in->count, LINES);
        assert_entry(in, LINES - 1, "59", "19999", 5.0f, 0);
        pm_free(in);
        // Two members, one after the other, are one file.
        const size_t half = (size_t)(strchr(text + n / 2, '\n') - text) + 1;
        size = kind ? zstd_bytes(text, half, packed, TEXT) : gzip_bytes(text, half, packed, TEXT);
        size += kind ? zstd_bytes(text + half, n - half, packed + size, TEXT - size)
                     : gzip_bytes(text + half, n - half, packed + size, TEXT - size);
        in = must_read(f, (pm_read_params){ .path = put(f, "p.csv", packed, size) });
        assert_int_equal(in->count, LINES);
        pm_free(in);
        for (size_t cut = 5; cut < size; cut += size / 7) {
            pm_interactions *none;
            const pm_read_params p = { .path = put(f, "p.csv", packed, cut) };
            const pm_status st = pm_data_read(f->ctx, &p, &none);
            const bool ok =
                st == PM_ERR_DATA && strstr(pm_ctx_message(f->ctx), kind ? "truncated: the zstd" : "truncated: the gzip");
            if (!ok) fail_msg("cut at %zu of %zu: %s", cut, size, pm_ctx_message(f->ctx));
        }
        packed[size / 4] ^= 0x55;
        must_fail(f, (pm_read_params){ .path = put(f, "p.csv", packed, size) }, PM_ERR_DATA, "p.csv");
    }
    free(text);
    free(packed);
}

static void finds_the_file_of_a_folder(void **state)
{
    fixture *f = *state;
    put_text(f, "movies.dat", "1::Toy Story\n");
    put_text(f, "ratings.dat", "1::1::5::1\n");
    pm_interactions *in = must_read(f, (pm_read_params){ .path = f->folder });
    assert_int_equal(in->count, 1);
    put_text(f, "u.data", "1\t1\t5\t1\n");
    must_fail(f, (pm_read_params){ .path = f->folder }, PM_ERR_DATA, "several data files");
    must_fail(f, (pm_read_params){ .path = f->folder }, PM_ERR_DATA, "u.data");
    must_fail(f, (pm_read_params){ .path = f->folder }, PM_ERR_DATA, "ratings.dat");
}

static void stops_when_cancelled(void **state)
{
    fixture *f = *state;
    const char *path = put_text(f, "a.csv", "1,2\n");
    pm_ctx_cancel(f->ctx);
    must_fail(f, (pm_read_params){ .path = path }, PM_ERR_CANCELLED, "a.csv");
    pm_ctx_resume(f->ctx);
    pm_free(must_read(f, (pm_read_params){ .path = path }));
}

static void reads_real_files(void **state)
{
    fixture *f = *state;
    static const struct real {
        const char *path;
        int64_t     users, items, count, duplicates;
    } files[] = {
        { "ml-1m/ratings.dat", 6040, 3706, 1000209, 0 },
        { "ml-100k", 943, 1682, 100000, 0 },
        { "ml-latest-small", 610, 9724, 100836, 0 },
        { "goodbooks-10k-v1", 53424, 10000, 979478, 2278 },
        { "jester-1", 24983, 100, 1810455, 0 },
        { "dmf-amazon-music/Amazon_ratings_Digital_Music_pruned.txt", 844, 18813, 46468, 0 },
    };
    for (int k = 0; k < PM_COUNT(files); k++) {
        const char *path = real_data(files[k].path);
        if (!path) continue;
        pm_interactions *in = must_read(f, (pm_read_params){ .path = path });
        assert_int_equal(pm_ids_count(in->users), files[k].users);
        assert_int_equal(pm_ids_count(in->items), files[k].items);
        assert_int_equal(in->count, files[k].count);
        assert_int_equal(in->duplicates, files[k].duplicates);
        pm_free(in);
    }
    const char *jester = real_data("jester-1/jester-data-1.csv");
    if (jester) must_fail(f, (pm_read_params){ .path = jester, .format = "csv" }, PM_ERR_DATA, "wrong column count: 101 columns");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(reads_every_delimiter), DATA_TEST(reads_without_rating_or_time), DATA_TEST(chooses_columns),
        DATA_TEST(keeps_ids_as_they_are), DATA_TEST(keeps_the_first_of_duplicates), DATA_TEST(names_file_line_value),
        DATA_TEST(refuses_what_is_no_table), DATA_TEST(limits_lines_and_ids), DATA_TEST(unpacks_gzip_and_zstd),
        DATA_TEST(finds_the_file_of_a_folder), DATA_TEST(stops_when_cancelled), DATA_TEST(reads_real_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
