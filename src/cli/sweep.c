// sweep: many settings of a model, the best on validation, and what the test part says of that one.
#include <math.h>
#include <stdlib.h>

#include "cli/cli.h"

enum { MOST_ROWS = 60, MOST_SEEDS = 10 };    // shown

// ---- for people ----------------------------------------------------------------------------------------------------

static const pm_sweep *sorted_sweep;    // qsort has no argument for it

static int better_first(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    const double vx = sorted_sweep->settings[x].mean, vy = sorted_sweep->settings[y].mean;
    const double sx = sorted_sweep->settings[x].share, sy = sorted_sweep->settings[y].share;
    if (isfinite(vx) != isfinite(vy)) return isfinite(vx) ? -1 : 1;
    if (sx != sy) return sx > sy ? -1 : 1;    // what halving stopped is not to be held against what went on
    if (isfinite(vx) && vx != vy) return sorted_sweep->direction * (vx - vy) > 0 ? -1 : 1;
    return x - y;
}

static pm_status rank_settings(const pm_cli *cli, const pm_sweep *w, int **order)
{
    *order = pm_new_array(cli->ctx, int, w->setting_count);
    PM_CHECK_ALLOC(*order);
    for (int i = 0; i < w->setting_count; i++) (*order)[i] = i;
    sorted_sweep = w;
    qsort(*order, (size_t)w->setting_count, sizeof **order, better_first);
    return PM_OK;
}

static void show_seeds(pm_grid *grid, const int64_t *values, int count)
{
    char text[200];
    size_t used = 0;
    for (int k = 0; k < count && used < sizeof text; k++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRId64, k ? ", " : "", values[k]);
    pm_grid_cell(grid, "%s", text);
}

static void show_setting(pm_grid *grid, const pm_sweep *w, int index)
{
    const pm_sweep_setting *s = &w->settings[index];
    for (int i = 0; i < w->parameter_count; i++) pm_grid_cell(grid, "%s", s->values[i]);
    if (!isfinite(s->mean)) pm_grid_cell(grid, "none");
    else if (w->seed_count > 1) pm_grid_cell(grid, "%.4f ± %.4f", s->mean, s->sd);
    else pm_grid_cell(grid, "%.4f", s->mean);
    show_seeds(grid, s->best_epoch, w->seed_count);
    if (s->failed) pm_grid_cell(grid, "cannot win: %.100s", s->failed);
    else if (s->share < 1) pm_grid_cell(grid, "stopped at %.0f %% of its epochs", 100 * s->share);
    else pm_grid_cell(grid, "%s", index == w->winner ? "winner" : "");
}

static pm_status show_settings(pm_cli *cli, const pm_sweep *w)
{
    int *order;
    char *align = pm_alloc(cli->ctx, (size_t)w->parameter_count + 4);
    pm_grid *grid;
    PM_CHECK_ALLOC(align);
    PM_TRY(rank_settings(cli, w, &order));
    memset(align, 'l', (size_t)w->parameter_count);
    memcpy(align + w->parameter_count, "rll", 4);
    PM_TRY(pm_grid_create(cli->ctx, align, &grid));
    for (int i = 0; i < w->parameter_count; i++) pm_grid_cell(grid, "%s", w->parameters[i]);
    pm_grid_cell(grid, "%s", w->select);
    pm_grid_cell(grid, w->seed_count > 1 ? "chosen epochs" : "chosen epoch");
    pm_grid_cell(grid, "%s", "");
    for (int i = 0; i < PM_MIN(w->setting_count, MOST_ROWS); i++) show_setting(grid, w, order[i]);
    PM_TRY(pm_grid_print(&grid, true));
    if (w->setting_count > MOST_ROWS) printf("… and %d more; --json has them all\n", w->setting_count - MOST_ROWS);
    printf("on %s%s\n", w->legacy_test_selection ? "the test part, which chose (legacy test selection)" : "validation", w->seed_count > 1 ? "; ± is one standard deviation over the seeds" : "");
    return PM_OK;
}

