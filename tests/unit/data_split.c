// Filters, the strong and random protocols, the generator.
#define _POSIX_C_SOURCE 200809L
#include "data_help.h"

static pm_interactions *synth(fixture *f, int64_t users, int64_t items, int64_t count, uint64_t seed)
{
    pm_interactions *in;
    must(f, pm_data_synth(f->ctx, &(pm_synth_params){ .users = users, .items = items, .interactions = count, .seed = seed },
                          &in));
    return in;
}

static void csr_builds_and_transposes(void **state)
{
    fixture *f = *state;
    static const uint32_t row[] = { 2, 0, 2, 2, 0, 2 }, col[] = { 1, 3, 0, 1, 0, 4 };
    static const float val[] = { 1, 2, 3, 4, 5, 6 };
    static const int64_t time[] = { 10, 20, 30, 40, 50, 60 };
    pm_csr m, t;
    int64_t duplicates;
    must(f, pm_csr_build(f->ctx, 4, 5, 6, row, col, val, time, &m, &duplicates));
    assert_int_equal(duplicates, 1);
    assert_int_equal(m.nnz, 5);
    static const uint32_t indptr[] = { 0, 2, 2, 5, 5 }, cols[] = { 0, 3, 0, 1, 4 };
    static const float vals[] = { 5, 2, 3, 1, 6 };
    assert_memory_equal(m.indptr, indptr, sizeof indptr);
    assert_memory_equal(m.col, cols, sizeof cols);
    assert_memory_equal(m.val, vals, sizeof vals);
    assert_int_equal(m.time[3], 10);
    must(f, pm_csr_transposed(f->ctx, &m, &t));
    assert_int_equal(t.rows, 5);
    static const uint32_t t_indptr[] = { 0, 2, 3, 3, 4, 5 }, t_cols[] = { 0, 2, 2, 0, 2 };
    assert_memory_equal(t.indptr, t_indptr, sizeof t_indptr);
    assert_memory_equal(t.col, t_cols, sizeof t_cols);
    assert_int_equal(t.time[2], 10);
    assert_int_equal(pm_csr_find(&m, 2, 1), 3);
    assert_int_equal(pm_csr_find(&m, 2, 2), -1);
    assert_int_equal(pm_csr_find(&m, 3, 0), -1);
    pm_csr_free(&t);
    assert_null(t.col);
    assert_int_equal(pm_csr_build(f->ctx, 2, 5, 6, row, col, val, NULL, &m, NULL), PM_ERR_ARG);
    must(f, pm_csr_build(f->ctx, 0, 0, 0, NULL, NULL, NULL, NULL, &m, NULL));
}

// What the rating filter drops, of users and items that stay: with its own ratings, by user, in the numbers of the split.
static void below_is_kept_apart(void **state)
{
    fixture *f = *state;
    char text[8192] = "";
    size_t n = 0;
    for (int u = 0; u < 20; u++) {
        for (int i = 0; i < 8; i++) n += (size_t)snprintf(text + n, sizeof text - n, "u%d,i%d,5,%d\n", u, (u + i) % 12, 100 * i + u + 1);
        n += (size_t)snprintf(text + n, sizeof text - n, "u%d,i%d,1.5,%d\nu%d,rare,2,5\n", u, (u + 9) % 12, u % 2 ? 250 : 740, u);
    }
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "below.csv", text) }), *out;
    const pm_filter_params p = { .has_min_rating = true, .min_rating = 4, .binarize = true, .keep_below = true };
    must(f, pm_data_filter(f->ctx, in, &p, &out));
    assert_int_equal(out->count, 160);
    assert_int_equal(out->below_count, 20);    // nobody likes "rare": it is no item any more
    static const char *const protocols[] = { "random", "strong", "temporal" };
    for (int k = 0; k < 3; k++) {
        pm_split *s;
        must(f, pm_data_split(f->ctx, out, &(pm_split_params){ .protocol = protocols[k], .seed = 3, .held_out = 4, .test_from = k == 2 ? "700" : NULL }, &s));
        assert_int_equal(s->below.rows, 20);
        assert_int_equal(s->below.cols, pm_ids_count(s->items));
        for (int64_t u = 0; u < 20; u++) {
            char item[16];
            const uint32_t e = s->below.indptr[u];
            const bool early = k < 2 || u % 2;
            assert_int_equal(s->below.indptr[u + 1] - e, early);
            snprintf(item, sizeof item, "i%d", (int)(u + 9) % 12);
            if (early) assert_string_equal(pm_ids_name(s->items, s->below.col[e]), item);
            if (early) assert_true(s->below.val[e] == 1.5f);
        }
    }
    must(f, pm_data_filter(f->ctx, in, &(pm_filter_params){ .has_min_rating = true, .min_rating = 4 }, &out));
    assert_int_equal(out->below_count, 0);
}

