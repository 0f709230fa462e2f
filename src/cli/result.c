// A result for people: what was trained on what, for how long, and the metrics with their intervals.
#include <math.h>

#include "cli/cli.h"

static const double tied_share_worth_telling = 0.01;

char *pm_cli_mean(const void *parent, const pm_metric_result *metric)
{
    if (!metric) return pm_strdup(parent, "");
    if (!isfinite(metric->mean)) return pm_strdup(parent, "none");
    if (!isfinite(metric->ci95)) return pm_sprintf(parent, "%.4f", metric->mean);
    return pm_sprintf(parent, "%.4f ± %.4f", metric->mean, metric->ci95);
}

// Errors of predicted ratings are counted by ratings.
static bool is_of_ratings(const pm_result *r)
{
    const pm_metrics *m = r->test_users ? r->test_users : r->validation_users;
    return m && pm_metric_set_count(pm_metrics_set(m)) > 0 && pm_metric_set_info(pm_metrics_set(m), 0)->kind == PM_METRIC_RATING;
}

static const pm_metric_result *find_metric(const pm_metric_result *all, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (pm_name_equal(all[i].name, name)) return &all[i];
    return NULL;
}

// "0.8612 ± 0.0031": mean and deviation over several trainings.
static void spread_cell(pm_grid *grid, const pm_metric_result *all, const double *sd, int count, const char *name)
{
    const pm_metric_result *metric = find_metric(all, count, name);
    if (metric) pm_grid_cell(grid, "%.4f ± %.4f", metric->mean, sd[metric - all]);
    else pm_grid_cell(grid, "%s", "");
}

static pm_status show_repeats(const pm_cli *cli, const pm_result *r)
{
    const bool validated = r->validation_count > 0;
    pm_grid *grid;
    const pm_metric_result *rows = r->metric_count ? r->metrics : r->validation;
    const int count = r->metric_count ? r->metric_count : r->validation_count;
    PM_TRY(pm_grid_create(cli->ctx, validated && r->metric_count ? "lrrr" : "lrr", &grid));
    pm_grid_cell(grid, "metric");
    if (validated) pm_grid_cell(grid, "validation");
    if (r->metric_count) pm_grid_cell(grid, r->legacy_test_selection ? "test, which chose the epoch" : "test");
    pm_grid_cell(grid, "n");
    for (int i = 0; i < count; i++) {
        pm_grid_cell(grid, "%s", rows[i].name);
        if (validated) spread_cell(grid, r->validation, r->validation_sd, r->validation_count, rows[i].name);
        if (r->metric_count) spread_cell(grid, r->metrics, r->metrics_sd, r->metric_count, rows[i].name);
        pm_grid_cell(grid, "%" PRId64, rows[i].n);
    }
    printf("\n");
    PM_TRY(pm_grid_print(&grid, true));
    printf("± is the deviation over the %d trainings, each on another split\n", r->repeat_count);
    if (r->run) printf("\nSaved in %s, a run each; such as: %s evaluate %s\n", r->run, cli->program, r->repeats[0].run);
    return PM_OK;
}

void pm_cli_explain_views(const pm_result *r)
{
    const bool test = r->test_view_count > 0;
    const pm_result_view *views = test ? r->test_views : r->validation_views;
    bool all = false, seen = false;
    for (int v = 0; v < (test ? r->test_view_count : r->validation_view_count); v++) {
        all = all || strncmp(views[v].name, "all", 3) == 0;
        seen = seen || strstr(views[v].name, "seen");
    }
    if (all) printf(":all ranks the target among all items that are not known, the others among sampled or given candidates\n");
    if (seen) printf(":seen leaves out the users whose target nobody has in training\n");
    if (r->ties != PM_TIES_EXPECTED) printf("Tied targets rank by the rule %s (--ties), not at their expected place\n", pm_ties_name(r->ties));
}

static pm_status show_metrics(pm_cli *cli, const pm_result *r)
{
    const bool tested = r->metric_count > 0, validated = r->validation_count > 0;
    const pm_metric_result *rows = tested ? r->metrics : r->validation;
    const int count = tested ? r->metric_count : r->validation_count;
    if (!count) return PM_OK;
    pm_grid *grid;
    PM_TRY(pm_grid_create(cli->ctx, tested && validated ? "lrrr" : "lrr", &grid));
    pm_grid_cell(grid, "metric");
    if (validated) pm_grid_cell(grid, "validation");
    if (tested) pm_grid_cell(grid, r->legacy_test_selection ? "test, which chose the epoch" : "test");
    pm_grid_cell(grid, "n");
    for (int i = 0; i < count; i++) {
        pm_grid_cell(grid, "%s", rows[i].name);
        for (int part = 0; part < 2; part++) {
            if (part ? !tested : !validated) continue;
            const pm_metric_result *m = part ? &rows[i] : find_metric(r->validation, r->validation_count, rows[i].name);
            char *text = pm_cli_mean(grid, m);
            PM_CHECK_ALLOC(text);
            pm_grid_cell(grid, "%s", text);
        }
        pm_grid_cell(grid, "%" PRId64, rows[i].n);
    }
    printf("\n");
    PM_TRY(pm_grid_print(&grid, true));
    printf("± is half a 95 %% interval over %s\n", is_of_ratings(r) ? "ratings" : "users");
    pm_cli_explain_views(r);
    return PM_OK;
}

