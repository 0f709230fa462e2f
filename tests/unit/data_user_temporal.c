// The user-temporal protocol.
#define _POSIX_C_SOURCE 200809L
#include "data_help.h"

static pm_split *split(fixture *f, const pm_interactions *in, pm_split_params params)
{
    pm_split *s;
    params.protocol = "user-temporal";
    must(f, pm_data_split(f->ctx, in, &params, &s));
    assert_string_equal(s->protocol, "user-temporal");
    return s;
}

static int64_t row_of(const pm_csr *m, const uint32_t *user, const pm_split *s, const char *name)
{
    const int64_t u = pm_ids_find(s->users, name);
    assert_true(u >= 0);
    for (int64_t r = 0; r < m->rows; r++)
        if (user[r] == (uint32_t)u) return r;
    return -1;
}

// Exactly these items, numbers after "i", are in a row.
static void holds(const pm_split *s, const pm_csr *m, const uint32_t *user, const char *name, const char *items)
{
    const int64_t r = row_of(m, user, s, name);
    int64_t n = 0;
    for (const char *at = items; *at; at += strcspn(at, " "), at += *at == ' ', n++) {
        char item[16];
        snprintf(item, sizeof item, "%.*s", (int)strcspn(at, " "), at);
        const int64_t i = pm_ids_find(s->items, item);
        assert_true(i >= 0 && r >= 0);
        if (pm_csr_find(m, r, (uint32_t)i) < 0) fail_msg("%s of %s is missing", item, name);
    }
    assert_int_equal(r < 0 ? 0 : m->indptr[r + 1] - m->indptr[r], n);
}

// a has ten: 5, 2, 3. b has seven: ⌈3.5⌉ = 4, ⌊2.1⌋ = 2, 1. c has three: 2, 0, 1. d has two: 1, 0, 1. e has one.
static const char *const five_users = "user,item,rating,timestamp\n"
                                      "a,a10,5,100\na,a9,5,90\na,a8,5,80\na,a7,5,70\na,a6,5,60\na,a5,5,50\na,a4,5,40\na,a3,5,30\na,a2,5,20\na,a1,5,10\n"
                                      "c,c3,5,3\nb,b1,5,7\nb,b2,5,7\nc,c1,5,1\nb,b3,5,7\nb,b4,5,7\nd,d2,5,2\nb,b5,5,7\nb,b6,5,7\nb,b7,5,7\nc,c2,5,2\n"
                                      "d,d1,5,1\ne,e1,5,1\n";

static void cuts_each_user_by_time(void **state)
{
    fixture *f = *state;
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", five_users) });
    pm_split *s = split(f, in, (pm_split_params){ .seed = 1 });
    assert_int_equal(s->interactions, 23);
    assert_int_equal(s->train.rows, 5);
    holds(s, &s->train, s->train_user, "a", "a1 a2 a3 a4 a5");
    holds(s, &s->train, s->train_user, "b", "b1 b2 b3 b4");    // all at one time: as in the file
    holds(s, &s->train, s->train_user, "c", "c1 c2");
    holds(s, &s->train, s->train_user, "d", "d1");
    holds(s, &s->train, s->train_user, "e", "e1");
    holds(s, &s->valid.target, s->valid.user, "a", "a6 a7");
    holds(s, &s->valid.target, s->valid.user, "b", "b5");
    holds(s, &s->valid.target, s->valid.user, "c", "c3");
    holds(s, &s->valid.target, s->valid.user, "d", "d2");
    holds(s, &s->valid.input, s->valid.user, "c", "c1 c2");
    assert_int_equal(s->valid.users, 4);
    assert_int_equal(s->valid.excluded_no_target, 1);
    holds(s, &s->test.target, s->test.user, "a", "a8 a9 a10");
    holds(s, &s->test.target, s->test.user, "b", "b6 b7");
    holds(s, &s->test.input, s->test.user, "a", "a1 a2 a3 a4 a5 a6 a7");
    holds(s, &s->test.input, s->test.user, "b", "b1 b2 b3 b4 b5");
    assert_int_equal(s->test.users, 2);
    assert_int_equal(s->test.excluded_no_target, 3);    // c, d and e
    assert_int_equal(s->test.excluded_no_history, 0);
    assert_int_equal(f->warnings, 0);
    // chance has no part in it, and it reads back from files
    assert_true(pm_split_hash(s) == pm_split_hash(split(f, in, (pm_split_params){ .seed = 2 })));
    pm_interactions *back;
    pm_split *again;
    must(f, pm_split_write(s, in_folder(f, "parts")));
    must(f, pm_data_read(f->ctx, &(pm_read_params){ .path = in_folder(f, "parts") }, &back));
    must(f, pm_data_split(f->ctx, back, &(pm_split_params){ .protocol = "files" }, &again));
    assert_true(pm_split_hash(s) == pm_split_hash(again));
    assert_int_equal(again->test.excluded_no_target, 3);
}

