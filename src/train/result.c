// Results: the document of the command.
#include <math.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "train/trainer.h"

// The last two parts of a path: enough to know the data by, and nobody else's business where they lie.
static const char *short_path(const char *path)
{
    const char *at = path + strlen(path);
    for (int slashes = 0; at > path && slashes < 2;)
        if (*--at == '/' && ++slashes == 2) return at + 1;
    return *at == '/' ? at + 1 : at;
}

static char *describe_source(const void *parent, const pm_spec *spec)
{
    if (spec->data) return pm_strdup(parent, short_path(spec->data));
    return pm_sprintf(parent, "synthetic, made by the built-in generator from seed %" PRIu64 "; not real data", spec->synth.seed);
}

static char *describe_filters(const void *parent, const pm_filter_params *f, const pm_split_params *p)
{
    char text[256] = "";
    size_t used = 0;
    if (f->has_min_rating) used += (size_t)snprintf(text + used, sizeof text - used, "ratings of %g and above; ", f->min_rating);
    if (f->has_rating_above) used += (size_t)snprintf(text + used, sizeof text - used, "ratings above %g; ", f->rating_above);
    if (f->min_item) used += (size_t)snprintf(text + used, sizeof text - used, "items with %" PRId64 " interactions or more; ", f->min_item);
    if (f->min_user) used += (size_t)snprintf(text + used, sizeof text - used, "users with %" PRId64 " or more; ", f->min_user);
    if (f->until_stable) used += (size_t)snprintf(text + used, sizeof text - used, "until nothing changes; ");
    if (f->binarize) used += (size_t)snprintf(text + used, sizeof text - used, "every value 1; ");
    if (p->has_relevant) used += (size_t)snprintf(text + used, sizeof text - used, "to be found: ratings of %g and above; ", p->relevant);
    if (used >= 2) text[used - 2] = 0;
    return pm_strdup(parent, used ? text : "none");
}

static pm_status describe_pretrained(pm_result *r, const pm_spec *spec)
{
    if (!spec->pretrained_count) return PM_OK;
    r->pretrained = pm_new_array(r, pm_pretrained, spec->pretrained_count);
    PM_CHECK_ALLOC(r->pretrained);
    for (int i = 0; i < spec->pretrained_count; i++) {
        const pm_pretrained *p = &spec->pretrained[i];
        const pm_pretrained mine = { pm_strdup(r, p->name), pm_strdup(r, short_path(p->run)), pm_strdup(r, p->hash ? p->hash : "") };
        if (!mine.name || !mine.run || !mine.hash) return PM_ERR_NOMEM;
        r->pretrained[r->pretrained_count++] = mine;
    }
    return PM_OK;
}

pm_status pm_result_describe(pm_result *r, const pm_session *s, const pm_spec *spec, const pm_split *split)
{
    const pm_device_info *info = pm_device_get_info(s->device);
    r->model = pm_strdup(r, s->model->name);
    r->device = pm_strdup(r, info->name);
    r->backend = pm_strdup(r, info->backend);
    r->profile = pm_strdup(r, pm_device_profile(s->device));
    r->protocol = pm_strdup(r, split->protocol);
    r->select = pm_spec_select(r, spec, split);
    r->seed = spec->seed;
    r->legacy_test_selection = spec->legacy_test_selection;
    r->fixed_length = spec->fixed_length;
    if (split->test.sampled) r->ties = spec->ties;
    r->users = pm_ids_count(split->users);
    r->items = split->train.cols;
    r->interactions = split->interactions;
    r->train_users = split->train.rows;
    r->source = describe_source(r, spec);
    r->filters = describe_filters(r, &spec->filter, &spec->split);
    PM_TRY(describe_pretrained(r, spec));
    for (int i = 0; i < s->loss_count; i++) {
        r->loss_name[i] = pm_strdup(r, s->loss_name[i]);
        PM_CHECK_ALLOC(r->loss_name[i]);
        r->loss_count = i + 1;
    }
    if (!r->source || !r->filters) return PM_ERR_NOMEM;
    return r->model && r->device && r->backend && r->profile && r->protocol && r->select ? PM_OK : PM_ERR_NOMEM;
}

