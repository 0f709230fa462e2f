// Explicit ratings: what a model sees of them and what is made of its scores, held against sums made here; the rating protocol; what is refused.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include <math.h>

// ---- two models that know nothing but what the trainer tells them --------------------------------------------------

// Scores of 0, so that what is predicted is what the trainer adds; the sum of what it sees is logged.
static const pm_hyper hypers[] = {
    { "center", PM_HYPER_CHOICE, "both", 0, 0, "user|item|both|global|none", "see pm_config", NULL },
    { "epochs", PM_HYPER_INTEGER, "1", 1, 1e6, NULL, "passes over the training rows", NULL },
    { "batch", PM_HYPER_INTEGER, "1000", 1, 65536, NULL, "rows a step", NULL },
    { .name = NULL },
};

static int passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out)
{
    (void)config, (void)users, (void)items;
    out[0] = (pm_pass){ .name = "rows", .in_order = true, .solve = true };
    return 1;
}

static void solve(pm_build *b)
{
    pm_statistic(b->net, "nothing", 1, 1, (pm_init){ PM_INIT_ZERO, 0 });
    pm_add_loss(b, "sum", b->x.val);
    pm_add_loss(b, "squares", pm_mul(b->g, b->x.val, b->x.val));
}

static pm_var score(pm_build *b)
{
    return pm_matmul(b->g, pm_fill(b->g, b->x.rows, 1, 1.0f), pm_broadcast_row(b->g, pm_statistic(b->net, "nothing", 1, 1, (pm_init){ PM_INIT_ZERO, 0 }), b->items), false, true);
}

// The place of a user in the training matrix and of an item in the catalogue, a thousandth each: wrong rows would show.
static pm_var score_at(pm_build *b, pm_var id)
{
    const pm_var nothing = pm_statistic(b->net, "nothing", 1, 1, (pm_init){ PM_INIT_ZERO, 0 });
    int64_t rows, cols;
    pm_shape_of(b->g, id, &rows, &cols);
    const pm_var of_user = pm_broadcast_col(b->g, pm_to_f32(b->g, b->user), cols);
    return pm_add_row(b->g, pm_scale(b->g, pm_add(b->g, pm_to_f32(b->g, id), of_user), 0.001f), pm_broadcast_col(b->g, nothing, cols));
}

static const pm_model zero = { .name = "zero", .title = "Nothing beside the means", .hypers = hypers, .ratings = true, .passes = passes, .solve = solve, .score = score };
static const pm_model by_place = { .name = "by-place", .title = "Places", .hypers = hypers, .ratings = true, .by_id = true, .passes = passes, .solve = solve, .score = score,
                                   .score_at = score_at };

// ---- data ----------------------------------------------------------------------------------------------------------

// 40 users, 30 items, ratings 1 to 5 in halves; user u0 always gives 4, item i0 always gets 2; u39 rated two items, i29 was rated twice.
static const char *ratings_file(fixture *f)
{
    const char *path = in_folder(f, "ratings.csv");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("user,item,rating\n", file);
    for (int u = 0; u < 40; u++)
        for (int i = 0; i < 30; i++) {
            const int k = (u * 37 + i * 101 + u * i * 13) % 23;
            const bool rare = (u == 39 && i != 3 && i != 4) || (i == 29 && u != 5 && u != 6);
            if (k >= 12 || rare) continue;
            fprintf(file, "u%d,i%d,%g\n", u, i, u == 0 ? 4 : i == 0 ? 2 : 1 + 0.5 * (k % 9));
        }
    fputs("u39,i3,5\nu39,i4,1\nu5,i29,3.5\nu6,i29,4.5\n", file);
    fclose(file);
    return path;
}

static pm_spec rating_spec(const char *model, const char *path)
{
    return (pm_spec){ .model = model, .device = host_device(), .data = path, .seed = 5, .split = { .protocol = "rating", .test_share = 0.2 },
                      .rating = { .has_range = true, .lo = 0, .hi = 5 } };
}

