// Alternating least squares, SLIM and factors by gradient descent as a whole: sweeps against a naive implementation in double, scores of users seen
// and unseen, what goes wrong, and stopping anywhere.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include <math.h>

#include "train/session.h"

enum { USERS = 40, ITEMS = 25, RANK = 4 };

// ---- the naive side: a dense matrix of values, 0 where there is nothing ----

typedef struct dense {
    int64_t users, items;
    double  value[USERS * ITEMS];
} dense;

typedef struct weights {
    double alpha, lambda;
} weights;

// A · x = b by elimination, in place; A is positive definite.
static void eliminate(double *a, double *b, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = j + 1; i < n; i++) {
            const double f = a[i * n + j] / a[j * n + j];
            for (int64_t k = j; k < n; k++) a[i * n + k] -= f * a[j * n + k];
            b[i] -= f * b[j];
        }
    for (int64_t j = n - 1; j >= 0; j--) {
        for (int64_t k = j + 1; k < n; k++) b[j] -= a[j * n + k] * b[k];
        b[j] /= a[j * n + j];
    }
}

// The best factors of a row whose entry e has value r[e · step], against y [n, RANK].
static void best_row(const weights *w, const double *r, int64_t step, const double *y, int64_t n, double *x)
{
    double a[RANK * RANK] = { 0 };
    for (int64_t k = 0; k < RANK; k++) x[k] = 0;
    for (int64_t e = 0; e < n; e++) {
        const double value = r[e * step], c = 1 + w->alpha * value;
        for (int64_t k = 0; k < RANK; k++) {
            for (int64_t l = 0; l < RANK; l++) a[k * RANK + l] += c * y[e * RANK + k] * y[e * RANK + l];
            x[k] += value != 0 ? c * y[e * RANK + k] : 0;
        }
    }
    for (int64_t k = 0; k < RANK; k++) a[k * RANK + k] += w->lambda;
    eliminate(a, x, RANK);
}

static void sweep(const weights *w, const dense *m, double *users, double *items)
{
    for (int64_t i = 0; i < m->items; i++) best_row(w, m->value + i, m->items, users, m->users, items + i * RANK);
    for (int64_t u = 0; u < m->users; u++) best_row(w, m->value + u * m->items, 1, items, m->items, users + u * RANK);
}

// ---- data: user 0 has every item, users 1 … 3 two each, and values run from 1 to 4 ----

static size_t write_data(char *text, size_t size)
{
    size_t n = (size_t)snprintf(text, size, "user,item,rating\n");
    for (int u = 0; u < USERS; u++)
        for (int i = 0; i < ITEMS; i++) {
            const bool has = u == 0 || (u < 4 ? i / 2 == u : (u * 7 + i * i * 3) % 11 < 3);
            if (has) n += (size_t)snprintf(text + n, size - n, "u%d,i%d,%d\n", u, i, 1 + (u + i) % 4);
        }
    return n;
}

static pm_split *make_split(const fixture *f, const char *protocol, double test_share)
{
    char text[32768];
    const size_t n = write_data(text, sizeof text);
    pm_interactions *data;
    pm_split *split;
    assert_int_equal(pm_data_read(f->ctx, &(pm_read_params){ .path = put(f, "data.csv", text, n) }, &data), PM_OK);
    const pm_split_params params = { .protocol = protocol, .seed = 5, .held_out = 4, .test_share = test_share, .valid_share = 0.1 };
    assert_int_equal(pm_data_split(f->ctx, data, &params, &split), PM_OK);
    return split;
}

static void lay_out(const pm_csr *m, bool counts, dense *out)
{
    *out = (dense){ .users = m->rows, .items = m->cols };
    for (int64_t u = 0; u < m->rows; u++)
        for (uint32_t e = m->indptr[u]; e < m->indptr[u + 1]; e++) out->value[u * m->cols + m->col[e]] = counts ? (double)m->val[e] : 1;
}

