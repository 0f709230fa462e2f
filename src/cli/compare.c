// compare: runs, or models trained here, on the same users: means, paired tests, breakdown by activity.
#include <math.h>
#include <sys/stat.h>

#include "cli/cli.h"

enum { GROUPS = 5, MAX_RUNS = 32 };

typedef struct contest {
    pm_cli     *cli;
    int         count;
    const char *name[MAX_RUNS];      // as it was given
    const char *label[MAX_RUNS];     // without the folder that all lie in, or what sets it apart
    const char *shown[MAX_RUNS];     // the label, marked where its epoch was chosen on the test part
    pm_result  *result[MAX_RUNS];
    int64_t    *activity;            // [users of the metrics] known items of each
    const char *quintiles;           // the metric to break down; NULL
} contest;

static bool on_validation(const contest *c)
{
    return pm_cli_has(c->cli, "part") && pm_name_equal(pm_cli_text(c->cli, "part"), "validation");
}

static pm_metrics *users_of(const contest *c, int run)
{
    return on_validation(c) ? c->result[run]->validation_users : c->result[run]->test_users;
}

// ---- getting results -----------------------------------------------------------------------------------------------

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static const pm_model *find_model(const char *name)
{
    for (int i = 0; i < pm_model_count(); i++)
        if (pm_name_equal(pm_model_at(i)->name, name)) return pm_model_at(i);
    return NULL;
}

static pm_status unknown_entry(pm_cli *cli, const char *entry)
{
    char *name = pm_strdup(cli->ctx, entry);
    PM_CHECK_ALLOC(name);
    name[strcspn(name, ":")] = 0;
    const char **names = pm_new_array(cli->ctx, const char *, pm_model_count());
    PM_CHECK_ALLOC(names);
    for (int i = 0; i < pm_model_count(); i++) names[i] = pm_model_at(i)->name;
    const char *near = pm_nearest_name(name, names, pm_model_count()), *list = pm_cli_join(cli->ctx, names, pm_model_count());
    PM_CHECK_ALLOC(list);
    return pm_fail(cli->ctx, PM_ERR_NOT_FOUND, "\"%s\" is neither a run folder nor a model%s%s%s; the models are: %s", name,
                   near ? "; did you mean \"" : "", near ? near : "", near ? "\"" : "", list);
}

// The model that an entry names; NULL.
static const pm_model *entry_model(const char *entry)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)PM_MIN(strcspn(entry, ":"), sizeof name - 1), entry);
    return find_model(name);
}

static bool has_hyper(const pm_model *model, const char *setting)
{
    const size_t length = strcspn(setting, "=");
    for (const pm_hyper *h = model ? model->hypers : NULL; h && h->name; h++)
        if (strlen(h->name) == length && strncmp(h->name, setting, length) == 0) return true;
    return false;
}

// A common setting concerns the models that have it; one that none has goes to all, for the complaint it deserves.
static bool concerns(const contest *c, int run, const char *setting)
{
    bool any = false;
    for (int i = 0; i < c->count; i++) any = any || (!is_folder(c->name[i]) && has_hyper(entry_model(c->name[i]), setting));
    return !any || has_hyper(entry_model(c->name[run]), setting);
}

