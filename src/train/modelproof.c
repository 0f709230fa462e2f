#include "train/modelproof.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include <pumice/state.h>

static const double UNIT = 0x1p-24;

// ---- what is run ---------------------------------------------------------------------------------------------------

// Sizes small enough for a software driver; whatever a model lacks is left out.
static const char *const small_settings[][2] = {
    { "hidden", "10" }, { "rank", "6" }, { "latent", "6" }, { "batch", "16" }, { "anneal_epochs", "0" }, { "beta_cap", "0.5" }, { "l2", "0.001" }, { "a_mi", "100" }, { "gamma_mi", "3" }, { "clip", "0" }, { "epsilon", "0.05" }, { "target_factor", "3" },
    { "oversampling", "4" }, { "ratings", "12" }, { "known", "16" }, { "k", "7" }, { "user_hidden", "9,7" }, { "item_hidden", "12,8" }, { "factors", "4" }, { "block", "5000" }, { "mu", "0.05" }, { "deviation", "0.3" },
};

static bool by_entries(const pm_model *model, const pm_config *config)
{
    pm_pass passes[PM_MAX_PASSES] = { { .name = "train" } };
    const int count = model->passes ? model->passes(config, 60, 50, passes) : 1;
    bool any = false;
    for (int i = 0; i < count; i++) any = any || passes[i].axis == PM_AXIS_ENTRIES;
    return any;
}

pm_status pm_model_proof_setup(const void *parent, const pm_model *model, const char *setting, uint64_t seed, pm_split **split,
                               pm_config **config)
{
    pm_interactions *data, *liked;
    const pm_synth_params synth = { .users = 60, .items = 50, .interactions = 500, .clusters = 4, .seed = seed };
    const pm_split_params cut = { .protocol = model->by_id ? "random" : "strong", .seed = seed, .held_out = 8, .fold_out = 0.3 };
    PM_TRY(pm_data_synth(parent, &synth, &data));
    PM_TRY(pm_config_create(parent, model, config));
    for (int64_t i = 0; i < data->count; i++) data->value[i] = (float)(i % 6 ? 2 + i % 4 : 1);
    const bool rated = pm_config_text(*config, "dislike_below") != NULL;
    PM_TRY(pm_data_filter(parent, data, &(pm_filter_params){ .has_min_rating = rated, .min_rating = 2, .keep_below = rated }, &liked));
    PM_TRY(pm_data_split(parent, liked, &cut, split));
    for (int i = 0; i < PM_COUNT(small_settings); i++)
        if (pm_config_text(*config, small_settings[i][0])) PM_TRY(pm_config_set(*config, small_settings[i][0], small_settings[i][1]));
    if (model->ratings && pm_config_text(*config, "lambda")) PM_TRY(pm_config_set(*config, "lambda", "0.5"));    // of few ratings a row
    // Of 400 interactions: 16 or 48 in the last batch, the more where nothing is drawn beside them.
    if (by_entries(model, *config)) PM_TRY(pm_config_set(*config, "batch", pm_config_text(*config, "negatives") ? "48" : "88"));
    if (pm_config_text(*config, "sampling")) PM_TRY(pm_config_set(*config, "negatives", "4"));
    char one[64];
    for (const char *at = setting ? setting : ""; *at;) {
        const size_t n = strcspn(at, " ");
        PM_REQUIRE(parent, n < sizeof one, PM_ERR_ARG, "a setting is too long: %s", at);
        snprintf(one, sizeof one, "%.*s", (int)n, at);
        PM_TRY(pm_config_assign(*config, one));
        at += n + strspn(at + n, " ");
    }
    return PM_OK;
}

// Whether the model takes the setting beside its defaults.
static bool is_legal(const pm_model *model, const char *setting)
{
    pm_ctx *quiet;
    pm_config *config;
    if (!model->check) return true;
    if (pm_ctx_create(NULL, &quiet) != PM_OK) return false;
    const bool legal = pm_config_create(quiet, model, &config) == PM_OK && pm_config_assign(config, setting) == PM_OK && model->check(config, 50) == PM_OK;
    pm_ctx_destroy(&quiet);
    return legal;
}