static void other_shares(void **state)
{
    fixture *f = *state;
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", five_users) });
    pm_split *s = split(f, in, (pm_split_params){ .test_share = 0.1, .valid_share = 0.3 });
    holds(s, &s->train, s->train_user, "a", "a1 a2 a3 a4 a5 a6");
    holds(s, &s->test.target, s->test.user, "a", "a10");
    holds(s, &s->train, s->train_user, "b", "b1 b2 b3 b4 b5");    // ⌈4.2⌉
    assert_int_equal(s->test.users, 1);
    static const double wrong[][2] = { { 0.5, 0.5 }, { -0.1, 0.2 }, { 0.2, -0.1 }, { 0.9, 0.2 } };
    for (int k = 0; k < PM_COUNT(wrong); k++) {
        const pm_split_params p = { .protocol = "user-temporal", .test_share = wrong[k][0], .valid_share = wrong[k][1] };
        assert_int_equal(pm_data_split(f->ctx, in, &p, &s), PM_ERR_ARG);
        assert_non_null(strstr(pm_ctx_message(f->ctx), "must be positive and together less than 1"));
    }
}

// Sizes for every n up to 200, in whole numbers: ⌈n/2⌉, ⌊3n/10⌋ and the rest.
static void sizes_are_exact(void **state)
{
    fixture *f = *state;
    enum { MOST = 200 };
    char *text = malloc(MOST * (MOST + 1) / 2 * 24), *at = text;
    for (int u = 1; u <= MOST; u++)
        for (int i = 0; i < u; i++) at += sprintf(at, "u%d,i%d,1,%d\n", u, i, i * 37 % 41);
    pm_split *s = split(f, must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", text) }), (pm_split_params){ 0 });
    free(text);
    for (int n = 1; n <= MOST; n++) {
        char name[16];
        snprintf(name, sizeof name, "u%d", n);
        const int64_t t = row_of(&s->train, s->train_user, s, name), v = row_of(&s->valid.target, s->valid.user, s, name),
                      e = row_of(&s->test.target, s->test.user, s, name);
        const int train = (n + 1) / 2, test = 3 * n / 10;
        assert_int_equal(s->train.indptr[t + 1] - s->train.indptr[t], train);
        assert_int_equal(v < 0 ? 0 : s->valid.target.indptr[v + 1] - s->valid.target.indptr[v], n - train - test);
        assert_int_equal(e < 0 ? 0 : s->test.target.indptr[e + 1] - s->test.target.indptr[e], test);
    }
}

// Without times the sizes stay and chance decides, evenly: of 4,000 users each of ten items is in test for about 1,200.
static void at_random_without_times(void **state)
{
    fixture *f = *state;
    enum { USERS = 4000, ITEMS = 10 };
    char *text = malloc(USERS * ITEMS * 16), *at = text;
    for (int u = 0; u < USERS; u++)
        for (int i = 0; i < ITEMS; i++) at += sprintf(at, "%d,%d\n", u, i);
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", text) });
    free(text);
    assert_int_equal(f->warnings, 0);
    pm_split *s = split(f, in, (pm_split_params){ .seed = 5 });
    assert_int_equal(f->warnings, 1);
    assert_int_equal(s->train.nnz, USERS * 5);
    assert_int_equal(s->valid.target.nnz, USERS * 2);
    assert_int_equal(s->test.target.nnz, USERS * 3);
    assert_int_equal(s->test.input.nnz, USERS * 7);
    int count[ITEMS] = { 0 };
    for (int64_t e = 0; e < s->test.target.nnz; e++) count[s->test.target.col[e]]++;
    for (int i = 0; i < ITEMS; i++) assert_in_range(count[i], 1085, 1315);    // four standard deviations of √(4000 · .3 · .7)
    assert_true(pm_split_hash(s) == pm_split_hash(split(f, in, (pm_split_params){ .seed = 5 })));
    assert_true(pm_split_hash(s) != pm_split_hash(split(f, in, (pm_split_params){ .seed = 6 })));
}

static void too_short_for_a_test(void **state)
{
    fixture *f = *state;
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", "a,i1,1,1\na,i2,1,2\na,i3,1,3\nb,i1,1,1\n") });
    pm_split *s;
    assert_int_equal(pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "user-temporal" }, &s), PM_ERR_DATA);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "the test part is empty: 2 users have nothing to find"));
}

