// Whole matrices: MatrixMarket and Jester.
#define _POSIX_C_SOURCE 200809L
#include "data_help.h"

static const char *const market = "%%MatrixMarket matrix coordinate real general\n% rows are users\n%\n3 5 4\n1 5 4.5\n3\t1  -2\r\n\n1 2 3e0\n% late\n3 3 1\n";

static void check_entry(const pm_interactions *in, int64_t i, const char *user, const char *item, float value)
{
    assert_string_equal(pm_ids_name(in->users, in->user[i]), user);
    assert_string_equal(pm_ids_name(in->items, in->item[i]), item);
    assert_true(in->value[i] == value);
}

static void check_market(const pm_interactions *in)
{
    assert_int_equal(in->count, 4);
    check_entry(in, 0, "1", "5", 4.5f);
    check_entry(in, 1, "3", "1", -2);
    check_entry(in, 2, "1", "2", 3);
    check_entry(in, 3, "3", "3", 1);
    assert_int_equal(pm_ids_count(in->users), 2);    // the second row is empty
    assert_int_equal(pm_ids_count(in->items), 4);
    assert_null(in->time);
}

static void reads_matrix_market(void **state)
{
    fixture *f = *state;
    unsigned char packed[1024];
    check_market(must_read(f, (pm_read_params){ .path = put_text(f, "a.mtx", market) }));
    check_market(must_read(f, (pm_read_params){ .path = put_text(f, "a.txt", market) }));    // by content
    check_market(must_read(f, (pm_read_params){ .path = in_folder(f, "a.txt"), .format = "mtx" }));
    check_market(must_read(f, (pm_read_params){ .path = put(f, "a.gz", packed, gzip_bytes(market, strlen(market), packed, sizeof packed)) }));
    pm_interactions *in = must_read(f, (pm_read_params){
                                           .path = put_text(f, "p.mtx", "%%matrixmarket MATRIX Coordinate Pattern General\n2 2 3\n1 1\n2 2\n1 1\n") });
    assert_int_equal(in->count, 2);
    assert_int_equal(in->duplicates, 1);
    check_entry(in, 1, "2", "2", 1);
}

static void parts_of_matrix_market(void **state)
{
    fixture *f = *state;
    put_text(f, "train.mtx", "%%MatrixMarket matrix coordinate integer general\n2 4 3\n1 1 5\n1 2 4\n2 1 3\n");
    put_text(f, "valid.mtx", "%%MatrixMarket matrix coordinate integer general\n2 4 1\n1 3 5\n");
    put_text(f, "test.mtx", "%%MatrixMarket matrix coordinate pattern general\n2 4 2\n1 4\n2 2\n");
    pm_split *s;
    pm_interactions *in = must_read(f, (pm_read_params){ .path = f->folder });
    must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "files" }, &s));
    assert_int_equal(s->train.nnz, 3);
    assert_int_equal(s->valid.target.nnz, 1);
    assert_int_equal(s->test.target.nnz, 2);
    assert_int_equal(s->test.users, 2);
    assert_int_equal(s->valid.excluded_no_target, 1);
}

static void what_is_no_matrix(void **state)
{
    fixture *f = *state;
#define HEAD "%%MatrixMarket matrix coordinate real general\n"
    static const struct { const char *text, *message; } bad[] = {
        { "1 1 1\n", "a.mtx:1: not a MatrixMarket file" },
        { "%%MatrixMarket vector coordinate real general\n", "not the banner of a matrix" },
        { "%%MatrixMarket matrix coordinate real\n", "not the banner of a matrix" },
        { "%%MatrixMarket matrix array real general\n2 2\n", "not sparse" },
        { "%%MatrixMarket matrix coordinate complex general\n", "values must be real, integer or pattern" },
        { "%%MatrixMarket matrix coordinate real symmetric\n", "said to be symmetric" },
        { HEAD "% nothing more\n", "ends before the line of its size" },
        { HEAD "2 2\n", "a.mtx:2: the size is not rows, columns and entries: '2 2'" },
        { HEAD "2 -2 1\n", "the size is not" },
        { HEAD "2 2 1\n1 1\n", "a.mtx:3: malformed line: '1 1'; expected a row, a column and a value" },
        { HEAD "2 2 1\n1 1 1 1\n", "malformed line" },
        { HEAD "2 2 1\n0 1 1\n", "a.mtx:3: the row is not from 1 to 2: '0 1 1'" },
        { HEAD "2 2 1\n1 3 1\n", "the column is not from 1 to 2: '1 3 1'" },
        { HEAD "2 2 1\n1 1.5 1\n", "the column is not" },
        { HEAD "2 2 1\n1 1 nan\n", "the value is not a finite number" },
        { HEAD "2 2 1\n1 1 1e99\n", "the value is not a finite number" },
        { HEAD "2 2 3\n1 1 1\n2 2 1\n", "2 entries where its size says 3; the file is cut off or damaged" },
        { HEAD "2 2 1\n1 1 1\n2 2 1\n", "2 entries where its size says 1" },
        { HEAD "2 2 0\n", "no usable interactions" },
        { "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 1 1\n", "expected a row, a column" },
    };
#undef HEAD
    for (int k = 0; k < PM_COUNT(bad); k++)
        must_fail(f, (pm_read_params){ .path = put_text(f, "a.mtx", bad[k].text), .format = "mtx" }, PM_ERR_DATA, bad[k].message);
    const char *path = put_text(f, "b.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 3\n1 1 1\n9 1 1\n2 2 x\n");
    pm_interactions *in = must_read(f, (pm_read_params){ .path = path, .skip_bad_lines = true });
    assert_int_equal(in->count, 1);
    assert_int_equal(in->skipped_lines, 2);
    must_fail(f, (pm_read_params){ .path = put_text(f, "c.mtx", market), .max_ids = 3 }, PM_ERR_DATA, "more than 3 distinct items");
}

