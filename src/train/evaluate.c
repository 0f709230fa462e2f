// Evaluation is a program too: known rows, scores, mask, top-k or rank of the target, all on the device; lists or ranks come back once.
#include <pumice/state.h>

#include "train/evaluator.h"
#include "train/rating.h"

enum { EVAL_BATCH = 500, MEAN_SLOTS = 32 };    // MEAN_SLOTS: batches whose item means wait on the device

static char *tensor_name(const pm_evaluator *e, const char *suffix)
{
    return pm_sprintf(e, "%s.%s", e->name, suffix);
}

static pm_status add_tensor(pm_evaluator *e, const char *suffix, pm_dtype dtype, int64_t rows, int64_t cols)
{
    char *name = tensor_name(e, suffix);
    PM_CHECK_ALLOC(name);
    return pm_store_add(e->s->store, name, dtype, rows, cols);
}

static pm_status write_tensor(pm_evaluator *e, const char *suffix, const void *data)
{
    char *name = tensor_name(e, suffix);
    PM_CHECK_ALLOC(name);
    const pm_status st = pm_store_write(e->s->store, name, data);
    pm_free(name);
    return st;
}

static pm_var part_tensor(pm_evaluator *e, pm_graph *g, const char *suffix)
{
    char *name = tensor_name(e, suffix);
    return name ? pm_constant(g, name) : pm_graph_fail(g, PM_ERR_NOMEM, "no memory for a name");
}

// Where the items are that are scored for each user of the part: its candidates, or what it rated.
static const uint32_t *candidate_ptr(const pm_evaluator *e)
{
    return e->feed == PM_FEED_RATINGS ? e->part->target.indptr : e->part->candidate_ptr;
}

// Candidates as a dense [users, widest] matrix of ids, and how many of each row count.
static pm_status upload_candidates(pm_evaluator *e)
{
    const pm_eval_part *p = e->part;
    const uint32_t *ptr = candidate_ptr(e), *candidate = e->feed == PM_FEED_RATINGS ? p->target.col : p->candidate;
    for (int64_t u = 0; u < p->users; u++) e->widest = PM_MAX(e->widest, (int64_t)ptr[u + 1] - ptr[u]);
    PM_REQUIRE(e, e->widest > 0, PM_ERR_DATA, "%s: no user has candidates", e->name);
    uint32_t *ids = pm_new_array(e, uint32_t, p->users * e->widest), *counts = pm_new_array(e, uint32_t, p->users);
    PM_CHECK_ALLOC(ids);
    PM_CHECK_ALLOC(counts);
    for (int64_t u = 0; u < p->users; u++) {
        counts[u] = ptr[u + 1] - ptr[u];
        memcpy(ids + u * e->widest, candidate + ptr[u], counts[u] * sizeof *ids);
    }
    PM_TRY(add_tensor(e, "candidates", PM_U32, p->users, e->widest));
    PM_TRY(add_tensor(e, "listed", PM_U32, p->users, 1));
    PM_TRY(write_tensor(e, "candidates", ids));
    PM_TRY(write_tensor(e, "listed", counts));
    pm_free(ids);
    pm_free(counts);
    return PM_OK;
}

static void capture_lists(pm_evaluator *e, pm_build *b, pm_var z)
{
    pm_var score;
    const pm_var id = pm_top_k(b->g, pm_mask_rows(b->g, b->x.ptr, b->x.col, z), e->depth, &score);
    pm_put_rows(b->g, id, b->state, part_tensor(e, b->g, "ids"));
    pm_put_rows(b->g, score, b->state, part_tensor(e, b->g, "scores"));
}

