// Split folders, CSV out, statistics, running out of memory.
#define _POSIX_C_SOURCE 200809L
#include "data_help.h"

static void split_folder_round_trip(void **state)
{
    fixture *f = *state;
    // Awkward ids, fractional and negative ratings, negative times.
    static const char *const names[] = { "plain", "with space", " edge ",     "tab\there", "quo\"te",
                                         "a,b",   "::",         "zo\xC3\xAB", "#",         "\xEF\xBB\xBF\x62om" };
    FILE *file = fopen(in_folder(f, "a.csv"), "wb");
    for (int u = 0; u < 60; u++) {
        for (int k = 0; k < 9; k++) {
            char id[64] = "";
            size_t length = 0;
            for (const char *c = names[u % 10]; *c; c++) {
                if (*c == '"') id[length++] = '"';
                id[length++] = *c;
            }
            fprintf(file, "\"%s%d\",\"%s i%d\",%.7g,%d\n", id, u, id, (u + k * k) % 13, k - 3.3, k * 86400 - 500000);
        }
    }
    fclose(file);
    pm_interactions *in = must_read(f, (pm_read_params){ .path = in_folder(f, "a.csv") });
    assert_int_equal(in->count, 540 - in->duplicates);
    assert_true(pm_ids_find(in->users, "quo\"te4") >= 0);
    static const char *const protocols[] = { "random", "strong", "leave-one-out", "leave-one-out", "random" };
    for (int k = 0; k < PM_COUNT(protocols); k++) {
        pm_interactions *data = in;
        if (k == 4)
            must(f, pm_data_synth(f->ctx, &(pm_synth_params){ .users = 50, .items = 80, .interactions = 900 }, &data));
        const pm_split_params p = { .protocol = protocols[k],
                                    .seed = UINT64_MAX - (uint64_t)k,
                                    .held_out = 20,
                                    .negatives = 30,
                                    .validation = k == 3 ? "random" : NULL };
        pm_split *s, *back;
        if (k == 1)
            must(f, pm_data_synth(f->ctx, &(pm_synth_params){ .users = 90, .items = 80, .interactions = 1200 }, &data));
        must(f, pm_data_split(f->ctx, data, &p, &s));
        char *folder = pm_sprintf(f->ctx, "%s/deep/split%d", f->folder, k);
        must(f, pm_split_write(s, folder));
        pm_interactions *again = must_read(f, (pm_read_params){ .path = folder });
        must(f, pm_data_split(f->ctx, again, &(pm_split_params){ .protocol = "files" }, &back));
        assert_true(pm_split_hash(s) == pm_split_hash(back));
        assert_string_equal(back->protocol, "files");
        assert_true(back->seed == s->seed);
        assert_int_equal(back->interactions, s->interactions);
        assert_int_equal(back->held_out_users, s->held_out_users);
        assert_int_equal(back->test.excluded_no_target, s->test.excluded_no_target);
        assert_int_equal(back->valid.excluded_no_history, s->valid.excluded_no_history);
        assert_int_equal(back->test.sampled, k == 2 || k == 3);
        // Binarised, the same split with ones.
        pm_interactions *ones;
        must(f, pm_data_filter(f->ctx, again, &(pm_filter_params){ .binarize = true }, &ones));
        must(f, pm_data_split(f->ctx, ones, &(pm_split_params){ .protocol = "files" }, &back));
        assert_true(back->test.input.val[0] == 1.0f);
        assert_int_equal(back->test.target.nnz, s->test.target.nnz);
    }
}

static void split_folder_says_what_is_wrong(void **state)
{
    fixture *f = *state;
    pm_interactions *in;
    pm_split *s;
    must(f, pm_data_synth(f->ctx, &(pm_synth_params){ .users = 30, .items = 40, .interactions = 300 }, &in));
    must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "random" }, &s));
    static const char *const bad[][3] = {
        { "split.json", "{", "split.json: not JSON" },
        { "split.json", "{\"format\": 3}", "not the split.json of a written split" },
        { "split.json", "{\"format\": \"pumice-split\", \"version\": 7}", "version 7 is not read here" },
        { "users.tsv", "user\trole\nu1\ttrain\nu2\n", "users.tsv:3: malformed line: 'u2'" },
        { "users.tsv", "user\trole\nu1\tteacher\n", "users.tsv:2: unknown role: 'teacher'" },
        { "items.tsv", "item\ni1\ni1\n", "items.tsv:3: the id is listed twice: 'i1'" },
        { "items.tsv", "", "items.tsv:1: the file is empty" },
        { "train.tsv", "user\titem\trating\nu1\ti99\t1\n", "train.tsv:2: unknown item: 'i99'" },
        { "test_target.tsv", "user\titem\nnobody\ti1\n", "test_target.tsv:2: unknown user: 'nobody'" },
    };
    for (int b = 0; b < PM_COUNT(bad); b++) {
        must(f, pm_split_write(s, f->folder));
        put_text(f, bad[b][0], bad[b][1]);
        must_fail(f, (pm_read_params){ .path = f->folder }, PM_ERR_DATA, bad[b][2]);
    }
    must(f, pm_split_write(s, f->folder));
    unlink(in_folder(f, "valid_input.tsv"));
    must_fail(f, (pm_read_params){ .path = f->folder }, PM_ERR_IO, "valid_input.tsv: cannot open");
    assert_int_equal(pm_split_write(s, put_text(f, "file", "x")), PM_ERR_IO);
}

