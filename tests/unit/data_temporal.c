// The temporal protocol, and the dates it is asked by.
#define _POSIX_C_SOURCE 200809L
#include "data_help.h"

#include <time.h>

#include "data/date.h"

enum { DAY = 86400 };

static pm_split *split(fixture *f, const pm_interactions *in, pm_split_params params)
{
    pm_split *s;
    params.protocol = "temporal";
    must(f, pm_data_split(f->ctx, in, &params, &s));
    return s;
}

static void refuses(fixture *f, const pm_interactions *in, pm_split_params params, pm_status status, const char *part)
{
    pm_split *s;
    params.protocol = "temporal";
    assert_int_equal(pm_data_split(f->ctx, in, &params, &s), status);
    assert_null(s);
    if (!strstr(pm_ctx_message(f->ctx), part)) fail_msg("'%s' is not in: %s", part, pm_ctx_message(f->ctx));
}

static int64_t user_row(const pm_split *s, const pm_eval_part *p, const char *name)
{
    for (int64_t r = 0; r < p->users; r++)
        if (strcmp(pm_ids_name(s->users, p->user[r]), name) == 0) return r;
    return -1;
}

static bool has(const pm_split *s, const pm_csr *m, int64_t row, const char *item)
{
    const int64_t i = pm_ids_find(s->items, item);
    assert_true(i >= 0 && row >= 0);
    return pm_csr_find(m, row, (uint32_t)i) >= 0;
}

// Days 0 … 9 hold two interactions each; the last two days are the test part, and of the sixteen before them a quarter, the
// last four, are validation. Written out of order: time decides, not the file.
static const char *const ten_days = "user,item,rating,timestamp\n"
                                    "c,i3,5,691200\nd,i4,5,691210\na,i5,5,777600\nb,new,5,777700\n"    // days 8 and 9
                                    "a,i1,5,0\nb,i1,5,10\na,i2,5,86400\nb,i2,5,86410\na,i3,5,172800\nb,i3,5,172810\n"
                                    "a,i4,5,259200\nb,i4,5,259210\ne,i1,5,345600\ne,i2,5,345610\ne,i3,5,432000\nb,i5,5,432010\n"
                                    "a,i6,5,518400\nb,i6,5,518410\nc,i1,5,604800\ne,i5,5,604810\n";

static void last_days_are_the_test(void **state)
{
    fixture *f = *state;
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", ten_days) });
    pm_split *s = split(f, in, (pm_split_params){ .test_days = 2, .valid_share = 0.25 });
    assert_string_equal(s->protocol, "temporal");
    assert_int_equal(s->test_from, 777700 - 2 * DAY + 1);
    assert_int_equal(s->valid_from, 518400);
    assert_int_equal(s->interactions, 20);
    // training: a and b of the days 0 to 3 and b's i5, e's three
    assert_int_equal(s->train.rows, 3);
    assert_int_equal(s->train.nnz, 12);
    // validation: i6 of a and b, i5 of e; c's first interaction has no history before it
    assert_int_equal(s->valid.users, 3);
    assert_int_equal(s->valid.target.nnz, 3);
    assert_int_equal(s->valid.excluded_no_history, 1);
    assert_int_equal(s->valid.excluded_no_target, 1);    // d
    assert_int_equal(s->valid.unseen_targets, 2);
    assert_int_equal(s->valid.unseen_items, 1);    // i6
    // test: a, b and c, whose validation item is their history by then; nothing is known of d
    assert_int_equal(s->test.users, 3);
    assert_int_equal(s->test.excluded_no_history, 1);
    assert_int_equal(s->test.excluded_no_target, 1);    // e
    assert_int_equal(s->test.unseen_targets, 1);
    assert_int_equal(s->test.unseen_items, 1);    // new
    assert_int_equal(user_row(s, &s->test, "d"), -1);
    const int64_t a = user_row(s, &s->test, "a"), c = user_row(s, &s->test, "c");
    assert_true(has(s, &s->test.input, a, "i6") && has(s, &s->test.input, a, "i1"));
    assert_true(has(s, &s->test.target, a, "i5"));
    assert_true(has(s, &s->test.input, c, "i1") && has(s, &s->test.target, c, "i3"));
    // the same window by its first second and by its day
    pm_split *by_second = split(f, in, (pm_split_params){ .test_from = "604901", .valid_share = 0.25 }),
             *by_day = split(f, in, (pm_split_params){ .test_from = "1970-01-09", .valid_share = 0.25 });
    assert_true(pm_split_hash(s) == pm_split_hash(by_second));
    assert_true(pm_split_hash(s) == pm_split_hash(by_day));
    assert_int_equal(by_day->test_from, 8 * DAY);
    // and read back from files
    pm_interactions *back;
    pm_split *again;
    must(f, pm_split_write(s, in_folder(f, "parts")));
    must(f, pm_data_read(f->ctx, &(pm_read_params){ .path = in_folder(f, "parts") }, &back));
    must(f, pm_data_split(f->ctx, back, &(pm_split_params){ .protocol = "files" }, &again));
    assert_true(pm_split_hash(s) == pm_split_hash(again));
    assert_int_equal(again->test.excluded_no_history, 1);
    assert_int_equal(again->test.unseen_items, 1);
}