// Scores of a rating model as ratings in the data's units. id: the items of the columns, NULL: all of them.
static pm_var as_ratings(pm_evaluator *e, pm_build *b, pm_var z, pm_var rows, pm_var live, const pm_var *id)
{
    pm_graph *g = b->g;
    pm_session *s = e->s;
    if (!s->center) return z;
    int64_t n, cols;
    pm_shape_of(g, z, &n, &cols);
    const pm_var one = pm_fill(g, n, 1, 1.0f), known = pm_constant(g, "center.known"), shift = pm_constant(g, "center.shift");
    if (pm_center_base(s) != 0) z = pm_sub(g, z, pm_fill(g, n, cols, pm_center_base(s)));
    if (e->unseen_items) z = pm_mul(g, z, id ? pm_pick_scores(g, one, known, *id, live, false) : pm_broadcast_row(g, pm_reshape(g, known, 1, cols), n));
    if (e->unseen_users) z = pm_mul_col(g, z, pm_gather_rows(g, part_tensor(e, g, "known"), rows));
    z = pm_scale(g, z, pm_center_scale(s));
    z = id ? pm_add(g, z, pm_pick_scores(g, one, shift, *id, live, false)) : pm_add_row(g, z, pm_reshape(g, shift, 1, cols));
    return s->center->by_user ? pm_add(g, z, pm_broadcast_col(g, pm_gather_rows(g, part_tensor(e, g, "shift"), rows), cols)) : z;
}

// z: all scores, where they are there. A model that scores candidates alone is asked to even then: its two ways of summing differ in last bits, and what is
// said of the sampled candidates is the same whether others are ranked beside them or not, in validation as in the test.
static void capture_ranks(pm_evaluator *e, pm_build *b, pm_var z, pm_var rows, pm_var live)
{
    pm_graph *g = b->g;
    const pm_var id = pm_gather_rows(g, part_tensor(e, g, "candidates"), rows);
    const pm_var raw = e->s->model->score_at ? e->s->model->score_at(b, id) : pm_take_cols(g, z, id), s = as_ratings(e, b, raw, rows, live, &id);
    if (e->ties == PM_TIES_ID || e->feed == PM_FEED_RATINGS) {    // ids decide ties: the host ranks the scores themselves
        pm_put_rows(g, s, b->state, part_tensor(e, g, "scores"));
        return;
    }
    pm_var tied;
    const pm_var above = pm_rank_target(g, s, pm_gather_rows(g, part_tensor(e, g, "listed"), rows), &tied);
    pm_put_rows(g, above, b->state, part_tensor(e, g, "above"));
    pm_put_rows(g, tied, b->state, part_tensor(e, g, "tied"));
}

static void capture_preferences(pm_evaluator *e, pm_build *b, pm_var z, pm_var live)
{
    pm_graph *g = b->g;
    pm_put_rows(g, pm_count_reaching(g, z, part_tensor(e, g, "edges")), b->state, part_tensor(e, g, "reaching"));
    const pm_var p = e->preference == PM_PREFERENCE_SIGMOID ? pm_sigmoid(g, z) : z;
    const pm_var weight = pm_row_weight(g, pm_fill(g, 1, 1, 1.0f), live, e->batch);    // dead rows count nothing
    pm_log_row(g, pm_col_sum(g, pm_mul_col(g, p, weight)), b->state, part_tensor(e, g, "means"));
}

static pm_status add_preferences(pm_evaluator *e)
{
    const int64_t users = e->part->users, items = e->s->split->train.cols;
    float edges[PM_PREFERENCE_EDGES];
    pm_preference_edges(e->preference, edges);
    PM_TRY(add_tensor(e, "edges", PM_F32, 1, PM_PREFERENCE_EDGES));
    PM_TRY(write_tensor(e, "edges", edges));
    PM_TRY(add_tensor(e, "reaching", PM_U32, users, PM_PREFERENCE_EDGES));
    PM_TRY(add_tensor(e, "means", PM_F32, MEAN_SLOTS, items));
    e->reaching = pm_new_array(e, uint32_t, users * PM_PREFERENCE_EDGES);
    e->batch_means = pm_new_array(e, float, MEAN_SLOTS * items);
    e->means = pm_new_array(e, double, items);
    return e->reaching && e->batch_means && e->means ? PM_OK : PM_ERR_NOMEM;
}