// "MODEL:name=value:name=value": the common settings, then its own; preset=NAME among them is a preset.
static pm_status train_entry(contest *c, int run)
{
    pm_cli *cli = c->cli;
    const char **pieces;
    int count;
    pm_spec spec;
    PM_TRY(pm_cli_cut(cli->ctx, c->name[run], ':', &pieces, &count));
    PM_TRY(pm_cli_spec(cli, &spec));
    spec.model = pieces[0];
    const char **settings = pm_new_array(cli->ctx, const char *, spec.setting_count + count);
    PM_CHECK_ALLOC(settings);
    int kept = 0;
    for (int i = 0; i < spec.setting_count; i++)
        if (concerns(c, run, spec.settings[i])) settings[kept++] = spec.settings[i];
    for (int i = 1; i < count; i++) {
        if (strncmp(pieces[i], "preset=", 7) == 0) spec.preset = pieces[i] + 7;
        else settings[kept++] = pieces[i];
    }
    spec.settings = settings;
    spec.setting_count = kept;
    const char *folder = pm_cli_text(cli, "output"), *run_folder = NULL;
    if (folder) {
        run_folder = pm_sprintf(cli->ctx, "%s/%s", folder, c->name[run]);
        PM_CHECK_ALLOC(run_folder);
    }
    if (!pm_cli_has(cli, "quiet")) pm_terminal_log(&cli->terminal, PM_LOG_INFO, c->name[run]);
    if (!pm_cli_has(cli, "report")) return pm_train(cli->ctx, &spec, run_folder, &c->result[run]);
    return pm_report_train(cli->ctx, &spec, run_folder, on_validation(c), &c->result[run]);
}

static pm_status evaluate_entry(contest *c, int run)
{
    pm_cli *cli = c->cli;
    const pm_evaluate_params params = {
        .run = c->name[run],
        .data = pm_cli_text(cli, "data"),
        .metrics = pm_cli_text(cli, "metrics"),
        .device = pm_cli_text(cli, "device"),
        .candidates = pm_cli_text(cli, "candidates"),
        .ties = pm_cli_text(cli, "ties"),
        .validation = on_validation(c),
    };
    return (pm_cli_has(cli, "report") ? pm_report_evaluate : pm_evaluate)(cli->ctx, &params, &c->result[run]);
}

// ---- the same users ------------------------------------------------------------------------------------------------

static const pm_eval_part *part_of(const contest *c, int run)
{
    const pm_split *split = c->result[run]->split;
    return users_of(c, run) == c->result[run]->validation_users ? &split->valid : &split->test;
}

static int64_t counted_users(const pm_metrics *metrics)
{
    pm_metrics_counts counts;
    pm_metrics_get_counts(metrics, &counts);
    return counts.users;
}

static pm_status check_users(const contest *c, int run)
{
    pm_ctx *ctx = c->cli->ctx;
    const pm_metrics *a = users_of(c, 0), *b = users_of(c, run);
    static const char remedy[] = "compare runs on the same data, filters, --protocol and --split-seed";
    PM_REQUIRE(ctx, a && b, PM_ERR_ARG, "%s and %s have no values of each user to compare", c->name[0], c->name[run]);
    const int64_t n = counted_users(a);
    PM_REQUIRE(ctx, n == counted_users(b), PM_ERR_ARG, "%s was evaluated on %" PRId64 " users and %s on %" PRId64 "; %s", c->name[0], n,
               c->name[run], counted_users(b), remedy);
    const int64_t *ua = pm_metrics_users(a), *ub = pm_metrics_users(b);
    for (int64_t i = 0; i < n; i++) {
        const char *na = pm_ids_name(c->result[0]->split->users, ua[i]), *nb = pm_ids_name(c->result[run]->split->users, ub[i]);
        PM_REQUIRE(ctx, na && nb && pm_name_equal(na, nb), PM_ERR_ARG, "%s and %s were evaluated on other users (the first that differ: %s, %s); %s",
                   c->name[0], c->name[run], na ? na : "?", nb ? nb : "?", remedy);
    }
    PM_REQUIRE(ctx, c->result[0]->ties == c->result[run]->ties, PM_ERR_ARG, "%s ranks tied targets by the rule %s and %s by %s; give --ties for both", c->name[0],
               pm_ties_name(c->result[0]->ties), c->name[run], pm_ties_name(c->result[run]->ties));
    if (pm_split_hash(c->result[0]->split) != pm_split_hash(c->result[run]->split))
        pm_log(ctx, PM_LOG_WARN, "%s and %s have the same users but not the same training or target items", c->name[0], c->name[run]);
    return PM_OK;
}