bool pm_model_variant(const pm_model *model, int index, char *setting, size_t size)
{
    setting[0] = 0;
    if (index == 0) return true;
    for (const pm_hyper *h = model->hypers; h && h->name; h++)
        for (const char *at = h->type == PM_HYPER_CHOICE && !pm_name_equal(h->name, "center") ? h->choices : NULL; at && *at;) {    // the host centres
            const size_t n = strcspn(at, "|");
            const bool usual = strlen(h->value) == n && strncmp(at, h->value, n) == 0;
            snprintf(setting, size, "%s=%.*s", h->name, (int)n, at);
            if (!usual && is_legal(model, setting) && --index == 0) return true;
            at += n + (at[n] == '|');
        }
    for (const char *const *s = model->proofs; s && *s; s++) {
        snprintf(setting, size, "%s", *s);
        if (--index == 0) return true;
    }
    return false;
}

// One side of the comparison.
typedef struct side {
    pm_session   *session;
    pm_evaluator *scores;
    pm_progress_state at;
} side;

static pm_status open_side(pm_ctx *ctx, const pm_session_params *params, side *s)
{
    PM_TRY(pm_session_open(ctx, params, &s->session));
    PM_TRY(pm_session_prepare_training(s->session));
    const pm_evaluator_params all = { .part = &params->split->valid, .name = "valid", .depth = params->split->train.cols };
    return pm_evaluator_create(s->session, &all, &s->scores);
}

// Puts a side at the beginning of a pass.
static pm_status begin_pass(side *s, int pass, int64_t steps)
{
    pm_session *session = s->session;
    const pm_session_pass *p = &session->pass[pass];
    const pm_state start = { .seed = session->seed, .total = p->total, .batch = p->batch };
    s->at = (pm_progress_state){ .config = session->config, .steps_per_epoch = pm_session_steps(session, 0) };
    PM_TRY(pm_session_write_schedule(session, pass, &s->at, steps));
    return pm_session_write_state(session, "state.train", &start);
}

static pm_status read_tensor(void *parent, const pm_session *s, const char *name, float **values, int64_t *count)
{
    int64_t rows = 0, cols = 0;
    *values = NULL;
    *count = 0;
    PM_REQUIRE(parent, pm_store_find(s->store, name, NULL, &rows, &cols), PM_ERR_NOT_FOUND, "the store has no tensor \"%s\"", name);
    *count = rows * cols;
    *values = pm_new_array(parent, float, *count);
    PM_CHECK_ALLOC(*values);
    return pm_store_read(s->store, name, *values);
}

static pm_status read_suffixed(void *parent, const pm_session *s, const char *name, const char *suffix, float **values, int64_t *count)
{
    char full[160];
    snprintf(full, sizeof full, "%s%s", name, suffix);
    return read_tensor(parent, s, full, values, count);
}

// ---- comparing -----------------------------------------------------------------------------------------------------

static void judge(pm_model_proof *p, double *worst, double error, const char *what, const char *name, int64_t index, double got, double want)
{
    if (isnan(error)) error = INFINITY;
    if (error > *worst) *worst = error;
    if (error <= p->error) return;
    p->error = error;
    snprintf(p->where, sizeof p->where, "%s %s[%" PRId64 "] is %.9g, ref has %.9g", what, name, index, got, want);
}

static double in_units(double got, double want, double scale)
{
    if (!isfinite(got)) return INFINITY;
    if (got == want) return 0;
    return fabs(got - want) / (UNIT * fmax(scale, 0x1p-100));
}

static double largest(const float *x, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs((double)x[i]));
    return most;
}