static pm_status add_results(pm_evaluator *e)
{
    const int64_t users = e->part->users;
    if (e->feed == PM_FEED_LISTS) {
        PM_TRY(add_tensor(e, "ids", PM_U32, users, e->depth));
        PM_TRY(add_tensor(e, "scores", PM_F32, users, e->depth));
        e->ids = pm_new_array(e, uint32_t, users * e->depth);
        e->scores = pm_new_array(e, float, users * e->depth);
        return e->ids && e->scores ? PM_OK : PM_ERR_NOMEM;
    }
    if (e->candidates & PM_CANDIDATES_ALL) PM_TRY(pm_ranks_create(e, e->s, e->part, e->name, e->ties, &e->ranks));
    if (!(e->candidates & PM_CANDIDATES_SAMPLED)) return PM_OK;
    PM_TRY(upload_candidates(e));
    if (e->ties == PM_TIES_ID || e->feed == PM_FEED_RATINGS) {
        PM_TRY(add_tensor(e, "scores", PM_F32, users, e->widest));
        e->scores = pm_new_array(e, float, users * e->widest);
        return e->scores ? PM_OK : PM_ERR_NOMEM;
    }
    PM_TRY(add_tensor(e, "above", PM_U32, users, 1));
    PM_TRY(add_tensor(e, "tied", PM_U32, users, 1));
    e->above = pm_new_array(e, uint32_t, users);
    e->tied = pm_new_array(e, uint32_t, users);
    return e->above && e->tied ? PM_OK : PM_ERR_NOMEM;
}

static pm_status capture(pm_evaluator *e)
{
    pm_session *s = e->s;
    pm_build b = { .config = s->config, .items = s->split->train.cols, .users = s->split->train.rows, .scorer = e->scorer, .held_out = e->held_out,
                   .rows = { -1 }, .user = { -1 } };
    if (e->encoder) PM_TRY(pm_encoder_use(e->encoder, e->scorer));
    PM_TRY(pm_graph_create(s->store, &b.g));
    const pm_status st = pm_session_scoring_net(s, b.g, &b.net);
    if (st != PM_OK) {
        pm_graph_destroy(&b.g);
        return st;
    }
    b.state = part_tensor(e, b.g, "state");
    const pm_var rows = pm_next_rows(b.g, b.state, e->batch);
    const pm_var live = pm_slice(b.g, b.state, 0, 1, PM_STATE_LIVE, 1);
    b.x = pm_capture_batch(b.g, e->name, rows, live, e->entries);
    b.x.items = b.items;
    if (pm_session_counts(s)) b.counts = pm_capture_counts(b.g, e->name, rows, &b.x);
    if (e->by_row) b.user = pm_gather_rows(b.g, part_tensor(e, b.g, "row"), rows);
    const bool all = e->preference || e->feed == PM_FEED_LISTS || e->ranks || !s->model->score_at;
    const pm_var z = all ? s->model->score(&b) : (pm_var){ -1 };
    if (e->preference) capture_preferences(e, &b, z, live);
    const bool lists = e->feed == PM_FEED_LISTS;
    const pm_var ratings = lists || e->ranks ? as_ratings(e, &b, z, rows, live, NULL) : z;
    if (lists) capture_lists(e, &b, ratings);
    if (e->ranks) pm_ranks_capture(e->ranks, &b, ratings, rows);
    if (!lists && e->candidates & PM_CANDIDATES_SAMPLED) capture_ranks(e, &b, z, rows, live);
    pm_tick(b.g, b.state);
    pm_session_scoring_net_done(s, &b.net);
    return pm_graph_compile(&b.g, &e->program);
}

static int64_t longest_target(const pm_eval_part *p)
{
    int64_t longest = 0;
    for (int64_t u = 0; u < p->users; u++) longest = PM_MAX(longest, (int64_t)p->target.indptr[u + 1] - p->target.indptr[u]);
    return longest;
}

// Which rows of the training matrix the users are.
static pm_status add_rows(pm_evaluator *e)
{
    uint32_t *rows = pm_new_array(e, uint32_t, e->part->users);
    PM_CHECK_ALLOC(rows);
    pm_status st = pm_session_rows(e->s, e->part, rows, &e->held_out);
    e->by_row = st == PM_OK && !e->held_out;
    if (e->by_row) st = add_tensor(e, "row", PM_U32, e->part->users, 1);
    if (e->by_row && st == PM_OK) st = write_tensor(e, "row", rows);
    pm_free(rows);
    return st;
}