static pm_result *trained(fixture *f, const pm_spec *spec, const char *run)
{
    pm_result *r;
    if (pm_train(f->ctx, spec, run, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    return r;
}

// ---- what the paper says, in double --------------------------------------------------------------------------------

typedef struct means {
    double all, user[40], item[30];    // of users and items of the split; where there are none, of all
    bool   has_user[40], has_item[30];
    int    row[40];
} means;

static means measure(const pm_split *s)
{
    means m = { 0 };
    double user[40] = { 0 }, item[30] = { 0 };
    int users[40] = { 0 }, items[30] = { 0 };
    for (int64_t r = 0; r < s->train.rows; r++) {
        m.row[s->train_user[r]] = (int)r;
        for (uint32_t e = s->train.indptr[r]; e < s->train.indptr[r + 1]; e++) {
            const float v = s->train.val[e];
            m.all += v / (double)s->train.nnz;
            user[s->train_user[r]] += v;
            users[s->train_user[r]]++;
            item[s->train.col[e]] += v;
            items[s->train.col[e]]++;
        }
    }
    for (int u = 0; u < 40; u++) {
        m.has_user[u] = users[u] > 0;
        m.user[u] = users[u] ? user[u] / users[u] : m.all;
    }
    for (int i = 0; i < 30; i++) {
        m.has_item[i] = items[i] > 0;
        m.item[i] = items[i] ? item[i] / items[i] : m.all;
    }
    return m;
}

static double bias(const means *m, const char *center, uint32_t user, uint32_t item)
{
    if (strcmp(center, "user") == 0) return m->user[user];
    if (strcmp(center, "item") == 0) return m->item[item];
    if (strcmp(center, "both") == 0) return m->user[user] + m->item[item] - m->all;
    if (strcmp(center, "global") == 0) return m->all;
    return m->has_user[user] && m->has_item[item] ? 2.5 : m->all;    // none: the middle of the range, but a mean of what was never seen
}

// ---- tests ---------------------------------------------------------------------------------------------------------

// For each center: what is predicted at the test ratings is the bias, for those that training has not seen too; the errors are those of a sum made here;
// and the ratings that the model saw are freed of it and scaled.
static void means_come_off_and_back(void **state)
{
    static const char *const centers[] = { "center=user", "center=item", "center=both", "center=global", "center=none" };
    static const char *const models[] = { "zero", "by-place" };
    fixture *f = *state;
    const char *path = ratings_file(f);
    int64_t strangers = 0;
    for (int k = 0; k < 2 * PM_COUNT(centers); k++) {
        pm_spec spec = rating_spec(models[k % 2], path);
        const char *center = centers[k / 2] + 7, *run = in_folder(f, "run");
        spec.settings = &centers[k / 2];
        spec.setting_count = 1;
        spec.seed = 5 + (uint64_t)k;
        pm_result *r = trained(f, &spec, run), *again;
        const pm_eval_part *t = &r->split->test;
        const means m = measure(r->split);
        double squares = 0, absolute = 0, sum = 0, sum2 = 0;
        for (int64_t u = 0; u < t->users; u++)
            for (uint32_t e = t->target.indptr[u]; e < t->target.indptr[u + 1]; e++) {
                const uint32_t user = t->user[u], item = t->target.col[e];
                const bool seen = m.has_user[user] && m.has_item[item];
                const double predicted = bias(&m, center, user, item) + (k % 2 && seen ? 2.5 * 0.001 * (m.row[user] + item) : 0), d = predicted - t->target.val[e];
                squares += d * d;
                absolute += fabs(d);
                strangers += !seen;
            }
        for (int64_t row = 0; row < r->split->train.rows; row++)
            for (uint32_t e = r->split->train.indptr[row]; e < r->split->train.indptr[row + 1]; e++) {
                const double x = (r->split->train.val[e] - bias(&m, center, r->split->train_user[row], r->split->train.col[e])) / 2.5;
                sum += x;
                sum2 += x * x;
            }
        const double n = (double)t->target.nnz;
        assert_string_equal(r->metrics[0].name, "rmse");
        assert_int_equal(r->metrics[0].n, t->target.nnz);
        assert_true(fabs(r->metrics[0].mean - sqrt(squares / n)) < 1e-5);
        assert_true(fabs(r->metrics[1].mean - absolute / n) < 1e-5);
        assert_true(r->metrics[0].se > 0 && r->metrics[0].se < 0.2);
        assert_true(fabs(r->epoch_log[0].loss[0] - sum) < 2e-3);
        assert_true(fabs(r->epoch_log[0].loss[1] - sum2) < 2e-3);
        assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &again), PM_OK);
        assert_true(again->metrics[0].mean == r->metrics[0].mean && again->metrics[1].se == r->metrics[1].se);
        pm_result_destroy(&again);
        pm_result_destroy(&r);
        remove_folder(run);
    }
    assert_true(strangers > 0);
}