// What an optimiser keeps of the first gradient, which nothing has bent yet.
typedef struct trace {
    const char *suffix;
    double      by;         // the gradient is so often what is kept,
    bool        squared;    // or the root of it, without its sign
} trace;

static const trace traces[] = { [PM_ADAM] = { ".adam.m", 10, false }, [PM_ADAGRAD] = { ".adagrad.sum", 1, true }, [PM_SGD] = { ".sgd.m", 1, false } };

static const trace *trace_of(const pm_session *s)
{
    return &traces[pm_session_optimiser(s->config)];
}

// Whether an optimiser has a state of the parameter.
static bool is_optimised(const pm_session *s, int param)
{
    char name[160];
    snprintf(name, sizeof name, "%s%s", pm_net_param_name(s->net, param), trace_of(s)->suffix);
    return pm_store_find(s->store, name, NULL, NULL, NULL);
}

// How far an optimiser may carry an error of one unit of the gradient, element by element, summed over the steps: an Adam step is
// rate · m / (sqrt(v) + eps), so where a gradient is near 0 beside its tensor's largest, rounding alone may turn the step round.
// Comparing parameters by their own size would call that an error. Here the first-order bound of the step's error is the scale:
// |dm| <= (1 - beta1^t) g, |d sqrt(v)| <= sqrt(1 - beta2^t) g for an error of g in every gradient so far; for AdaGrad's
// rate · g / (sqrt(a) + eps) |d sqrt(a)| <= sqrt(t) g; for momentum |dm| <= g + momentum · g + … .
typedef struct reach {
    int      count;
    double **scale;      // [parameter][element], in units of UNIT
    double  *gradient;   // [parameter] the largest element of any gradient so far, at least the first
} reach;

static pm_status reach_create(void *parent, const pm_session *s, reach *r)
{
    r->count = pm_net_param_count(s->net);
    r->scale = pm_new_array(parent, double *, r->count);
    r->gradient = pm_new_array(parent, double, r->count);
    if (!r->scale || !r->gradient) return PM_ERR_NOMEM;
    for (int i = 0; i < r->count; i++) {
        int64_t rows = 0, cols = 0;
        pm_store_find(s->store, pm_net_param_name(s->net, i), NULL, &rows, &cols);
        r->scale[i] = pm_new_array(parent, double, rows * cols);
        PM_CHECK_ALLOC(r->scale[i]);
    }
    return PM_OK;
}

// What step t adds to the reach of an element, in sizes of the gradient: given what the optimiser keeps of it.
static double adam_reach(double rate, double m, double v, int64_t t)
{
    const double root = sqrt(v) + 1e-8;
    return rate * ((1 - pow(0.9, (double)t)) + fabs(m) / root * sqrt(1 - pow(0.999, (double)t))) / root;
}

static double adagrad_reach(double rate, double sum, int64_t t)
{
    return rate * (1 + sqrt((double)t)) / (sqrt(sum) + (double)PM_ADAGRAD_EPS);
}

static double sgd_reach(double rate, double momentum, int64_t t)
{
    double steps = 0;
    for (int64_t k = 0; k < t; k++) steps = momentum * steps + 1;
    return rate * steps;
}

