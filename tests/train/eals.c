// eals as a whole, against a naive implementation in double; interactions that come after training.
#define _DEFAULT_SOURCE
#include "train/neighbours_help.h"

#include "train/safetensors.h"

enum { RANK = 3 };

// ---- training ----

typedef struct naive {
    int64_t users, items;
    double  w[MOST_USERS][MOST_ITEMS];    // 0: missing
    double  c[MOST_ITEMS], lambda;
    double  p[MOST_USERS * RANK], q[MOST_ITEMS * RANK];
} naive;

static double score_of(const naive *m, int64_t u, int64_t i)
{
    double z = 0;
    for (int f = 0; f < RANK; f++) z += m->p[u * RANK + f] * m->q[i * RANK + f];
    return z;
}

// Gives each factor of a user, or of an item, its best value: every pair's weight and target, nothing cached.
static void best_factors(naive *m, int64_t row, bool user)
{
    double *x = user ? m->p : m->q, *y = user ? m->q : m->p;
    for (int f = 0; f < RANK; f++) {
        double over = 0, under = m->lambda;
        for (int64_t o = 0; o < (user ? m->items : m->users); o++) {
            const int64_t u = user ? row : o, i = user ? o : row;
            const double w = m->w[u][i], weight = w > 0 ? w : m->c[i], v = y[o * RANK + f];
            over += weight * v * ((w > 0) - score_of(m, u, i) + x[row * RANK + f] * v);
            under += weight * v * v;
        }
        x[row * RANK + f] = over / under;
    }
}

static double objective(const naive *m)
{
    double sum = 0;
    for (int64_t u = 0; u < m->users; u++)
        for (int64_t i = 0; i < m->items; i++) {
            const double w = m->w[u][i], d = (w > 0) - score_of(m, u, i);
            sum += (w > 0 ? w : m->c[i]) * d * d;
        }
    for (int64_t k = 0; k < m->users * RANK; k++) sum += m->lambda * m->p[k] * m->p[k];
    for (int64_t k = 0; k < m->items * RANK; k++) sum += m->lambda * m->q[k] * m->q[k];
    return sum;
}

static void weigh(naive *m, const pm_csr *train, double w, double c0, double a, double lambda)
{
    double sum = 0;
    *m = (naive){ .users = train->rows, .items = train->cols, .lambda = lambda };
    for (int64_t u = 0; u < train->rows; u++)
        for (uint32_t e = train->indptr[u]; e < train->indptr[u + 1]; e++) {
            m->w[u][train->col[e]] = w;
            m->c[train->col[e]]++;
        }
    for (int64_t i = 0; i < m->items; i++) sum += m->c[i] = m->c[i] > 0 || a == 0 ? pow(m->c[i], a) : 0;
    for (int64_t i = 0; i < m->items; i++) m->c[i] *= c0 / sum;
}

static void assert_near(const double *got, const double *want, int64_t count, double within, const char *what)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(got[i] - want[i]) <= within)) fail_msg("%s[%d] is %.9g, not %.9g", what, (int)i, got[i], want[i]);
}

static void sweeps_are_those_of_a_naive_implementation(void **state)
{
    const fixture *f = *state;
    static const struct { const char *settings; double w, c0, a, lambda; } cases[] = {
        { "rank=3 batch=7 c0=6 a=0.5 lambda=0.1 init=0.3", 1, 6, 0.5, 0.1 },
        { "rank=3 c0=40 a=1.5 lambda=2 w=1.5 init=0.5", 1.5, 40, 1.5, 2 },    // popular items: what is missing weighs more than what is there
        { "rank=3 c0=3 a=0 lambda=0.01 init=0.1", 1, 3, 0, 0.01 },
    };
    for (int n = 0; n < PM_COUNT(cases); n++) {
        static naive m;
        static double want[USERS][MOST_ITEMS];
        double got[MOST_USERS * RANK];
        pm_split *split = make_split(f);
        pm_session *s = open_session(f, split, "eals", cases[n].settings);
        assert_int_equal(pm_session_prepare_training(s), PM_OK);
        weigh(&m, &split->train, cases[n].w, cases[n].c0, cases[n].a, cases[n].lambda);
        read_double(s, "users", m.p, m.users * RANK);
        read_double(s, "items", m.q, m.items * RANK);
        for (int epoch = 0; epoch < 3; epoch++) {
            run_epoch(s);
            for (int64_t i = 0; i < m.items; i++) best_factors(&m, i, false);
            for (int64_t u = 0; u < m.users; u++) best_factors(&m, u, true);
        }
        read_double(s, "users", got, m.users * RANK);
        assert_near(got, m.p, m.users * RANK, 1e-4, cases[n].settings);
        read_double(s, "items", got, m.items * RANK);
        assert_near(got, m.q, m.items * RANK, 1e-4, cases[n].settings);
        const pm_csr *known = &split->valid.input;
        for (int64_t u = 0; u < split->valid.users; u++) {    // in the place of user 0
            for (int64_t i = 0; i < m.items; i++) m.w[0][i] = pm_csr_find(known, u, (uint32_t)i) >= 0 ? cases[n].w : 0;
            memset(m.p, 0, sizeof *m.p * RANK);
            for (int t = 0; t < 10; t++) best_factors(&m, 0, true);
            for (int64_t i = 0; i < m.items; i++) want[u][i] = score_of(&m, 0, i);
        }
        assert_scores(s, want, cases[n].settings);
        pm_session_close(&s);
    }
}