static void filters_in_order(void **state)
{
    fixture *f = *state;
    // Item 9 has two interactions, one of which the rating takes; then user c has one item left.
    const char *path =
        put_text(f, "a.csv", "a,1,5\na,2,4\na,3,4\nb,1,4\nb,2,5\nb,9,1\nc,9,5\nc,1,3.5\nc,2,5\nd,1,4\nd,3,4\n");
    pm_interactions *in = must_read(f, (pm_read_params){ .path = path }), *out;
    must(f, pm_data_filter(
                f->ctx, in,
                &(pm_filter_params){ .has_rating_above = true, .rating_above = 3.5, .min_item = 2, .min_user = 2 }, &out));
    assert_int_equal(out->count, 7);    // a123 b12 d13
    assert_int_equal(pm_ids_count(out->users), 3);
    assert_int_equal(pm_ids_count(out->items), 3);
    assert_string_equal(pm_ids_name(out->users, 2), "d");
    assert_string_equal(pm_ids_name(out->items, out->item[6]), "3");
    assert_true(out->value[0] == 5.0f);
    must(f, pm_data_filter(f->ctx, in, &(pm_filter_params){ .has_min_rating = true, .min_rating = 3.5, .binarize = true },
                           &out));
    assert_int_equal(out->count, 10);
    for (int64_t i = 0; i < out->count; i++) assert_true(out->value[i] == 1.0f);
    assert_true(in->value[0] == 5.0f);
    // One pass leaves item 3 with one user fewer than asked; until stable goes on.
    path = put_text(f, "b.csv", "a,1\na,2\na,3\nb,1\nb,2\nb,3\nc,3\nc,1\nd,2\nd,4\nd,5\n");
    in = must_read(f, (pm_read_params){ .path = path });
    pm_filter_params p = { .min_item = 3, .min_user = 2 };
    must(f, pm_data_filter(f->ctx, in, &p, &out));
    assert_int_equal(out->count, 8);
    p.until_stable = true;
    must(f, pm_data_filter(f->ctx, in, &p, &out));
    assert_int_equal(out->count, 6);    // d goes, then item 2 has two users left: it goes as well
    assert_int_equal(pm_data_filter(f->ctx, in, &(pm_filter_params){ .min_user = 4 }, &out), PM_ERR_DATA);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "interactions a user"));
    assert_int_equal(pm_data_filter(f->ctx, in, &(pm_filter_params){ .min_item = 9 }, &out), PM_ERR_DATA);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "interactions an item"));
    assert_int_equal(pm_data_filter(f->ctx, in, &(pm_filter_params){ .min_item = -1 }, &out), PM_ERR_ARG);
}

static void check_part(const pm_split *s, const pm_eval_part *p)
{
    assert_true(p->users > 0);
    assert_int_equal(p->input.rows, p->users);
    assert_int_equal(p->target.rows, p->users);
    assert_int_equal(p->input.cols, pm_ids_count(s->items));
    for (int64_t r = 0; r < p->users; r++) {
        assert_true(r == 0 || p->user[r] > p->user[r - 1]);
        assert_true(p->input.indptr[r + 1] > p->input.indptr[r]);
        assert_true(p->target.indptr[r + 1] > p->target.indptr[r]);
        for (uint32_t e = p->target.indptr[r]; e < p->target.indptr[r + 1]; e++) {
            assert_int_equal(pm_csr_find(&p->input, r, p->target.col[e]), -1);
            assert_true(e == p->target.indptr[r] || p->target.col[e] > p->target.col[e - 1]);
        }
    }
}