// Adds step t of ref, which has just been done.
static pm_status reach_param(void *scratch, const side *ref, int pass, reach *r, int i, int64_t t)
{
    const pm_session *s = ref->session;
    const pm_optimiser_kind kind = pm_session_optimiser(s->config);
    const pm_pass *p = &s->pass[pass].what;
    const double rate = pm_optimiser_rate(kind, pm_pass_setting(s->config, p, "lr"), t), momentum = pm_pass_setting(s->config, p, "momentum");
    const char *name = pm_net_param_name(s->net, i);
    float *w, *kept, *second = NULL;
    int64_t n;
    PM_TRY(read_tensor(scratch, s, name, &w, &n));
    PM_TRY(read_suffixed(scratch, s, name, trace_of(s)->suffix, &kept, &n));
    if (kind == PM_ADAM) PM_TRY(read_suffixed(scratch, s, name, ".adam.v", &second, &n));
    // Adam's m over its weights is a mean of gradients, AdaGrad's sum holds the square of each, momentum's m is a sum: its largest element tells their size
    const double most = kind == PM_ADAGRAD ? sqrt(largest(kept, n)) : largest(kept, n) / (kind == PM_ADAM ? 1 - pow(0.9, (double)t) : 1);
    r->gradient[i] = fmax(r->gradient[i], most);
    for (int64_t k = 0; k < n; k++) {
        const double step = kind == PM_ADAM      ? adam_reach(rate, kept[k], second[k], t)
                            : kind == PM_ADAGRAD ? adagrad_reach(rate, kept[k], t)
                                                 : sgd_reach(rate, momentum, t);
        r->scale[i][k] += step * r->gradient[i] + 2 * fabs((double)w[k]);
    }
    return PM_OK;
}

static pm_status reach_step(void *parent, const side *ref, int pass, reach *r, int64_t t)
{
    void *scratch = pm_alloc(parent, 1);
    PM_CHECK_ALLOC(scratch);
    for (int i = 0; i < r->count; i++)
        if (is_optimised(ref->session, i)) PM_TRY(reach_param(scratch, ref, pass, r, i, t));
    pm_free(scratch);
    return PM_OK;
}

static pm_status prove_parameters(void *parent, const side *got, const side *want, const reach *r, pm_model_proof *p)
{
    for (int i = 0; i < pm_net_param_count(want->session->net); i++) {
        const char *name = pm_net_param_name(want->session->net, i);
        float *x, *y;
        int64_t n;
        PM_TRY(read_tensor(parent, got->session, name, &x, &n));
        PM_TRY(read_tensor(parent, want->session, name, &y, &n));
        const double most = largest(y, n);
        for (int64_t k = 0; k < n; k++)
            judge(p, &p->parameter, in_units(x[k], y[k], r && is_optimised(want->session, i) ? r->scale[i][k] : most), "parameter", name, k, x[k], y[k]);
    }
    return PM_OK;
}

// Of the first step.
static pm_status prove_gradients(void *parent, const side *got, const side *want, pm_model_proof *p)
{
    const trace *t = trace_of(want->session);
    for (int i = 0; i < pm_net_param_count(want->session->net); i++) {
        const char *name = pm_net_param_name(want->session->net, i);
        float *x, *y;
        int64_t n;
        if (!is_optimised(want->session, i)) continue;
        PM_TRY(read_suffixed(parent, got->session, name, t->suffix, &x, &n));
        PM_TRY(read_suffixed(parent, want->session, name, t->suffix, &y, &n));
        for (int64_t k = 0; k < n && t->squared; k++) x[k] = sqrtf(x[k]), y[k] = sqrtf(y[k]);
        const double most = largest(y, n);
        for (int64_t k = 0; k < n; k++)
            judge(p, &p->gradient, in_units(x[k], y[k], most), "gradient of", name, k, t->by * x[k], t->by * y[k]);
    }
    return PM_OK;
}

// A residual is rounding itself where all is well: it is relative already, so its scale is 1.
static bool is_residual(const char *loss)
{
    return pm_name_equal(loss, "residual");
}

static pm_status prove_losses(void *parent, const side *got, const side *want, int pass, int64_t steps, pm_model_proof *p)
{
    const pm_session *s = want->session;
    const pm_session_pass *logged = &s->pass[pass];
    float *x[PM_MAX_LOSSES], *y[PM_MAX_LOSSES];
    int64_t n;
    for (int i = 0; i < logged->loss_count; i++) {
        char name[96];
        snprintf(name, sizeof name, "log.%s", s->loss_name[logged->loss[i]]);
        PM_TRY(read_tensor(parent, got->session, name, &x[i], &n));
        PM_TRY(read_tensor(parent, s, name, &y[i], &n));
    }
    for (int64_t k = 0; k < steps; k++) {
        double all = 0;
        for (int i = 0; i < logged->loss_count; i++) all += is_residual(s->loss_name[logged->loss[i]]) ? 1 : fabs((double)y[i][k]);
        all = fmax(all, 0.01);    // terms of both signs may come to nothing; their rounding does not
        for (int i = 0; i < logged->loss_count; i++)
            judge(p, &p->loss, in_units(x[i][k], y[i][k], all), "loss", s->loss_name[logged->loss[i]], k, x[i][k], y[i][k]);
    }
    return PM_OK;
}