pm_status pm_result_add_views(pm_result *r, const pm_result_view *views, int count, bool validation)
{
    const int each = pm_metric_set_count(pm_metrics_set(views[0].users));
    pm_result_view *to = validation ? r->validation_views : r->test_views;
    pm_metric_result *values = pm_new_array(r, pm_metric_result, count * each);
    PM_CHECK_ALLOC(values);
    for (int v = 0; v < count; v++) {
        to[v] = views[v];
        pm_metrics_get_counts(to[v].users, &to[v].counts);
        for (int i = 0; i < each; i++) PM_TRY(pm_metrics_result(to[v].users, i, &values[v * each + i]));
        if (!validation && to[v].counts.tied_share > 0.01 && !strstr(to[v].name, "seen"))
            pm_log(r, PM_LOG_WARN, "%.1f %% of users have a target tied with another %s; see --ties", 100 * to[v].counts.tied_share,
                   *to[v].name ? "item, ranked among all" : "candidate");
    }
    *(validation ? &r->validation : &r->metrics) = values;
    *(validation ? &r->validation_count : &r->metric_count) = count * each;
    *(validation ? &r->validation_view_count : &r->test_view_count) = count;
    *(validation ? &r->validation_users : &r->test_users) = to[0].users;
    *(validation ? &r->validation_counts : &r->test_counts) = to[0].counts;
    return PM_OK;
}

pm_status pm_result_add(pm_result *r, pm_metrics *m, bool validation)
{
    return pm_result_add_views(r, &(pm_result_view){ .name = "", .users = m }, 1, validation);
}

const double *pm_result_values(const pm_result *r, bool validation, const char *metric, const pm_metrics **of)
{
    const pm_result_view *views = validation ? r->validation_views : r->test_views;
    for (int v = 0; v < (validation ? r->validation_view_count : r->test_view_count); v++) {
        const int i = pm_metric_set_find(pm_metrics_set(views[v].users), metric);
        *of = views[v].users;
        if (i >= 0) return pm_metrics_values(views[v].users, i);
    }
    *of = NULL;
    return NULL;
}

// ---- the document --------------------------------------------------------------------------------------------------

static bool add_number(cJSON *object, const char *key, double value)
{
    return isfinite(value) ? cJSON_AddNumberToObject(object, key, value) != NULL : cJSON_AddNullToObject(object, key) != NULL;
}

// sd: deviations over several trainings; NULL.
static bool add_metrics(cJSON *document, const char *key, const pm_metric_result *metrics, const double *sd, int count)
{
    cJSON *object = cJSON_AddObjectToObject(document, key);
    bool good = object != NULL;
    for (int i = 0; good && i < count; i++) {
        cJSON *m = cJSON_AddObjectToObject(object, metrics[i].name);
        good = m && add_number(m, "mean", metrics[i].mean) && add_number(m, "se", metrics[i].se) &&
               add_number(m, "ci95", metrics[i].ci95) && add_number(m, "n", (double)metrics[i].n) && (!sd || add_number(m, "sd", sd[i]));
    }
    return good;
}

static bool add_hyperparameters(cJSON *document, const pm_config *config)
{
    cJSON *object = cJSON_AddObjectToObject(document, "hyperparameters");
    bool good = object != NULL;
    for (const pm_hyper *h = pm_config_model(config)->hypers; good && h->name; h++) {
        switch (h->type) {
        case PM_HYPER_NUMBER:
        case PM_HYPER_INTEGER: good = add_number(object, h->name, pm_config_number(config, h->name)); break;
        case PM_HYPER_FLAG: good = cJSON_AddBoolToObject(object, h->name, pm_config_flag(config, h->name)) != NULL; break;
        case PM_HYPER_CHOICE:
        case PM_HYPER_SIZES: good = cJSON_AddStringToObject(object, h->name, pm_config_text(config, h->name)) != NULL; break;
        }
    }
    return good;
}

