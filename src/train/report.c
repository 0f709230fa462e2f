// pm_report_write: the page around the sections.
#include "train/report.h"

#include <math.h>

#include "train/runfolder.h"

enum { DEPTH = 100 };    // of the lists whose popularity bands are shown, unless metrics ask for longer ones

const pm_metrics *pm_report_users(const pm_report *r, int entry)
{
    const pm_result *result = r->p->entries[entry].result;
    return r->p->validation ? result->validation_users : result->test_users;
}

const pm_eval_part *pm_report_part(const pm_report *r, int entry)
{
    const pm_split *split = r->p->entries[entry].result->split;
    return r->p->validation ? &split->valid : &split->test;
}

const pm_metric_result *pm_report_find(const pm_report *r, int entry, const char *metric)
{
    const pm_result *result = r->p->entries[entry].result;
    const pm_metric_result *all = r->p->validation ? result->validation : result->metrics;
    for (int i = 0; i < (r->p->validation ? result->validation_count : result->metric_count); i++)
        if (pm_name_equal(all[i].name, metric)) return &all[i];
    return NULL;
}

bool pm_report_of_ratings(const pm_report *r)
{
    const pm_metric_set *set = pm_metrics_set(pm_report_users(r, 0));
    return pm_metric_set_count(set) > 0 && pm_metric_set_info(set, 0)->kind == PM_METRIC_RATING;
}

bool pm_report_is_tail(const char *metric)
{
    return strncmp(metric, "tail_", 5) == 0;
}

void pm_report_heading(const pm_report *r, const char *title)
{
    pm_page_raw(r->page, "<h2>");
    pm_page_text(r->page, title);
    pm_page_raw(r->page, "</h2>\n");
}

void pm_report_open(const pm_report *r, bool *open, const char *title)
{
    if (*open) return;
    if (title) pm_report_heading(r, title);
    pm_page_raw(r->page, "<div class=\"figures\">\n");
    *open = true;
}

void pm_report_close(const pm_report *r, bool open)
{
    if (open) pm_page_raw(r->page, "</div>\n");
}

const char *pm_report_main_metric(const pm_report *r)
{
    const pm_metric_set *set = pm_metrics_set(pm_report_users(r, 0));
    if (r->p->quintiles) return r->p->quintiles;
    for (int i = 0; i < pm_metric_set_count(set); i++)
        if (pm_metrics_values(pm_report_users(r, 0), i) && pm_metric_set_info(set, i)->kind != PM_METRIC_RATING)
            return pm_metric_set_name(set, i);
    return NULL;
}

void pm_report_mean(const pm_report *r, const pm_metric_result *m)
{
    pm_page_real(r->page, 4, m ? m->mean : NAN);
    if (m && isfinite(m->mean) && isfinite(m->ci95)) pm_page_print(r->page, " ± %s", pm_number_text(4, m->ci95).text);
}

void pm_report_legacy_note(const pm_report *r)
{
    bool any = false;
    for (int i = 0; i < r->p->count; i++) any = any || r->p->entries[i].result->legacy_test_selection;
    if (any) pm_page_raw(r->page, "<p class=\"warn\">† The epoch was <strong>chosen on the test set</strong> (--legacy-test-selection), as much published work does: "
                                  "these figures flatter the model, are not comparable with the others, and are never printed bold.</p>\n");
}

void pm_report_swatch(const pm_report *r, int entry)
{
    pm_page_print(r->page, "<span class=\"swatch%s\" style=\"--c:var(--s%d)\"></span>", entry >= 8 ? " dashed" : "", 1 + entry % 8);
}

// ---- the page ------------------------------------------------------------------------------------------------------

static void title_text(const pm_report *r)
{
    const pm_report_params *p = r->p;
    if (p->title) {
        pm_page_text(r->page, p->title);
        return;
    }
    if (p->sweep) pm_page_raw(r->page, "Sweep of ");
    for (int i = 0; i < p->count; i++) {
        bool said = false;
        for (int k = 0; k < i; k++) said = said || pm_name_equal(p->entries[k].result->model, p->entries[i].result->model);
        if (said) continue;
        if (i) pm_page_raw(r->page, ", ");
        pm_page_text(r->page, p->entries[i].result->model);
    }
    pm_page_raw(r->page, " on ");
    pm_page_text(r->page, strncmp(p->entries[0].result->source, "synthetic", 9) == 0 ? "synthetic data" : p->entries[0].result->source);
}