// Both sides score from the same parameters. Every item's score must be near ref's, and a list must be in order of its own
// scores, equal ones by lower id: then two lists differ only where scores are that near.
static pm_status prove_scores(void *parent, const side *got, const side *want, pm_model_proof *p)
{
    const pm_session *s = want->session;
    const uint32_t *ids[2];
    const float *scores[2];
    int64_t depth = 0;
    PM_TRY(pm_evaluator_lists(got->scores, &ids[0], &scores[0], &depth));
    PM_TRY(pm_evaluator_lists(want->scores, &ids[1], &scores[1], &depth));
    float *dense = pm_new_array(parent, float, depth);
    PM_CHECK_ALLOC(dense);
    for (int64_t u = 0; u < s->split->valid.users; u++) {
        const uint32_t *mine = ids[0] + u * depth, *theirs = ids[1] + u * depth;
        const float *z = scores[0] + u * depth, *y = scores[1] + u * depth;
        double most = 0;
        int64_t count = 0;
        for (int64_t k = 0; k < depth; k++) dense[k] = NAN;    // stays so where the item is not listed
        for (; count < depth && theirs[count] < (uint32_t)depth; count++) {
            most = fmax(most, fabs((double)y[count]));
            if (mine[count] < (uint32_t)depth) dense[mine[count]] = z[count];
            const bool ordered = count == 0 || z[count] < z[count - 1] || (z[count] == z[count - 1] && mine[count] > mine[count - 1]);
            if (!ordered) judge(p, &p->score, INFINITY, "list out of order at rank of user", "", u, z[count], y[count]);
        }
        for (int64_t k = 0; k < count; k++)
            judge(p, &p->score, in_units(dense[theirs[k]], y[k], most), "score of user", "", u, dense[theirs[k]], y[k]);
    }
    return PM_OK;
}

// ---- the proof -----------------------------------------------------------------------------------------------------

// Both sides to ref's parameters as f32, with optimisers that have seen nothing.
static pm_status even_out(void *parent, const side *got, const side *want)
{
    const pm_session *s = want->session;
    for (int i = 0; i < pm_store_count(s->store); i++) {
        const char *name = pm_store_name(s->store, i);
        const bool state = pm_is_optimiser_state(name);
        bool param = false;
        for (int k = 0; k < pm_net_param_count(s->net); k++) param = param || pm_name_equal(pm_net_param_name(s->net, k), name);
        if (!state && !param) continue;
        float *values;
        int64_t n;
        PM_TRY(read_tensor(parent, s, name, &values, &n));
        if (state) memset(values, 0, (size_t)n * sizeof *values);
        PM_TRY(pm_store_write(got->session->store, name, values));
        PM_TRY(pm_store_write(s->store, name, values));
    }
    return PM_OK;
}