// Of equal times the last in the file are the later ones.
static void ties_keep_file_order(void **state)
{
    fixture *f = *state;
    const char *text = "a,i1,1,5\na,i2,1,5\na,i3,1,5\nb,i1,1,5\nb,i2,1,5\na,i9,1,90000\nb,i9,1,90000\n";
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", text) });
    pm_split *s = split(f, in, (pm_split_params){ .test_days = 1, .valid_share = 0.2 });
    assert_int_equal(s->valid.users, 1);
    assert_true(has(s, &s->valid.target, user_row(s, &s->valid, "b"), "i2"));
    s = split(f, in, (pm_split_params){ .test_days = 1, .valid_share = 0.6 });
    assert_int_equal(s->valid.target.nnz, 1);    // i3 of a; b's two have no history
    assert_true(has(s, &s->valid.target, 0, "i3"));
    assert_int_equal(s->valid.excluded_no_history, 1);
}

static int by_time(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return x[0] != y[0] ? (x[0] > y[0]) - (x[0] < y[0]) : (x[1] > y[1]) - (x[1] < y[1]);
}

// The bisection against a sort.
static void agrees_with_a_sort(void **state)
{
    fixture *f = *state;
    pm_interactions *in;
    must(f, pm_data_synth(f->ctx, &(pm_synth_params){ .users = 200, .items = 150, .interactions = 5000, .seed = 4 }, &in));
    for (int64_t i = 0; i < in->count; i++) in->time[i] = in->time[i] / (7 * DAY) * (7 * DAY);    // many ties
    int64_t(*order)[2] = malloc((size_t)in->count * sizeof *order);
    for (int64_t i = 0; i < in->count; i++) order[i][0] = in->time[i], order[i][1] = i;
    qsort(order, (size_t)in->count, sizeof *order, by_time);
    const int64_t days = (order[in->count - 1][0] - order[0][0]) / DAY / 5;
    pm_split *s = split(f, in, (pm_split_params){ .test_days = days });
    int64_t before = 0;
    while (before < in->count && order[before][0] < s->test_from) before++;
    const int64_t valid = before / 10;
    assert_true(valid > 10 && before < in->count);
    assert_int_equal(s->valid_from, order[before - valid][0]);
    for (int64_t k = 0; k < in->count; k++) {
        const int64_t i = order[k][1];
        for (int p = 0; p < 2; p++) {
            const pm_eval_part *part = p ? &s->test : &s->valid;
            const int64_t row = user_row(s, part, pm_ids_name(in->users, in->user[i]));
            const bool mine = p ? k >= before : k >= before - valid && k < before, known = k < (p ? before : before - valid);
            if (row < 0) continue;
            assert_int_equal(pm_csr_find(&part->target, row, in->item[i]) >= 0, mine);
            assert_int_equal(pm_csr_find(&part->input, row, in->item[i]) >= 0, known);
        }
    }
    free(order);
}

