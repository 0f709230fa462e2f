// leave-one-out, NCF files, given train/valid/test files.
#define _POSIX_C_SOURCE 200809L
#include "data_help.h"

static const char *item_name(const pm_split *s, uint32_t item)
{
    return pm_ids_name(s->items, item);
}

static const char *target_of(const pm_split *s, const pm_eval_part *p, const char *user)
{
    for (int64_t r = 0; r < p->users; r++)
        if (strcmp(pm_ids_name(s->users, p->user[r]), user) == 0) return item_name(s, p->target.col[p->target.indptr[r]]);
    return "";
}

static void check_candidates(const pm_split *s, const pm_eval_part *p, const pm_csr *known)
{
    char *seen = calloc((size_t)pm_ids_count(s->items), 1);
    assert_true(p->sampled);
    for (int64_t r = 0; r < p->users; r++) {
        const uint32_t begin = p->candidate_ptr[r], end = p->candidate_ptr[r + 1];
        assert_int_equal(p->target.indptr[r + 1] - p->target.indptr[r], 1);
        assert_int_equal(p->candidate[begin], p->target.col[p->target.indptr[r]]);
        for (uint32_t c = begin; c < end; c++) {
            assert_int_equal(seen[p->candidate[c]]++, 0);
            if (known && c > begin) assert_int_equal(pm_csr_find(known, p->user[r], p->candidate[c]), -1);
        }
        for (uint32_t c = begin; c < end; c++) seen[p->candidate[c]] = 0;
    }
    free(seen);
}

static void must_not_split(fixture *f, const pm_interactions *in, int64_t negatives, const char *why)
{
    pm_split *s;
    assert_int_equal(pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "leave-one-out", .negatives = negatives }, &s), PM_ERR_DATA);
    if (!strstr(pm_ctx_message(f->ctx), why)) fail_msg("'%s' is not in: %s", why, pm_ctx_message(f->ctx));
}

static void takes_the_latest(void **state)
{
    fixture *f = *state;
    // a: times out of order, two tied for the latest: the last of them in the file; the other is the one before.
    // b has two interactions: none is left to validate on. c has one: it is trained on.
    const char *text = "a,1,5,50\na,2,5,90\na,3,5,90\na,4,5,10\nb,1,5,2\nb,2,5,1\nc,3,5,1\n";
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", text) });
    pm_split *s;
    must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "leave-one-out", .negatives = 1 }, &s));
    assert_string_equal(target_of(s, &s->test, "a"), "3");
    assert_string_equal(target_of(s, &s->valid, "a"), "2");
    assert_string_equal(target_of(s, &s->test, "b"), "1");
    assert_int_equal(s->test.users, 2);
    assert_int_equal(s->valid.users, 1);
    assert_int_equal(s->test.excluded_no_target, 1);
    assert_int_equal(s->valid.excluded_no_target, 2);
    assert_int_equal(s->train.nnz, 4);
    assert_int_equal(s->test.input.indptr[1], 3);     // a's validation item is known at test time
    assert_int_equal(s->valid.input.indptr[1], 2);
    // a has all four items: no negatives at all, which is counted. Its two latest share a time; what is left of it does not.
    assert_int_equal(s->test.candidate_ptr[1], 1);
    assert_int_equal(s->test.short_candidates, 1);
    assert_int_equal(s->test.tied_times, 1);
    assert_int_equal(s->valid.tied_times, 0);
    check_candidates(s, &s->test, NULL);
    must_not_split(f, in, 4, "4 negatives are to be ranked beside the target, and there are only 4 items; ask for fewer (--negatives 2)");
    must_not_split(f, in, 0, "100 negatives");
}