static void csv_round_trip(void **state)
{
    fixture *f = *state;
    static const char *const names[] = { "o.csv", "o.tsv", "o.csv.gz", "o.tsv.gz" };
    pm_interactions *in =
        must_read(f, (pm_read_params){ .path = put_text(f, "a.csv",
                                                        "user,item,rating,timestamp\n\"a,\tb\",\"say \"\"x\"\"\",0.1,-5\nb, "
                                                        "y,1e-30,7\nc,z,-0,8\nd,z,16777217,9\ne,z,3.4e38,1\n") });
    for (int k = 0; k < PM_COUNT(names); k++) {
        must(f, pm_data_write_csv(in, in_folder(f, names[k])));
        unsigned char magic[2] = { 0 };
        FILE *file = fopen(in_folder(f, names[k]), "rb");
        assert_int_equal(fread(magic, 1, 2, file), 2);
        fclose(file);
        assert_int_equal(magic[0] == 0x1f && magic[1] == 0x8b, k >= 2);
        pm_interactions *back = must_read(f, (pm_read_params){ .path = in_folder(f, names[k]) });
        assert_int_equal(back->count, 5);
        assert_memory_equal(back->value, in->value, 5 * sizeof *in->value);
        assert_memory_equal(back->time, in->time, 5 * sizeof *in->time);
        for (int i = 0; i < 5; i++) {
            assert_string_equal(pm_ids_name(back->users, back->user[i]), pm_ids_name(in->users, in->user[i]));
            assert_string_equal(pm_ids_name(back->items, back->item[i]), pm_ids_name(in->items, in->item[i]));
        }
    }
    assert_int_equal(pm_data_write_csv(in, in_folder(f, "no/such/folder.csv")), PM_ERR_IO);
}

static void numbers_survive_text(void **state)
{
    fixture *f = *state;
    enum { COUNT = 20000 };
    FILE *file = fopen(in_folder(f, "n.csv"), "wb");
    uint32_t bits = 12345;
    for (int i = 0; i < COUNT; i++) {
        float value;
        do {
            bits = bits * 1664525u + 1013904223u;
            memcpy(&value, &bits, sizeof value);
        } while (!(value - value == 0.0f));
        fprintf(file, "u%d,i,%.9g\n", i, (double)value);
    }
    fclose(file);
    pm_interactions *in = must_read(f, (pm_read_params){ .path = in_folder(f, "n.csv") });
    must(f, pm_data_write_csv(in, in_folder(f, "m.csv")));
    pm_interactions *back = must_read(f, (pm_read_params){ .path = in_folder(f, "m.csv") });
    assert_memory_equal(back->value, in->value, COUNT * sizeof *in->value);
    bits = 12345;
    for (int i = 0; i < COUNT; i++) {
        float value;
        do {
            bits = bits * 1664525u + 1013904223u;
            memcpy(&value, &bits, sizeof value);
        } while (!(value - value == 0.0f));
        assert_memory_equal(&value, &in->value[i], sizeof value);
    }
}