static pm_status show_test(pm_cli *cli, const pm_sweep *w)
{
    pm_grid *grid;
    if (!w->metric_count) return PM_OK;
    const bool many = w->seed_count > 1;
    PM_TRY(pm_grid_create(cli->ctx, many ? "lrrr" : "lrr", &grid));
    pm_grid_cell(grid, "metric");
    pm_grid_cell(grid, "test");
    if (many) pm_grid_cell(grid, "sd of seeds");
    pm_grid_cell(grid, "n");
    for (int i = 0; i < w->metric_count; i++) {
        char *text = pm_cli_mean(grid, &w->metrics[i].mean);
        PM_CHECK_ALLOC(text);
        pm_grid_cell(grid, "%s", w->metrics[i].mean.name);
        pm_grid_cell(grid, "%s", text);
        if (many) pm_grid_cell(grid, "%.4f", w->metrics[i].sd);
        pm_grid_cell(grid, "%" PRId64, w->metrics[i].mean.n);
    }
    printf("\n");
    PM_TRY(pm_grid_print(&grid, true));
    printf("the winner alone%s; ± is half a 95 %% interval over %s%s\n", w->refit ? w->legacy_test_selection ? ", trained on train + validation" : ", trained once more on train + validation" : "",
           pm_name_equal(w->protocol, "rating") ? "ratings" : "users", many ? ", each with its mean over the seeds" : "");
    if (w->legacy_test_selection) printf("Beware: chosen on the test set, settings and epochs (--legacy-test-selection): these figures flatter\n");
    return PM_OK;
}

static pm_status show_sweep(pm_cli *cli, const pm_sweep *w)
{
    printf("%-12s %s\n", "model", w->model);
    printf("%-12s %" PRId64 " users, %" PRId64 " items, %" PRId64 " interactions; %s\n", "data", w->users, w->items, w->interactions, w->protocol);
    printf("%-12s %d settings, %d seed%s each", "runs", w->setting_count, w->seed_count, w->seed_count > 1 ? "s" : "");
    if (w->found) printf("; %d of %d runs were done before", w->found, w->runs);
    printf("\n\n");
    PM_TRY(show_settings(cli, w));
    PM_TRY(show_test(cli, w));
    printf("\nSaved in %s; the winner's parameters in %s; try: %s evaluate %s\n", w->folder, w->winner_runs[0], cli->program, w->winner_runs[0]);
    return PM_OK;
}

// ---- the command ---------------------------------------------------------------------------------------------------

// The winner's runs once more, for what a report shows of them; nothing is chosen by it.
static pm_status write_report(pm_cli *cli, const pm_sweep *w)
{
    pm_report_entry *entries = pm_new_array(cli->ctx, pm_report_entry, w->seed_count);
    PM_CHECK_ALLOC(entries);
    const int count = PM_MIN(w->seed_count, MOST_SEEDS);
    for (int k = 0; k < count; k++) {
        const pm_evaluate_params params = { .run = w->winner_runs[k], .validation = w->metric_count == 0 };
        pm_result *result;
        PM_TRY(pm_report_evaluate(cli->ctx, &params, &result));
        entries[k].result = result;
        entries[k].name = pm_sprintf(cli->ctx, "seed %" PRIu64, w->seeds[k]);
        PM_CHECK_ALLOC(entries[k].name);
    }
    const pm_report_params params = { .path = pm_cli_text(cli, "report"), .command = cli->line, .entries = entries, .count = count,
                                      .validation = w->metric_count == 0, .sweep = w };
    PM_TRY(pm_report_write(cli->ctx, &params));
    pm_log(cli->ctx, PM_LOG_INFO, "wrote %s", params.path);
    return PM_OK;
}

static pm_status run_sweep(pm_cli *cli)
{
    pm_spec spec;
    const pm_model *model;
    pm_sweep *sweep;
    char *json;
    PM_TRY(pm_model_find(cli->ctx, cli->operand[0], &model));
    PM_TRY(pm_cli_spec(cli, &spec));
    spec.model = model->name;
    spec.select = pm_cli_text(cli, "metric");
    const pm_sweep_params params = {
        .spec = &spec,
        .grid = pm_cli_text(cli, "grid"),
        .grid_name = pm_cli_text(cli, "preset-grid"),
        .random = pm_cli_integer(cli, "random", 0),
        .seeds = pm_cli_integer(cli, "seeds", 1),
        .jobs = (int)pm_cli_integer(cli, "jobs", 1),
        .halving = pm_cli_has(cli, "halving"),
        .keep = pm_cli_has(cli, "keep"),
        .folder = pm_cli_text(cli, "output"),
    };
    PM_REQUIRE(cli->ctx, params.folder, PM_ERR_ARG, "sweep wants -o FOLDER: where its runs go, and where it goes on from when interrupted");
    PM_TRY(pm_sweep_run(cli->ctx, &params, &sweep));
    if (pm_cli_has(cli, "report")) PM_TRY(write_report(cli, sweep));
    if (!pm_cli_has(cli, "json")) return show_sweep(cli, sweep);
    PM_TRY(pm_sweep_json(cli->ctx, sweep, &json));
    puts(json);
    return PM_OK;
}