// Times that three, two and no interactions of a user share; a part's ties are those it was chosen from.
static void counts_ties_in_time(void **state)
{
    fixture *f = *state;
    const char *text = "a,1,5,7\na,2,5,7\na,3,5,7\na,4,5,1\nb,1,5,3\nb,2,5,3\nc,1,5,1\nc,2,5,2\nc,3,5,3\nd,4,5,9\n";
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", text) });
    for (int random = 0; random < 2; random++) {
        pm_split *s;
        must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "leave-one-out", .negatives = 1, .validation = random ? "random" : NULL }, &s));
        assert_int_equal(s->test.tied_times, 2);                 // a and b
        assert_int_equal(s->valid.tied_times, random ? 0 : 1);    // a's other two; a random one is not chosen by time
        assert_string_equal(target_of(s, &s->test, "a"), "3");
        assert_string_equal(target_of(s, &s->test, "b"), "2");
        assert_string_equal(target_of(s, &s->test, "c"), "3");
        assert_int_equal(s->test.excluded_no_target, 1);    // d, who is trained on
        assert_int_equal(s->train.rows, 4);
    }
    // Without times nothing is tied: the file's order decides.
    in = must_read(f, (pm_read_params){ .path = put_text(f, "b.csv", "a,1\na,2\na,4\nb,3\nb,1\n") });
    pm_split *s;
    must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "leave-one-out", .negatives = 1, .validation = "random" }, &s));
    assert_int_equal(s->test.tied_times, 0);
    assert_string_equal(target_of(s, &s->test, "b"), "1");
}

// Test targets that no user has in what is known at test time.
static int64_t unseen_at_test(const pm_split *s)
{
    char *seen = calloc((size_t)s->train.cols, 1);
    int64_t n = 0;
    for (int64_t e = 0; e < s->train.nnz; e++) seen[s->train.col[e]] = 1;
    for (int64_t e = 0; e < s->valid.target.nnz; e++) seen[s->valid.target.col[e]] = 1;
    for (int64_t e = 0; e < s->test.target.nnz; e++) n += !seen[s->test.target.col[e]];
    free(seen);
    return n;
}

// Of the users of public data, whose latest time is shared; targets nobody has in training.
static void counts_ties_of_real_data(void **state)
{
    fixture *f = *state;
    static const struct { const char *name; int64_t users, tied, unseen, unseen_at_test; } data[] = { { "ml-100k", 943, 415, 3, 3 }, { "dmf-amazon-music/Amazon_ratings_Digital_Music_pruned.txt", 844, 173, 267, 262 } };
    for (int k = 0; k < PM_COUNT(data); k++) {
        pm_split *s;
        const char *path = real_data(data[k].name);
        if (!path) return;
        pm_interactions *in = must_read(f, (pm_read_params){ .path = path });
        must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "leave-one-out" }, &s));
        assert_int_equal(s->test.users, data[k].users);
        assert_int_equal(s->test.tied_times, data[k].tied);
        assert_int_equal(s->test.unseen_targets, data[k].unseen);
        assert_int_equal(unseen_at_test(s), data[k].unseen_at_test);    // validation items are back
    }
}

static void samples_what_was_never_met(void **state)
{
    fixture *f = *state;
    pm_interactions *in;
    must(f, pm_data_synth(f->ctx, &(pm_synth_params){ .users = 120, .items = 300, .interactions = 6000, .seed = 3 }, &in));
    pm_csr known;
    must(f, pm_csr_build(f->ctx, 120, 300, in->count, in->user, in->item, NULL, NULL, &known, NULL));
    pm_split_params p = { .protocol = "leave-one-out", .seed = 9 };
    uint64_t hash[4];
    for (int k = 0; k < 4; k++) {
        pm_split *s;
        if (k == 1) p.negatives = 250;    // more than a user has left at times
        if (k == 2) p.negatives = 20, p.validation = "random";
        if (k == 3) p.seed = 10;
        must(f, pm_data_split(f->ctx, in, &p, &s));
        check_candidates(s, &s->valid, &known);
        check_candidates(s, &s->test, &known);
        assert_int_equal(s->test.users, 120);
        for (int64_t r = 0; r < 120; r++) {
            const uint32_t had = known.indptr[r + 1] - known.indptr[r], wanted = k == 0 ? 100 : k == 1 ? 250 : 20;
            assert_int_equal(s->test.candidate_ptr[r + 1] - s->test.candidate_ptr[r], 1 + PM_MIN(wanted, 300 - had));
        }
        hash[k] = pm_split_hash(s);
        pm_split *again;
        must(f, pm_data_split(f->ctx, in, &p, &again));
        assert_true(hash[k] == pm_split_hash(again));
    }
    assert_true(hash[0] != hash[1] && hash[1] != hash[2] && hash[2] != hash[3]);
    pm_split *none;
    assert_int_equal(
        pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "leave-one-out", .validation = "last" }, &none),
        PM_ERR_ARG);
}