static void strong_holds_users_out(void **state)
{
    fixture *f = *state;
    pm_interactions *in = synth(f, 300, 200, 4000, 5);
    pm_split *s, *again, *other;
    pm_split_params p = { .protocol = "strong", .seed = 11, .held_out = 40 };
    must(f, pm_data_split(f->ctx, in, &p, &s));
    check_part(s, &s->valid);
    check_part(s, &s->test);
    assert_true(s->held_out_users);
    assert_int_equal(s->train.rows, 220);
    assert_int_equal(s->valid.users + s->valid.excluded_no_target + s->valid.excluded_no_history, 40);
    assert_int_equal(s->test.users + s->test.excluded_no_target + s->test.excluded_no_history, 40);
    uint8_t role[300] = { 0 };
    for (int64_t r = 0; r < s->train.rows; r++) role[s->train_user[r]]++;
    for (int64_t r = 0; r < s->valid.users; r++) role[s->valid.user[r]]++;
    for (int64_t r = 0; r < s->test.users; r++) role[s->test.user[r]]++;
    for (int u = 0; u < 300; u++) assert_true(role[u] <= 1);
    pm_csr by_item;
    must(f, pm_csr_transposed(f->ctx, &s->train, &by_item));
    for (int64_t i = 0; i < by_item.rows; i++)
        assert_true(by_item.indptr[i + 1] > by_item.indptr[i]);    // every item is trained on
    for (int64_t r = 0; r < s->test.users; r++) {
        const uint32_t known = s->test.input.indptr[r + 1] - s->test.input.indptr[r],
                       found = s->test.target.indptr[r + 1] - s->test.target.indptr[r];
        assert_int_equal(found, (known + found) / 5);
        assert_true(known + found >= 5);
    }
    must(f, pm_data_split(f->ctx, in, &p, &again));
    assert_true(pm_split_hash(s) == pm_split_hash(again));
    p.seed = 12;
    must(f, pm_data_split(f->ctx, in, &p, &other));
    assert_true(pm_split_hash(s) != pm_split_hash(other));
    p.held_out = 150;
    assert_int_equal(pm_data_split(f->ctx, in, &p, &other), PM_ERR_DATA);
    p.held_out = 0;
    must(f, pm_data_split(f->ctx, in, &p, &other));
    assert_int_equal(other->train.rows, 240);
    p.held_out_share = 0.05;    // as a share: 15 of 300
    must(f, pm_data_split(f->ctx, in, &p, &other));
    assert_int_equal(other->train.rows, 270);
    p.held_out = 15;
    assert_int_equal(pm_data_split(f->ctx, in, &p, &again), PM_ERR_ARG);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "give one"));
    p.held_out_share = 0;
    must(f, pm_data_split(f->ctx, in, &p, &again));
    assert_true(pm_split_hash(again) == pm_split_hash(other));
    p = (pm_split_params){ .protocol = "strong", .held_out_share = 0.5 };
    assert_int_equal(pm_data_split(f->ctx, in, &p, &again), PM_ERR_ARG);
}

static void strong_drops_untrained_items_and_short_users(void **state)
{
    fixture *f = *state;
    // Every user has items 1..4 and one item of their own: held-out users keep four, which is too few to count.
    char text[4000] = "";
    for (int u = 0; u < 20; u++)
        for (int i = 0; i < 5; i++) sprintf(text + strlen(text), "u%d,%s%d\n", u, i == 4 ? "own" : "", i == 4 ? u : i);
    pm_interactions *in = must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", text) });
    pm_split *s;
    pm_split_params p = { .protocol = "strong", .held_out = 3 };
    assert_int_equal(pm_data_split(f->ctx, in, &p, &s), PM_ERR_DATA);
    assert_null(s);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "3 users have nothing to find"));
}

static void random_deals_interactions(void **state)
{
    fixture *f = *state;
    pm_interactions *in = synth(f, 100, 150, 2500, 5);
    pm_split *s;
    must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "random", .seed = 3 }, &s));
    check_part(s, &s->valid);
    check_part(s, &s->test);
    assert_int_equal(s->train.nnz, 2000);
    assert_int_equal(s->train.rows, 100);
    assert_true(s->test.target.nnz <= 250 && s->test.target.nnz > 240);
    for (int64_t r = 0; r < s->test.users; r++) {
        const uint32_t u = s->test.user[r];
        for (uint32_t e = s->train.indptr[u]; e < s->train.indptr[u + 1]; e++)
            assert_true(pm_csr_find(&s->test.input, r, s->train.col[e]) >= 0);
    }
    for (int64_t r = 0; r < s->valid.users; r++)    // validation's target is known at test time
        for (int64_t q = 0; q < s->test.users; q++)
            if (s->test.user[q] == s->valid.user[r])
                assert_true(pm_csr_find(&s->test.input, q, s->valid.target.col[s->valid.target.indptr[r]]) >= 0);
    assert_int_equal(
        pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "random", .test_share = 0.7, .valid_share = 0.3 }, &s),
        PM_ERR_ARG);
    assert_int_equal(pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "strnog" }, &s), PM_ERR_ARG);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "did you mean 'strong'"));
}