static pm_status measure_activity(contest *c)
{
    const pm_eval_part *part = part_of(c, 0);
    const int64_t n = counted_users(users_of(c, 0)), *users = pm_metrics_users(users_of(c, 0));
    int64_t *known = pm_new_array(c->cli->ctx, int64_t, pm_ids_count(c->result[0]->split->users));
    c->activity = pm_new_array(c->cli->ctx, int64_t, n);
    if (!known || !c->activity) return PM_ERR_NOMEM;
    for (int64_t i = 0; i < part->users; i++) known[part->user[i]] = part->input.indptr[i + 1] - part->input.indptr[i];
    for (int64_t i = 0; i < n; i++) c->activity[i] = known[users[i]];
    return PM_OK;
}

// ---- numbers -------------------------------------------------------------------------------------------------------

// The metrics of a run on the part, of all its views.
static const pm_metric_result *metrics_of(const contest *c, int run, int *count)
{
    const pm_result *r = c->result[run];
    *count = on_validation(c) ? r->validation_count : r->metric_count;
    return on_validation(c) ? r->validation : r->metrics;
}

static int metric_count(const contest *c)
{
    int count;
    metrics_of(c, 0, &count);
    return count;
}

static const char *metric_name(const contest *c, int index)
{
    int count;
    return metrics_of(c, 0, &count)[index].name;
}

// A run's values of each user, and whose they are; NULL.
static const double *values_of(const contest *c, int run, const char *metric, const pm_metrics **of)
{
    return pm_result_values(c->result[run], on_validation(c), metric, of);
}

// The paired test of run against the first; false where the metric has no values of the same users.
static bool paired_test(const contest *c, int run, const char *metric, pm_paired_test *out)
{
    const pm_metrics *x, *y;
    const double *a = values_of(c, 0, metric, &x), *b = values_of(c, run, metric, &y);
    if (!a || !b || counted_users(x) != counted_users(y)) return false;
    const int64_t *ua = pm_metrics_users(x), *ub = pm_metrics_users(y), n = counted_users(x);
    for (int64_t i = 0; x != users_of(c, 0) && i < n; i++)    // the first view's were compared by name
        if (ua[i] != ub[i]) return false;
    pm_paired_t_test(b, a, n, out);
    return true;
}

static bool metric_of(const contest *c, int run, const char *name, pm_metric_result *out)
{
    int count;
    const pm_metric_result *all = metrics_of(c, run, &count);
    for (int i = 0; i < count; i++) {
        if (!pm_name_equal(all[i].name, name)) continue;
        *out = all[i];
        return true;
    }
    return false;
}

// Groups of the first run against `run` (or alone): out [GROUPS].
static pm_status break_down(const contest *c, int run, pm_activity_group *out)
{
    const pm_metrics *x = NULL, *y = NULL;
    const double *a = values_of(c, 0, c->quintiles, &x), *b = values_of(c, run, c->quintiles, &y);
    PM_REQUIRE(c->cli->ctx, a && b && counted_users(x) == counted_users(users_of(c, 0)) && counted_users(y) == counted_users(x), PM_ERR_ARG, "--quintiles %s: the metric is not among those evaluated, or has no value of each user",
               c->quintiles);
    PM_TRY(pm_activity_breakdown(c->cli->ctx, c->activity, a, run ? b : NULL, counted_users(users_of(c, 0)), GROUPS, out));
    for (int g = 0; g < GROUPS; g++) {
        pm_metric_of_values(c->quintiles, &out[g].a);
        pm_metric_of_values(c->quintiles, &out[g].b);
    }
    return PM_OK;
}

// Metrics that only the report asked for stay there.
static bool is_shown(const contest *c, const char *metric)
{
    const char *asked = pm_cli_text(c->cli, "metrics");
    return !pm_cli_has(c->cli, "report") || strncmp(metric, "tail_", 5) != 0 || (asked && strstr(asked, metric));
}