static const char ncf_train[] = "0\t0\t5\t10\n0\t1\t5\t30\n0\t2\t5\t20\n1\t0\t3\t1\n1\t3\t3\t2\n2\t1\t4\t5\n";
static const char ncf_test[] = "0\t3\t5\t40\n1\t1\t5\t9\n";

static void reads_ncf(void **state)
{
    fixture *f = *state;
    put_text(f, "x.train.rating", ncf_train);
    put_text(f, "x.test.rating", ncf_test);
    put_text(f, "x.test.negative", "(0,3)\t4\t5\t3\t4\n(1,1)\t5\t6\n");
    pm_interactions *in = must_read(f, (pm_read_params){ .path = f->folder }), *ones;
    assert_int_equal(in->count, 6);
    assert_int_equal(pm_ids_count(in->items), 7);
    must(f, pm_data_filter(f->ctx, in, &(pm_filter_params){ .binarize = true }, &ones));
    pm_split *s;
    for (int k = 0; k < 2; k++) {
        must(f, pm_data_split(f->ctx, k ? ones : in,
                              &(pm_split_params){ .protocol = k ? "files" : "leave-one-out", .negatives = 2 }, &s));
        assert_int_equal(s->test.dropped_candidates, 2);    // the target once, item 4 once
        assert_int_equal(s->test.users, 2);
        assert_int_equal(s->test.candidate_ptr[1], 3);
        assert_string_equal(item_name(s, s->test.candidate[0]), "3");
        assert_string_equal(item_name(s, s->test.candidate[1]), "4");
        assert_string_equal(item_name(s, s->test.candidate[2]), "5");
        assert_string_equal(target_of(s, &s->valid, "0"), "1");    // the latest, though not the last in the file
        assert_string_equal(target_of(s, &s->valid, "1"), "3");
        check_candidates(s, &s->valid, NULL);
        assert_int_equal(s->train.nnz, 4);
        assert_int_equal(s->test.excluded_no_target, 1);    // user 2
        assert_true(s->train.val[0] == (k ? 1.0f : 5.0f));
    }
    assert_int_equal(pm_data_filter(f->ctx, in, &(pm_filter_params){ .min_user = 2 }, &ones), PM_ERR_ARG);
    // Another protocol takes all interactions together.
    must(f,
         pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "random", .test_share = 0.25, .valid_share = 0.25 }, &s));
    assert_int_equal(s->interactions, 8);
    unlink(in_folder(f, "x.test.negative"));
    in = must_read(f, (pm_read_params){ .path = in_folder(f, "x.train.rating") });
    must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "leave-one-out", .negatives = 1 }, &s));
    assert_string_equal(target_of(s, &s->test, "1"), "1");
    check_candidates(s, &s->test, NULL);
}