static pm_status add_center(pm_evaluator *e)
{
    const int64_t users = e->part->users;
    float *shift = pm_new_array(e, float, users), *known = pm_new_array(e, float, users);
    if (!shift || !known) return PM_ERR_NOMEM;
    PM_TRY(pm_center_items(e->s, &e->unseen_items));
    pm_center_users(e->s, &e->part->input, e->part->user, shift, known, &e->unseen_users);
    PM_TRY(add_tensor(e, "shift", PM_F32, users, 1));
    PM_TRY(write_tensor(e, "shift", shift));
    PM_TRY(add_tensor(e, "known", PM_F32, users, 1));
    PM_TRY(write_tensor(e, "known", known));
    pm_free(shift);
    pm_free(known);
    return PM_OK;
}

// Ratings where all that is asked for are errors of predicted ones, else rankings.
static pm_status choose_feed(pm_evaluator *e)
{
    const char *rating = NULL;
    bool all = e->set != NULL;
    for (int i = 0; e->set && i < pm_metric_set_count(e->set); i++) {
        const bool is = pm_metric_set_info(e->set, i)->kind == PM_METRIC_RATING;
        if (is) rating = pm_metric_set_name(e->set, i);
        all = all && is;
    }
    e->feed = !e->set ? PM_FEED_LISTS : all ? PM_FEED_RATINGS : e->part->sampled ? PM_FEED_RANKS : PM_FEED_LISTS;
    PM_REQUIRE(e, !rating || e->s->center, PM_ERR_ARG, "%s: the scores of %s are no ratings, so there is no %s of them; ask for metrics of rankings with --metrics", e->name,
               e->s->model->name, rating);
    PM_REQUIRE(e, !rating || all, PM_ERR_ARG, "%s is of predicted ratings and cannot stand beside metrics of rankings; evaluate the run once for each", rating);
    return PM_OK;
}

static pm_status init(pm_evaluator *e, const pm_evaluator_params *params)
{
    pm_session *s = e->s;
    const int64_t items = s->split->train.cols;
    PM_REQUIRE(e, e->part->users > 0, PM_ERR_DATA, "%s: there are no users to evaluate on", e->name);
    e->batch = PM_MIN(EVAL_BATCH, e->part->users);
    PM_TRY(choose_feed(e));
    e->depth = PM_MIN(params->set ? pm_metric_set_depth(params->set, longest_target(e->part)) : params->depth, items);
    e->depth = PM_MAX(e->depth, 1);
    e->popularity = pm_new_array(e, uint32_t, items);
    PM_CHECK_ALLOC(e->popularity);
    pm_popularity(&s->split->train, e->popularity);
    pm_csr known;
    PM_TRY(pm_session_known(s, e, &e->part->input, e->part->user, &known));
    PM_TRY(pm_session_upload(s, e->name, &known));
    e->entries = pm_csr_longest_rows(e, &known, e->batch);
    pm_session_forget(&e->part->input, &known);
    PM_REQUIRE(e, e->entries > 0, PM_ERR_NOMEM, "no memory to measure batches");
    PM_TRY(add_tensor(e, "state", PM_U32, 1, PM_STATE_COUNT));
    if (s->model->by_id) PM_TRY(add_rows(e));
    PM_TRY(pm_encoder_create(s, e->part, e->name, &e->encoder));
    if (s->center) PM_TRY(add_center(e));
    PM_TRY(add_results(e));
    if (e->preference) PM_TRY(add_preferences(e));
    return capture(e);
}

pm_status pm_evaluator_create(pm_session *s, const pm_evaluator_params *params, pm_evaluator **out)
{
    *out = NULL;
    pm_evaluator *e = pm_new(s, pm_evaluator);
    PM_CHECK_ALLOC(e);
    e->s = s;
    e->part = params->part;
    e->name = params->name;
    e->set = params->set;
    e->ties = params->ties;
    e->preference = params->preference;
    e->candidates = params->candidates && params->part->sampled && params->set ? params->candidates : PM_CANDIDATES_SAMPLED;
    e->scorer = s->phase[s->phase_count - 1].scorer;
    const pm_status st = init(e, params);
    if (st != PM_OK) {
        pm_free(e);
        return st;
    }
    *out = e;
    return PM_OK;
}

