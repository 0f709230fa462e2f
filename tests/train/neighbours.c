// item-knn as a whole, against a naive implementation in double; of eals too, what goes wrong and stopping anywhere.
#define _DEFAULT_SOURCE
#include "train/neighbours_help.h"

// ---- item-knn ----

typedef struct knn_case {
    const char *settings;
    int         by;       // cosine, adjusted-cosine, pearson, jaccard
    bool        counts;
    int         k;
    double      shrink;
} knn_case;

static double value_of(const pm_csr *m, int64_t u, int64_t i)
{
    const int64_t e = pm_csr_find(m, u, (uint32_t)i);
    return e < 0 ? 0 : (double)m->val[e];
}

static double mean_of(const pm_csr *m, int64_t row)
{
    double sum = 0;
    for (uint32_t e = m->indptr[row]; e < m->indptr[row + 1]; e++) sum += (double)m->val[e];
    return m->indptr[row] == m->indptr[row + 1] ? 0 : sum / (double)(m->indptr[row + 1] - m->indptr[row]);
}

// The columns as they are compared.
static void columns(const knn_case *c, const pm_csr *m, const pm_csr *t, double v[USERS][ITEMS])
{
    for (int64_t u = 0; u < m->rows; u++)
        for (int64_t i = 0; i < m->cols; i++) {
            const double r = value_of(m, u, i);
            v[u][i] = r == 0 ? 0 : c->by == 1 ? r - mean_of(m, u) : c->by == 2 ? r - mean_of(t, i) : c->by == 0 && c->counts ? r : 1;
            if (fabs(v[u][i]) < 1e-6) v[u][i] = 0;
        }
}

static void naive_neighbours(const knn_case *c, const pm_csr *m, double s[ITEMS][ITEMS])
{
    static double v[USERS][ITEMS];
    pm_csr t;
    assert_int_equal(pm_csr_transposed(m->indptr, m, &t), PM_OK);
    columns(c, m, &t, v);
    for (int64_t j = 0; j < m->cols; j++)
        for (int64_t i = 0; i < m->cols; i++) {
            double dot = 0, a = 0, b = 0;
            for (int64_t u = 0; u < m->rows; u++) {
                dot += v[u][i] * v[u][j];
                a += v[u][i] * v[u][i];
                b += v[u][j] * v[u][j];
            }
            const double under = c->shrink + (c->by == 3 ? a + b - dot : sqrt(a) * sqrt(b));
            s[j][i] = i != j && dot > 1e-9 && under > 0 ? dot / under : 0;
        }
    for (int64_t j = 0; j < m->cols; j++)
        for (int64_t i = 0; i < m->cols; i++) {    // of equal ones the lower id stays
            int before = 0;
            for (int64_t h = 0; h < m->cols; h++) before += fabs(s[j][h]) > fabs(s[j][i]) + 1e-7 || (h < i && fabs(fabs(s[j][h]) - fabs(s[j][i])) <= 1e-7);
            if (before >= c->k) s[j][i] = -s[j][i];
        }
}

static void neighbours_are_those_of_a_naive_implementation(void **state)
{
    fixture *f = *state;
    static const knn_case cases[] = {
        { "k=5 shrink=3", 0, false, 5, 3 },
        { "k=4 shrink=0 input=counts batch=7", 0, true, 4, 0 },
        { "k=6 shrink=1 similarity=adjusted-cosine", 1, false, 6, 1 },
        { "k=3 shrink=2 similarity=pearson input=counts", 2, true, 3, 2 },
        { "k=7 shrink=0.5 similarity=jaccard", 3, false, 7, 0.5 },
        { "k=1000 shrink=0 similarity=jaccard", 3, false, ITEMS, 0 },
    };
    for (int n = 0; n < PM_COUNT(cases); n++) {
        static double s[ITEMS][ITEMS], want[USERS][MOST_ITEMS];
        const int warned = f->warnings;
        pm_split *split = make_split(f);
        pm_session *session = open_session(f, split, "item-knn", cases[n].settings);
        assert_int_equal(pm_session_prepare_training(session), PM_OK);
        assert_int_equal(f->warnings - warned, cases[n].k == ITEMS);    // said once
        run_epoch(session);
        naive_neighbours(&cases[n], &split->train, s);
        const pm_csr *known = &split->valid.input;
        for (int64_t u = 0; u < split->valid.users; u++)
            for (int64_t j = 0; j < ITEMS; j++) {
                want[u][j] = 0;
                for (uint32_t e = known->indptr[u]; e < known->indptr[u + 1]; e++)
                    want[u][j] += fmax(s[j][known->col[e]], 0) * (cases[n].counts ? (double)known->val[e] : 1);
            }
        assert_scores(session, want, cases[n].settings);
        pm_session_close(&session);
    }
}