// ---- for people ----------------------------------------------------------------------------------------------------

static pm_status show_means(const contest *c)
{
    char align[MAX_RUNS + 2] = "l";
    memset(align + 1, 'r', (size_t)c->count);
    pm_grid *grid;
    PM_TRY(pm_grid_create(c->cli->ctx, align, &grid));
    pm_grid_cell(grid, "metric");
    for (int r = 0; r < c->count; r++) pm_grid_cell(grid, "%s", c->shown[r]);
    for (int i = 0; i < metric_count(c); i++) {
        const char *name = metric_name(c, i);
        if (!is_shown(c, name)) continue;
        pm_grid_cell(grid, "%s", name);
        for (int r = 0; r < c->count; r++) {
            pm_metric_result m;
            pm_paired_test test = { .p = NAN };
            const bool known = metric_of(c, r, name, &m);
            if (r) paired_test(c, r, name, &test);
            char *text = pm_cli_mean(grid, known ? &m : NULL);
            PM_CHECK_ALLOC(text);
            pm_grid_cell(grid, "%s %-3s", text, pm_stars(test.p));
        }
    }
    return pm_grid_print(&grid, true);
}

static pm_status show_tests(const contest *c)
{
    pm_grid *grid;
    PM_TRY(pm_grid_create(c->cli->ctx, "llrrrrl", &grid));
    static const char *const heads[] = { "metric", "run", "difference", "t", "p", "n", "" };
    for (int i = 0; i < PM_COUNT(heads); i++) pm_grid_cell(grid, "%s", heads[i]);
    for (int i = 0; i < metric_count(c); i++)
        for (int r = 1; r < c->count; r++) {
            pm_paired_test t;
            if (!is_shown(c, metric_name(c, i)) || !paired_test(c, r, metric_name(c, i), &t)) continue;
            pm_grid_cell(grid, "%s%s", metric_name(c, i), pm_name_equal(metric_name(c, i), "rmse") ? ", squares" : "");
            pm_grid_cell(grid, "%s", c->shown[r]);
            pm_grid_cell(grid, "%+.4f ± %.4f", t.difference, t.ci95);
            pm_grid_cell(grid, "%.2f", t.t);
            pm_grid_cell(grid, "%.2g", t.p);
            pm_grid_cell(grid, "%" PRId64, t.n);
            pm_grid_cell(grid, "%s", pm_stars(t.p));
        }
    printf("\nPaired t-tests against %s, on the same users (* p < .05, ** p < .01, *** p < .001; ± half a 95 %% interval)\n", c->shown[0]);
    return pm_grid_print(&grid, true);
}

static pm_status show_quintiles(const contest *c)
{
    pm_activity_group groups[MAX_RUNS][GROUPS];
    for (int r = 0; r < c->count; r++) PM_TRY(break_down(c, r, groups[r]));
    char align[MAX_RUNS + 4] = "lr";
    memset(align + 2, 'r', (size_t)c->count);
    pm_grid *grid;
    PM_TRY(pm_grid_create(c->cli->ctx, align, &grid));
    pm_grid_cell(grid, "known items");
    pm_grid_cell(grid, "users");
    for (int r = 0; r < c->count; r++) pm_grid_cell(grid, "%s", c->shown[r]);
    for (int g = 0; g < GROUPS; g++) {
        const pm_activity_group *first = &groups[0][g];
        pm_grid_cell(grid, "%" PRId64 " to %" PRId64, first->least, first->most);
        pm_grid_cell(grid, "%" PRId64, first->a.n);
        pm_grid_cell(grid, "%.4f ± %.4f    ", first->a.mean, first->a.se);
        for (int r = 1; r < c->count; r++)
            pm_grid_cell(grid, "%.4f ± %.4f %-3s", groups[r][g].b.mean, groups[r][g].b.se, pm_stars(groups[r][g].test.p));
    }
    printf("\n%s by quintile of activity (± one standard error; stars: paired t-test against %s in the group)\n", c->quintiles, c->shown[0]);
    return pm_grid_print(&grid, true);
}

