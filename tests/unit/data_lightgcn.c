// Adjacency lists: good files, companions, every complaint with its line.
#define _POSIX_C_SOURCE 200809L
#include "data_help.h"

static pm_interactions *read_lists(fixture *f, const char *path)
{
    return must_read(f, (pm_read_params){ .path = path, .format = "lightgcn" });
}

static void lists_and_their_parts(void **state)
{
    fixture *f = *state;
    put_text(f, "train.txt", "0 10 11 12\r\n1\t10  13 \n2 10 10\n\n3\n");
    pm_interactions *in = read_lists(f, in_folder(f, "train.txt"));
    assert_int_equal(in->count, 6);
    assert_int_equal(in->duplicates, 1);
    assert_int_equal(pm_ids_count(in->users), 3);    // 3 has no items
    assert_int_equal(pm_ids_count(in->items), 4);
    assert_string_equal(pm_ids_name(in->items, in->item[4]), "13");
    assert_string_equal(pm_ids_name(in->users, in->user[4]), "1");
    assert_true(in->value[2] == 1.0f);
    assert_null(in->time);
    assert_null(in->companions);
    pm_split *s;
    put_text(f, "test.txt", "0 13\n1 11 14\n3\n");
    in = read_lists(f, in_folder(f, "train.txt"));
    assert_int_equal(pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "files" }, &s), PM_ERR_DATA);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "no validation part"));
    put_text(f, "valid.txt", "1 12\n");
    in = read_lists(f, in_folder(f, "train.txt"));
    must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "files" }, &s));
    assert_int_equal(s->train.nnz, 6);
    assert_int_equal(s->valid.target.nnz, 1);
    assert_int_equal(s->test.users, 2);
    assert_int_equal(s->test.target.nnz, 3);
    assert_int_equal(s->test.unseen_items, 1);    // 14
    assert_int_equal(s->test.input.nnz, 6);       // three of 0, two of 1 and its validation item
}

static void complaints(void **state)
{
    fixture *f = *state;
    const char *path = put_text(f, "a.txt", "0 1\n1 \xff\xfe 2\n2 3\n");
    must_fail(f, (pm_read_params){ .path = path, .format = "lightgcn" }, PM_ERR_DATA, "a.txt:2: the item is not UTF-8");
    pm_interactions *in = must_read(f, (pm_read_params){ .path = path, .format = "lightgcn", .skip_bad_lines = true });
    assert_int_equal(in->skipped_lines, 1);
    assert_int_equal(in->count, 2);
    path = put(f, "b.txt", "0 1\n1 2\0 3\n", 11);
    must_fail(f, (pm_read_params){ .path = path, .format = "lightgcn" }, PM_ERR_DATA, "b.txt:2: malformed line");
    path = put_text(f, "c.txt", "0\n1\n");
    must_fail(f, (pm_read_params){ .path = path, .format = "lightgcn" }, PM_ERR_DATA, "no usable interactions");
    path = put_text(f, "d.txt", "0 1 2 3 4\n");
    must_fail(f, (pm_read_params){ .path = path, .format = "lightgcn", .max_ids = 3 }, PM_ERR_DATA, "d.txt:1: more than 3 distinct items");
    must_fail(f, (pm_read_params){ .path = path, .format = "lightgnc" }, PM_ERR_ARG, "did you mean 'lightgcn'");
}

int main(void)
{
    const struct CMUnitTest tests[] = { DATA_TEST(lists_and_their_parts), DATA_TEST(complaints) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