// What is to be found may be what was liked alone: the parts lose the rest, training does not, and users without any are counted.
static void only_what_was_liked_is_to_be_found(void **state)
{
    static const char *const protocols[] = { "random", "strong" };
    fixture *f = *state;
    const char *path = ratings_file(f);
    for (int k = 0; k < 2; k++) {
        pm_spec spec = rating_spec("zero", path);
        pm_split *all, *liked;
        spec.split = (pm_split_params){ .protocol = protocols[k], .held_out = 8 };
        must(f, pm_spec_load(f->ctx, &spec, &all));
        spec.split.has_relevant = true;
        spec.split.relevant = 4;
        must(f, pm_spec_load(f->ctx, &spec, &liked));
        assert_int_equal(all->train.nnz, liked->train.nnz);
        const pm_eval_part *a = &all->test, *b = &liked->test;
        int64_t at = 0, left = 0;
        for (int64_t r = 0; r < a->users; r++) {
            uint32_t want = 0, e = at < b->users ? b->target.indptr[at] : 0;
            for (uint32_t i = a->target.indptr[r]; i < a->target.indptr[r + 1]; i++) {
                if (a->target.val[i] < 4) continue;
                assert_true(at < b->users && b->user[at] == a->user[r] && b->target.col[e + want] == a->target.col[i]);
                want++;
            }
            left += want == 0;
            if (!want) continue;
            assert_int_equal(b->target.indptr[at + 1] - e, want);
            assert_int_equal(b->input.indptr[at + 1] - b->input.indptr[at], a->input.indptr[r + 1] - a->input.indptr[r]);
            at++;
        }
        assert_int_equal(at, b->users);
        assert_true(left > 0 || k == 1);
        assert_int_equal(b->excluded_no_target, a->excluded_no_target + left);
        pm_free(all);
        pm_free(liked);
    }
    pm_spec spec = rating_spec("zero", path);
    pm_split *none;
    spec.split.has_relevant = true;
    spec.split.relevant = 4;
    assert_int_equal(pm_spec_load(f->ctx, &spec, &none), PM_ERR_ARG);
    says(f, "cannot be chosen by its value");
}