static void synth_is_skewed_and_clustered(void **state)
{
    fixture *f = *state;
    pm_interactions *in = synth(f, 0, 0, 0, 1), *again = synth(f, 0, 0, 0, 1), *other = synth(f, 0, 0, 0, 2);
    assert_int_equal(in->count, 60000);
    assert_int_equal(pm_ids_count(in->users), 2000);
    assert_int_equal(pm_ids_count(in->items), 800);
    assert_memory_equal(in->item, again->item, 60000 * sizeof *in->item);
    assert_memory_equal(in->time, again->time, 60000 * sizeof *in->time);
    assert_memory_not_equal(in->item, other->item, 60000 * sizeof *in->item);
    // A figure worked out once: the same on every machine.
    assert_int_equal(pm_hash64(in->item, 60000 * sizeof *in->item, 0), 0xf8b740e35e666fb0u);
    pm_csr m, t;
    int64_t duplicates;
    must(f, pm_csr_build(f->ctx, 2000, 800, in->count, in->user, in->item, NULL, NULL, &m, &duplicates));
    assert_int_equal(duplicates, 0);
    must(f, pm_csr_transposed(f->ctx, &m, &t));
    uint32_t most = 0;
    for (int i = 0; i < 800; i++) most = PM_MAX(most, t.indptr[i + 1] - t.indptr[i]);
    assert_true(most > 4 * 60000 / 800);
    for (int u = 0; u < 2000; u++) assert_true(m.indptr[u + 1] - m.indptr[u] >= 5);
    for (int64_t i = 1; i < in->count; i++) assert_true(in->user[i] != in->user[i - 1] || in->time[i] > in->time[i - 1]);
    pm_interactions *none;
    assert_int_equal(pm_data_synth(f->ctx, &(pm_synth_params){ .users = 10, .items = 10, .interactions = 60 }, &none),
                     PM_ERR_ARG);
    assert_non_null(pm_synth_find("ml-20m"));
    assert_null(pm_synth_find("ml-21m"));
    int count;
    assert_string_equal(pm_synth_presets(&count)[0].name, "small");
}

// Scoring items by how often they share a user with the known ones must beat popularity, or no model could.
static void synth_rewards_a_model(void **state)
{
    fixture *f = *state;
    pm_interactions *in = synth(f, 0, 0, 0, 7);
    pm_split *s;
    must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "strong", .seed = 1 }, &s));
    const int64_t items = s->train.cols;
    double *gram = calloc((size_t)(items * items), sizeof *gram), *score = calloc((size_t)items, sizeof *score);
    for (int64_t r = 0; r < s->train.rows; r++)
        for (uint32_t a = s->train.indptr[r]; a < s->train.indptr[r + 1]; a++)
            for (uint32_t b = s->train.indptr[r]; b < s->train.indptr[r + 1]; b++)
                gram[s->train.col[a] * items + s->train.col[b]] += 1.0;
    int hits[2] = { 0, 0 };
    for (int model = 0; model < 2; model++) {
        for (int64_t r = 0; r < s->test.users; r++) {
            for (int64_t i = 0; i < items; i++) {
                score[i] = model ? 0.0 : gram[i * items + i];
                for (uint32_t e = s->test.input.indptr[r]; model && e < s->test.input.indptr[r + 1]; e++)
                    score[i] += gram[i * items + s->test.input.col[e]] / (20.0 + gram[s->test.input.col[e] * (items + 1)]) /
                                (20.0 + gram[i * (items + 1)]) * 20;
            }
            for (uint32_t e = s->test.input.indptr[r]; e < s->test.input.indptr[r + 1]; e++)
                score[s->test.input.col[e]] = -1.0;
            for (uint32_t e = s->test.target.indptr[r]; e < s->test.target.indptr[r + 1]; e++) {
                int above = 0;
                for (int64_t i = 0; i < items; i++) above += score[i] > score[s->test.target.col[e]];
                hits[model] += above < 20;
            }
        }
    }
    print_message("hits in the top 20: popularity %d, neighbours %d of %d\n", hits[0], hits[1], (int)s->test.target.nnz);
    assert_true(hits[1] > hits[0] * 3 / 2);
    free(gram);
    free(score);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(csr_builds_and_transposes), DATA_TEST(filters_in_order), DATA_TEST(below_is_kept_apart), DATA_TEST(strong_holds_users_out),
        DATA_TEST(strong_drops_untrained_items_and_short_users), DATA_TEST(random_deals_interactions),
        DATA_TEST(synth_is_skewed_and_clustered), DATA_TEST(synth_rewards_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