static void show_ratings(const char *name, const pm_eval_part *part, const pm_metrics_counts *counts)
{
    printf("%-12s %" PRId64 " ratings of %" PRId64 " users", name, counts->users, part->users);
    if (part->unseen_user_targets || part->unseen_targets)
        printf("; %" PRId64 " are of %" PRId64 " users and %" PRId64 " of %" PRId64 " items without training ratings: predicted by means alone",
               part->unseen_user_targets, part->unseen_users, part->unseen_targets, part->unseen_items);
    printf("\n");
}

static void show_part(const char *name, const pm_eval_part *part, const pm_metrics_counts *counts)
{
    const int64_t nothing = part->excluded_no_target + counts->excluded_no_target;
    printf("%-12s %" PRId64 " users", name, counts->users);
    if (nothing) printf("; %" PRId64 " left out, with nothing to find", nothing);
    if (part->excluded_no_history) printf("; %" PRId64 " left out, of whom nothing is known", part->excluded_no_history);
    if (part->unseen_targets)
        printf("; %" PRId64 " targets are %" PRId64 " items never seen in training", part->unseen_targets, part->unseen_items);
    if (part->dropped_candidates) printf("; %" PRId64 " repeated candidates dropped", part->dropped_candidates);
    if (part->short_candidates) printf("; %" PRId64 " with fewer candidates than asked for", part->short_candidates);
    if (part->tied_times) printf("; %" PRId64 " had another item at the time of the target", part->tied_times);
    if (part->repeated_targets) printf("; %" PRId64 " targets were known already", part->repeated_targets);
    if (counts->empty_lists) printf("; for %" PRId64 " nothing was left to recommend", counts->empty_lists);
    if (counts->tied) printf("; %.2f %% with a tied target", 100 * counts->tied_share);
    printf("\n");
}

static void show_errors(const pm_result *r)
{
    if (!r->prediction_error.n) return;
    printf("prediction error %.4f", r->prediction_error.mean);
    if (r->reconstruction_error.n) printf(", reconstruction error %.4f", r->reconstruction_error.mean);
    printf(": mean squares at the test ratings%s\n", r->reconstruction_error.n ? ", the second when they are what the model is fed" : "");
}

static void show_memory(uint64_t bytes)
{
    if (bytes >= 1u << 30) printf("%.2f GiB", (double)bytes / (double)(1u << 30));
    else printf("%.1f MiB", (double)bytes / (double)(1u << 20));
}

// What can be done with it: a model that knows users by id takes no list of items.
static void show_next(const pm_cli *cli, const pm_result *r)
{
    const pm_model *m = pm_config_model(r->config);
    const char *whom = m->by_id && !m->fold_in ? "--user ID" : pm_config_text(r->config, "center") ? "--items ID:4,ID:2" : "--items ID,ID";
    if (r->run) printf("\nSaved in %s; try: %s recommend %s %s\n", r->run, cli->program, r->run, whom);
}

pm_status pm_cli_show_result(pm_cli *cli, const pm_result *r)
{
    printf("%-12s %s, seed %" PRIu64 "\n", "model", r->model, r->seed);
    printf("%-12s %s (%s)\n", "device", r->device, r->profile ? r->profile : r->backend);
    printf("%-12s %" PRId64 " users, %" PRId64 " items, %" PRId64 " interactions\n", "data", r->users, r->items, r->interactions);
    printf("%-12s %s, %" PRId64 " users trained on\n", "protocol", r->protocol, r->train_users);
    for (int i = 0; i < r->pretrained_count; i++)
        printf("%-12s %s %s (%s)\n", i ? "" : "began from", r->pretrained[i].name, r->pretrained[i].run, r->pretrained[i].hash);
    if (r->epochs) {
        printf("%-12s %" PRId64 " epochs, %" PRId64 " steps, %.1f s\n", "training", r->epochs, r->steps, r->train_seconds);
        if (r->best_epoch && !r->fixed_length)
            printf("%-12s epoch %" PRId64 ", by %s on %s\n", "chosen", r->best_epoch, r->select,
                   r->legacy_test_selection ? "the TEST part (--legacy-test-selection)" : "validation");
    }
    printf("%-12s %s\n", "refit", 
           !r->refit ? "no" : r->legacy_test_selection || r->fixed_length ? "yes: trained on train + validation" : "yes: trained once more on train + validation before the test");
    printf("%-12s %.2f s; most device memory held: ", "evaluation", r->eval_seconds);
    show_memory(r->peak_device_memory);
    printf("\n");
    if (r->repeat_count) {
        printf("%-12s %d, %" PRId64 " steps, %.1f s\n", "trainings", r->repeat_count, r->steps, r->train_seconds);
        PM_TRY(show_repeats(cli, r));
        if (r->legacy_test_selection) printf("Beware: epochs were chosen on the test set (--legacy-test-selection): these figures flatter the model\n");
        return PM_OK;
    }
    void (*const show)(const char *, const pm_eval_part *, const pm_metrics_counts *) = is_of_ratings(r) ? show_ratings : show_part;
    if (r->split && r->validation_count) show("validation", &r->split->valid, &r->validation_counts);
    if (r->split && r->metric_count) show("test", &r->split->test, &r->test_counts);
    PM_TRY(show_metrics(cli, r));
    show_errors(r);
    if (r->metric_count && r->legacy_test_selection)
        printf("Beware: the epoch was chosen on the test set (--legacy-test-selection): these figures flatter the model\n");
    if (r->metric_count && r->test_counts.tied_share > tied_share_worth_telling)
        printf("Beware: %.1f %% of the users have a tied target; see --ties\n", 100 * r->test_counts.tied_share);
    show_next(cli, r);
    return PM_OK;
}