static void read_double(const pm_session *s, const char *name, double *out, int64_t count)
{
    float values[USERS * ITEMS];
    assert_true(count <= PM_COUNT(values));
    assert_int_equal(pm_store_read(s->store, name, values), PM_OK);
    for (int64_t i = 0; i < count; i++) out[i] = (double)values[i];
}

static void assert_near(const double *got, const double *want, int64_t count, double within, const char *what)
{
    double most = 1e-3;
    for (int64_t i = 0; i < count; i++) most = fmax(most, fabs(want[i]));
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(got[i] - want[i]) <= within * most)) fail_msg("%s[%d] is %.9g, not %.9g", what, (int)i, got[i], want[i]);
}

static void run_epoch_of(pm_session *s)
{
    for (int pass = 0; pass < s->pass_count; pass++)
        assert_int_equal(pm_session_run(s, pass, &(pm_position){ 0, 0, 0, 0 }, s->pass[pass].steps), PM_OK);
}

// Every item's score of every user of the part, against x · y of its row's own least squares.
static void assert_scores(const fixture *f, pm_session *s, const weights *w, bool counts, const double *items, const char *what)
{
    const pm_eval_part *part = &s->split->valid;
    pm_evaluator *e;
    const uint32_t *ids;
    const float *scores;
    int64_t depth, seen = 0;
    dense known;
    lay_out(&part->input, counts, &known);
    assert_int_equal(pm_evaluator_create(s, &(pm_evaluator_params){ .part = part, .name = "valid", .depth = known.items }, &e), PM_OK);
    if (pm_evaluator_lists(e, &ids, &scores, &depth) != PM_OK) fail_msg("%s: %s", what, pm_ctx_message(f->ctx));
    for (int64_t u = 0; u < part->users; u++) {
        double x[RANK];
        best_row(w, known.value + u * known.items, 1, items, known.items, x);
        for (int64_t k = 0; k < depth && ids[u * depth + k] < (uint32_t)known.items; k++, seen++) {
            double want = 0;
            for (int64_t h = 0; h < RANK; h++) want += x[h] * items[ids[u * depth + k] * RANK + h];
            if (!(fabs((double)scores[u * depth + k] - want) <= 2e-3)) fail_msg("%s: user %d, item %d scores %.6f, not %.6f", what, (int)u,
                                                                               (int)ids[u * depth + k], (double)scores[u * depth + k], want);
        }
    }
    assert_true(seen > part->users);
}