static void refuses_bad_ncf(void **state)
{
    fixture *f = *state;
    const char *train = put_text(f, "x.train.rating", ncf_train);
    must_fail(f, (pm_read_params){ .path = train }, PM_ERR_DATA, "X.test.rating beside it");
    put_text(f, "x.test.rating", ncf_test);
    static const char *const bad[][2] = {
        { "(0,3)\t4\n(1,2)\t4\n", "x.test.negative:2: the pair is not in the test ratings: '(1,2)\\x094'" },
        { "(9,3)\t4\n", "x.test.negative:1: the pair is not" },
        { "0,3\t4\n", "x.test.negative:1: malformed line" },
        { "(0,3)\n", "x.test.negative:1: malformed line" },
        { "(0,3)\t4\t\t5\n", "x.test.negative:1: the item is empty" },
        { "", "x.test.negative:1: the file is empty" },
    };
    for (int b = 0; b < PM_COUNT(bad); b++) {
        put_text(f, "x.test.negative", bad[b][0]);
        must_fail(f, (pm_read_params){ .path = train }, PM_ERR_DATA, bad[b][1]);
    }
    put_text(f, "x.test.negative", "(0,3)\t4\n");
    pm_interactions *in = must_read(f, (pm_read_params){ .path = train });
    pm_split *s;
    assert_int_equal(pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "leave-one-out", .negatives = 2 }, &s), PM_ERR_DATA);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "user '1' has a target and no candidates"));
    put_text(f, "x.test.rating", "0\t3\t5\t40\n0\t4\t5\t41\n");
    unlink(in_folder(f, "x.test.negative"));
    in = must_read(f, (pm_read_params){ .path = train });
    assert_int_equal(pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "leave-one-out", .negatives = 2 }, &s), PM_ERR_DATA);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "user '0' has 2 test rows"));
}

static void takes_given_files(void **state)
{
    fixture *f = *state;
    const char *train = put_text(f, "train.csv", "user,item\na,1\na,2\nb,1\n");
    pm_interactions *in = must_read(f, (pm_read_params){ .path = train });
    pm_split *s;
    const pm_split_params p = { .protocol = "files" };
    assert_int_equal(pm_data_split(f->ctx, in, &p, &s), PM_ERR_DATA);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "without parts of their own"));
    put_text(f, "test.csv", "user,item\na,3\na,1\nb,4\nb,2\nc,1\n");
    in = must_read(f, (pm_read_params){ .path = train });
    assert_int_equal(pm_data_split(f->ctx, in, &p, &s), PM_ERR_DATA);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "no validation part"));
    put_text(f, "validation.csv", "user,item\nb,2\n");
    in = must_read(f, (pm_read_params){ .path = f->folder });
    must(f, pm_data_split(f->ctx, in, &p, &s));
    assert_int_equal(s->train.nnz, 3);
    assert_int_equal(s->valid.users, 1);
    assert_int_equal(s->test.users, 2);
    assert_int_equal(s->test.target.nnz, 2);
    assert_int_equal(s->test.repeated_targets, 2);    // a,1 is trained on and b,2 validated on
    assert_int_equal(s->test.excluded_no_history, 1);
    assert_int_equal(s->test.input.nnz, 4);
}

static void splits_real_ncf(void **state)
{
    fixture *f = *state;
    const char *path = real_data("ml-1m-ncf");
    if (!path) return;
    pm_interactions *in = must_read(f, (pm_read_params){ .path = path });
    assert_int_equal(in->count, 994169);
    assert_int_equal(pm_ids_count(in->users), 6040);
    assert_int_equal(pm_ids_count(in->items), 3706);
    pm_split *s;
    must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "leave-one-out" }, &s));
    assert_int_equal(s->test.users, 6040);
    assert_int_equal(s->test.dropped_candidates, 156);
    assert_int_equal(s->test.candidate_ptr[6040], 6040 * 100 - 156);
    assert_int_equal(s->train.nnz, 994169 - 6040);
    check_candidates(s, &s->test, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(takes_the_latest), DATA_TEST(counts_ties_in_time), DATA_TEST(counts_ties_of_real_data),
        DATA_TEST(samples_what_was_never_met), DATA_TEST(reads_ncf), DATA_TEST(refuses_bad_ncf),
        DATA_TEST(takes_given_files), DATA_TEST(splits_real_ncf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