static const pm_option_group sweep_group = { "Sweep", (const pm_option[]){
    PM_TEXT("grid", 'g', "GRID",
            "what is varied: \"name=value,value;name=value\"; bars between values that have commas: \"hidden=none|600,200\"; slashes tie: "
            "\"c1/c0=5/1,10/2\""),
    PM_TEXT("preset-grid", 0, "NAME", "a grid of the model's paper instead; see pumice models NAME"),
    PM_INTEGER("random", 'r', "N", 1, 100000,
               "draw N settings instead of all combinations; values may be ranges then: \"dropout=0.1..0.6;lr=log:1e-4..1e-2\""),
    PM_INTEGER("seeds", 0, "N", 1, 1000, "train each setting with N seeds, from --seed on; the split stays the same. Default: 1"),
    PM_TEXT("metric", 0, "METRIC", "chooses, on validation, by its mean over the seeds. Default: the first of --metrics"),
    PM_INTEGER("jobs", 'j', "N", 1, 256, "runs at a time; they share --threads, and the results do not depend on it. Default: 1"),
    PM_FLAG("halving", 0, "stop hopeless settings: after a ninth and a third of their epochs only the best third goes on"),
    PM_FLAG("keep", 0, "keep the parameters of every run, not only the winner's"),
    PM_TEXT("output", 'o', "FOLDER", "where the runs go; the same command goes on there when it was interrupted"),
    PM_TEXT("report", 0, "FILE", "also write all of it as one HTML file, with a heat map and the winner's curves (figures want gnuplot)"),
    { 0 } } };

static const pm_option_group evaluation_group = { "Evaluation", (const pm_option[]){
    PM_TEXT("metrics", 'm', "LIST", "such as ndcg@100,recall_capped@20. Default: the protocol's usual ones"),
    PM_INTEGER("patience", 0, "N", 1, 1e9, "stop a run after N epochs without a better value. Default: never"),
    PM_INTEGER("validate-every", 0, "N", 1, 1e9, "epochs between validations. Default: 1"),
    PM_FLAG("refit", 0, "train the winner once more on train + validation for the chosen length before the test"),
    PM_FLAG("legacy-test-selection", 0, "choose epochs and setting on the test part, as much published work does; the figures flatter and are marked so"),
    PM_CHOICE("candidates", 0, "WHICH", "sampled|all|sampled,all", "leave-one-out: what the target is ranked among, the sampled negatives or all items that are not "
      "known. Default: both, the epoch chosen among the sampled"),
    PM_CHOICE("ties", 0, "RULE", "expected|optimistic|pessimistic|id", "where a tied target ranks (leave-one-out). Default: expected"),
    { 0 } } };

const pm_cli_command pm_cli_sweep = {
    .name = "sweep", .operands = "MODEL --grid GRID -o FOLDER [OPTION]…\nMODEL --preset-grid NAME -o FOLDER [OPTION]…",
    .summary = "Trains many settings of a model, chooses on validation, then reads the test part once, for the winner.",
    .text = "Every run is a run folder in FOLDER/runs and writes its document as it ends. A sweep that was interrupted, or killed, goes on "
            "where it stood when the same command is given again; nothing finished is repeated.",
    .examples = "sweep mult-dae --grid \"dropout=0,0.3,0.5;latent=50,200\" --seeds 3 --metric ndcg@100 -o sweep --report report.html\n"
                "sweep mult-vae --grid \"lr=log:1e-4..1e-2;beta_cap=0.1..1\" --random 20 --halving --epochs 60 -o search",
    .least = 1, .most = 1, .computes = true, .hypers = true, .run = run_sweep,
    .groups = (const pm_option_group *const[]){ &sweep_group, &pm_group_model, &pm_group_pretrained, &pm_group_read, &pm_group_filter, &pm_group_split,
                                                &evaluation_group, &pm_group_device, &pm_group_common, NULL },
};