static pm_status train_and_compare(void *parent, const side *got, const side *want, int pass, int64_t steps, pm_model_proof *p)
{
    pm_program *mine = got->session->pass[pass].program, *theirs = want->session->pass[pass].program;
    const int64_t parts = PM_MAX(want->session->pass[pass].what.parts, 1);
    reach r;
    PM_TRY(reach_create(parent, want->session, &r));
    PM_TRY(pm_program_run(theirs, 1));
    const double before = pm_clock();
    PM_TRY(pm_program_run(mine, 1));
    PM_TRY(prove_gradients(parent, got, want, p));
    PM_TRY(pm_program_run(mine, steps - 1));    // the others in one go, as training does
    PM_TRY(prove_losses(parent, got, want, pass, 1, p));    // waits
    p->seconds += pm_clock() - before;
    for (int64_t t = 1; t <= steps; t++) {
        if (t > 1) PM_TRY(pm_program_run(theirs, 1));
        for (int64_t k = 0; k < parts; k++) PM_TRY(reach_step(parent, want, pass, &r, t));
    }
    PM_TRY(prove_losses(parent, got, want, pass, steps, p));
    return prove_parameters(parent, got, want, &r, p);
}

// An epoch of a pass that solves.
static pm_status solve_and_compare(void *parent, const side *got, const side *want, int pass, pm_model_proof *p)
{
    const int64_t steps = want->session->pass[pass].steps;
    PM_TRY(pm_program_run(want->session->pass[pass].program, steps));
    const double before = pm_clock();
    PM_TRY(pm_program_run(got->session->pass[pass].program, steps));
    PM_TRY(prove_losses(parent, got, want, pass, PM_MIN(steps, PM_SLOTS), p));    // waits
    p->seconds += pm_clock() - before;
    return prove_parameters(parent, got, want, NULL, p);
}

// Pass after pass, each from the same parameters on both sides.
static pm_status prove_passes(void *parent, side *got, side *want, int64_t steps, pm_model_proof *p)
{
    const pm_session *s = want->session;
    for (int i = 0; i < s->pass_count; i++) {
        if (i) PM_TRY(even_out(parent, got, want));
        PM_TRY(begin_pass(got, i, steps));
        PM_TRY(begin_pass(want, i, steps));
        PM_TRY(s->pass[i].what.solve ? solve_and_compare(parent, got, want, i, p) : train_and_compare(parent, got, want, i, steps, p));
    }
    PM_TRY(even_out(parent, got, want));
    for (int i = 0; i < s->phase_count; i++) {
        PM_TRY(pm_evaluator_use(got->scores, s->phase[i].scorer));
        PM_TRY(pm_evaluator_use(want->scores, s->phase[i].scorer));
        PM_TRY(prove_scores(parent, got, want, p));
    }
    return PM_OK;
}

static pm_status prove(pm_ctx *ctx, void *scratch, const char *device, const pm_model *model, const char *setting, uint64_t seed,
                       int64_t steps, side sides[2], pm_model_proof *out)
{
    pm_split *split;
    pm_config *config;
    PM_REQUIRE(ctx, steps >= 1 && steps <= PM_SLOTS, PM_ERR_ARG, "steps = %" PRId64 " must lie in 1 to %d", steps, PM_SLOTS);
    PM_TRY(pm_model_proof_setup(scratch, model, setting, seed, &split, &config));
    pm_session_params params = { .split = split, .config = config, .device = device, .seed = seed };
    PM_TRY(open_side(ctx, &params, &sides[0]));
    params.device = "ref";
    params.double_precision = true;
    PM_TRY(open_side(ctx, &params, &sides[1]));
    return prove_passes(scratch, &sides[0], &sides[1], steps, out);
}

pm_status pm_model_prove(pm_ctx *ctx, const char *device, const pm_model *model, const char *setting, uint64_t seed, int64_t steps,
                         pm_model_proof *out)
{
    *out = (pm_model_proof){ .passed = false };
    side sides[2] = { { 0 } };
    void *scratch = pm_alloc(ctx, 1);
    PM_CHECK_ALLOC(scratch);
    const pm_status st = prove(ctx, scratch, device, model, setting, seed, steps, sides, out);
    for (int i = 0; i < 2; i++)
        if (sides[i].session) pm_session_close(&sides[i].session);
    pm_free(scratch);
    out->passed = st == PM_OK && out->error <= PM_MODEL_BOUND;
    return st;
}