// ---- for programs --------------------------------------------------------------------------------------------------

static void add_number(cJSON *json, const char *name, double value)
{
    if (isfinite(value)) cJSON_AddNumberToObject(json, name, value);
    else cJSON_AddNullToObject(json, name);
}

static void add_test(cJSON *to, const char *name, const pm_paired_test *t)
{
    cJSON *json = cJSON_AddObjectToObject(to, name);
    add_number(json, "difference", t->difference);
    add_number(json, "se", t->se);
    add_number(json, "ci95", t->ci95);
    add_number(json, "t", t->t);
    add_number(json, "df", t->df);
    add_number(json, "p", t->p);
    add_number(json, "n", (double)t->n);
}

static void add_metric(cJSON *to, const char *name, const pm_metric_result *m)
{
    cJSON *json = cJSON_AddObjectToObject(to, name);
    add_number(json, "mean", m->mean);
    add_number(json, "se", m->se);
    add_number(json, "ci95", m->ci95);
    add_number(json, "n", (double)m->n);
}

static cJSON *run_json(const contest *c, int run)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", c->name[run]);
    cJSON_AddStringToObject(json, "model", c->result[run]->model);
    cJSON_AddBoolToObject(json, "refit", c->result[run]->refit);
    cJSON_AddBoolToObject(json, "legacy_test_selection", c->result[run]->legacy_test_selection);
    cJSON *metrics = cJSON_AddObjectToObject(json, "metrics"), *tests = run ? cJSON_AddObjectToObject(json, "against_first") : NULL;
    for (int i = 0; i < metric_count(c); i++) {
        const char *name = metric_name(c, i);
        pm_metric_result m;
        pm_paired_test t;
        if (!is_shown(c, name)) continue;
        if (metric_of(c, run, name, &m)) add_metric(metrics, name, &m);
        if (run && paired_test(c, run, name, &t)) add_test(tests, name, &t);
    }
    return json;
}

static pm_status print_json(const contest *c)
{
    pm_activity_group groups[GROUPS];
    cJSON *json = cJSON_CreateObject(), *runs = cJSON_AddArrayToObject(json, "runs");
    cJSON_AddStringToObject(json, "first", c->name[0]);
    if (c->quintiles) cJSON_AddStringToObject(json, "quintiles", c->quintiles);
    for (int r = 0; r < c->count; r++) {
        cJSON *run = run_json(c, r);
        cJSON_AddItemToArray(runs, run);
        if (!c->quintiles) continue;
        const pm_status st = break_down(c, r, groups);
        if (st != PM_OK) {
            cJSON_Delete(json);
            return st;
        }
        cJSON *list = cJSON_AddArrayToObject(run, "quintiles");
        for (int g = 0; g < GROUPS; g++) {
            cJSON *one = cJSON_CreateObject();
            add_number(one, "least", (double)groups[g].least);
            add_number(one, "most", (double)groups[g].most);
            add_metric(one, "value", r ? &groups[g].b : &groups[g].a);
            const pm_paired_test *t = &groups[g].test;
            // the library tests the first against this one; the document has it the other way round, as above
            if (r) add_test(one, "against_first", &(pm_paired_test){ t->mean_b, t->mean_a, -t->difference, t->se, t->ci95, -t->t, t->df, t->p, t->n });
            cJSON_AddItemToArray(list, one);
        }
    }
    return pm_cli_print_json(c->cli, json);
}

// ---- the command ---------------------------------------------------------------------------------------------------

static size_t without_slashes(const char *name)
{
    size_t length = strlen(name);
    while (length > 1 && name[length - 1] == '/') length--;
    return length;
}