// The runs it began from, as config.json has them; left out where there are none.
static bool add_pretrained(cJSON *document, const pm_result *r)
{
    if (!r->pretrained_count) return true;
    cJSON *all = cJSON_AddArrayToObject(document, "pretrained");
    bool good = all != NULL;
    for (int i = 0; good && i < r->pretrained_count; i++) {
        const pm_pretrained *p = &r->pretrained[i];
        cJSON *one = cJSON_CreateObject();
        good = one && cJSON_AddItemToArray(all, one) && cJSON_AddStringToObject(one, "name", p->name) && cJSON_AddStringToObject(one, "run", p->run) &&
               cJSON_AddStringToObject(one, "hash", p->hash);
    }
    return good;
}

static bool add_excluded(cJSON *document, const pm_result *r)
{
    cJSON *object = cJSON_AddObjectToObject(document, "excluded");
    const pm_eval_part *test = &r->split->test;
    return object && add_number(object, "no_target", (double)(test->excluded_no_target + r->test_counts.excluded_no_target)) &&
           add_number(object, "no_history", (double)test->excluded_no_history) &&
           add_number(object, "unseen_targets", (double)test->unseen_targets) &&
           add_number(object, "unseen_items", (double)test->unseen_items) &&
           add_number(object, "unseen_user_targets", (double)test->unseen_user_targets) &&
           add_number(object, "unseen_users", (double)test->unseen_users) &&
           add_number(object, "dropped_candidates", (double)test->dropped_candidates) &&
           add_number(object, "short_candidates", (double)test->short_candidates) && add_number(object, "tied_times", (double)test->tied_times) &&
           add_number(object, "tied_share", r->test_counts.tied_share);
}

// Leave-one-out: how many were ranked in each way, and among how many.
static bool add_views(cJSON *document, const pm_result *r)
{
    const pm_eval_part *test = &r->split->test;
    if (!test->sampled || !r->test_view_count) return true;
    cJSON *all = cJSON_AddObjectToObject(document, "candidates");
    bool good = all != NULL && cJSON_AddStringToObject(document, "ties", pm_ties_name(r->ties)) != NULL;
    for (int v = 0; good && v < r->test_view_count; v++) {
        const pm_result_view *view = &r->test_views[v];
        const bool whole = strncmp(view->name, "all", 3) == 0;
        const int64_t known = test->input.nnz;
        const double among = whole ? (double)test->input.cols - (double)known / (double)test->users : (double)test->candidate_ptr[test->users] / (double)test->users;
        cJSON *one = cJSON_AddObjectToObject(all, !*view->name ? "sampled" : pm_name_equal(view->name, "seen") ? "sampled:seen" : view->name);
        good = one && add_number(one, "users", (double)view->counts.users) && add_number(one, "mean_candidates", among) &&
               add_number(one, "tied_share", view->counts.tied_share);
    }
    return good;
}

static bool add_row(cJSON *rows, const pm_analysis *a, int64_t r)
{
    cJSON *row = cJSON_CreateObject();
    bool good = row && cJSON_AddItemToArray(rows, row) && cJSON_AddStringToObject(row, a->row, a->label[r]);
    for (int c = 0; good && c < a->columns; c++) good = add_number(row, a->column[c], a->value[r * a->columns + c]);
    return good;
}

static bool add_analyses(cJSON *document, const pm_result *result)
{
    if (!result->analysis_count) return true;
    cJSON *all = cJSON_AddObjectToObject(document, "analysis");
    bool good = all != NULL;
    for (int k = 0; good && k < result->analysis_count; k++) {
        const pm_analysis *a = &result->analysis[k];
        cJSON *one = cJSON_AddObjectToObject(all, a->name), *rows = NULL;
        good = one && cJSON_AddStringToObject(one, "title", a->title) && cJSON_AddStringToObject(one, "paper", a->paper) &&
               (rows = cJSON_AddArrayToObject(one, "rows"));
        for (int64_t r = 0; good && r < a->rows; r++) good = add_row(rows, a, r);
    }
    return good;
}