// Three epochs from the same factors.
static void sweeps_are_those_of_a_naive_implementation(void **state)
{
    const fixture *f = *state;
    static const struct { const char *settings; weights w; bool counts; const char *protocol; } cases[] = {
        { "rank=4 batch=7 solver=cholesky alpha=10 lambda=2", { 10, 2 }, false, "strong" },
        { "rank=4 batch=16 solver=cg cg_iterations=12 fold_in_iterations=12 alpha=10 lambda=2", { 10, 2 }, false, "strong" },
        { "rank=4 solver=cholesky alpha=-0.5 lambda=0.5", { -0.5, 0.5 }, false, "random" },
        { "rank=4 solver=cholesky alpha=3 lambda=5 input=counts", { 3, 5 }, true, "random" },
        { "rank=4 solver=cg cg_iterations=12 fold_in_iterations=12 alpha=3 lambda=5 input=counts", { 3, 5 }, true, "strong" },
    };
    for (int i = 0; i < PM_COUNT(cases); i++) {
        pm_split *split = make_split(f, cases[i].protocol, 0.4);
        pm_config *config = make_config(f, "wrmf", cases[i].settings);
        pm_session *s;
        double users[USERS * RANK], items[ITEMS * RANK], got[USERS * RANK];
        dense m;
        assert_int_equal(pm_session_open(f->ctx, &(pm_session_params){ .split = split, .config = config, .device = host_device(), .seed = 1 }, &s), PM_OK);
        if (pm_session_prepare_training(s) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
        lay_out(&split->train, cases[i].counts, &m);
        read_double(s, "users", users, m.users * RANK);
        read_double(s, "items", items, m.items * RANK);
        for (int epoch = 0; epoch < 3; epoch++) {
            run_epoch_of(s);
            sweep(&cases[i].w, &m, users, items);
        }
        read_double(s, "items", got, m.items * RANK);
        assert_near(got, items, m.items * RANK, 5e-4, cases[i].settings);
        read_double(s, "users", got, m.users * RANK);
        assert_near(got, users, m.users * RANK, 5e-4, cases[i].settings);
        assert_scores(f, s, &cases[i].w, cases[i].counts, items, cases[i].settings);
        pm_session_close(&s);
    }
}

// ---- known ratings alone: als-wr ----

// The best factors of a row of ratings, NaN where there is none: the penalty grows with their number.
static void best_rated_row(double lambda, const double *r, int64_t step, const double *y, int64_t n, double *x)
{
    double a[RANK * RANK] = { 0 };
    int64_t count = 0;
    for (int64_t k = 0; k < RANK; k++) x[k] = 0;
    for (int64_t e = 0; e < n; e++) {
        if (isnan(r[e * step])) continue;
        count++;
        for (int64_t k = 0; k < RANK; k++) {
            for (int64_t l = 0; l < RANK; l++) a[k * RANK + l] += y[e * RANK + k] * y[e * RANK + l];
            x[k] += r[e * step] * y[e * RANK + k];
        }
    }
    for (int64_t k = 0; k < RANK; k++) a[k * RANK + k] += lambda * (double)count;
    if (count > 0) eliminate(a, x, RANK);
}

// The ratings as the model is given them: the session's values, whatever was taken off.
static void lay_out_ratings(const pm_session *s, const pm_csr *m, dense *out)
{
    double values[USERS * ITEMS];
    read_double(s, "train.val", values, m->nnz);
    *out = (dense){ .users = m->rows, .items = m->cols };
    for (int64_t i = 0; i < m->rows * m->cols; i++) out->value[i] = (double)NAN;
    for (int64_t u = 0; u < m->rows; u++)
        for (uint32_t e = m->indptr[u]; e < m->indptr[u + 1]; e++) out->value[u * m->cols + m->col[e]] = values[e];
}

static void als_wr_is_that_of_a_naive_implementation(void **state)
{
    const fixture *f = *state;
    static const struct { const char *settings; double lambda; } cases[] = {
        { "rank=4 batch=7 lambda=0.05", 0.05 },
        { "rank=4 batch=16 lambda=0.3 center=global solver=cg cg_iterations=12", 0.3 },
    };
    for (int i = 0; i < PM_COUNT(cases); i++) {
        pm_split *split = make_split(f, "random", 0.2);
        pm_session *s;
        double users[USERS * RANK], items[ITEMS * RANK], got[USERS * RANK];
        dense m;
        const pm_session_params params = { .split = split, .config = make_config(f, "als-wr", cases[i].settings), .device = host_device(), .seed = 1 };
        assert_int_equal(pm_session_open(f->ctx, &params, &s), PM_OK);
        if (pm_session_prepare_training(s) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
        lay_out_ratings(s, &split->train, &m);
        read_double(s, "users", users, m.users * RANK);
        for (int epoch = 0; epoch < 3; epoch++) {
            run_epoch_of(s);
            for (int64_t k = 0; k < m.items; k++) best_rated_row(cases[i].lambda, m.value + k, m.items, users, m.users, items + k * RANK);
            for (int64_t u = 0; u < m.users; u++) best_rated_row(cases[i].lambda, m.value + u * m.items, 1, items, m.items, users + u * RANK);
        }
        read_double(s, "items", got, m.items * RANK);
        assert_near(got, items, m.items * RANK, 5e-4, cases[i].settings);
        read_double(s, "users", got, m.users * RANK);
        assert_near(got, users, m.users * RANK, 5e-4, cases[i].settings);
        pm_session_close(&s);
    }
}

// A user with all items is in the data; of the items, some are in nobody's training rows.
static void odd_rows_are_solved(void **state)
{
    const fixture *f = *state;
    pm_split *split = make_split(f, "strong", 0), *cut = make_split(f, "random", 0.8);
    bool full = false, empty = false;
    for (int64_t u = 0; u < split->train.rows; u++) full = full || split->train.indptr[u + 1] - split->train.indptr[u] == split->train.cols;
    assert_true(full);
    uint32_t popularity[ITEMS];
    pm_popularity(&cut->train, popularity);
    pm_session *s;
    double items[ITEMS * RANK];
    assert_int_equal(pm_session_open(f->ctx, &(pm_session_params){ .split = cut, .config = make_config(f, "wrmf", "rank=4"), .device = host_device() }, &s), PM_OK);
    assert_int_equal(pm_session_prepare_training(s), PM_OK);
    run_epoch_of(s);
    read_double(s, "items", items, cut->train.cols * RANK);
    for (int64_t i = 0; i < cut->train.cols; i++) {
        double most = 0;
        for (int k = 0; k < RANK; k++) most = fmax(most, fabs(items[i * RANK + k]));
        assert_true(isfinite(most) && (most > 0) == (popularity[i] > 0));
        empty = empty || popularity[i] == 0;
    }
    pm_session_close(&s);
    assert_true(empty);
}

// ---- SLIM: the conditions of a minimum, in double ----

static void slim_is_at_its_minimum(void **state)
{
    const fixture *f = *state;
    for (int positive = 0; positive < 2; positive++) {
        pm_split *split = make_split(f, "strong", 0);
        pm_config *config = make_config(f, "slim", positive ? "l1=0.5 l2=1 sweeps=400 tolerance=0 batch=9" : "l1=0.5 l2=1 sweeps=400 tolerance=0 non_negative=off");
        pm_session *s;
        dense m;
        double w[ITEMS * ITEMS];
        int zeros = 0, others = 0;
        assert_int_equal(pm_session_open(f->ctx, &(pm_session_params){ .split = split, .config = config, .device = host_device() }, &s), PM_OK);
        if (pm_session_prepare_training(s) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
        lay_out(&split->train, false, &m);
        run_epoch_of(s);
        read_double(s, "weights", w, m.items * m.items);
        for (int64_t j = 0; j < m.items; j++)
            for (int64_t k = 0; k < m.items; k++) {
                double slope = w[k * m.items + j];    // of the smooth part: l2 · w − x_k · (x_j − X·w)
                for (int64_t u = 0; u < m.users; u++) {
                    double left = m.value[u * m.items + j];
                    for (int64_t l = 0; l < m.items; l++) left -= m.value[u * m.items + l] * w[l * m.items + j];
                    slope -= m.value[u * m.items + k] * left;
                }
                const double v = w[k * m.items + j];
                const bool least = k == j ? v == 0 : v > 0 ? fabs(slope + 0.5) < 1e-3 : v < 0 ? !positive && fabs(slope - 0.5) < 1e-3
                                   : slope > -0.5 - 1e-3 && (positive || slope < 0.5 + 1e-3);
                if (!least) fail_msg("weight [%d, %d] is %g, its slope %g", (int)k, (int)j, v, slope);
                zeros += v == 0;
                others += v != 0;
            }
        assert_true(zeros > ITEMS && others > ITEMS);
        pm_session_close(&s);
    }
}

// ---- what goes wrong ----

static pm_spec spec_of(const char *model, const char *const *settings, int count)
{
    pm_spec spec = small_spec(model);
    spec.settings = settings;
    spec.setting_count = count;
    spec.epochs = strcmp(model, "slim") == 0 ? 0 : 3;
    return spec;
}

static void refused(const fixture *f, const pm_spec *spec, pm_status want, const char *word)
{
    char message[512];
    const char *run = in_folder(f, "refused");
    const pm_status st = train_until(spec, run, -1, 1, NULL, NULL, message);
    if (st != want || !strstr(message, word)) fail_msg("%s: status %d: %s", word, (int)st, message);
    remove_folder(run);
}

static void what_cannot_be(void **state)
{
    const fixture *f = *state;
    static const char *const wide[] = { "rank=61" }, *const singular[] = { "rank=40", "lambda=0", "solver=cholesky" }, *const none[] = { "rank=0" },
                      *const below[] = { "alpha=-1" }, *const l1[] = { "l1=-1" };
    pm_spec spec = spec_of("wrmf", wide, 1);
    refused(f, &spec, PM_ERR_ARG, "rank = 61 is more than the matrix can have");
    spec = spec_of("wrmf", none, 1);
    refused(f, &spec, PM_ERR_ARG, "rank");
    spec = spec_of("wrmf", below, 1);
    refused(f, &spec, PM_ERR_ARG, "alpha");
    spec = spec_of("wrmf", singular, 3);    // of 30 users
    spec.synth.users = 30;
    spec.synth.interactions = 600;
    spec.split.held_out = 4;
    refused(f, &spec, PM_ERR_ARG, "rank = 40 is more than the matrix can have");
    spec = spec_of("slim", l1, 1);
    refused(f, &spec, PM_ERR_ARG, "l1");
}

// Every user has every item, so that after a sweep all items are alike: without a penalty their Gram matrix has rank 1. Conjugate gradients
// find a solution all the same.
static void a_singular_system(void **state)
{
    const fixture *f = *state;
    static const char *const exact[] = { "rank=12", "lambda=0", "solver=cholesky" }, *const iterated[] = { "rank=12", "lambda=0", "cg_iterations=2" };
    char text[16384];
    size_t n = (size_t)snprintf(text, sizeof text, "user,item\n");
    for (int u = 0; u < 30; u++)
        for (int i = 0; i < 15; i++) n += (size_t)snprintf(text + n, sizeof text - n, "u%d,i%d\n", u, i);
    pm_spec spec = spec_of("wrmf", exact, 3);
    spec.data = put(f, "full.csv", text, n);
    spec.split.held_out = 4;
    refused(f, &spec, PM_ERR_NUMERIC, "change of users is not finite");
    refused(f, &spec, PM_ERR_NUMERIC, "try a larger lambda");
    spec.settings = iterated;
    train_whole(&spec, in_folder(f, "iterated"));
}

// Users 1 … 3 have two ratings: not enough for four factors.
static void ratings_too_few_for_their_rank(void **state)
{
    const fixture *f = *state;
    static const char *const exact[] = { "rank=4", "lambda=0" }, *const iterated[] = { "rank=4", "lambda=0", "solver=cg" };
    char text[32768];
    pm_spec spec = spec_of("als-wr", exact, 2);
    spec.data = put(f, "data.csv", text, write_data(text, sizeof text));
    spec.split = (pm_split_params){ .protocol = "random", .test_share = 0.1, .valid_share = 0.1 };
    refused(f, &spec, PM_ERR_NUMERIC, "is not finite");
    refused(f, &spec, PM_ERR_NUMERIC, "try a larger lambda");
    spec.settings = iterated;
    spec.setting_count = 3;
    train_whole(&spec, in_folder(f, "iterated"));
}

// ---- what is learned of ratings ----

static double angle_rating(double user, int item)
{
    return 3 + 2 * cos(user - item * 0.9);
}

// A user's ratings turn with an angle of the user and one of the item, which no mean knows of; one in three is known.
static size_t write_angles(char *text, size_t size)
{
    size_t n = (size_t)snprintf(text, size, "user,item,rating\n");
    for (int u = 0; u < 90; u++)
        for (int i = 0; i < 45; i++)
            if (((uint32_t)(u * 45 + i) * 2654435761u >> 16) % 3 == 0) n += (size_t)snprintf(text + n, size - n, "u%d,i%d,%.2f\n", u, i, angle_rating(u * 0.7, i));
    return n;
}

// A user whom nobody has seen, known by ten ratings: what is recommended is liked.
static void a_stranger_is_understood(const fixture *f, const char *model, const char *run)
{
    char text[10][24];
    const char *items[10];
    pm_recommendation *list;
    int64_t count;
    for (int i = 0; i < 10; i++) {
        snprintf(text[i], sizeof text[i], "i%d:%.2f", i, angle_rating(2.2, i));
        items[i] = text[i];
    }
    if (pm_recommend(f->ctx, &(pm_recommend_params){ .run = run, .items = items, .item_count = 10, .top = 3 }, &list, &count) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_int_equal(count, 3);
    for (int k = 0; k < 3; k++) {
        const double truth = angle_rating(2.2, atoi(list[k].item + 1));
        if (!(truth > 3.5)) fail_msg("%s recommends %s, which is rated %.2f", model, list[k].item, truth);
    }
    pm_free(list);
}

static double rmse_of(const fixture *f, const char *model, const char *const *settings, int64_t epochs, const char *data)
{
    const char *run = in_folder(f, "learned");
    pm_spec spec = { .model = model, .device = host_device(), .seed = 2, .data = data, .settings = settings, .epochs = epochs, .metrics = "rmse",
                     .split = { .protocol = "rating", .seed = 2 } };
    char message[512];
    pm_ctx *ctx;
    pm_result *r;
    while (settings[spec.setting_count]) spec.setting_count++;
    if (train_until(&spec, run, -1, 1, &r, &ctx, message) != PM_OK) fail_msg("%s: %s", model, message);
    const double rmse = r->metrics[0].mean;
    if (strcmp(model, "rating-bias") != 0) a_stranger_is_understood(f, model, run);
    remove_folder(run);
    pm_ctx_destroy(&ctx);
    return rmse;
}

static void ratings_are_learned(void **state)
{
    const fixture *f = *state;
    static char text[65536];
    static const char *const none[] = { NULL }, *const als[] = { "rank=3", "lambda=0.01", NULL }, *const als_cg[] = { "rank=3", "lambda=0.01", "solver=cg", NULL },
                      *const svd[] = { "rank=3", "batch=64", "lr=0.2", "lambda=0.005", "init=0.3", NULL },
                      *const biased[] = { "rank=3", "batch=64", "lr=0.2", "lambda=0.005", "init=0.3", "biases=on", "center=global", NULL },
                      *const process[] = { "latent=2", "batch=10", "ratings=10", "lr=0.05", NULL };
    const struct { const char *model, *const *settings; int64_t epochs; } cases[] = {
        { "als-wr", als, 12 }, { "als-wr", als_cg, 20 }, { "svd", svd, 40 }, { "svd", biased, 40 }, { "nl-pmf", process, 20 },
    };
    const char *data = put(f, "angles.csv", text, write_angles(text, sizeof text));
    const double means = rmse_of(f, "rating-bias", none, 0, data);
    assert_true(means > 1);
    for (int i = 0; i < PM_COUNT(cases); i++) {
        const double rmse = rmse_of(f, cases[i].model, cases[i].settings, cases[i].epochs, data);
        if (!(rmse < 0.4 * means)) fail_msg("%s (case %d): rmse %.4f, means alone %.4f", cases[i].model, i, rmse, means);
    }
}

// Steps that are too long: the factors grow slowly at first, from next to nothing.
static void svd_keeps_the_last_good_state(void **state)
{
    const fixture *f = *state;
    static const char *const settings[] = { "rank=4", "lr=0.6", "init=1e-5", "batch=64", "lambda=0" };
    char text[32768], message[512];
    pm_spec spec = spec_of("svd", settings, 5);
    spec.data = put(f, "data.csv", text, write_data(text, sizeof text));
    spec.split = (pm_split_params){ .protocol = "random", .test_share = 0.1, .valid_share = 0.1 };
    spec.epochs = 60;
    const char *run = in_folder(f, "run");
    assert_int_equal(train_until(&spec, run, -1, 1, NULL, NULL, message), PM_ERR_NUMERIC);
    if (!strstr(message, "training diverged") || !strstr(message, "try a lower lr")) fail_msg("%s", message);
    assert_tidy(run);
    pm_result *result;
    if (pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &result) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_true(result->metric_count > 0 && isfinite(result->metrics[0].mean));
}

// Confidences below zero, which counts reach with a negative alpha: no minimum once the factors have grown. The epochs before stay.
static void the_last_good_state_is_kept(void **state)
{
    const fixture *f = *state;
    static const char *const settings[] = { "rank=6", "lambda=2", "solver=cholesky", "alpha=-0.4", "input=counts" };
    char text[32768], message[512];
    pm_spec spec = spec_of("wrmf", settings, 5);
    spec.data = put(f, "data.csv", text, write_data(text, sizeof text));
    spec.split.held_out = 4;
    spec.seed = 0;
    spec.epochs = 30;
    const char *run = in_folder(f, "run");
    assert_int_equal(train_until(&spec, run, -1, 1, NULL, NULL, message), PM_ERR_NUMERIC);
    if (!strstr(message, "not positive definite")) fail_msg("%s", message);
    assert_tidy(run);
    pm_result *result;
    if (pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = run }, &result) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_true(result->metric_count > 0 && isfinite(result->metrics[0].mean) && result->metrics[0].mean > 0);
    assert_int_equal(train_until(NULL, run, -1, 1, NULL, NULL, message), PM_ERR_NUMERIC);    // it goes on, to where it cannot
}

// Said when the graph is captured, before any of it is laid out.
static void beyond_memory(void **state)
{
    const fixture *f = *state;
    pm_split *split = make_split(f, "strong", 0);
    pm_session *s;
    uint64_t now, peak;
    split->train.cols = 3000000;    // 72 TB
    assert_int_equal(pm_session_open(f->ctx, &(pm_session_params){ .split = split, .config = make_config(f, "slim", ""), .device = host_device() }, &s), PM_OK);
    assert_int_equal(pm_session_prepare_training(s), PM_ERR_DEVICE_MEMORY);
    if (!strstr(pm_ctx_message(f->ctx), "3000000 items need 7.2e+04 GB")) fail_msg("%s", pm_ctx_message(f->ctx));
    pm_device_memory(s->device, &now, &peak);
    assert_true(peak < 100000000);
    pm_session_close(&s);
}

static void stopped_anywhere(void **state)
{
    const fixture *f = *state;
    static const char *const cg[] = { "rank=5", "batch=20", "lambda=1" }, *const exact[] = { "rank=5", "batch=20", "solver=cholesky", "lambda=1" },
                      *const slim[] = { "batch=7" };
    const pm_spec specs[] = { spec_of("wrmf", cg, 3), spec_of("wrmf", exact, 4), spec_of("slim", slim, 1) };
    for (int i = 0; i < PM_COUNT(specs); i++) {
        char message[512], when[64];
        pm_spec spec = specs[i];
        spec.refit = i == 1;
        if (i < 2) spec.epochs = 2;
        const char *whole = in_folder(f, "whole"), *run = in_folder(f, "run");
        train_whole(&spec, whole);
        int stops = 0;
        for (int at = 1;; at += 5 + at % 4) {
            pm_status st = train_until(&spec, run, at, 1, NULL, NULL, message);
            const bool stopped = st == PM_ERR_CANCELLED;
            if (stopped) st = train_until(NULL, run, -1, 2, NULL, NULL, message);
            snprintf(when, sizeof when, "case %d, stopped at report %d", i, at);
            if (st != PM_OK) fail_msg("%s: %s", when, message);
            assert_same_run(whole, run, when);
            assert_tidy(run);
            remove_folder(run);
            if (!stopped) break;
            stops++;
        }
        remove_folder(whole);
        assert_true(stops > 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sweeps_are_those_of_a_naive_implementation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(als_wr_is_that_of_a_naive_implementation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(odd_rows_are_solved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(slim_is_at_its_minimum, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_singular_system, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ratings_too_few_for_their_rank, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_good_state_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ratings_are_learned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(svd_keeps_the_last_good_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beyond_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopped_anywhere, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("train.als", tests, NULL, NULL);
}