// How much of the names is the folder that all runs lie in, which says nothing of what differs.
static size_t shared_folder(const contest *c)
{
    size_t same = c->count > 1 ? without_slashes(c->name[0]) : 0;
    for (int i = 0; i < c->count; i++) {
        const size_t length = without_slashes(c->name[i]);
        size_t n = 0;
        while (n < same && n < length && c->name[i][n] == c->name[0][n]) n++;
        same = is_folder(c->name[i]) ? n : 0;
    }
    while (same && c->name[0][same - 1] != '/') same--;
    return same;
}

// Runs of sweeps have numbers for names.
static pm_status is_of_sweep(const contest *c, int run, bool *out)
{
    struct stat info;
    char *sweep = pm_sprintf(c->cli->ctx, "%s/../../sweep.json", c->name[run]);
    PM_CHECK_ALLOC(sweep);
    *out = is_folder(c->name[run]) && stat(sweep, &info) == 0;
    pm_free(sweep);
    return PM_OK;
}

static pm_status append_setting(const contest *c, const char *name, const char *value, const char **text)
{
    char *longer = pm_sprintf(c->cli->ctx, "%s%s%s=%s", *text, **text ? " " : "", name, value);
    PM_CHECK_ALLOC(longer);
    *text = longer;
    return PM_OK;
}

// Where all are runs of one model out of sweeps, and each has settings of its own: those in which they differ.
static pm_status label_by_settings(contest *c, bool *done)
{
    const char *text[MAX_RUNS];
    const pm_model *model = pm_config_model(c->result[0]->config);
    *done = c->count > 1;
    for (int i = 0; i < c->count && *done; i++) {
        PM_TRY(is_of_sweep(c, i, done));
        *done = *done && pm_config_model(c->result[i]->config) == model;
        text[i] = "";
    }
    if (!*done) return PM_OK;
    for (const pm_hyper *h = model->hypers; h->name; h++) {
        bool same = true;
        for (int i = 1; i < c->count; i++) same = same && pm_name_equal(pm_config_text(c->result[i]->config, h->name), pm_config_text(c->result[0]->config, h->name));
        for (int i = 0; i < c->count && !same; i++) PM_TRY(append_setting(c, h->name, pm_config_text(c->result[i]->config, h->name), &text[i]));
    }
    bool one_seed = true;
    for (int i = 1; i < c->count; i++) one_seed = one_seed && c->result[i]->seed == c->result[0]->seed;
    for (int i = 0; i < c->count && !one_seed; i++) {
        char seed[24];
        snprintf(seed, sizeof seed, "%" PRIu64, c->result[i]->seed);
        PM_TRY(append_setting(c, "seed", seed, &text[i]));
    }
    for (int i = 0; i < c->count; i++)
        for (int k = 0; k < i; k++) *done = *done && !pm_name_equal(text[i], text[k]);
    if (*done) memcpy(c->label, text, sizeof *text * (size_t)c->count);
    return PM_OK;
}

// Names as people are shown them. A figure that was chosen on the test part never stands unmarked beside others.
static pm_status label_entries(contest *c)
{
    const size_t folder = shared_folder(c);
    bool by_settings;
    PM_TRY(label_by_settings(c, &by_settings));
    for (int i = 0; i < c->count; i++) {
        if (!by_settings) c->label[i] = pm_sprintf(c->cli->ctx, "%.*s", (int)(without_slashes(c->name[i]) - folder), c->name[i] + folder);
        PM_CHECK_ALLOC(c->label[i]);
        c->shown[i] = c->result[i]->legacy_test_selection ? pm_sprintf(c->cli->ctx, "%s †", c->label[i]) : c->label[i];
        PM_CHECK_ALLOC(c->shown[i]);
    }
    return PM_OK;
}

static void explain_mark(const contest *c)
{
    bool any = false;
    for (int i = 0; i < c->count; i++) any = any || c->result[i]->legacy_test_selection;
    if (any) printf("\n† epoch chosen on the test set (--legacy-test-selection), as much published work does: these figures flatter the model\n");
}