// Ten folds lie apart and cover everything; no rating is in two parts of one.
static void folds_cover_the_ratings(void **state)
{
    fixture *f = *state;
    const char *path = ratings_file(f);
    int64_t all = 0, tested = 0;
    uint8_t seen[40][30] = { { 0 } };
    for (int fold = 1; fold <= 10; fold++) {
        pm_spec spec = rating_spec("zero", path);
        spec.split = (pm_split_params){ .protocol = "rating", .folds = 10, .fold = fold, .seed = 3 };
        pm_split *s;
        if (pm_spec_load(f->ctx, &spec, &s) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
        const pm_eval_part *const parts[2] = { &s->valid, &s->test };
        all = s->interactions;
        assert_int_equal(s->train.nnz + s->valid.target.nnz + s->test.target.nnz, all);
        assert_int_equal(s->valid.target.nnz, (all - s->test.target.nnz) / 10);
        for (int p = 0; p < 2; p++)
            for (int64_t r = 0; r < parts[p]->users; r++)
                for (uint32_t e = parts[p]->target.indptr[r]; e < parts[p]->target.indptr[r + 1]; e++) {
                    assert_int_equal(pm_csr_find(&parts[p]->input, r, parts[p]->target.col[e]), -1);
                    if (p) seen[parts[p]->user[r]][parts[p]->target.col[e]]++;
                }
        tested += s->test.target.nnz;
        pm_free(s);
    }
    assert_int_equal(tested, all);
    for (int u = 0; u < 40; u++)
        for (int i = 0; i < 30; i++) assert_true(seen[u][i] <= 1);
}

// u0 always gives 4 and i0 always gets 2; then a file of one value alone.
static void constant_ratings_work(void **state)
{
    fixture *f = *state;
    const char *path = ratings_file(f), *run = in_folder(f, "run");
    pm_spec spec = rating_spec("rating-bias", path);
    spec.rating.has_range = false;
    pm_result *r = trained(f, &spec, run);
    assert_true(r->metrics[0].mean > 0.5 && r->metrics[0].mean < 2);
    pm_result_destroy(&r);
    put_text(f, "one.csv", "user,item,rating\na,x,3\na,y,3\nb,x,3\nb,z,3\nc,y,3\nc,z,3\nd,x,3\nd,y,3\ne,x,3\ne,z,3\n");
    spec.data = in_folder(f, "one.csv");
    spec.split.valid_share = 0.25;
    r = trained(f, &spec, NULL);
    assert_true(r->metrics[0].mean == 0 && r->validation[0].mean == 0);
    pm_result_destroy(&r);
}

static void refused(fixture *f, const pm_spec *spec, pm_status want, const char *part)
{
    pm_result *r;
    assert_int_equal(pm_train(f->ctx, spec, NULL, &r), want);
    assert_null(r);
    says(f, part);
}

static void what_is_no_rating_is_refused(void **state)
{
    fixture *f = *state;
    const char *path = ratings_file(f);
    pm_spec spec = rating_spec("rating-bias", path);
    spec.rating = (pm_rating_params){ .has_range = true, .lo = 1, .hi = 4 };
    refused(f, &spec, PM_ERR_DATA, "outside the declared range of 1 to 4");
    put_text(f, "jester.csv", "user,item,rating\na,x,-7.5\na,y,99\nb,x,3.25\nb,z,99\nc,y,10\n");
    spec.data = in_folder(f, "jester.csv");
    spec.rating.has_range = false;
    refused(f, &spec, PM_ERR_DATA, "99 stands for a missing rating in Jester's files");
    spec.rating = (pm_rating_params){ .has_range = true, .lo = -10, .hi = 10 };
    refused(f, &spec, PM_ERR_DATA, "rated item \"y\" with 99");
    says(f, "99 stands for a missing rating");
    spec.rating = (pm_rating_params){ .has_range = true, .lo = 5, .hi = 5 };
    spec.data = path;
    refused(f, &spec, PM_ERR_ARG, "range of 5 to 5");
    spec.rating.has_range = false;
    spec.metrics = "rmse,ndcg@10";
    refused(f, &spec, PM_ERR_ARG, "cannot stand beside metrics of rankings");
    spec.model = "item-pop";
    spec.metrics = "rmse";
    refused(f, &spec, PM_ERR_ARG, "are no ratings");
    spec.split.folds = 1;
    refused(f, &spec, PM_ERR_ARG, "folds = 1");
    spec.split = (pm_split_params){ .protocol = "rating", .folds = 3, .fold = 4 };
    refused(f, &spec, PM_ERR_ARG, "fold = 4");
}

// Where rankings are asked for a rating model is one among others: the same users, the same candidates; its scores are ratings.
static void rankings_of_a_rating_model(void **state)
{
    static const char *const protocols[] = { "random", "strong", "leave-one-out", "rating" };
    fixture *f = *state;
    const char *path = ratings_file(f);
    for (int k = 0; k < PM_COUNT(protocols); k++) {
        const char *run = in_folder(f, "run");
        pm_spec spec = rating_spec("rating-bias", path), other;
        spec.split = (pm_split_params){ .protocol = protocols[k], .negatives = 5 };
        spec.metrics = k == 2 ? "hr@3" : "ndcg@5";
        other = spec;
        other.model = "item-pop";
        pm_result *r = trained(f, &spec, run), *p = trained(f, &other, NULL);
        pm_recommendation *list;
        pm_paired_test test;
        int64_t count;
        assert_int_equal(pm_metrics_compare(r->test_users, p->test_users, spec.metrics, &test), PM_OK);
        const char *user = pm_ids_name(r->split->users, r->split->test.user[0]);
        if (pm_recommend(f->ctx, &(pm_recommend_params){ .run = run, .user = user, .top = 3 }, &list, &count) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
        for (int64_t i = 0; i < count; i++) assert_true(list[i].score > 0.5f && list[i].score < 6);
        pm_free(list);
        pm_result_destroy(&r);
        pm_result_destroy(&p);
        remove_folder(run);
    }
}

// Three trainings, stopped in the second and gone on with: each a run with the bits of one that was never stopped; means and deviations are of the three.
static void repeats_are_runs_of_their_own(void **state)
{
    static const char *const quick[] = { "rank=3", "epochs=3", "batch=100" };
    fixture *f = *state;
    const char *path = ratings_file(f);
    const char *whole = in_folder(f, "whole"), *stopped = in_folder(f, "stopped");
    pm_spec spec = rating_spec("svd", path);
    char message[512];
    spec.settings = quick;
    spec.setting_count = 3;
    spec.repeats = 3;
    pm_result *r = trained(f, &spec, whole);
    assert_int_equal(r->repeat_count, 3);
    assert_null(r->test_users);
    double mean = 0, squares = 0;
    int64_t n = 0;
    for (int i = 0; i < 3; i++) {
        mean += r->repeats[i].metrics[0].mean / 3;
        n += r->repeats[i].metrics[0].n;
    }
    for (int i = 0; i < 3; i++) squares += pow(r->repeats[i].metrics[0].mean - mean, 2);
    assert_true(fabs(r->metrics[0].mean - mean) < 1e-12 && fabs(r->metrics_sd[0] - sqrt(squares / 2)) < 1e-12);
    assert_true(r->metrics_sd[0] > 0 && fabs(r->metrics[0].ci95 / r->metrics[0].se - 4.3027) < 1e-3);
    assert_int_equal(r->metrics[0].n, n);
    assert_int_equal(train_until(&spec, stopped, 16, 1, NULL, NULL, message), PM_ERR_CANCELLED);
    assert_non_null(strstr(message, "--resume"));
    assert_null(strstr(message, "repeat-"));
    assert_int_equal(train_until(NULL, stopped, -1, 1, NULL, NULL, message), PM_OK);
    char *json;
    assert_int_equal(pm_result_json(f->ctx, r, &json), PM_OK);
    assert_non_null(strstr(json, "\"sd\":"));
    for (int i = 1; i <= 3; i++) {
        char a[600], b[600];
        snprintf(a, sizeof a, "%s/repeat-%d", whole, i);
        snprintf(b, sizeof b, "%s/repeat-%d", stopped, i);
        assert_same_run(a, b, "a repeat");
        pm_result *one;
        assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = b }, &one), PM_OK);
        assert_true(one->metrics[0].mean == r->repeats[i - 1].metrics[0].mean);
        pm_result_destroy(&one);
    }
    pm_result *none;
    assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = whole }, &none), PM_ERR_ARG);
    says(f, "holds 3 runs");
    assert_int_equal(pm_train(f->ctx, &spec, whole, &none), PM_ERR_ARG);
    says(f, "holds a run already");
    pm_result_destroy(&r);
    spec.split.protocol = "random";
    spec.repeats = 0;
    spec.split.folds = 3;
    spec.split.test_share = 0;
    refused(f, &spec, PM_ERR_ARG, "folds are cut by --protocol rating alone");
}