pm_status pm_evaluator_use(pm_evaluator *e, int scorer)
{
    if (e->scorer == scorer) return PM_OK;
    e->scorer = scorer;
    pm_program_destroy(&e->program);
    return capture(e);
}

const pm_eval_part *pm_evaluator_part(const pm_evaluator *e)
{
    return e->part;
}

int64_t pm_evaluator_depth(const pm_evaluator *e)
{
    return e->depth;
}

pm_program *pm_evaluator_program(const pm_evaluator *e)
{
    return e->program;
}

int64_t pm_evaluator_batches(const pm_evaluator *e)
{
    return (e->part->users + e->batch - 1) / e->batch;
}

// Adds the item means of the batches from `first` on, each by how many users it had.
static pm_status add_means(pm_evaluator *e, int64_t first, int64_t batches)
{
    const int64_t items = e->s->split->train.cols;
    char *name = tensor_name(e, "means");
    PM_CHECK_ALLOC(name);
    PM_TRY(pm_store_read(e->s->store, name, e->batch_means));
    pm_free(name);
    for (int64_t k = 0; k < batches; k++) {
        const int64_t users = PM_MIN(e->batch, e->part->users - (first + k) * e->batch);
        const double share = (double)users / (double)e->part->users;
        for (int64_t i = 0; i < items; i++) e->means[i] += share * e->batch_means[k * items + i];
    }
    return PM_OK;
}

static pm_status run_all(pm_evaluator *e, int64_t steps)
{
    if (!e->preference) return pm_program_run(e->program, steps);
    memset(e->means, 0, sizeof *e->means * (size_t)e->s->split->train.cols);
    for (int64_t done = 0; done < steps; done += MEAN_SLOTS) {
        const int64_t n = PM_MIN(MEAN_SLOTS, steps - done);
        PM_TRY(pm_program_run(e->program, n));
        PM_TRY(add_means(e, done, n));
    }
    return PM_OK;
}

static pm_status score_all(pm_evaluator *e)
{
    char *state = tensor_name(e, "state");
    PM_CHECK_ALLOC(state);
    const pm_state start = { .seed = e->s->seed, .total = e->part->users, .batch = e->batch };
    pm_status st = pm_session_write_state(e->s, state, &start);
    if (st == PM_OK && e->encoder) st = pm_encoder_run(e->encoder);
    if (st == PM_OK) st = run_all(e, pm_evaluator_batches(e));
    pm_free(state);
    return st;
}

static pm_status read_tensor(pm_evaluator *e, const char *suffix, void *data)
{
    char *name = tensor_name(e, suffix);
    PM_CHECK_ALLOC(name);
    const pm_status st = pm_store_read(e->s->store, name, data);
    pm_free(name);
    return st;
}

static pm_status read_results(pm_evaluator *e)
{
    if (e->ids) PM_TRY(read_tensor(e, "ids", e->ids));
    if (e->scores) PM_TRY(read_tensor(e, "scores", e->scores));
    if (e->above) PM_TRY(read_tensor(e, "above", e->above));
    if (e->reaching) PM_TRY(read_tensor(e, "reaching", e->reaching));
    if (e->ranks) PM_TRY(pm_ranks_read(e->ranks));
    return e->tied ? read_tensor(e, "tied", e->tied) : PM_OK;
}

pm_status pm_evaluator_score(pm_evaluator *e)
{
    PM_TRY(score_all(e));
    return read_results(e);
}

pm_program_stats pm_evaluator_stats(const pm_evaluator *e)
{
    return pm_program_get_stats(e->program);
}

pm_status pm_evaluator_lists(pm_evaluator *e, const uint32_t **ids, const float **scores, int64_t *depth)
{
    PM_TRY(pm_evaluator_score(e));
    *ids = e->ids;
    *scores = e->scores;
    *depth = e->depth;
    return PM_OK;
}

pm_status pm_evaluator_scores(pm_evaluator *e, const float **scores, int64_t *widest)
{
    PM_TRY(pm_evaluator_score(e));
    *scores = e->scores;
    *widest = e->widest;
    return PM_OK;
}

void pm_evaluator_preferences(const pm_evaluator *e, const uint32_t **reaching, const double **means)
{
    *reaching = e->reaching;
    *means = e->means;
}