static pm_status collect(contest *c)
{
    pm_cli *cli = c->cli;
    PM_REQUIRE(cli->ctx, cli->operand_count <= MAX_RUNS, PM_ERR_ARG, "compare takes at most %d runs; %d are given", MAX_RUNS, cli->operand_count);
    c->count = cli->operand_count;
    for (int i = 0; i < c->count; i++) {
        c->name[i] = cli->operand[i];
        if (!is_folder(c->name[i]) && !entry_model(c->name[i])) return unknown_entry(cli, c->name[i]);
    }
    for (int i = 0; i < c->count; i++) PM_TRY(is_folder(c->name[i]) ? evaluate_entry(c, i) : train_entry(c, i));
    for (int i = 1; i < c->count; i++) PM_TRY(check_users(c, i));
    return label_entries(c);
}

static pm_status write_report(const contest *c)
{
    pm_report_entry entries[MAX_RUNS];
    for (int i = 0; i < c->count; i++) entries[i] = (pm_report_entry){ c->label[i], c->result[i] };
    const pm_report_params params = {
        .path = pm_cli_text(c->cli, "report"),
        .command = c->cli->line,
        .entries = entries,
        .count = c->count,
        .validation = on_validation(c),
        .quintiles = c->quintiles,
    };
    PM_TRY(pm_report_write(c->cli->ctx, &params));
    pm_log(c->cli->ctx, PM_LOG_INFO, "wrote %s", params.path);
    return PM_OK;
}

static pm_status run_compare(pm_cli *cli)
{
    contest c = { .cli = cli, .quintiles = pm_cli_text(cli, "quintiles") };
    PM_TRY(collect(&c));
    PM_REQUIRE(cli->ctx, users_of(&c, 0), PM_ERR_ARG, "%s has no values of each user to compare", c.name[0]);
    if (c.quintiles) PM_TRY(measure_activity(&c));
    if (pm_cli_has(cli, "report")) PM_TRY(write_report(&c));
    if (pm_cli_has(cli, "json")) return print_json(&c);
    PM_TRY(show_means(&c));
    PM_TRY(show_tests(&c));
    if (c.quintiles) PM_TRY(show_quintiles(&c));
    pm_cli_explain_views(c.result[0]);
    explain_mark(&c);
    return PM_OK;
}

static const pm_option_group compare_group = { "Comparison", (const pm_option[]){
    PM_TEXT("quintiles", 0, "METRIC", "also break a metric down by quintile of the users' activity (Mult-VAE, Figure 3)"),
    PM_CHOICE("part", 0, "PART", "test|validation", "which part to compare on. Default: test"),
    PM_TEXT("output", 'o', "DIR", "folder to save the runs of models trained here into"),
    PM_TEXT("report", 0, "FILE", "also write all of it as one HTML file: tables, tests, curves, activity, popularity (figures want gnuplot)"),
    { 0 } } };

const pm_cli_command pm_cli_compare = {
    .name = "compare", .operands = "RUN|MODEL[:NAME=VALUE]… … [OPTION]…",
    .summary = "Compares runs, or models that it trains first, on the same users: table and paired t-tests against the first.",
    .text = "A model is given with settings of its own after colons, preset=NAME among them. Options of training concern models alone.",
    .examples = "compare run-dae run-vae --quintiles ndcg@100 --report report.html\n"
                "compare item-pop mult-dae mult-vae:beta_cap=0.4 --data ratings.dat --rating-above 3.5 --epochs 50",
    .least = 1, .most = -1, .computes = true, .hypers = true, .run = run_compare,
    .groups = (const pm_option_group *const[]){ &compare_group, &pm_group_model, &pm_group_read, &pm_group_filter, &pm_group_split,
                                                &pm_group_choose, &pm_group_device, &pm_group_common, NULL },
};