static bool add_errors(cJSON *document, const pm_result *r)
{
    const pm_metric_result *const errors[] = { &r->prediction_error, &r->reconstruction_error };
    bool good = true;
    for (int i = 0; good && i < PM_COUNT(errors); i++) {
        cJSON *m = errors[i]->n > 0 && !r->repeat_count ? cJSON_AddObjectToObject(document, errors[i]->name) : NULL;
        if (!m) continue;
        good = add_number(m, "mean", errors[i]->mean) && add_number(m, "se", errors[i]->se) && add_number(m, "ci95", errors[i]->ci95) &&
               add_number(m, "n", (double)errors[i]->n);
    }
    return good;
}

static bool add_repeats(cJSON *document, const pm_result *r)
{
    if (!r->repeat_count) return true;
    cJSON *all = cJSON_AddArrayToObject(document, "repeats");
    bool good = all != NULL;
    for (int i = 0; good && i < r->repeat_count; i++) {
        cJSON *one = cJSON_Parse(r->repeats[i].document);
        good = one && cJSON_AddItemToArray(all, one);
    }
    return good;
}

static bool fill_document(cJSON *d, const pm_result *r)
{
    cJSON *data;
    return cJSON_AddStringToObject(d, "model", r->model) && cJSON_AddStringToObject(d, "device", r->device) &&
           cJSON_AddStringToObject(d, "backend", r->backend) && cJSON_AddStringToObject(d, "profile", r->profile) &&
           cJSON_AddNumberToObject(d, "seed", (double)r->seed) && cJSON_AddStringToObject(d, "protocol", r->protocol) &&
           cJSON_AddBoolToObject(d, "refit", r->refit) && cJSON_AddBoolToObject(d, "legacy_test_selection", r->legacy_test_selection) &&
           cJSON_AddBoolToObject(d, "fixed_length", r->fixed_length) && (data = cJSON_AddObjectToObject(d, "data")) &&
           add_number(data, "users", (double)r->users) && add_number(data, "items", (double)r->items) &&
           add_number(data, "interactions", (double)r->interactions) && add_number(data, "train_users", (double)r->train_users) &&
           add_hyperparameters(d, r->config) && add_pretrained(d, r) && cJSON_AddStringToObject(d, "select", r->select) &&
           add_number(d, "epochs", (double)r->epochs) && add_number(d, "best_epoch", (double)r->best_epoch) &&
           add_number(d, "steps", (double)r->steps) && add_number(d, "train_seconds", r->train_seconds) &&
           add_number(d, "eval_seconds", r->eval_seconds) && add_number(d, "peak_device_memory", (double)r->peak_device_memory) &&
           (r->repeat_count || (add_excluded(d, r) && add_views(d, r))) && add_metrics(d, "validation", r->validation, r->validation_sd, r->validation_count) &&
           add_metrics(d, "metrics", r->metrics, r->metrics_sd, r->metric_count) && add_errors(d, r) && add_analyses(d, r) && add_repeats(d, r);
}

pm_status pm_result_json(const void *parent, const pm_result *result, char **json)
{
    *json = NULL;
    cJSON *document = cJSON_CreateObject();
    char *text = document && fill_document(document, result) ? cJSON_Print(document) : NULL;
    cJSON_Delete(document);
    PM_REQUIRE(parent, text, PM_ERR_NOMEM, "no memory for the result document");
    *json = pm_strdup(parent, text);
    cJSON_free(text);
    return *json ? PM_OK : PM_ERR_NOMEM;
}

void pm_result_destroy(pm_result **result)
{
    if (!result) return;
    pm_free(*result);
    *result = NULL;
}