static void read_tensor(const fixture *f, const char *run, const char *name, double *out, int64_t count)
{
    char path[300];
    float values[MOST_USERS * MOST_ITEMS];
    pm_st_file *file;
    snprintf(path, sizeof path, "%s/best.safetensors", run);
    assert_int_equal(pm_st_open(f->ctx, path, &file), PM_OK);
    const pm_st_tensor *t = pm_st_find(file, name);
    assert_true(t && t->rows * t->cols == count);
    assert_int_equal(pm_st_read_rows(file, name, 0, t->rows, values), PM_OK);
    for (int64_t i = 0; i < count; i++) out[i] = (double)values[i];
    pm_st_close(&file);
}

// What is logged is the objective, over the users, and it falls in every epoch.
static void the_objective_falls(void **state)
{
    const fixture *f = *state;
    static const char *const settings[] = { "rank=3", "batch=7", "c0=6", "lambda=0.1", "init=0.3" };
    pm_spec spec = { .model = "eals", .device = host_device(), .seed = 3, .settings = settings, .setting_count = 5, .epochs = 6, .metrics = "ndcg@10",
                     .data = write_data(f, USERS, "data.csv"), .split = { .protocol = "strong", .held_out = 4 } };
    static naive m;
    const char *run = in_folder(f, "run");
    pm_result *r;
    if (pm_train(f->ctx, &spec, run, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_int_equal(r->epoch_count, 6);
    for (int n = 1; n < 6; n++) assert_true(r->epoch_log[n].loss[0] < r->epoch_log[n - 1].loss[0] + 1e-5);
    weigh(&m, &r->split->train, 1, 6, 0.4, 0.1);
    read_tensor(f, run, "users", m.p, m.users * RANK);
    read_tensor(f, run, "items", m.q, m.items * RANK);
    const double want = objective(&m) / (double)m.users, got = r->epoch_log[r->best_epoch - 1].loss[0];
    if (!(fabs(got - want) < 1e-4 * want)) fail_msg("the objective is logged as %.7g, and is %.7g", got, want);
    pm_result_destroy(&r);
}

// ---- interactions that come after training ----

static const char *const eals_settings[] = { "rank=3", "c0=6", "lambda=0.1", "init=0.3", "a=0.4", "w_new=2.5" };

static pm_spec eals_spec(const char *data)
{
    return (pm_spec){ .model = "eals", .device = host_device(), .seed = 3, .settings = eals_settings, .setting_count = 6, .epochs = 8, .metrics = "recall@10",
                      .data = data, .split = { .protocol = "random", .test_share = 0.05, .valid_share = 0.05 } };
}

static pm_split *split_of(const fixture *f, const pm_spec *spec)
{
    pm_spec whole = *spec;
    pm_split *s;
    whole.split.seed = whole.seed;    // as training completes it
    assert_int_equal(pm_spec_load(f->ctx, &whole, &s), PM_OK);
    return s;
}

// New interactions: three of known users and items, then a new user's two, one of them of a new item. The last but one comes twice.
typedef struct later {
    char     text[400];
    int64_t  user[5], item[5];    // numbers they get
    int      count;
} later;

static void choose_later(const pm_split *s, later *l)
{
    size_t n = (size_t)snprintf(l->text, sizeof l->text, "user,item\n");
    l->count = 0;
    for (int64_t r = 3; r < s->train.rows && l->count < 3; r += 5)
        for (int64_t i = (r * 3) % ITEMS; i < s->train.cols; i++) {
            if (pm_csr_find(&s->train, r, (uint32_t)i) >= 0) continue;
            l->user[l->count] = r;
            l->item[l->count++] = i;
            n += (size_t)snprintf(l->text + n, sizeof l->text - n, "%s,%s\n", pm_ids_name(s->users, s->train_user[r]), pm_ids_name(s->items, i));
            break;
        }
    assert_int_equal(l->count, 3);
    n += (size_t)snprintf(l->text + n, sizeof l->text - n, "fresh,%s\nfresh,%s\nfresh,new\n", pm_ids_name(s->items, 1), pm_ids_name(s->items, 1));
    l->user[3] = l->user[4] = s->train.rows;
    l->item[3] = 1;
    l->item[4] = s->train.cols;
    l->count = 5;
}

static void update_run(const fixture *f, const char *run, const char *text, const char *out, const char *const *settings, int64_t rounds)
{
    pm_update_report report;
    const pm_update_params params = { .run = run, .out = out, .data = { .path = put_text(f, "later.csv", text) }, .settings = settings,
                                      .setting_count = settings ? 1 : 0, .rounds = rounds };
    if (pm_update(f->ctx, &params, &report) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_int_equal(report.interactions, 5);
    assert_int_equal(report.new_users, 1);
    assert_int_equal(report.new_items, 1);
}

// Algorithm 2 of the paper, one interaction after the other, nothing cached.
static void an_update_is_the_papers(void **state)
{
    const fixture *f = *state;
    static naive m;
    double got[MOST_USERS * RANK];
    later l;
    const char *run = in_folder(f, "run"), *updated = in_folder(f, "updated"), *again = in_folder(f, "again");
    pm_spec spec = eals_spec(write_data(f, USERS, "data.csv"));
    train_whole(&spec, run);
    pm_split *s = split_of(f, &spec);
    choose_later(s, &l);
    update_run(f, run, l.text, updated, NULL, 1);
    update_run(f, run, l.text, again, NULL, 1);
    assert_same_run(updated, again, "twice the same update");
    weigh(&m, &s->train, 1, 6, 0.4, 0.1);
    read_tensor(f, run, "users", m.p, m.users * RANK);
    read_tensor(f, run, "items", m.q, m.items * RANK);
    m.c[m.items] = 6.0 / (double)(m.items + 1);
    m.users++;
    m.items++;
    // The new rows begin with the initial values of a network of this size.
    pm_split *wider = make_split(f);
    wider->train.cols = m.items;
    wider->train.rows = m.users;
    pm_graph *g;
    pm_net *net;
    pm_device *device;
    pm_store *store;
    float first[MOST_USERS * RANK];
    assert_int_equal(pm_device_open(f->ctx, &(pm_device_params){ .name = host_device() }, &device), PM_OK);
    assert_int_equal(pm_store_create(device, &store), PM_OK);
    assert_int_equal(pm_graph_create(store, &g), PM_OK);
    assert_int_equal(pm_net_create(g, spec.seed, &net), PM_OK);
    pm_param(net, "users", m.users, RANK, (pm_init){ PM_INIT_NORMAL, 0.3f });
    pm_param(net, "items", m.items, RANK, (pm_init){ PM_INIT_NORMAL, 0.3f });
    assert_int_equal(pm_store_read(store, "users", first), PM_OK);
    for (int k = 0; k < RANK; k++) m.p[(m.users - 1) * RANK + k] = (double)first[(m.users - 1) * RANK + k];
    assert_int_equal(pm_store_read(store, "items", first), PM_OK);
    for (int k = 0; k < RANK; k++) m.q[(m.items - 1) * RANK + k] = (double)first[(m.items - 1) * RANK + k];
    pm_graph_destroy(&g);
    pm_store_destroy(&store);
    pm_device_close(&device);
    for (int n = 0; n < l.count; n++) {
        m.w[l.user[n]][l.item[n]] = 2.5;
        best_factors(&m, l.user[n], true);
        best_factors(&m, l.item[n], false);
    }
    read_tensor(f, updated, "users", got, m.users * RANK);
    assert_near(got, m.p, m.users * RANK, 1e-4, "users");
    read_tensor(f, updated, "items", got, m.items * RANK);
    assert_near(got, m.q, m.items * RANK, 1e-4, "items");
}

// An item that nobody had in training, its one interaction being what the test part looks for, weighs what a new one does once it is chosen.
static void the_first_interaction_of_an_item(void **state)
{
    const fixture *f = *state;
    static naive m;
    double got[MOST_USERS * RANK];
    pm_update_report report;
    const char *run = in_folder(f, "run"), *updated = in_folder(f, "updated"), *data = write_data(f, USERS, "data.csv");
    FILE *more = fopen(data, "a");
    assert_non_null(more);
    fputs("u7,lonely,3\n", more);
    fclose(more);
    pm_spec spec = eals_spec(data);
    spec.split = (pm_split_params){ .protocol = "leave-one-out", .negatives = 5 };
    spec.metrics = "hr@3";
    train_whole(&spec, run);
    pm_split *s = split_of(f, &spec);
    const int64_t item = pm_ids_find(s->items, "lonely");
    int64_t user = 0;
    while (strcmp(pm_ids_name(s->users, s->train_user[user]), "u9") != 0) user++;
    const pm_update_params params = { .run = run, .out = updated, .data = { .path = put_text(f, "later.csv", "user,item\nu9,lonely\n") } };
    if (pm_update(f->ctx, &params, &report) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_int_equal(report.interactions, 1);
    assert_int_equal(report.new_items, 0);
    weigh(&m, &s->train, 1, 6, 0.4, 0.1);
    read_tensor(f, run, "missing", got, m.items);
    assert_near(got, m.c, m.items, 1e-5, "missing in training");
    assert_true(m.c[item] == 0);
    for (int64_t i = 0; i < m.items; i++)
        if (m.c[i] == 0) m.c[i] = 6.0 / (double)m.items;
    read_tensor(f, updated, "missing", got, m.items);
    assert_near(got, m.c, m.items, 1e-5, "missing afterwards");
    read_tensor(f, run, "users", m.p, m.users * RANK);
    read_tensor(f, run, "items", m.q, m.items * RANK);
    m.w[user][item] = 2.5;
    best_factors(&m, user, true);
    best_factors(&m, item, false);
    read_tensor(f, updated, "items", got, m.items * RANK);
    assert_near(got, m.q, m.items * RANK, 1e-4, "items");
}

// What was trained on train + validation for a length that was given is updated as what was refitted for it.
static void an_update_of_all_that_is_known(void **state)
{
    const fixture *f = *state;
    static double got[2][MOST_USERS * RANK];
    later l;
    const char *runs[] = { in_folder(f, "refitted"), in_folder(f, "fixed") }, *updated[] = { in_folder(f, "updated0"), in_folder(f, "updated1") };
    pm_spec spec = eals_spec(write_data(f, USERS, "data.csv"));
    spec.validate_every = spec.epochs;    // the last is chosen
    spec.refit = true;
    train_whole(&spec, runs[0]);
    spec.validate_every = 0;
    spec.refit = false;
    spec.fixed_length = true;
    train_whole(&spec, runs[1]);
    choose_later(split_of(f, &spec), &l);
    for (int k = 0; k < 2; k++) {
        update_run(f, runs[k], l.text, updated[k], NULL, 1);
        read_tensor(f, updated[k], "users", got[k], (USERS + 1) * RANK);
    }
    assert_memory_equal(got[0], got[1], sizeof(double) * (USERS + 1) * RANK);
}

// Where all there is to know comes later, going through it until nothing moves ends where training anew ends, or close to it; on the way the
// objective falls.
static void updates_approach_training_anew(void **state)
{
    const fixture *f = *state;
    static naive before, once, often, anew;
    static const char *const same[] = { "w_new=1" };
    later l;
    const char *run = in_folder(f, "run"), *first = in_folder(f, "first"), *many = in_folder(f, "many"), *second = in_folder(f, "second");
    pm_spec spec = eals_spec(write_data(f, USERS, "data.csv"));
    spec.epochs = spec.validate_every = 60;    // the last epoch is the best: nothing moves any more
    train_whole(&spec, run);
    pm_split *s = split_of(f, &spec);
    choose_later(s, &l);
    update_run(f, run, l.text, first, same, 1);
    update_run(f, run, l.text, many, same, 60);
    weigh(&before, &s->train, 1, 6, 0.4, 0.1);
    before.c[before.items] = 6.0 / (double)(before.items + 1);
    for (int n = 0; n < l.count; n++) before.w[l.user[n]][l.item[n]] = 1;
    read_tensor(f, run, "users", before.p, before.users * RANK);
    read_tensor(f, run, "items", before.q, before.items * RANK);
    before.users++;
    before.items++;    // their factors are zero
    once = often = anew = before;
    read_tensor(f, first, "users", once.p, once.users * RANK);
    read_tensor(f, first, "items", once.q, once.items * RANK);
    read_tensor(f, many, "users", often.p, often.users * RANK);
    read_tensor(f, many, "items", often.q, often.items * RANK);
    for (int k = 0; k < RANK; k++) anew.p[(anew.users - 1) * RANK + k] = anew.q[(anew.items - 1) * RANK + k] = 0.1 * (k + 1);
    for (int epoch = 0; epoch < 200; epoch++) {
        for (int64_t i = 0; i < anew.items; i++) best_factors(&anew, i, false);
        for (int64_t u = 0; u < anew.users; u++) best_factors(&anew, u, true);
    }
    const double a = objective(&before), b = objective(&once), c = objective(&often), d = objective(&anew);
    if (!(b < a && c <= b + 1e-6 && c < d + 0.15 * (a - d))) fail_msg("objective %.6f, once %.6f, often %.6f, trained anew %.6f", a, b, c, d);
    // An updated run is a run: it is scored, resumed, and updated again.
    pm_result *r;
    pm_recommendation *list;
    int64_t count;
    pm_update_report report;
    if (pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = first }, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_int_equal(r->users, pm_ids_count(s->users) + 1);
    if (pm_recommend(f->ctx, &(pm_recommend_params){ .run = first, .user = "fresh", .top = 3 }, &list, &count) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    for (int64_t i = 0; i < count; i++) assert_true(strcmp(list[i].item, "new") != 0 && strcmp(list[i].item, pm_ids_name(s->items, 1)) != 0);
    if (pm_train_resume(f->ctx, first, NULL, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    const pm_update_params more = { .run = first, .out = second, .data = { .path = put_text(f, "more.csv", "user,item\nu4,new\nfresh,new\n") } };
    if (pm_update(f->ctx, &more, &report) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
    assert_int_equal(report.interactions, 1);
    assert_int_equal(report.known, 1);
    if (pm_evaluate(f->ctx, &(pm_evaluate_params){ .run = second }, &r) != PM_OK) fail_msg("%s", pm_ctx_message(f->ctx));
}

static void refused_update(const fixture *f, const pm_update_params *params, pm_status want, const char *word)
{
    pm_update_report report;
    const pm_status st = pm_update(f->ctx, params, &report);
    if (st != want || !strstr(pm_ctx_message(f->ctx), word)) fail_msg("%s: status %d: %s", word, (int)st, pm_ctx_message(f->ctx));
    char path[300];
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", params->out);
    assert_true(access(path, F_OK) != 0);
}

static void what_cannot_be_updated(void **state)
{
    const fixture *f = *state;
    const char *data = write_data(f, USERS, "data.csv"), *run = in_folder(f, "run"), *popular = in_folder(f, "pop"), *out = in_folder(f, "out");
    pm_spec spec = eals_spec(data);
    train_whole(&spec, run);
    spec.model = "item-pop";
    spec.setting_count = 0;
    spec.epochs = 0;
    train_whole(&spec, popular);
    pm_split *s = split_of(f, &spec);
    later l;
    char known[100];
    choose_later(s, &l);
    pm_update_params params = { .run = popular, .out = out, .data = { .path = put_text(f, "later.csv", l.text) } };
    refused_update(f, &params, PM_ERR_ARG, "item-pop has no incremental update: train it anew on all the data. Models that have one: eals");
    snprintf(known, sizeof known, "user,item\n%s,%s\n", pm_ids_name(s->users, s->train_user[0]), pm_ids_name(s->items, s->train.col[0]));
    params.run = run;
    params.data.path = put_text(f, "known.csv", known);
    refused_update(f, &params, PM_ERR_DATA, "none of its 1 interactions is new to the run");
    pm_update_report report;
    params.out = run;
    assert_int_equal(pm_update(f->ctx, &params, &report), PM_ERR_ARG);
    says(f, "holds a run already");
    params.out = out;
    params.data.path = put_text(f, "later.csv", l.text);
    pm_ctx_cancel(f->ctx);
    refused_update(f, &params, PM_ERR_CANCELLED, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sweeps_are_those_of_a_naive_implementation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_objective_falls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_update_is_the_papers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_interaction_of_an_item, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_update_of_all_that_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(updates_approach_training_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_updated, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("train.eals", tests, NULL, NULL);
}