static void reads_jester(void **state)
{
    fixture *f = *state;
    const char *text = "3,1.5,99,-10,10\n1,99,99,99.0,.5\r\n\n0,99,99,99,99\n2,0,-0.25,99,99\n";
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", text), .format = "jester" });
    assert_int_equal(in->count, 6);
    check_entry(in, 0, "1", "1", 1.5f);
    check_entry(in, 1, "1", "3", -10);
    check_entry(in, 2, "1", "4", 10);
    check_entry(in, 3, "2", "4", 0.5f);
    check_entry(in, 4, "5", "1", 0);    // called by the line
    check_entry(in, 5, "5", "2", -0.25f);
    assert_int_equal(pm_ids_count(in->users), 3);
    assert_int_equal(pm_ids_count(in->items), 4);
    static const struct { const char *text, *message; } bad[] = {
        { "2,1,2\n1,99,11\n", "a.csv:2: field 3 is no rating from -10 to 10, nor 99: '11'" },
        { "2,1,x\n", "a.csv:1: field 3 is no rating" },
        { "2,1,nan\n", "field 3 is no rating" },
        { "2,1,2\n1,99,1,99\n", "a.csv:2: 4 fields, where the first line has 3" },
        { "2,1,99\n", "a.csv:1: the first field is not the number of ratings in the line, 1: '2'" },
        { "1\n", "a.csv:1: 1 fields are no Jester matrix" },
        { "0,99,99\n", "no usable interactions" },
    };
    for (int k = 0; k < PM_COUNT(bad); k++)
        must_fail(f, (pm_read_params){ .path = put_text(f, "a.csv", bad[k].text), .format = "jester" }, PM_ERR_DATA, bad[k].message);
    in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", "2,1,2\n2,1,99\n1,99,3\n"), .format = "jester", .skip_bad_lines = true });
    assert_int_equal(in->count, 3);
    check_entry(in, 2, "3", "2", 3);
    must_fail(f, (pm_read_params){ .path = in_folder(f, "a.csv"), .format = "jestre" }, PM_ERR_ARG, "did you mean 'jester'");
}

// A hundred and one columns whose first counts the others: nothing else looks like that.
static void knows_jester_when_it_sees_it(void **state)
{
    fixture *f = *state;
    char text[2048] = "2,5,-3";
    for (int i = 2; i < 100; i++) strcat(text, ",99");
    strcat(text, "\n");
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.data", text) });
    assert_int_equal(in->count, 2);
    check_entry(in, 1, "1", "2", -3);
    text[0] = '3';    // a table of a hundred and one columns then, of which three are read
    in = must_read(f, (pm_read_params){ .path = put_text(f, "b.data", text), .columns = "1,2,3" });
    assert_int_equal(in->count, 1);
    check_entry(in, 0, "3", "5", -3);
    in = must_read(f, (pm_read_params){ .path = in_folder(f, "a.data"), .columns = "1,2,3" });
    check_entry(in, 0, "2", "5", -3);
}

// The first part of Jester, its counts taken by awk.
static void the_real_jester(void **state)
{
    fixture *f = *state;
    const char *path = real_data("jester-1");
    if (!path) return;
    pm_interactions *in = must_read(f, (pm_read_params){ .path = path });
    pm_data_statistics s;
    must(f, pm_data_stat(in, &s));
    assert_int_equal(s.users, 24983);
    assert_int_equal(s.items, 100);
    assert_int_equal(s.interactions, 1810455);
    assert_true(s.rating_min == -9.95f && s.rating_max == 10.0f);
    assert_int_equal(s.duplicates, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(reads_matrix_market), DATA_TEST(parts_of_matrix_market),       DATA_TEST(what_is_no_matrix),
        DATA_TEST(reads_jester),        DATA_TEST(knows_jester_when_it_sees_it), DATA_TEST(the_real_jester),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