// A user and an item whose ratings validation took none of, so that what is known of them at test time is what training knew.
static void unvalidated(const pm_split *s, int *user, int *item)
{
    bool users[40] = { false }, items[30] = { false };
    const pm_csr *t = &s->valid.target;
    for (int64_t r = 0; r < s->valid.users; r++) {
        users[s->valid.user[r]] = true;
        for (uint32_t e = t->indptr[r]; e < t->indptr[r + 1]; e++) items[t->col[e]] = true;
    }
    const means m = measure(s);
    *user = *item = -1;
    for (int u = 0; u < 39; u++)
        if (!users[u] && m.has_user[u]) *user = u;
    for (int i = 0; i < 30; i++)
        if (!items[i] && m.has_item[i]) *item = i;
    assert_true(*user >= 0 && *item >= 0);
}

static pm_prediction *predicted(fixture *f, const char *run, const char *ratings, const char *pairs, int64_t *count)
{
    pm_prediction *list;
    const pm_predict_params params = { .run = run, .pairs = { .path = pairs }, .ratings = { .path = ratings } };
    if (pm_predict(f->ctx, &params, &list, count) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    return list;
}

// Somebody new with the ratings of a known user is predicted the same, and so is a new item with those of a known one, without training.
static void strangers_need_no_training(void **state)
{
    static const char *const quick[] = { "layers=2", "outer_size=3", "epochs=2", "batch=10" };
    static const char *const models[] = { "uencoder", "rating-bias", "vencoder" };
    fixture *f = *state;
    const char *path = ratings_file(f);
    for (int k = 0; k < PM_COUNT(models); k++) {
        const char *run = in_folder(f, "run"), *given = in_folder(f, "given.csv"), *pairs = in_folder(f, "pairs.csv");
        pm_spec spec = rating_spec(models[k], path);
        spec.settings = quick;
        spec.setting_count = k == 1 ? 0 : PM_COUNT(quick);
        spec.split.valid_share = 0.03;
        spec.rating.clip = k == 0;
        pm_result *r = trained(f, &spec, run);
        const pm_csr *train = &r->split->train;
        int user, item;
        int64_t count;
        unvalidated(r->split, &user, &item);
        FILE *g = fopen(given, "w"), *p = fopen(pairs, "w");
        assert_true(g && p);
        for (int64_t row = 0; row < train->rows; row++)
            for (uint32_t e = train->indptr[row]; e < train->indptr[row + 1]; e++) {
                const char *u = pm_ids_name(r->split->users, r->split->train_user[row]), *i = pm_ids_name(r->split->items, train->col[e]);
                if (k < 2 && r->split->train_user[row] == (uint32_t)user) fprintf(g, "new,%s,%g\n", i, (double)train->val[e]);
                if (k == 2 && train->col[e] == (uint32_t)item) fprintf(g, "%s,new,%g\n", u, (double)train->val[e]);
            }
        const char *u = pm_ids_name(r->split->users, user), *i = pm_ids_name(r->split->items, item);
        for (int n = 0; n < 20; n++)
            if (k < 2) fprintf(p, "new,%s\n%s,%s\n", pm_ids_name(r->split->items, n), u, pm_ids_name(r->split->items, n));
            else fprintf(p, "%s,new\n%s,%s\n", pm_ids_name(r->split->users, n), pm_ids_name(r->split->users, n), i);
        fclose(g);
        fclose(p);
        pm_prediction *list = predicted(f, run, given, pairs, &count);
        assert_int_equal(count, 40);
        for (int n = 0; n < 40; n += 2) {
            if (fabsf(list[n].score - list[n + 1].score) > 1e-5f) fail_msg("%s: %g and %g", models[k], (double)list[n].score, (double)list[n + 1].score);
            assert_true(list[n].score > -1 && list[n].score < (k == 0 ? 5.0001f : 7));
        }
        pm_free(list);
        pm_prediction *none;
        put_text(f, "given.csv", k < 2 ? "new,nothing,4\n" : "nobody,new,4\n");
        const pm_predict_params params = { .run = run, .pairs = { .path = pairs }, .ratings = { .path = given } };
        assert_int_equal(pm_predict(f->ctx, &params, &none, &count), PM_ERR_NOT_FOUND);
        says(f, k < 2 ? "no item \"nothing\" in the run" : "no user \"nobody\"");
        put_text(f, "given.csv", "new,i1,5.5\n");
        assert_int_equal(pm_predict(f->ctx, &params, &none, &count), PM_ERR_DATA);
        says(f, "outside the declared range");
        pm_result_destroy(&r);
        remove_folder(run);
    }
    const char *run = in_folder(f, "svd");
    pm_spec spec = rating_spec("by-place", path);
    pm_result *r = trained(f, &spec, run);
    pm_prediction *none;
    int64_t count;
    const pm_predict_params params = { .run = run, .pairs = { .path = path }, .ratings = { .path = path } };
    assert_int_equal(pm_predict(f->ctx, &params, &none, &count), PM_ERR_ARG);
    says(f, "knows users and items by id");
    pm_result_destroy(&r);
}

// Items with ratings on the command line; the formula of rating-bias in double.
static void recommending_to_given_ratings(void **state)
{
    fixture *f = *state;
    const char *path = ratings_file(f), *run = in_folder(f, "run"), *const asked[] = { "i1:5", "i2:4" };
    pm_spec spec = rating_spec("rating-bias", path);
    pm_result *r = trained(f, &spec, run);
    const means m = measure(r->split);
    const int64_t one = pm_ids_find(r->split->items, "i1"), two = pm_ids_find(r->split->items, "i2");
    double item[30];
    int rated[30] = { 0 };
    for (int64_t e = 0; e < r->split->train.nnz; e++) rated[r->split->train.col[e]]++;
    for (int i = 0; i < 30; i++) item[i] = rated[i] * (m.item[i] - m.all) / (25 + rated[i]);
    const double own = (5 - m.all - item[one] + 4 - m.all - item[two]) / (10 + 2);
    pm_recommendation *list;
    int64_t count;
    pm_recommend_params params = { .run = run, .items = asked, .item_count = 2, .top = 30 };
    if (pm_recommend(f->ctx, &params, &list, &count) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_int_equal(count, 28);
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = pm_ids_find(r->split->items, list[i].item);
        if (m.has_item[at]) assert_true(fabs(list[i].score - (m.all + own + item[at])) < 1e-5);
    }
    params.items = (const char *const[]){ "i1", "i2:4" };
    assert_int_equal(pm_recommend(f->ctx, &params, &list, &count), PM_ERR_ARG);
    says(f, "give one behind a colon");
    params.items = (const char *const[]){ "i1:7", "i2:4" };
    assert_int_equal(pm_recommend(f->ctx, &params, &list, &count), PM_ERR_ARG);
    says(f, "outside the run's range");
    // Section 2.3: what the test ratings are predicted from themselves
    const pm_eval_part *t = &r->split->test;
    double squares = 0;
    for (int64_t u = 0; u < t->users; u++) {
        double sum = 0;
        const uint32_t from = t->target.indptr[u], to = t->target.indptr[u + 1];
        const bool seen = m.has_user[t->user[u]];
        for (uint32_t e = from; e < to; e++) sum += t->target.val[e] - m.all - item[t->target.col[e]];
        for (uint32_t e = from; e < to; e++) {
            const uint32_t at = t->target.col[e];
            const double p = m.all + (seen && m.has_item[at] ? item[at] + sum / (10 + to - from) : 0), d = p - t->target.val[e];
            squares += d * d;
        }
    }
    assert_true(fabs(r->reconstruction_error.mean - squares / (double)t->target.nnz) < 1e-5);
    assert_true(fabs(r->prediction_error.mean - r->metrics[0].mean * r->metrics[0].mean) < 1e-9);
    assert_true(r->reconstruction_error.mean < r->prediction_error.mean && r->reconstruction_error.n == t->target.nnz);
    pm_result_destroy(&r);
}

// Without data a model of ratings gets some: the interactions of any other model, with a spread of whole ratings; its protocol is `rating`.
static void there_are_ratings_without_data(void **state)
{
    fixture *f = *state;
    pm_synth_params shape = { .users = 120, .items = 60, .interactions = 1500, .clusters = 4, .seed = 2 };
    pm_interactions *ones, *rated;
    int64_t count[6] = { 0 };
    must(f, pm_data_synth(f->ctx, &shape, &ones));
    shape.ratings = true;
    must(f, pm_data_synth(f->ctx, &shape, &rated));
    assert_int_equal(ones->count, rated->count);
    for (int64_t i = 0; i < ones->count; i++) {
        assert_true(ones->user[i] == rated->user[i] && ones->item[i] == rated->item[i] && ones->value[i] == 1);
        const float v = rated->value[i];
        assert_true(v == 1 || v == 2 || v == 3 || v == 4 || v == 5);
        count[(int)v]++;
    }
    for (int v = 2; v <= 5; v++) assert_true(count[v] > 75);
    const pm_spec spec = { .model = "rating-bias", .device = host_device(), .synth = shape };
    pm_result *r = trained(f, &spec, NULL);
    assert_string_equal(r->protocol, "rating");
    assert_true(r->metrics[0].mean > 0.5 && r->metrics[0].mean < 1.2);
    pm_result_destroy(&r);
}

// Once more on train + validation: the run that is kept says what training said, in all its parts.
static void refitted_runs_keep_their_means(void **state)
{
    fixture *f = *state;
    const char *path = ratings_file(f), *run = in_folder(f, "run"), *pairs = in_folder(f, "pairs.csv");
    pm_spec spec = rating_spec("by-place", path);
    spec.refit = true;
    spec.split.valid_share = 0.4;
    pm_result *r = trained(f, &spec, run), *again;
    assert_true(r->refit);
    assert_int_equal(pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &again), PM_OK);
    assert_true(again->metrics[0].mean == r->metrics[0].mean);
    pm_result_destroy(&again);
    const pm_eval_part *t = &r->split->test;
    FILE *file = fopen(pairs, "w");
    assert_non_null(file);
    for (int64_t u = 0; u < t->users; u++)
        for (uint32_t e = t->target.indptr[u]; e < t->target.indptr[u + 1]; e++)
            fprintf(file, "%s,%s\n", pm_ids_name(r->split->users, t->user[u]), pm_ids_name(r->split->items, t->target.col[e]));
    fclose(file);
    int64_t count;
    double squares = 0;
    pm_prediction *list = predicted(f, run, NULL, pairs, &count);
    assert_int_equal(count, t->target.nnz);
    for (int64_t i = 0; i < count; i++) squares += pow(list[i].score - t->target.val[i], 2);
    assert_true(fabs(sqrt(squares / (double)count) - r->metrics[0].mean) < 1e-9);
    pm_free(list);
    pm_result_destroy(&r);
}

int main(void)
{
    pm_ctx *ctx;
    if (pm_ctx_create(NULL, &ctx) != PM_OK || pm_model_register(ctx, &zero) != PM_OK || pm_model_register(ctx, &by_place) != PM_OK) return 1;
    pm_ctx_destroy(&ctx);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(means_come_off_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folds_cover_the_ratings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_was_liked_is_to_be_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(constant_ratings_work, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_rating_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rankings_of_a_rating_model, set_up, tear_down),
        cmocka_unit_test_setup_teardown(repeats_are_runs_of_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strangers_need_no_training, set_up, tear_down),
        cmocka_unit_test_setup_teardown(recommending_to_given_ratings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_are_ratings_without_data, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refitted_runs_keep_their_means, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("train.rating", tests, NULL, NULL);
}