// Users who rate everything alike say nothing under adjusted cosine: no rounding of their means may pass for likeness.
static void equal_ratings_are_no_likeness(void **state)
{
    const fixture *f = *state;
    char text[4096];
    size_t n = (size_t)snprintf(text, sizeof text, "user,item,rating\n");
    for (int u = 0; u < 16; u++)
        for (int i = 0; i < 6; i++)
            if ((u + i) % 4) n += (size_t)snprintf(text + n, sizeof text - n, "u%d,i%d,%g\n", u, i, 0.1 * (u + 1));
    pm_interactions *data;
    pm_split *split;
    float alike[36];
    assert_int_equal(pm_data_read(f->ctx, &(pm_read_params){ .path = put(f, "equal.csv", text, n) }, &data), PM_OK);
    assert_int_equal(pm_data_split(f->ctx, data, &(pm_split_params){ .protocol = "strong", .held_out = 2 }, &split), PM_OK);
    pm_session *s = open_session(f, split, "item-knn", "similarity=adjusted-cosine shrink=0 k=6");
    assert_int_equal(pm_session_prepare_training(s), PM_OK);
    run_epoch(s);
    assert_int_equal(pm_store_read(s->store, "similarities", alike), PM_OK);
    for (int k = 0; k < 36; k++) assert_true(alike[k] == 0);
    pm_session_close(&s);
}

// ---- what goes wrong ----

static void refused(const fixture *f, const char *model, const char *const *settings, pm_status want, const char *word)
{
    char message[512];
    pm_spec spec = { .model = model, .device = host_device(), .settings = settings, .setting_count = 1, .data = write_data(f, USERS, "data.csv"),
                     .split = { .held_out = 4 } };
    const char *run = in_folder(f, "refused");
    const pm_status st = train_until(&spec, run, -1, 1, NULL, NULL, message);
    if (st != want || !strstr(message, word)) fail_msg("%s: status %d: %s", word, (int)st, message);
    remove_folder(run);
}

static void what_cannot_be(void **state)
{
    const fixture *f = *state;
    refused(f, "eals", (const char *const[]){ "rank=21" }, PM_ERR_ARG, "rank = 21 is more than the matrix can have: there are 20 items");
    refused(f, "eals", (const char *const[]){ "c0=-1" }, PM_ERR_ARG, "c0 = \"-1\" must be a number from 0");
    refused(f, "eals", (const char *const[]){ "a=2.5" }, PM_ERR_ARG, "a = \"2.5\" must be a number from 0 to 2");
    refused(f, "eals", (const char *const[]){ "w=0" }, PM_ERR_ARG, "w");
    refused(f, "item-knn", (const char *const[]){ "k=0" }, PM_ERR_ARG, "k");
    refused(f, "item-knn", (const char *const[]){ "similarity=euclid" }, PM_ERR_ARG, "pearson");
}

// Said when the graph is captured, before any of it is laid out.
static void beyond_memory(void **state)
{
    const fixture *f = *state;
    uint64_t now, peak;
    for (int more = 0; more < 2; more++) {
        pm_split *split = make_split(f);
        split->train.cols = more ? 20000000 : 16000000;
        pm_session *s = open_session(f, split, "item-knn", "k=1000000");
        assert_int_equal(pm_session_prepare_training(s), more ? PM_ERR_UNSUPPORTED : PM_ERR_DEVICE_MEMORY);
        if (!strstr(pm_ctx_message(f->ctx), more ? "20000000 items" : "1000000 neighbours of 16000000 items need")) fail_msg("%s", pm_ctx_message(f->ctx));
        pm_device_memory(s->device, &now, &peak);
        assert_true(peak < UINT64_C(1) << 30);
        pm_session_close(&s);
    }
}

static void stopped_anywhere(void **state)
{
    const fixture *f = *state;
    static const char *const knn[] = { "batch=7", "k=5" }, *const eals[] = { "rank=3", "batch=20" };
    for (int i = 0; i < 2; i++) {
        char message[512], when[64];
        pm_spec spec = small_spec(i ? "eals" : "item-knn");
        spec.settings = i ? eals : knn;
        spec.setting_count = 2;
        spec.epochs = i ? 2 : 0;
        const char *whole = in_folder(f, "whole"), *run = in_folder(f, "run");
        train_whole(&spec, whole);
        for (int at = 1; at < 12; at += 4) {
            pm_status st = train_until(&spec, run, at, 1, NULL, NULL, message);
            if (st == PM_ERR_CANCELLED) st = train_until(NULL, run, -1, 2, NULL, NULL, message);
            else if (at == 1) fail_msg("it was not stopped");
            snprintf(when, sizeof when, "%s, stopped at report %d", spec.model, at);
            if (st != PM_OK) fail_msg("%s: %s", when, message);
            assert_same_run(whole, run, when);
            assert_tidy(run);
            remove_folder(run);
        }
        remove_folder(whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(neighbours_are_those_of_a_naive_implementation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equal_ratings_are_no_likeness, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beyond_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopped_anywhere, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("train.neighbours", tests, NULL, NULL);
}