static void what_cannot_be_split(void **state)
{
    fixture *f = *state;
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", ten_days) }), *timeless, *once;
    timeless = must_read(f, (pm_read_params){ .path = put_text(f, "b.csv", "a,i1,5\na,i2,5\nb,i1,5\n") });
    once = must_read(f, (pm_read_params){ .path = put_text(f, "c.csv", "a,i1,5,7\na,i2,5,7\nb,i1,5,7\n") });
    refuses(f, timeless, (pm_split_params){ 0 }, PM_ERR_DATA, "no timestamps");
    refuses(f, in, (pm_split_params){ .test_from = "1970-01-11" }, PM_ERR_DATA, "no interaction is left to test on");
    refuses(f, in, (pm_split_params){ .test_from = "1970-01-11" }, PM_ERR_DATA, "the last one is of 1970-01-10");
    refuses(f, in, (pm_split_params){ .test_from = "0" }, PM_ERR_DATA, "no interaction is left to train on");
    refuses(f, in, (pm_split_params){ 0 }, PM_ERR_DATA, "the data go from 1970-01-01 to 1970-01-10");    // thirty days
    refuses(f, once, (pm_split_params){ .test_days = 1 }, PM_ERR_DATA, "no interaction is left to train on");
    refuses(f, in, (pm_split_params){ .test_days = 8 }, PM_ERR_DATA, "none to validate on");
    refuses(f, in, (pm_split_params){ .test_days = -1 }, PM_ERR_ARG, "test_days = -1");
    refuses(f, in, (pm_split_params){ .test_days = 1, .test_from = "1970-01-05" }, PM_ERR_ARG, "give one");
    refuses(f, in, (pm_split_params){ .test_from = "1970-02-30" }, PM_ERR_ARG, "'1970-02-30' is no date");
    refuses(f, in, (pm_split_params){ .test_from = "soon" }, PM_ERR_ARG, "'soon' is no date");
    refuses(f, in, (pm_split_params){ .valid_share = 1.0 }, PM_ERR_ARG, "valid_share = 1");
    refuses(f, in, (pm_split_params){ .valid_share = -0.1 }, PM_ERR_ARG, "valid_share = -0.1");
    // only users nobody has heard of before
    pm_interactions *strangers = must_read(f, (pm_read_params){ .path = put_text(f, "d.csv", "a,i1,5,1\na,i2,5,2\nb,i1,5,90000\n") });
    refuses(f, strangers, (pm_split_params){ .test_days = 1, .valid_share = 0.5 }, PM_ERR_DATA,
            "the test part is empty: 1 users have nothing to find and 1 no history");
    // times at the ends of what a number holds
    static int64_t extreme[] = { INT64_MIN, INT64_MAX };
    pm_interactions wide = *in;
    wide.time = calloc((size_t)in->count, sizeof *wide.time);
    for (int64_t i = 0; i < in->count; i++) wide.time[i] = extreme[i < 4];
    refuses(f, &wide, (pm_split_params){ .test_days = INT64_MAX }, PM_ERR_DATA, "no interaction is left to train on");
    assert_int_equal(split(f, &wide, (pm_split_params){ .test_days = 1 })->valid_from, INT64_MIN);
    free(wide.time);
}

static void dates_agree_with_the_library(void **state)
{
    (void)state;
    for (int64_t t = -INT64_C(100000000000); t < INT64_C(200000000000); t += 86399 * 17) {
        char text[PM_DATE_SIZE], expected[32];
        const time_t when = (time_t)t;
        struct tm parts;
        int64_t back;
        pm_date_text(t, text);
        assert_non_null(gmtime_r(&when, &parts));
        snprintf(expected, sizeof expected, "%04d-%02d-%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
        assert_string_equal(text, expected);
        if (text[0] == '-') continue;
        assert_true(pm_date_parse(text, &back));
        assert_true(back <= t && t - back < DAY && back % DAY == 0);
    }
    int64_t t;
    assert_true(pm_date_parse("-17", &t) && t == -17);
    assert_true(pm_date_parse("2000-02-29", &t) && t == 951782400);
    static const char *const wrong[] = { "",          "-",          "2001-02-29", "2003-2-1",   "2003-13-01", "2003-00-10", "2003-01-00", "20030101x",
                                         "1.5",       "2003/01/01", "2003-01-1a", "1900-02-29", " 12",        "12 ",        "+5",
                                         "9999999999999999999" };
    for (int i = 0; i < PM_COUNT(wrong); i++)
        if (pm_date_parse(wrong[i], &t)) fail_msg("'%s' is no date", wrong[i]);
}

// MovieLens-1M (>= 4, users >= 5), counted by a few lines of Python: 85 users in the last 30 days; in the last 365 days 472,
// three of them new, and eight items that were new.
static void the_last_year_of_movielens(void **state)
{
    fixture *f = *state;
    const char *path = real_data("ml-1m/ratings.dat");
    if (!path) return;
    pm_interactions *all = must_read(f, (pm_read_params){ .path = path }), *in;
    must(f, pm_data_filter(f->ctx, all, &(pm_filter_params){ .has_min_rating = true, .min_rating = 4, .min_user = 5 }, &in));
    pm_split *month = split(f, in, (pm_split_params){ 0 }), *year = split(f, in, (pm_split_params){ .test_days = 365 });
    assert_int_equal(in->count, 575272);
    assert_int_equal(month->test.users, 85);
    assert_int_equal(month->test.target.nnz, 836);
    assert_int_equal(year->test.users, 469);
    assert_int_equal(year->test.excluded_no_history, 3);
    assert_int_equal(year->interactions - 11411, year->train.nnz + (year->interactions - 11411) / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(last_days_are_the_test), DATA_TEST(ties_keep_file_order),         DATA_TEST(agrees_with_a_sort),
        DATA_TEST(what_cannot_be_split),   DATA_TEST(dates_agree_with_the_library), DATA_TEST(the_last_year_of_movielens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