static void statistics(void **state)
{
    fixture *f = *state;
    pm_interactions *in =
        must_read(f, (pm_read_params){ .path = put_text(f, "a.csv", "a,1,5,10\na,2,3,30\na,3,3,20\nb,1,0.5,5\na,1,1,1\n") });
    pm_data_statistics s;
    must(f, pm_data_stat(in, &s));
    assert_int_equal(s.users, 2);
    assert_int_equal(s.items, 3);
    assert_int_equal(s.interactions, 4);
    assert_int_equal(s.duplicates, 1);
    assert_true(s.density == 4.0 / 6.0);
    assert_int_equal(s.per_user[0], 1);
    assert_int_equal(s.per_user[6], 3);
    assert_int_equal(s.per_item[3], 1);
    assert_int_equal(s.per_item[6], 2);
    assert_int_equal(s.ratings, 3);
    assert_true(s.rating[0] == 0.5f && s.rating[1] == 3.0f && s.rating[2] == 5.0f);
    assert_int_equal(s.rating_count[1], 2);
    assert_true(s.rating_mean == 11.5 / 4.0);
    assert_int_equal(s.time_first, 5);
    assert_int_equal(s.time_last, 30);
    char text[2000] = "";
    for (int i = 0; i < 40; i++) sprintf(text + strlen(text), "a,%d,%d.5\n", i, i);
    must(f, pm_data_stat(must_read(f, (pm_read_params){ .path = put_text(f, "b.csv", text) }), &s));
    assert_int_equal(s.ratings, 0);
    assert_true(s.rating_min == 0.5f && s.rating_max == 39.5f);
    assert_false(s.has_time);
}

typedef struct limited {
    int left, live;
    bool for_good;
} limited;

static void *limited_alloc(void *user, size_t size)
{
    limited *l = user;
    if (l->left == 0 || (l->for_good && l->left < 0)) {
        l->left = -1;
        return NULL;
    }
    if (l->left > 0) l->left--;
    l->live++;
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void limited_release(void *user, void *ptr)
{
    ((limited *)user)->live--;
    free(ptr);
}

static pm_status whole_way(pm_ctx *ctx, const char *path, const char *protocol, const char *folder)
{
    pm_interactions *in, *kept;
    pm_split *s;
    PM_TRY(pm_data_read(ctx, &(pm_read_params){ .path = path }, &in));
    PM_TRY(pm_data_filter(ctx, in, &(pm_filter_params){ .binarize = true }, &kept));
    PM_TRY(pm_data_split(ctx, kept, &(pm_split_params){ .protocol = protocol, .held_out = 4, .negatives = 5 }, &s));
    return folder ? pm_split_write(s, folder) : PM_OK;
}

// Fails allocation 1, 2, 3, … once, then for good, until the call succeeds: never a crash, never a leak, always NOMEM.
static void survives_running_out_of_memory(void **state)
{
    fixture *f = *state;
    pm_interactions *in;
    pm_split *s;
    must(f, pm_data_synth(f->ctx, &(pm_synth_params){ .users = 40, .items = 60, .interactions = 500 }, &in));
    must(f, pm_data_write_csv(in, in_folder(f, "a.csv.gz")));
    must(f, pm_data_split(f->ctx, in, &(pm_split_params){ .protocol = "leave-one-out", .negatives = 5 }, &s));
    must(f, pm_split_write(s, in_folder(f, "split")));
    put_text(f, "x.train.rating", "0\t0\t5\t10\n0\t1\t5\t30\n0\t2\t5\t20\n1\t0\t3\t1\n1\t3\t3\t2\n");
    put_text(f, "x.test.rating", "0\t3\t5\t40\n1\t1\t5\t9\n");
    put_text(f, "x.test.negative", "(0,3)\t4\t5\n(1,1)\t5\t6\n");
    static const char *const ways[][3] = { { "a.csv.gz", "strong", NULL },
                                           { "a.csv.gz", "random", "out" },
                                           { "a.csv.gz", "leave-one-out", NULL },
                                           { "x.train.rating", "leave-one-out", NULL },
                                           { "split", "files", NULL } };
    for (int w = 0; w < PM_COUNT(ways) * 2; w++) {
        const char *const *way = ways[w / 2];
        for (int n = 0;; n++) {
            assert_true(n < 3000);
            limited l = { .left = n, .for_good = w & 1 };
            const pm_allocator a = { limited_alloc, limited_release, &l };
            pm_ctx *ctx;
            pm_status st = pm_ctx_create(&(pm_ctx_params){ .allocator = &a }, &ctx);
            if (st == PM_OK) st = whole_way(ctx, in_folder(f, way[0]), way[1], way[2] ? in_folder(f, way[2]) : NULL);
            const bool hit = l.left < 0;
            pm_ctx_destroy(&ctx);
            assert_int_equal(l.live, 0);
            assert_int_equal(st, hit ? PM_ERR_NOMEM : PM_OK);
            if (!hit) break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(split_folder_round_trip),
        DATA_TEST(split_folder_says_what_is_wrong),
        DATA_TEST(csv_round_trip),
        DATA_TEST(numbers_survive_text),
        DATA_TEST(statistics),
        DATA_TEST(survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