// No script, no style, no picture from anywhere else: the policy has the browser hold the page to it.
static void head(const pm_report *r)
{
    pm_page_raw(r->page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                         "<meta name=\"color-scheme\" content=\"light dark\">\n"
                         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>");
    title_text(r);
    pm_page_raw(r->page, "</title>\n<style>\n");
    pm_page_raw(r->page, pm_report_style);
    pm_page_raw(r->page, "</style>\n</head>\n<body>\n<header><h1>");
    title_text(r);
    pm_page_raw(r->page, "</h1></header>\n<main>\n");
}

static void notice_of_plots(const pm_report *r)
{
    if (!r->page->no_plots[0]) return;
    pm_page_raw(r->page, "<p class=\"warn\"><strong>Figures are missing:</strong> ");
    pm_page_text(r->page, r->page->no_plots);
    pm_page_raw(r->page, ". Their numbers are in the tables below. Install gnuplot (Debian: <code>apt install gnuplot-nox</code>) and make the report "
                         "again to have them.</p>\n");
}

static void foot(const pm_report *r)
{
    pm_page_raw(r->page, "</main>\n<footer><p>Made by Pumice");
    if (r->p->command) {
        pm_page_raw(r->page, " with</p><pre>");
        pm_page_text(r->page, r->p->command);
        pm_page_raw(r->page, "</pre><p>");
    }
    pm_page_raw(r->page, " This file is all there is to it: it loads nothing and runs nothing.</p></footer>\n</body>\n</html>\n");
}

static pm_status check_entries(const pm_report *r)
{
    const pm_report_params *p = r->p;
    PM_REQUIRE(r->ctx, p->path && p->entries && p->count > 0, PM_ERR_ARG, "a report needs a file to go to and at least one run");
    PM_REQUIRE(r->ctx, p->count <= PM_REPORT_MAX, PM_ERR_ARG, "a report shows at most %d runs; %d are given", PM_REPORT_MAX, p->count);
    for (int i = 0; i < p->count; i++)
        PM_REQUIRE(r->ctx, pm_report_users(r, i), PM_ERR_ARG, "%s has no values of each user on the %s part", p->entries[i].name,
                   p->validation ? "validation" : "test");
    return PM_OK;
}

// Whether there is a gnuplot at all, asked first so that the page can say it first.
static void try_gnuplot(pm_report *r)
{
    char *svg = NULL;
    const pm_status st = pm_plot(r->ctx, "try", "set terminal svg\nplot 1\n", &svg);
    pm_free(svg);
    if (st == PM_OK) return;
    snprintf(r->page->no_plots, sizeof r->page->no_plots, "%s", pm_ctx_message(r->ctx));
    pm_log(r->ctx, PM_LOG_WARN, "%s: the report has tables and no figures; install gnuplot (Debian: apt install gnuplot-nox) to have them",
           pm_ctx_message(r->ctx));
}

// What else is worth a figure is added here: a section is one function.
static pm_status fill(pm_report *r)
{
    static pm_status (*const sections[])(pm_report *) = {
        pm_report_setting,  pm_report_sweep,    pm_report_results, pm_report_compared, pm_report_tests, pm_report_pairs, pm_report_losses,
        pm_report_curves,   pm_report_activity, pm_report_popularity, pm_report_analyses, pm_report_runs,
    };
    try_gnuplot(r);
    head(r);
    notice_of_plots(r);
    for (int i = 0; i < PM_COUNT(sections); i++) PM_TRY(sections[i](r));
    foot(r);
    return pm_page_save(r->page, r->p->path);
}

pm_status pm_report_write(pm_ctx *ctx, const pm_report_params *params)
{
    pm_report *r = pm_new(ctx, pm_report);
    PM_CHECK_ALLOC(r);
    r->ctx = ctx;
    r->p = params;
    pm_status st = check_entries(r);
    for (int i = 0; st == PM_OK && i < params->count; i++) {
        r->names[i] = params->entries[i].result->legacy_test_selection ? pm_sprintf(r, "%s †", params->entries[i].name) : params->entries[i].name;
        if (!r->names[i]) st = PM_ERR_NOMEM;
    }
    if (st == PM_OK) st = pm_page_create(ctx, &r->page);
    if (st == PM_OK) st = fill(r);
    pm_free(r->page);
    pm_free(r);
    return st;
}

// ---- which metrics -------------------------------------------------------------------------------------------------

static bool ranks_all_items(const char *protocol)
{
    static const char *const names[] = { "strong", "random", "temporal", "user-temporal" };
    for (int i = 0; i < PM_COUNT(names); i++)
        if (pm_name_equal(protocol, names[i])) return true;
    return false;
}

// Given parts may have candidates, which is known when they are read: the analyses take either, the metrics of bands do not.
static bool may_rank_all(const char *protocol)
{
    return !protocol || ranks_all_items(protocol) || pm_name_equal(protocol, "files");
}

pm_status pm_report_metrics(const void *parent, const char *run, const pm_spec *spec, const char *metrics, const char **out)
{
    pm_spec *read, complete;
    pm_metric_set *set;
    int64_t depth = DEPTH;
    *out = NULL;
    if (run) PM_TRY(pm_run_read_spec(parent, run, &read));
    PM_TRY(pm_spec_complete(parent, run ? read : spec, &complete));
    if (!metrics) metrics = complete.metrics;
    PM_TRY(pm_metric_set_parse(parent, metrics, &set));
    for (int i = 0; i < pm_metric_set_count(set); i++) depth = PM_MAX(depth, pm_metric_set_k(set, i));
    pm_metric_set_destroy(&set);
    *out = ranks_all_items(complete.split.protocol)
               ? pm_sprintf(parent, "%s,tail_short@%" PRId64 ",tail_medium@%" PRId64 ",tail_long@%" PRId64, metrics, depth, depth, depth)
               : pm_strdup(parent, metrics);
    return *out ? PM_OK : PM_ERR_NOMEM;
}

pm_status pm_report_evaluate(pm_ctx *ctx, const pm_evaluate_params *params, pm_result **out)
{
    pm_evaluate_params more = *params;
    pm_spec *spec;
    void *scratch = pm_alloc(ctx, 1);
    *out = NULL;
    PM_CHECK_ALLOC(scratch);
    pm_status st = pm_report_metrics(scratch, params->run, NULL, params->metrics, &more.metrics);
    if (st == PM_OK) st = pm_run_read_spec(scratch, params->run, &spec);
    if (st == PM_OK && may_rank_all(spec->split.protocol)) more.analysis = "all";
    if (st == PM_OK) st = pm_evaluate(ctx, &more, out);
    pm_free(scratch);
    return st;
}

// A report shows more than what was asked for; the epoch is chosen by the same metric all the same.
static pm_status add_metrics(void *scratch, pm_spec *spec)
{
    if (!spec->select && spec->metrics) {
        char *first = pm_strdup(scratch, spec->metrics);
        PM_CHECK_ALLOC(first);
        first[strcspn(first, ",")] = 0;
        spec->select = first;
    }
    return pm_report_metrics(scratch, NULL, spec, spec->metrics, &spec->metrics);
}

pm_status pm_report_train(pm_ctx *ctx, const pm_spec *spec, const char *run, bool validation, pm_result **out)
{
    pm_spec more = *spec;
    pm_train_extra extra = { .analysis_of_validation = validation };
    void *scratch = pm_alloc(ctx, 1);
    *out = NULL;
    PM_CHECK_ALLOC(scratch);
    pm_status st = add_metrics(scratch, &more);
    if (may_rank_all(spec->split.protocol)) extra.analysis = "all";
    if (st == PM_OK) st = pm_train_with(ctx, &more, run, &extra, out);
    pm_free(scratch);
    return st;
}