// The authors' own split of MovieLens-1M, from their times; and its sizes once more from the ratings.
static void the_authors_split_again(void **state)
{
    fixture *f = *state;
    const char *path = real_data("ml-1m-nce-plrec");
    if (!path) return;
    pm_interactions *in = must_read(f, (pm_read_params){ .path = path });
    pm_split *theirs, *ours = split(f, in, (pm_split_params){ 0 });
    must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "files" }, &theirs));
    assert_true(pm_split_hash(theirs) == pm_split_hash(ours));
    path = real_data("ml-1m/ratings.dat");
    if (!path) return;
    pm_interactions *all = must_read(f, (pm_read_params){ .path = path }), *liked;
    must(f, pm_data_filter(f->ctx, all, &(pm_filter_params){ .has_rating_above = true, .rating_above = 3, .binarize = true }, &liked));
    ours = split(f, liked, (pm_split_params){ 0 });
    assert_int_equal(ours->train.rows, 6038);
    assert_int_equal(pm_ids_count(ours->items), 3533);
    assert_int_equal(ours->train.nnz, 289149);
    assert_int_equal(ours->valid.target.nnz, 116263);
    assert_int_equal(ours->test.target.nnz, 169869);
    assert_int_equal(ours->valid.excluded_no_target, 1);
    assert_int_equal(ours->test.excluded_no_target, 3);
}

// Thresholds on real data, each count by a line of awk over the first row of each pair.
static void thresholds_on_real_data(void **state)
{
    static const struct { const char *name; double at; bool above; int64_t count, users, items; } cases[] = {
        { "ml-1m/ratings.dat", 3, true, 575281, 6038, 3533 },     { "ml-1m/ratings.dat", 3, false, 836478, 6039, 3628 },
        { "goodbooks-10k-v1", 3, true, 648688, 51293, 10000 },    { "goodbooks-10k-v1", 3, false, 896832, 53174, 10000 },
    };
    fixture *f = *state;
    for (int k = 0; k < PM_COUNT(cases); k++) {
        const char *path = real_data(cases[k].name);
        if (!path) continue;
        pm_interactions *all = must_read(f, (pm_read_params){ .path = path }), *kept;
        const pm_filter_params p = { .has_min_rating = !cases[k].above, .min_rating = cases[k].at, .has_rating_above = cases[k].above,
                                     .rating_above = cases[k].at, .binarize = true };
        must(f, pm_data_filter(f->ctx, all, &p, &kept));
        assert_int_equal(kept->count, cases[k].count);
        assert_int_equal(pm_ids_count(kept->users), cases[k].users);
        assert_int_equal(pm_ids_count(kept->items), cases[k].items);
        pm_free(kept);
        pm_free(all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(cuts_each_user_by_time),  DATA_TEST(other_shares),         DATA_TEST(sizes_are_exact),
        DATA_TEST(at_random_without_times), DATA_TEST(too_short_for_a_test), DATA_TEST(the_authors_split_again),
        DATA_TEST(thresholds_on_real_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
